//! What resolution must know of cargo packages and Go programs, so that it needs neither a toolchain nor a disk.

use std::collections::{BTreeMap, BTreeSet};

use crate::manifest::ComponentName;

/// What is known of everything that is compiled.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Packages {
    /// The packages of the cargo workspace, by name.
    pub cargo: BTreeMap<String, Package>,
    /// The program of each Go component, or why there is none.
    pub go: BTreeMap<ComponentName, Result<GoProgram, GoProblem>>,
}

impl Packages {
    /// Nothing is known.
    pub fn new() -> Self {
        Self::default()
    }
}

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

/// Why a Go component has no program.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct GoProblem {
    /// What is wrong.
    pub message: String,
    /// The next step.
    pub help: String,
    /// Whether it is the package that is wrong, and not the module.
    pub is_of_package: bool,
}

/// The program of a Go component.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct GoProgram {
    /// The name that `go build` gives it.
    pub name: String,
    /// Build tags that its sources name and somebody may set, with the file and line of the first one.
    pub tags: BTreeMap<String, String>,
    /// Whether some of its sources are in modules that somebody must fetch, so that they may name further tags.
    pub is_fetched: bool,
}
