//! `empty-version`: a component or an image has no version.

use super::super::{Findings, Rule, Subject};
use crate::diagnostic::Diagnostic;
use crate::manifest::RuleLevel;

pub(super) const RULE: Rule = Rule {
    code: "empty-version",
    level: RuleLevel::Deny,
    fixed: true,
    summary: "a component or image has an empty version",
    reason: "an empty version once turned every default reference of a release into `latest`; it is never filled in silently",
    check,
};

fn check(subject: &Subject<'_>, findings: &mut Findings) {
    for component in subject.image.components.iter().filter(|component| component.version.is_empty()) {
        let message = format!("component `{}` has an empty version", component.name());
        let finding = Diagnostic::error(RULE.code, message).label(component.manifest.version.span, "");
        findings.push(
            [component.name()],
            finding.help("write `version = \"1.2.3\"`, or `{ cargo = true }` for a cargo package"),
        );
    }
    if subject.image.version.is_empty() {
        let definition = subject.image.definition;
        let place = definition.version.as_ref().map_or(definition.name.span, |version| version.span);
        let finding =
            Diagnostic::error(RULE.code, format!("image `{}` has no version", definition.name.value)).label(place, "");
        findings.push(
            [],
            finding.help("add `version = \"1.2.3\"`, or a `default-role`, whose component's version is then used"),
        );
    }
}
