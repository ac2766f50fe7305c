//! Each role's program is there, may be executed by its user, is for the platform, and finds what it needs.

use super::super::start::Start;
use super::super::{Check, Findings, Subject};

pub(super) const CHECK: Check = Check {
    codes: &[
        ("missing-program", "the program of a role is not in the image"),
        ("not-executable", "the user of a role may not execute its program"),
        ("wrong-architecture", "a program is for another platform than the image"),
        ("unknown-program", "the program of a role is nothing that the kernel starts"),
        ("missing-interpreter", "what a program or script is read or loaded by is not in the image"),
        ("missing-library", "a library that a program needs is not in the image"),
    ],
    reason: "a container with one of these ends before its first line of log",
    check,
};

fn check(subject: &Subject<'_>, findings: &mut Findings) {
    for (component, name, role) in subject.contract.roles() {
        let Some(program) = role.program() else {
            findings.error("missing-program", format!("role `{name}` has no command")).of_role(&component.name, name);
            continue;
        };
        for trouble in Start::new(subject, &role.user, &role.env).troubles(program) {
            findings.error(trouble.code, trouble.message).at(&trouble.path).of_role(&component.name, name);
        }
    }
}
