//! What was seen of one image. Pure.

use serde::Serialize;
use serde_json::Value;

use crate::engine::docker::ImageConfig;
use crate::oci::{Digest, Document, ImageConfiguration, Platform};
use crate::plan::fingerprint;

/// One image.
#[derive(Debug, Serialize)]
pub(in crate::cli) struct Inspection {
    /// As it was asked for.
    pub(in crate::cli) reference: String,
    /// What stands in its configuration.
    pub(in crate::cli) config: ImageConfig,
    /// The image's own description; absent when it was not built by groupage.
    pub(in crate::cli) groupage: Option<Value>,
    /// Digest of the index that it stands in.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(in crate::cli) index: Option<String>,
    /// Whether the description was looked for in every layer.
    #[serde(skip)]
    pub(in crate::cli) is_searched: bool,
}

impl Inspection {
    /// An image, all of which was looked into.
    pub(in crate::cli) fn new(reference: &str, config: ImageConfig, groupage: Option<Value>) -> Self {
        Self { reference: reference.to_owned(), config, groupage, index: None, is_searched: true }
    }

    /// The fingerprint of what it was built from, if it says one.
    pub(in crate::cli) fn fingerprint(&self) -> Option<&str> {
        self.config.labels.get(fingerprint::LABEL).map(String::as_str)
    }
}

/// What a configuration says, in the words of a daemon. `size` is what the layers have as they are stored.
///
/// # Errors
/// It is no configuration.
pub(in crate::cli) fn facts(
    document: &Document,
    digest: Option<&Digest>,
    platform: &Platform,
    tags: Vec<String>,
    size: u64,
) -> serde_json::Result<ImageConfig> {
    let image: ImageConfiguration = serde_json::from_slice(&document.bytes)?;
    let config = image.config().clone().unwrap_or_default();
    let mut ports = config.exposed_ports().clone().unwrap_or_default();
    ports.sort();
    Ok(ImageConfig {
        id: document.digest.to_string(),
        digest: digest.map(ToString::to_string),
        tags,
        repo_digests: Vec::new(),
        platform: platform.to_string(),
        labels: config.labels().clone().unwrap_or_default().into_iter().collect(),
        env: config.env().clone().unwrap_or_default(),
        entrypoint: config.entrypoint().clone().unwrap_or_default(),
        cmd: config.cmd().clone().unwrap_or_default(),
        user: config.user().clone().unwrap_or_default(),
        working_dir: config.working_dir().clone().unwrap_or_default(),
        ports,
        size,
        layers: image.rootfs().diff_ids().clone(),
    })
}
