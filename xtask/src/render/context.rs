//! The files that travel with a Dockerfile: a sorted list, as plain data.
//!
//! A [`Context`] names everything that `COPY` can see and nothing else. It is built before anything is read: an entry
//! knows where its bytes are (on disk, or in memory), and the engine streams them.

use std::collections::BTreeMap;
use std::sync::Arc;

use camino::{Utf8Path, Utf8PathBuf};

/// The files of one build context, sorted by path.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Context {
    entries: BTreeMap<Utf8PathBuf, ContextEntry>,
}

/// One file or link of a context. Folders are implied by the paths.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ContextEntry {
    /// A regular file.
    File {
        /// Where its bytes are.
        bytes: Bytes,
        /// Permission bits, such as `0o644`; nothing else of the source's metadata travels.
        mode: u32,
    },
    /// A symbolic link.
    Link {
        /// What it points to, as written.
        target: String,
    },
}

/// Where the bytes of a file are.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Bytes {
    /// A file on this machine.
    Disk(Utf8PathBuf),
    /// In memory, because we wrote them.
    Memory(Arc<[u8]>),
}

impl Context {
    /// Adds an entry. `path` is relative, uses `/` and stays below the root of the context.
    ///
    /// # Panics
    /// When the path is absolute or contains `..`: paths of contexts are made by this crate, never by a user.
    pub fn insert(&mut self, path: impl Into<Utf8PathBuf>, entry: ContextEntry) {
        let path = path.into();
        let inside = path.components().all(|part| matches!(part, camino::Utf8Component::Normal(_)));
        assert!(inside, "context path {path} leaves its root");
        self.entries.insert(path, entry);
    }

    /// Adds a file whose bytes are in memory.
    pub fn insert_bytes(&mut self, path: impl Into<Utf8PathBuf>, bytes: impl Into<Arc<[u8]>>, mode: u32) {
        self.insert(path, ContextEntry::File { bytes: Bytes::Memory(bytes.into()), mode });
    }

    /// All entries, sorted by path.
    pub fn entries(&self) -> impl ExactSizeIterator<Item = (&Utf8Path, &ContextEntry)> {
        self.entries.iter().map(|(path, entry)| (path.as_path(), entry))
    }

    /// Adds everything of another context; equal paths are expected to hold equal entries.
    pub fn extend(&mut self, other: Context) {
        self.entries.extend(other.entries);
    }

    /// True when there is nothing to send.
    pub fn is_empty(&self) -> bool {
        self.entries.is_empty()
    }
}
