//! Pulls: manifest, configuration and layers of one image for one platform, into the store.
//! <https://github.com/opencontainers/distribution-spec/blob/main/spec.md#pulling-blobs>

use std::collections::BTreeMap;
use std::io::Write as _;
use std::sync::Arc;

use camino::Utf8PathBuf;
use futures_util::future::try_join_all;
use reqwest::header::{CONTENT_RANGE, RANGE};
use reqwest::{Method, StatusCode};

use super::auth::Access;
use super::body::apart;
use super::http::Call;
use super::link::{Errand, Link};
use super::manifest::{self, CONFIG_LIMIT, Parts};
use super::progress::Progress;
use super::target::Target;
use super::trouble::Trouble;
use super::{Fetched, Registry};
use crate::engine::store::{BlobWriter, CommitError, Store};
use crate::engine::{BlobOutcome, Direction, EngineError, Events};
use crate::oci::{Descriptor, Digest, Document, Platform, Reference, media};

/// Blobs of this size and more get a thread and a connection of their own.
const APART: u64 = 1024 * 1024;

/// One pull.
pub(super) struct Fetch<'a> {
    pub registry: &'a Registry,
    pub reference: &'a Reference,
    pub target: Target,
    /// Name of the image in events.
    pub name: String,
    pub store: &'a Store,
    pub events: &'a Events,
}

/// `from` is the lowest layer that is wanted.
pub(super) async fn fetch(
    registry: &Registry,
    reference: &Reference,
    want: &Platform,
    from: usize,
    store: &Store,
    events: &Events,
) -> Result<Fetched, EngineError> {
    let (target, name) = (Target::of(reference), reference.to_string());
    let fetch = Fetch { registry, reference, target, name, store, events };
    let (index, manifest) = fetch.manifest(want).await?;
    let mut parts = fetch.checked(manifest::parts(&manifest))?;
    parts.layers.drain(..from.min(parts.layers.len()));
    fetch.blobs(&parts).await?;
    let config = fetch.config(&parts.config)?;
    if index.is_none() {
        fetch.checked(manifest::fits(&config, want))?;
    }
    let layer = |(descriptor, digest, _): (Descriptor, Digest, u64)| (descriptor, store.path(&digest));
    let layers: Vec<(Descriptor, Utf8PathBuf)> = parts.layers.into_iter().map(layer).collect();
    Ok(Fetched { manifest, index, config, layers })
}

impl Fetch<'_> {
    fn errand<'b>(&'b self, action: &'b str) -> Errand<'b> {
        Errand { events: self.events, image: &self.name, reference: self.reference, action }
    }

    fn checked<T>(&self, result: Result<T, Trouble>) -> Result<T, EngineError> {
        result.map_err(|trouble| trouble.into_error("pull", &self.name, 1))
    }

    /// The index, if there is one, and the manifest for the platform. With a digest, both may be in the store already.
    async fn manifest(&self, want: &Platform) -> Result<(Option<Document>, Document), EngineError> {
        let (link, errand) = (&self.registry.link, self.errand("pull the manifest of"));
        let top = match self.checked(manifest::pinned(self.reference))? {
            Some(digest) => manifest::stored(link, &errand, &self.target, &digest, self.store).await?,
            None => {
                let document = manifest::document(link, &errand, self.reference).await?;
                self.checked(manifest::keep(self.store, &document))?;
                document
            }
        };
        if !media::is_index(&top.media_type) {
            return Ok((None, top));
        }
        let digest = self.checked(manifest::choose(&top, want))?;
        let manifest = manifest::stored(link, &errand, &self.target, &digest, self.store).await?;
        Ok((Some(top), manifest))
    }

    /// Fetches what the store lacks, several at once.
    async fn blobs(&self, parts: &Parts) -> Result<(), EngineError> {
        let all = std::iter::once(&parts.config).chain(&parts.layers);
        // an image may have a layer twice
        let wanted: BTreeMap<&Digest, u64> = all.map(|(_, digest, size)| (digest, *size)).collect();
        let absent = wanted.iter().filter(|(digest, size)| !self.store.has(digest, **size));
        let total = absent.fold(0, |total: u64, (_, size)| total.saturating_add(*size));
        let progress = Arc::new(Progress::new(self.events, &self.name, Direction::Down, total));
        try_join_all(wanted.into_iter().map(|(digest, size)| self.blob(digest, size, &progress))).await?;
        Ok(())
    }

    /// Brings a blob into the store, if it is not there.
    pub async fn blob(&self, digest: &Digest, size: u64, progress: &Arc<Progress>) -> Result<(), EngineError> {
        if self.store.has(digest, size) {
            progress.blob(digest, 0, BlobOutcome::Present);
            return Ok(());
        }
        // who comes second finds the blob in the store
        let turn = self.registry.turn(digest);
        let _turn = turn.lock().await;
        let _place = self.registry.place().await;
        if self.store.has(digest, size) {
            progress.blob(digest, size, BlobOutcome::Present);
            return Ok(());
        }
        let download = Download::new(Arc::clone(&self.registry.link), &self.target, digest, size, self.store, progress);
        let (name, reference, events) = (self.name.clone(), self.reference.clone(), self.events.clone());
        let work = async move || {
            let (action, mut download) = (format!("pull {} of", download.digest), download);
            let errand = Errand { events: &events, image: &name, reference: &reference, action: &action };
            let link = Arc::clone(&download.link);
            link.persist(&errand, async || download.attempt().await).await
        };
        if size < APART {
            work().await?;
        } else {
            let ended = apart(work).await;
            self.checked(ended.map_err(|error| Trouble::disk(format!("pull {digest}"), error)))??;
        }
        progress.blob(digest, size, BlobOutcome::Copied);
        Ok(())
    }

    fn config(&self, (descriptor, digest, _): &(Descriptor, Digest, u64)) -> Result<Document, EngineError> {
        let disk = |error| Trouble::disk(format!("read {digest} in the store"), error);
        let read = || {
            let bytes = self.store.read(digest, CONFIG_LIMIT).map_err(disk)?;
            bytes.ok_or_else(|| disk(std::io::ErrorKind::NotFound.into()))
        };
        let bytes = self.checked(read())?;
        Ok(Document::from_bytes(descriptor.media_type().as_ref(), bytes))
    }
}

/// One blob on its way here. What has come survives a failed attempt, and the next one asks for the rest.
struct Download {
    link: Arc<Link>,
    access: Access,
    digest: Digest,
    size: u64,
    store: Store,
    progress: Arc<Progress>,
    writer: Option<BlobWriter>,
    /// Its bytes come from several answers.
    patched: bool,
}

impl Download {
    fn new(
        link: Arc<Link>,
        target: &Target,
        digest: &Digest,
        size: u64,
        store: &Store,
        progress: &Arc<Progress>,
    ) -> Self {
        let (access, progress) = (Access::pull(target), Arc::clone(progress));
        let (digest, store) = (digest.clone(), store.clone());
        Self { link, access, digest, size, store, progress, writer: None, patched: false }
    }

    async fn attempt(&mut self) -> Result<(), Trouble> {
        let mut writer = match self.writer.take() {
            Some(writer) => writer,
            None => self.begin()?,
        };
        if let Err(trouble) = self.receive(&mut writer).await {
            if trouble.passes().is_some() {
                self.writer = Some(writer);
            }
            return Err(trouble);
        }
        match writer.commit(Some((&self.digest, self.size))) {
            Ok(_) => Ok(()),
            Err(CommitError::Io(error)) => Err(self.disk(error)),
            Err(CommitError::Mismatch { .. }) if self.patched => {
                self.progress.back(self.size);
                self.patched = false;
                Err(Trouble::passing("the parts that came do not fit together"))
            }
            Err(CommitError::Mismatch { actual, .. }) => {
                let (subject, expected) = (self.digest.to_string(), self.digest.clone());
                Err(Trouble::Digest { subject, expected, actual: actual.to_string() })
            }
        }
    }

    fn begin(&self) -> Result<BlobWriter, Trouble> {
        self.store.writer().map_err(|error| self.disk(error))
    }

    fn disk(&self, error: std::io::Error) -> Trouble {
        Trouble::disk(format!("keep {} in the store", self.digest), error)
    }

    async fn receive(&mut self, writer: &mut BlobWriter) -> Result<(), Trouble> {
        let from = writer.size();
        if from == self.size && from > 0 {
            return Ok(());
        }
        let url = self.link.url(&self.access.target, &format!("blobs/{}", self.digest)).await?;
        let mut call = Call::new(Method::GET, url);
        if from > 0 {
            call = call.header(RANGE, &format!("bytes={from}-"));
        }
        let mut answer = self.link.call(&self.access, &call).await?;
        let continued = answer.header(CONTENT_RANGE).starts_with(&format!("bytes {from}-"));
        match answer.status() {
            StatusCode::PARTIAL_CONTENT if from > 0 && continued => self.patched = true,
            StatusCode::OK | StatusCode::RANGE_NOT_SATISFIABLE | StatusCode::PARTIAL_CONTENT if from > 0 => {
                self.progress.back(from);
                *writer = self.begin()?;
                if answer.status() != StatusCode::OK {
                    return Err(Trouble::passing("the rest cannot be had alone"));
                }
            }
            StatusCode::OK => {}
            _ => return Err(answer.trouble(&self.access.target.login()).await),
        }
        if let Some(length) = answer.length().filter(|length| writer.size().checked_add(*length) != Some(self.size)) {
            return Err(self.wrong_size(length.saturating_add(writer.size()).to_string()));
        }
        while let Some(chunk) = answer.chunk().await? {
            let count = chunk.len() as u64;
            if writer.size() + count > self.size {
                return Err(self.wrong_size("more".to_owned()));
            }
            writer.write_all(&chunk).map_err(|error| self.disk(error))?;
            self.progress.forward(count);
        }
        if writer.size() < self.size {
            let subject = self.digest.to_string();
            return Err(Trouble::Short { subject, expected: self.size, actual: writer.size() });
        }
        Ok(())
    }

    fn wrong_size(&self, actual: String) -> Trouble {
        Trouble::Size { subject: self.digest.to_string(), expected: self.size, actual }
    }
}

/// Fetches a small blob into memory.
pub(super) async fn small(
    link: &Link,
    errand: &Errand<'_>,
    reference: &Reference,
    descriptor: &Descriptor,
    limit: u64,
) -> Result<Vec<u8>, EngineError> {
    let target = Target::of(reference);
    let access = Access::pull(&target);
    link.persist(errand, async || {
        let digest = descriptor.digest().to_string();
        let digest: Digest = digest.parse().map_err(|error| Trouble::unusable(format!("{error}")))?;
        let (subject, expected) = (digest.to_string(), descriptor.size());
        if expected > limit {
            return Err(Trouble::unusable(format!("{digest} has {expected} bytes, more than {limit}")));
        }
        let url = link.url(&target, &format!("blobs/{digest}")).await?;
        let answer = link.call(&access, &Call::new(Method::GET, url)).await?;
        if answer.status() != StatusCode::OK {
            return Err(answer.trouble(&target.login()).await);
        }
        let Some(bytes) = answer.bytes(expected).await? else {
            return Err(Trouble::Size { subject, expected, actual: "more".to_owned() });
        };
        let actual = Digest::of(&bytes);
        if (bytes.len() as u64) < expected {
            return Err(Trouble::Short { subject, expected, actual: bytes.len() as u64 });
        }
        if actual == digest {
            Ok(bytes)
        } else {
            Err(Trouble::Digest { subject, expected: digest, actual: actual.to_string() })
        }
    })
    .await
}
