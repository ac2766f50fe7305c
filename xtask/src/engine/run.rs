//! Several jobs at once: at most `jobs` of them, results in the order of the input, stopped together.

use std::pin::Pin;

use futures_util::StreamExt as _;
use futures_util::stream::FuturesUnordered;
use tokio::sync::mpsc::UnboundedReceiver;

use super::{Built, Cancel, Engine, EngineError, Event, Events, NamedJob, block_on};

/// How to run jobs.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Options {
    /// `-j`: how many at once; 0 counts as 1.
    pub jobs: usize,
    /// Go on with the other jobs after a failure.
    pub keep_going: bool,
}

impl Default for Options {
    fn default() -> Self {
        Self { jobs: 4, keep_going: false }
    }
}

/// What came of one job.
#[derive(Debug)]
pub enum JobResult {
    /// An image.
    Built(Built),
    /// An error. [`EngineError::Cancelled`] when the job was stopped half way.
    Failed {
        /// Name of the job.
        image: String,
        /// Why.
        error: EngineError,
    },
    /// Not started, because of an earlier failure or a cancellation.
    Skipped {
        /// Name of the job.
        image: String,
    },
}

/// What came of all jobs, in the order they were given.
#[derive(Debug, Default)]
pub struct Outcome {
    /// One per job.
    pub results: Vec<JobResult>,
}

impl Outcome {
    /// True when every job has an image.
    pub fn is_success(&self) -> bool {
        self.results.iter().all(|result| matches!(result, JobResult::Built(_)))
    }

    /// The images.
    pub fn built(&self) -> impl Iterator<Item = &Built> {
        self.results.iter().filter_map(|result| match result {
            JobResult::Built(built) => Some(built),
            _ => None,
        })
    }

    /// Failures with a cause of their own: those that were only stopped are left out.
    pub fn failures(&self) -> impl Iterator<Item = (&str, &EngineError)> {
        self.results.iter().filter_map(|result| match result {
            JobResult::Failed { image, error } if !matches!(error, EngineError::Cancelled) => {
                Some((image.as_str(), error))
            }
            _ => None,
        })
    }

    /// True when something was stopped or skipped and nothing failed: somebody pressed Ctrl-C.
    pub fn is_cancelled(&self) -> bool {
        !self.is_success() && self.failures().next().is_none()
    }
}

/// How the build of one job ended.
type End = Result<Built, EngineError>;
/// A build on its way, with the index of its job.
type Build<'a> = Pin<Box<dyn Future<Output = (usize, End)> + 'a>>;

/// Runs the jobs and tells `on_event` what happens.
///
/// After a failure no further job starts and the running ones are cancelled, unless `keep_going` is set. `cancel` stops
/// everything. Every job ends with exactly one of `Finished`, `Failed`, `Cancelled` and `Skipped`.
pub async fn run<E: Engine>(
    jobs: Vec<E::Job>,
    engine: &E,
    options: Options,
    cancel: &Cancel,
    on_event: &mut dyn FnMut(Event),
) -> Outcome {
    let (events, mut receiver) = Events::channel();
    let mut results: Vec<Option<End>> = jobs.iter().map(|_| None).collect();
    let mut running = FuturesUnordered::new();
    let mut next = 0;
    let mut stopped = false;
    loop {
        stopped |= cancel.is_cancelled();
        while !stopped && next < jobs.len() && running.len() < options.jobs.max(1) {
            if jobs[next].begins() {
                on_event(Event::Started { image: jobs[next].image().to_owned() });
            }
            running.push(start(next, &jobs[next], engine, &events));
            next += 1;
        }
        if stopped || running.is_empty() {
            break;
        }
        tokio::select! {
            biased;
            Some(event) = receiver.recv() => on_event(event),
            () = cancel.cancelled() => stopped = true,
            Some((index, result)) = running.next() => {
                drain(&mut receiver, on_event);
                on_event(end_event(&jobs[index], &result));
                stopped = result.is_err() && !options.keep_going;
                results[index] = Some(result);
            }
        }
    }
    drop(running);
    drain(&mut receiver, on_event);
    outcome(&jobs, results, next, on_event)
}

/// [`run`] for callers without async: waits for the end, and cancels everything on Ctrl-C, or when somebody else does.
///
/// # Errors
/// When the system gives no event queue; what came of the jobs is in the [`Outcome`].
pub fn run_blocking<E: Engine>(
    jobs: Vec<E::Job>,
    engine: &E,
    options: Options,
    cancel: &Cancel,
    on_event: &mut dyn FnMut(Event),
) -> std::io::Result<Outcome> {
    let work = async {
        tokio::select! {
            outcome = run(jobs, engine, options, cancel, on_event) => outcome,
            never = cancel.on_interrupt() => match never {},
        }
    };
    block_on(work)
}

fn start<'a, E: Engine>(index: usize, job: &'a E::Job, engine: &'a E, events: &'a Events) -> Build<'a> {
    Box::pin(async move { (index, engine.build(job, events).await) })
}

/// Hands over what is queued, so that a job's last steps come before its end.
fn drain(receiver: &mut UnboundedReceiver<Event>, on_event: &mut dyn FnMut(Event)) {
    while let Ok(event) = receiver.try_recv() {
        on_event(event);
    }
}

fn end_event(job: &impl NamedJob, result: &End) -> Event {
    match result {
        Ok(built) => Event::Finished(built.clone()),
        Err(EngineError::Cancelled) => Event::Cancelled { image: job.image().to_owned() },
        Err(error) => Event::Failed { image: job.image().to_owned(), message: error.to_string() },
    }
}

/// Puts a name to every job that has no result: it was stopped (its index is below `started`) or never began.
fn outcome(jobs: &[impl NamedJob], ends: Vec<Option<End>>, started: usize, on_event: &mut dyn FnMut(Event)) -> Outcome {
    let mut results = Vec::with_capacity(jobs.len());
    for (index, (job, end)) in jobs.iter().zip(ends).enumerate() {
        let image = job.image().to_owned();
        results.push(match end {
            Some(Ok(built)) => JobResult::Built(built),
            Some(Err(error)) => JobResult::Failed { image, error },
            None if index < started => {
                on_event(Event::Cancelled { image: image.clone() });
                JobResult::Failed { image, error: EngineError::Cancelled }
            }
            None => {
                on_event(Event::Skipped { image: image.clone() });
                JobResult::Skipped { image }
            }
        });
    }
    Outcome { results }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;
    use crate::engine::Job;
    use crate::engine::{Recording, Script};

    fn jobs(names: &[&str]) -> Vec<Job> {
        names.iter().map(|name| Job::new(*name, "FROM scratch\n")).collect()
    }

    fn fails(image: &str) -> Script {
        let error = EngineError::Other { action: format!("build {image}"), message: "no".into() };
        Script::fails(error)
    }

    /// Runs with `-j2` and writes each result as one word.
    fn check(engine: &Recording, names: &[&str], keep_going: bool, expect: &[&str]) {
        let mut ends = 0;
        let mut on_event = |event| {
            let end = matches!(
                event,
                Event::Finished(_) | Event::Failed { .. } | Event::Cancelled { .. } | Event::Skipped { .. }
            );
            ends += usize::from(end);
        };
        let options = Options { jobs: 2, keep_going };
        let outcome = block_on(run(jobs(names), engine, options, &Cancel::new(), &mut on_event)).unwrap();
        let words: Vec<&str> = outcome.results.iter().map(word).collect();
        assert_eq!(words, expect);
        assert_eq!(ends, names.len(), "every job ends exactly once");
    }

    fn word(result: &JobResult) -> &'static str {
        match result {
            JobResult::Built(_) => "built",
            JobResult::Failed { error: EngineError::Cancelled, .. } => "cancelled",
            JobResult::Failed { .. } => "failed",
            JobResult::Skipped { .. } => "skipped",
        }
    }

    #[test]
    fn results_keep_the_order_of_the_input() {
        let engine = Recording::new().script("a", Script::default().takes(Duration::from_millis(20)));
        check(&engine, &["a", "b", "c"], false, &["built", "built", "built"]);
        assert_eq!(engine.most_at_once(), 2);
    }

    #[test]
    fn a_failure_stops_the_others() {
        let slow = || Script::default().takes(Duration::from_secs(60));
        let engine = Recording::new().script("a", slow()).script("b", fails("b"));
        check(&engine, &["a", "b", "c"], false, &["cancelled", "failed", "skipped"]);
    }

    #[test]
    fn keep_going_goes_on() {
        let engine = Recording::new().script("a", fails("a"));
        check(&engine, &["a", "b", "c"], true, &["failed", "built", "built"]);
    }

    #[test]
    fn cancel_stops_everything() {
        let engine = Recording::new().script("a", Script::default().takes(Duration::from_secs(60)));
        let cancel = Cancel::new();
        let mut on_event = |event| {
            if matches!(event, Event::Started { .. }) {
                cancel.cancel();
            }
        };
        let options = Options { jobs: 1, keep_going: false };
        let outcome = block_on(run(jobs(&["a", "b"]), &engine, options, &cancel, &mut on_event)).unwrap();
        assert!(outcome.is_cancelled());
        assert_eq!(outcome.results.iter().map(word).collect::<Vec<_>>(), ["cancelled", "skipped"]);
    }
}
