//! Who speaks of one run of a compiler, cargo or Go: the step and its log to the observers, the last lines to the failure.

use std::process::ExitStatus;
use std::time::Instant;

use crate::engine::lines::{Lines, Tail};
use crate::engine::{EngineError, Event, Events, Step, StepFailure, StepState};

/// Speaks of one step.
#[derive(Debug)]
pub(super) struct Teller<'a> {
    /// Name of the job.
    pub job: &'a str,
    pub events: &'a Events,
    pub step: Step,
}

/// What a compiler said so far, as far as its failure repeats it.
#[derive(Debug, Default)]
pub(super) struct Said {
    tail: Tail,
    /// The first line that is an error.
    error: Option<String>,
}

impl Said {
    pub(super) fn line(&mut self, line: String, is_error: bool) {
        if is_error && self.error.is_none() {
            self.error = Some(line.clone());
        }
        self.tail.push(line);
    }
}

impl Teller<'_> {
    pub(super) fn tell(&self, state: StepState) {
        self.events.emit(Event::Step { image: self.job.to_owned(), step: self.step.clone(), state });
    }

    pub(super) fn log(&self, line: String) {
        self.events.emit(Event::Log { image: self.job.to_owned(), step: self.step.clone(), line });
    }

    /// Passes on a line of the compiler; gives it as it was shown, which may be several lines.
    pub(super) fn pass_on(&self, mut line: Vec<u8>) -> Vec<String> {
        line.push(b'\n');
        let lines = Lines::default().push(&line);
        lines.iter().for_each(|line| self.log(line.clone()));
        lines
    }

    /// A compiler has ended with this status, which is no success. Of the hints, which begin with a text that a line of the
    /// log may hold, the first that fits is given.
    pub(super) fn failed(&self, compiler: &str, status: ExitStatus, said: Said, hints: &[(&str, &str)]) -> StepFailure {
        let message = said.error.unwrap_or_else(|| format!("{compiler} ended with {status}"));
        self.tell(StepState::Failed { message: message.clone() });
        let hint = hints.iter().find(|(word, _)| said.tail.iter().any(|line| line.contains(word)));
        StepFailure {
            image: self.job.to_owned(),
            step: Some(self.step.name.clone()),
            exit_code: status.code().map(i64::from),
            message,
            log: said.tail.into(),
            hint: hint.map(|(_, hint)| (*hint).to_owned()),
        }
    }
}

/// The state of a step that has done its work.
pub(super) fn done(started: Instant) -> StepState {
    let millis = started.elapsed().as_millis().try_into().unwrap_or(u64::MAX);
    StepState::Done { millis: millis.max(1) }
}

/// What keeps a compiler from its work, without it being the fault of what is compiled.
pub(super) fn other(message: impl ToString) -> EngineError {
    EngineError::Other { action: "compile".to_owned(), message: message.to_string() }
}
