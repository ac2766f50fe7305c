//! Copies from one registry to another: manifests, indexes and what refers to them, by digest, without a daemon.
//!
//! ```text
//! blobs ──▶ manifests ──▶ their index ──▶ what refers to each of them ──▶ read back ──▶ tags
//! ```
//!
//! Each blob is looked for at the destination first, then mounted if both are one registry, and only then fetched into the
//! store and sent from there: either side continues on its own when a connection breaks, nothing is kept in memory, and a
//! copy that was killed finds in the store what it had fetched, and at the destination what it had sent.
//!
//! **An index is never there without all that it names**: one with a hole is not sent, nor is any tag set; its other images
//! are, by digest. **A tag that may not move is looked at before anything is sent, and again before it is set.**

use std::collections::BTreeMap;
use std::sync::Arc;

use futures_util::future::try_join_all;
use serde_json::Value;

use super::auth::Access;
use super::fetch::Fetch;
use super::link::Errand;
use super::manifest::{self, LAYER_LIMIT};
use super::progress::Progress;
use super::push;
use super::referrers;
use super::target::Target;
use super::trouble::Trouble;
use super::upload::{Bytestream, Upload};
use super::{Copied, CopyRequest, Hole, Registry};
use crate::engine::store::Store;
use crate::engine::{BlobOutcome, Direction, EngineError, Event, Events};
use crate::oci::{Digest, Document, Reference, media};

/// Indexes in indexes that are followed.
const DEPTH: u8 = 3;
/// Most children of one index.
const CHILDREN: usize = 500;

/// One copy.
pub(super) struct Copying<'a> {
    pub registry: &'a Registry,
    pub events: &'a Events,
    pub from: Side<'a>,
    pub to: Side<'a>,
    /// Name of the image in events.
    name: String,
    store: &'a Store,
}

/// One end of a copy.
pub(super) struct Side<'a> {
    pub target: Target,
    pub reference: &'a Reference,
}

/// Why something was not copied.
pub(super) enum Fault {
    /// The source does not have it, or not as it should be.
    Absent(EngineError),
    /// Anything else.
    Other(EngineError),
}

/// Something that a manifest or an index names.
#[derive(Debug, Clone)]
pub(super) struct Named {
    pub digest: Digest,
    pub media_type: String,
    size: u64,
    /// `linux/arm64`, `unknown/unknown`; empty where nothing is said.
    platform: String,
}

impl Fault {
    /// A failure of the source. A registry that does not answer may have it.
    fn of_source(error: EngineError) -> Self {
        match &error {
            EngineError::Registry(failure) if failure.is_unreachable => Self::Other(error),
            EngineError::Registry(_)
            | EngineError::UnusableImage { .. }
            | EngineError::WrongDigest { .. }
            | EngineError::WrongSize { .. } => Self::Absent(error),
            _ => Self::Other(error),
        }
    }

    pub fn into_error(self) -> EngineError {
        match self {
            Self::Absent(error) | Self::Other(error) => error,
        }
    }
}

impl From<EngineError> for Fault {
    fn from(error: EngineError) -> Self {
        Self::Other(error)
    }
}

impl Registry {
    /// Copies what a reference names to another repository, at this registry or another one. What is there is not sent, so
    /// that a copy which was cut short goes on where it was, and a second one sends nothing.
    ///
    /// # Errors
    /// [`EngineError::TagTaken`], before anything was sent, when a tag that may not move names something else;
    /// [`EngineError::Registry`], [`EngineError::WrongDigest`], [`EngineError::UnusableImage`]. Images that the source lacks
    /// though its index names them are no error: see [`Copied::holes`].
    pub async fn copy(&self, request: &CopyRequest, store: &Store, events: &Events) -> Result<Copied, EngineError> {
        let side = |reference| Side { target: Target::of(reference), reference };
        let (from, to) = (side(&request.from), side(&request.to));
        let copy = Copying { registry: self, events, from, to, name: request.name.clone(), store };
        copy.run(request).await
    }
}

impl Copying<'_> {
    async fn run(&self, request: &CopyRequest) -> Result<Copied, EngineError> {
        let root = self.root().await?;
        let mut copied = Copied::new(root.digest.clone());
        let open = self.open_tags(request, &root.digest).await?;
        let subjects = self.root_and_children(&root, &mut copied).await.map_err(Fault::into_error)?;
        if !copied.holes.is_empty() {
            return Ok(copied);
        }
        if request.referrers {
            for subject in &subjects {
                referrers::attach(self, subject, 0, &mut copied).await?;
            }
        }
        let back = self.to.reference.with_digest(&root.digest);
        manifest::document(&self.registry.link, &self.errand(&self.to, "read back"), &back).await?;
        for tag in open {
            // somebody else may have been here meanwhile
            if self.is_open(request, tag, &root.digest).await? {
                self.put(&root, tag).await?;
                self.compare(tag, &root.digest).await?;
                copied.tags.push(tag.to_owned());
            }
        }
        let reference = format!("{}@{}", self.to.reference.name(), root.digest);
        self.events.emit(Event::Copied { image: self.name.clone(), reference });
        Ok(copied)
    }

    pub fn errand<'b>(&'b self, side: &Side<'b>, action: &'b str) -> Errand<'b> {
        Errand { events: self.events, image: &self.name, reference: side.reference, action }
    }

    /// What the source names.
    async fn root(&self) -> Result<Document, EngineError> {
        let errand = self.errand(&self.from, "read the manifest of");
        manifest::document(&self.registry.link, &errand, self.from.reference).await
    }

    /// The tags that are to be set.
    async fn open_tags<'r>(&self, request: &'r CopyRequest, root: &Digest) -> Result<Vec<&'r str>, EngineError> {
        let mut open = Vec::new();
        for tag in request.tags.keys() {
            if self.is_open(request, tag, root).await? {
                open.push(tag.as_str());
            }
        }
        Ok(open)
    }

    /// Whether a tag is to be set: not when it names the image already.
    async fn is_open(&self, request: &CopyRequest, tag: &str, root: &Digest) -> Result<bool, EngineError> {
        let moves = request.tags.get(tag).copied().unwrap_or_default();
        match self.at_destination(tag).await? {
            Some(there) if there == *root => Ok(false),
            Some(there) if !moves => {
                let reference = format!("{}:{tag}", self.to.reference.name());
                let (there, wanted) = (there.to_string(), root.to_string());
                Err(EngineError::TagTaken { reference, there, wanted })
            }
            _ => Ok(true),
        }
    }

    /// The digest of what the destination has by a name.
    pub async fn at_destination(&self, word: &str) -> Result<Option<Digest>, EngineError> {
        let (link, access) = (&self.registry.link, Access::push(&self.to.target));
        let errand = self.errand(&self.to, "look for what is to be copied in");
        link.persist(&errand, async || manifest::there(link, &access, word).await).await
    }

    /// That the destination has a digest under a name, by what it says itself.
    async fn compare(&self, tag: &str, expected: &Digest) -> Result<(), EngineError> {
        let reference = format!("{}:{tag}", self.to.reference.name());
        let found = self.at_destination(tag).await?;
        match found {
            Some(found) if found != *expected => {
                let (subject, actual) = (format!("what {tag} names at the destination"), found.to_string());
                Err(EngineError::WrongDigest { reference, subject, expected: expected.to_string(), actual })
            }
            // a registry that says no digest was compared by its bytes
            _ => Ok(()),
        }
    }

    /// Brings the root and all that is below it. Returns the digests of both, for what refers to them.
    async fn root_and_children(&self, root: &Document, copied: &mut Copied) -> Result<Vec<Digest>, Fault> {
        let is_there = self.at_destination(&root.digest.to_string()).await?.as_ref() == Some(&root.digest);
        let mut subjects = vec![root.digest.clone()];
        if media::is_index(&root.media_type) {
            for child in self.read(children(root))? {
                match self.tree(&child, 1, copied).await {
                    Ok(()) => copied.platforms.push(child.platform.clone()),
                    Err(Fault::Absent(error)) => copied.holes.push(Hole::new(&child, &error)),
                    Err(other) => return Err(other),
                }
                subjects.push(child.digest);
            }
            if !copied.holes.is_empty() {
                return Ok(subjects);
            }
        } else if !is_there {
            self.blobs(root, copied).await?;
        }
        if !is_there {
            self.put(root, &root.digest.to_string()).await?;
            copied.sent_manifests += 1;
        }
        Ok(subjects)
    }

    /// Brings a manifest, or an index and all that is below it. A manifest that is there has all of its blobs: registries
    /// see to that. Of indexes not all do.
    pub async fn tree(&self, named: &Named, depth: u8, copied: &mut Copied) -> Result<(), Fault> {
        let word = named.digest.to_string();
        let is_there = self.at_destination(&word).await?.as_ref() == Some(&named.digest);
        if is_there && media::is_manifest(&named.media_type) {
            return Ok(());
        }
        let document = self.document(&named.digest).await?;
        if media::is_index(&document.media_type) {
            if depth == DEPTH {
                let deep = Trouble::unusable(format!("its indexes stand more than {DEPTH} deep in one another"));
                return self.read(Err(deep));
            }
            for child in self.read(children(&document))? {
                Box::pin(self.tree(&child, depth + 1, copied)).await?;
            }
        } else if !is_there {
            self.blobs(&document, copied).await?;
        }
        if !is_there {
            self.put(&document, &word).await?;
            copied.sent_manifests += 1;
        }
        Ok(())
    }

    fn read<T>(&self, result: Result<T, Trouble>) -> Result<T, Fault> {
        result.map_err(|trouble| Fault::of_source(trouble.into_error("copy", &self.from.reference.to_string(), 1)))
    }

    async fn document(&self, digest: &Digest) -> Result<Document, Fault> {
        let (reference, errand) =
            (self.from.reference.with_digest(digest), self.errand(&self.from, "read a manifest of"));
        let errand = Errand { reference: &reference, ..errand };
        manifest::document(&self.registry.link, &errand, &reference).await.map_err(Fault::of_source)
    }

    /// Sends a manifest or an index, by its digest or by a tag.
    pub async fn put(&self, document: &Document, word: &str) -> Result<(), EngineError> {
        let (link, action) = (&self.registry.link, format!("push the manifest {word} of"));
        let errand = self.errand(&self.to, &action);
        link.persist(&errand, async || push::put(link, &self.to.target, document, word).await).await
    }

    /// Brings the blobs of a manifest, several at once.
    async fn blobs(&self, document: &Document, copied: &mut Copied) -> Result<(), Fault> {
        let blobs = self.read(blobs(document))?;
        let total = blobs.values().fold(0, |total: u64, size| total.saturating_add(*size));
        let progress = |direction| Arc::new(Progress::new(self.events, &self.name, direction, total));
        let (down, up) = (progress(Direction::Down), progress(Direction::Up));
        let carried = blobs.iter().map(|(digest, size)| self.blob(digest, *size, &down, &up));
        for (outcome, size) in try_join_all(carried).await? {
            match outcome {
                BlobOutcome::Copied => {
                    copied.sent_blobs += 1;
                    copied.sent_bytes += size;
                }
                BlobOutcome::Mounted => copied.mounted += 1,
                BlobOutcome::Present => copied.skipped += 1,
            }
        }
        Ok(())
    }

    async fn blob(
        &self,
        digest: &Digest,
        size: u64,
        down: &Arc<Progress>,
        up: &Arc<Progress>,
    ) -> Result<(BlobOutcome, u64), Fault> {
        let (link, progress) = (&*self.registry.link, Arc::clone(up));
        let (source, mount_from) = (Bytestream::File(self.store.path(digest)), self.mount_from());
        let (target, session, absent) = (&self.to.target, None, false);
        let mut upload = Upload { link, target, digest, size, source, mount_from, progress, session, absent };
        let action = format!("push {digest} of");
        let errand = self.errand(&self.to, &action);
        let early = {
            let _place = self.registry.place().await;
            link.persist(&errand, async || upload.without_bytes().await).await?
        };
        if let Some(outcome) = early {
            up.blob(digest, size, outcome);
            return Ok((outcome, size));
        }
        let (target, reference) = (self.from.target.clone(), self.from.reference);
        let (registry, name, store, events) = (self.registry, self.name.clone(), self.store, self.events);
        let fetch = Fetch { registry, reference, target, name, store, events };
        fetch.blob(digest, size, down).await.map_err(Fault::of_source)?;
        let _place = self.registry.place().await;
        let outcome = link.persist(&errand, async || upload.attempt().await).await?;
        up.blob(digest, size, outcome);
        Ok((outcome, size))
    }

    /// The source, as a repository that the destination's registry can take blobs from.
    fn mount_from(&self) -> Option<String> {
        let (from, to) = (&self.from.target, &self.to.target);
        (from.registry == to.registry && from.repository != to.repository).then(|| from.repository.clone())
    }
}

impl Hole {
    fn new(named: &Named, error: &EngineError) -> Self {
        let detail = error.to_string();
        let detail = detail.lines().next().unwrap_or_default().to_owned();
        Self { platform: named.platform.clone(), digest: named.digest.clone(), detail }
    }
}

/// What stands in an index.
pub(super) fn children(index: &Document) -> Result<Vec<Named>, Trouble> {
    let value = index.value().map_err(|_| Trouble::unusable("its index is not JSON"))?;
    let entries = value["manifests"].as_array().map(Vec::as_slice).unwrap_or_default();
    if entries.len() > CHILDREN {
        return Err(Trouble::unusable(format!("its index names more than {CHILDREN} manifests")));
    }
    entries.iter().map(named).collect()
}

/// One descriptor. <https://github.com/opencontainers/image-spec/blob/main/descriptor.md>
pub(super) fn named(entry: &Value) -> Result<Named, Trouble> {
    let digest = entry["digest"].as_str().unwrap_or_default();
    let digest = digest.parse().map_err(|error| Trouble::unusable(format!("what it names is wrong: {error}")))?;
    let Some(size) = entry["size"].as_u64() else {
        return Err(Trouble::unusable(format!("its part {digest} has no size")));
    };
    let media_type = entry["mediaType"].as_str().unwrap_or_default().to_owned();
    let part = |key: &str| entry["platform"][key].as_str().filter(|part| !part.is_empty());
    let platform: Vec<&str> = ["os", "architecture", "variant"].into_iter().filter_map(part).collect();
    Ok(Named { digest, media_type, size, platform: platform.join("/") })
}

/// The configuration and the layers of a manifest, each once, with their sizes. Whatever they are: what refers to an image has
/// layers that are none. Those that may not be distributed stay where they are.
fn blobs(manifest: &Document) -> Result<BTreeMap<Digest, u64>, Trouble> {
    let value = manifest.value().map_err(|_| Trouble::unusable("its manifest is not JSON"))?;
    let layers = value["layers"].as_array().map(Vec::as_slice).unwrap_or_default();
    let mut blobs = BTreeMap::new();
    for entry in value.get("config").into_iter().chain(layers) {
        let Named { digest, media_type, size, .. } = named(entry)?;
        if size > LAYER_LIMIT {
            let message = format!("its part {digest} is said to have {size} bytes, more than {LAYER_LIMIT}");
            return Err(Trouble::unusable(message));
        }
        if !["foreign", "nondistributable"].iter().any(|word| media_type.contains(word)) {
            blobs.insert(digest, size);
        }
    }
    Ok(blobs)
}
