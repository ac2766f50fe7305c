//! One line per event: `--progress plain`, for logs of CI. No colour, nothing is ever rewritten.

use std::collections::BTreeMap;
use std::io;

use super::{Consumer, Lines, bytes, duration, moved, retrying, short_id};
use crate::engine::{BlobOutcome, Direction, Event, Step, StepState};

/// Writes plain lines.
pub struct Plain<'a> {
    lines: Lines<'a>,
    /// The last `Sending` of each image; only the total is shown, when the first step follows.
    sending: BTreeMap<String, (u64, u64)>,
}

impl<'a> Plain<'a> {
    /// Writes to `out`.
    pub fn new(out: &'a mut dyn io::Write) -> Self {
        Self { lines: Lines::new(out), sending: BTreeMap::new() }
    }

    /// Shows what was sent, once, as soon as something else happens.
    fn flush_sending(&mut self, image: &str) {
        if let Some((count, files)) = self.sending.remove(image) {
            let noun = if files == 1 { "file" } else { "files" };
            self.lines.line(&format!("[{image}] sent {files} {noun}, {}", bytes(count)));
        }
    }
}

impl Consumer for Plain<'_> {
    fn event(&mut self, event: &Event) {
        if let Event::Sending { image, bytes, files } = event {
            self.sending.insert(image.clone(), (*bytes, *files));
            return;
        }
        // each blob is told when it is whole
        if let Event::Transfer { .. } = event {
            return;
        }
        if let Some(image) = ending(event) {
            self.flush_sending(image);
        }
        self.lines.line(&line(event));
    }

    fn finish(&mut self) -> io::Result<()> {
        self.lines.finish()
    }
}

/// The image, when its context is known to have arrived: a build may announce steps while files still travel.
fn ending(event: &Event) -> Option<&str> {
    match event {
        Event::Finished(built) => Some(&built.image),
        Event::Failed { image, .. } | Event::Cancelled { image } => Some(image),
        Event::Step { image, step, .. } if step.parts().1.is_some() => Some(image),
        _ => None,
    }
}

fn line(event: &Event) -> String {
    match event {
        Event::Started { image } => format!("[{image}] started"),
        Event::Sending { image, bytes: count, files } => format!("[{image}] sent {files} files, {}", bytes(*count)),
        Event::Step { image, step, state } => format!("[{image} {}] {}", step.label(), step_text(step, state)),
        Event::Log { image, step, line } => format!("[{image} {}] | {line}", step.label()),
        Event::Finished(built) => {
            let id = short_id(built.pin());
            let names = if built.tags.is_empty() { String::new() } else { format!(" as {}", built.tags.join(", ")) };
            if built.up_to_date {
                return format!("[{}] up to date {id}{names}", built.image);
            }
            let (run, cached) = (built.steps_run, built.steps_cached);
            format!("[{}] finished {id}{names} ({run} steps run, {cached} cached)", built.image)
        }
        Event::Failed { image, message } => format!("[{image}] failed: {}", first_line(message)),
        Event::Cancelled { image } => format!("[{image}] cancelled"),
        Event::Skipped { image } => format!("[{image}] skipped"),
        Event::Pushed { image, reference } => format!("[{image}] pushed {reference}"),
        Event::Copied { image, reference } => format!("[{image}] copied to {reference}"),
        Event::Pulling { reference, status } => format!("[pull {reference}] {status}"),
        Event::Transfer { image, direction, bytes: count, total } => {
            format!("[{image}] {} {} of {}", moved(*direction), bytes(*count), bytes(*total))
        }
        Event::Blob { image, direction, digest, bytes: count, outcome } => {
            format!("[{image}] {}", blob_text(*direction, short_id(&digest.to_string()), *count, *outcome))
        }
        Event::Retrying { image, action, reason, attempt, attempts, wait_millis } => {
            format!("[{image}] {action}: {}", retrying(reason, *attempt, *attempts, *wait_millis))
        }
    }
}

fn blob_text(direction: Direction, id: &str, count: u64, outcome: BlobOutcome) -> String {
    match outcome {
        BlobOutcome::Copied => format!("{} {id}, {}", moved(direction), bytes(count)),
        BlobOutcome::Mounted => format!("mounted {id}"),
        BlobOutcome::Present => format!("{id} is there already"),
    }
}

fn step_text(step: &Step, state: &StepState) -> String {
    match state {
        StepState::Started => step.parts().2.to_owned(),
        StepState::Cached => format!("cached: {}", step.parts().2),
        // The classic builder tells no times.
        StepState::Done { millis: 0 } => "done".to_owned(),
        StepState::Done { millis } => format!("done in {}", duration(*millis)),
        StepState::Failed { message } => format!("failed: {}", first_line(message)),
        StepState::Cancelled => "cancelled".to_owned(),
    }
}

fn first_line(text: &str) -> &str {
    text.lines().next().unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::engine::Built;

    fn check(events: &[Event], expect: &str) {
        let mut out = Vec::new();
        let mut plain = Plain::new(&mut out);
        events.iter().for_each(|event| plain.event(event));
        plain.finish().unwrap();
        assert_eq!(String::from_utf8(out).unwrap(), expect);
    }

    #[test]
    fn a_build() {
        let image = || "op".to_owned();
        let step = || Step { number: 3, name: "[comp-a-build 2/3] RUN make".into() };
        let other = || Step { number: 4, name: "exporting to image".into() };
        let built = Built {
            image: image(),
            image_id: "sha256:0123456789abcdef".into(),
            tags: vec!["example/op:1".into()],
            digest: None,
            steps_run: 1,
            steps_cached: 0,
            up_to_date: false,
            found: Default::default(),
        };
        let kept = Built { image: "kept".into(), up_to_date: true, ..built.clone() };
        check(
            &[
                Event::Started { image: image() },
                Event::Sending { image: image(), bytes: 10, files: 0 },
                Event::Sending { image: image(), bytes: 2_048, files: 2 },
                Event::Step { image: image(), step: step(), state: StepState::Started },
                Event::Log { image: image(), step: step(), line: "cc a.c".into() },
                Event::Step { image: image(), step: step(), state: StepState::Done { millis: 1_500 } },
                Event::Step { image: image(), step: other(), state: StepState::Started },
                Event::Finished(built),
                Event::Finished(kept),
                Event::Skipped { image: "other".into() },
            ],
            "[op] started\n\
             [op] sent 2 files, 2.0 kB\n\
             [op comp-a-build 2/3] RUN make\n\
             [op comp-a-build 2/3] | cc a.c\n\
             [op comp-a-build 2/3] done in 1.5 s\n\
             [op #4] exporting to image\n\
             [op] finished 0123456789ab as example/op:1 (1 steps run, 0 cached)\n\
             [kept] up to date 0123456789ab as example/op:1\n\
             [other] skipped\n",
        );
    }

    #[test]
    fn transfers() {
        let image = || "op".to_owned();
        let blob = |direction, outcome| {
            let digest = crate::oci::Digest::of(b"");
            Event::Blob { image: image(), direction, digest, bytes: 1_500, outcome }
        };
        check(
            &[
                Event::Transfer { image: image(), direction: Direction::Up, bytes: 1, total: 2 },
                Event::Retrying {
                    image: image(),
                    action: "push it".into(),
                    reason: "r.example answers 429".into(),
                    attempt: 2,
                    attempts: 5,
                    wait_millis: 500,
                },
                blob(Direction::Up, BlobOutcome::Copied),
                blob(Direction::Down, BlobOutcome::Copied),
                blob(Direction::Up, BlobOutcome::Mounted),
                blob(Direction::Up, BlobOutcome::Present),
            ],
            "[op] push it: r.example answers 429; attempt 2 of 5 in 500 ms\n\
             [op] pushed e3b0c44298fc, 1.5 kB\n\
             [op] pulled e3b0c44298fc, 1.5 kB\n\
             [op] mounted e3b0c44298fc\n\
             [op] e3b0c44298fc is there already\n",
        );
    }

    #[test]
    fn a_closed_pipe_is_reported_at_the_end() {
        struct Closed;
        impl io::Write for Closed {
            fn write(&mut self, _: &[u8]) -> io::Result<usize> {
                Err(io::ErrorKind::BrokenPipe.into())
            }
            fn flush(&mut self) -> io::Result<()> {
                Ok(())
            }
        }
        let mut closed = Closed;
        let mut plain = Plain::new(&mut closed);
        plain.event(&Event::Started { image: "a".into() });
        plain.event(&Event::Started { image: "a".into() });
        assert_eq!(plain.finish().unwrap_err().kind(), io::ErrorKind::BrokenPipe);
    }
}
