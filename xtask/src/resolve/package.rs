//! What resolution must know of cargo packages, so that it needs neither cargo nor a disk.

use std::collections::{BTreeMap, BTreeSet};

/// The packages of the cargo workspace, by name.
pub type Packages = BTreeMap<String, Package>;

/// One package of the cargo workspace.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Package {
    /// Its version.
    pub version: String,
    /// All its cargo features, `default` included.
    pub features: BTreeSet<String>,
    /// What its `default` feature turns on.
    pub defaults: Vec<String>,
    /// Its programs.
    pub binaries: Vec<String>,
}
