//! Files taken out of an image, as `COPY --from=IMAGE FROM TO` of BuildKit takes them:
//!
//! - a link at `FROM` itself is followed, inside the image; links below a folder are copied as they are;
//! - owner, group, permission bits and extended attributes of files stay; hard links become files of their own;
//! - of a folder all that is in it is copied, hidden files too; the folder itself is made anew, with mode 0755 and owner 0:0.
//!
//! Devices, pipes, sparse files and names that are not UTF-8 are refused: what would be written is not what is there.

use std::collections::BTreeMap;
use std::io::{self, Read};

use super::fault::Fault;
use super::{Base, record, scan};
use crate::engine::EngineError;
use crate::engine::native::entry::{Content, EntryKind, LayerEntry};
use crate::engine::store::Store;
use crate::oci::{Attributes, Layer, Node, Source, TarEntry, TarKind, TarReader};

/// Most bytes of all paths that are taken out at once, written in full.
const MAX_PATHS: u64 = 256 << 20;

/// The bytes of files, and their extended attributes, by position in the tar of a layer.
type Contents = BTreeMap<u32, (Content, BTreeMap<String, Vec<u8>>)>;

impl Base {
    /// All that is at `from`, an absolute path, and below it; paths are relative to it, and empty for itself. Folders come
    /// before what is in them. The bytes of files are put into the store; what was taken out once is not read again.
    ///
    /// # Errors
    /// [`EngineError::Image`]: there is no such path in the image, or something that cannot be taken out.
    pub fn extract(&self, image: &impl ToString, from: &str, store: &Store) -> Result<Vec<LayerEntry>, EngineError> {
        let key = record::key(&self.layers, from);
        if let Some(entries) = record::load(&key, store) {
            return Ok(entries);
        }
        let extract = || {
            let entries = self.entries(from, store)?;
            record::keep(&key, &entries, store)?;
            Ok(entries)
        };
        extract().map_err(|fault: Fault| fault.within(from).of(image))
    }

    /// All that the layers from one on give, by relative paths, folders before what is in them.
    ///
    /// # Errors
    /// As [`Base::extract`].
    pub fn extract_above(
        &self,
        image: &impl ToString,
        base_layers: u16,
        store: &Store,
    ) -> Result<Vec<LayerEntry>, EngineError> {
        // no path begins so
        let key = record::key(&self.layers, &format!("above {base_layers}"));
        if let Some(entries) = record::load(&key, store) {
            return Ok(entries);
        }
        let extract = || {
            self.check_paths("/")?;
            let nodes = self.rootfs.since(base_layers);
            let contents = self.contents(&nodes, store)?;
            let entries = nodes.into_iter().map(|(path, node)| entry(path, node, &contents));
            let entries = entries.collect::<Result<Vec<_>, Fault>>()?;
            record::keep(&key, &entries, store)?;
            Ok(entries)
        };
        extract().map_err(|fault: Fault| fault.of(image))
    }

    fn check_paths(&self, top: &str) -> Result<(), Fault> {
        let bytes = self.rootfs.bytes_below(top);
        if bytes > MAX_PATHS {
            let message = format!("all paths in it have {bytes} bytes; at most {MAX_PATHS} are taken out");
            return Err(Fault::Refused(format!("{message}\nhint: take out a folder in it, or fewer files")));
        }
        Ok(())
    }

    fn entries(&self, from: &str, store: &Store) -> Result<Vec<LayerEntry>, Fault> {
        let top = self.rootfs.resolve(from).map_err(|error| Fault::Refused(error.to_string()))?;
        let top_node = self.rootfs.get(&top).ok_or_else(|| Fault::Refused("it is not in the image".to_owned()))?;
        self.check_paths(&top)?;
        let below = self.rootfs.below(&top);
        let top_node = match top_node {
            Node::Folder(_) => Node::Folder(Attributes { mode: 0o755, uid: 0, gid: 0 }),
            node => node,
        };
        let nodes: Vec<(String, Node<'_>)> = std::iter::once((String::new(), top_node)).chain(below).collect();
        let contents = self.contents(&nodes, store)?;
        nodes.into_iter().map(|(path, node)| entry(path, node, &contents)).collect()
    }

    /// The bytes of all files among some nodes, by layer. Each layer is read once, up to the last file that is wanted.
    fn contents(&self, nodes: &[(String, Node<'_>)], store: &Store) -> Result<BTreeMap<u16, Contents>, Fault> {
        let mut wanted: BTreeMap<u16, Vec<u32>> = BTreeMap::new();
        for (_, node) in nodes {
            if let Node::File(_, Source { layer, entry: Some(entry) }) = node {
                wanted.entry(*layer).or_default().push(*entry);
            }
        }
        let wanted: Vec<(u16, Vec<u32>)> = wanted.into_iter().collect();
        let read = scan::in_parallel(&wanted, |(layer, entries)| {
            let missing = || Fault::Refused("it is not in the image".to_owned());
            let layer = self.layers.get(usize::from(*layer)).ok_or_else(missing)?;
            read_entries(layer, entries, store).map_err(|fault| fault.within(&format!("layer {}", layer.digest)))
        })?;
        Ok(wanted.into_iter().map(|(layer, _)| layer).zip(read).collect())
    }
}

fn entry(path: String, node: Node<'_>, contents: &BTreeMap<u16, Contents>) -> Result<LayerEntry, Fault> {
    let refuse = |what: &str| Err(Fault::Refused(format!("{path:?} {what}")));
    let target = if let Node::Link(_, target) = node { target } else { "" };
    if path.contains(char::REPLACEMENT_CHARACTER) || target.contains(char::REPLACEMENT_CHARACTER) {
        return refuse("has a name that is not UTF-8, which cannot be taken out");
    }
    let (Attributes { mode, uid, gid }, kind, xattrs) = match node {
        Node::Folder(own) => (own, EntryKind::Folder, BTreeMap::new()),
        Node::Link(own, target) => (own, EntryKind::Link { target: target.to_owned() }, BTreeMap::new()),
        Node::Special(_) => return refuse("is a device or a pipe, which cannot be taken out"),
        Node::File(own, source) => {
            let found = contents.get(&source.layer).and_then(|layer| layer.get(&source.entry?));
            let Some((content, xattrs)) = found else { return refuse("is not in its layer") };
            (own, EntryKind::File(content.clone()), xattrs.clone())
        }
    };
    Ok(LayerEntry { path, kind, mode, uid: uid.into(), gid: gid.into(), xattrs })
}

/// The bytes of some entries of a layer.
fn read_entries(layer: &Layer, wanted: &[u32], store: &Store) -> Result<Contents, Fault> {
    let mut tar = TarReader::new(scan::unpacked(scan::stored(layer, store)?, layer.compression)?);
    let last = wanted.iter().max().copied().unwrap_or_default();
    let wanted: std::collections::BTreeSet<u32> = wanted.iter().copied().collect();
    let mut contents = Contents::new();
    for position in 0..=last {
        let Some(entry) = tar.next_entry()? else { break };
        if wanted.contains(&position) {
            contents.insert(position, content(entry, &mut tar, store)?);
        }
    }
    Ok(contents)
}

fn content(
    entry: TarEntry,
    bytes: &mut impl Read,
    store: &Store,
) -> Result<(Content, BTreeMap<String, Vec<u8>>), Fault> {
    let name = String::from_utf8_lossy(&entry.name);
    if entry.kind != TarKind::File {
        return Err(Fault::Refused(format!("{name:?} is not the file that was listed")));
    }
    if entry.sparse {
        return Err(Fault::Refused(format!("{name:?} is a sparse file, which cannot be taken out")));
    }
    let mut writer = store.writer().map_err(Fault::Io)?;
    io::copy(bytes, &mut writer)?;
    let (digest, size) = writer.commit(None)?;
    let mut xattrs = entry.xattrs;
    // books of the overlay file system of whoever made the layer; they mean nothing elsewhere
    xattrs.retain(|name, _| !name.starts_with("trusted.overlay.") && !name.starts_with("user.overlay."));
    Ok((Content::Blob { digest, size }, xattrs))
}
