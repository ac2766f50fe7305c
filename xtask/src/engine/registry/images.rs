//! What a reference names, without its layers: to find out whether an image that is wanted is there already.

use super::Registry;
use crate::engine::{EngineError, Events};
use crate::oci::{Digest, Document, Image, ImageIndex, ImageManifest, Reference, media, read_image};

/// Largest configuration that is read, in bytes.
const CONFIG_LIMIT: u64 = 16 * 1024 * 1024;
/// Most images of one index: more are not ours.
const MAX_IMAGES: usize = 64;

/// The images under a reference.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Named {
    /// The digest that the reference names: of an index, or of the one manifest.
    pub digest: Digest,
    /// The images.
    pub images: Vec<Image>,
}

impl Registry {
    /// The images that a reference names, with manifests and configurations. `None` when nothing is there, when it is not for
    /// us, or when it is no image that can be read: whoever asks makes it then.
    ///
    /// # Errors
    /// [`EngineError::Registry`] when the registry does not answer.
    pub async fn named(&self, reference: &Reference, events: &Events) -> Result<Option<Named>, EngineError> {
        let Some(root) = absent(self.manifest(reference, events).await)? else { return Ok(None) };
        let digest = root.digest.clone();
        let mut images = Vec::new();
        for manifest in self.manifests(reference, root, events).await? {
            let Some(image) = self.image(reference, manifest, events).await? else { return Ok(None) };
            images.push(image);
        }
        Ok(Some(Named { digest, images }).filter(|named| !named.images.is_empty()))
    }

    /// The digest that a reference names; `None` as with [`Registry::named`].
    ///
    /// # Errors
    /// As [`Registry::named`].
    pub async fn digest_of(&self, reference: &Reference, events: &Events) -> Result<Option<Digest>, EngineError> {
        absent(self.resolve(reference, events).await)
    }

    /// A manifest, or those of an index; none when the index is not one of ours.
    async fn manifests(
        &self,
        reference: &Reference,
        root: Document,
        events: &Events,
    ) -> Result<Vec<Document>, EngineError> {
        if !media::is_index(&root.media_type) {
            return Ok(vec![root]);
        }
        let Ok(index) = serde_json::from_slice::<ImageIndex>(&root.bytes) else { return Ok(Vec::new()) };
        if index.manifests().len() > MAX_IMAGES {
            return Ok(Vec::new());
        }
        let mut manifests = Vec::new();
        for entry in index.manifests() {
            let Ok(digest) = entry.digest().to_string().parse() else { return Ok(Vec::new()) };
            let manifest = self.manifest(&reference.with_digest(&digest), events).await;
            let Some(manifest) = absent(manifest)? else { return Ok(Vec::new()) };
            manifests.push(manifest);
        }
        Ok(manifests)
    }

    async fn image(
        &self,
        reference: &Reference,
        manifest: Document,
        events: &Events,
    ) -> Result<Option<Image>, EngineError> {
        let Ok(parsed) = serde_json::from_slice::<ImageManifest>(&manifest.bytes) else { return Ok(None) };
        let config = self.blob(reference, parsed.config(), CONFIG_LIMIT, events).await;
        let Some(config) = absent(config)? else { return Ok(None) };
        Ok(read_image(manifest, Document::from_bytes(parsed.config().media_type().as_ref(), config)).ok())
    }
}

/// What is not there, not for us, or damaged, is none; a registry that does not answer is an error.
fn absent<T>(answer: Result<T, EngineError>) -> Result<Option<T>, EngineError> {
    match answer {
        Ok(value) => Ok(Some(value)),
        Err(EngineError::Registry(failure)) if failure.is_unreachable => Err(EngineError::Registry(failure)),
        Err(_) => Ok(None),
    }
}
