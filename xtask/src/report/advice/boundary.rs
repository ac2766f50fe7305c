//! `boundary`: whoever breaks into one role finds the programs of the others.

use std::collections::BTreeMap;

use super::{ComponentFacts, ImageFacts, Reason};

const KIND: &str = "boundary";
/// The rule that judges it.
const RULE: &str = "boundary-crossing";
/// What a role without a boundary is said to be in, once others state theirs.
const UNSTATED: &str = "none stated";

/// The boundary that most components are in stays; of several such ones the first by name.
pub(super) fn reasons(image: &ImageFacts, own: &ComponentFacts) -> Vec<Reason> {
    let stated = |component: &ComponentFacts| component.roles.iter().any(|role| role.boundary.is_some());
    if own.roles.is_empty() || !image.started().any(stated) {
        return Vec::new();
    }
    let mut counts: BTreeMap<&str, usize> = BTreeMap::new();
    image.started().flat_map(of).for_each(|boundary| *counts.entry(boundary).or_default() += 1);
    let most = counts.values().max().copied().unwrap_or(0);
    let Some((common, count)) = counts.iter().find(|(_, count)| **count == most) else { return Vec::new() };
    let foreign: Vec<&str> = of(own).into_iter().filter(|boundary| boundary != common).collect();
    if foreign.is_empty() {
        return Vec::new();
    }
    let text = format!("its boundary is {}, and {count} components are {common}", foreign.join(", "));
    let accepted = image.findings.iter().filter(|found| found.rule == RULE).find_map(|found| found.accepted.as_ref());
    vec![match accepted {
        Some(why) => Reason::neither(KIND, format!("{text}; the definition accepts that: {why}")),
        None => Reason::apart(KIND, text),
    }]
}

/// The boundaries of a component, each once.
fn of(component: &ComponentFacts) -> Vec<&str> {
    let mut all: Vec<&str> = component.roles.iter().map(|role| role.boundary.as_deref().unwrap_or(UNSTATED)).collect();
    all.sort_unstable();
    all.dedup();
    all
}
