//! `named-user`: a role runs as a user that is named instead of numbered.

use super::super::{Findings, Rule, Subject};
use crate::diagnostic::Diagnostic;
use crate::manifest::{RuleLevel, User};

pub(super) const RULE: Rule = Rule {
    code: "named-user",
    level: RuleLevel::Deny,
    fixed: false,
    summary: "a role's user is a name",
    reason: "Kubernetes cannot prove `runAsNonRoot` for a name, and refuses to start the pod",
    check,
};

fn check(subject: &Subject<'_>, findings: &mut Findings) {
    for (component, role) in subject.image.roles() {
        let User::Named(name) = &role.role.user.value else { continue };
        let message = format!("role `{}` runs as the named user `{name}`", role.name);
        let finding = Diagnostic::error(RULE.code, message).label(role.role.user.span, "");
        let help = match role.role.user.value.numbers() {
            Some((uid, gid)) => {
                format!("write the numbers, which are `user = \"{uid}:{}\"` in most images", gid.unwrap_or(uid))
            }
            None => {
                "write the numbers, such as `user = \"65532:65532\"`; /etc/passwd of the old image has them".to_owned()
            }
        };
        findings.push([component.name()], finding.help(help));
    }
}
