//! Images as values: a configuration and its layers, and the manifest and index that name them.
//!
//! The forms are those of `oci-spec`. What is written is canonical: keys sorted, no white space, so that equal images have
//! equal bytes and equal digests, whatever order a map had.

pub use oci_spec::image::{Descriptor, ImageConfiguration, ImageIndex, ImageManifest};
use oci_spec::image::{DescriptorBuilder, MediaType};
use serde_json::{Value, json};

use super::{Compression, DiffId, Digest, Platform, media};

/// One layer: how its bytes are stored, and what they are when they are unpacked.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Layer {
    /// Digest of the stored bytes.
    pub digest: Digest,
    /// Number of the stored bytes.
    pub size: u64,
    /// How they are stored.
    pub compression: Compression,
    /// Digest of the tar in them.
    pub diff_id: DiffId,
}

/// Bytes that stand in an image for themselves: a configuration, a manifest, an index.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Document {
    /// What it is.
    pub media_type: String,
    /// The bytes.
    pub bytes: Vec<u8>,
    /// Their digest.
    pub digest: Digest,
}

/// An image for one platform, complete but for the bytes of its layers.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Image {
    /// The platform it runs on.
    pub platform: Platform,
    /// The configuration. Its digest is the image ID.
    pub config: Document,
    /// Layers, lowest first.
    pub layers: Vec<Layer>,
    /// The manifest, which names both.
    pub manifest: Document,
}

impl Document {
    /// Serialises a value canonically.
    pub fn new(media_type: &str, value: &impl serde::Serialize) -> Self {
        // serde_json's own map is sorted; through it, a map without an order gets one
        let value = serde_json::to_value(value).unwrap_or_default();
        Self::from_bytes(media_type, serde_json::to_vec(&value).unwrap_or_default())
    }

    /// Bytes as they were read.
    pub fn from_bytes(media_type: &str, bytes: Vec<u8>) -> Self {
        Self { media_type: media_type.to_owned(), digest: Digest::of(&bytes), bytes }
    }

    /// The bytes as a JSON value.
    ///
    /// # Errors
    /// They are not JSON.
    pub fn value(&self) -> serde_json::Result<Value> {
        serde_json::from_slice(&self.bytes)
    }

    /// How others refer to it.
    pub fn descriptor(&self) -> Descriptor {
        descriptor(&self.media_type, &self.digest, self.bytes.len() as u64)
    }
}

impl Image {
    /// Puts an image together; the configuration gets the diff IDs of the layers. An [`ImageConfiguration`] will
    /// do; JSON loses nothing of a base that this type does not know.
    pub fn new(platform: Platform, config: impl serde::Serialize, layers: Vec<Layer>) -> Self {
        let mut config = serde_json::to_value(config).unwrap_or_default();
        let diff_ids: Vec<String> = layers.iter().map(|layer| layer.diff_id.to_string()).collect();
        config["rootfs"] = json!({ "type": "layers", "diff_ids": diff_ids });
        let config = Document::new(media::CONFIG, &config);
        let manifest = json!({
            "schemaVersion": 2,
            "mediaType": media::MANIFEST,
            "config": config.descriptor(),
            "layers": layers.iter().map(Layer::descriptor).collect::<Vec<_>>(),
        });
        let manifest = Document::new(media::MANIFEST, &manifest);
        Self { platform, config, layers, manifest }
    }

    /// The descriptor of its manifest in an index, with its platform.
    pub fn descriptor(&self) -> Descriptor {
        let mut descriptor = self.manifest.descriptor();
        descriptor.set_platform(serde_json::from_value(self.platform.to_json()).ok());
        descriptor
    }
}

impl Layer {
    /// How the manifest refers to it.
    pub fn descriptor(&self) -> Descriptor {
        descriptor(self.compression.layer(), &self.digest, self.size)
    }
}

/// An index of images, one for each platform, in the order of the platforms.
pub fn index(images: &[Image]) -> Document {
    let mut images: Vec<&Image> = images.iter().collect();
    images.sort_by(|a, b| a.platform.cmp(&b.platform));
    let manifests: Vec<Descriptor> = images.iter().map(|image| image.descriptor()).collect();
    Document::new(media::INDEX, &json!({ "schemaVersion": 2, "mediaType": media::INDEX, "manifests": manifests }))
}

/// The configuration of an image that says nothing but its platform.
pub fn empty_configuration(platform: &Platform) -> ImageConfiguration {
    let mut config = ImageConfiguration::default();
    config.set_os(platform.os().into());
    config.set_architecture(platform.architecture().into());
    config.set_variant(platform.variant().map(str::to_owned));
    config.rootfs_mut().set_typ("layers".to_owned());
    config
}

/// A descriptor of bytes.
pub fn descriptor(media_type: &str, digest: &Digest, size: u64) -> Descriptor {
    // a digest of ours always is one of theirs, and nothing else can be missing
    let theirs: oci_spec::image::Sha256Digest = match digest.hex().parse() {
        Ok(theirs) => theirs,
        Err(error) => unreachable!("{digest}: {error}"),
    };
    match DescriptorBuilder::default().media_type(MediaType::from(media_type)).digest(theirs).size(size).build() {
        Ok(descriptor) => descriptor,
        Err(error) => unreachable!("{digest}: {error}"),
    }
}
