//! Blobs by digest, on this machine: what was pulled and what was assembled, shared by all images of a workspace.
//!
//! ```text
//! target/groupage/cache/
//! ├── blobs/sha256/<hex>     bytes whose SHA-256 is their name
//! ├── records/<kind>/<key>   small facts, each in one file: which blob a layer is compressed to, what a layer was made of
//! ├── turns/<name>          locks, one for each thing that only one run may write at a time
//! ├── tmp/                   files on their way; whatever a killed run left there goes with the next run
//! └── lock                   held by every run, shared; who gets it alone may clear tmp/
//! ```
//!
//! **A blob appears by rename, after all of its bytes were written and its digest was compared**: a killed run leaves
//! nothing under a final name. It is not synced to the disk; a machine that loses its power may lose or shorten blobs, so
//! [`Store::has`] compares the size, and a blob that fits no more counts as absent and is made or fetched again. Blobs are
//! read-only and have a fixed time of modification, so that one that somebody wrote into is noticed as well.
//!
//! **When a blob was last used is its time of change** (ctime): setting its permission bits once more moves that and nothing
//! else. Times of access are off on many machines and moved by every backup, and a time of modification is what damage is
//! known by. A blob whose time is younger than `GRAIN` before this run began is left alone, so that a run in which nothing
//! is new writes nothing. `cache prune` goes by it; it gets the lock of the store alone, so that it never meets a build.

pub mod holdings;
pub mod prune;

use std::collections::BTreeSet;
use std::fs::{File, TryLockError};
use std::io::{self, Write};
use std::sync::{Arc, Condvar, Mutex, PoisonError};

use camino::{Utf8Path, Utf8PathBuf};
use filetime::FileTime;

use crate::oci::{Digest, Hasher};
use crate::workspace::state;

/// A folder of blobs. Cheap to clone; clones share the lock.
#[derive(Debug, Clone)]
pub struct Store {
    root: Utf8PathBuf,
    claims: Arc<Claims>,
    /// When this run began, by the clock of the file system, in seconds.
    began: i64,
    _lock: Arc<File>,
}

/// Where the store of a workspace is, in its state folder.
const FOLDER: &str = "cache";

/// How exactly it is known when a blob was last used, in seconds.
const GRAIN: i64 = 3600;

/// What threads of this process are making.
#[derive(Debug, Default)]
struct Claims {
    held: Mutex<BTreeSet<String>>,
    freed: Condvar,
}

/// What one thread alone makes, until this is dropped.
#[derive(Debug)]
pub struct Claim<'a> {
    claims: &'a Claims,
    name: String,
}

/// A blob that is being written. Dropped before [`BlobWriter::commit`], it leaves nothing.
#[derive(Debug)]
pub struct BlobWriter {
    file: tempfile::NamedTempFile,
    hasher: Hasher,
    blobs: Utf8PathBuf,
}

/// Why bytes did not become a blob.
#[derive(Debug, thiserror::Error)]
pub enum CommitError {
    /// They are not what was announced.
    #[error("expected {expected} with {expected_size} bytes, got {actual} with {actual_size} bytes")]
    Mismatch {
        /// Announced digest.
        expected: Digest,
        /// Announced size.
        expected_size: u64,
        /// Digest of what came.
        actual: Digest,
        /// Size of what came.
        actual_size: u64,
    },
    /// The disk refused.
    #[error(transparent)]
    Io(#[from] io::Error),
}

impl Store {
    /// Opens the store of a workspace, which is below its state folder (`target/groupage`).
    ///
    /// # Errors
    /// As [`Store::open`].
    pub fn of(state: &Utf8Path) -> io::Result<Self> {
        Self::open(&state::folder(state, FOLDER)?)
    }

    /// Opens the store in a folder, which is made if it is not there, and removes what a killed run left behind.
    ///
    /// # Errors
    /// Whatever the disk says; a folder of it is a link.
    pub fn open(root: &Utf8Path) -> io::Result<Self> {
        for folder in ["blobs/sha256", "records", "tmp"] {
            state::folder(root, folder)?;
        }
        let lock = state::lock_file(root, "lock")?;
        match lock.try_lock() {
            // alone: nobody else has a file on its way
            Ok(()) => clear(&root.join("tmp"))?,
            Err(TryLockError::WouldBlock) => {}
            Err(TryLockError::Error(error)) => return Err(error),
        }
        lock.unlock()?;
        lock.lock_shared()?;
        let began = now(&lock);
        Ok(Self { root: root.to_owned(), claims: Arc::default(), began, _lock: Arc::new(lock) })
    }

    /// Where the bytes of a digest are, or would be.
    pub fn path(&self, digest: &Digest) -> Utf8PathBuf {
        self.root.join("blobs/sha256").join(digest.hex())
    }

    /// Whether a blob is there, with this many bytes, and nobody wrote into it since it got its name.
    pub fn has(&self, digest: &Digest, size: u64) -> bool {
        let path = self.path(digest);
        let sealed = path.metadata().ok().filter(|metadata| fits(metadata, size));
        sealed.inspect(|metadata| self.note_use(&path, metadata)).is_some()
    }

    /// Moves the time of last use, if that is worth it. A blob of another user keeps its time.
    fn note_use(&self, path: &Utf8Path, metadata: &std::fs::Metadata) {
        if holdings::changed_at(metadata).is_some_and(|(seconds, _)| seconds < self.began - GRAIN) {
            _ = fs_err::set_permissions(path, metadata.permissions());
        }
    }

    /// Waits until nobody else writes the thing of this name; it is ours until the file is dropped.
    ///
    /// # Errors
    /// Whatever the disk says.
    pub fn turn(&self, name: &str) -> io::Result<File> {
        let file = state::lock_file(&self.root, Utf8Path::new("turns").join(name))?;
        file.lock()?;
        Ok(file)
    }

    /// Waits until no other thread of this process makes the thing of this name, so that it is made once. A thread that
    /// holds a claim must not ask for another one.
    pub fn claim(&self, name: &str) -> Claim<'_> {
        let held = self.claims.held.lock().unwrap_or_else(PoisonError::into_inner);
        let free = self.claims.freed.wait_while(held, |held| held.contains(name));
        free.unwrap_or_else(PoisonError::into_inner).insert(name.to_owned());
        Claim { claims: &self.claims, name: name.to_owned() }
    }

    /// Begins a blob.
    ///
    /// # Errors
    /// Whatever the disk says.
    pub fn writer(&self) -> io::Result<BlobWriter> {
        let file = tempfile::Builder::new().prefix("blob-").tempfile_in(self.root.join("tmp"))?;
        Ok(BlobWriter { file, hasher: Hasher::default(), blobs: self.root.join("blobs/sha256") })
    }

    /// Keeps bytes that are in memory.
    ///
    /// # Errors
    /// Whatever the disk says.
    pub fn put(&self, bytes: &[u8]) -> io::Result<Digest> {
        let digest = Digest::of(bytes);
        if !self.has(&digest, bytes.len() as u64) {
            let mut writer = self.writer()?;
            writer.write_all(bytes)?;
            seal(writer.file.as_file())?;
            persist(writer.file, &self.path(&digest))?;
        }
        Ok(digest)
    }

    /// The bytes of a small blob, compared with their digest; `None` when it is not there, or not what its name says.
    ///
    /// # Errors
    /// The blob is larger than `limit`, or the disk refuses.
    pub fn read(&self, digest: &Digest, limit: u64) -> io::Result<Option<Vec<u8>>> {
        let path = self.path(digest);
        let bytes = read_limited(&path, limit)?;
        path.metadata().iter().for_each(|metadata| self.note_use(&path, metadata));
        Ok(bytes.filter(|bytes| Digest::of(bytes) == *digest))
    }

    /// A fact of a kind, if it is known. `key` has only characters that a file name may have.
    pub fn record(&self, kind: &str, key: &str) -> Option<Vec<u8>> {
        state::read(&self.root, Utf8Path::new("records").join(kind).join(key), RECORD_LIMIT)
    }

    /// Keeps a fact.
    ///
    /// # Errors
    /// Whatever the disk says.
    pub fn set_record(&self, kind: &str, key: &str, bytes: &[u8]) -> io::Result<()> {
        let path = self.record_path(kind, key);
        state::folder(&self.root, Utf8Path::new("records").join(kind))?;
        self.replace(&path, bytes)
    }

    /// Forgets the oldest facts of a kind, until no more than `most` are left.
    ///
    /// # Errors
    /// Whatever the disk says.
    pub fn keep_newest(&self, kind: &str, most: usize) -> io::Result<()> {
        let paths = holdings::entries(&self.root, Utf8Path::new("records").join(kind))?;
        let Some(surplus) = paths.len().checked_sub(most) else { return Ok(()) };
        let written = |path: &Utf8PathBuf| path.metadata().and_then(|metadata| metadata.modified()).ok();
        let mut aged: Vec<_> = paths.into_iter().map(|path| (written(&path), path)).collect();
        aged.sort();
        aged.iter().take(surplus).try_for_each(|(_, path)| fs_err::remove_file(path))
    }

    /// Where a fact is kept.
    pub fn record_path(&self, kind: &str, key: &str) -> Utf8PathBuf {
        self.root.join("records").join(kind).join(key)
    }

    fn replace(&self, path: &Utf8Path, bytes: &[u8]) -> io::Result<()> {
        let mut file = tempfile::Builder::new().prefix("part-").tempfile_in(self.root.join("tmp"))?;
        file.write_all(bytes)?;
        persist(file, path)
    }
}

fn persist(file: tempfile::NamedTempFile, path: &Utf8Path) -> io::Result<()> {
    let named = |error: tempfile::PersistError| {
        io::Error::new(error.error.kind(), format!("failed to write {path}: {}", error.error))
    };
    file.persist(path).map(drop).map_err(named)
}

/// The time of modification of every blob.
const MARK: FileTime = FileTime::from_unix_time(1, 0);

/// Nobody is to write into a blob, and if somebody does, it shows.
pub(super) fn seal(file: &File) -> io::Result<()> {
    set_read_only(file)?;
    filetime::set_file_handle_times(file, None, Some(MARK))
}

/// Whether a file has so many bytes and was not written to since it was sealed.
pub(super) fn is_sealed(path: &Utf8Path, size: u64) -> bool {
    path.metadata().is_ok_and(|metadata| fits(&metadata, size))
}

fn fits(metadata: &std::fs::Metadata, size: u64) -> bool {
    metadata.is_file() && metadata.len() == size && FileTime::from_last_modification_time(metadata) == MARK
}

/// The time of the file system; a file that is ours gets it when its permission bits are set.
fn now(file: &File) -> i64 {
    let touched = file.metadata().and_then(|metadata| file.set_permissions(metadata.permissions()));
    let metadata = touched.and_then(|()| file.metadata()).ok();
    metadata.as_ref().and_then(holdings::changed_at).map_or(i64::MIN + GRAIN, |(seconds, _)| seconds)
}

#[cfg(unix)]
fn set_read_only(file: &File) -> io::Result<()> {
    use std::os::unix::fs::PermissionsExt as _;
    file.set_permissions(std::fs::Permissions::from_mode(0o444))
}

#[cfg(not(unix))]
fn set_read_only(_file: &File) -> io::Result<()> {
    Ok(())
}

/// Gives the owner of a folder the right to change it.
#[cfg(unix)]
fn set_folder_writable(folder: &std::path::Path) -> io::Result<()> {
    use std::os::unix::fs::PermissionsExt as _;
    let mode = fs_err::metadata(folder)?.permissions().mode();
    fs_err::set_permissions(folder, std::fs::Permissions::from_mode(mode | 0o700))
}

#[cfg(not(unix))]
fn set_folder_writable(_folder: &std::path::Path) -> io::Result<()> {
    Ok(())
}

/// A record is small; whatever is longer is not one of ours.
const RECORD_LIMIT: u64 = 64 * 1024 * 1024;

fn read_limited(path: &Utf8Path, limit: u64) -> io::Result<Option<Vec<u8>>> {
    match state::read_plain(path, limit) {
        Ok(bytes) => Ok(Some(bytes)),
        // what is put there replaces a link
        Err(error) if error.kind() == io::ErrorKind::NotFound || path.is_symlink() => Ok(None),
        Err(error) => Err(error),
    }
}

fn clear(folder: &Utf8Path) -> io::Result<()> {
    for entry in folder.read_dir_utf8()? {
        let entry = entry?;
        if entry.file_type()?.is_dir() {
            fs_err::remove_dir_all(entry.path())?;
        } else {
            fs_err::remove_file(entry.path())?;
        }
    }
    Ok(())
}

impl Drop for Claim<'_> {
    fn drop(&mut self) {
        self.claims.held.lock().unwrap_or_else(PoisonError::into_inner).remove(&self.name);
        self.claims.freed.notify_all();
    }
}

impl BlobWriter {
    /// The digest and size of what was written so far become final, and the blob gets its name. With `expected`, only if
    /// that is what came.
    ///
    /// # Errors
    /// [`CommitError`]; nothing is kept then.
    pub fn commit(self, expected: Option<(&Digest, u64)>) -> Result<(Digest, u64), CommitError> {
        let (digest, size) = self.hasher.finish();
        if let Some((wanted, wanted_size)) = expected
            && (*wanted != digest || wanted_size != size)
        {
            let expected = wanted.clone();
            return Err(CommitError::Mismatch {
                expected,
                expected_size: wanted_size,
                actual: digest,
                actual_size: size,
            });
        }
        seal(self.file.as_file())?;
        persist(self.file, &self.blobs.join(digest.hex()))?;
        Ok((digest, size))
    }

    /// How many bytes were written so far.
    pub fn size(&self) -> u64 {
        self.hasher.size()
    }
}

impl Write for BlobWriter {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let written = self.file.write(bytes)?;
        self.hasher.update(&bytes[..written]);
        Ok(written)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.file.flush()
    }
}

#[cfg(test)]
mod tests;
