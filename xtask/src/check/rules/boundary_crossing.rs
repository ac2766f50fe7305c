//! `boundary-crossing`: components of different security boundaries are merged.

use std::collections::BTreeMap;

use super::super::{Findings, Rule, Subject};
use crate::diagnostic::Diagnostic;
use crate::manifest::RuleLevel;

pub(super) const RULE: Rule = Rule {
    code: "boundary-crossing",
    level: RuleLevel::Deny,
    summary: "roles of different security boundaries are merged into one image",
    reason: "whoever breaks into one role finds the programs of the others; that is a decision, to be made with a reason",
    check,
};

fn check(subject: &Subject<'_>, findings: &mut Findings) {
    let mut boundaries = BTreeMap::new();
    for (component, role) in subject.image.roles() {
        let Some(boundary) = &role.role.boundary else { continue };
        boundaries.entry(boundary.value.as_str()).or_insert((component.name(), role.name, boundary.span));
    }
    let mut sorted = boundaries.iter();
    let Some((first, (first_component, first_role, first_place))) = sorted.next() else { return };
    for (boundary, (component, role, place)) in sorted {
        let message = format!(
            "image `{}` merges role `{first_role}` ({first}) with role `{role}` ({boundary})",
            subject.plan.name
        );
        let finding = Diagnostic::error(RULE.code, message).label(*place, "").label(*first_place, "other boundary");
        let help = format!(
            "keep them in two images, or accept it in image.toml: [[allow]] rule = \"{}\", components, reason",
            RULE.code
        );
        findings.push([*component, *first_component], finding.help(help));
    }
}
