//! Users are numbers.

use super::super::access::User;
use super::super::{Check, Findings, Subject};

pub(super) const CHECK: Check = Check {
    codes: &[("named-user", "a role, or the image, runs as a user that is no number")],
    reason: "Kubernetes cannot prove `runAsNonRoot` for a name, and refuses to start the pod",
    check,
};

fn check(subject: &Subject<'_>, findings: &mut Findings) {
    for (component, name, role) in subject.contract.roles() {
        if User::parse(&role.user).is_none() {
            let message = format!("role `{name}` runs as `{}`, which is no numeric user", role.user);
            findings.error("named-user", message).of_role(&component.name, name);
        }
    }
    let user = &subject.image.config.user;
    if !user.is_empty() && User::parse(user).is_none() {
        findings.error("named-user", format!("the image runs as `{user}`, which is no numeric user"));
    }
}
