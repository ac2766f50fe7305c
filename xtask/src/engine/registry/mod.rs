//! Registries: images pulled into the store and pushed from it, by the distribution protocol.
//! <https://github.com/opencontainers/distribution-spec/blob/main/spec.md>
//!
//! ```text
//! Reference ── resolve ──▶ Digest                      what a tag names now
//! Reference ── fetch ───▶ Fetched, blobs in the store   one image for one platform
//! PushRequest ─ push ───▶ Pushed                        blobs, manifests by digest, tags
//! CopyRequest ─ copy ───▶ Copied                        from one registry to another, with what refers to it
//!                │
//!                └─▶ link: scheme, account, redirects, another attempt ─▶ http: one request, its answer
//! ```
//!
//! | file | is |
//! |---|---|
//! | `options.rs` | what the caller decides: accounts, proxies, certificates, limits |
//! | `target.rs` | a repository, its addresses, its account |
//! | `http.rs`, `body.rs` | one request and its answer; bodies between files and connections |
//! | `auth.rs` | challenges and tokens |
//! | `link.rs` | requests that arrive |
//! | `manifest.rs` | manifests and indexes |
//! | `images.rs` | what a reference names, without layers |
//! | `fetch.rs` | pulls |
//! | `push.rs`, `upload.rs` | pushes, and one blob of them |
//! | `tags.rs` | the tags of a repository |
//! | `copy.rs`, `copies.rs` | copies between registries, and several of them |
//! | `referrers.rs` | what refers to an image: signatures, bills of materials |
//! | `trouble.rs` | what goes wrong, and how it is told |
//! | `progress.rs` | bytes, as events |
//!
//! **A blob is kept when its digest and its size are those that were announced**, and not a byte more is read.
//! **Nothing is named before it is whole**: blobs, then manifests by digest, children first, then tags.
//! **Accounts go to the registry and its token service, and to no one else**; errors and events hold none, nor query strings.
//! **What may pass is tried again, boundedly**: 429, 5xx, connections that are refused or break, bodies that end early, silence.
//! **With a digest, what is in the store needs no network.**
//!
//! # Why not `oci-client`
//!
//! The crate was read (0.18) and tried first. It sits on reqwest, as this module does; these are the places where the promises
//! above cannot be kept through it, and there is no hook that would let us:
//!
//! | needed | `oci-client` 0.18 |
//! |---|---|
//! | `Retry-After`; 429 told from 503 | answers become errors without headers; with an error body also without status |
//! | a token service that answers 503 is tried again, a wrong password is not | both are one error, which requests then swallow to go on anonymously |
//! | tokens for two repositories, for mounts; the scope of the challenge | one repository, a scope of its own making |
//! | identity tokens (`docker login` with a helper) | not exchanged |
//! | the upload that a registry offers instead of a mount | lost: the answer becomes an error |
//! | an upload continued after a break | its address is not given out |
//! | manifests, tokens and errors of bounded size | read to their end, whatever it is |
//! | silence ends a request, a long upload does not | reqwest's read timeout, which counts while a body is sent |
//! | no proxy from the environment | read by reqwest unless one is set |
//! | errors without addresses | errors hold the full address, signed or not |
//! | HTTP allowed for loopback, TLS found by asking | one scheme, fixed in advance |
//!
//! What is left would be its error type. Challenges are read by `http-auth`, as there.

mod auth;
mod body;
mod copies;
mod copy;
mod fetch;
mod http;
mod images;
mod link;
mod manifest;
mod options;
mod progress;
mod push;
mod referrers;
mod tags;
mod target;
#[cfg(test)]
mod tests;
mod trouble;
mod upload;

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};

use camino::Utf8PathBuf;
use tokio::sync::{Mutex as AsyncMutex, Semaphore, SemaphorePermit};

pub use copies::{Copied, CopyRequest, Hole, copy_all};
pub use images::Named;
pub use options::{Proxy, RegistryOptions, Retry, Timeouts};

use self::link::{Errand, Link};
use super::store::Store;
use super::{EngineError, Events};
use crate::oci::{Descriptor, Digest, Document, Platform, Reference};

/// All registries. Tokens, connections and the limit of blobs at once are shared by what goes through one value.
#[derive(Debug)]
pub struct Registry {
    link: Arc<Link>,
    places: Semaphore,
    /// Blobs that are being fetched, so that two images do not fetch the same.
    turns: Mutex<BTreeMap<Digest, Arc<AsyncMutex<()>>>>,
}

/// An image that was pulled. All of it is in the store.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Fetched {
    /// The manifest for the platform.
    pub manifest: Document,
    /// The index that it was chosen from.
    pub index: Option<Document>,
    /// The configuration.
    pub config: Document,
    /// Layers, lowest first, and where their bytes are.
    pub layers: Vec<(Descriptor, Utf8PathBuf)>,
}

/// What to push.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PushRequest {
    /// Name of the image in events.
    pub image: String,
    /// The repository. A tag of it is one of the tags; a digest is ignored.
    pub target: Reference,
    /// Images, one for each platform.
    pub images: Vec<PushImage>,
    /// The index that joins them. Without one there is one image.
    pub index: Option<Document>,
    /// Tags that shall name the index, or the image.
    pub tags: Vec<String>,
}

/// One image to push.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PushImage {
    /// Its manifest.
    pub manifest: Document,
    /// Its configuration.
    pub config: Document,
    /// Its layers.
    pub blobs: Vec<Blob>,
}

/// One layer to push, if the registry lacks it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Blob {
    /// Its digest.
    pub digest: Digest,
    /// Its size.
    pub size: u64,
    /// Where its bytes are.
    pub path: Utf8PathBuf,
    /// Another repository at the same registry that may have it, such as the base's: `library/debian`.
    pub mount_from: Option<String>,
}

/// What came of a push.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize)]
pub struct Pushed {
    /// Digest of the index, or of the only manifest: what the tags name now.
    pub digest: Digest,
    /// Blobs that were sent.
    pub sent_blobs: u64,
    /// Their bytes.
    pub sent_bytes: u64,
    /// Blobs that were mounted from another repository.
    pub mounted: u64,
    /// Blobs that were there; those of manifests that were there are not counted.
    pub skipped: u64,
    /// Manifests and indexes that were sent by digest.
    pub sent_manifests: u64,
}

impl PushRequest {
    /// What the tags name.
    fn root(&self) -> Option<&Document> {
        match (&self.index, self.images.as_slice()) {
            (Some(index), _) => Some(index),
            (None, [image]) => Some(&image.manifest),
            _ => None,
        }
    }

    /// All tags, each once.
    fn names(&self) -> Vec<&str> {
        let mut names: Vec<&str> = Vec::new();
        for tag in self.target.tag().into_iter().chain(self.tags.iter().map(String::as_str)) {
            if !names.contains(&tag) {
                names.push(tag);
            }
        }
        names
    }
}

impl Pushed {
    fn new(digest: Digest) -> Self {
        Self { digest, sent_blobs: 0, sent_bytes: 0, mounted: 0, skipped: 0, sent_manifests: 0 }
    }
}

impl Registry {
    /// Nothing is connected yet; trouble with proxies and certificates shows when they are needed.
    pub fn new(options: RegistryOptions) -> Self {
        let places = Semaphore::new(options.concurrency.max(1));
        Self { link: Arc::new(Link::new(options)), places, turns: Mutex::default() }
    }

    /// The digest of what a tag names now: of the index, if it is one. Of a reference without a tag, its digest, if the
    /// registry has it.
    ///
    /// # Errors
    /// [`EngineError::Registry`]; [`EngineError::WrongDigest`] when the registry contradicts itself.
    pub async fn resolve(&self, reference: &Reference, events: &Events) -> Result<Digest, EngineError> {
        let name = reference.to_string();
        manifest::resolve(&self.link, &Errand { events, image: &name, reference, action: "resolve" }, reference).await
    }

    /// The manifest or index of a reference, by its digest if it has one.
    ///
    /// # Errors
    /// [`EngineError::Registry`], [`EngineError::WrongDigest`], [`EngineError::UnusableImage`].
    pub async fn manifest(&self, reference: &Reference, events: &Events) -> Result<Document, EngineError> {
        let (name, action) = (reference.to_string(), "read the manifest of");
        manifest::document(&self.link, &Errand { events, image: &name, reference, action }, reference).await
    }

    /// A small blob of the repository of a reference.
    ///
    /// # Errors
    /// As [`Registry::fetch`]; [`EngineError::UnusableImage`] when it has more than `limit` bytes.
    pub async fn blob(
        &self,
        reference: &Reference,
        descriptor: &Descriptor,
        limit: u64,
        events: &Events,
    ) -> Result<Vec<u8>, EngineError> {
        let (name, action) = (reference.to_string(), format!("read {} of", descriptor.digest()));
        let errand = Errand { events, image: &name, reference, action: &action };
        fetch::small(&self.link, &errand, reference, descriptor, limit).await
    }

    /// Pulls the image of a reference for a platform into the store. What the store has is not fetched; with a digest in the
    /// reference and everything in the store, there is no request at all.
    ///
    /// # Errors
    /// [`EngineError::Registry`] when the registry cannot be had or refuses; [`EngineError::WrongDigest`] and
    /// [`EngineError::WrongSize`] when it serves something else; [`EngineError::UnusableImage`] when there is nothing for
    /// the platform, a layer may not be distributed, or a manifest is wrong.
    pub async fn fetch(
        &self,
        reference: &Reference,
        want: &Platform,
        store: &Store,
        events: &Events,
    ) -> Result<Fetched, EngineError> {
        self.fetch_from(reference, want, 0, store, events).await
    }

    /// The same without the layers below the one with this position: `usize::MAX` fetches the documents alone.
    ///
    /// # Errors
    /// As [`Registry::fetch`].
    pub async fn fetch_from(
        &self,
        reference: &Reference,
        want: &Platform,
        from: usize,
        store: &Store,
        events: &Events,
    ) -> Result<Fetched, EngineError> {
        fetch::fetch(self, reference, want, from, store, events).await
    }

    /// Pushes an image, or several with the index that joins them. Blobs that the registry has are not sent; tags are
    /// moved last, and not at all when they name it already.
    ///
    /// # Errors
    /// [`EngineError::Registry`]; [`EngineError::WrongSize`] when a blob on this machine is not what its size says.
    pub async fn push(&self, request: &PushRequest, events: &Events) -> Result<Pushed, EngineError> {
        push::push(self, request, events).await
    }

    /// Waits until a blob may travel.
    async fn place(&self) -> Option<SemaphorePermit<'_>> {
        self.places.acquire().await.ok()
    }

    /// Who fetches a blob.
    fn turn(&self, digest: &Digest) -> Arc<AsyncMutex<()>> {
        let mut turns = self.turns.lock().unwrap_or_else(PoisonError::into_inner);
        Arc::clone(turns.entry(digest.clone()).or_default())
    }
}
