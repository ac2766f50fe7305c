//! What every cargo and Go component of a resolution is compiled from. Pure: what cargo and the sources of Go say goes in.

use std::collections::{BTreeMap, BTreeSet};

use super::cargo::{self, PruneError, PrunedEntry};
use super::go::{self, GoPackages};
use super::multicall;
use crate::diagnostic::{Diagnostic, Problems};
use crate::manifest::{BuildKind, ComponentName, Mode};
use crate::oci::Platform;
use crate::resolve::{Package, Resolution, ResolvedComponent, ResolvedImage};
use crate::source::Span;
use crate::workspace::cargo::CargoWorkspace;

/// What one program is compiled from.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Pruned {
    /// The program.
    pub binary: String,
    /// Flags of `cargo build` that hold the lock file fast.
    pub flags: Vec<String>,
    /// Files of the pruned workspace.
    pub entries: Vec<PrunedEntry>,
    /// The components in it, when it is a multi-call program.
    pub merged: Vec<ComponentName>,
}

/// What one pruned workspace is for.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub enum PrunedKey {
    /// A package, with the features that decide what is in its closure.
    Package {
        /// The package.
        package: String,
        /// The program, when it is named.
        bin: Option<String>,
        /// Features that are on.
        features: BTreeSet<String>,
    },
    /// A Go program.
    Go {
        /// The component.
        component: ComponentName,
        /// Build tags that are on.
        tags: Vec<String>,
        /// The platforms that it is compiled for.
        platforms: Vec<Platform>,
    },
    /// The multi-call program of an image, by the ID of the image.
    Multicall(String),
}

impl PrunedKey {
    /// The key of a component of an image, if it is compiled from sources of its own.
    pub fn of(image: &ResolvedImage<'_>, resolved: &ResolvedComponent<'_>) -> Option<Self> {
        let cargo = match &resolved.manifest.build.kind {
            BuildKind::Cargo(cargo) => cargo,
            BuildKind::Go(_) => {
                let (component, tags) = (resolved.name().clone(), resolved.go_tags.clone());
                return Some(Self::Go { component, tags, platforms: go::platforms(image, resolved) });
            }
            _ => return None,
        };
        let default = resolved.cargo_defaults.then(|| "default".to_owned());
        let features = resolved.cargo_features.iter().cloned().chain(default).collect();
        Some(Self::Package {
            package: cargo.package.value.clone(),
            bin: cargo.bin.as_ref().map(|bin| bin.value.clone()),
            features,
        })
    }
}

/// What programs are compiled from, by all that decides it.
pub type PrunedWorkspaces = BTreeMap<PrunedKey, Pruned>;

/// Prunes the cargo workspace once for every cargo component, and finds the sources of every Go component.
///
/// # Errors
/// A diagnostic at the manifest of each component that cannot be built so.
pub fn prune(
    resolution: &Resolution<'_>,
    workspace: Option<&CargoWorkspace>,
    packages: &GoPackages,
) -> Result<PrunedWorkspaces, Vec<Diagnostic>> {
    let mut problems = Problems::default();
    let mut all = PrunedWorkspaces::new();
    if let Some(workspace) = workspace {
        prune_cargo(resolution, workspace, &mut all, &mut problems);
    }
    go::prune(resolution, packages, &mut all, &mut problems);
    problems.finish(all)
}

fn prune_cargo(
    resolution: &Resolution<'_>,
    workspace: &CargoWorkspace,
    all: &mut PrunedWorkspaces,
    problems: &mut Problems,
) {
    for image in &resolution.images {
        let is_multicall = image.mode == Mode::Multicall;
        for resolved in image.components.iter().filter(|_| !is_multicall) {
            let Some(key @ PrunedKey::Package { .. }) = PrunedKey::of(image, resolved) else { continue };
            if all.contains_key(&key) {
                continue;
            }
            match prune_one(resolution, workspace, &key) {
                Ok(pruned) => _ = all.insert(key, pruned),
                Err(error) => problems.push(diagnostic(resolved.manifest.build.span, &error)),
            }
        }
        if is_multicall && let Some(program) = multicall::program(image, workspace, problems) {
            match prune_multicall(resolution, workspace, &program) {
                Ok(pruned) => _ = all.insert(PrunedKey::Multicall(image.id()), pruned),
                Err(error) => problems.push(diagnostic(program.place, &error)),
            }
        }
    }
}

fn prune_one(resolution: &Resolution<'_>, workspace: &CargoWorkspace, key: &PrunedKey) -> Result<Pruned, PruneError> {
    let PrunedKey::Package { package, bin, features } = key else { return Ok(Pruned::default()) };
    let binary = cargo::binary(workspace, package, bin.as_deref())?;
    let required = cargo::required_features(workspace, package, bin.as_deref())?;
    if let Some(missing) = required.iter().find(|feature| !features.contains(*feature)) {
        let (package, feature) = (package.clone(), missing.clone());
        return Err(PruneError::RequiredFeature { package, binary, feature });
    }
    let request = cargo::Request { package, features, network: resolution.network.value };
    let closure = cargo::closure(workspace, &request)?;
    let flags = closure.flags().iter().map(|flag| (*flag).to_owned()).collect();
    Ok(Pruned { binary, flags, entries: cargo::entries(workspace, &closure)?, merged: Vec::new() })
}

/// The pruned workspace of a program that lies nowhere: its crate is added to what cargo said.
fn prune_multicall(
    resolution: &Resolution<'_>,
    workspace: &CargoWorkspace,
    program: &multicall::Program,
) -> Result<Pruned, PruneError> {
    let workspace = multicall::extended(workspace, program);
    let features = BTreeSet::new();
    let request =
        cargo::Request { package: multicall::PACKAGE, features: &features, network: resolution.network.value };
    let closure = cargo::closure(&workspace, &request)?;
    let flags = closure.flags().iter().map(|flag| (*flag).to_owned()).collect();
    let mut entries = cargo::entries(&workspace, &closure)?;
    entries.retain(|entry| !matches!(entry, PrunedEntry::Folder { path, .. } if multicall::is_generated(path)));
    let (path, text) = multicall::source(program);
    entries.push(PrunedEntry::Text { path, text });
    entries.sort();
    let merged = program.parts.iter().map(|part| part.name.clone()).collect();
    Ok(Pruned { binary: program.bin.clone(), flags, entries, merged })
}

/// Errors come with their next step on a line of its own.
fn diagnostic(place: Span, error: &PruneError) -> Diagnostic {
    let text = error.to_string();
    let (message, help) =
        text.split_once("\nhint: ").map_or((text.as_str(), None), |(message, help)| (message, Some(help)));
    let report = Diagnostic::error("cargo", message).label(place, "");
    match help {
        Some(help) => report.help(help),
        None => report,
    }
}

/// The packages of a cargo workspace, as resolution wants to see them.
pub fn packages(workspace: &CargoWorkspace) -> BTreeMap<String, Package> {
    let members = workspace.members.iter().filter_map(|key| Some((key, workspace.packages.get(key)?)));
    let package = |(key, package): (&crate::workspace::cargo::PackageKey, &crate::workspace::cargo::CargoPackage)| {
        let features = package.features.keys().cloned().collect();
        let defaults = package.features.get("default").cloned().unwrap_or_default();
        let binaries = package.binaries.iter().map(|binary| binary.name.clone()).collect();
        (key.name.clone(), Package { version: key.version.to_string(), features, defaults, binaries })
    };
    members.map(package).collect()
}
