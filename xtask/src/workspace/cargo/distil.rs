//! cargo's answer → [`CargoWorkspace`]: what a plan needs, without the rest.

use std::collections::{BTreeMap, BTreeSet};

use camino::Utf8Path;
use cargo_metadata::{Dependency, DependencyKind as MetadataKind, Metadata, Node, Package, PackageId, Target};
use fs_err as fs;

use super::{
    CargoBinary, CargoDependency, CargoPackage, CargoReadError, CargoWorkspace, DependencyKind, LibraryKind, PackageKey,
};

type Keys<'a> = BTreeMap<&'a PackageId, PackageKey>;

pub(super) fn distil(
    metadata: &Metadata,
    root_manifest: String,
    lock: String,
    config: Option<String>,
) -> Result<CargoWorkspace, CargoReadError> {
    let keys: Keys<'_> = metadata.packages.iter().map(|package| (&package.id, key(package))).collect();
    let nodes: BTreeMap<&PackageId, &Node> =
        metadata.resolve.iter().flat_map(|resolve| &resolve.nodes).map(|node| (&node.id, node)).collect();
    let mut packages = BTreeMap::new();
    for package in &metadata.packages {
        let resolved = nodes.get(&package.id).map(|node| resolved(node, &keys)).unwrap_or_default();
        packages.insert(keys[&package.id].clone(), distil_package(package, resolved)?);
    }
    let members = metadata.workspace_members.iter().filter_map(|id| keys.get(id)).cloned().collect();
    let root = metadata.workspace_root.clone();
    Ok(CargoWorkspace { root, root_manifest, lock, config, packages, members })
}

fn key(package: &Package) -> PackageKey {
    let source = package.source.as_ref().map(|source| source.repr.clone());
    PackageKey { name: package.name.to_string(), version: package.version.clone(), source }
}

fn resolved(node: &Node, keys: &Keys<'_>) -> BTreeMap<PackageKey, BTreeSet<DependencyKind>> {
    let mut resolved: BTreeMap<PackageKey, BTreeSet<DependencyKind>> = BTreeMap::new();
    for dependency in &node.deps {
        let kinds = dependency.dep_kinds.iter().map(|info| kind(info.kind));
        if let Some(key) = keys.get(&dependency.pkg) {
            // one package under two names is listed twice
            resolved.entry(key.clone()).or_default().extend(kinds);
        }
    }
    resolved
}

fn distil_package(
    package: &Package,
    resolved: BTreeMap<PackageKey, BTreeSet<DependencyKind>>,
) -> Result<CargoPackage, CargoReadError> {
    let manifest = match &package.source {
        None => Some(fs::read_to_string(&package.manifest_path)?),
        Some(_) => None,
    };
    Ok(CargoPackage {
        folder: package.manifest_path.parent().map(Utf8Path::to_owned).unwrap_or_default(),
        manifest,
        features: package.features.clone(),
        binaries: binaries(package),
        library: library(package),
        library_name: package
            .targets
            .iter()
            .find(|target| target.is_lib() || target.is_rlib())
            .map(|lib| lib.name.clone()),
        dependencies: package.dependencies.iter().map(distil_dependency).collect(),
        resolved,
    })
}

fn binaries(package: &Package) -> Vec<CargoBinary> {
    let mut binaries: Vec<CargoBinary> = package
        .targets
        .iter()
        .filter(|target| target.is_bin())
        .map(|target| CargoBinary { name: target.name.clone(), required_features: target.required_features.clone() })
        .collect();
    binaries.sort();
    binaries
}

fn library(package: &Package) -> LibraryKind {
    let is = |wanted: fn(&Target) -> bool| package.targets.iter().any(wanted);
    match () {
        () if is(Target::is_proc_macro) => LibraryKind::Macro,
        () if is(|target| target.is_dylib() || target.is_cdylib() || target.is_staticlib()) => LibraryKind::Foreign,
        () => LibraryKind::Rust,
    }
}

fn distil_dependency(dependency: &Dependency) -> CargoDependency {
    CargoDependency {
        name: dependency.name.clone(),
        rename: dependency.rename.clone(),
        req: dependency.req.clone(),
        source: dependency.source.as_ref().map(|source| source.repr.clone()),
        kind: kind(dependency.kind),
        target: dependency.target.as_ref().map(ToString::to_string),
        optional: dependency.optional,
        default_features: dependency.uses_default_features,
        features: dependency.features.clone(),
    }
}

/// Kinds that a future cargo may add are built with the program, to be on the safe side.
fn kind(kind: MetadataKind) -> DependencyKind {
    match kind {
        MetadataKind::Development => DependencyKind::Development,
        MetadataKind::Build => DependencyKind::Build,
        _ => DependencyKind::Normal,
    }
}
