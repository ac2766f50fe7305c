//! Hashes of files, remembered from run to run below `target/groupage`.
//!
//! An entry counts when the file system says of its file exactly what it said when the hash was taken, and when the file was
//! clearly older than that moment; see [`super::seen`]. So a changed file is always hashed again, and so is one that was only
//! touched: it gets the same hash, and with it the same fingerprint. What was hashed in this run is not hashed a second time
//! in it, however young the file is: a run sees one state of the workspace.
//!
//! A memory is never trusted: one that is damaged, cut off, foreign or of another version counts as none, and so does one
//! that cannot be read. It is written by rename and only when something in it is new; two runs at once write one after the
//! other, and what the first one knew is hashed again some day. Nothing depends on its being written.
//!
//! Names are relative to the workspace, which may move. What is gone is forgotten when a file of its folder was hashed anew,
//! or when its folder is gone, so that the memory is never larger than what was there at the last look.

mod format;
#[cfg(test)]
mod tests;

use std::collections::BTreeMap;
use std::sync::{Mutex, OnceLock, PoisonError};

use camino::{Utf8Path, Utf8PathBuf};

pub(crate) use format::Hash;
use format::{Files, Stored};

use super::seen::{Clock, Stat};
use super::state::{self, MEMORY_FOLDER};

/// The memory of hashes.
const FILE: &str = "hashes";
/// A larger file is not ours, in bytes.
const MAX_FILE: u64 = 1 << 30;

/// What is known of files. [`Memory::default`] knows nothing, and is not kept.
#[derive(Debug, Default)]
pub struct Memory {
    place: Option<Place>,
    stored: OnceLock<Stored>,
    fresh: Mutex<Fresh>,
}

#[derive(Debug)]
struct Place {
    /// The workspace.
    root: Utf8PathBuf,
    /// Where the file is.
    folder: Utf8PathBuf,
}

/// What was hashed in this run, by folder and name.
#[derive(Debug, Default)]
struct Fresh {
    folders: BTreeMap<String, BTreeMap<String, Known>>,
    /// Whether something was hashed that is not in the file yet.
    is_new: bool,
}

/// What is known of a file.
#[derive(Debug, Clone, Copy)]
pub(super) struct Known {
    pub(super) stat: Stat,
    pub(super) hash: Hash,
    /// Whether the file was clearly older than its hash.
    pub(super) is_settled: bool,
}

impl Memory {
    /// The memory of a workspace. It is read when it is needed first.
    pub fn open(root: &Utf8Path) -> Self {
        let place = Place { root: root.to_owned(), folder: root.join(MEMORY_FOLDER) };
        Self { place: Some(place), ..Self::default() }
    }

    /// Reads what was stored while `work` is done, which does not need it yet.
    pub fn ahead_of<R>(&self, work: impl FnOnce() -> R) -> R {
        std::thread::scope(|scope| {
            scope.spawn(|| self.stored());
            work()
        })
    }

    fn stored(&self) -> &Stored {
        self.stored.get_or_init(|| self.place.as_ref().and_then(|place| read(&place.folder)).unwrap_or_default())
    }

    /// Reads the clock by which files count as old; before they are hashed.
    pub(super) fn clock(&self) -> Option<Clock> {
        let place = self.place.as_ref()?;
        Clock::read(&state::folder(&place.folder, "").ok()?)
    }

    /// Asks for files of one folder, which must be asked for in order of their names.
    pub(super) fn recall<'a>(&'a self, folder: &str) -> Recall<'a> {
        let fresh = self.fresh.lock().unwrap_or_else(PoisonError::into_inner);
        let mut stored = self.stored().files(folder);
        Recall { next: stored.next(), stored, fresh: fresh.folders.get(folder).cloned().unwrap_or_default() }
    }

    /// Keeps what was hashed: folder, name, and what is known.
    pub(super) fn keep<'f>(&self, hashed: impl IntoIterator<Item = (&'f str, &'f str, Known)>) {
        let mut fresh = self.fresh.lock().unwrap_or_else(PoisonError::into_inner);
        for (folder, name, known) in hashed {
            fresh.is_new |= known.is_settled;
            match fresh.folders.get_mut(folder) {
                Some(files) => _ = files.insert(name.to_owned(), known),
                None => _ = fresh.folders.insert(folder.to_owned(), BTreeMap::from([(name.to_owned(), known)])),
            }
        }
    }

    /// Writes the memory, if something in it is new; whether it was written. That it cannot be written is no error: the next
    /// run hashes again.
    pub fn save(&self) -> bool {
        let mut fresh = self.fresh.lock().unwrap_or_else(PoisonError::into_inner);
        let Some(place) = self.place.as_ref().filter(|_| fresh.is_new) else { return false };
        fresh.is_new = false;
        state::write(&place.folder, FILE, &merged(place, self.stored(), &fresh)).is_ok()
    }
}

/// The files of one folder.
#[derive(Debug)]
pub(super) struct Recall<'a> {
    stored: Files<'a>,
    next: Option<format::StoredFile<'a>>,
    fresh: BTreeMap<String, Known>,
}

impl Recall<'_> {
    /// Whether no file of the folder is known.
    pub(super) fn knows_nothing(&self) -> bool {
        self.next.is_none() && self.fresh.is_empty()
    }

    /// What is known of a file of which the file system says this now.
    pub(super) fn file(&mut self, name: &str, stat: &Stat) -> Option<Known> {
        if !self.fresh.is_empty()
            && let Some(known) = self.fresh.get(name).filter(|known| known.stat == *stat)
        {
            return Some(*known);
        }
        while self.next.is_some_and(|file| file.name < name.as_bytes()) {
            self.next = self.stored.next();
        }
        let file = self.next.filter(|file| file.name == name.as_bytes() && file.stat() == *stat)?;
        Some(Known { stat: *stat, hash: file.hash(), is_settled: true })
    }
}

fn read(folder: &Utf8Path) -> Option<Stored> {
    Stored::decode(state::read(folder, FILE, MAX_FILE)?)
}

/// What was stored and what is new, without what is gone.
fn merged(place: &Place, stored: &Stored, fresh: &Fresh) -> Vec<u8> {
    let mut folders: BTreeMap<&str, Vec<u8>> = BTreeMap::new();
    let mut unchanged: BTreeMap<&str, &[u8]> = BTreeMap::new();
    for (path, block) in stored.folders() {
        if !fresh.folders.contains_key(path) && place.root.join(path).is_dir() {
            unchanged.insert(path, block);
        }
    }
    for (path, new) in &fresh.folders {
        if let Some(block) = merged_block(&place.root.join(path), stored.files(path), new) {
            folders.insert(path, block);
        }
    }
    unchanged.extend(folders.iter().map(|(path, block)| (*path, block.as_slice())));
    format::encode(unchanged)
}

/// `None` when nothing of a folder is worth keeping.
fn merged_block(folder: &Utf8Path, stored: Files<'_>, new: &BTreeMap<String, Known>) -> Option<Vec<u8>> {
    let mut files: BTreeMap<&str, (Stat, Hash)> = BTreeMap::new();
    for file in stored {
        if let Ok(name) = str::from_utf8(file.name)
            && !new.contains_key(name)
            && folder.join(name).symlink_metadata().is_ok()
        {
            files.insert(name, (file.stat(), file.hash()));
        }
    }
    let settled = new.iter().filter(|(_, known)| known.is_settled);
    files.extend(settled.map(|(name, known)| (name.as_str(), (known.stat, known.hash))));
    // a block has one device; a file that is mounted over another one is hashed every time
    let device = files.values().next()?.0.device;
    let on_it = files.into_iter().filter(|(_, (stat, _))| stat.device == device);
    Some(format::block(device, on_it.map(|(name, (stat, hash))| (name, stat, hash))))
}
