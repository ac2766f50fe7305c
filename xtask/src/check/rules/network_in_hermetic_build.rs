//! `network-in-hermetic-build`: a script needs a network in a build that has none, or wants none in a build that has one.

use super::super::{Findings, Rule, Subject};
use crate::diagnostic::Diagnostic;
use crate::manifest::{BuildKind, BuildNetwork, RuleLevel};

pub(super) const RULE: Rule = Rule {
    code: "network-in-hermetic-build",
    level: RuleLevel::Deny,
    fixed: false,
    summary: "a script and the build disagree about the network",
    reason: "an image is built in one request, which has a network or has none; the script would fail half way",
    check,
};

fn check(subject: &Subject<'_>, findings: &mut Findings) {
    let has_network = subject.plan.network == BuildNetwork::Default;
    for component in &subject.image.components {
        let BuildKind::Script(script) = &component.manifest.build.kind else { continue };
        let Some(network) = script.network.as_ref().filter(|network| network.value != has_network) else { continue };
        let (message, help) = match has_network {
            false => (
                format!("component `{}` needs a network, and this build has none", component.name()),
                "bring what it fetches as `inputs`, or build with --set build.network=default",
            ),
            true => (
                format!("component `{}` wants no network, and this build has one", component.name()),
                "write `network = \"none\"` under [build] in groupage.toml, or leave this key out",
            ),
        };
        findings.push([component.name()], Diagnostic::error(RULE.code, message).label(network.span, "").help(help));
    }
}
