//! What is to be compiled, as plain data.

use std::collections::BTreeSet;

use camino::Utf8PathBuf;
use sha2::{Digest as _, Sha256};

use super::elf::Wanted;
use crate::manifest::{ComponentName, Link};
use crate::oci::{Platform, hex};
use crate::plan::cargo::Candidate;
use crate::plan::{BuildPlan, ComponentPlan};

/// A program of the cargo workspace, with everything that decides its bytes besides the sources. Components of several
/// images that want the same program have equal values.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Program {
    /// The component that wants it.
    pub component: ComponentName,
    /// The package.
    pub package: String,
    /// The program.
    pub bin: String,
    /// Cargo features that are on, besides `default`.
    pub features: BTreeSet<String>,
    /// Whether cargo's default features are on.
    pub default_features: bool,
    /// How it is linked.
    pub link: Link,
    /// Whether a container would have vendored crates: their paths are written into the program.
    pub vendored: bool,
    /// What it runs on.
    pub platform: Platform,
    /// The folder of its workspace, when that is written from the plan; see [`super::Generated`].
    pub generated: Option<Utf8PathBuf>,
}

impl Program {
    /// The program of a component, if cargo builds it.
    pub fn of(component: &ComponentPlan, platform: &Platform) -> Option<Self> {
        let BuildPlan::Cargo { package, bin, features, default_features, link, vendored, .. } = &component.build else {
            return None;
        };
        Some(Self {
            component: component.name.clone(),
            package: package.clone(),
            bin: bin.clone(),
            features: features.iter().cloned().collect(),
            default_features: *default_features,
            link: *link,
            vendored: *vendored,
            platform: platform.clone(),
            generated: None,
        })
    }

    /// Features with `default`, if it is on: what grouping compares.
    pub(super) fn all_features(&self) -> BTreeSet<String> {
        let default = self.default_features.then(|| "default".to_owned());
        self.features.iter().cloned().chain(default).collect()
    }

    /// What its file has to be.
    pub(super) fn wanted(&self) -> Wanted<'_> {
        Wanted {
            bin: &self.bin,
            platform: &self.platform,
            is_static: self.link == Link::Static,
            hint: format!(
                "leave out the crate or feature that brings the library, or set `link = \"dynamic\"` in [build.cargo] of \
                 component `{}` and put it on a base that provides libc:glibc",
                self.component
            ),
        }
    }

    pub(super) fn candidate<'a>(&'a self, all_features: &'a BTreeSet<String>) -> Candidate<'a> {
        Candidate { package: &self.package, bin: &self.bin, features: all_features }
    }

    /// A short name for its bytes; the component that wants it has no part in them.
    pub(super) fn key(&self) -> String {
        let mut hasher = Sha256::new();
        let features: Vec<&str> = self.features.iter().map(String::as_str).collect();
        let words = [self.platform.to_string(), self.package.clone(), self.bin.clone(), features.join(",")];
        words.iter().for_each(|word| hasher.update(format!("{word}\0")));
        hasher.update([self.default_features.into(), (self.link == Link::Static).into(), self.vendored.into()]);
        hex(&hasher.finalize()[..8])
    }
}
