//! `boundary-crossing`: components of different security boundaries are merged.

use std::collections::BTreeMap;

use super::super::{Findings, Rule, Subject};
use crate::diagnostic::Diagnostic;
use crate::manifest::RuleLevel;

pub(super) const RULE: Rule = Rule {
    code: "boundary-crossing",
    level: RuleLevel::Deny,
    fixed: false,
    summary: "roles of different security boundaries are merged into one image",
    reason: "whoever breaks into one role finds the programs of the others; that is a decision, to be made with a reason",
    check,
};

/// What a role without a boundary is said to be in, once others state theirs.
const UNSTATED: &str = "none stated";

fn check(subject: &Subject<'_>, findings: &mut Findings) {
    if !subject.image.roles().any(|(_, role)| role.role.boundary.is_some()) {
        return;
    }
    let mut boundaries = BTreeMap::new();
    for (component, role) in subject.image.roles() {
        let stated = role.role.boundary.as_ref();
        let boundary = stated.map_or(UNSTATED, |boundary| boundary.value.as_str());
        let place = stated.map_or(role.role.span, |boundary| boundary.span);
        boundaries.entry(boundary).or_insert((component.name(), role.name, place));
    }
    let mut sorted = boundaries.iter();
    let Some((first, (first_component, first_role, first_place))) = sorted.next() else { return };
    for (boundary, (component, role, place)) in sorted {
        let message = format!(
            "image `{}` merges role `{first_role}` (boundary: {first}) with role `{role}` (boundary: {boundary})",
            subject.plan.name
        );
        let finding = Diagnostic::error(RULE.code, message).label(*place, "").label(*first_place, "other boundary");
        let help = format!(
            "state the same `boundary`, keep them in two images, or accept it in image.toml: [[allow]] rule = \"{}\", components, reason",
            RULE.code
        );
        findings.push([*component, *first_component], finding.help(help));
    }
}
