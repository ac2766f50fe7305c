//! `awaited-role-missing`: a role waits for another one whose component is not in.

use super::super::{Findings, Rule, Subject};
use crate::diagnostic::Diagnostic;
use crate::manifest::{ComponentName, RoleName, RuleLevel};
use crate::resolve::{Node, exclusions};

pub(super) const RULE: Rule = Rule {
    code: "awaited-role-missing",
    level: RuleLevel::Deny,
    fixed: false,
    summary: "a role waits for a role that is not in the image",
    reason: "drain watchers once waited forever for a sidecar that a feature flag had left out",
    check,
};

fn check(subject: &Subject<'_>, findings: &mut Findings) {
    for (component, role) in subject.image.roles() {
        for awaited in &role.role.waits_for {
            if subject.image.roles().any(|(_, role)| *role.name == awaited.value) {
                continue;
            }
            if is_beside(subject, &awaited.value) {
                continue;
            }
            let message = format!(
                "role `{}` waits for role `{}`, which is not in image `{}`",
                role.name, awaited.value, subject.plan.id
            );
            let finding = Diagnostic::error(RULE.code, message).label(awaited.span, "");
            findings.push([component.name()], finding.help(help(subject, awaited.value.as_str())));
        }
    }
}

/// Whether the image is that of one component, and another one of the same definition has the role: in an image of its own,
/// which runs all the same.
fn is_beside(subject: &Subject<'_>, role: &RoleName) -> bool {
    let is_in = |name: &ComponentName| subject.image.reasons.is_on(&Node::Component(name.clone()));
    let mut components = subject.resolution.manifests.components.values();
    subject.image.part.is_some()
        && components.any(|component| component.roles.contains_key(role) && is_in(&component.name.value))
}

/// Names the component that has the role, if one does.
fn help(subject: &Subject<'_>, role: &str) -> String {
    let mut components = subject.resolution.manifests.components.values();
    let Some(component) = components.find(|component| component.roles.keys().any(|name| name.as_str() == role)) else {
        return "no component of the workspace has this role".to_owned();
    };
    let name = &component.name.value;
    let mut exclusions = exclusions(subject.image.definition, component);
    match exclusions.find(|exclusion| subject.image.platforms == [exclusion.value.clone()]) {
        Some(platform) => {
            format!("component `{name}` is excluded on {}; exclude the one that waits as well", platform.value)
        }
        None => format!("turn on a feature that brings component `{name}`, or make waiting depend on it"),
    }
}
