//! The pruned cargo workspace of every cargo component of a resolution. Pure: what cargo said goes in.

use std::collections::{BTreeMap, BTreeSet};

use super::cargo::{self, PruneError, PrunedEntry};
use crate::diagnostic::{Diagnostic, Problems};
use crate::manifest::BuildKind;
use crate::resolve::{Package, Packages, Resolution, ResolvedComponent};
use crate::workspace::cargo::CargoWorkspace;

/// What one program is compiled from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Pruned {
    /// The program.
    pub binary: String,
    /// Flags of `cargo build` that hold the lock file fast.
    pub flags: Vec<String>,
    /// Files of the pruned workspace.
    pub entries: Vec<PrunedEntry>,
}

/// A package with the features that decide what is in its closure.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct PrunedKey {
    package: String,
    bin: Option<String>,
    features: BTreeSet<String>,
}

impl PrunedKey {
    /// The key of a component, if cargo builds it.
    pub fn of(resolved: &ResolvedComponent<'_>) -> Option<Self> {
        let BuildKind::Cargo(cargo) = &resolved.manifest.build.kind else { return None };
        let default = resolved.cargo_defaults.then(|| "default".to_owned());
        let features = resolved.cargo_features.iter().cloned().chain(default).collect();
        Some(Self {
            package: cargo.package.value.clone(),
            bin: cargo.bin.as_ref().map(|bin| bin.value.clone()),
            features,
        })
    }
}

/// Pruned workspaces by package and features.
pub type PrunedWorkspaces = BTreeMap<PrunedKey, Pruned>;

/// Prunes the cargo workspace once for every cargo component.
///
/// # Errors
/// A diagnostic at the manifest of each component that cannot be built so.
pub fn prune(resolution: &Resolution<'_>, workspace: &CargoWorkspace) -> Result<PrunedWorkspaces, Vec<Diagnostic>> {
    let mut problems = Problems::default();
    let mut all = PrunedWorkspaces::new();
    for resolved in resolution.images.iter().flat_map(|image| &image.components) {
        let Some(key) = PrunedKey::of(resolved) else { continue };
        if all.contains_key(&key) {
            continue;
        }
        match prune_one(resolution, workspace, &key) {
            Ok(pruned) => _ = all.insert(key, pruned),
            Err(error) => problems.push(diagnostic(resolved, &error)),
        }
    }
    problems.finish(all)
}

fn prune_one(resolution: &Resolution<'_>, workspace: &CargoWorkspace, key: &PrunedKey) -> Result<Pruned, PruneError> {
    let binary = cargo::binary(workspace, &key.package, key.bin.as_deref())?;
    let required = cargo::required_features(workspace, &key.package, key.bin.as_deref())?;
    if let Some(missing) = required.iter().find(|feature| !key.features.contains(*feature)) {
        let (package, feature) = (key.package.clone(), missing.clone());
        return Err(PruneError::RequiredFeature { package, binary, feature });
    }
    let request = cargo::Request { package: &key.package, features: &key.features, network: resolution.network.value };
    let closure = cargo::closure(workspace, &request)?;
    let flags = closure.flags().iter().map(|flag| (*flag).to_owned()).collect();
    Ok(Pruned { binary, flags, entries: cargo::entries(workspace, &closure)? })
}

/// Errors come with their next step on a line of its own.
fn diagnostic(resolved: &ResolvedComponent<'_>, error: &PruneError) -> Diagnostic {
    let text = error.to_string();
    let (message, help) =
        text.split_once("\nhint: ").map_or((text.as_str(), None), |(message, help)| (message, Some(help)));
    let report = Diagnostic::error("cargo", message).label(resolved.manifest.build.span, "");
    match help {
        Some(help) => report.help(help),
        None => report,
    }
}

/// The packages of a cargo workspace, as resolution wants to see them.
pub fn packages(workspace: &CargoWorkspace) -> Packages {
    let members = workspace.members.iter().filter_map(|key| Some((key, workspace.packages.get(key)?)));
    let package = |(key, package): (&crate::workspace::cargo::PackageKey, &crate::workspace::cargo::CargoPackage)| {
        let features = package.features.keys().cloned().collect();
        let defaults = package.features.get("default").cloned().unwrap_or_default();
        let binaries = package.binaries.iter().map(|binary| binary.name.clone()).collect();
        (key.name.clone(), Package { version: key.version.to_string(), features, defaults, binaries })
    };
    members.map(package).collect()
}
