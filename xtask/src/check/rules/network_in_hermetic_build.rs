//! `network-in-hermetic-build`: a script needs a network in a build that has none.

use super::super::{Findings, Rule, Subject};
use crate::diagnostic::Diagnostic;
use crate::manifest::{BuildKind, BuildNetwork, RuleLevel};

pub(super) const RULE: Rule = Rule {
    code: "network-in-hermetic-build",
    level: RuleLevel::Deny,
    summary: "a script needs a network in a build without one",
    reason: "an image is built in one request, which has a network or has none; the script would fail half way",
    check,
};

fn check(subject: &Subject<'_>, findings: &mut Findings) {
    if subject.plan.network != BuildNetwork::None {
        return;
    }
    for component in &subject.image.components {
        let BuildKind::Script(script) = &component.manifest.build.kind else { continue };
        let Some(network) = script.network.as_ref().filter(|network| network.value) else { continue };
        let message = format!("component `{}` needs a network, and this build has none", component.name());
        let finding = Diagnostic::error(RULE.code, message).label(network.span, "");
        findings.push(
            [component.name()],
            finding.help("bring what it fetches as `inputs`, or build with --set build.network=default"),
        );
    }
}
