//! `moving-tag`: an input has a tag that the environment does not accept, or the image would get one that only `promote` moves.

use super::super::{Findings, Rule, Subject, inputs};
use crate::diagnostic::Diagnostic;
use crate::manifest::RuleLevel;
use crate::oci::Reference;
use crate::source::Span;

pub(super) const RULE: Rule = Rule {
    code: "moving-tag",
    level: RuleLevel::Deny,
    fixed: false,
    summary: "an input may be another image tomorrow, or a build would move latest, X or X.Y",
    reason: "a build that moves `latest` bypasses promotion; a release that follows a tag is not the same release tomorrow",
    check,
};

fn check(subject: &Subject<'_>, findings: &mut Findings) {
    inputs::object(subject, RULE.code, findings);
    let Some(judge) = subject.judge else { return };
    let definition = subject.image.definition;
    let version = definition.version.as_ref().map_or(definition.name.span, |version| version.span);
    let written: Vec<Span> = definition.tags.iter().flatten().map(|template| template.span).collect();
    // without equal ones there is a template for each
    let one_each = written.len() == subject.plan.tags.len();
    for (index, tag) in subject.plan.tags.iter().enumerate() {
        let Ok(tag) = tag.parse::<Reference>() else { continue };
        let word = tag.tag().unwrap_or_default();
        if judge.policy.classes.is_of_promote(&tag.name(), word, &subject.plan.version) {
            let message = format!("a build of image `{}` would move `{tag}`", subject.plan.id);
            let place = written.get(if one_each { index } else { 0 }).copied().unwrap_or(version);
            let finding = Diagnostic::error(RULE.code, message).label(place, "");
            findings.push([], finding.help("build the version's own tag; `promote` moves this one, and only forward"));
        }
    }
}
