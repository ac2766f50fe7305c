//! What a registry already has under the references of a job: then nothing is built. What is pulled is looked at like what is
//! made here; what only has to be there was let in by whoever pushed it, and is not fetched to find out.

use super::bundle::Bundle;
use super::job::{NativeJob, Output};
use super::{Native, recall};
use crate::engine::{Built, EngineError, Events};
use crate::oci::{Digest, Image, Reference, read_image};

impl Native<'_> {
    /// What there would be to tell of a job that only pushes, when every one of its references names the wanted image
    /// already.
    ///
    /// # Errors
    /// The registry does not answer: a push would fail as well, and the build before it would be for nothing.
    pub(super) async fn pushed_before(&self, job: &NativeJob, events: &Events) -> Result<Option<Built>, EngineError> {
        if job.outputs != [Output::Push] || job.is_anew() {
            return Ok(None);
        }
        let mut named: Option<Digest> = None;
        for tag in &job.tags {
            let Ok(reference) = tag.parse::<Reference>() else { return Ok(None) };
            let there = match &named {
                None => self.wanted_there(&reference, job, events).await?,
                // the first one was looked into
                Some(_) => self.registry.digest_of(&reference, events).await?,
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
            up_to_date: true,
            found: job.found(),
        }))
    }

    /// The wanted images as a registry has them under the first reference of the job, with their layers in the store.
    pub(super) async fn pulled(&self, job: &NativeJob, events: &Events) -> Option<Vec<Image>> {
        let reference: Reference = job.tags.first()?.parse().ok()?;
        let digest = self.wanted_there(&reference, job, events).await.ok()??;
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
    async fn wanted_there(
        &self,
        reference: &Reference,
        job: &NativeJob,
        events: &Events,
    ) -> Result<Option<Digest>, EngineError> {
        let named = self.registry.named(reference, events).await?;
        Ok(named.and_then(|named| recall::chosen(named.images, job).map(|_| named.digest)))
    }
}
