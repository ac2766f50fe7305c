//! The files that builds read: listed, hashed and kept inside the workspace.
//!
//! Only what a build can see counts: path, content, whether a file may be executed, and where a link points to. Other mode
//! bits, owners and times differ from clone to clone and are left out, as git does.

use std::collections::BTreeMap;
use std::io::Read as _;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Mutex, PoisonError};
use std::thread;

use camino::{Utf8Path, Utf8PathBuf};
use sha2::{Digest as _, Sha256};

use super::text::{inside, outside_diagnostic, stays_below};
use crate::diagnostic::{Diagnostic, Problems};
use crate::source::Span;

/// Folders that are never part of a build.
const NEVER: &[&str] = &[".git"];

/// A file or folder that a build reads.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Want {
    /// Path relative to the workspace root.
    pub path: Utf8PathBuf,
    /// Paths below it, relative to it, that are left out.
    pub exclude: Vec<String>,
    /// Where the manifest asks for it.
    pub place: Span,
    /// Whether its absence is an error here; otherwise [`Tree::has`] tells whoever asked.
    pub required: bool,
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
    listings: BTreeMap<(Utf8PathBuf, Vec<String>), Listing>,
}

impl Tree {
    /// Adds a listing.
    pub fn insert(&mut self, path: Utf8PathBuf, exclude: Vec<String>, listing: Listing) {
        self.listings.insert((path, exclude), listing);
    }

    /// Whether a wanted path was there.
    pub fn has(&self, path: &Utf8Path, exclude: &[String]) -> bool {
        self.listings.contains_key(&(path.to_owned(), exclude.to_vec()))
    }

    /// The listing of a wanted path; empty when it was not read.
    pub fn listing(&self, path: &Utf8Path, exclude: &[String]) -> &[Entry] {
        self.listings.get(&(path.to_owned(), exclude.to_vec())).map_or(&[], Vec::as_slice)
    }
}

/// Lists and hashes everything that is wanted.
///
/// # Errors
/// A diagnostic for every path that is missing, cannot be read, or leaves the workspace.
pub fn read_tree(root: &Utf8Path, wants: &[Want]) -> Result<Tree, Vec<Diagnostic>> {
    let mut tree = Tree::default();
    let mut problems = Problems::default();
    let mut wants: Vec<&Want> = wants.iter().collect();
    wants.sort();
    let mut unique: Vec<&Want> = Vec::new();
    for want in wants.into_iter().filter(|want| want.required || root.join(&want.path).exists()) {
        if unique.last().is_none_or(|last| (&last.path, &last.exclude) != (&want.path, &want.exclude)) {
            unique.push(want);
        }
    }
    for (want, listed) in unique.iter().zip(list_all(root, &unique)) {
        match listed {
            Ok(listing) => tree.insert(want.path.clone(), want.exclude.clone(), listing),
            Err(problem) => problems.push(problem.label(want.place, "asked for here")),
        }
    }
    problems.finish(tree)
}

/// Lists on as many threads as there are processors, in the order of the wants.
fn list_all(root: &Utf8Path, wants: &[&Want]) -> Vec<Result<Listing, Diagnostic>> {
    let (next, done) = (AtomicUsize::new(0), Mutex::new(BTreeMap::new()));
    let work = || {
        let claim = || next.fetch_add(1, Ordering::Relaxed);
        for (index, want) in std::iter::repeat_with(claim).map_while(|index| Some((index, wants.get(index)?))) {
            let listed = list(root, want);
            done.lock().unwrap_or_else(PoisonError::into_inner).insert(index, listed);
        }
    };
    let threads = thread::available_parallelism().map_or(1, usize::from).min(wants.len());
    thread::scope(|scope| {
        // this thread works as well
        (1..threads).for_each(|_| _ = scope.spawn(work));
        work();
    });
    done.into_inner().unwrap_or_else(PoisonError::into_inner).into_values().collect()
}

fn list(root: &Utf8Path, want: &Want) -> Result<Listing, Diagnostic> {
    let top = root.join(&want.path);
    let failed = |path: &Utf8Path, error: &dyn std::fmt::Display| {
        Diagnostic::error("unreadable-file", format!("cannot read {path}: {error}"))
    };
    if !top.exists() {
        let missing = Diagnostic::error("missing-file", format!("there is no {}", want.path));
        return Err(missing.help("paths are relative to the folder of the manifest"));
    }
    inside(root, &top).map_err(|outside| outside_diagnostic(&want.path, &outside))?;
    let mut listing = Vec::new();
    let walk = walkdir::WalkDir::new(&top).follow_root_links(true).sort_by_file_name().into_iter();
    for entry in walk.filter_entry(|entry| !is_excluded(entry, &top, &want.exclude)) {
        let entry = entry.map_err(|error| failed(&want.path, &error))?;
        if entry.file_type().is_dir() {
            continue;
        }
        let path = Utf8Path::from_path(entry.path())
            .ok_or_else(|| failed(&want.path, &format_args!("{} is not UTF-8", entry.path().display())))?;
        let below = path.strip_prefix(&top).unwrap_or(path).to_owned();
        let kind = read_entry(&entry, path, &below).map_err(|error| match error {
            ReadError::Leaves(target) => leaves(&want.path, &below, &target),
            ReadError::Special => failed(&want.path.join(&below), &"it is neither a file nor a folder nor a link"),
            ReadError::Io(error) => failed(&want.path.join(&below), &error),
        })?;
        listing.push(Entry { path: below, kind });
    }
    listing.sort_by(|a, b| a.path.cmp(&b.path));
    Ok(listing)
}

/// A link inside of a folder may point to anything in that folder, and to nothing else: only the folder travels.
fn leaves(folder: &Utf8Path, below: &Utf8Path, target: &Utf8Path) -> Diagnostic {
    let message = format!("the link {folder}/{below} points to {target}, which is not in {folder}");
    Diagnostic::error("outside-workspace", message).help("copy what it points to into the folder, or remove the link")
}

fn is_excluded(entry: &walkdir::DirEntry, top: &Utf8Path, exclude: &[String]) -> bool {
    let below = entry.path().strip_prefix(top).unwrap_or(entry.path());
    let named = entry.depth() > 0 && entry.file_name().to_str().is_some_and(|name| NEVER.contains(&name));
    named || (entry.depth() > 0 && exclude.iter().any(|exclude| below == std::path::Path::new(exclude)))
}

enum ReadError {
    Leaves(Utf8PathBuf),
    Special,
    Io(std::io::Error),
}

fn read_entry(entry: &walkdir::DirEntry, path: &Utf8Path, below: &Utf8Path) -> Result<EntryKind, ReadError> {
    // the wanted path itself may be a link (it was checked to lead inside); links below it travel as links
    if entry.depth() > 0 && entry.path_is_symlink() {
        let target = path.read_link_utf8().map_err(ReadError::Io)?;
        return if stays_below(below, &target) {
            Ok(EntryKind::Link { target: target.into() })
        } else {
            Err(ReadError::Leaves(target))
        };
    }
    let metadata = fs_err::metadata(path).map_err(ReadError::Io)?;
    if !metadata.is_file() {
        return Err(ReadError::Special);
    }
    Ok(EntryKind::File { digest: hash(path).map_err(ReadError::Io)?, mode: mode(&metadata), size: metadata.len() })
}

#[cfg(unix)]
fn mode(metadata: &std::fs::Metadata) -> u32 {
    use std::os::unix::fs::PermissionsExt as _;
    if metadata.permissions().mode() & 0o111 == 0 { 0o644 } else { 0o755 }
}

#[cfg(not(unix))]
fn mode(_metadata: &std::fs::Metadata) -> u32 {
    0o644
}

fn hash(path: &Utf8Path) -> std::io::Result<String> {
    let mut file = fs_err::File::open(path)?;
    let mut hasher = Sha256::new();
    let mut buffer = vec![0; 64 * 1024];
    loop {
        match file.read(&mut buffer)? {
            0 => break,
            read => hasher.update(&buffer[..read]),
        }
    }
    Ok(crate::oci::hex(&hasher.finalize()))
}

/// Lists every file below a folder that is not part of the workspace (an extracted crate), with its permission bits. Such
/// folders are named by checksum, so their files are not hashed.
///
/// # Errors
/// When the folder cannot be read, or a name in it is not UTF-8.
pub fn list_folder(folder: &Utf8Path, exclude: &[String]) -> Result<Vec<(Utf8PathBuf, u32)>, super::WorkspaceError> {
    let mut files = Vec::new();
    let walk = walkdir::WalkDir::new(folder).follow_root_links(true).sort_by_file_name().into_iter();
    for entry in walk.filter_entry(|entry| !is_excluded(entry, folder, exclude)) {
        let entry = entry.map_err(std::io::Error::from)?;
        if entry.file_type().is_dir() {
            continue;
        }
        let not_utf8 = || super::WorkspaceError::NotUtf8(entry.path().display().to_string());
        let path = Utf8Path::from_path(entry.path()).ok_or_else(not_utf8)?;
        let below = path.strip_prefix(folder).unwrap_or(path).to_owned();
        files.push((below, mode(&fs_err::metadata(path)?)));
    }
    Ok(files)
}
