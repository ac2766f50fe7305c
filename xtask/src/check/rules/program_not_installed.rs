//! `program-not-installed`: a role starts a program that its component does not install, or that cannot be executed.

use super::super::{Findings, Rule, Subject};
use crate::diagnostic::Diagnostic;
use crate::manifest::RuleLevel;
use crate::plan::{ComponentPlan, Input};
use crate::source::Spanned;

pub(super) const RULE: Rule = Rule {
    code: "program-not-installed",
    level: RuleLevel::Deny,
    fixed: false,
    summary: "a role starts a program that its component does not install",
    reason: "a curated image once came without the program that its consumers started: `no such file or directory`, at restore time",
    check,
};

fn check(subject: &Subject<'_>, findings: &mut Findings) {
    for (component, role) in subject.image.roles() {
        let Some(program) = role.role.command.first() else { continue };
        let Some(plan) = subject.plan.components.iter().find(|plan| plan.name == *component.name()) else { continue };
        // as it is called on the platform of the plan
        let planned = plan.roles.get(role.name).and_then(|role| role.command.first());
        let program = &Spanned::new(planned.unwrap_or(&program.value).clone(), program.span);
        // whether a shell is there is asked of the base, as for every need
        let is_shell = program.value == "/bin/sh" && role.role.needs.iter().any(|need| need.value.as_str() == "shell");
        if is_shell || is_open(plan, &program.value) {
            continue;
        }
        if let Some((message, finding)) = problem(plan, program) {
            let message = format!("role `{}` starts {}, which {message}", role.name, program.value);
            findings.push([component.name()], Diagnostic { message, ..finding });
        }
    }
}

/// Whether the build may put the program there, which `verify` then sees.
fn is_open(plan: &ComponentPlan, program: &str) -> bool {
    let open = plan.build.dockerfile().map_or(&[][..], |plan| &plan.open);
    open.iter()
        .any(|folder| folder == "/" || program.strip_prefix(folder.as_str()).is_some_and(|rest| rest.starts_with('/')))
}

/// What is wrong with a program, as the end of a sentence; the finding still lacks its message.
fn problem(plan: &ComponentPlan, program: &Spanned<String>) -> Option<(String, Diagnostic)> {
    let finding = Diagnostic::error(RULE.code, "").label(program.span, "");
    let file = plan.files.iter().find(|(path, _)| path.as_str() == program.value);
    if let Some((_, file)) = file {
        return match &file.input {
            Input::File { mode, .. } if mode & 0o111 == 0 => {
                let finding = finding.label(file.place, "installed here");
                Some((format!("has mode {mode:04o} and cannot be executed"), finding.help("set `mode = \"0755\"`")))
            }
            _ => None,
        };
    }
    // its program is in that of the image, and this is the link to it
    if plan.links.keys().any(|path| path.as_str() == program.value) {
        return None;
    }
    // which files a layer gives is known when it was read; `verify` looks for the program then
    if plan.build.above().is_some() {
        return None;
    }
    let paths = plan.installs.iter().map(|install| install.to.as_str());
    // a stage may install a whole folder, so a program below one is taken to be there
    let below =
        |path: &str| program.value.strip_prefix(path).is_some_and(|rest| rest.is_empty() || rest.starts_with('/'));
    if paths.clone().any(below) {
        return None;
    }
    let known = paths.chain(plan.files.keys().map(|path| path.as_str()));
    let otherwise =
        "add an [[install]] for it; a program of the base is accepted with [[allow]] and a reason".to_owned();
    let finding = finding.suggest(&program.value, known, Some(otherwise));
    Some((format!("component `{}` does not install", plan.name), finding))
}
