//! `platform`: a component that not every platform has makes images of one name differ.

use super::{ComponentFacts, ImageFacts, Reason};

const KIND: &str = "platform";

/// A component that is on fewer than half of the platforms is an exception everywhere else: kept apart, its own image says
/// where it is, and the others are the same on all platforms.
pub(super) fn reasons(image: &ImageFacts, own: &ComponentFacts) -> Vec<Reason> {
    let (all, out) = (image.platforms.len(), own.excluded.len());
    if out == 0 {
        return Vec::new();
    }
    let text = format!("it is on {} of {all} platforms, not on {}", all - out.min(all), own.excluded.join(", "));
    vec![if out * 2 > all { Reason::apart(KIND, text) } else { Reason::neither(KIND, text) }]
}
