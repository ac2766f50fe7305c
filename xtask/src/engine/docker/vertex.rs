//! BuildKit's status messages into steps.
//!
//! A status message holds vertexes (nodes of the build graph, by digest) and pieces of their logs. A vertex is first
//! announced, comes again when it has started, and again when it has ended; `cached` and `error` stand in the last one.
//! When one vertex fails, its neighbours end with `context canceled`, which is not the cause of anything.
//! See `Vertex` in <https://github.com/moby/buildkit/blob/master/api/services/control/control.proto>.

use std::collections::BTreeMap;

use bollard::moby::buildkit::v1::{StatusResponse, Vertex};

use super::steps::Steps;
use crate::engine::StepState;

/// Which vertex is which step.
#[derive(Debug, Default)]
pub(super) struct Vertexes {
    steps_by_digest: BTreeMap<String, usize>,
}

impl Vertexes {
    /// Takes one message: what was cached first, then starts, logs and ends, so that a step never begins before its
    /// inputs are there and a line never comes after the end of its step.
    pub(super) fn status(&mut self, status: &StatusResponse, steps: &mut Steps) {
        for vertex in &status.vertexes {
            let index = self.index(vertex, steps);
            if let Some(StepState::Cached) = end_state(vertex) {
                steps.end(index, StepState::Cached);
            }
        }
        for vertex in &status.vertexes {
            if vertex.started.is_some() && !vertex.cached {
                steps.start(self.steps_by_digest[&vertex.digest]);
            }
        }
        for log in &status.logs {
            if let Some(index) = self.steps_by_digest.get(&log.vertex) {
                steps.log(*index, &log.msg);
            }
        }
        for vertex in &status.vertexes {
            if let Some(state) = end_state(vertex) {
                steps.end(self.steps_by_digest[&vertex.digest], state);
            }
        }
    }

    fn index(&mut self, vertex: &Vertex, steps: &mut Steps) -> usize {
        *self.steps_by_digest.entry(vertex.digest.clone()).or_insert_with(|| steps.announce(vertex.name.clone()))
    }
}

fn end_state(vertex: &Vertex) -> Option<StepState> {
    let completed = vertex.completed.as_ref();
    if vertex.error.contains("context canceled") {
        return Some(StepState::Cancelled);
    }
    if !vertex.error.is_empty() {
        return Some(StepState::Failed { message: vertex.error.clone() });
    }
    if vertex.cached {
        return completed.map(|_| StepState::Cached);
    }
    let (started, completed) = (vertex.started.as_ref()?, completed?);
    let nanos = i128::from(completed.seconds - started.seconds) * 1_000_000_000 + i128::from(completed.nanos)
        - i128::from(started.nanos);
    Some(StepState::Done { millis: u64::try_from(nanos / 1_000_000).unwrap_or(0) })
}

#[cfg(test)]
mod tests {
    use bollard::moby::buildkit::v1::VertexLog;

    use super::*;
    use crate::engine::{Event, Events};

    fn vertex(name: &str, started: i64, completed: i64) -> Vertex {
        let mut vertex = Vertex { digest: format!("d-{name}"), name: name.to_owned(), ..Vertex::default() };
        vertex.started = (started > 0).then_some(Default::default());
        vertex.completed = (completed > 0).then_some(Default::default());
        if let Some(time) = &mut vertex.started {
            time.seconds = started;
        }
        if let Some(time) = &mut vertex.completed {
            time.seconds = completed;
        }
        vertex
    }

    fn log(name: &str, text: &str) -> VertexLog {
        VertexLog { vertex: format!("d-{name}"), msg: text.as_bytes().to_vec(), ..VertexLog::default() }
    }

    /// Feeds messages and writes each event as `number state` or `number: line`.
    fn check(messages: &[(Vec<Vertex>, Vec<VertexLog>)], expect: &[&str]) -> Steps {
        let (events, mut receiver) = Events::channel();
        let mut steps = Steps::new("image", &events);
        let mut vertexes = Vertexes::default();
        for (list, logs) in messages {
            let status = StatusResponse { vertexes: list.clone(), logs: logs.clone(), ..StatusResponse::default() };
            vertexes.status(&status, &mut steps);
        }
        let mut seen = Vec::new();
        while let Ok(event) = receiver.try_recv() {
            seen.push(match event {
                Event::Step { step, state, .. } => format!("{} {state:?}", step.number),
                Event::Log { step, line, .. } => format!("{}: {line}", step.number),
                other => format!("{other:?}"),
            });
        }
        assert_eq!(seen, expect);
        steps
    }

    #[test]
    fn a_step_starts_writes_and_ends_once() {
        check(
            &[
                (vec![vertex("a", 0, 0), vertex("b", 0, 0)], vec![]),
                (vec![vertex("b", 5, 0)], vec![log("b", "on"), log("nobody", "x\n")]),
                (vec![vertex("b", 5, 7)], vec![log("b", "e\ntw"), log("b", "o")]),
                (vec![vertex("b", 5, 7)], vec![]),
            ],
            &["2 Started", "2: one", "2: two", "2 Done { millis: 2000 }"],
        );
    }

    #[test]
    fn cached_steps_do_not_start() {
        let cached = Vertex { cached: true, ..vertex("[1/1] RUN a", 5, 5) };
        let steps = check(&[(vec![cached], vec![])], &["1 Cached"]);
        assert_eq!(steps.counts(), (0, 1));
    }

    #[test]
    fn the_cause_is_not_the_neighbour_that_was_stopped() {
        let stopped = Vertex { error: "rpc: context canceled".to_owned(), ..vertex("a", 1, 2) };
        let cause = Vertex { error: "exit code: 3".to_owned(), ..vertex("[2/2] RUN x", 1, 2) };
        let mut steps = check(
            &[(vec![stopped, cause], vec![log("[2/2] RUN x", "last words")])],
            &["1 Started", "2 Started", "1 Cancelled", "2: last words", "2 Failed { message: \"exit code: 3\" }"],
        );
        let failure = steps.failure("exit code: 3");
        assert_eq!(failure.step.as_deref(), Some("[2/2] RUN x"));
        assert_eq!(failure.log, ["last words"]);
    }
}
