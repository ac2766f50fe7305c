//! Images whose documents were read and whose layers were not: what is below a base that an image stands on is not needed.

use std::sync::Arc;

use super::super::base::{Base, Unread};
use super::super::bases::once;
use super::super::shelf::Whole;
use super::super::{Native, blocking};
use crate::engine::{EngineError, Events};
use crate::oci::{DiffId, Digest, Document, Image, ImageSource, Platform, Reference, read_image};

/// An image without its layers.
#[derive(Debug)]
pub(in crate::engine::native) struct Documents {
    /// Its configuration.
    pub(in crate::engine::native) config: Document,
    /// What its layers unpack to, lowest first.
    pub(in crate::engine::native) diff_ids: Vec<DiffId>,
    at: At,
}

/// Where the layers are.
#[derive(Debug)]
enum At {
    Registry(Reference, Box<Image>),
    File(Unread),
    Daemon(Arc<Base>),
}

impl Documents {
    /// What identifies the image.
    pub(in crate::engine::native) fn digest(&self) -> &Digest {
        match &self.at {
            At::Registry(_, image) => &image.manifest.digest,
            At::File(unread) => unread.digest(),
            At::Daemon(base) => base.digest.as_ref().unwrap_or(&base.document.digest),
        }
    }

    /// The repository that its layers are in.
    pub(super) fn repository(&self) -> Option<&Reference> {
        match &self.at {
            At::Registry(reference, _) => Some(reference),
            At::File(_) | At::Daemon(_) => None,
        }
    }
}

impl Native<'_> {
    /// The documents of an image, which are read once for all jobs.
    pub(in crate::engine::native) async fn documents(
        &self,
        source: &ImageSource,
        platform: &Platform,
        events: &Events,
    ) -> Result<Arc<Documents>, EngineError> {
        let slot = once(&self.bases.documents, source, platform);
        slot.get_or_try_init(|| async { self.read_documents(source, platform, events).await.map(Arc::new) })
            .await
            .cloned()
    }

    async fn read_documents(
        &self,
        source: &ImageSource,
        platform: &Platform,
        events: &Events,
    ) -> Result<Documents, EngineError> {
        match source {
            ImageSource::Registry(reference) => {
                let fetched = self.registry.fetch_from(reference, platform, usize::MAX, &self.store, events).await;
                let fetched = match fetched {
                    Ok(fetched) => fetched,
                    Err(error) => return Err(self.with_daemon_hint(error, source).await),
                };
                let unusable = |wrong: Vec<String>| EngineError::UnusableImage {
                    reference: reference.to_string(),
                    detail: wrong.join("; "),
                };
                let image = read_image(fetched.manifest, fetched.config).map_err(unusable)?;
                let diff_ids = image.layers.iter().map(|layer| layer.diff_id.clone()).collect();
                let config = image.config.clone();
                Ok(Documents { config, diff_ids, at: At::Registry(reference.clone(), Box::new(image)) })
            }
            ImageSource::File(file) => {
                let (file, wanted, root) = (file.clone(), platform.clone(), self.root.clone());
                let unread = blocking(move |_| Unread::of_file(&file, &wanted, &root)).await?;
                let diff_ids = unread.diff_ids();
                Ok(Documents { config: unread.config().clone(), diff_ids, at: At::File(unread) })
            }
            ImageSource::Daemon(_) => {
                let base = Arc::new(self.read(source, platform, events).await?);
                Ok(Documents { config: base.document.clone(), diff_ids: base.diff_ids(), at: At::Daemon(base) })
            }
        }
    }

    /// The layers of an image from one on, which are then in the store, and what they do.
    pub(super) async fn upper(
        &self,
        source: &ImageSource,
        documents: &Arc<Documents>,
        from: usize,
        platform: &Platform,
        events: &Events,
    ) -> Result<Vec<Arc<Whole>>, EngineError> {
        if let At::Registry(reference, image) = &documents.at {
            // by its digest: what a tag names may be another image by now
            let pinned = reference.with_digest(&image.manifest.digest);
            self.registry.fetch_from(&pinned, platform, from, &self.store, events).await?;
        }
        let (source, documents) = (source.clone(), documents.clone());
        let (root, store) = (self.root.clone(), self.store.clone());
        let taken = blocking(move |_| match &documents.at {
            At::Registry(_, image) => Base::listed(&source, image.layers.get(from..).unwrap_or_default(), &store),
            At::File(unread) => unread.layers(from, &root, &store),
            At::Daemon(base) => Base::listed(&source, base.layers.get(from..).unwrap_or_default(), &store),
        });
        let taken = taken.await?.into_iter();
        Ok(taken.map(|(layer, listing)| Arc::new(Whole { layer, listing })).collect())
    }
}
