//! Resident memory of roles, read while they run as containers of the Docker daemon on this machine.
//!
//! All roles of a set are started, each in a container of its own; when all of them are ready they are read, several times.
//! The containers are removed whatever happens: an error, a role that ends, Ctrl-C.
//!
//! | figure | is read from |
//! |---|---|
//! | cgroup | `memory.current`, or `memory.usage_in_bytes` of version 1 |
//! | working set | the same without `inactive_file` of `memory.stat` (`total_inactive_file` of version 1) |
//! | RSS, PSS, private, shared | `/proc/PID/smaps_rollup` of every process of the cgroup |
//!
//! Both need the daemon's processes to be processes of this machine, and an account that may read them.

mod resident;

use std::time::Duration;

use tokio::time::{Instant, sleep};

pub use resident::Resident;

use super::docker::{Docker, Start};
use super::{Cancel, EngineError};

/// How long a role may take until it is ready.
pub const PATIENCE: Duration = Duration::from_secs(60);
/// Between two looks at a role that is not ready yet.
const LOOK: Duration = Duration::from_millis(100);
/// Between two rounds, so that they are not one.
const PAUSE: Duration = Duration::from_millis(500);

/// One role to be measured.
#[derive(Debug, Clone, PartialEq)]
pub struct Subject {
    /// How it is started.
    pub start: Start,
    /// When it is read.
    pub ready: Ready,
}

/// When a role is ready to be read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Ready {
    /// When a connection to a TCP port is accepted.
    Port(u16),
    /// When its log holds a text.
    Log(String),
    /// When it has run for so many seconds.
    Seconds(u64),
}

/// Rounds of each subject, in the order of the subjects; or why there are none.
pub type Rounds = Result<Vec<Vec<Resident>>, String>;

/// Starts all subjects, waits until they are ready, reads them so many times, and removes them.
///
/// # Errors
/// [`EngineError`] when the daemon refuses, [`EngineError::Cancelled`] after Ctrl-C. That a role ends, is not ready in time or
/// cannot be read is no error of ours: it is the reason in [`Rounds`].
pub async fn measure(
    docker: &Docker,
    subjects: &[Subject],
    rounds: u32,
    cancel: &Cancel,
) -> Result<Rounds, EngineError> {
    let work = async {
        for subject in subjects {
            docker.start_role(&subject.start).await?;
        }
        read(docker, subjects, rounds).await
    };
    let result = tokio::select! {
        result = work => result,
        () = cancel.cancelled() => Err(EngineError::Cancelled),
        never = cancel.on_interrupt() => match never {},
    };
    for subject in subjects {
        docker.remove_role(&subject.start.name).await;
    }
    result
}

async fn read(docker: &Docker, subjects: &[Subject], rounds: u32) -> Result<Rounds, EngineError> {
    for subject in subjects {
        if let Err(reason) = until_ready(docker, subject).await? {
            return Ok(Err(reason));
        }
    }
    let mut all = vec![Vec::new(); subjects.len()];
    for round in 0..rounds {
        if round > 0 {
            sleep(PAUSE).await;
        }
        for (subject, read) in subjects.iter().zip(&mut all) {
            let state = docker.role_state(&subject.start.name).await?;
            let Some(pid) = state.pid else { return Ok(Err(ended(docker, subject).await)) };
            match resident::of(pid, &state.id) {
                Ok(resident) => read.push(resident),
                Err(reason) => return Ok(Err(reason)),
            }
        }
    }
    Ok(Ok(all))
}

/// Waits for a role; a reason when it will not be ready.
async fn until_ready(docker: &Docker, subject: &Subject) -> Result<Result<(), String>, EngineError> {
    let since = Instant::now();
    loop {
        let state = docker.role_state(&subject.start.name).await?;
        if state.pid.is_none() {
            return Ok(Err(ended(docker, subject).await));
        }
        let is_ready = match &subject.ready {
            Ready::Port(port) => match state.address.as_deref() {
                Some(address) => tokio::net::TcpStream::connect((address, *port)).await.is_ok(),
                None => false,
            },
            Ready::Log(text) => docker.role_log(&subject.start.name).await?.contains(text),
            Ready::Seconds(seconds) => since.elapsed() >= Duration::from_secs(*seconds),
        };
        if is_ready {
            return Ok(Ok(()));
        }
        if since.elapsed() > PATIENCE.max(seconds(&subject.ready)) {
            let log = last_line(&docker.role_log(&subject.start.name).await.unwrap_or_default());
            let limit = PATIENCE.as_secs();
            return Ok(Err(format!(
                "role `{}` was not ready within {limit} s; its log ends with: {log}",
                subject.start.role
            )));
        }
        sleep(LOOK).await;
    }
}

fn seconds(ready: &Ready) -> Duration {
    match ready {
        Ready::Seconds(seconds) => Duration::from_secs(seconds.saturating_add(1)),
        Ready::Port(_) | Ready::Log(_) => Duration::ZERO,
    }
}

async fn ended(docker: &Docker, subject: &Subject) -> String {
    let log = last_line(&docker.role_log(&subject.start.name).await.unwrap_or_default());
    format!(
        "role `{}` of {} ended instead of staying up; its log ends with: {log}",
        subject.start.role, subject.start.shown
    )
}

fn last_line(log: &str) -> String {
    let line = log.lines().rev().find(|line| !line.trim().is_empty());
    line.unwrap_or("(nothing)").trim().to_owned()
}
