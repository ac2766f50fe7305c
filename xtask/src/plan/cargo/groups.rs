//! Which programs one run of cargo may compile together: those that come out as if each were compiled alone.
//!
//! Cargo unifies the features of everything that it builds in one run. Two programs share a run only if every package that
//! both need has the same features for both, in the program and in build scripts apart. By induction over the packages the
//! run then turns on nothing that one of them alone would not: who asks a package of both for something is a package of both,
//! with the same features.

use std::collections::BTreeSet;

use camino::Utf8Path;

use super::error::PruneError;
use super::graph::Graph;
use super::member::parse;
use super::program::member;
use super::root::resolver;
use super::unify::{Targets, Unified, unify};
use crate::workspace::cargo::{CargoWorkspace, PackageKey};

/// A program that is to be compiled.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Candidate<'a> {
    /// A member of the workspace.
    pub package: &'a str,
    /// Its program.
    pub bin: &'a str,
    /// Its features; `default` only when it is in this list.
    pub features: &'a BTreeSet<String>,
}

/// Programs that share a run, so far.
struct Group<'a> {
    indexes: Vec<usize>,
    /// Absent when nothing may be added.
    shared: Option<Unified>,
    packages: BTreeSet<&'a PackageKey>,
    bins: BTreeSet<(&'a str, &'a str)>,
}

/// Puts every candidate, by its index, into the first group that it fits into. The order of candidates decides; sort them.
///
/// # Errors
/// A package is not a member, or the lock file lacks one.
pub fn groups(
    workspace: &CargoWorkspace,
    candidates: &[Candidate<'_>],
    targets: Targets<'_>,
) -> Result<Vec<Vec<usize>>, PruneError> {
    let graph = Graph::new(workspace)?;
    let root = parse(Utf8Path::new("Cargo.toml"), &workspace.root_manifest)?;
    // resolver 1 unifies what the features of all selected packages are, and build scripts with programs
    let separates = resolver(&root) != "1";
    let mut groups: Vec<Group<'_>> = Vec::new();
    for (index, candidate) in candidates.iter().enumerate() {
        let package = member(workspace, candidate.package)?;
        let unified = if separates { unify(&graph, package, candidate.features, targets)? } else { None };
        let fits = |group: &&mut Group<'_>| {
            unified.as_ref().is_some_and(|unified| group.takes(workspace, package, candidate, unified))
        };
        match groups.iter_mut().find(fits) {
            Some(group) => group.add(index, package, candidate, unified.unwrap_or_default()),
            None => groups.push(Group::new(index, package, candidate, unified)),
        }
    }
    Ok(groups.into_iter().map(|group| group.indexes).collect())
}

impl<'a> Group<'a> {
    fn new(index: usize, package: &'a PackageKey, candidate: &Candidate<'a>, shared: Option<Unified>) -> Self {
        let bins = BTreeSet::from([(candidate.package, candidate.bin)]);
        Self { indexes: vec![index], shared, packages: BTreeSet::from([package]), bins }
    }

    fn add(&mut self, index: usize, package: &'a PackageKey, candidate: &Candidate<'a>, unified: Unified) {
        self.indexes.push(index);
        self.packages.insert(package);
        self.bins.insert((candidate.package, candidate.bin));
        self.shared.get_or_insert_default().extend(unified);
    }

    fn takes(
        &self,
        workspace: &CargoWorkspace,
        package: &PackageKey,
        candidate: &Candidate<'_>,
        unified: &Unified,
    ) -> bool {
        let Some(shared) = &self.shared else { return false };
        let same = |(unit, features)| shared.get(unit).is_none_or(|others| others == features);
        let distinct = |other: &&PackageKey| {
            *other == package || (!names(workspace, other, package) && !names(workspace, package, other))
        };
        unified.iter().all(same)
            && !names(workspace, package, package)
            && self.packages.iter().all(distinct)
            && self.bins_are_distinct(workspace, package, candidate)
    }

    /// `--bin NAME` means that program of every selected package, and all of them are written to one folder.
    fn bins_are_distinct(&self, workspace: &CargoWorkspace, package: &PackageKey, candidate: &Candidate<'_>) -> bool {
        let has = |key: &PackageKey, bin: &str| workspace.packages[key].binaries.iter().any(|known| known.name == bin);
        let others = self.packages.iter().filter(|other| **other != package);
        others.into_iter().all(|other| !has(other, candidate.bin))
            && self.bins.iter().all(|(name, bin)| *name == candidate.package || !has(package, bin))
    }
}

/// True when `PACKAGE/feature` on the command line could be taken for a feature of a dependency.
fn names(workspace: &CargoWorkspace, package: &PackageKey, other: &PackageKey) -> bool {
    workspace.packages[package].dependencies.iter().any(|dependency| dependency.local_name() == other.name)
}
