//! Layers that were made before. A layer is made again only when something in it is another one, and compressed only once.
//!
//! | record of the store | key | says |
//! |---|---|---|
//! | `layers` | hash of all entries: path, kind, mode, owner, attributes, time, and what the content is known by | diff ID and size |
//! | `gzip`, `zstd` | diff ID | digest and size of the compressed layer |
//!
//! Layers of other images that are used as they are ([`Whole`]) pass through: they are in the store already.
//!
//! Content is known by its digest where there is one. A file that nobody has hashed, such as a program that was just
//! compiled, is known by what the file system says of it: device, inode, size, times of change. The record then counts only
//! if it is younger than the file, by the same clock: a file that changes within the tick in which it was hashed would look
//! the same (git calls such an entry racily clean).

use std::collections::BTreeMap;
use std::io;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use camino::Utf8Path;
use serde_json::{Value, json};

use super::entry::{Content, EntryKind, LayerEntry};
use super::layer::{self, LayerError};
use crate::engine::store::Store;
use crate::manifest::ComponentName;
use crate::oci::{Compression, DiffId, Digest, Layer, Listing};
use crate::workspace::in_parallel;

/// Counted up when the same entries give other bytes.
const VERSION: u32 = 1;

/// A layer that is wanted.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LayerPlan {
    /// What it is called in progress and history, such as `comp-config-reloader`.
    pub name: String,
    /// What is in it.
    pub entries: Vec<LayerEntry>,
    /// Time of all entries, in seconds since 1970.
    pub time: u64,
    /// A layer of another image that is used as it is; then there are no entries.
    pub whole: Option<Arc<Whole>>,
}

/// A layer of another image, whose bytes are in the store.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Whole {
    /// The layer.
    pub layer: Layer,
    /// What it does.
    pub listing: Listing,
}

/// What the layer of a component is called, and one that is used as it is.
const MADE: &str = "comp-";
const TAKEN: &str = "taken-";

impl LayerPlan {
    /// A layer that is made.
    pub fn made(name: String, entries: Vec<LayerEntry>, time: u64) -> Self {
        Self { name, entries, time, whole: None }
    }

    /// A layer of another image that a component takes as it is.
    pub fn taken(component: &ComponentName, whole: &Arc<Whole>, time: u64) -> Self {
        let name = format!("{TAKEN}{component}");
        Self { name, entries: Vec::new(), time, whole: Some(whole.clone()) }
    }

    /// The component that it is of, if it is of one.
    pub fn component(&self) -> Option<&str> {
        component_of(&self.name).map(|(name, _)| name)
    }
}

/// The component whose layer has a name, and whether it is used as it is in another image.
pub fn component_of(layer: &str) -> Option<(&str, bool)> {
    let made = layer.strip_prefix(MADE).map(|name| (name, false));
    made.or_else(|| layer.strip_prefix(TAKEN).map(|name| (name, true)))
}

/// A layer that is there.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Shelved {
    /// The layer.
    pub layer: Layer,
    /// Whether it was there before.
    pub cached: bool,
}

/// How layers are wanted.
#[derive(Clone, Copy)]
pub struct Request<'a> {
    /// Where they are kept.
    pub store: &'a Store,
    /// How they are compressed.
    pub compression: Compression,
    /// Which of them are made again although they are there.
    pub is_anew: &'a (dyn Fn(&LayerPlan) -> bool + Sync),
    /// Set by whoever does not want them any more.
    pub cancelled: &'a AtomicBool,
    /// Told when one of them is there, from any thread.
    pub on_done: &'a (dyn Fn(&LayerPlan, &Shelved) + Sync),
}

/// Provides layers, several at once, in the order in which they are wanted.
///
/// # Errors
/// The first [`LayerError`]; layers that were finished stay in the store.
pub fn provide(request: Request<'_>, wanted: &[LayerPlan]) -> Result<Vec<Shelved>, LayerError> {
    // the largest first: the last one to end decides how long it takes
    let mut order: Vec<usize> = (0..wanted.len()).collect();
    order.sort_by_key(|index| std::cmp::Reverse(weight(&wanted[*index])));
    let stop = AtomicBool::new(false);
    let results = in_parallel(&order, |index| {
        if stop.load(Ordering::Relaxed) {
            return (*index, None);
        }
        let result = one(request, &wanted[*index]);
        result.iter().for_each(|shelved| (request.on_done)(&wanted[*index], shelved));
        stop.fetch_or(result.is_err(), Ordering::Relaxed);
        (*index, Some(result))
    });
    let results: BTreeMap<usize, Result<Shelved, LayerError>> =
        results.into_iter().filter_map(|(index, result)| Some((index, result?))).collect();
    let mut done = Vec::new();
    let mut failed = None;
    for result in results.into_values() {
        match result {
            Ok(shelved) => done.push(shelved),
            Err(error) => failed = failed.or(Some(error)),
        }
    }
    match failed {
        Some(error) => Err(error),
        None => Ok(done),
    }
}

fn one(request: Request<'_>, wanted: &LayerPlan) -> Result<Shelved, LayerError> {
    let Request { store, compression, cancelled, .. } = request;
    if let Some(whole) = &wanted.whole {
        return Ok(Shelved { layer: whole.layer.clone(), cached: true });
    }
    let identity = identity(wanted);
    // two images that are built at once may want the same layer: who comes second finds it
    let _claim = identity.as_ref().map(|identity| store.claim(&identity.key));
    let known =
        identity.as_ref().filter(|_| !(request.is_anew)(wanted)).and_then(|identity| known_layer(store, identity));
    if let Some((diff_id, size)) = &known {
        if let Some(layer) = as_stored(store, diff_id, *size, compression) {
            return Ok(Shelved { layer, cached: true });
        }
        if store.has(&diff_id.0, *size)
            && let Ok(layer) = layer::compress(store, diff_id, compression, cancelled)
        {
            remember_compressed(store, &layer).map_err(LayerError::Store)?;
            return Ok(Shelved { layer, cached: false });
        }
    }
    let layer = layer::write(store, &wanted.entries, wanted.time, compression, cancelled)?;
    remember_compressed(store, &layer).map_err(LayerError::Store)?;
    if let Some(identity) = identity {
        // of a compressed layer the size of the tar does not matter: it is not in the store
        let size = if layer.compression == Compression::None { layer.size } else { 0 };
        let record = json!({ "diff_id": layer.diff_id.to_string(), "size": size });
        store.set_record("layers", &identity.key, record.to_string().as_bytes()).map_err(LayerError::Store)?;
    }
    Ok(Shelved { layer, cached: false })
}

/// The layer as it is wanted, if the store has it so.
fn as_stored(store: &Store, diff_id: &DiffId, size: u64, compression: Compression) -> Option<Layer> {
    let (digest, size) = match compression {
        Compression::None => (diff_id.0.clone(), size),
        _ => {
            let record: Value = serde_json::from_slice(&store.record(compression.name(), diff_id.0.hex())?).ok()?;
            (record["digest"].as_str()?.parse().ok()?, record["size"].as_u64()?)
        }
    };
    let layer = Layer { digest, size, compression, diff_id: diff_id.clone() };
    store.has(&layer.digest, layer.size).then_some(layer)
}

/// Keeps which blob a layer is compressed to.
pub(super) fn remember_compressed(store: &Store, layer: &Layer) -> io::Result<()> {
    if layer.compression == Compression::None {
        return Ok(());
    }
    let record = json!({ "digest": layer.digest.to_string(), "size": layer.size });
    store.set_record(layer.compression.name(), layer.diff_id.0.hex(), record.to_string().as_bytes())
}

/// What a layer is known by.
struct Identity {
    key: String,
    /// Latest change of any file that only the file system vouches for.
    changed: Option<(i64, i64)>,
}

fn known_layer(store: &Store, identity: &Identity) -> Option<(DiffId, u64)> {
    if let Some(changed) = identity.changed
        && changed_at(&store.record_path("layers", &identity.key))?.1 <= changed
    {
        return None;
    }
    let record: Value = serde_json::from_slice(&store.record("layers", &identity.key)?).ok()?;
    Some((DiffId(record["diff_id"].as_str()?.parse().ok()?), record["size"].as_u64()?))
}

/// `None` when a file cannot be looked at: writing the layer will say why.
fn identity(wanted: &LayerPlan) -> Option<Identity> {
    let mut changed = None;
    let mut entries = Vec::new();
    for entry in &wanted.entries {
        let kind = match &entry.kind {
            EntryKind::Folder => json!("folder"),
            EntryKind::Link { target } => json!({ "link": target }),
            EntryKind::File(content) => content_identity(content, &mut changed)?,
        };
        entries.push(json!([entry.path, kind, entry.mode, entry.uid, entry.gid, entry.xattrs]));
    }
    let value = json!([VERSION, wanted.time, entries]);
    Some(Identity { key: Digest::of(value.to_string().as_bytes()).hex().to_owned(), changed })
}

fn content_identity(content: &Content, changed: &mut Option<(i64, i64)>) -> Option<Value> {
    match content {
        Content::Blob { digest, .. } | Content::Hashed { digest, .. } => Some(json!({ "digest": digest })),
        Content::Bytes(bytes) => Some(json!({ "digest": Digest::of(bytes) })),
        Content::Disk(path) => {
            let (stat, at) = changed_at(path)?;
            *changed = (*changed).max(Some(at));
            Some(json!({ "stat": stat, "changed": at }))
        }
    }
}

/// Device, inode, size and time of modification of a file, and when anything of it was last changed.
#[cfg(unix)]
fn changed_at(path: &Utf8Path) -> Option<(Value, (i64, i64))> {
    use std::os::unix::fs::MetadataExt as _;
    let metadata = path.metadata().ok()?;
    let stat = json!([metadata.dev(), metadata.ino(), metadata.size(), metadata.mtime(), metadata.mtime_nsec()]);
    Some((stat, (metadata.ctime(), metadata.ctime_nsec())))
}

/// Without a time of change that nobody can set, a file is read again.
#[cfg(not(unix))]
fn changed_at(_path: &Utf8Path) -> Option<(Value, (i64, i64))> {
    None
}

/// A guess at how long a layer takes.
fn weight(wanted: &LayerPlan) -> u64 {
    let size = |entry: &LayerEntry| match &entry.kind {
        EntryKind::File(Content::Blob { size, .. }) => *size,
        EntryKind::File(Content::Bytes(bytes)) => bytes.len() as u64,
        EntryKind::File(Content::Disk(path) | Content::Hashed { path, .. }) => {
            path.metadata().map_or(0, |metadata| metadata.len())
        }
        EntryKind::Folder | EntryKind::Link { .. } => 0,
    };
    wanted.entries.iter().map(size).sum()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn plans(folder: &Utf8Path) -> Vec<LayerPlan> {
        let plan = |name: &str| {
            let path = folder.join(name);
            std::fs::write(&path, name).unwrap();
            let entries = vec![LayerEntry::file(name, Content::Disk(path), 0o755)];
            LayerPlan::made(name.to_owned(), entries, 0)
        };
        ["a", "b", "c", "d", "e"].map(plan).to_vec()
    }

    /// Waits until the clock of the file system has gone on, so that the next file is younger than all before.
    fn tick(folder: &Utf8Path) {
        let touch = || {
            let path = folder.join("tick");
            std::fs::write(&path, "").unwrap();
            changed_at(&path).unwrap().1
        };
        let begin = touch();
        while touch() == begin {}
    }

    fn made(store: &Store, wanted: &[LayerPlan], compression: Compression) -> Result<Vec<Shelved>, LayerError> {
        let cancelled = &AtomicBool::new(false);
        provide(Request { store, compression, is_anew: &|_| false, cancelled, on_done: &|_, _| () }, wanted)
    }

    fn cached(shelved: &[Shelved]) -> Vec<bool> {
        shelved.iter().map(|shelved| shelved.cached).collect()
    }

    /// A folder with files that are clearly older than what comes next, and an empty store.
    fn ready() -> (tempfile::TempDir, Store, Vec<LayerPlan>) {
        let folder = tempfile::tempdir().unwrap();
        let path = Utf8Path::from_path(folder.path()).unwrap();
        let store = Store::open(&path.join("store")).unwrap();
        let wanted = plans(path);
        tick(path);
        (folder, store, wanted)
    }

    #[test]
    fn only_what_changed_is_made_again() {
        let (folder, store, wanted) = ready();
        let folder = Utf8Path::from_path(folder.path()).unwrap();
        let first = made(&store, &wanted, Compression::None).unwrap();
        assert_eq!(cached(&first), [false; 5]);
        let again = made(&store, &wanted, Compression::None).unwrap();
        assert_eq!(cached(&again), [true; 5]);
        let packed = made(&store, &wanted, Compression::Gzip).unwrap();
        assert_eq!(cached(&packed), [false; 5], "the tar is known, the gzip is not");
        assert!(packed.iter().zip(&first).all(|(a, b)| a.layer.diff_id == b.layer.diff_id));
        assert_eq!(cached(&made(&store, &wanted, Compression::Gzip).unwrap()), [true; 5]);
        std::fs::write(folder.join("c"), "C").unwrap();
        tick(folder);
        let changed = made(&store, &wanted, Compression::None).unwrap();
        assert_eq!(cached(&changed), [true, true, false, true, true]);
        assert_ne!(changed[2].layer, first[2].layer);
    }

    #[test]
    fn what_two_want_at_once_is_made_once() {
        let (_folder, store, wanted) = ready();
        let both = std::thread::scope(|scope| {
            let threads = [0, 1].map(|_| scope.spawn(|| made(&store, &wanted, Compression::None).unwrap()));
            threads.map(|thread| cached(&thread.join().unwrap()))
        });
        let [a, b] = both;
        assert!(a.iter().zip(&b).all(|(a, b)| a != b), "{a:?} {b:?}");
    }

    #[test]
    fn a_damaged_blob_is_made_again() {
        let (_folder, store, wanted) = ready();
        let first = made(&store, &wanted, Compression::None).unwrap();
        let path = store.path(&first[1].layer.digest);
        std::fs::remove_file(&path).unwrap();
        std::fs::write(&path, "short").unwrap();
        let again = made(&store, &wanted, Compression::None).unwrap();
        assert_eq!(cached(&again), [true, false, true, true, true]);
        assert_eq!(again[1].layer, first[1].layer);
    }
}
