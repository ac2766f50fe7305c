//! `unpinned-input`: an input has no digest, and the environment wants one.

use super::super::{Findings, Rule, Subject, inputs};
use crate::diagnostic::Diagnostic;
use crate::manifest::RuleLevel;

pub(super) const RULE: Rule = Rule {
    code: "unpinned-input",
    level: RuleLevel::Deny,
    fixed: false,
    summary: "an input has no digest, neither in groupage.lock nor in its reference",
    reason: "a tag can be pushed again: only a digest says which image was tested",
    check,
};

fn check(subject: &Subject<'_>, findings: &mut Findings) {
    let Some(judge) = subject.judge.filter(|judge| judge.wants_pins()) else { return };
    let Some(environment) = judge.environment else { return };
    for input in inputs::inputs(subject).iter().filter(|input| input.reference.digest().is_none()) {
        let message = format!(
            "{}, `{}`, has no digest, which environment `{}` wants",
            input.role, input.reference, environment.name
        );
        let finding = input.locate(Diagnostic::error(RULE.code, message));
        findings.push(input.components(), finding.help("run `lock`, which writes the digests into groupage.lock"));
    }
}
