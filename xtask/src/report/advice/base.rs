//! `base`: what a role needs, the base has to give, to all of them.

use super::{ComponentFacts, ImageFacts, Reason, quoted};

const KIND: &str = "base";
/// The rule that judges it.
const RULE: &str = "unmet-need";

/// A need that the base does not meet keeps a component out of it. One that it meets for a single component alone is what
/// the others could do without: a smaller base would do for them.
pub(super) fn reasons(image: &ImageFacts, own: &ComponentFacts) -> Vec<Reason> {
    let mut reasons: Vec<Reason> = image
        .about(RULE, &own.name)
        .filter(|found| found.is_denied)
        .map(|found| Reason::apart(KIND, format!("base `{}` does not fit it: {}", image.base, found.message)))
        .collect();
    let needs =
        |component: &ComponentFacts, need: &String| component.roles.iter().any(|role| role.needs.contains(need));
    let alone = image
        .provides
        .iter()
        .filter(|need| needs(own, need) && !image.started().any(|other| other.name != own.name && needs(other, need)));
    let alone: Vec<&str> = alone.map(String::as_str).collect();
    if !alone.is_empty() && image.started().count() > 1 {
        let text = format!("of all components only it needs {} of base `{}`", quoted(alone), image.base);
        reasons.push(Reason::neither(KIND, text));
    }
    reasons
}
