//! `ambiguous-user`: roles run as different users, and nothing says which one the image has.

use std::collections::BTreeMap;

use super::super::{Findings, Rule, Subject};
use crate::diagnostic::Diagnostic;
use crate::manifest::{ComponentName, RoleName, RuleLevel, User};
use crate::source::Span;

pub(super) const RULE: Rule = Rule {
    code: "ambiguous-user",
    level: RuleLevel::Deny,
    fixed: false,
    summary: "roles run as different users, and no default role says which one the image has",
    reason: "an image without a user runs as root, or as whatever the base says; a consumer that sets none would get that",
    check,
};

/// An unprivileged user that nobody else has: `nonroot` of distroless images.
const UNPRIVILEGED: u32 = 65532;

fn check(subject: &Subject<'_>, findings: &mut Findings) {
    if subject.plan.config.user.is_some() {
        return;
    }
    let mut users = BTreeMap::<String, Vec<(&ComponentName, &RoleName, Span)>>::new();
    for (component, role) in subject.image.roles() {
        let user = &role.role.user;
        users.entry(user.value.to_string()).or_default().push((component.name(), role.name, user.span));
    }
    if users.len() < 2 {
        return;
    }
    let message =
        format!("roles of image `{}` run as different users, and the image can have only one", subject.plan.name);
    let mut finding = Diagnostic::error(RULE.code, message);
    for (user, roles) in &users {
        let names: Vec<String> = roles.iter().map(|(_, role, _)| format!("`{role}`")).collect();
        finding = roles.iter().take(1).fold(finding, |finding, (_, _, place)| finding.label(*place, ""));
        finding = finding.note(format!("as {user}: {}", names.join(", ")));
    }
    let proposed = proposed(subject.image.roles().map(|(_, role)| &role.role.user.value));
    let help = format!(
        "run them all as one numeric user, such as `user = \"{proposed}\"`; or set `default-role`, whose user the image then has, and let the consumers of the others set theirs"
    );
    findings.push(users.values().flatten().map(|(component, ..)| *component), finding.help(help));
}

/// The one user of the roles that is not root, if there is one, in numbers.
fn proposed<'a>(users: impl Iterator<Item = &'a User>) -> String {
    let mut unprivileged: Vec<(u32, u32)> = users
        .filter_map(User::numbers)
        .filter(|(uid, _)| *uid != 0)
        .map(|(uid, gid)| (uid, gid.unwrap_or(uid)))
        .collect();
    unprivileged.sort_unstable();
    unprivileged.dedup();
    match unprivileged.as_slice() {
        [(uid, gid)] => format!("{uid}:{gid}"),
        _ => format!("{UNPRIVILEGED}:{UNPRIVILEGED}"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_one_user_that_is_not_root_is_proposed() {
        let check = |users: &[&str], expect: &str| {
            let users: Vec<User> = users.iter().map(|user| user.parse().unwrap()).collect();
            assert_eq!(proposed(users.iter()), expect, "{users:?}");
        };
        check(&["0", "0", "nobody", "0"], "65534:65534");
        check(&["0", "7:8"], "7:8");
        check(&["7", "7:7", "root"], "7:7");
        check(&["7", "8"], "65532:65532");
        check(&["0", "cnb"], "65532:65532");
    }
}
