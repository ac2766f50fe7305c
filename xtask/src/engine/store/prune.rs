//! Removing what was not used for longest, until the rest fits.
//!
//! | in this order | what |
//! |---|---|
//! | 1 | layouts, with `--all` only, the least recently used first |
//! | 2 | blobs that no layout has, programs, and trees of revisions, the least recently used first |
//! | 3 | cargo's target folders and what Go keeps: without them everything is compiled, and modules are fetched, anew |
//! | with those | records of blobs that are gone |
//!
//! **Bytes are free when the last name of a file is gone**: cargo's target folder and `programs` share files, as blobs and
//! layouts do. What would free nothing stays, as long as something else frees more.
//!
//! **Never while a build runs**: every run holds the lock of the store, shared, and this takes it alone; a build that begins
//! meanwhile waits. Trees of revisions have a lock of their own, and stay while it is held. **Killed half way it leaves
//! nothing half removed under its name**: files go at once, and folders are first renamed into `cache/tmp`, which the next
//! run clears. **Nothing behind a link is removed**: see [`state`].

use std::collections::{BTreeMap, BTreeSet};
use std::fs::{File, TryLockError};
use std::io;

use camino::{Utf8Path, Utf8PathBuf};

use super::holdings::{FileIdentity, Holding, Part, entries, holdings, in_layouts, named};
use crate::workspace::state;

/// Held by whoever uses a tree of a revision.
const REVISIONS_LOCK: &str = "revisions/lock";

/// What is wanted.
#[derive(Debug, Clone, Copy)]
pub struct Wanted {
    /// How many bytes may stay.
    pub keep: u64,
    /// Whether layouts may go.
    pub layouts: bool,
    /// Whether nothing is to be removed.
    pub dry_run: bool,
}

/// What was removed.
#[derive(Debug, Default)]
pub struct Pruned {
    /// What it was, in the order in which it went.
    pub removed: Vec<Holding>,
    /// Bytes before.
    pub before: u64,
    /// Bytes after.
    pub after: u64,
}

/// Removes things below `folder` (`target/groupage`) until at most [`Wanted::keep`] bytes are left. `on_wait` is called when
/// a build has to end first.
///
/// # Errors
/// Whatever the disk says; what was removed until then is gone, and everything else whole.
pub fn prune(folder: &Utf8Path, wanted: Wanted, on_wait: impl FnOnce()) -> io::Result<Pruned> {
    if !folder.join("cache").is_dir() && holdings(folder)?.is_empty() {
        return Ok(Pruned::default());
    }
    let _alone = if wanted.dry_run { None } else { Some(alone(folder, on_wait)?) };
    let all = holdings(folder)?;
    let revisions = state::plain(folder, REVISIONS_LOCK).filter(|lock| lock.is_file());
    let revisions = revisions.and_then(|_| state::lock_file(folder, REVISIONS_LOCK).ok());
    let free = revisions.as_ref().is_none_or(|lock| lock.try_lock().is_ok());
    let before = all.iter().map(|holding| holding.bytes).sum();
    let mut run =
        Run { folder, wanted, names: names(&all), pruned: Pruned { removed: Vec::new(), before, after: before } };
    if wanted.layouts {
        let mut layouts: Vec<&Holding> = all.iter().filter(|holding| holding.part == Part::Layouts).collect();
        layouts.sort_by_key(|holding| holding.used);
        run.remove(layouts)?;
    }
    let gone: BTreeSet<&Utf8PathBuf> = run.pruned.removed.iter().map(|holding| &holding.path).collect();
    let left: Vec<Holding> = all.iter().filter(|holding| !gone.contains(&holding.path)).cloned().collect();
    let needed = in_layouts(&left)?;
    let mut candidates: Vec<&Holding> = left.iter().filter(|holding| may_go(holding, &needed, free)).collect();
    candidates.sort_by_key(|holding| (is_of_compiler(holding.part), holding.used, &holding.path));
    run.remove(candidates)?;
    let mut pruned = run.pruned;
    if !wanted.dry_run && !pruned.removed.is_empty() {
        let freed = forget_blobs(&folder.join("cache"), wanted.keep == 0)?;
        pruned.after = pruned.after.saturating_sub(freed);
    }
    Ok(pruned)
}

/// The lock of the store, alone.
fn alone(folder: &Utf8Path, on_wait: impl FnOnce()) -> io::Result<File> {
    let tmp = state::folder(folder, "cache/tmp")?;
    let lock = state::lock_file(folder, "cache/lock")?;
    match lock.try_lock() {
        Ok(()) => {}
        Err(TryLockError::WouldBlock) => {
            on_wait();
            lock.lock()?;
        }
        Err(TryLockError::Error(error)) => return Err(error),
    }
    super::clear(&tmp)?;
    Ok(lock)
}

fn may_go(holding: &Holding, needed: &BTreeSet<String>, revisions: bool) -> bool {
    match holding.part {
        Part::BaseLayers | Part::MadeLayers | Part::CompressedLayers | Part::OtherBlobs => {
            !needed.contains(holding.name())
        }
        Part::Programs | Part::Cargo | Part::Go => true,
        Part::Revisions => revisions && holding.name() != "lock",
        Part::Layouts | Part::Records | Part::Other => false,
    }
}

/// What only compilers know the use of.
fn is_of_compiler(part: Part) -> bool {
    matches!(part, Part::Cargo | Part::Go)
}

/// How many names each file has below the folder.
fn names(all: &[Holding]) -> BTreeMap<FileIdentity, u64> {
    let mut names = BTreeMap::new();
    all.iter().flat_map(|holding| &holding.files).for_each(|(file, _)| *names.entry(*file).or_default() += 1);
    names
}

struct Run<'a> {
    folder: &'a Utf8Path,
    wanted: Wanted,
    names: BTreeMap<FileIdentity, u64>,
    pruned: Pruned,
}

impl Run<'_> {
    /// Removes candidates in their order until the rest fits; what frees nothing only when everything is to go.
    fn remove(&mut self, mut candidates: Vec<&Holding>) -> io::Result<()> {
        loop {
            let all = candidates.len();
            let mut left = Vec::new();
            for holding in candidates {
                if self.pruned.after > self.wanted.keep && self.frees(holding) > 0 {
                    self.remove_one(holding)?;
                } else {
                    left.push(holding);
                }
            }
            candidates = left;
            if candidates.len() == all {
                break;
            }
        }
        let rest = if self.wanted.keep == 0 { candidates } else { Vec::new() };
        rest.into_iter().try_for_each(|holding| self.remove_one(holding))
    }

    /// The bytes of files that have no other name.
    fn frees(&self, holding: &Holding) -> u64 {
        let mut own: BTreeMap<FileIdentity, (u64, u64)> = BTreeMap::new();
        for (file, size) in &holding.files {
            own.entry(*file).or_insert((0, *size)).0 += 1;
        }
        own.iter().filter(|(file, (count, _))| self.names.get(file) == Some(count)).map(|(_, (_, size))| size).sum()
    }

    fn remove_one(&mut self, holding: &Holding) -> io::Result<()> {
        if !self.wanted.dry_run {
            if holding.part == Part::Revisions {
                remove_one(self.folder, &holding.path.with_extension("seal"))?;
            }
            if holding.part == Part::Go {
                make_removable(&holding.path);
            }
            remove_one(self.folder, &holding.path)?;
        }
        let freed = self.frees(holding);
        for (file, _) in &holding.files {
            self.names.entry(*file).and_modify(|count| *count -= 1);
        }
        self.pruned.after -= freed;
        self.pruned.removed.push(Holding { bytes: freed, ..holding.clone() });
        Ok(())
    }
}

/// Go takes the right to write from folders of modules; whoever may not give it back does not get the folder removed.
fn make_removable(path: &Utf8Path) {
    for entry in walkdir::WalkDir::new(path).follow_root_links(false).into_iter().filter_map(Result::ok) {
        if entry.file_type().is_dir() {
            _ = super::set_folder_writable(entry.path());
        }
    }
}

fn remove_one(folder: &Utf8Path, path: &Utf8Path) -> io::Result<()> {
    let gone = match path.symlink_metadata() {
        Ok(metadata) if metadata.is_dir() => {
            let away = tempfile::Builder::new().prefix("pruned-").tempdir_in(folder.join("cache/tmp"))?;
            let target = away.path().join("it");
            match fs_err::rename(path, &target) {
                // another file system
                Err(error) if error.kind() == io::ErrorKind::CrossesDevices => fs_err::remove_dir_all(path),
                other => other.and_then(|()| away.close()),
            }
        }
        Ok(_) => fs_err::remove_file(path),
        Err(error) => Err(error),
    };
    match gone {
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(()),
        other => other,
    }
}

/// Removes the records of blobs that are gone, and all that say nothing of a blob with `all`; the bytes that this frees.
fn forget_blobs(cache: &Utf8Path, all: bool) -> io::Result<u64> {
    let has = |name: &str| cache.join("blobs/sha256").join(name).exists();
    let mut freed = 0;
    let mut forget = |path: &Utf8Path| {
        freed += path.symlink_metadata().map_or(0, |metadata| metadata.len());
        fs_err::remove_file(path)
    };
    let records = |kind: &str| entries(cache, Utf8Path::new("records").join(kind));
    let mut compressed = BTreeSet::new();
    for kind in ["gzip", "zstd"] {
        for path in records(kind)? {
            if named(&path, "digest").is_some_and(|digest| has(&digest)) {
                compressed.insert(path.file_name().unwrap_or_default().to_owned());
            } else {
                forget(&path)?;
            }
        }
    }
    for path in records("layers")? {
        if !named(&path, "diff_id").is_some_and(|diff_id| has(&diff_id) || compressed.contains(&diff_id)) {
            forget(&path)?;
        }
    }
    // the layer that a list of files belongs to may be there in a compressed form
    let mut unpacked = BTreeSet::new();
    for path in records("unpacked")? {
        if has(path.file_name().unwrap_or_default()) {
            unpacked.extend(
                state::read_plain(&path, super::RECORD_LIMIT).ok().and_then(|bytes| String::from_utf8(bytes).ok()),
            );
        } else {
            forget(&path)?;
        }
    }
    for path in records("rootfs")? {
        let diff_id = path.file_name().unwrap_or_default();
        if !has(diff_id) && !unpacked.iter().any(|words| words.contains(diff_id)) {
            forget(&path)?;
        }
    }
    let other = entries(cache, "records")?.into_iter().filter(|path| {
        !["gzip", "zstd", "layers", "unpacked", "rootfs"].contains(&path.file_name().unwrap_or_default())
    });
    for kind in other.filter(|_| all) {
        entries(&kind, "")?.iter().try_for_each(|path| forget(path))?;
    }
    Ok(freed)
}
