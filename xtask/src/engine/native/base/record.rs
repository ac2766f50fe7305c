//! What was taken out of an image once: the record `extracts/<key>` of the store, a list of entries as JSON, compressed. It
//! holds as long as the bytes of all files are in the store. The key is the digest of all that the entries follow from:
//! what the layers unpack to, and the path.

use std::collections::BTreeMap;
use std::io::Read as _;

use serde::{Deserialize, Serialize};

use super::fault::Fault;
use super::scan::MAX_RECORD;
use crate::engine::native::entry::{Content, EntryKind, LayerEntry};
use crate::engine::store::Store;
use crate::oci::{Digest, Layer, hex};

/// The kind of the records.
const KIND: &str = "extracts";
/// What to count up when other entries come from the same layers.
const VERSION: u32 = 1;

/// One entry.
#[derive(Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Kept {
    path: String,
    kind: Kind,
    mode: u32,
    uid: u64,
    gid: u64,
    /// The values in hexadecimal digits.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    xattrs: BTreeMap<String, String>,
}

/// What is at a path.
#[derive(Debug, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
enum Kind {
    Folder,
    File { digest: String, size: u64 },
    Link { target: String },
}

/// The key of what is at a path in some layers.
pub(super) fn key(layers: &[Layer], from: &str) -> Digest {
    let diff_ids: Vec<String> = layers.iter().map(|layer| layer.diff_id.to_string()).collect();
    Digest::of(serde_json::json!([VERSION, diff_ids, from]).to_string().as_bytes())
}

/// What was taken out, if that is known and all of its bytes are there.
pub(super) fn load(key: &Digest, store: &Store) -> Option<Vec<LayerEntry>> {
    let record = store.record(KIND, key.hex())?;
    let mut bytes = Vec::new();
    zstd::Decoder::new(record.as_slice()).ok()?.take(MAX_RECORD).read_to_end(&mut bytes).ok()?;
    let kept: Vec<Kept> = serde_json::from_slice(&bytes).ok()?;
    kept.into_iter().map(|kept| restored(kept, store)).collect()
}

/// Records what was taken out. What is not in the store, or larger than what is read, is not recorded.
pub(super) fn keep(key: &Digest, entries: &[LayerEntry], store: &Store) -> Result<(), Fault> {
    let Some(kept) = entries.iter().map(kept).collect::<Option<Vec<Kept>>>() else { return Ok(()) };
    let record = serde_json::to_vec(&kept).map_err(|error| Fault::Io(error.into()))?;
    if record.len() as u64 > MAX_RECORD {
        return Ok(());
    }
    let record = zstd::bulk::compress(&record, 3).map_err(Fault::Io)?;
    store.set_record(KIND, key.hex(), &record).map_err(Fault::Io)
}

fn kept(entry: &LayerEntry) -> Option<Kept> {
    let LayerEntry { path, kind, mode, uid, gid, xattrs } = entry;
    let kind = match kind {
        EntryKind::Folder => Kind::Folder,
        EntryKind::Link { target } => Kind::Link { target: target.clone() },
        EntryKind::File(Content::Blob { digest, size }) => Kind::File { digest: digest.to_string(), size: *size },
        EntryKind::File(_) => return None,
    };
    let xattrs = xattrs.iter().map(|(name, value)| (name.clone(), hex(value))).collect();
    Some(Kept { path: path.clone(), kind, mode: *mode, uid: *uid, gid: *gid, xattrs })
}

fn restored(kept: Kept, store: &Store) -> Option<LayerEntry> {
    let Kept { path, kind, mode, uid, gid, xattrs } = kept;
    let kind = match kind {
        Kind::Folder => EntryKind::Folder,
        Kind::Link { target } => EntryKind::Link { target },
        Kind::File { digest, size } => {
            let digest: Digest = digest.parse().ok()?;
            store.has(&digest, size).then_some(())?;
            EntryKind::File(Content::Blob { digest, size })
        }
    };
    let xattrs = xattrs.into_iter().map(|(name, value)| Some((name, bytes(&value)?))).collect::<Option<_>>()?;
    Some(LayerEntry { path, kind, mode, uid, gid, xattrs })
}

/// Bytes in hexadecimal digits.
fn bytes(digits: &str) -> Option<Vec<u8>> {
    let digit = |byte: u8| char::from(byte).to_digit(16).map(|digit| digit as u8);
    let (pairs, rest) = digits.as_bytes().as_chunks::<2>();
    rest.is_empty().then_some(())?;
    pairs.iter().map(|[high, low]| Some(digit(*high)? << 4 | digit(*low)?)).collect()
}
