//! References in trees: the work tree, and revisions as git holds them.

use std::collections::{BTreeMap, BTreeSet};

use camino::{Utf8Path, Utf8PathBuf};

use super::super::args::ReferencesArguments;
use super::super::session::Session;
use super::super::status::Stop;
use crate::manifest::Date;
use crate::oci::Reference;
use crate::policy::{Found, Policy, Search};
use crate::workspace::{self, BlobFile, LOCK_FILE, OVERRIDE_FILE, RevisionError, SETTINGS_FILE};

/// Files of groupage, whose references `check` judges with all that they mean; a record names what it is about.
const OWN: [&str; 4] = [SETTINGS_FILE, LOCK_FILE, OVERRIDE_FILE, "component.toml"];

/// What was found in one tree.
pub(super) struct Tree {
    /// The revision; `None` for the work tree.
    pub(super) revision: Option<String>,
    /// The folder or file that was searched, as it was named.
    pub(super) path: Utf8PathBuf,
    /// The day of the commit.
    pub(super) committed: Option<Date>,
    /// How many files were searched.
    pub(super) files: usize,
    /// References by their canonical form.
    pub(super) mentions: BTreeMap<String, Mention>,
}

/// A reference and its places.
pub(super) struct Mention {
    pub(super) reference: Reference,
    pub(super) places: Vec<Place>,
}

/// A place in a file.
#[derive(serde::Serialize)]
pub(super) struct Place {
    pub(super) path: Utf8PathBuf,
    pub(super) line: usize,
    pub(super) column: usize,
}

/// Searches the work tree at a path, or the revisions that are asked for.
pub(super) fn search(
    path: &Utf8Path,
    arguments: &ReferencesArguments,
    session: &Session<'_>,
    policy: &Policy,
    search: &Search<'_>,
) -> Result<Vec<Tree>, Stop> {
    // clean, for messages
    let folder: Utf8PathBuf = session.path(path).components().collect();
    if !folder.exists() {
        return Err(Stop::input(anyhow::anyhow!("{path} does not exist\nhint: name a folder or file that is there")));
    }
    let revisions = match arguments.all_tags {
        true => workspace::tags(&folder).map_err(stop)?,
        false => arguments.revisions.clone(),
    };
    if arguments.all_tags && revisions.is_empty() {
        return Err(Stop::input(anyhow::anyhow!(
            "the repository of {path} has no tag\nhint: `git fetch --tags` may bring them"
        )));
    }
    if revisions.is_empty() {
        return Ok(vec![work_tree(path, &folder, policy, search)?]);
    }
    of_revisions(path, &folder, &revisions, policy, search)
}

fn work_tree(path: &Utf8Path, folder: &Utf8Path, policy: &Policy, search: &Search<'_>) -> Result<Tree, Stop> {
    let files = workspace::searched_files(folder)
        .map_err(|error| Stop::input(anyhow::anyhow!("cannot search {path}: {error}")))?;
    let files: Vec<Utf8PathBuf> = files.into_iter().filter(|file| !is_skipped(policy, path, file)).collect();
    let found = workspace::in_parallel(&files, |file| {
        let whole = if file.as_str().is_empty() { folder.to_owned() } else { folder.join(file) };
        workspace::searched_text(&whole).map(|text| search.find(whole.as_str(), &text)).unwrap_or_default()
    });
    let committed = if folder.is_dir() { Some(folder) } else { folder.parent() };
    let committed = committed.and_then(workspace::head_time).map(Date::of_seconds);
    let mut tree =
        Tree { revision: None, path: path.to_owned(), committed, files: files.len(), mentions: BTreeMap::new() };
    files.iter().zip(&found).for_each(|(file, found)| tree.add(file, found));
    Ok(tree)
}

/// The same contents are searched once, however many revisions have them.
fn of_revisions(
    path: &Utf8Path,
    folder: &Utf8Path,
    revisions: &[String],
    policy: &Policy,
    search: &Search<'_>,
) -> Result<Vec<Tree>, Stop> {
    let mut listed = Vec::new();
    // a name decides what a comment is: the same contents may have several
    let mut names: BTreeMap<String, BTreeMap<String, Utf8PathBuf>> = BTreeMap::new();
    for revision in revisions {
        let (mut files, time) = workspace::revision_files(folder, revision).map_err(stop)?;
        files.retain(|file| !is_skipped(policy, path, &file.path));
        for BlobFile { path, blob } in &files {
            names.entry(blob.clone()).or_default().entry(kind(path)).or_insert_with(|| path.clone());
        }
        listed.push((revision, files, time));
    }
    let mut found: BTreeMap<(String, String), Vec<Found>> = BTreeMap::new();
    let blobs: BTreeSet<String> = names.keys().cloned().collect();
    workspace::read_blobs(folder, &blobs, |blob, bytes| {
        let Some(text) = workspace::text_of(bytes) else { return };
        for (kind, path) in names.get(blob).into_iter().flatten() {
            let references = search.find(path.as_str(), &text);
            if !references.is_empty() {
                found.insert((blob.to_owned(), kind.clone()), references);
            }
        }
    })
    .map_err(stop)?;
    let tree = |(revision, files, time): (&String, Vec<BlobFile>, u64)| {
        let (revision, committed) = (Some(revision.clone()), Some(Date::of_seconds(time)));
        let mut tree =
            Tree { revision, path: path.to_owned(), committed, files: files.len(), mentions: BTreeMap::new() };
        for file in files {
            let kind = kind(&file.path);
            found.get(&(file.blob, kind)).into_iter().for_each(|found| tree.add(&file.path, found));
        }
        tree
    };
    Ok(listed.into_iter().map(tree).collect())
}

impl Tree {
    fn add(&mut self, file: &Utf8Path, found: &[Found]) {
        let path = shown(&self.path, file);
        for Found { reference, line, column } in found {
            let new = || Mention { reference: reference.clone(), places: Vec::new() };
            let mention = self.mentions.entry(reference.canonical()).or_insert_with(new);
            mention.places.push(Place { path: path.clone(), line: *line, column: *column });
        }
    }
}

/// A file below a path, as messages name it.
fn shown(path: &Utf8Path, file: &Utf8Path) -> Utf8PathBuf {
    match (path.as_str(), file.as_str()) {
        ("." | "", _) => file.to_owned(),
        (_, "") => path.to_owned(),
        _ => path.join(file),
    }
}

/// Patterns of `ignore` may be about the path that is shown, or about the one below the folder that is searched.
fn is_skipped(policy: &Policy, path: &Utf8Path, file: &Utf8Path) -> bool {
    let shown = shown(path, file);
    OWN.contains(&shown.file_name().unwrap_or_default())
        || policy.ignores(file.as_str())
        || policy.ignores(shown.as_str().trim_start_matches("./"))
}

/// What decides about comments, and some more: files that have it in common are read alike.
fn kind(path: &Utf8Path) -> String {
    path.extension().or(path.file_name()).unwrap_or_default().to_owned()
}

/// A repository or revision that is not there is bad input; without git nothing can be done.
fn stop(error: RevisionError) -> Stop {
    match error {
        RevisionError::NoGit(_) => Stop::environment(error),
        _ => Stop::input(error),
    }
}
