//! The steps of one job, as events.

use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Instant;

use crate::engine::{Event, Events, Step, StepState};

/// Counts and tells the steps of one job. May be used from any thread.
#[derive(Debug)]
pub(in crate::engine) struct Steps {
    image: String,
    events: Events,
    next: AtomicU32,
    run: AtomicU32,
    cached: AtomicU32,
}

/// A step that has begun.
#[derive(Debug)]
pub(in crate::engine) struct Running {
    step: Step,
    since: Instant,
}

impl Steps {
    pub(in crate::engine) fn new(image: &str, events: &Events) -> Self {
        let zero = || AtomicU32::new(0);
        Self { image: image.to_owned(), events: events.clone(), next: zero(), run: zero(), cached: zero() }
    }

    pub(in crate::engine) fn begin(&self, name: impl Into<String>) -> Running {
        let step = self.step(name.into());
        self.tell(&step, StepState::Started);
        Running { step, since: Instant::now() }
    }

    pub(in crate::engine) fn done(&self, running: &Running) {
        self.run.fetch_add(1, Ordering::Relaxed);
        let millis = u64::try_from(running.since.elapsed().as_millis()).unwrap_or(u64::MAX);
        self.tell(&running.step, StepState::Done { millis });
    }

    /// Something that is worth knowing of a step.
    pub(super) fn log(&self, running: &Running, line: String) {
        self.events.emit(Event::Log { image: self.image.clone(), step: running.step.clone(), line });
    }

    /// A step that did not have to run.
    pub(super) fn cached(&self, name: impl Into<String>) {
        self.cached.fetch_add(1, Ordering::Relaxed);
        self.tell(&self.step(name.into()), StepState::Cached);
    }

    /// Leaves numbers for steps that somebody else tells; gives the first of them.
    pub(super) fn reserve(&self, count: u32) -> u32 {
        self.next.fetch_add(count, Ordering::Relaxed) + 1
    }

    /// Steps that ran, and steps that did not have to.
    pub(in crate::engine) fn counts(&self) -> (u32, u32) {
        (self.run.load(Ordering::Relaxed), self.cached.load(Ordering::Relaxed))
    }

    fn step(&self, name: String) -> Step {
        Step { number: self.next.fetch_add(1, Ordering::Relaxed) + 1, name }
    }

    fn tell(&self, step: &Step, state: StepState) {
        self.events.emit(Event::Step { image: self.image.clone(), step: step.clone(), state });
    }
}
