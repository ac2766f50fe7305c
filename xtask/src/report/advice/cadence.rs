//! `cadence`: what is released more often makes everybody else pull again.

use super::{ComponentFacts, ImageFacts, Reason, rule};

const KIND: &str = "cadence";
/// The rule that judges it.
pub(super) const RULE: &str = "cadence-crossing";

pub(super) fn reasons(image: &ImageFacts, own: &ComponentFacts) -> Vec<Reason> {
    image.about(RULE, &own.name).map(|found| rule::reason(KIND, found)).collect()
}
