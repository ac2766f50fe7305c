//! All that is in an image, with digests and sizes of its files: for `diff`. The bytes of each layer are read once more, because
//! a [`Rootfs`](crate::oci::Rootfs) knows names only; a layer that two images share is read once for both.

use std::collections::BTreeMap;
use std::io;
use std::sync::Arc;

use super::Base;
use super::fault::Fault;
use super::scan;
use crate::engine::EngineError;
use crate::engine::store::Store;
use crate::oci::{Attributes, DiffId, Digest, Hasher, ImageSource, Layer, Node, TarKind, TarReader};

/// Longest names of all paths together, in bytes; more are refused, so that memory stays bounded.
const MAX_NAMES: u64 = 1 << 30;

/// What is at a path.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TreeEntry {
    /// Owner and permission bits.
    pub attributes: Attributes,
    /// What it is.
    pub kind: TreeKind,
}

/// Kinds of things in an image.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum TreeKind {
    /// A folder.
    Folder,
    /// A file.
    File {
        /// Digest of its bytes.
        digest: Digest,
        /// Number of its bytes.
        size: u64,
    },
    /// A symbolic link.
    Link(String),
    /// A device or a pipe.
    Special,
}

/// Everything in an image, by absolute path.
pub type Tree = BTreeMap<String, TreeEntry>;

/// Files of one layer: digest and size by position.
type Hashed = BTreeMap<u32, (Digest, u64)>;

/// What was read of layers, for several images.
#[derive(Debug, Default)]
pub struct Trees {
    known: BTreeMap<DiffId, Arc<Hashed>>,
}

impl Trees {
    /// All that is in an image, whose layers are in the store.
    ///
    /// # Errors
    /// [`EngineError::Image`]: a layer cannot be read, or there are too many names.
    pub fn of(&mut self, image: &ImageSource, base: &Base, store: &Store) -> Result<Tree, EngineError> {
        self.tree(base, store).map_err(|fault| fault.of(image))
    }

    fn tree(&mut self, base: &Base, store: &Store) -> Result<Tree, Fault> {
        if base.rootfs.bytes_below("/") > MAX_NAMES {
            return Err(Fault::Refused(format!("its paths have more than {MAX_NAMES} bytes")));
        }
        let layers = base.layers.iter().map(|layer| self.layer(layer, store)).collect::<Result<Vec<_>, _>>()?;
        let mut tree = Tree::new();
        for (path, node) in base.rootfs.below("/") {
            let (attributes, kind) = match node {
                Node::Folder(own) => (own, TreeKind::Folder),
                Node::Link(own, target) => (own, TreeKind::Link(target.to_owned())),
                Node::Special(own) => (own, TreeKind::Special),
                Node::File(own, source) => {
                    let hashed = layers.get(usize::from(source.layer)).zip(source.entry);
                    let found = hashed.and_then(|(layer, entry)| layer.get(&entry));
                    let (digest, size) =
                        found.ok_or_else(|| Fault::Refused(format!("/{path} is in none of its layers")))?.clone();
                    (own, TreeKind::File { digest, size })
                }
            };
            tree.insert(format!("/{path}"), TreeEntry { attributes, kind });
        }
        Ok(tree)
    }

    fn layer(&mut self, layer: &Layer, store: &Store) -> Result<Arc<Hashed>, Fault> {
        if let Some(known) = self.known.get(&layer.diff_id) {
            return Ok(known.clone());
        }
        let hashed = hashed(layer, store).map_err(|fault| fault.within(&format!("layer {}", layer.digest)))?;
        let hashed = Arc::new(hashed);
        self.known.insert(layer.diff_id.clone(), hashed.clone());
        Ok(hashed)
    }
}

/// Hashes all files of a layer.
fn hashed(layer: &Layer, store: &Store) -> Result<Hashed, Fault> {
    let mut tar = TarReader::new(scan::unpacked(scan::stored(layer, store)?, layer.compression)?);
    let (mut hashed, mut position) = (Hashed::new(), 0);
    while let Some(entry) = tar.next_entry()? {
        if entry.kind == TarKind::File {
            let mut hasher = Hashing(Hasher::default());
            io::copy(&mut tar, &mut hasher)?;
            hashed.insert(position, hasher.0.finish());
        }
        position += 1;
    }
    Ok(hashed)
}

struct Hashing(Hasher);

impl io::Write for Hashing {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.update(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}
