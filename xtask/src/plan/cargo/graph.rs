//! Who depends on whom: cargo's answer and the lock file, laid over each other.

use super::error::PruneError;
use super::lockfile::{LockedPackage, Lockfile};
use crate::workspace::cargo::{CargoDependency, CargoPackage, CargoWorkspace, PackageKey};

/// The packages that cargo described, and all that the lock file lists.
pub(super) struct Graph<'a> {
    /// The described packages.
    pub workspace: &'a CargoWorkspace,
    /// The lock file.
    pub lock: Lockfile,
}

impl<'a> Graph<'a> {
    pub(super) fn new(workspace: &'a CargoWorkspace) -> Result<Self, PruneError> {
        Ok(Self { workspace, lock: Lockfile::parse(&workspace.lock)? })
    }

    /// The description of a package; `None` for one that none of the asked platforms has.
    pub(super) fn package(&self, key: &PackageKey) -> Option<&'a CargoPackage> {
        self.workspace.packages.get(key)
    }

    /// The entry of a package in the lock file.
    pub(super) fn locked(&self, key: &PackageKey) -> Result<&LockedPackage, PruneError> {
        let missing = || PruneError::Lock { package: key.to_string(), reason: "it is not listed" };
        self.lock.packages.get(key).ok_or_else(missing)
    }

    /// The package that a declared dependency is resolved to.
    ///
    /// One package may depend on several of the same name; then the version must fit, and a `[patch]` that replaces the
    /// source gives way to a source that fits. Of two that still fit, cargo takes the newer.
    pub(super) fn resolve(&self, parent: &PackageKey, dependency: &CargoDependency) -> Result<PackageKey, PruneError> {
        let named: Vec<&PackageKey> =
            self.locked(parent)?.dependencies.iter().filter(|key| key.name == dependency.name).collect();
        let rank = |key: &&&PackageKey| {
            let version = dependency.req.matches(&key.version);
            (version, key.source == dependency.source, key.version.clone())
        };
        named.iter().max_by_key(rank).map(|key| (*key).clone()).ok_or_else(|| PruneError::Lock {
            package: format!("{}, a dependency of {parent}", dependency.name),
            reason: "it is not listed",
        })
    }
}
