//! What a layer is made of: a sorted list of entries, as plain data. Nothing is read before the layer is written.

use std::collections::BTreeMap;
use std::sync::Arc;

use camino::Utf8PathBuf;

use crate::oci::Digest;
use crate::workspace::Seen;

/// One path of a layer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LayerEntry {
    /// Path in the image, without a leading `/`.
    pub path: String,
    /// What is there.
    pub kind: EntryKind,
    /// Permission bits, set-user-ID and sticky bits included.
    pub mode: u32,
    /// Owner.
    pub uid: u64,
    /// Group.
    pub gid: u64,
    /// Extended attributes, such as `security.capability`.
    pub xattrs: BTreeMap<String, Vec<u8>>,
}

/// What is at a path.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum EntryKind {
    /// A folder.
    Folder,
    /// A regular file.
    File(Content),
    /// A symbolic link.
    Link {
        /// What it points to, as written.
        target: String,
    },
}

/// Where the bytes of a file are.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Content {
    /// A blob of the store.
    Blob {
        /// Its name.
        digest: Digest,
        /// Its size in bytes.
        size: u64,
    },
    /// A file of this machine that was hashed before, when the plan was made.
    Hashed {
        /// Where it is.
        path: Utf8PathBuf,
        /// What was in it.
        digest: Digest,
        /// How it is recognised without being hashed again.
        seen: Seen,
    },
    /// A file of this machine, such as a program that was just compiled.
    Disk(Utf8PathBuf),
    /// In memory, because we wrote it.
    Bytes(Arc<[u8]>),
}

impl LayerEntry {
    /// Whether it is a symbolic link.
    pub fn is_link(&self) -> bool {
        matches!(self.kind, EntryKind::Link { .. })
    }

    /// Whether it is a folder.
    pub fn is_folder(&self) -> bool {
        self.kind == EntryKind::Folder
    }

    /// A folder of root that everybody may enter.
    pub fn folder(path: impl Into<String>) -> Self {
        Self::new(path, EntryKind::Folder, 0o755)
    }

    /// A file of root.
    pub fn file(path: impl Into<String>, content: Content, mode: u32) -> Self {
        Self::new(path, EntryKind::File(content), mode)
    }

    /// A link.
    pub fn link(path: impl Into<String>, target: impl Into<String>) -> Self {
        Self::new(path, EntryKind::Link { target: target.into() }, 0o777)
    }

    fn new(path: impl Into<String>, kind: EntryKind, mode: u32) -> Self {
        Self { path: path.into(), kind, mode, uid: 0, gid: 0, xattrs: BTreeMap::new() }
    }
}
