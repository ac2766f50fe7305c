//! `unknown-base`: the base of an image is a name that nothing defines.

use super::super::{Findings, Rule, Subject};
use crate::diagnostic::Diagnostic;
use crate::manifest::{BaseName, RuleLevel};
use crate::resolve::SCRATCH;

pub(super) const RULE: Rule = Rule {
    code: "unknown-base",
    level: RuleLevel::Deny,
    fixed: true,
    summary: "the base is a name that [bases] does not define",
    reason: "a name that nobody defines would be looked up on Docker Hub, where anybody can define it",
    check,
};

fn check(subject: &Subject<'_>, findings: &mut Findings) {
    let base = &subject.image.base;
    if base.image.is_some() || base.name.value.as_str() == SCRATCH {
        return;
    }
    let name = &base.name.value;
    let message = format!("the base `{name}` of image `{}` is not defined", subject.plan.name);
    let finding = Diagnostic::error(RULE.code, message).label(subject.image.definition.base.span, "");
    let known = subject.resolution.manifests.settings.bases.keys().map(BaseName::as_str).chain([SCRATCH]);
    let otherwise = format!("add `{name} = \"registry/repository:tag\"` to [bases] in groupage.toml, or use `scratch`");
    findings.push([], finding.suggest(name.as_str(), known, Some(otherwise)));
}
