//! From a Dockerfile to facts.

use std::collections::BTreeMap;

use camino::Utf8PathBuf;

use super::facts::Facts;
use crate::dockerfile::Dockerfile;
use crate::workspace::Copied;

/// A Dockerfile that was read.
#[derive(Debug, Clone)]
pub struct AdoptedDockerfile {
    /// Relative to the root of the workspace.
    pub path: String,
    /// What stands in it.
    pub file: Dockerfile,
}

/// What is around a Dockerfile.
#[derive(Debug, Clone, Copy)]
pub struct Surroundings<'a> {
    /// What is at the paths of [`wanted`], relative to the root of the workspace.
    pub copied: &'a BTreeMap<Utf8PathBuf, Copied>,
    /// What the workspace is called.
    pub root: &'a str,
}

/// Paths to look at, relative to the root of the workspace.
pub fn wanted(file: &AdoptedDockerfile) -> Vec<Utf8PathBuf> {
    _ = file;
    Vec::new()
}

/// What is known of the component that a Dockerfile makes. Its name is not yet unique.
pub fn facts(file: &AdoptedDockerfile, around: &Surroundings<'_>) -> Facts {
    _ = (file, around);
    unimplemented!()
}
