//! `ambiguous-user`: roles run as different users, and nothing says which one the image has.

use std::collections::BTreeMap;

use super::super::{Findings, Rule, Subject};
use crate::diagnostic::Diagnostic;
use crate::manifest::RuleLevel;

pub(super) const RULE: Rule = Rule {
    code: "ambiguous-user",
    level: RuleLevel::Deny,
    fixed: false,
    summary: "roles run as different users, and no default role says which one the image has",
    reason: "an image without a user runs as root, or as whatever the base says; a consumer that sets none would get that",
    check,
};

fn check(subject: &Subject<'_>, findings: &mut Findings) {
    if subject.plan.config.user.is_some() {
        return;
    }
    let roles = subject.image.roles();
    let users: BTreeMap<String, _> =
        roles.map(|(component, role)| (role.role.user.value.to_string(), (component, role))).collect();
    let mut users = users.values();
    let (Some((a, role_a)), Some((b, role_b))) = (users.next(), users.next()) else { return };
    let (user_a, user_b) = (&role_a.role.user, &role_b.role.user);
    let message =
        format!("role `{}` runs as {} and role `{}` as {}", role_a.name, user_a.value, role_b.name, user_b.value);
    let finding = Diagnostic::error(RULE.code, message).label(user_b.span, "").label(user_a.span, "");
    findings.push([a.name(), b.name()], finding.help("set `default-role` in image.toml, whose user the image then has; the others must be set by their consumers"));
}
