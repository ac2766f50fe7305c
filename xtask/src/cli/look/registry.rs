//! Images of a registry: their manifests and configurations, and of their layers no more than it takes to find the description.

use std::collections::BTreeSet;

use futures_util::future::join_all;

use crate::engine::native::base::{Looked, Sought, sought};
use crate::engine::registry::Registry;
use crate::engine::{EngineError, Events};
use crate::oci::{Digest, Document, ImageIndex, ImageManifest, Reference, media, read_image};

/// Largest layer that is fetched, in bytes: the description stands in a small layer of its own, on top.
const LAYER_LIMIT: u64 = 16 * 1024 * 1024;
/// Largest configuration, in bytes.
const CONFIG_LIMIT: u64 = 16 * 1024 * 1024;
/// Most manifests of an index, and of indexes in it.
const MAX_MANIFESTS: usize = 200;
/// How BuildKit marks what is no image.
const REFERENCE_TYPE: &str = "vnd.docker.reference.type";

/// What a registry has under a reference.
pub(super) struct Found {
    /// Digest of the index, if it is one.
    pub(super) index: Option<Digest>,
    /// The images.
    pub(super) images: Vec<Seen>,
}

/// An image, and whether all of its layers were looked into.
pub(super) struct Seen {
    pub(super) looked: Looked,
    pub(super) is_searched: bool,
}

/// Who is asked for what.
struct Look<'a> {
    registry: &'a Registry,
    reference: &'a Reference,
    events: Events,
    /// The file that is looked for, and its largest size.
    path: &'a str,
    limit: u64,
}

/// The image of a reference, or all images of its index, and in each the file at `path`, of at most `limit` bytes.
///
/// # Errors
/// Those of the client; [`EngineError::UnusableImage`] when there is no image.
pub(super) async fn images(
    registry: &Registry,
    reference: &Reference,
    path: &str,
    limit: u64,
) -> Result<Found, EngineError> {
    let look = Look { registry, reference, events: Events::nowhere(), path, limit };
    let top = registry.manifest(reference, &look.events).await?;
    if !media::is_index(&top.media_type) {
        return Ok(Found { index: None, images: vec![look.image(top).await?] });
    }
    let index = Some(top.digest.clone());
    let (mut images, mut unusable) = (Vec::new(), None);
    for image in join_all(look.members(top).await?.iter().map(|digest| look.member(digest))).await {
        match image {
            Ok(image) => images.push(image),
            // what stands beside images in an index, and images with layers that nobody may distribute
            Err(error @ EngineError::UnusableImage { .. }) => unusable = unusable.or(Some(error)),
            Err(error) => return Err(error),
        }
    }
    match unusable {
        _ if !images.is_empty() => Ok(Found { index, images }),
        Some(error) => Err(error),
        None => Err(look.unusable("there is no image in its index")),
    }
}

impl Look<'_> {
    fn unusable(&self, detail: impl ToString) -> EngineError {
        EngineError::UnusableImage { reference: self.reference.to_string(), detail: detail.to_string() }
    }

    /// The images that an index names, and the indexes in it, each once.
    async fn members(&self, top: Document) -> Result<Vec<Digest>, EngineError> {
        let (mut members, mut indexes, mut named) = (Vec::new(), vec![top], BTreeSet::new());
        while let Some(document) = indexes.pop() {
            let index: ImageIndex = serde_json::from_slice(&document.bytes)
                .map_err(|error| self.unusable(format!("its index is wrong: {error:.200}")))?;
            for entry in index.manifests() {
                let unknown = entry.platform().as_ref().is_some_and(|platform| platform.os().to_string() == "unknown");
                if unknown || entry.annotations().as_ref().is_some_and(|all| all.contains_key(REFERENCE_TYPE)) {
                    continue;
                }
                let digest: Digest = entry.digest().to_string().parse().map_err(|error| self.unusable(error))?;
                if !named.insert(digest.clone()) {
                    continue;
                }
                if named.len() > MAX_MANIFESTS {
                    return Err(self.unusable(format!("its index names more than {MAX_MANIFESTS} images")));
                }
                match media::is_index(entry.media_type().as_ref()) {
                    true => indexes.push(self.manifest(&digest).await?),
                    false => members.push(digest),
                }
            }
        }
        Ok(members)
    }

    async fn manifest(&self, digest: &Digest) -> Result<Document, EngineError> {
        self.registry.manifest(&self.reference.with_digest(digest), &self.events).await
    }

    async fn member(&self, digest: &Digest) -> Result<Seen, EngineError> {
        self.image(self.manifest(digest).await?).await
    }

    async fn image(&self, manifest: Document) -> Result<Seen, EngineError> {
        let parsed: ImageManifest = serde_json::from_slice(&manifest.bytes)
            .map_err(|error| self.unusable(format!("its manifest is wrong: {error:.200}")))?;
        let named = parsed.config();
        let config = self.registry.blob(self.reference, named, CONFIG_LIMIT, &self.events).await?;
        let config = Document::from_bytes(named.media_type().as_ref(), config);
        let image = read_image(manifest, config).map_err(|wrong| self.unusable(wrong.join("; ")))?;
        let (mut found, mut is_searched) = (None, true);
        for layer in image.layers.iter().rev() {
            if layer.size > LAYER_LIMIT {
                is_searched = false;
                continue;
            }
            let stored = self.registry.blob(self.reference, &layer.descriptor(), LAYER_LIMIT, &self.events).await?;
            match sought(self.reference, layer, &stored, self.path, self.limit)? {
                Sought::Absent => {}
                Sought::Found(bytes) => {
                    found = Some(bytes);
                    break;
                }
                Sought::Hidden => break,
            }
        }
        let looked = Looked {
            digest: Some(image.manifest.digest),
            platform: image.platform,
            config: image.config,
            tags: Vec::new(),
            size: image.layers.iter().map(|layer| layer.size).sum(),
            found,
        };
        Ok(Seen { looked, is_searched })
    }
}
