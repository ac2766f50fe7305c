//! Copies as values: what to copy, what came of it; and several of them at once.

use std::collections::BTreeMap;

use futures_util::StreamExt as _;
use futures_util::stream::FuturesUnordered;

use super::Registry;
use crate::engine::store::Store;
use crate::engine::{Cancel, EngineError, Event, Events, block_on};
use crate::oci::{Digest, Reference};

/// What to copy, and where to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CopyRequest {
    /// Its name in events.
    pub name: String,
    /// The image: what its tag names now, or what has its digest.
    pub from: Reference,
    /// The repository; tag and digest of it do not matter.
    pub to: Reference,
    /// Tags that shall name it there, each with whether it may be taken from another image.
    pub tags: BTreeMap<String, bool>,
    /// Copy what refers to it, too.
    pub referrers: bool,
}

/// What came of a copy.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize)]
pub struct Copied {
    /// Digest of the index, or of the only manifest; the same on both sides.
    pub digest: Digest,
    /// Platforms of the index that are at the destination; empty when it is no index.
    pub platforms: Vec<String>,
    /// What the index names and the source does not have. When there is any, neither the index nor a tag was sent.
    pub holes: Vec<Hole>,
    /// Tags that were set, or moved.
    pub tags: Vec<String>,
    /// Tags of signatures that name something else at the destination and were left alone.
    pub kept: Vec<String>,
    /// Manifests that refer to it and were sent.
    pub referrers: u64,
    /// Manifests and indexes that were sent by digest, those that refer to it and their lists among them.
    pub sent_manifests: u64,
    /// Blobs that were sent.
    pub sent_blobs: u64,
    /// Their bytes.
    pub sent_bytes: u64,
    /// Blobs that were mounted from another repository.
    pub mounted: u64,
    /// Blobs that were there; those of manifests that were there are not counted.
    pub skipped: u64,
}

/// A part of an index that its registry does not have.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize)]
pub struct Hole {
    /// The platform, such as `linux/arm64`; `unknown/unknown` for what is no image, empty when the index does not say.
    pub platform: String,
    /// The manifest.
    pub digest: Digest,
    /// What the registry said; one line.
    pub detail: String,
}

impl Copied {
    pub(super) fn new(digest: Digest) -> Self {
        Self {
            digest,
            platforms: Vec::new(),
            holes: Vec::new(),
            tags: Vec::new(),
            kept: Vec::new(),
            referrers: 0,
            sent_manifests: 0,
            sent_blobs: 0,
            sent_bytes: 0,
            mounted: 0,
            skipped: 0,
        }
    }

    /// Whether nothing had to be done: all of it was there, under all of its tags.
    pub fn is_unchanged(&self) -> bool {
        self.holes.is_empty() && self.tags.is_empty() && self.sent_manifests == 0
    }
}

/// One copy on its way, with its index.
type End = (usize, Result<Copied, EngineError>);

/// Copies several images, some of them at once, and tells `on_event` what happens. One that fails does not stop the others.
/// Waits for the end, and stops everything on Ctrl-C; what was not copied then is [`EngineError::Cancelled`].
///
/// # Errors
/// When the system gives no event queue.
pub fn copy_all(
    registry: &Registry,
    store: &Store,
    requests: &[CopyRequest],
    at_once: usize,
    cancel: &Cancel,
    on_event: &mut dyn FnMut(Event),
) -> std::io::Result<Vec<Result<Copied, EngineError>>> {
    let mut ends: BTreeMap<usize, Result<Copied, EngineError>> = BTreeMap::new();
    let work = async {
        tokio::select! {
            () = all(registry, store, requests, at_once, cancel, on_event, &mut ends) => {}
            never = cancel.on_interrupt() => match never {},
        }
    };
    block_on(work)?;
    Ok((0..requests.len()).map(|index| ends.remove(&index).unwrap_or(Err(EngineError::Cancelled))).collect())
}

async fn all(
    registry: &Registry,
    store: &Store,
    requests: &[CopyRequest],
    at_once: usize,
    cancel: &Cancel,
    on_event: &mut dyn FnMut(Event),
    ends: &mut BTreeMap<usize, Result<Copied, EngineError>>,
) {
    let (events, mut receiver) = Events::channel();
    let start = async |index: usize, request: &CopyRequest, events: &Events| -> End {
        events.emit(Event::Started { image: request.name.clone() });
        let end = registry.copy(request, store, events).await;
        events.emit_end(&request.name, &end);
        (index, end)
    };
    let (mut running, mut open) = (FuturesUnordered::new(), requests.iter().enumerate());
    loop {
        while running.len() < at_once.max(1)
            && let Some((index, request)) = open.next()
        {
            running.push(start(index, request, &events));
        }
        tokio::select! {
            biased;
            Some(event) = receiver.recv() => on_event(event),
            () = cancel.cancelled() => break,
            end = running.next() => match end {
                Some((index, end)) => _ = ends.insert(index, end),
                None => break,
            },
        }
    }
    drop(running);
    while let Ok(event) = receiver.try_recv() {
        on_event(event);
    }
}

impl Events {
    /// The end of a copy that is not whole.
    fn emit_end(&self, name: &str, end: &Result<Copied, EngineError>) {
        let image = name.to_owned();
        match end {
            Ok(copied) if copied.holes.is_empty() => {}
            Ok(copied) => {
                let holes: Vec<&str> = copied.holes.iter().map(|hole| hole.platform.as_str()).collect();
                self.emit(Event::Failed { image, message: format!("the source lacks {}", holes.join(", ")) });
            }
            Err(EngineError::Cancelled) => self.emit(Event::Cancelled { image }),
            Err(error) => self.emit(Event::Failed { image, message: error.to_string() }),
        }
    }
}
