//! An engine that builds nothing: it keeps the jobs and answers from a script. For tests of everything above it.

use std::cell::{Cell, RefCell};
use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::time::Duration;

use sha2::{Digest as _, Sha256};

use super::{Built, Engine, EngineError, Event, Events, Job};

/// What the engine answers for one image.
#[derive(Debug, Default)]
pub struct Script {
    events: Vec<Event>,
    takes: Duration,
    error: RefCell<Option<EngineError>>,
}

impl Script {
    /// Fails, once; a second build of the same image succeeds.
    pub fn fails(error: EngineError) -> Self {
        Self { error: RefCell::new(Some(error)), ..Self::default() }
    }

    /// Emits these events first.
    pub fn events(mut self, events: Vec<Event>) -> Self {
        self.events = events;
        self
    }

    /// Takes this long.
    pub fn takes(mut self, duration: Duration) -> Self {
        self.takes = duration;
        self
    }
}

/// Keeps every job that it was asked to build.
#[derive(Debug, Default)]
pub struct Recording {
    scripts: BTreeMap<String, Script>,
    jobs: RefCell<Vec<Job>>,
    active: Cell<usize>,
    most: Cell<usize>,
}

impl Recording {
    /// An engine that succeeds with everything.
    pub fn new() -> Self {
        Self::default()
    }

    /// Answers for one image.
    pub fn script(mut self, image: impl Into<String>, script: Script) -> Self {
        self.scripts.insert(image.into(), script);
        self
    }

    /// The jobs so far, in the order in which they began.
    pub fn jobs(&self) -> Vec<Job> {
        self.jobs.borrow().clone()
    }

    /// How many jobs were active at once, at most.
    pub fn most_at_once(&self) -> usize {
        self.most.get()
    }
}

impl Engine for Recording {
    type Job = Job;

    async fn build(&self, job: &Job, events: &Events) -> Result<Built, EngineError> {
        self.jobs.borrow_mut().push(job.clone());
        self.active.set(self.active.get() + 1);
        self.most.set(self.most.get().max(self.active.get()));
        let answer = play(self.scripts.get(&job.image), job, events).await;
        self.active.set(self.active.get() - 1);
        answer
    }
}

async fn play(script: Option<&Script>, job: &Job, events: &Events) -> Result<Built, EngineError> {
    if let Some(script) = script {
        script.events.iter().for_each(|event| events.emit(event.clone()));
        tokio::time::sleep(script.takes).await;
        if let Some(error) = script.error.borrow_mut().take() {
            return Err(error);
        }
    } else {
        tokio::task::yield_now().await;
    }
    let tags = job.tags.clone();
    let image_id = fake_id(&job.dockerfile);
    Ok(Built {
        image: job.image.clone(),
        image_id,
        tags,
        digest: None,
        steps_run: 0,
        steps_cached: 0,
        up_to_date: false,
        found: Default::default(),
    })
}

/// Equal Dockerfiles give equal IDs, and nothing else goes in.
fn fake_id(dockerfile: &str) -> String {
    Sha256::digest(dockerfile.as_bytes()).iter().fold("sha256:".to_owned(), |mut id, byte| {
        let _ = write!(id, "{byte:02x}");
        id
    })
}
