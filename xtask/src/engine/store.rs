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

use std::collections::BTreeSet;
use std::fs::{File, TryLockError};
use std::io::{self, Read as _, Write};
use std::sync::{Arc, Condvar, Mutex, PoisonError};

use camino::{Utf8Path, Utf8PathBuf};
use filetime::FileTime;

use crate::oci::{Digest, Hasher};

/// A folder of blobs. Cheap to clone; clones share the lock.
#[derive(Debug, Clone)]
pub struct Store {
    root: Utf8PathBuf,
    claims: Arc<Claims>,
    _lock: Arc<File>,
}

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
    /// Opens the store below a folder, which is made if it is not there, and removes what a killed run left behind.
    ///
    /// # Errors
    /// Whatever the disk says.
    pub fn open(root: &Utf8Path) -> io::Result<Self> {
        for folder in ["blobs/sha256", "records", "tmp"] {
            fs_err::create_dir_all(root.join(folder))?;
        }
        let path = root.join("lock");
        let lock = fs_err::OpenOptions::new().create(true).append(true).open(&path)?.into_parts().0;
        match lock.try_lock() {
            // alone: nobody else has a file on its way
            Ok(()) => clear(&root.join("tmp"))?,
            Err(TryLockError::WouldBlock) => {}
            Err(TryLockError::Error(error)) => return Err(error),
        }
        lock.unlock()?;
        lock.lock_shared()?;
        Ok(Self { root: root.to_owned(), claims: Arc::default(), _lock: Arc::new(lock) })
    }

    /// Where the bytes of a digest are, or would be.
    pub fn path(&self, digest: &Digest) -> Utf8PathBuf {
        self.root.join("blobs/sha256").join(digest.hex())
    }

    /// Whether a blob is there, with this many bytes, and nobody wrote into it since it got its name.
    pub fn has(&self, digest: &Digest, size: u64) -> bool {
        is_sealed(&self.path(digest), size)
    }

    /// Waits until nobody else writes the thing of this name; it is ours until the file is dropped.
    ///
    /// # Errors
    /// Whatever the disk says.
    pub fn turn(&self, name: &str) -> io::Result<File> {
        fs_err::create_dir_all(self.root.join("turns"))?;
        let file = File::options().create(true).append(true).open(self.root.join("turns").join(name))?;
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
        let bytes = read_limited(&self.path(digest), limit)?;
        Ok(bytes.filter(|bytes| Digest::of(bytes) == *digest))
    }

    /// A fact of a kind, if it is known. `key` has only characters that a file name may have.
    pub fn record(&self, kind: &str, key: &str) -> Option<Vec<u8>> {
        read_limited(&self.record_path(kind, key), RECORD_LIMIT).ok().flatten()
    }

    /// Keeps a fact.
    ///
    /// # Errors
    /// Whatever the disk says.
    pub fn set_record(&self, kind: &str, key: &str, bytes: &[u8]) -> io::Result<()> {
        let path = self.record_path(kind, key);
        fs_err::create_dir_all(self.root.join("records").join(kind))?;
        self.replace(&path, bytes)
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
    let fits = |metadata: std::fs::Metadata| {
        metadata.is_file() && metadata.len() == size && FileTime::from_last_modification_time(&metadata) == MARK
    };
    path.metadata().is_ok_and(fits)
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

/// A record is small; whatever is longer is not one of ours.
const RECORD_LIMIT: u64 = 64 * 1024 * 1024;

fn read_limited(path: &Utf8Path, limit: u64) -> io::Result<Option<Vec<u8>>> {
    let file = match File::open(path) {
        Ok(file) => file,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
        Err(error) => return Err(error),
    };
    let mut bytes = Vec::new();
    file.take(limit + 1).read_to_end(&mut bytes)?;
    if bytes.len() as u64 > limit {
        return Err(io::Error::other(format!("{path} has more than {limit} bytes")));
    }
    Ok(Some(bytes))
}

fn clear(folder: &Utf8Path) -> io::Result<()> {
    for entry in folder.read_dir_utf8()? {
        let entry = entry?;
        if entry.file_type()?.is_file() {
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
mod tests {
    use super::*;

    fn store() -> (tempfile::TempDir, Store) {
        let folder = tempfile::tempdir().unwrap();
        let store = Store::open(Utf8Path::from_path(folder.path()).unwrap()).unwrap();
        (folder, store)
    }

    #[test]
    fn a_blob_appears_when_it_is_whole() {
        let (_folder, store) = store();
        let digest = Digest::of(b"abc");
        let mut writer = store.writer().unwrap();
        writer.write_all(b"abc").unwrap();
        assert!(!store.has(&digest, 3));
        assert_eq!(writer.commit(Some((&digest, 3))).unwrap(), (digest.clone(), 3));
        assert!(store.has(&digest, 3) && !store.has(&digest, 4));
        assert_eq!(store.read(&digest, 10).unwrap().as_deref(), Some(b"abc".as_slice()));
    }

    #[test]
    fn what_was_not_announced_is_not_kept() {
        let (_folder, store) = store();
        let wanted = Digest::of(b"abc");
        let mut writer = store.writer().unwrap();
        writer.write_all(b"abd").unwrap();
        assert!(matches!(writer.commit(Some((&wanted, 3))), Err(CommitError::Mismatch { .. })));
        assert!(!store.has(&wanted, 3));
        assert_eq!(store.root.join("tmp").read_dir_utf8().unwrap().count(), 0);
    }

    #[test]
    fn a_blob_that_was_damaged_is_not_served() {
        let (_folder, store) = store();
        let digest = store.put(b"abc").unwrap();
        for damaged in [b"ab".as_slice(), b"abd"] {
            let path = store.path(&digest);
            std::fs::remove_file(&path).unwrap();
            std::fs::write(&path, damaged).unwrap();
            assert!(!store.has(&digest, 3));
        }
        assert_eq!(store.read(&digest, 10).unwrap(), None);
        store.put(b"abc").unwrap();
        assert!(store.has(&digest, 3));
    }

    #[test]
    fn leftovers_go_when_nobody_else_is_there() {
        let (folder, store) = store();
        let left = store.root.join("tmp/blob-left");
        std::fs::write(&left, b"x").unwrap();
        let root = Utf8Path::from_path(folder.path()).unwrap();
        let second = Store::open(root).unwrap();
        assert!(left.exists(), "another run may be writing it");
        drop((store, second));
        Store::open(root).unwrap();
        assert!(!left.exists());
    }
}
