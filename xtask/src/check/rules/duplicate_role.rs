//! `duplicate-role`: two components of an image have a role of the same name.

use std::collections::BTreeMap;

use super::super::{Findings, Rule, Subject};
use crate::diagnostic::Diagnostic;
use crate::manifest::RuleLevel;

pub(super) const RULE: Rule = Rule {
    code: "duplicate-role",
    level: RuleLevel::Deny,
    fixed: false,
    summary: "two components have a role of the same name",
    reason: "a consumer names a role to get its command; one name must mean one command",
    check,
};

fn check(subject: &Subject<'_>, findings: &mut Findings) {
    let mut seen = BTreeMap::new();
    for (component, role) in subject.image.roles() {
        let Some((other, place)) = seen.insert(role.name, (component.name(), role.role.span)) else { continue };
        let message = format!("components `{other}` and `{}` both have the role `{}`", component.name(), role.name);
        let finding = Diagnostic::error(RULE.code, message).label(role.role.span, "").label(place, "also here");
        findings.push([component.name(), other], finding.help("rename one of them"));
    }
}
