//! What a registry already has under the references of a job: then nothing is built.

use super::bundle::Bundle;
use super::job::{NativeJob, Output};
use super::{Native, recall};
use crate::engine::{Built, EngineError, Events};
use crate::oci::{Digest, Document, Image, ImageIndex, ImageManifest, Reference, media, read_image};

/// Largest configuration that is read, in bytes.
const CONFIG_LIMIT: u64 = 16 * 1024 * 1024;

impl Native<'_> {
    /// What there would be to tell of a job that only pushes, when every one of its references names the wanted image
    /// already.
    ///
    /// # Errors
    /// The registry cannot be had: a push would fail as well, and the build before it would be for nothing.
    pub(super) async fn pushed_before(&self, job: &NativeJob, events: &Events) -> Result<Option<Built>, EngineError> {
        if job.outputs != [Output::Push] || job.no_cache {
            return Ok(None);
        }
        let mut named: Option<Digest> = None;
        for tag in &job.tags {
            let Ok(reference) = tag.parse::<Reference>() else { return Ok(None) };
            let there = match &named {
                None => self.there(&reference, job, events).await?,
                // the first one was looked into
                Some(_) => absent(self.registry.resolve(&reference, events).await)?,
            };
            match (there, &named) {
                (Some(digest), None) => named = Some(digest),
                (Some(digest), Some(first)) if digest == *first => {}
                _ => return Ok(None),
            }
        }
        Ok(named.map(|digest| Built {
            image: job.image.clone(),
            image_id: String::new(),
            tags: job.tags.clone(),
            digest: Some(digest.to_string()),
            steps_run: 0,
            steps_cached: 1,
            up_to_date: false,
        }))
    }

    /// The wanted images as a registry has them under the first reference of the job, with their layers in the store.
    pub(super) async fn pulled(&self, job: &NativeJob, events: &Events) -> Option<Vec<Image>> {
        let reference: Reference = job.tags.first()?.parse().ok()?;
        let digest = self.there(&reference, job, events).await.ok()??;
        let pinned = reference.with_digest(&digest);
        let mut images = Vec::new();
        for (platform, _) in &job.plans {
            let fetched = self.registry.fetch(&pinned, platform, &self.store, events).await.ok()?;
            images.push(read_image(fetched.manifest, fetched.config).ok()?);
        }
        let images = recall::chosen(images, job)?;
        // what is written from them must be what was there
        let bundle = Bundle::new(images.clone(), job.tags.clone());
        (bundle.root().digest == digest).then_some(images)
    }

    /// The digest of what a reference names, if it is the wanted image.
    async fn there(
        &self,
        reference: &Reference,
        job: &NativeJob,
        events: &Events,
    ) -> Result<Option<Digest>, EngineError> {
        let Some(root) = absent(self.registry.manifest(reference, events).await)? else { return Ok(None) };
        let digest = root.digest.clone();
        let manifests = if media::is_index(&root.media_type) {
            let Ok(index) = serde_json::from_slice::<ImageIndex>(&root.bytes) else { return Ok(None) };
            if index.manifests().len() != job.plans.len() {
                return Ok(None);
            }
            let mut manifests = Vec::new();
            for entry in index.manifests() {
                let Ok(digest) = entry.digest().to_string().parse() else { return Ok(None) };
                let member = reference.with_digest(&digest);
                let Some(manifest) = absent(self.registry.manifest(&member, events).await)? else { return Ok(None) };
                manifests.push(manifest);
            }
            manifests
        } else {
            vec![root]
        };
        let mut images = Vec::new();
        for manifest in manifests {
            let Some(image) = self.remote_image(reference, manifest, events).await? else { return Ok(None) };
            images.push(image);
        }
        Ok(recall::chosen(images, job).map(|_| digest))
    }

    async fn remote_image(
        &self,
        reference: &Reference,
        manifest: Document,
        events: &Events,
    ) -> Result<Option<Image>, EngineError> {
        let Ok(parsed) = serde_json::from_slice::<ImageManifest>(&manifest.bytes) else { return Ok(None) };
        let config = self.registry.blob(reference, parsed.config(), CONFIG_LIMIT, events).await;
        let Some(config) = absent(config)? else { return Ok(None) };
        Ok(read_image(manifest, Document::from_bytes(media::CONFIG, config)).ok())
    }
}

/// What is not there, not for us, or damaged, is built and pushed; a registry that does not answer ends the job.
fn absent<T>(answer: Result<T, EngineError>) -> Result<Option<T>, EngineError> {
    match answer {
        Ok(value) => Ok(Some(value)),
        Err(EngineError::Registry(failure)) if failure.is_unreachable => Err(EngineError::Registry(failure)),
        Err(_) => Ok(None),
    }
}
