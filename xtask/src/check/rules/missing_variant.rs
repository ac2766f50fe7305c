//! `missing-variant`: an image lacks a variant that the environment wants.

use super::super::{Findings, Rule, Subject};
use crate::diagnostic::Diagnostic;
use crate::manifest::{RuleLevel, VariantName};

pub(super) const RULE: Rule = Rule {
    code: "missing-variant",
    level: RuleLevel::Deny,
    fixed: false,
    summary: "the image lacks a variant that every image of this environment has",
    reason: "consumers append a suffix such as -full to the tag, and no list says that it is not there",
    check,
};

fn check(subject: &Subject<'_>, findings: &mut Findings) {
    let Some(environment) = subject.judge.and_then(|judge| judge.environment) else { return };
    let definition = subject.image.definition;
    let missing = environment.settings.required_variants.iter();
    for variant in missing.filter(|variant| !definition.variants.contains_key(&variant.value)) {
        let (image, name) = (&definition.name.value, &environment.name);
        let message = format!("image `{image}` has no variant `{}`, which environment `{name}` wants", variant.value);
        let finding =
            Diagnostic::error(RULE.code, message).label(definition.name.span, "").label(variant.span, "wanted");
        let known = definition.variants.keys().map(VariantName::as_str);
        let otherwise = format!("add [variants.{}] to the definition", variant.value);
        findings.push([], finding.suggest(variant.value.as_str(), known, Some(otherwise)));
    }
}
