//! `sharing`: bytes that several would have are there once when they are merged.

use super::super::bytes::{change, iec};
use super::{ComponentFacts, ImageFacts, Reason, quoted};

const KIND: &str = "sharing";

/// The mode that everything is compared with.
const SPLIT: &str = "split";

/// What a component shares by itself: payload goes into every image that is split off, and a layer that another image has is
/// stored once whatever is decided here.
pub(super) fn reasons(image: &ImageFacts, own: &ComponentFacts) -> Vec<Reason> {
    let mut reasons = Vec::new();
    let started = image.started().count();
    if own.roles.is_empty() && started > 1 {
        let text = format!("nothing in it is started: each of {started} split images would hold it");
        reasons.push(Reason::merge(KIND, text));
    }
    if !own.also_in.is_empty() {
        let others = quoted(own.also_in.iter().map(String::as_str));
        reasons.push(Reason::neither(KIND, format!("the same layer is in {others}: a registry stores it once")));
    }
    reasons
}

/// What the modes that were built come to. Programs of one workspace have crates in common, which only one program for all of
/// them has once.
pub(super) fn of_image(image: &ImageFacts) -> Vec<Reason> {
    let mut reasons = Vec::new();
    if let Some(split) = image.modes.get(SPLIT) {
        for (mode, weight) in image.modes.iter().filter(|(mode, _)| *mode != SPLIT) {
            let figures = format!(
                "{mode} has {} unique bytes gzip, split {} ({})",
                iec(weight.gzip),
                iec(split.gzip),
                change(split.gzip, weight.gzip)
            );
            let reason = if weight.gzip < split.gzip { Reason::merge } else { Reason::neither };
            reasons.push(reason(KIND, figures));
        }
    }
    let cargo = image.started().filter(|component| component.is_cargo).count();
    if cargo > 1 && !image.modes.contains_key("multicall") {
        let text = format!(
            "{cargo} components are cargo's; how much code they share shows once `report --mode multicall` has built them as one program"
        );
        reasons.push(Reason::neither(KIND, text));
    }
    reasons
}
