//! Cycles, printed as a chain with the place of every link.

use std::collections::BTreeSet;

use crate::diagnostic::{Diagnostic, Problems};
use crate::manifest::{ComponentName, FeatureName, FeatureTable, FeatureValue, Manifests};
use crate::source::Span;

/// Reports every cycle among the features of one table and among components.
pub(super) fn check(manifests: &Manifests, problems: &mut Problems) {
    for component in manifests.components.values().filter(|component| is_linked(&component.features)) {
        features(&|| format!("component `{}`", component.name.value), &component.features, problems);
    }
    for image in manifests.images.values().filter(|image| is_linked(&image.features)) {
        features(&|| format!("image `{}`", image.name.value), &image.features, problems);
    }
    if manifests.components.values().any(|component| !component.features.dependencies.is_empty()) {
        components(manifests, problems);
    }
}

/// Whether any feature turns on another one of the same table; most tables have none, and need no walk.
fn is_linked(table: &FeatureTable) -> bool {
    let mut enabled = table.features.values().flat_map(|feature| &feature.enables);
    enabled.any(|value| matches!(value.value, FeatureValue::Feature(_)))
}

fn features(owner: &dyn Fn() -> String, table: &FeatureTable, problems: &mut Problems) {
    let names: Vec<&FeatureName> = table.features.keys().collect();
    let next = |name: &&'_ FeatureName| -> Vec<(&FeatureName, Span)> {
        let values = table.features.get(*name).into_iter().flat_map(|feature| &feature.enables);
        let named = |value: &'_ crate::source::Spanned<FeatureValue>| match &value.value {
            FeatureValue::Feature(feature) => table.features.get_key_value(feature).map(|(name, _)| (name, value.span)),
            _ => None,
        };
        values.filter_map(named).collect()
    };
    for cycle in cycles(&names, |name| next(&name)) {
        problems.push(report(&format!("features of {} turn each other on", owner()), &cycle));
    }
}

fn components(manifests: &Manifests, problems: &mut Problems) {
    let names: Vec<&ComponentName> = manifests.components.keys().collect();
    let next = |name: &ComponentName| -> Vec<(&ComponentName, Span)> {
        let Some(component) = manifests.components.get(name) else { return Vec::new() };
        let known = |(name, dependency): (&'_ ComponentName, &crate::manifest::Dependency)| {
            manifests.components.get_key_value(name).map(|(name, _)| (name, dependency.span))
        };
        component.features.dependencies.iter().filter_map(known).collect()
    };
    for cycle in cycles(&names, next) {
        problems.push(report("components bring each other", &cycle));
    }
}

/// A cycle: each name and the place where it leads to the next one.
type Cycle<'a, N> = Vec<(&'a N, Span)>;

/// The cycles that a depth-first walk closes, each once. The walk keeps its own stack: chains may be as long as input allows.
fn cycles<'a, N: Ord>(names: &[&'a N], next: impl Fn(&'a N) -> Vec<(&'a N, Span)>) -> Vec<Cycle<'a, N>> {
    let mut found = Vec::new();
    let mut finished = BTreeSet::new();
    for &start in names {
        let links = if finished.contains(start) { Vec::new() } else { next(start) };
        if links.is_empty() {
            // a dead end, and most names are one: nothing that begins here comes back
            continue;
        }
        // each step: a name, where its links lead, and how many of them were followed
        let mut path = vec![(start, links, 0)];
        let mut on_path = BTreeSet::from([start]);
        while let Some((name, links, followed)) = path.last_mut() {
            let Some((to, _)) = links.get(*followed).copied() else {
                finished.insert(*name);
                on_path.remove(*name);
                path.pop();
                continue;
            };
            *followed += 1;
            if on_path.contains(to) {
                let from = path.iter().position(|(name, ..)| *name == to).unwrap_or(0);
                found.push(path[from..].iter().map(|(name, links, followed)| (*name, links[followed - 1].1)).collect());
            } else if !finished.contains(to) {
                on_path.insert(to);
                path.push((to, next(to), 0));
            }
        }
    }
    found
}

fn report<N: std::fmt::Display>(message: &str, cycle: &[(&N, Span)]) -> Diagnostic {
    let mut chain: Vec<String> = cycle.iter().map(|(name, _)| name.to_string()).collect();
    chain.push(chain[0].clone());
    let mut diagnostic = Diagnostic::error("cycle", format!("{message}: {}", chain.join(" → ")));
    for (index, (_, place)) in cycle.iter().enumerate() {
        diagnostic = diagnostic.label(*place, format!("leads to `{}`", chain[index + 1]));
    }
    diagnostic.help("remove one of these")
}
