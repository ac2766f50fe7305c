//! Files beside the manifest, by the path that they get in the image: those of all platforms, and those of each one.

use std::collections::{BTreeMap, BTreeSet};

use camino::{Utf8Path, Utf8PathBuf};

use super::Read;
use super::inputs::{excluded, input};
use super::model::FilePlan;
use crate::diagnostic::{Diagnostic, Problems};
use crate::manifest::{ImagePath, Install, InstallFrom, PlatformPath, RelativePath};
use crate::oci::Platform;
use crate::resolve::{ResolvedComponent, ResolvedImage};
use crate::source::Span;
use crate::workspace::{Entry, Want};

/// The files of a component.
#[derive(Debug, Default)]
pub(super) struct Files {
    /// Those that are the same on every platform.
    pub(super) common: BTreeMap<ImagePath, FilePlan>,
    /// Those that depend on the platform.
    pub(super) of_platforms: BTreeMap<Platform, BTreeMap<ImagePath, FilePlan>>,
}

/// The platforms that an image is built for with this component in it.
pub(super) fn platforms<'a>(image: &'a ResolvedImage<'_>, resolved: &ResolvedComponent<'_>) -> Vec<&'a Platform> {
    image.platforms.iter().filter(|platform| !resolved.excluded.contains(platform)).collect()
}

/// The files and folders that the installs of a component name. What depends on the platform is missed by [`plan`], which
/// knows for which platform.
pub(super) fn wants(image: &ResolvedImage<'_>, resolved: &ResolvedComponent<'_>) -> Vec<Want> {
    let platforms = platforms(image, resolved);
    let mut wants = Vec::new();
    for (install, path) in paths(resolved) {
        let fixed = path.fixed().filter(|_| !platforms.is_empty()).map(|path| (path, true));
        let each = platforms.iter().filter(|_| path.depends_on_platform()).map(|platform| (path.on(platform), false));
        for (path, required) in fixed.into_iter().chain(each) {
            let source = path.below(&resolved.manifest.folder);
            let exclude = excluded(resolved.manifest, &source);
            wants.push(Want { path: source, exclude, place: install.from.span, required, context: None });
        }
    }
    wants
}

/// Installs that name a file or folder beside the manifest.
fn paths<'m>(resolved: &ResolvedComponent<'m>) -> impl Iterator<Item = (&'m Install, &'m PlatformPath)> {
    resolved.installs.iter().filter_map(|install| match &install.from.value {
        InstallFrom::Path(path) => Some((*install, path)),
        _ => None,
    })
}

/// The files of a component, by the path that they get.
pub(super) fn plan(
    image: &ResolvedImage<'_>,
    resolved: &ResolvedComponent<'_>,
    read: &Read<'_>,
    problems: &mut Problems,
) -> Files {
    let platforms = platforms(image, resolved);
    let mut files = Files::default();
    if platforms.is_empty() {
        return files;
    }
    let mut count = 0;
    for (install, path) in paths(resolved) {
        if let Some(path) = path.fixed() {
            let listed = listed(resolved, &path, read);
            count += listed.entries.len();
            add(install, &listed, &mut files.common, problems);
            continue;
        }
        let mut kinds = Vec::new();
        for platform in &platforms {
            let listed = listed(resolved, &path.on(platform), read);
            if listed.is_missing {
                problems.push(missing(image, resolved, install, platform, &listed.source));
                continue;
            }
            kinds.push((listed.is_file(), *platform));
            add(install, &listed, files.of_platforms.entry((*platform).clone()).or_default(), problems);
        }
        check_kinds(install, path, &kinds, problems);
    }
    if installs_each_once(resolved, &files, count) {
        return files;
    }
    let depends = paths(resolved).any(|(_, path)| path.depends_on_platform());
    let each: Vec<Option<&Platform>> = if depends { platforms.into_iter().map(Some).collect() } else { vec![None] };
    each.into_iter().for_each(|platform| check_twice(resolved, platform, read, problems));
    files
}

/// What an install names on one platform.
struct Listed<'r> {
    source: Utf8PathBuf,
    entries: &'r [Entry],
    is_missing: bool,
}

impl Listed<'_> {
    /// A file, and not a folder of files.
    fn is_file(&self) -> bool {
        self.entries.iter().any(|entry| entry.path.as_str().is_empty())
    }
}

fn listed<'r>(resolved: &ResolvedComponent<'_>, path: &RelativePath, read: &'r Read<'_>) -> Listed<'r> {
    let source = path.below(&resolved.manifest.folder);
    let exclude = excluded(resolved.manifest, &source);
    let entries = read.tree.listing(&source, &exclude);
    let is_missing = entries.is_empty() && !read.tree.has(&source, &exclude);
    Listed { entries, source, is_missing }
}

fn add(install: &Install, listed: &Listed<'_>, files: &mut BTreeMap<ImagePath, FilePlan>, problems: &mut Problems) {
    if listed.entries.is_empty() {
        let message = format!("there is no file in {}, so nothing would be installed", listed.source);
        let empty = Diagnostic::error("empty-folder", message).label(install.from.span, "");
        problems.push(empty.help("add one, or remove this"));
    }
    for entry in listed.entries {
        let Some(to) = destination(install, &entry.path, problems) else { continue };
        let folder = folder_of(install, &entry.path);
        let input = input(&listed.source, entry, install.mode);
        files.insert(to, FilePlan { input, folder, place: install.span });
    }
}

/// An image must not lack on one platform what it has on the others, unless somebody says so.
fn missing(
    image: &ResolvedImage<'_>,
    resolved: &ResolvedComponent<'_>,
    install: &Install,
    platform: &Platform,
    source: &Utf8Path,
) -> Diagnostic {
    let message = format!(
        "image `{}` is made for {platform}, and component `{}` has no {source} for it",
        image.definition.name.value,
        resolved.name()
    );
    let missing = Diagnostic::error("missing-on-platform", message).label(install.from.span, "asked for here");
    missing.help(format!("add the file, or leave the component out there with `exclude-platforms = [\"{platform}\"]`"))
}

/// A file goes into another folder of the image than the files of a folder, so that one Dockerfile cannot do both.
fn check_kinds(install: &Install, path: &PlatformPath, kinds: &[(bool, &Platform)], problems: &mut Problems) {
    let of_kind = |is_file: bool| kinds.iter().find(|(kind, _)| *kind == is_file).map(|(_, platform)| platform);
    if let (Some(file), Some(folder)) = (of_kind(true), of_kind(false)) {
        let message = format!("`{}` is a file on {file} and a folder on {folder}", path.as_str());
        let report = Diagnostic::error("install-source", message).label(install.from.span, "");
        problems.push(report.help("make it the same on every platform"));
    }
}

/// Whether it is plain that no path is given twice, without a second look at every file: nothing depends on the platform, so
/// many files as were added are there, and what a stage gives stands at none of their paths.
fn installs_each_once(resolved: &ResolvedComponent<'_>, files: &Files, added: usize) -> bool {
    let of_stage: Vec<&ImagePath> = resolved
        .installs
        .iter()
        .filter(|install| !matches!(install.from.value, InstallFrom::Path(_)))
        .map(|install| &install.to.value)
        .collect();
    let distinct: BTreeSet<&ImagePath> = of_stage.iter().copied().collect();
    files.of_platforms.is_empty()
        && files.common.len() == added
        && distinct.len() == of_stage.len()
        && distinct.iter().all(|path| !files.common.contains_key(*path))
}

/// Two entries of a component that give the same path. A folder of a stage is known by its own path only.
fn check_twice(
    resolved: &ResolvedComponent<'_>,
    platform: Option<&Platform>,
    read: &Read<'_>,
    problems: &mut Problems,
) {
    let mut seen = BTreeMap::<ImagePath, Span>::new();
    for install in &resolved.installs {
        let path = match &install.from.value {
            InstallFrom::Path(path) => platform.map(|platform| path.on(platform)).or_else(|| path.fixed()),
            _ => None,
        };
        let paths: Vec<ImagePath> = match path {
            None => vec![install.to.value.clone()],
            Some(path) => {
                let unreported = &mut Problems::default();
                let entries = listed(resolved, &path, read).entries.iter();
                entries.filter_map(|entry| destination(install, &entry.path, unreported)).collect()
            }
        };
        for to in paths {
            if let Some(other) = seen.insert(to.clone(), install.span) {
                let message = format!("component `{}` installs {to} twice", resolved.name());
                let twice = Diagnostic::error("installed-twice", message).label(install.span, "");
                problems.push(twice.label(other, "first here"));
            }
        }
    }
}

/// A file keeps the name that `to` gives it; files of a folder keep their path below `to`.
fn destination(install: &Install, below: &Utf8Path, problems: &mut Problems) -> Option<ImagePath> {
    if below.as_str().is_empty() {
        return Some(install.to.value.clone());
    }
    match install.to.value.found_below(below) {
        Ok(path) => Some(path),
        Err(error) => {
            let message = format!("{below} cannot be installed: {error}");
            problems.push(Diagnostic::error("path", message).label(install.from.span, ""));
            None
        }
    }
}

/// The folder that an install puts things into.
fn folder_of(install: &Install, below: &Utf8Path) -> String {
    if below.as_str().is_empty() { install.to.value.folder().to_owned() } else { install.to.value.to_string() }
}
