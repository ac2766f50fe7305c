//! Which features and dependencies of every package are on: cargo's unification, for all platforms.
//!
//! Two readings of a weak feature (`x?/f`) exist in cargo itself. The resolver that writes `Cargo.lock` lets it pull `x` in;
//! the one that decides what is compiled does not. [`Weak`] says which is meant.

use std::collections::{BTreeMap, BTreeSet};

use super::error::PruneError;
use super::graph::Graph;
use crate::workspace::cargo::{CargoDependency, CargoPackage, PackageKey};

/// What a weak feature does to a dependency that is off.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Weak {
    /// Turns it on, as in the lock file.
    Enables,
    /// Nothing, as in a build.
    Waits,
}

/// What is on in one package.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Active {
    /// Features that others ask for; `default` among them.
    pub asked: BTreeSet<String>,
    /// Packages that it depends on.
    pub dependencies: BTreeSet<PackageKey>,
}

/// Everything that is on when `roots` have these features. `leaf` packages are taken without dependencies.
pub(super) fn activate(
    graph: &Graph<'_>,
    roots: Vec<(PackageKey, BTreeSet<String>)>,
    weak: Weak,
    leaf: impl Fn(&PackageKey) -> bool,
) -> Result<BTreeMap<PackageKey, Active>, PruneError> {
    let mut all: BTreeMap<PackageKey, Active> = BTreeMap::new();
    let mut queue = roots;
    while let Some((key, features)) = queue.pop() {
        if all.get(&key).is_some_and(|active| features.is_subset(&active.asked)) {
            continue;
        }
        let active = all.entry(key.clone()).or_default();
        active.asked.extend(features);
        if leaf(&key) {
            continue;
        }
        let requests = requests(graph, &key, &active.asked, weak)?;
        active.dependencies.extend(requests.iter().map(|(key, _)| key.clone()));
        queue.extend(requests);
    }
    Ok(all)
}

/// What a package asks of others. A package that cargo did not describe asks for what the lock file says.
fn requests(
    graph: &Graph<'_>,
    key: &PackageKey,
    asked: &BTreeSet<String>,
    weak: Weak,
) -> Result<Vec<(PackageKey, BTreeSet<String>)>, PruneError> {
    let Some(package) = graph.package(key) else {
        let dependencies = &graph.locked(key)?.dependencies;
        return Ok(dependencies.iter().map(|key| (key.clone(), BTreeSet::new())).collect());
    };
    let switches = Switches::of(package, asked, weak);
    let mut requests = Vec::new();
    for dependency in package.dependencies.iter().filter(|dependency| dependency.is_built()) {
        if let Some(features) = switches.asks(dependency) {
            requests.push((graph.resolve(key, dependency)?, features));
        }
    }
    Ok(requests)
}

/// The state of one package's features.
pub(super) struct Switches<'a> {
    package: &'a CargoPackage,
    weak: Weak,
    /// Features that are on, implied ones included.
    pub on: BTreeSet<&'a str>,
    enabled: BTreeSet<&'a str>,
    passed: BTreeMap<&'a str, BTreeSet<&'a str>>,
}

impl<'a> Switches<'a> {
    pub(super) fn of(package: &'a CargoPackage, asked: &'a BTreeSet<String>, weak: Weak) -> Self {
        let mut switches =
            Self { package, weak, on: BTreeSet::new(), enabled: BTreeSet::new(), passed: BTreeMap::new() };
        asked.iter().for_each(|feature| switches.turn_on(feature));
        switches
    }

    /// The features that are asked of a dependency; `None` when it is off.
    pub(super) fn asks(&self, dependency: &CargoDependency) -> Option<BTreeSet<String>> {
        let name = dependency.local_name();
        if dependency.optional && !self.enabled.contains(name) {
            return None;
        }
        let mut features: BTreeSet<String> = dependency.features.iter().cloned().collect();
        features.extend(self.passed.get(name).into_iter().flatten().map(|feature| (*feature).to_owned()));
        features.extend(dependency.default_features.then(|| "default".to_owned()));
        Some(features)
    }

    fn turn_on(&mut self, feature: &'a str) {
        let package = self.package;
        if self.on.insert(feature) {
            package.features.get(feature).into_iter().flatten().for_each(|value| self.apply(value));
        }
    }

    /// One entry of a feature's list: `feature`, `dep:x`, `x/feature` or `x?/feature`.
    fn apply(&mut self, value: &'a str) {
        if let Some(name) = value.strip_prefix("dep:") {
            self.enabled.insert(name);
        } else if let Some((name, feature)) = value.split_once('/') {
            self.pass(name, feature);
        } else {
            self.turn_on(value);
        }
    }

    fn pass(&mut self, name: &'a str, feature: &'a str) {
        let (strong, name) = name.strip_suffix('?').map_or((true, name), |name| (false, name));
        if strong || self.weak == Weak::Enables {
            self.enabled.insert(name);
        }
        // `x/f` also turns on the feature that an optional `x` has implicitly
        if strong && self.package.dependencies.iter().any(|other| other.optional && other.local_name() == name) {
            self.turn_on(name);
        }
        self.passed.entry(name).or_default().insert(feature);
    }
}
