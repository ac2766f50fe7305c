//! A cargo workspace as plain data.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;

use camino::Utf8PathBuf;
use semver::{Version, VersionReq};
use serde::{Deserialize, Serialize};

/// A cargo workspace: its manifests and every package that the asked platforms need.
///
/// Packages of other platforms are in `lock` only; they are not on this machine, and need not be.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct CargoWorkspace {
    /// The folder of the root manifest; absolute.
    pub root: Utf8PathBuf,
    /// Text of the root manifest.
    #[serde(skip)]
    pub root_manifest: String,
    /// Text of `Cargo.lock`.
    #[serde(skip)]
    pub lock: String,
    /// Text of `.cargo/config.toml`, if there is one.
    #[serde(skip)]
    pub config: Option<String>,
    /// Every package that is known.
    #[serde(with = "pairs")]
    pub packages: BTreeMap<PackageKey, CargoPackage>,
    /// The members.
    pub members: BTreeSet<PackageKey>,
}

/// Identity of a package, as `Cargo.lock` has it. Unlike cargo's package ID it says nothing about this machine.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct PackageKey {
    /// Name.
    pub name: String,
    /// Version.
    pub version: Version,
    /// Where it comes from, such as `registry+https://…`; `None` is a folder on this machine.
    pub source: Option<String>,
}

impl PackageKey {
    /// True for a folder on this machine.
    pub fn is_path(&self) -> bool {
        self.source.is_none()
    }

    /// True for a git repository.
    pub fn is_git(&self) -> bool {
        self.source.as_deref().is_some_and(|source| source.starts_with("git+"))
    }
}

impl fmt::Display for PackageKey {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(out, "{} {}", self.name, self.version)
    }
}

/// One package.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct CargoPackage {
    /// The folder of its manifest; absolute.
    pub folder: Utf8PathBuf,
    /// Text of its manifest; path packages only.
    #[serde(skip)]
    pub manifest: Option<String>,
    /// Its features, the implicit ones of optional dependencies included.
    pub features: BTreeMap<String, Vec<String>>,
    /// Its programs, sorted by name.
    pub binaries: Vec<CargoBinary>,
    /// What its library is for.
    pub library: LibraryKind,
    /// Name of its library, if Rust code can link it.
    pub library_name: Option<String>,
    /// Its dependencies as declared, for all platforms.
    pub dependencies: Vec<CargoDependency>,
    /// What its dependencies are for the asked platforms, with all features of all members.
    #[serde(with = "pairs")]
    pub resolved: BTreeMap<PackageKey, BTreeSet<DependencyKind>>,
}

/// A program of a package.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct CargoBinary {
    /// Its name.
    pub name: String,
    /// Features without which cargo does not build it.
    pub required_features: Vec<String>,
}

/// What the library of a package is for, which decides how it and what it depends on are compiled.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub enum LibraryKind {
    /// Other Rust code; also when there is no library.
    #[default]
    Rust,
    /// The compiler itself: a procedural macro.
    Macro,
    /// Other languages too: `dylib`, `cdylib` or `staticlib`.
    Foreign,
}

/// A dependency as declared.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct CargoDependency {
    /// Name of the package.
    pub name: String,
    /// Name in the manifest, when it is another one.
    pub rename: Option<String>,
    /// Versions that fit.
    pub req: VersionReq,
    /// The source it must come from; `None` is a path.
    pub source: Option<String>,
    /// What it is for.
    pub kind: DependencyKind,
    /// The platform it is for, such as `cfg(windows)`.
    pub target: Option<String>,
    /// Whether a feature must ask for it.
    pub optional: bool,
    /// Whether `default` is asked for.
    pub default_features: bool,
    /// Features that are asked for.
    pub features: Vec<String>,
}

impl CargoDependency {
    /// The name that features call it by.
    pub fn local_name(&self) -> &str {
        self.rename.as_deref().unwrap_or(&self.name)
    }

    /// True when a build without tests and examples has it.
    pub fn is_built(&self) -> bool {
        self.kind != DependencyKind::Development
    }
}

/// What a dependency is for.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub enum DependencyKind {
    /// The program.
    #[default]
    Normal,
    /// The build script.
    Build,
    /// Tests, examples and benchmarks.
    Development,
}

/// Maps whose keys are no strings, as lists of pairs.
mod pairs {
    use std::collections::BTreeMap;

    use serde::{Deserialize, Deserializer, Serialize, Serializer};

    pub(super) fn serialize<K: Serialize, V: Serialize, S: Serializer>(
        map: &BTreeMap<K, V>,
        serializer: S,
    ) -> Result<S::Ok, S::Error> {
        serializer.collect_seq(map)
    }

    pub(super) fn deserialize<'de, K, V, D>(deserializer: D) -> Result<BTreeMap<K, V>, D::Error>
    where
        K: Deserialize<'de> + Ord,
        V: Deserialize<'de>,
        D: Deserializer<'de>,
    {
        Ok(Vec::<(K, V)>::deserialize(deserializer)?.into_iter().collect())
    }
}
