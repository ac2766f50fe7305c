//! `port`: of two roles that listen on one port in one pod, the second one fails.

use super::{ComponentFacts, ImageFacts, Reason, rule};

const KIND: &str = "port";
/// The rule that judges it.
pub(super) const RULE: &str = "port-collision";

/// One of the two has to go; it is the last one by name. A shared image does not clash by itself, so that another port, or
/// `pods` that part them, will do as well.
pub(super) fn reasons(image: &ImageFacts, own: &ComponentFacts) -> Vec<Reason> {
    let found = image.about(RULE, &own.name);
    let reason = |found: &super::FindingFacts| match found.components.iter().max() {
        Some(last) if *last == own.name => rule::reason(KIND, found),
        _ => Reason::neither(KIND, found.message.clone()),
    };
    found.map(reason).collect()
}
