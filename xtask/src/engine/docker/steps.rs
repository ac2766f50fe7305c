//! The steps of one build: numbers, states, the last lines of each. Both builders of the daemon report into it.

use crate::engine::lines::{Lines, Tail};
use crate::engine::{Event, Events, Step, StepFailure, StepState};

/// All steps of one build.
#[derive(Debug)]
pub(super) struct Steps {
    image: String,
    events: Events,
    list: Vec<Record>,
    failed: Option<usize>,
}

#[derive(Debug)]
struct Record {
    step: Step,
    phase: Phase,
    lines: Lines,
    tail: Tail,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Phase {
    Announced,
    Running,
    Done,
    Cached,
    Failed,
}

impl Steps {
    /// No steps yet.
    pub(super) fn new(image: &str, events: &Events) -> Self {
        Self { image: image.to_owned(), events: events.clone(), list: Vec::new(), failed: None }
    }

    /// Adds a step and returns its index.
    pub(super) fn announce(&mut self, name: String) -> usize {
        let number = u32::try_from(self.list.len() + 1).unwrap_or(u32::MAX);
        let step = Step { number, name };
        self.list.push(Record { step, phase: Phase::Announced, lines: Lines::default(), tail: Tail::default() });
        self.list.len() - 1
    }

    /// It runs now; a second time is ignored.
    pub(super) fn start(&mut self, index: usize) {
        if self.list[index].phase == Phase::Announced {
            self.list[index].phase = Phase::Running;
            self.emit(index, StepState::Started);
        }
    }

    /// It has ended; a second end is ignored.
    pub(super) fn end(&mut self, index: usize, state: StepState) {
        if !matches!(self.list[index].phase, Phase::Announced | Phase::Running) {
            return;
        }
        if let Some(line) = self.list[index].lines.finish() {
            self.line(index, line);
        }
        self.list[index].phase = match state {
            StepState::Cached => Phase::Cached,
            StepState::Failed { .. } | StepState::Cancelled => Phase::Failed,
            StepState::Started | StepState::Done { .. } => Phase::Done,
        };
        if matches!(state, StepState::Failed { .. }) {
            self.failed.get_or_insert(index);
        }
        self.emit(index, state);
    }

    /// It wrote something.
    pub(super) fn log(&mut self, index: usize, bytes: &[u8]) {
        for line in self.list[index].lines.push(bytes) {
            self.line(index, line);
        }
    }

    fn line(&mut self, index: usize, line: String) {
        let record = &mut self.list[index];
        record.tail.push(line.clone());
        let step = record.step.clone();
        self.events.emit(Event::Log { image: self.image.clone(), step, line });
    }

    fn emit(&self, index: usize, state: StepState) {
        let step = self.list[index].step.clone();
        self.events.emit(Event::Step { image: self.image.clone(), step, state });
    }

    /// How many instructions ran, and how many came from the cache. The builder's own errands do not count.
    pub(super) fn counts(&self) -> (u32, u32) {
        let count = |phase| {
            let of_phase = |record: &&Record| record.phase == phase && record.step.parts().1.is_some();
            u32::try_from(self.list.iter().filter(of_phase).count()).unwrap_or(u32::MAX)
        };
        (count(Phase::Done), count(Phase::Cached))
    }

    /// What is known about the failure of the build.
    pub(super) fn failure(&mut self, message: &str) -> StepFailure {
        let mut failure =
            StepFailure { image: self.image.clone(), message: message.to_owned(), ..StepFailure::default() };
        if let Some(index) = self.failed {
            if let Some(line) = self.list[index].lines.finish() {
                self.line(index, line);
            }
            let record = &self.list[index];
            failure.step = Some(record.step.name.clone());
            failure.log = record.tail.clone().into();
        }
        failure
    }
}
