//! The files that builds read: listed, hashed and kept inside the workspace.
//!
//! Only what a build can see counts: path, content, whether a file may be executed, and where a link points to. Other mode
//! bits, owners and times differ from clone to clone and are left out, as git does. Which files of a folder belong to a build
//! is decided by [`super::ignore`]; whether a file must be read at all by [`super::memory`].
//!
//! ```text
//! wants ─▶ folders, level by level ─▶ files, with what the file system says ─▶ memory ─▶ batches to hash ─▶ listings
//!          scan.rs                                                                        hash.rs
//! ```
//!
//! Each step is done by all processors: folders of one level at once, files of a large folder in pieces, and the files to be
//! hashed in batches of about the same size, so that neither one large folder nor many small files keep one thread busy alone.
//!
//! What a small file costs is system calls. One that is remembered is looked at, and no more. Files of a folder of which nothing
//! is remembered are not looked at before they are opened: what the file system says of them then is enough, if they were
//! left alone for long enough; all others are hashed between two looks.

mod hash;
mod listing;
mod scan;
#[cfg(test)]
pub(super) mod tests;

use std::cmp::Ordering;
use std::collections::BTreeMap;
use std::sync::{Mutex, PoisonError};

use camino::{Utf8Path, Utf8PathBuf};

pub use listing::list_folder;

use super::ignore::IgnoreFiles;
use super::inside::{Inside, outside_diagnostic};
use super::memory::{Hash, Known, Memory};
use super::order::by_folder;
use super::pool::in_parallel;
use super::seen::{Seen, Stat};
use crate::diagnostic::{Diagnostic, Problems};
use crate::source::Span;

/// A file or folder that a build reads. They are ordered by path, folder by folder.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Want {
    /// Path relative to the workspace root.
    pub path: Utf8PathBuf,
    /// Paths below it, relative to it, that are left out.
    pub exclude: Vec<String>,
    /// Where the manifest asks for it.
    pub place: Span,
    /// Whether its absence is an error here; otherwise [`Tree::has`] tells whoever asked.
    pub required: bool,
    /// The build context that it is in, whose own ignore file decides, as Docker has it; the workspace's usual ignore files when
    /// none.
    pub context: Option<ContextRules>,
}

/// A build context of an existing Dockerfile: nothing but its own ignore file counts, and ignore files belong to it.
/// <https://docs.docker.com/build/concepts/context/#dockerignore-files>
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct ContextRules {
    /// The context, relative to the workspace.
    pub folder: Utf8PathBuf,
    /// The Dockerfile: `NAME.dockerignore` beside it wins over `.dockerignore` of the context.
    pub dockerfile: Utf8PathBuf,
}

impl Ord for Want {
    fn cmp(&self, other: &Self) -> Ordering {
        let rest = |want: &'_ Self| (want.place, want.required);
        by_folder(self.path.as_str(), other.path.as_str())
            .then_with(|| self.exclude.cmp(&other.exclude))
            .then_with(|| self.context.cmp(&other.context))
            .then_with(|| rest(self).cmp(&rest(other)))
    }
}

impl PartialOrd for Want {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

/// One file or link of a listing.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Entry {
    /// Path relative to the listed folder; empty when the wanted path is itself a file.
    pub path: Utf8PathBuf,
    /// What it is.
    pub kind: EntryKind,
}

/// What an entry is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum EntryKind {
    /// A regular file.
    File {
        /// SHA-256 of its bytes, in hex.
        digest: String,
        /// `0o755` when it may be executed, else `0o644`.
        mode: u32,
        /// Bytes.
        size: u64,
        /// How it is recognised without being hashed again.
        seen: Seen,
    },
    /// A symbolic link that stays below the listed folder.
    Link {
        /// Where it points to.
        target: String,
    },
}

/// All entries of a wanted path, sorted.
pub type Listing = Vec<Entry>;

/// Listings by wanted path and exclusions.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Tree {
    /// Paths as text, because they are compared thousands of times.
    listings: BTreeMap<String, BTreeMap<Vec<String>, Listing>>,
    /// Those in build contexts.
    contexts: BTreeMap<ContextRules, Tree>,
}

impl Tree {
    /// Adds a listing.
    pub fn insert(&mut self, path: Utf8PathBuf, exclude: Vec<String>, listing: Listing) {
        self.listings.entry(path.into_string()).or_default().insert(exclude, listing);
    }

    /// The listings of what is wanted so.
    pub fn of(&self, context: Option<&ContextRules>) -> &Self {
        static NONE: Tree = Tree { listings: BTreeMap::new(), contexts: BTreeMap::new() };
        context.map_or(self, |context| self.contexts.get(context).unwrap_or(&NONE))
    }

    /// As [`Tree::of`], to add to it.
    pub fn of_mut(&mut self, context: Option<&ContextRules>) -> &mut Self {
        match context {
            Some(context) => self.contexts.entry(context.clone()).or_default(),
            None => self,
        }
    }

    /// The listing of what is wanted so.
    pub fn wanted(&self, want: &Want) -> &[Entry] {
        self.of(want.context.as_ref()).listing(&want.path, &want.exclude)
    }

    /// Whether a wanted path was there.
    pub fn has(&self, path: &Utf8Path, exclude: &[String]) -> bool {
        self.find(path, exclude).is_some()
    }

    /// The listing of a wanted path; empty when it was not read.
    pub fn listing(&self, path: &Utf8Path, exclude: &[String]) -> &[Entry] {
        self.find(path, exclude).map_or(&[], Vec::as_slice)
    }

    fn find(&self, path: &Utf8Path, exclude: &[String]) -> Option<&Listing> {
        self.listings.get(path.as_str())?.get(exclude)
    }
}

/// A file or link that was found, before it is known what is in it.
#[derive(Debug)]
struct Found {
    /// Relative to the wanted path.
    below: Utf8PathBuf,
    kind: FoundKind,
}

#[derive(Debug)]
enum FoundKind {
    Link { target: String },
    File { file: FoundFile, known: Option<Known> },
}

/// What the file system says of a file.
#[derive(Debug, Clone, Copy)]
struct FoundFile {
    mode: u32,
    size: u64,
    /// `None` where files cannot be recognised.
    stat: Option<Stat>,
    /// The path is or goes through a link, which was followed.
    is_named: bool,
    /// Whether it was looked at. If not, a listing says that it is a file, and nothing else of this is known.
    is_seen: bool,
}

impl FoundFile {
    const LISTED: Self = Self { mode: 0, size: 0, stat: None, is_named: false, is_seen: false };

    fn of(metadata: &std::fs::Metadata, is_named: bool) -> Self {
        let (mode, size) = (listing::mode(metadata), metadata.len());
        Self { mode, size, stat: Stat::of(metadata), is_named, is_seen: true }
    }
}

/// Lists and hashes everything that is wanted. What `memory` knows is not hashed, and what is hashed is kept in it.
///
/// # Errors
/// A diagnostic for every path that is missing, cannot be read, or leaves the workspace.
pub fn read_tree(root: &Utf8Path, wants: &[Want], memory: &Memory) -> Result<Tree, Vec<Diagnostic>> {
    let mut sorted: Vec<&Want> = wants.iter().collect();
    sorted.sort();
    sorted.dedup_by(|want, kept| {
        let same = (&want.path, &want.exclude, &want.context) == (&kept.path, &kept.exclude, &kept.context);
        // required by one is required; the first place is shown
        same && (kept.required || !want.required)
    });
    let (ignore, inside) = (IgnoreFiles::new(root), Inside::new(root));
    let reader = Reader { root, inside: &inside, ignore: &ignore, memory };
    let mut all = scan::scan(reader, &sorted);
    hash::hash_unknown(reader, &sorted, &mut all);
    let mut tree = Tree::default();
    let mut problems = Problems::default();
    let all: Vec<Mutex<Result<Option<Vec<Found>>, Diagnostic>>> = all.into_iter().map(Mutex::new).collect();
    // each is taken once, so that its paths are moved and not copied
    let take =
        |found: &Mutex<_>| std::mem::replace(&mut *found.lock().unwrap_or_else(PoisonError::into_inner), Ok(None));
    for (want, listing) in sorted.iter().zip(in_parallel(&all, |found| take(found).map(|found| found.map(listed)))) {
        match listing {
            Ok(Some(listing)) => {
                tree.of_mut(want.context.as_ref()).insert(want.path.clone(), want.exclude.clone(), listing);
            }
            Ok(None) => {}
            Err(problem) => problems.push(problem.label(want.place, "asked for here")),
        }
    }
    problems.finish(tree)
}

/// What everybody needs who reads.
#[derive(Clone, Copy)]
struct Reader<'a> {
    root: &'a Utf8Path,
    inside: &'a Inside<'a>,
    ignore: &'a IgnoreFiles<'a>,
    memory: &'a Memory,
}

/// What was found for each want; nothing where it is not there and need not be.
type AllFound = Vec<Result<Option<Vec<Found>>, Diagnostic>>;

fn listed(found: Vec<Found>) -> Listing {
    let mut listing: Listing = found.into_iter().filter_map(entry).collect();
    listing.sort_by(|a, b| a.path.cmp(&b.path));
    listing
}

fn entry(found: Found) -> Option<Entry> {
    let kind = match found.kind {
        FoundKind::Link { target } => EntryKind::Link { target },
        FoundKind::File { file, known } => {
            let known = known?;
            let seen = if known.is_settled { Seen::settled(&known.stat) } else { Seen::default() };
            EntryKind::File { digest: hex(&known.hash), mode: file.mode, size: known.stat.size, seen }
        }
    };
    Some(Entry { path: found.below, kind })
}

fn hex(hash: &Hash) -> String {
    crate::oci::hex(hash)
}

fn unreadable(path: &Utf8Path, error: &dyn std::fmt::Display) -> Diagnostic {
    Diagnostic::error("unreadable-file", format!("cannot read {path}: {error}"))
}
