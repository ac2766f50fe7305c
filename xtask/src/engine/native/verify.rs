//! The contract of an image, proved before its layout names it: from the entries that its layers were just made of, so that
//! no byte of ours is read again but the headers of programs. Layers of the base are read when a program needs something of
//! them, once ever (see `base/facts.rs`). Of an image that was there before nobody knows its entries: all of its layers are
//! read in that way, unless there is a proof that somebody has (see [`Proofs`](crate::engine::Proofs)).

use std::collections::BTreeMap;
use std::fs::File;
use std::io::{self, Read as _};
use std::sync::{Arc, Mutex, PoisonError};

use camino::Utf8Path;
use object::ReadCache;
use serde_json::Value;

use super::assemble::Ground;
use super::base::{Base, Pulled, layer_facts};
use super::config::own_layers;
use super::entry::{Content, EntryKind, LayerEntry};
use super::shelf::LayerPlan;
use crate::engine::EngineError;
use crate::engine::store::Store;
use crate::oci::{Digest, Layer, Listing, Platform, Rootfs, Source, TarEntry, TarKind};
use crate::verify::{
    CAPABILITY, Config, Contents, Facts, Finding, HEAD, Image, LayerFacts, Level, Nature, is_text, run,
};

/// An image that was made and has no name yet.
pub(in crate::engine) struct Unnamed {
    image: String,
    platform: Platform,
    config: Value,
    /// What is below its own layers.
    ground: Rootfs,
    base: Vec<Layer>,
    own: Vec<LayerPlan>,
    store: Store,
}

impl Unnamed {
    /// An image as it was made: on some ground, of some layers, whose bytes are in the store. `name` is for messages.
    pub(in crate::engine) fn new(
        name: &str,
        platform: &Platform,
        image: &crate::oci::Image,
        ground: &Ground,
        own: Vec<LayerPlan>,
        store: &Store,
    ) -> Self {
        Self {
            image: name.to_owned(),
            platform: platform.clone(),
            config: image.config.value().unwrap_or_default(),
            ground: ground.rootfs.clone(),
            base: ground.layers.clone(),
            own,
            store: store.clone(),
        }
    }

    /// Looks at the image.
    ///
    /// # Errors
    /// [`EngineError::Contract`] with all that was found.
    pub(in crate::engine) async fn verify(self) -> Result<(), EngineError> {
        super::blocking(move |_| self.look()).await
    }

    fn look(self) -> Result<(), EngineError> {
        let Self { image, platform, config, ground: mut rootfs, base, own, store } = self;
        for layer in &own {
            let unfit = |error: crate::oci::LayerError| EngineError::Assembly {
                image: image.clone(),
                detail: format!("layer {}: {error}", layer.name),
            };
            if let Some(whole) = &layer.whole {
                rootfs.apply(&whole.listing).map_err(unfit)?;
                continue;
            }
            let mut listing = Listing::default();
            layer.entries.iter().try_for_each(|entry| listing.push(&listed(entry))).map_err(unfit)?;
            rootfs.apply(&listing).map_err(unfit)?;
        }
        let base_layers = u16::try_from(base.len()).ok();
        let known = Known { base, own, store, read: Mutex::default() };
        let seen = Image { platform, config: Config::of(&config), rootfs, base_layers };
        judge(&image, false, run(&seen, &known, None))
    }
}

/// Looks at an image whose layers are in the store, whoever made it. It reads files, and may take a while.
///
/// # Errors
/// [`EngineError::Contract`] with all that was found; [`EngineError::Image`] when it cannot be read.
pub(super) fn stored(name: &str, image: crate::oci::Image, store: &Store) -> Result<(), EngineError> {
    let platform = image.platform.clone();
    let pulled = Pulled { manifest: image.manifest, config: image.config };
    let whole = Base::from_store(&name, pulled, &platform, store)?;
    let contents = whole.facts(&name, store)?;
    let config = whole.document.value().unwrap_or_default();
    let base_layers = u16::try_from(whole.layers.len().saturating_sub(own_layers(&config))).ok();
    let seen = Image { platform, config: Config::of(&config), rootfs: whole.rootfs, base_layers };
    judge(name, true, run(&seen, &contents, None))
}

fn judge(image: &str, was_there: bool, findings: Vec<Finding>) -> Result<(), EngineError> {
    match findings.iter().any(|finding| finding.level == Level::Error) {
        true => Err(EngineError::Contract { image: image.to_owned(), was_there, findings }),
        false => Ok(()),
    }
}

/// An entry as it stands in the tar.
fn listed(entry: &LayerEntry) -> TarEntry {
    let (kind, target) = match &entry.kind {
        EntryKind::Folder => (TarKind::Folder, Vec::new()),
        EntryKind::File(_) => (TarKind::File, Vec::new()),
        EntryKind::Link { target } => (TarKind::Link, target.clone().into_bytes()),
    };
    TarEntry {
        name: entry.path.clone().into_bytes(),
        target,
        kind,
        size: 0,
        mode: entry.mode,
        uid: entry.uid,
        gid: entry.gid,
        xattrs: BTreeMap::new(),
        sparse: false,
    }
}

/// Layers by what they were made of.
struct Known {
    base: Vec<Layer>,
    own: Vec<LayerPlan>,
    store: Store,
    /// Layers of other images that were asked for.
    read: Mutex<BTreeMap<u16, Result<Arc<LayerFacts>, String>>>,
}

impl Known {
    /// An entry of a layer of ours.
    fn entry(&self, source: Source) -> Option<&LayerEntry> {
        let layer = usize::from(source.layer).checked_sub(self.base.len())?;
        self.own.get(layer)?.entries.get(source.entry? as usize)
    }

    /// A layer that another image has.
    fn other(&self, position: u16) -> Option<&Layer> {
        let position = usize::from(position);
        match position.checked_sub(self.base.len()) {
            None => self.base.get(position),
            Some(own) => self.own.get(own)?.whole.as_ref().map(|whole| &whole.layer),
        }
    }

    fn of_base(&self, source: Source) -> Result<Arc<Facts>, String> {
        let layer = self.other(source.layer).ok_or("it is in none of the layers")?;
        let mut read = self.read.lock().unwrap_or_else(PoisonError::into_inner);
        let facts = read.entry(source.layer).or_insert_with(|| layer_facts(layer, &self.store).map(Arc::new));
        let facts = facts.as_ref().map_err(Clone::clone)?;
        source
            .entry
            .and_then(|entry| facts.get(&entry))
            .cloned()
            .ok_or_else(|| "it is in none of the layers".to_owned())
    }
}

impl Contents for Known {
    fn facts(&self, source: Source) -> Result<Arc<Facts>, String> {
        let Some(entry) = self.entry(source) else { return self.of_base(source) };
        let EntryKind::File(content) = &entry.kind else { return Err("it is no file".to_owned()) };
        let facts = match content {
            Content::Bytes(bytes) => of_bytes(entry, bytes),
            Content::Disk(path) | Content::Hashed { path, .. } => of_file(entry, path).map_err(said(path))?,
            Content::Blob { digest, .. } => {
                let path = self.store.path(digest);
                of_file(entry, &path).map_err(said(&path))?
            }
        };
        Ok(Arc::new(facts))
    }

    fn digest(&self, source: Source) -> Result<Option<Digest>, String> {
        match self.entry(source).map(|entry| &entry.kind) {
            None => self.of_base(source).map(|facts| facts.digest.clone()),
            // whoever wrote the layer has compared the bytes with it
            Some(EntryKind::File(Content::Hashed { digest, .. } | Content::Blob { digest, .. })) => {
                Ok(Some(digest.clone()))
            }
            Some(EntryKind::File(Content::Bytes(bytes))) => Ok(Some(Digest::of(bytes))),
            Some(_) => Ok(None),
        }
    }

    fn has_capability(&self, source: Source) -> bool {
        match self.entry(source) {
            Some(entry) => entry.xattrs.contains_key(CAPABILITY),
            None => self.of_base(source).is_ok_and(|facts| facts.has_capability),
        }
    }
}

fn of_bytes(entry: &LayerEntry, bytes: &[u8]) -> Facts {
    let head = bytes.get(..bytes.len().min(HEAD)).unwrap_or_default();
    facts(entry, bytes.len() as u64, Nature::of(head, bytes), is_text(&entry.path).then(|| bytes.to_vec()))
}

/// Reads no more of a file than says what it is.
fn of_file(entry: &LayerEntry, path: &Utf8Path) -> io::Result<Facts> {
    let mut file = File::open(path)?;
    let size = file.metadata()?.len();
    let mut head = Vec::new();
    file.by_ref().take(HEAD as u64).read_to_end(&mut head)?;
    if is_text(&entry.path) {
        file.take(crate::verify::MAX_TEXT).read_to_end(&mut head)?;
        return Ok(of_bytes(entry, &head));
    }
    let nature = match Nature::needs_all(&head) {
        true => Nature::of(&head, &ReadCache::new(file)),
        false => Nature::of(&head, head.as_slice()),
    };
    Ok(facts(entry, size, nature, None))
}

fn facts(entry: &LayerEntry, size: u64, nature: Nature, text: Option<Vec<u8>>) -> Facts {
    Facts { size, digest: None, has_capability: entry.xattrs.contains_key(CAPABILITY), nature, text }
}

fn said(path: &Utf8Path) -> impl FnOnce(io::Error) -> String {
    move |error| format!("{path}: {error}")
}
