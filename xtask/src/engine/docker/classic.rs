//! The answer of a daemon without BuildKit: lines of text, into steps.
//!
//! Docker writes `Step 2/5 : RUN x`, ` ---> Using cache`, ` ---> Running in 0123456789ab`; Podman (buildah) writes
//! `STEP 2/5: RUN x`, `--> Using cache …`, `--> 0123456789a`. Everything else is the log of the current step. Neither names
//! stages, so they are taken from `FROM … AS name`, and a step gets the name that BuildKit would give it.

use super::steps::Steps;
use crate::engine::StepState;

/// Where in the answer we are.
#[derive(Debug, Default)]
pub(super) struct Classic {
    lines: crate::engine::lines::Lines,
    stage: Option<String>,
    current: Option<usize>,
}

impl Classic {
    /// Takes a piece of the answer.
    pub(super) fn stream(&mut self, text: &str, steps: &mut Steps) {
        for line in self.lines.push(text.as_bytes()) {
            self.line(&line, steps);
        }
    }

    fn line(&mut self, line: &str, steps: &mut Steps) {
        if let Some((position, instruction)) = step_line(line) {
            self.end_current(StepState::Done { millis: 0 }, steps);
            if let Some(name) = stage_name(instruction) {
                self.stage = name;
            }
            let stage = self.stage.as_deref().map_or(String::new(), |stage| format!("{stage} "));
            let index = steps.announce(format!("[{stage}{position}] {instruction}"));
            steps.start(index);
            self.current = Some(index);
        } else if line.trim_start().trim_start_matches('-').starts_with("> Using cache") {
            self.end_current(StepState::Cached, steps);
        } else if let Some(index) = self.current.filter(|_| !is_chatter(line)) {
            steps.log(index, format!("{line}\n").as_bytes());
        }
    }

    /// The answer has ended, and with it the current step. There are no times in it, so a duration of 0 stands for unknown.
    pub(super) fn finish(&mut self, state: StepState, steps: &mut Steps) {
        if let Some(line) = self.lines.finish() {
            self.line(&line, steps);
        }
        self.end_current(state, steps);
    }

    fn end_current(&mut self, state: StepState, steps: &mut Steps) {
        if let Some(index) = self.current.take() {
            steps.end(index, state);
        }
    }
}

/// `Step 2/5 : RUN x` or `STEP 2/5: RUN x`; Podman puts `[1/2] ` before it when there are several stages.
fn step_line(line: &str) -> Option<(&str, &str)> {
    let line = line.strip_prefix('[').and_then(|rest| rest.split_once("] ")).map_or(line, |(_, rest)| rest);
    let rest = line.strip_prefix("Step ").or_else(|| line.strip_prefix("STEP "))?;
    let (position, instruction) = rest.split_once(':')?;
    let position = position.trim();
    let digits = |text: &str| !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
    let (number, of) = position.split_once('/')?;
    (digits(number) && digits(of)).then(|| (position, instruction.trim()))
}

/// `Some(name)` for a `FROM`, with `None` inside when the stage has no name.
fn stage_name(instruction: &str) -> Option<Option<String>> {
    let mut words = instruction.split_whitespace();
    if !words.next()?.eq_ignore_ascii_case("from") {
        return None;
    }
    let words: Vec<&str> = words.collect();
    let position = words.iter().position(|word| word.eq_ignore_ascii_case("as"));
    Some(position.and_then(|at| words.get(at + 1)).map(|name| (*name).to_owned()))
}

/// The builder's own words, which are no log of anything.
fn is_chatter(line: &str) -> bool {
    let line = line.trim();
    let mark = line.strip_prefix("--->").or_else(|| line.strip_prefix("-->")).map(str::trim_start);
    mark.is_some_and(|rest| rest.starts_with("Running in") || rest.bytes().all(|byte| byte.is_ascii_hexdigit()))
        || line.is_empty()
        || line.starts_with("Removing intermediate container ")
        || line.starts_with("Successfully built ")
        || line.starts_with("Successfully tagged ")
        || line.starts_with("COMMIT")
        || line.ends_with("] COMMIT")
        || (line.len() == 64 && line.bytes().all(|byte| byte.is_ascii_hexdigit()))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::engine::{Event, Events};

    fn check(pieces: &[&str], expect: &[&str]) {
        let (events, mut receiver) = Events::channel();
        let mut steps = Steps::new("image", &events);
        let mut classic = Classic::default();
        pieces.iter().for_each(|piece| classic.stream(piece, &mut steps));
        classic.finish(StepState::Done { millis: 0 }, &mut steps);
        let mut seen = Vec::new();
        while let Ok(event) = receiver.try_recv() {
            match event {
                Event::Step { step, state: StepState::Started, .. } => seen.push(step.name),
                Event::Step { state: StepState::Cached, .. } => seen.push("cached".to_owned()),
                Event::Log { line, .. } => seen.push(format!("| {line}")),
                _ => {}
            }
        }
        assert_eq!(seen, expect);
    }

    #[test]
    fn docker() {
        check(
            &[
                "Step 1/4 : FROM busybox AS comp-a",
                "\n",
                " ---> 6d5fcfe5ff17\n",
                "Step 2/4 : RUN echo hi\n ---> Running in 0123456789ab\nh",
                "i\nRemoving intermediate container 0123456789ab\n ---> 0123456789ab\n",
                "Step 3/4 : FROM scratch\n ---> \nStep 4/4 : COPY a /\n ---> Using cache\n ---> 77af4d6b9913\n",
                "Successfully built 77af4d6b9913\n",
            ],
            &[
                "[comp-a 1/4] FROM busybox AS comp-a",
                "[comp-a 2/4] RUN echo hi",
                "| hi",
                "[3/4] FROM scratch",
                "[4/4] COPY a /",
                "cached",
            ],
        );
    }

    #[test]
    fn podman() {
        check(
            &[
                "[1/2] STEP 1/2: FROM busybox AS comp-a\n",
                "[1/2] STEP 2/2: RUN echo hi\n",
                "hi\n--> 0123456789a\n",
                "[2/2] STEP 1/2: FROM scratch\n[2/2] STEP 2/2: COPY a /\n--> Using cache 77af4d6b9913\n",
                "[2/2] COMMIT\n--> 704944abf770\n",
                "704944abf77031249ab8455c982a0b1d3f830dc16cb19d59b1c699f6e291a19a\n",
            ],
            &[
                "[comp-a 1/2] FROM busybox AS comp-a",
                "[comp-a 2/2] RUN echo hi",
                "| hi",
                "[1/2] FROM scratch",
                "[2/2] COPY a /",
                "cached",
            ],
        );
    }
}
