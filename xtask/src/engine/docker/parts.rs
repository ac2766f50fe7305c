//! Images that others begin with, built once per run: whichever job asks first builds, the others wait for it.
//!
//! A job that is stopped in the middle of it leaves the work to the next one that asks. A failure is kept, so that all that
//! need the part fail by the same error and nothing is tried twice. A part that was there when the run began, and is gone when it
//! is needed, is built after all: somebody prunes. The builder says so by asking a registry that cannot exist
//! ([`crate::render::parts::REPOSITORY`]).

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, Mutex, PoisonError};

use futures_util::StreamExt as _;
use futures_util::stream::FuturesUnordered;
use tokio::sync::{OnceCell, Semaphore};

use super::{Docker, build};
use crate::engine::{Built, EngineError, Event, Events, Job};

/// What came of a part.
type End = Result<(), Arc<EngineError>>;
/// A part by its reference, and whether it is the one that was there or the one built in its place.
type Key = (String, bool);

/// What the jobs of a run share.
#[derive(Debug)]
pub(super) struct Shared {
    /// Requests to the builder that may run at once.
    requests: Semaphore,
    keep_going: bool,
    ends: Mutex<BTreeMap<Key, Arc<OnceCell<End>>>>,
}

impl Shared {
    pub(super) fn new(requests: usize, keep_going: bool) -> Self {
        Self { requests: Semaphore::new(requests.max(1)), keep_going, ends: Mutex::default() }
    }

    fn cell(&self, key: Key) -> Arc<OnceCell<End>> {
        Arc::clone(self.ends.lock().unwrap_or_else(PoisonError::into_inner).entry(key).or_default())
    }
}

impl Docker {
    /// Builds an image and the parts that it begins with.
    pub(super) async fn make(&self, job: &Job, events: &Events) -> Result<build::Made, EngineError> {
        let mut gone = BTreeSet::new();
        loop {
            self.make_parts(job, &gone, events).await?;
            match self.request(job, events).await {
                Err(EngineError::UnresolvedImage { reference, .. }) if names_part(job, &reference) => {
                    if !gone.insert(reference.clone()) {
                        return Err(removed(job, &reference));
                    }
                }
                end => return end,
            }
        }
    }

    async fn request(&self, job: &Job, events: &Events) -> Result<build::Made, EngineError> {
        // the semaphore is never closed
        let _permit = self.shared.requests.acquire().await;
        build::build(&self.api, job, self.uses_buildkit(), &self.credentials, events).await
    }

    /// Sees to it that the parts of a job are there. `gone` has those that are not, although they were.
    async fn make_parts(&self, job: &Job, gone: &BTreeSet<String>, events: &Events) -> Result<(), EngineError> {
        let is_gone = |part: &Job| part.tags.iter().any(|name| gone.contains(name));
        let parts = job.parts.iter().map(|part| self.make_part(part, is_gone(part), events));
        let mut running: FuturesUnordered<_> = parts.collect();
        let mut first = None;
        while let Some(end) = running.next().await {
            let Err(error) = end else { continue };
            if !self.shared.keep_going {
                return Err(error);
            }
            // other jobs may need the parts that are on their way
            first.get_or_insert(error);
        }
        first.map_or(Ok(()), Err)
    }

    async fn make_part(&self, part: &Job, is_gone: bool, events: &Events) -> Result<(), EngineError> {
        let reference = part.tags.join(" ");
        let cell = self.shared.cell((reference.clone(), is_gone));
        let end = cell.get_or_init(|| self.begin_part(part, is_gone, events)).await;
        end.clone().map_err(|error| EngineError::Part { reference, error })
    }

    async fn begin_part(&self, part: &Job, is_gone: bool, events: &Events) -> End {
        match &part.present {
            Some(present) if !is_gone => match self.name(&present.image_id, part, Some(present)).await {
                Ok(()) => Ok(()),
                // gone as well, and with its name
                Err(_) => self.build_part(part, events).await,
            },
            _ => self.build_part(part, events).await,
        }
    }

    async fn build_part(&self, part: &Job, events: &Events) -> End {
        let mut told = Told::new(&part.image, events);
        let end = self.request_part(part, &mut told, events).await;
        match end {
            Ok(made) => told.end(Event::Finished(Built {
                image: part.image.clone(),
                image_id: made.image_id,
                tags: part.tags.clone(),
                digest: None,
                steps_run: made.run,
                steps_cached: made.cached,
                up_to_date: false,
                found: Default::default(),
            })),
            Err(error) => {
                told.end(Event::Failed { image: part.image.clone(), message: error.to_string() });
                return Err(Arc::new(error));
            }
        }
        Ok(())
    }

    async fn request_part(&self, part: &Job, told: &mut Told<'_>, events: &Events) -> Result<build::Made, EngineError> {
        let _permit = self.shared.requests.acquire().await;
        told.begin();
        let made = build::build(&self.api, part, self.uses_buildkit(), &self.credentials, events).await?;
        self.name(&made.image_id, part, None).await?;
        Ok(made)
    }
}

/// Whether an image that could not be had is a part of the job.
fn names_part(job: &Job, reference: &str) -> bool {
    job.parts.iter().flat_map(|part| &part.tags).any(|name| name == reference)
}

fn removed(job: &Job, reference: &str) -> EngineError {
    let message = format!("somebody removes {reference} while it is used\nhint: do not prune while images are built");
    EngineError::Other { action: format!("build {}", job.image), message }
}

/// Tells the end of a part, also when its job is dropped.
struct Told<'e> {
    image: String,
    events: &'e Events,
    is_open: bool,
}

impl<'e> Told<'e> {
    fn new(image: &str, events: &'e Events) -> Self {
        Self { image: image.to_owned(), events, is_open: false }
    }

    fn begin(&mut self) {
        self.is_open = true;
        self.events.emit(Event::Started { image: self.image.clone() });
    }

    fn end(&mut self, event: Event) {
        self.is_open = false;
        self.events.emit(event);
    }
}

impl Drop for Told<'_> {
    fn drop(&mut self) {
        if self.is_open {
            self.events.emit(Event::Cancelled { image: self.image.clone() });
        }
    }
}
