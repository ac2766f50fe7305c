//! Pushes: blobs first, then manifests by their digests, children before parents, and names last.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use bytes::Bytes;
use futures_util::future::try_join_all;
use reqwest::Method;
use reqwest::header::CONTENT_TYPE;

use super::auth::Access;
use super::http::{Call, Payload};
use super::link::{Errand, Link};
use super::progress::Progress;
use super::target::Target;
use super::trouble::Trouble;
use super::upload::{Bytestream, Upload};
use super::{PushRequest, Pushed, Registry, manifest};
use crate::engine::{BlobOutcome, Direction, EngineError, Events};
use crate::oci::{Digest, Document};

/// One push.
struct Push<'a> {
    registry: &'a Registry,
    request: &'a PushRequest,
    target: Target,
    events: &'a Events,
}

/// A blob that a missing manifest names.
struct Wanted {
    size: u64,
    source: Bytestream,
    mount_from: Option<String>,
}

pub(super) async fn push(registry: &Registry, request: &PushRequest, events: &Events) -> Result<Pushed, EngineError> {
    let push = Push { registry, request, target: Target::of(&request.target), events };
    let Some(root) = request.root() else {
        return Err(EngineError::Other { action: format!("push {}", request.target), message: "no image".to_owned() });
    };
    let mut pushed = Pushed::new(root.digest.clone());
    let missing = push.missing().await?;
    push.blobs(&missing, &mut pushed).await?;
    let children = request.images.iter().map(|image| &image.manifest);
    for document in children.chain(&request.index).filter(|document| missing.contains(&document.digest)) {
        push.document(document, &document.digest.to_string()).await?;
        pushed.sent_manifests += 1;
    }
    for tag in request.names() {
        if push.there(tag).await?.as_ref() != Some(&root.digest) {
            push.document(root, tag).await?;
        }
    }
    Ok(pushed)
}

impl Push<'_> {
    fn errand<'b>(&'b self, action: &'b str) -> Errand<'b> {
        Errand { events: self.events, image: &self.request.image, reference: &self.request.target, action }
    }

    /// The digest of what the registry has by a name.
    async fn there(&self, word: &str) -> Result<Option<Digest>, EngineError> {
        let (link, access) = (&self.registry.link, Access::push(&self.target));
        link.persist(&self.errand("push"), async || manifest::there(link, &access, word).await).await
    }

    /// The manifests that the registry lacks. One that it has, has all of its blobs: registries see to that.
    async fn missing(&self) -> Result<BTreeSet<Digest>, EngineError> {
        let mut missing = BTreeSet::new();
        let children = self.request.images.iter().map(|image| &image.manifest);
        for document in children.chain(&self.request.index) {
            let digest = &document.digest;
            if !missing.contains(digest) && self.there(&digest.to_string()).await?.as_ref() != Some(digest) {
                missing.insert(digest.clone());
            }
        }
        Ok(missing)
    }

    /// Brings the blobs of the missing manifests, several at once.
    async fn blobs(&self, missing: &BTreeSet<Digest>, pushed: &mut Pushed) -> Result<(), EngineError> {
        let mut wanted = BTreeMap::new();
        for image in self.request.images.iter().filter(|image| missing.contains(&image.manifest.digest)) {
            let bytes = Bytes::from(image.config.bytes.clone());
            let size = bytes.len() as u64;
            let config = Wanted { size, source: Bytestream::Memory(bytes), mount_from: None };
            wanted.insert(&image.config.digest, config);
            for blob in &image.blobs {
                let (source, mount_from) = (Bytestream::File(blob.path.clone()), blob.mount_from.clone());
                wanted.entry(&blob.digest).or_insert(Wanted { size: blob.size, source, mount_from });
            }
        }
        let total = wanted.values().fold(0, |total: u64, wanted| total.saturating_add(wanted.size));
        let progress = Arc::new(Progress::new(self.events, &self.request.image, Direction::Up, total));
        let uploads = wanted.into_iter().map(|(digest, wanted)| self.blob(digest, wanted, &progress));
        for (outcome, size) in try_join_all(uploads).await? {
            match outcome {
                BlobOutcome::Copied => {
                    pushed.sent_blobs += 1;
                    pushed.sent_bytes += size;
                }
                BlobOutcome::Mounted => pushed.mounted += 1,
                BlobOutcome::Present => pushed.skipped += 1,
            }
        }
        Ok(())
    }

    async fn blob(
        &self,
        digest: &Digest,
        wanted: Wanted,
        progress: &Arc<Progress>,
    ) -> Result<(BlobOutcome, u64), EngineError> {
        let _place = self.registry.place().await;
        let link = &self.registry.link;
        let Wanted { size, source, mount_from } = wanted;
        let mount_from = mount_from.filter(|from| *from != self.target.repository);
        let progress = Arc::clone(progress);
        let mut upload = Upload {
            link,
            target: &self.target,
            digest,
            size,
            source,
            mount_from,
            progress,
            session: None,
            absent: false,
        };
        let action = format!("push {digest} of");
        let outcome = link.persist(&self.errand(&action), async || upload.attempt().await).await?;
        upload.progress.blob(digest, size, outcome);
        Ok((outcome, size))
    }

    /// Sends a manifest or an index, by its digest or by a tag.
    async fn document(&self, document: &Document, word: &str) -> Result<(), EngineError> {
        let (link, action) = (&self.registry.link, format!("push the manifest {word} of"));
        link.persist(&self.errand(&action), async || put(link, &self.target, document, word).await).await
    }
}

/// Sends a manifest or an index, by its digest or by a tag.
pub(super) async fn put(link: &Link, target: &Target, document: &Document, word: &str) -> Result<(), Trouble> {
    let url = link.url(target, &format!("manifests/{word}")).await?;
    let call = Call::new(Method::PUT, url).header(CONTENT_TYPE, &document.media_type);
    let call = call.payload(Payload::Bytes(Bytes::from(document.bytes.clone())));
    let answer = link.call(&Access::push(target), &call).await?;
    if !answer.status().is_success() {
        return Err(answer.trouble(&target.login()).await);
    }
    manifest::compare(&answer, &document.digest)
}
