//! The folders that matter: those of manifests, templates and inputs, those above them, and those below inputs, where new
//! files count. What git ignores is left out, unless a plan reads it.

use std::collections::BTreeSet;

use camino::{Utf8Path, Utf8PathBuf};

use super::super::session::Loaded;
use crate::manifest::Manifests;
use crate::plan::{Input, Plan};
use crate::workspace::{self, FolderPattern, MEMORY_FOLDER};

/// Folders that nobody watches.
const NEVER: &[&str] = &[".git", "node_modules"];
/// Marks a folder that holds nothing that cannot be made again, such as cargo's `target`.
const CACHE_MARK: &str = "CACHEDIR.TAG";

/// What a plan reads from the workspace, by path.
pub(super) fn inputs(plan: &Plan) -> impl Iterator<Item = &Utf8PathBuf> {
    let parts = plan.images.iter().flat_map(|image| &image.components);
    let all = parts.flat_map(|part| {
        let own = part.platform_files.values().flat_map(|files| files.values());
        part.inputs.values().chain(part.files.values().chain(own).map(|file| &file.input))
    });
    all.filter_map(|input| match input {
        Input::File { source, .. } => Some(source),
        _ => None,
    })
}

/// What a plan depends on.
pub(super) fn of_plan(loaded: &Loaded, plan: &Plan) -> BTreeSet<Utf8PathBuf> {
    let root = &loaded.workspace.root;
    let mut read: BTreeSet<Utf8PathBuf> = inputs(plan).filter_map(|source| source.parent()).map(Into::into).collect();
    // a new file in any of them may be an input
    read.extend(below(root, read.clone()));
    let files = &loaded.sources.files;
    let named = files.components.iter().chain(&files.images).chain(files.dockerfiles.values());
    let manifests = named.map(|id| loaded.sources.map.file(*id).folder().into());
    read.extend(manifests);
    read.extend(manifest_folders(root, &loaded.manifests));
    read.insert("templates".into());
    read.extend(below(root, ["templates".into()].into()));
    read.insert(".cargo".into());
    let above: Vec<Utf8PathBuf> = read.iter().flat_map(|path| path.ancestors().map(ToOwned::to_owned)).collect();
    read.extend(above);
    existing(root, read)
}

/// Every folder that could make a workspace whole again that cannot be read.
pub(super) fn all(root: &Utf8Path) -> BTreeSet<Utf8PathBuf> {
    let mut all = below(root, [Utf8PathBuf::new()].into());
    all.insert(Utf8PathBuf::new());
    existing(root, all)
}

/// Where new manifests would appear.
fn manifest_folders(root: &Utf8Path, manifests: &Manifests) -> BTreeSet<Utf8PathBuf> {
    let named = &manifests.settings.workspace;
    let mut folders = BTreeSet::new();
    for (patterns, default) in [(&named.components, "components"), (&named.images, "images")] {
        let mut one = |folder: &str, with_those_below: bool| {
            let folder = Utf8PathBuf::from(folder);
            if with_those_below {
                folders.extend(children(root, &folder));
            }
            folders.insert(folder);
        };
        if patterns.is_empty() {
            one(default, true);
        }
        for pattern in patterns {
            match &pattern.value {
                FolderPattern::Below(folder) => one(folder, true),
                FolderPattern::One(folder) => one(folder, false),
            }
        }
    }
    folders
}

/// All folders below some, level by level, so that what is ignored is not looked into.
fn below(root: &Utf8Path, mut level: BTreeSet<Utf8PathBuf>) -> BTreeSet<Utf8PathBuf> {
    let mut all = BTreeSet::new();
    while !level.is_empty() {
        let next: Vec<Utf8PathBuf> =
            level.iter().flat_map(|folder| children(root, folder)).filter(|folder| !all.contains(folder)).collect();
        let ignored = workspace::ignored(root, &next);
        level = next.into_iter().filter(|folder| !ignored.contains(folder)).collect();
        all.extend(level.iter().cloned());
    }
    all
}

/// The folders directly below one, but for those that nobody watches.
fn children(root: &Utf8Path, folder: &Utf8Path) -> Vec<Utf8PathBuf> {
    let entries = root.join(folder).read_dir_utf8().into_iter().flatten().filter_map(Result::ok);
    let folders = entries.filter(|entry| entry.file_type().is_ok_and(|kind| kind.is_dir()));
    let wanted = folders.filter(|entry| {
        !NEVER.contains(&entry.file_name()) && !entry.path().join(CACHE_MARK).exists() && !is_own(root, entry.path())
    });
    wanted.map(|entry| folder.join(entry.file_name())).collect()
}

/// What the builds write themselves.
fn is_own(root: &Utf8Path, path: &Utf8Path) -> bool {
    path == root.join(MEMORY_FOLDER)
}

/// Absolute and without links, as events name them.
fn existing(root: &Utf8Path, folders: BTreeSet<Utf8PathBuf>) -> BTreeSet<Utf8PathBuf> {
    let real = folders.into_iter().filter_map(|folder| root.join(folder).canonicalize_utf8().ok());
    real.filter(|folder| folder.is_dir() && folder.starts_with(root)).collect()
}
