//! `newer-frontend`: an existing Dockerfile uses what not every engine can read.

use super::super::{Findings, Rule, Subject};
use crate::diagnostic::Diagnostic;
use crate::manifest::RuleLevel;

pub(super) const RULE: Rule = Rule {
    code: "newer-frontend",
    level: RuleLevel::Deny,
    fixed: false,
    summary: "a Dockerfile of a component uses what Docker 20.10 or buildah 1.28 cannot read",
    reason: "merged Dockerfiles have no `# syntax=` line, so that they can be built behind an air gap, and are read by what the engine has inside",
    check,
};

fn check(subject: &Subject<'_>, findings: &mut Findings) {
    for part in &subject.plan.components {
        for newer in part.build.dockerfile().into_iter().flat_map(|plan| &plan.newer) {
            let message = format!("component `{}` uses {}, which not every engine can read", part.name, newer.what);
            let finding = Diagnostic::error(RULE.code, message).label(newer.place, "");
            let help = "write it in an older way; or write `newer-frontend = \"allow\"` under [rules], if all engines that build \
                        it are newer";
            findings.push([&part.name], finding.help(help));
        }
    }
}
