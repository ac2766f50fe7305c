//! `rule`: whatever else `check` denies once these components are one image.

use super::{ComponentFacts, FindingFacts, ImageFacts, Reason, cadence, port};

const KIND: &str = "rule";

/// Rules that a file beside this one tells of.
const TOLD_ELSEWHERE: [&str; 4] = ["boundary-crossing", "unmet-need", cadence::RULE, port::RULE];

/// A denied finding as a reason: one that is accepted is no obstacle.
pub(super) fn reason(kind: &'static str, found: &FindingFacts) -> Reason {
    match (&found.accepted, found.is_denied) {
        (Some(why), _) => Reason::neither(kind, format!("{}; the definition accepts that: {why}", found.message)),
        (None, true) => Reason::apart(kind, found.message.clone()),
        (None, false) => Reason::neither(kind, found.message.clone()),
    }
}

fn rest(image: &ImageFacts) -> impl Iterator<Item = &FindingFacts> {
    image.findings.iter().filter(|found| !TOLD_ELSEWHERE.contains(&found.rule.as_str()))
}

/// Of several components that a finding names, the last one by name has to go.
pub(super) fn reasons(image: &ImageFacts, own: &ComponentFacts) -> Vec<Reason> {
    let named = rest(image).filter(|found| found.components.iter().max() == Some(&own.name));
    named.map(|found| reason(KIND, found)).collect()
}

/// What names no component concerns the image.
pub(super) fn of_image(image: &ImageFacts) -> Vec<Reason> {
    rest(image)
        .filter(|found| found.components.is_empty())
        .map(|found| Reason::neither(KIND, found.message.clone()))
        .collect()
}
