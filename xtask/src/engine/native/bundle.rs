//! What one job made: an image for each platform, the index that joins them, and the names they get.

use serde_json::{Value, json};

use crate::oci::{Descriptor, Document, Image, Layer, index, media};

/// Everything that is written for one image of a plan.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Bundle {
    /// One image for each platform, at least one.
    pub images: Vec<Image>,
    /// The index, when there are several.
    pub index: Option<Document>,
    /// References that name it.
    pub tags: Vec<String>,
}

impl Bundle {
    /// Joins images; several get an index.
    pub(super) fn new(images: Vec<Image>, tags: Vec<String>) -> Self {
        let index = (images.len() > 1).then(|| index(&images));
        Self { images, index, tags }
    }

    /// What a reference to all of it names: the index, or the only manifest.
    pub fn root(&self) -> &Document {
        match &self.index {
            Some(index) => index,
            None => &self.images[0].manifest,
        }
    }

    /// Documents, those that others refer to first: configurations, manifests, the index.
    pub fn documents(&self) -> impl Iterator<Item = &Document> {
        let configs = self.images.iter().map(|image| &image.config);
        configs.chain(self.images.iter().map(|image| &image.manifest)).chain(&self.index)
    }

    /// All layers, each once.
    pub fn layers(&self) -> Vec<&Layer> {
        let mut layers: Vec<&Layer> = self.images.iter().flat_map(|image| &image.layers).collect();
        layers.sort_by(|a, b| a.digest.cmp(&b.digest));
        layers.dedup_by(|a, b| a.digest == b.digest);
        layers
    }

    /// `index.json` of a layout: one entry for each name, with the annotations that skopeo, umoci and containerd look for.
    /// <https://github.com/opencontainers/image-spec/blob/main/image-layout.md#indexjson-file>
    pub(super) fn layout_index(&self) -> Document {
        let root = self.root_descriptor();
        let entry = |tag: &String| {
            let mut entry = serde_json::to_value(&root).unwrap_or_default();
            entry["annotations"] = annotations(tag);
            entry
        };
        let entries: Vec<Value> = self.tags.iter().map(entry).collect();
        let entries = if entries.is_empty() { vec![json!(root)] } else { entries };
        Document::new(media::INDEX, &json!({ "schemaVersion": 2, "mediaType": media::INDEX, "manifests": entries }))
    }

    fn root_descriptor(&self) -> Descriptor {
        match &self.index {
            Some(index) => index.descriptor(),
            None => self.images[0].descriptor(),
        }
    }
}

fn annotations(tag: &str) -> Value {
    let last = tag.rsplit('/').next().unwrap_or(tag);
    let version = last.split_once(':').map_or("latest", |(_, version)| version);
    json!({ "io.containerd.image.name": tag, "org.opencontainers.image.ref.name": version })
}
