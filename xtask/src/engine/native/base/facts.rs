//! What is known of the bytes of files, for `verify`: each layer is read once more, and the record `facts/<key>` of the store
//! keeps what was seen, as JSON, compressed. The key is the digest of what the layer unpacks to.

use std::io::Read as _;
use std::sync::Arc;

use super::Base;
use super::fault::Fault;
use super::scan::{self, MAX_RECORD};
use crate::engine::EngineError;
use crate::engine::store::Store;
use crate::oci::{DiffId, Digest, Layer, TarReader};
use crate::verify::{Config, Facts, Image, LayerFacts, Layers, SourceFacts, read_layer, source_facts};

/// The kind of the records.
const KIND: &str = "facts";
/// What to count up when other facts come of the same bytes.
const VERSION: u32 = 2;

impl Base {
    /// What is known of the bytes of all its files.
    ///
    /// # Errors
    /// [`EngineError::Image`]: a layer cannot be read.
    pub fn facts(&self, image: &impl ToString, store: &Store) -> Result<Layers, EngineError> {
        let read = scan::in_parallel(&self.layers, |layer| {
            of_layer(layer, store).map_err(|fault| fault.within(&format!("layer {}", layer.digest)))
        });
        read.map(|layers| Layers(layers.into_iter().map(Arc::new).collect())).map_err(|fault| fault.of(image))
    }
}

impl Base {
    /// What is known of it as something that a component is made of. `base_layers` says how many of its layers are those of its
    /// own base, where that is known.
    ///
    /// # Errors
    /// As [`Base::facts`].
    pub fn source_facts(
        &self,
        image: &impl ToString,
        base_layers: Option<u16>,
        store: &Store,
    ) -> Result<SourceFacts, EngineError> {
        let layers = self.facts(image, store)?;
        let config = Config::of(&self.document.value().unwrap_or_default());
        let image = Image { platform: self.platform.clone(), config, rootfs: self.rootfs.clone(), base_layers };
        Ok(source_facts(&image, &layers))
    }

    /// What its layers unpack to, lowest first.
    pub fn diff_ids(&self) -> Vec<DiffId> {
        self.layers.iter().map(|layer| layer.diff_id.clone()).collect()
    }
}

/// The same for one layer of the store.
///
/// # Errors
/// Why it cannot be read, in words.
pub(in crate::engine::native) fn layer_facts(layer: &Layer, store: &Store) -> Result<LayerFacts, String> {
    of_layer(layer, store).map_err(|fault| fault.to_string())
}

fn of_layer(layer: &Layer, store: &Store) -> Result<LayerFacts, Fault> {
    let key = Digest::of(serde_json::json!([VERSION, layer.diff_id.to_string()]).to_string().as_bytes());
    if let Some(known) = load(&key, store) {
        return Ok(known);
    }
    let mut tar = TarReader::new(scan::unpacked(scan::stored(layer, store)?, layer.compression)?);
    let facts = read_layer(&mut tar, |_| true)?;
    keep(&key, &facts, store)?;
    Ok(facts)
}

fn load(key: &Digest, store: &Store) -> Option<LayerFacts> {
    let record = store.record(KIND, key.hex())?;
    let mut bytes = Vec::new();
    zstd::Decoder::new(record.as_slice()).ok()?.take(MAX_RECORD).read_to_end(&mut bytes).ok()?;
    let kept: Vec<(u32, Facts)> = serde_json::from_slice(&bytes).ok()?;
    Some(kept.into_iter().map(|(entry, facts)| (entry, Arc::new(facts))).collect())
}

fn keep(key: &Digest, facts: &LayerFacts, store: &Store) -> Result<(), Fault> {
    let kept: Vec<(u32, &Facts)> = facts.iter().map(|(entry, facts)| (*entry, &**facts)).collect();
    let bytes = serde_json::to_vec(&kept).map_err(std::io::Error::from).map_err(Fault::Io)?;
    let record = zstd::bulk::compress(&bytes, 3).map_err(Fault::Io)?;
    store.set_record(KIND, key.hex(), &record).map_err(Fault::Io)
}
