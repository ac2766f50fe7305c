//! `environment-conflict`: two roles need different values of one environment variable.

use std::collections::BTreeMap;

use super::super::{Findings, Rule, Subject};
use crate::diagnostic::Diagnostic;
use crate::manifest::RuleLevel;

pub(super) const RULE: Rule = Rule {
    code: "environment-conflict",
    level: RuleLevel::Deny,
    fixed: false,
    summary: "two roles need different values of one environment variable",
    reason: "an image has one environment; one of the programs would read the other's value",
    check,
};

fn check(subject: &Subject<'_>, findings: &mut Findings) {
    let mut first = BTreeMap::new();
    for (component, role) in subject.image.roles() {
        for (name, value) in &role.role.env {
            let (other, there) = *first.entry(name).or_insert((component.name(), value));
            if there.value == value.value {
                continue;
            }
            let message = format!("components `{other}` and `{}` set {name} to different values", component.name());
            let finding = Diagnostic::error(RULE.code, message).label(value.span, "").label(there.span, "other value");
            findings.push(
                [component.name(), other],
                finding.help("agree on one value, or leave the variable to the consumer"),
            );
        }
    }
}
