//! `program-not-installed`: a role starts a program that its component does not install.

use super::super::{Findings, Rule, Subject};
use crate::diagnostic::{Diagnostic, closest};
use crate::manifest::RuleLevel;

pub(super) const RULE: Rule = Rule {
    code: "program-not-installed",
    level: RuleLevel::Deny,
    summary: "a role starts a program that its component does not install",
    reason: "a curated image once came without the program that its consumers started: `no such file or directory`, at restore time",
    check,
};

fn check(subject: &Subject<'_>, findings: &mut Findings) {
    for (component, role) in subject.image.roles() {
        let Some(program) = role.role.command.first() else { continue };
        let Some(plan) = subject.plan.components.iter().find(|plan| plan.name == *component.name()) else { continue };
        let installed =
            plan.installs.iter().map(|install| &install.to).chain(plan.files.keys()).map(|path| path.as_str());
        // a stage may install a whole folder, so a program below one is taken to be there
        let below = |path: &str| {
            program.value == path || program.value.strip_prefix(path).is_some_and(|rest| rest.starts_with('/'))
        };
        if installed.clone().any(below) {
            continue;
        }
        let message = format!(
            "role `{}` starts {}, which component `{}` does not install",
            role.name,
            program.value,
            component.name()
        );
        let finding = Diagnostic::error(RULE.code, message).label(program.span, "");
        findings.push(
            [component.name()],
            match closest(&program.value, installed) {
                Some(close) => finding.help(format!("did you mean `{close}`?")),
                None => finding
                    .help("add an [[install]] for it; a program of the base is accepted with [[allow]] and a reason"),
            },
        );
    }
}
