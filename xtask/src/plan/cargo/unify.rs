//! Which features of every package one build really turns on: cargo's resolver 2 and 3, for one target and one host.
//! <https://doc.rust-lang.org/cargo/reference/resolver.html#feature-resolver-version-2>
//!
//! [`super::activate`] asks what could be needed anywhere and may take too much. Here an answer must be exact, because bytes
//! depend on it; where exactness cannot be shown there is none.

use std::collections::{BTreeMap, BTreeSet};
use std::str::FromStr as _;

use cargo_platform::{Cfg, Platform};

use super::activate::{Switches, Weak};
use super::error::PruneError;
use super::graph::Graph;
use crate::workspace::cargo::{DependencyKind, LibraryKind, PackageKey};

/// A compilation target as cargo sees it: what the `cfg(…)` of a dependency is compared with.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Target {
    triple: String,
    cfg: Vec<Cfg>,
}

impl Target {
    /// Reads what `rustc --print cfg` says about a target, asked with the flags of the build.
    ///
    /// # Errors
    /// The line that is not a `cfg`.
    pub fn parse(triple: &str, printed: &str) -> Result<Self, String> {
        let cfg = printed.lines().map(|line| Cfg::from_str(line).map_err(|_| line.to_owned()));
        Ok(Self { triple: triple.to_owned(), cfg: cfg.collect::<Result<_, _>>()? })
    }

    /// Its name, such as `x86_64-unknown-linux-gnu`.
    pub fn triple(&self) -> &str {
        &self.triple
    }

    /// Whether a condition, `cfg(…)` or a name, is true of this target; `None` when it cannot be read.
    pub fn is(&self, condition: &str) -> Option<bool> {
        Some(Platform::from_str(condition).ok()?.matches(&self.triple, &self.cfg))
    }
}

/// What a build is for, and where it runs.
#[derive(Debug, Clone, Copy)]
pub struct Targets<'a> {
    /// The target of the programs.
    pub target: &'a Target,
    /// The machine of build scripts and procedural macros.
    pub host: &'a Target,
}

/// Where compiled code runs. With `--target` cargo keeps both apart, also when both are the same machine.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Side {
    /// In the program.
    Target,
    /// In build scripts and procedural macros.
    Host,
}

/// A package on one side.
type Unit = (PackageKey, Side);

/// Features that a package asks of others.
type Requests = Vec<(Unit, BTreeSet<String>)>;

/// The features that are on.
pub(super) type Unified = BTreeMap<Unit, BTreeSet<String>>;

/// The features of everything that is compiled for a program; `None` when that cannot be known for sure: cargo did not
/// describe a package, or a library is also made for other languages, which changes how everything below it is compiled.
pub(super) fn unify(
    graph: &Graph<'_>,
    package: &PackageKey,
    features: &BTreeSet<String>,
    targets: Targets<'_>,
) -> Result<Option<Unified>, PruneError> {
    let mut asked = Unified::new();
    let mut queue = vec![((package.clone(), Side::Target), features.clone())];
    while let Some((unit, features)) = queue.pop() {
        if asked.get(&unit).is_some_and(|known| features.is_subset(known)) {
            continue;
        }
        let known = asked.entry(unit.clone()).or_default();
        known.extend(features);
        match requests(graph, &unit, known, targets)? {
            Some(requests) => queue.extend(requests),
            None => return Ok(None),
        }
    }
    Ok(Some(asked.into_iter().map(|(unit, asked)| activated(graph, unit, &asked)).collect()))
}

/// What a package asks of others, each on its side.
fn requests(
    graph: &Graph<'_>,
    (key, side): &Unit,
    asked: &BTreeSet<String>,
    targets: Targets<'_>,
) -> Result<Option<Requests>, PruneError> {
    let Some(package) = graph.package(key).filter(|package| package.library != LibraryKind::Foreign) else {
        return Ok(None);
    };
    let switches = Switches::of(package, asked, Weak::Waits);
    let mut requests = Vec::new();
    for dependency in package.dependencies.iter().filter(|dependency| dependency.is_built()) {
        let side = if dependency.kind == DependencyKind::Build { Side::Host } else { *side };
        let platform = if side == Side::Host { targets.host } else { targets.target };
        let built = dependency.target.as_deref().map_or(Some(true), |condition| platform.is(condition));
        let Some(built) = built else { return Ok(None) };
        let Some(features) = switches.asks(dependency).filter(|_| built) else { continue };
        let key = graph.resolve(key, dependency)?;
        let is_macro = graph.package(&key).is_some_and(|package| package.library == LibraryKind::Macro);
        let side = if is_macro { Side::Host } else { side };
        requests.push(((key, side), features));
    }
    Ok(Some(requests))
}

/// Asked features with all that they imply, as far as the package declares them.
fn activated(graph: &Graph<'_>, unit: Unit, asked: &BTreeSet<String>) -> (Unit, BTreeSet<String>) {
    let Some(package) = graph.package(&unit.0) else { return (unit, asked.clone()) };
    let on = Switches::of(package, asked, Weak::Waits).on;
    let declared = on.into_iter().filter(|feature| package.features.contains_key(*feature));
    (unit, declared.map(str::to_owned).collect())
}
