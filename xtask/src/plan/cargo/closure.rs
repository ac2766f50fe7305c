//! Which packages a program needs, and which cargo must see to believe it.

use std::collections::{BTreeMap, BTreeSet};

use super::activate::{Active, Weak, activate};
use super::error::PruneError;
use super::graph::Graph;
use super::lockfile::Lockfile;
use super::program::member;
use crate::manifest::BuildNetwork;
use crate::workspace::cargo::{CargoWorkspace, DependencyKind, PackageKey};

/// What is to be built.
#[derive(Debug, Clone, Copy)]
pub struct Request<'a> {
    /// A member of the workspace.
    pub package: &'a str,
    /// Its features; `default` only when it is in this list.
    pub features: &'a BTreeSet<String>,
    /// Whether the build may fetch packages.
    pub network: BuildNetwork,
}

/// The packages behind one program.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Closure {
    /// The package of the program.
    pub package: PackageKey,
    /// Whether the build may fetch packages.
    pub network: BuildNetwork,
    /// Packages that are compiled, for one of the platforms that cargo was asked about.
    pub needed: BTreeSet<PackageKey>,
    /// Packages that cargo must see and will not compile, with the features that others ask of them.
    pub stubs: BTreeMap<PackageKey, BTreeSet<String>>,
    /// What the pruned lock file lists: every package with its dependencies.
    pub edges: BTreeMap<PackageKey, BTreeSet<PackageKey>>,
    /// Whether the pruned lock file is known to be exact.
    pub exact: bool,
    /// The pruned lock file.
    pub(super) lock: Lockfile,
}

impl Closure {
    /// Needed packages that are folders of the workspace.
    pub fn paths(&self) -> impl Iterator<Item = &PackageKey> {
        self.needed.iter().filter(|key| key.is_path())
    }

    /// Flags that `cargo build` takes in the stage.
    pub fn flags(&self) -> &'static [&'static str] {
        match (self.network, self.exact) {
            (BuildNetwork::None, _) => &["--offline", "--locked"],
            (BuildNetwork::Default, true) => &["--locked"],
            (BuildNetwork::Default, false) => &[],
        }
    }

    /// True when the lock file of the pruned workspace lists a package of this name.
    pub(super) fn lists(&self, name: &str) -> bool {
        self.edges.keys().any(|key| key.name == name)
    }
}

/// Computes the packages behind a program.
///
/// # Errors
/// The package is not a member, a path dependency lies outside of the workspace, or a git dependency has no network.
pub fn closure(workspace: &CargoWorkspace, request: &Request<'_>) -> Result<Closure, PruneError> {
    let package = member(workspace, request.package)?;
    let graph = Graph::new(workspace)?;
    let needed = needed(&graph, package, request.features)?;
    let hermetic = request.network == BuildNetwork::None;
    let leaf = |key: &PackageKey| !needed.contains(key) && (hermetic || key.is_path());
    let roots = needed.iter().filter(|key| workspace.members.contains(*key));
    let roots = roots.map(|key| (key.clone(), all_features(workspace, key))).collect();
    let listed = activate(&graph, roots, Weak::Enables, leaf)?;
    listed.keys().try_for_each(|key| check_source(workspace, key, hermetic))?;
    let stub = |(key, active): (&PackageKey, &Active)| (key.clone(), active.asked.clone());
    let exact = hermetic || listed.iter().all(|(key, active)| graph.package(key).is_some() || active.is_end());
    let stubs = listed.iter().filter(|(key, _)| !needed.contains(key)).map(stub).collect();
    let edges = listed.into_iter().map(|(key, active)| (key, active.dependencies)).collect();
    let lock = graph.lock.only(&edges);
    Ok(Closure { package: package.clone(), network: request.network, needed, stubs, edges, exact, lock })
}

impl Active {
    fn is_end(&self) -> bool {
        self.dependencies.is_empty()
    }
}

/// What is compiled: what the features ask for, as far as the platforms have it.
fn needed(
    graph: &Graph<'_>,
    package: &PackageKey,
    features: &BTreeSet<String>,
) -> Result<BTreeSet<PackageKey>, PruneError> {
    let unknown = |key: &PackageKey| graph.package(key).is_none();
    let active = activate(graph, vec![(package.clone(), features.clone())], Weak::Waits, unknown)?;
    let mut needed = BTreeSet::new();
    let mut queue = vec![package];
    while let Some(key) = queue.pop() {
        if needed.insert(key.clone()) {
            let built = |other: &&PackageKey| is_built(graph, key, other);
            queue.extend(active[key].dependencies.iter().filter(built));
        }
    }
    Ok(needed)
}

/// True when the platforms that cargo was asked about have this edge, for more than tests.
fn is_built(graph: &Graph<'_>, from: &PackageKey, to: &PackageKey) -> bool {
    let kinds = graph.package(from).and_then(|package| package.resolved.get(to));
    kinds.is_some_and(|kinds| kinds.iter().any(|kind| *kind != DependencyKind::Development))
}

fn all_features(workspace: &CargoWorkspace, key: &PackageKey) -> BTreeSet<String> {
    let mut features: BTreeSet<String> = workspace.packages[key].features.keys().cloned().collect();
    features.insert("default".to_owned());
    features
}

fn check_source(workspace: &CargoWorkspace, key: &PackageKey, hermetic: bool) -> Result<(), PruneError> {
    let (package, root) = (key.to_string(), workspace.root.clone());
    if key.is_git() && hermetic {
        return Err(PruneError::Git { package, source_url: key.source.clone().unwrap_or_default() });
    }
    match workspace.packages.get(key) {
        Some(known) if key.is_path() && !known.folder.starts_with(&root) => {
            Err(PruneError::Outside { package, folder: known.folder.clone(), root })
        }
        None if key.is_path() => Err(PruneError::Lock { package, reason: "cargo did not describe it" }),
        _ => Ok(()),
    }
}
