//! What happens during a build, as values. The JSON form of [`Event`] is what `--progress json` writes, one per line.

use tokio::sync::mpsc;

use crate::oci::Digest;

/// One thing that happened.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize)]
#[serde(tag = "event", rename_all = "kebab-case")]
pub enum Event {
    /// A job has begun.
    Started {
        /// Name of the job.
        image: String,
    },
    /// The context travels. Totals so far, not differences.
    Sending {
        /// Name of the job.
        image: String,
        /// Bytes of the tar stream.
        bytes: u64,
        /// Files and links that are complete.
        files: u64,
    },
    /// A step changed its state.
    Step {
        /// Name of the job.
        image: String,
        /// Which step.
        step: Step,
        /// Its new state.
        #[serde(flatten)]
        state: StepState,
    },
    /// A whole line that a step wrote.
    Log {
        /// Name of the job.
        image: String,
        /// Which step.
        step: Step,
        /// The line, without line end and without control characters.
        line: String,
    },
    /// An image is whole and has its references.
    Finished(super::Built),
    /// A job has failed.
    Failed {
        /// Name of the job.
        image: String,
        /// The error, one line; the whole of it is in the outcome.
        message: String,
    },
    /// A job was stopped half way: the user asked, or another job failed.
    Cancelled {
        /// Name of the job.
        image: String,
    },
    /// A job was never started, because of an earlier failure.
    Skipped {
        /// Name of the job.
        image: String,
    },
    /// A registry has an image under a reference.
    Pushed {
        /// Name of the job.
        image: String,
        /// The reference.
        reference: String,
    },
    /// A registry has what another one has, all of it and by its digest.
    Copied {
        /// Name of the copy.
        image: String,
        /// Where it is now, with its digest.
        reference: String,
    },
    /// An image is being pulled.
    Pulling {
        /// Reference that was asked for.
        reference: String,
        /// What the daemon says about it.
        status: String,
    },
    /// Bytes travel between this machine and a registry. Totals so far over all blobs of an image, not differences; they
    /// may shrink when something has to be sent again.
    Transfer {
        /// Name of the job when it is pushed, the reference when it is pulled.
        image: String,
        /// Where they go.
        direction: Direction,
        /// Bytes that have moved.
        bytes: u64,
        /// Bytes that have to.
        total: u64,
    },
    /// A blob is where it shall be.
    Blob {
        /// As in [`Event::Transfer`].
        image: String,
        /// Where it went.
        direction: Direction,
        /// Which one.
        digest: Digest,
        /// Its size.
        bytes: u64,
        /// How it got there.
        outcome: BlobOutcome,
    },
    /// Something is done again after a fault that may pass.
    Retrying {
        /// As in [`Event::Transfer`].
        image: String,
        /// What is done again, such as `pull sha256:… of example/a:1`.
        action: String,
        /// What happened.
        reason: String,
        /// Which attempt comes, counted from 1.
        attempt: u32,
        /// How many there are at most.
        attempts: u32,
        /// How long it waits first.
        wait_millis: u64,
    },
}

/// Which way bytes go.
#[derive(Debug, Clone, Copy, PartialEq, Eq, serde::Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Direction {
    /// To a registry.
    Up,
    /// From a registry.
    Down,
}

/// How a blob got where it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, serde::Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum BlobOutcome {
    /// Byte by byte.
    Copied,
    /// The registry took it from another repository.
    Mounted,
    /// It was there.
    Present,
}

/// A step of a build, as the engine names it.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize)]
pub struct Step {
    /// Counted from 1 in the order of announcement; unique within the job.
    pub number: u32,
    /// Such as `[comp-config-reloader.build 3/5] RUN cargo build --release`.
    pub name: String,
}

/// States of a step.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize)]
#[serde(tag = "state", rename_all = "kebab-case")]
pub enum StepState {
    /// It runs.
    Started,
    /// It did not have to run.
    Cached,
    /// It ran to its end.
    Done {
        /// How long it took, by the clock of the daemon.
        millis: u64,
    },
    /// It failed.
    Failed {
        /// The engine's words.
        message: String,
    },
    /// Another step failed, so this one was stopped.
    Cancelled,
}

impl Step {
    /// Splits the name into stage, position and instruction.
    ///
    /// ```
    /// use groupage::engine::Step;
    /// let step = Step { number: 4, name: "[comp-a.build 2/3] RUN true".into() };
    /// assert_eq!(step.parts(), (Some("comp-a.build"), Some("2/3"), "RUN true"));
    /// ```
    pub fn parts(&self) -> (Option<&str>, Option<&str>, &str) {
        split_name(&self.name)
    }

    /// A short name for prefixes: `comp-a.build 2/3`, `internal`, or `#4`.
    pub fn label(&self) -> String {
        match self.parts() {
            (Some(stage), Some(position), _) => format!("{stage} {position}"),
            (None, Some(position), _) => position.to_owned(),
            (Some(stage), None, _) => stage.to_owned(),
            (None, None, _) => format!("#{}", self.number),
        }
    }
}

fn split_name(name: &str) -> (Option<&str>, Option<&str>, &str) {
    let Some((head, instruction)) = name.strip_prefix('[').and_then(|rest| rest.split_once("] ")) else {
        return (None, None, name);
    };
    // numbers are padded to one width: `[stage  2/13]`
    let mut words = head.split_whitespace().rev();
    let last = words.next();
    match last {
        Some(position) if is_position(position) => (words.next(), last, instruction),
        _ => (last, None, instruction),
    }
}

fn is_position(word: &str) -> bool {
    let number = |part: &str| !part.is_empty() && part.bytes().all(|byte| byte.is_ascii_digit());
    word.split_once('/').is_some_and(|(a, b)| number(a) && number(b))
}

/// Where engines put events. Cheap to clone, and safe to use from a thread that reads files.
#[derive(Debug, Clone)]
pub struct Events {
    sender: mpsc::UnboundedSender<Event>,
}

impl Events {
    /// A sender and the other end. The channel has no bound: its reader is [`super::run`], which empties it between any
    /// two polls of an engine.
    pub fn channel() -> (Self, mpsc::UnboundedReceiver<Event>) {
        let (sender, receiver) = mpsc::unbounded_channel();
        (Self { sender }, receiver)
    }

    /// A sender that nobody listens to.
    pub fn nowhere() -> Self {
        Self::channel().0
    }

    /// Adds an event. Nobody listening is not an error.
    pub fn emit(&self, event: Event) {
        let _ = self.sender.send(event);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_split() {
        let check = |name: &str, expect: (Option<&str>, Option<&str>, &str)| assert_eq!(split_name(name), expect);
        check("[comp-a 2/3] RUN x", (Some("comp-a"), Some("2/3"), "RUN x"));
        check("[comp-a  2/13] RUN x", (Some("comp-a"), Some("2/13"), "RUN x"));
        check("[2/3] RUN x", (None, Some("2/3"), "RUN x"));
        check("[linux/amd64 comp-a 2/3] RUN x", (Some("comp-a"), Some("2/3"), "RUN x"));
        check("[internal] load build definition", (Some("internal"), None, "load build definition"));
        check("exporting to image", (None, None, "exporting to image"));
        check("[] x", (None, None, "x"));
        check("[", (None, None, "["));
    }

    #[test]
    fn json_is_flat_and_tagged() {
        let step = Step { number: 1, name: "[1/1] RUN x".into() };
        let event = Event::Step { image: "a".into(), step, state: StepState::Done { millis: 7 } };
        let json = serde_json::to_string(&event).unwrap();
        assert_eq!(
            json,
            r#"{"event":"step","image":"a","step":{"number":1,"name":"[1/1] RUN x"},"state":"done","millis":7}"#
        );
    }
}
