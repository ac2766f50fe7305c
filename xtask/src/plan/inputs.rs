//! What builds read: files of the workspace, pruned cargo workspaces, sources of Go programs, extracted crates.

use std::collections::{BTreeMap, BTreeSet};

use camino::{Utf8Path, Utf8PathBuf};

use super::cargo::PrunedEntry;
use super::model::Input;
use super::pruned::{Pruned, PrunedKey};
use super::{Read, dockerfile, fingerprint};
use crate::manifest::{BuildKind, ComponentManifest, ScriptBuild};
use crate::resolve::{ResolvedComponent, ResolvedImage};
use crate::workspace::{Entry, EntryKind};

/// The manifest itself is never part of what it describes; a file of the same name elsewhere is.
const MANIFEST: &str = "component.toml";

/// What is left out of a folder that a component names.
pub(super) fn excluded(manifest: &ComponentManifest, folder: &Utf8Path) -> Vec<String> {
    if folder == manifest.folder { vec![MANIFEST.to_owned()] } else { Vec::new() }
}

/// What the build's stage reads, by path in the folder that is copied into it.
pub(super) fn inputs(
    image: &ResolvedImage<'_>,
    resolved: &ResolvedComponent<'_>,
    read: &Read<'_>,
) -> BTreeMap<Utf8PathBuf, Input> {
    match &resolved.manifest.build.kind {
        BuildKind::Script(script) => script_inputs(resolved.manifest, script, read),
        // what goes into a multi-call program has no workspace of its own
        BuildKind::Cargo(_) | BuildKind::Go(_) => {
            let pruned = PrunedKey::of(image, resolved).and_then(|key| read.pruned.get(&key));
            pruned.map(|pruned| compiled_inputs(pruned, read)).unwrap_or_default()
        }
        BuildKind::Dockerfile(_) => dockerfile::inputs(resolved.manifest, read),
        BuildKind::Files | BuildKind::Image(_) => BTreeMap::new(),
    }
}

fn script_inputs(manifest: &ComponentManifest, script: &ScriptBuild, read: &Read<'_>) -> BTreeMap<Utf8PathBuf, Input> {
    let mut inputs = BTreeMap::new();
    for path in &script.inputs {
        let source = path.value.below(&manifest.folder);
        for entry in read.tree.listing(&source, &excluded(manifest, &source)) {
            inputs.insert(path.value.as_path().join(&entry.path).components().collect(), input(&source, entry, None));
        }
    }
    inputs
}

pub(super) fn compiled_inputs(pruned: &Pruned, read: &Read<'_>) -> BTreeMap<Utf8PathBuf, Input> {
    let mut inputs = BTreeMap::new();
    for entry in &pruned.entries {
        match entry {
            PrunedEntry::Folder { path, from, exclude } => match own_folder(entry, read.root) {
                Some((source, left_out)) => {
                    let files = read.tree.listing(&source, &left_out).iter();
                    inputs.extend(files.map(|file| (path.join(&file.path), input(&source, file, None))));
                }
                None => _ = inputs.insert(path.clone(), extracted(path, from, exclude)),
            },
            PrunedEntry::File { path } => {
                let files = read.tree.listing(path, &[]).iter();
                inputs.extend(files.map(|file| (path.join(&file.path), input(path, file, None))));
            }
            PrunedEntry::Text { path, text } => {
                inputs.insert(path.clone(), Input::Text { digest: fingerprint::text(text), text: text.clone() });
            }
        }
    }
    inputs
}

/// A crate of a registry. Its checksum travels beside it as a text, so name and version are enough here.
fn extracted(path: &Utf8Path, folder: &Utf8Path, exclude: &BTreeSet<Utf8PathBuf>) -> Input {
    let package = path.file_name().unwrap_or_default().to_owned();
    Input::Crate { package, folder: folder.to_owned(), exclude: exclude.iter().map(ToString::to_string).collect() }
}

/// A file or folder of the workspace, with what is left out of it; `None` for texts and for extracted crates.
pub(super) fn own_folder(entry: &PrunedEntry, root: &Utf8Path) -> Option<(Utf8PathBuf, Vec<String>)> {
    match entry {
        PrunedEntry::Folder { from, exclude, .. } => {
            let path = from.strip_prefix(root).ok()?;
            Some((path.to_owned(), exclude.iter().map(ToString::to_string).collect()))
        }
        PrunedEntry::File { path } => Some((path.clone(), Vec::new())),
        PrunedEntry::Text { .. } => None,
    }
}

/// A file or link of a listing.
pub(super) fn input(source: &Utf8Path, entry: &Entry, mode: Option<u32>) -> Input {
    match &entry.kind {
        EntryKind::Link { target } => Input::Link { target: target.clone() },
        EntryKind::File { digest, mode: own, seen, .. } => {
            let source = if entry.path.as_str().is_empty() { source.to_owned() } else { source.join(&entry.path) };
            Input::File { source, digest: digest.clone(), mode: mode.unwrap_or(*own), seen: seen.clone() }
        }
    }
}
