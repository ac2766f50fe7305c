//! The root manifest, cut down to the packages of a closure.

use std::collections::BTreeSet;

use camino::{Utf8Component, Utf8Path, Utf8PathBuf};
use toml::{Table, Value};

use super::closure::Closure;
use super::error::PruneError;
use super::member::{inherited, member, parse, prune};
use super::stub::stub_manifest;
use crate::workspace::cargo::{CargoWorkspace, PackageKey};

/// What only a root manifest has, and what its members are built with.
const ROOT_TABLES: [&str; 5] = ["cargo-features", "patch", "profile", "replace", "workspace"];

/// The root manifest of the pruned workspace.
///
/// # Errors
/// A manifest is not TOML.
pub fn pruned_root_manifest(workspace: &CargoWorkspace, closure: &Closure) -> Result<String, PruneError> {
    let written = parse(Utf8Path::new("Cargo.toml"), &workspace.root_manifest)?;
    let mut manifest = root_package(workspace, closure, &written);
    let kept = written.iter().filter(|(key, _)| ROOT_TABLES.contains(&key.as_str()));
    manifest.extend(kept.map(|(key, value)| (key.clone(), value.clone())));
    if let Some(table) = manifest.get_mut("workspace").and_then(Value::as_table_mut) {
        let inherited = inherited_names(workspace, closure)?;
        prune_workspace(table, workspace, closure, &inherited);
        keep_resolver(table, &written);
    }
    prune_patches(&mut manifest, workspace, closure);
    prune_profiles(&mut manifest, closure);
    Ok(manifest.to_string())
}

/// A root manifest may also be a package: in the closure, a stub of it, or not there at all.
fn root_package(workspace: &CargoWorkspace, closure: &Closure, written: &Table) -> Table {
    let at_root = |key: &&PackageKey| key.is_path() && workspace.packages[*key].folder == workspace.root;
    match closure.edges.keys().find(at_root) {
        None => Table::new(),
        Some(key) => match closure.stubs.get(key) {
            Some(features) => stub_manifest(key, features),
            None => prune(written.clone()),
        },
    }
}

fn inherited_names(workspace: &CargoWorkspace, closure: &Closure) -> Result<BTreeSet<String>, PruneError> {
    let mut names = BTreeSet::new();
    for key in closure.paths().filter(|key| workspace.members.contains(*key)) {
        names.extend(inherited(&member(workspace, key)?).cloned());
    }
    Ok(names)
}

fn prune_workspace(table: &mut Table, workspace: &CargoWorkspace, closure: &Closure, inherited: &BTreeSet<String>) {
    table.retain(|key, _| !["default-members", "exclude", "metadata"].contains(&key));
    let (members, others): (Vec<&PackageKey>, Vec<&PackageKey>) =
        closure.edges.keys().filter(|key| key.is_path()).partition(|key| workspace.members.contains(*key));
    table.insert("members".to_owned(), folders(workspace, &members));
    // cargo takes every path dependency below the root as a member unless it is told not to
    if !others.is_empty() {
        table.insert("exclude".to_owned(), folders(workspace, &others));
    }
    if let Some(dependencies) = table.get_mut("dependencies").and_then(Value::as_table_mut) {
        dependencies.retain(|name, _| inherited.contains(name));
    }
}

fn folders(workspace: &CargoWorkspace, keys: &[&PackageKey]) -> Value {
    let folders: BTreeSet<&Utf8Path> = keys.iter().map(|key| relative_folder(workspace, key)).collect();
    let named = folders.into_iter().filter(|folder| !folder.as_str().is_empty());
    Value::Array(named.map(|folder| Value::String(folder.to_string())).collect())
}

/// The folder of a path package, relative to the workspace; empty for the root.
pub(super) fn relative_folder<'a>(workspace: &'a CargoWorkspace, key: &PackageKey) -> &'a Utf8Path {
    let folder = &workspace.packages[key].folder;
    folder.strip_prefix(&workspace.root).unwrap_or(folder)
}

/// The edition of a root package decides how features are unified; when the package goes, its decision stays.
fn keep_resolver(table: &mut Table, written: &Table) {
    if written.contains_key("package") && !table.contains_key("resolver") {
        table.insert("resolver".to_owned(), Value::String(resolver(written).to_owned()));
    }
}

/// How cargo unifies features: what the root manifest says, or what the edition of its package stands for.
pub(super) fn resolver(written: &Table) -> &str {
    let (workspace, package) = (written.get("workspace"), written.get("package"));
    fn said(table: Option<&Value>) -> Option<&str> {
        table?.get("resolver")?.as_str()
    }
    said(workspace).or_else(|| said(package)).unwrap_or_else(|| {
        let shared = || workspace.and_then(|table| table.get("package")?.get("edition"));
        let edition =
            package.and_then(|package| package.get("edition").filter(|edition| edition.is_str()).or_else(shared));
        match edition.and_then(Value::as_str) {
            None | Some("2015" | "2018") => "1",
            Some("2021") => "2",
            Some(_) => "3",
        }
    })
}

/// Cargo reports patches that nothing uses, and cannot load those whose folder does not travel.
fn prune_patches(manifest: &mut Table, workspace: &CargoWorkspace, closure: &Closure) {
    let Some(patches) = manifest.get_mut("patch").and_then(Value::as_table_mut) else {
        return;
    };
    for (_, entries) in patches.iter_mut() {
        if let Some(entries) = entries.as_table_mut() {
            entries.retain(|name, patch| is_used(name, patch, workspace, closure));
        }
    }
    patches.retain(|_, entries| entries.as_table().is_some_and(|entries| !entries.is_empty()));
    if patches.is_empty() {
        manifest.remove("patch");
    }
}

fn is_used(name: &str, patch: &Value, workspace: &CargoWorkspace, closure: &Closure) -> bool {
    let name = patch.get("package").and_then(Value::as_str).unwrap_or(name);
    let mut listed = closure.edges.keys().filter(|key| key.name == name);
    if let Some(path) = patch.get("path").and_then(Value::as_str) {
        let folder = normalize(&workspace.root.join(path));
        return listed.any(|key| key.is_path() && workspace.packages[key].folder == folder);
    }
    if patch.get("git").is_some() { listed.any(PackageKey::is_git) } else { listed.next().is_some() }
}

fn normalize(path: &Utf8Path) -> Utf8PathBuf {
    let mut normal = Utf8PathBuf::new();
    for part in path.components() {
        match part {
            Utf8Component::ParentDir => drop(normal.pop()),
            Utf8Component::CurDir => {}
            part => normal.push(part),
        }
    }
    normal
}

/// Cargo warns of profiles for packages that are not there.
fn prune_profiles(manifest: &mut Table, closure: &Closure) {
    let profiles = manifest.get_mut("profile").and_then(Value::as_table_mut).into_iter().flatten();
    for (_, profile) in profiles {
        let Some(profile) = profile.as_table_mut() else { continue };
        let Some(packages) = profile.get_mut("package").and_then(Value::as_table_mut) else { continue };
        packages.retain(|spec, _| spec == "*" || spec.contains('/') || closure.lists(package_name(spec)));
        if packages.is_empty() {
            profile.remove("package");
        }
    }
}

fn package_name(spec: &str) -> &str {
    spec.split([':', '@']).next().unwrap_or(spec)
}
