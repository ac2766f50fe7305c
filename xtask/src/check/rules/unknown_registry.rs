//! `unknown-registry`: an input or the image is at a registry that nobody knows, or that the environment has nothing to do with.

use super::super::{Findings, Rule, Subject, inputs};
use crate::diagnostic::Diagnostic;
use crate::manifest::RuleLevel;
use crate::oci::Reference;

pub(super) const RULE: Rule = Rule {
    code: "unknown-registry",
    level: RuleLevel::Deny,
    fixed: false,
    summary: "an input or the image is at a registry that is not among those that are known, or allowed here",
    reason: "gghcr.io is a typing error, and anybody can own the name",
    check,
};

fn check(subject: &Subject<'_>, findings: &mut Findings) {
    inputs::object(subject, RULE.code, findings);
    let Some(judge) = subject.judge else { return };
    // without a registry the image stays on this machine
    let tags = subject.plan.tags.iter().filter_map(|tag| tag.parse::<Reference>().ok());
    for tag in tags.filter(Reference::is_with_registry) {
        if let Some(objection) = judge.registry(&tag) {
            let message = format!("image `{}`, as `{tag}`, {}", subject.plan.id, objection.message);
            let settings = &subject.resolution.manifests.settings;
            let place = settings.registry.as_ref().map_or(subject.image.definition.name.span, |registry| registry.span);
            findings.push([], Diagnostic::error(RULE.code, message).label(place, "").help(objection.help));
        }
    }
}
