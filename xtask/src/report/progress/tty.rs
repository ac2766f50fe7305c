//! One line per image, changing in place: `--progress tty`. What has ended stays above, failures with their log.

use std::collections::{BTreeMap, VecDeque};
use std::io;
use std::time::Duration;

use indicatif::{MultiProgress, ProgressBar, ProgressDrawTarget, ProgressStyle};

use super::{Consumer, bytes, duration, moved, retrying, short_id};
use crate::engine::{Direction, Event, Step, StepState};

/// How many lines of a failed step stay visible; the block at the end has more.
const KEPT: usize = 10;

/// Draws on a terminal.
pub struct Tty {
    screen: MultiProgress,
    images: BTreeMap<String, Image>,
}

/// One image on the screen.
struct Image {
    bar: ProgressBar,
    state: State,
}

/// What the line of an image is made of.
#[derive(Debug, Default)]
struct State {
    running: BTreeMap<u32, Step>,
    sent: u64,
    /// What travels to or from a registry, and how much of it there is.
    moving: Option<(Direction, u64, u64)>,
    /// No job: something that is pulled for one or for all.
    is_pull: bool,
    done: u32,
    cached: u32,
    log: BTreeMap<u32, VecDeque<String>>,
}

impl Tty {
    /// Draws on stderr.
    pub fn stderr() -> Self {
        Self::new(ProgressDrawTarget::stderr())
    }

    /// Draws on any target of `indicatif`.
    pub fn new(target: ProgressDrawTarget) -> Self {
        Self { screen: MultiProgress::with_draw_target(target), images: BTreeMap::new() }
    }

    fn add(&mut self, image: &str) {
        let bar = self.screen.add(ProgressBar::new_spinner());
        if let Ok(style) = ProgressStyle::with_template("{spinner} {prefix} {wide_msg} {elapsed}") {
            bar.set_style(style);
        }
        bar.set_prefix(image.to_owned());
        bar.enable_steady_tick(Duration::from_millis(120));
        self.images.insert(image.to_owned(), Image { bar, state: State::default() });
    }

    /// Takes the line of an image away and leaves a text above the others.
    fn end(&mut self, image: &str, text: &str) {
        if let Some(entry) = self.images.remove(image) {
            entry.bar.finish_and_clear();
            self.screen.remove(&entry.bar);
        }
        self.above(text);
    }

    fn above(&self, text: &str) {
        // The terminal may be gone; the build goes on.
        let _ = self.screen.println(text);
    }

    /// What belongs to no job has a line of its own while it travels.
    fn transfer(&mut self, image: &str, event: &Event) {
        if !self.images.contains_key(image) {
            self.add(image);
            self.images.entry(image.to_owned()).and_modify(|entry| entry.state.is_pull = true);
        }
        self.update(image, event);
        if let Event::Transfer { direction, bytes: count, total, .. } = event
            && count == total
            && self.images.get(image).is_some_and(|entry| entry.state.is_pull)
        {
            self.end(image, &format!("{image} {} {}", moved(*direction), bytes(*total)));
        }
    }

    fn update(&mut self, image: &str, event: &Event) {
        let Some(entry) = self.images.get_mut(image) else { return };
        let above = entry.state.apply(event);
        entry.bar.set_message(entry.state.line());
        for line in above {
            self.above(&format!("{image} {line}"));
        }
    }
}

impl State {
    /// Takes an event, returns lines that shall stay visible.
    fn apply(&mut self, event: &Event) -> Vec<String> {
        match event {
            Event::Sending { bytes, .. } => self.sent = *bytes,
            Event::Transfer { direction, bytes, total, .. } => {
                self.moving = (bytes < total).then_some((*direction, *bytes, *total));
            }
            Event::Log { step, line, .. } => self.keep(step.number, line),
            Event::Step { step, state, .. } => return self.step(step, state),
            _ => {}
        }
        Vec::new()
    }

    fn keep(&mut self, step: u32, line: &str) {
        let kept = self.log.entry(step).or_default();
        if kept.len() == KEPT {
            kept.pop_front();
        }
        kept.push_back(line.to_owned());
    }

    fn step(&mut self, step: &Step, state: &StepState) -> Vec<String> {
        if *state == StepState::Started {
            self.running.insert(step.number, step.clone());
            return Vec::new();
        }
        self.running.remove(&step.number);
        let log = self.log.remove(&step.number).unwrap_or_default();
        match state {
            StepState::Cached => self.cached += 1,
            StepState::Done { .. } => self.done += 1,
            StepState::Failed { .. } => {
                let head = format!("failed: {}", step.name);
                return std::iter::once(head).chain(log.into_iter().map(|line| format!("| {line}"))).collect();
            }
            StepState::Started | StepState::Cancelled => {}
        }
        Vec::new()
    }

    /// The current step is the one that began first: it is what the build waits for.
    fn line(&self) -> String {
        if let Some(step) = self.running.values().next() {
            let log = self.log.get(&step.number).and_then(VecDeque::back);
            let more = self.running.len() - 1;
            let others = if more > 0 { format!(" (+{more})") } else { String::new() };
            let last = log.map_or(String::new(), |line| format!(" | {line}"));
            return format!("{}{others}{last}", step.name);
        }
        match self.moving {
            Some((direction, count, total)) => format!("{} {} of {}", moved(direction), bytes(count), bytes(total)),
            None if self.done + self.cached == 0 => format!("sending {}", bytes(self.sent)),
            None => format!("{} done, {} cached", self.done, self.cached),
        }
    }
}

impl Consumer for Tty {
    fn event(&mut self, event: &Event) {
        match event {
            Event::Started { image } => self.add(image),
            Event::Sending { image, .. } | Event::Step { image, .. } | Event::Log { image, .. } => {
                self.update(image, event);
            }
            Event::Transfer { image, .. } => self.transfer(image, event),
            // the totals are enough here
            Event::Blob { .. } => {}
            Event::Retrying { image, reason, attempt, attempts, wait_millis, .. } => {
                self.above(&format!("{image}: {}", retrying(reason, *attempt, *attempts, *wait_millis)));
            }
            Event::Finished(built) if built.up_to_date => {
                self.end(&built.image, &format!("{} up to date", built.image));
            }
            Event::Finished(built) => {
                let seconds = self.images.get(&built.image).map_or(Duration::ZERO, |entry| entry.bar.elapsed());
                let took = duration(u64::try_from(seconds.as_millis()).unwrap_or(u64::MAX));
                let text = format!("{} built {} in {took}", built.image, short_id(built.pin()));
                self.end(&built.image, &text);
            }
            Event::Failed { image, .. } => self.end(image, &format!("{image} failed")),
            Event::Cancelled { image } => self.end(image, &format!("{image} cancelled")),
            Event::Skipped { image } => self.above(&format!("{image} skipped")),
            Event::Pushed { image, reference } => self.above(&format!("{image} pushed {reference}")),
            Event::Copied { image, reference } => self.end(image, &format!("{image} copied to {reference}")),
            Event::Pulling { reference, status } => self.above(&format!("pull {reference}: {status}")),
        }
    }

    fn finish(&mut self) -> io::Result<()> {
        self.screen.clear()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn step(number: u32, name: &str) -> Step {
        Step { number, name: name.into() }
    }

    #[test]
    fn the_line_shows_what_the_build_waits_for() {
        let mut state = State::default();
        let mut apply = |event: &Event, expect: &str| {
            let above = state.apply(event);
            assert_eq!(state.line(), expect);
            above
        };
        let image = || "op".to_owned();
        apply(&Event::Sending { image: image(), bytes: 1_500, files: 1 }, "sending 1.5 kB");
        apply(&Event::Step { image: image(), step: step(1, "a"), state: StepState::Started }, "a");
        apply(&Event::Step { image: image(), step: step(2, "b"), state: StepState::Started }, "a (+1)");
        apply(&Event::Log { image: image(), step: step(1, "a"), line: "x".into() }, "a (+1) | x");
        let failed = StepState::Failed { message: "no".into() };
        let above = apply(&Event::Step { image: image(), step: step(1, "a"), state: failed }, "b");
        assert_eq!(above, ["failed: a", "| x"]);
        apply(&Event::Step { image: image(), step: step(2, "b"), state: StepState::Cached }, "0 done, 1 cached");
    }

    #[test]
    fn the_line_shows_bytes_while_they_travel() {
        let mut state = State::default();
        let mut check = |bytes, expect: &str| {
            state.apply(&Event::Transfer { image: "op".into(), direction: Direction::Up, bytes, total: 2_000 });
            assert_eq!(state.line(), expect);
        };
        check(1_000, "pushed 1.0 kB of 2.0 kB");
        check(2_000, "sending 0 B");
    }

    #[test]
    fn a_pull_has_its_own_line_while_it_travels() {
        let mut tty = Tty::new(ProgressDrawTarget::hidden());
        let mut check = |bytes, expect: usize| {
            let (image, direction) = ("base:1".to_owned(), Direction::Down);
            tty.event(&Event::Transfer { image, direction, bytes, total: 9 });
            assert_eq!(tty.images.len(), expect);
        };
        check(1, 1);
        check(9, 0);
    }

    #[test]
    fn a_hidden_screen_takes_everything() {
        let mut tty = Tty::new(ProgressDrawTarget::hidden());
        tty.event(&Event::Log { image: "nobody".into(), step: step(1, "a"), line: "x".into() });
        tty.event(&Event::Started { image: "op".into() });
        tty.event(&Event::Failed { image: "op".into(), message: "no".into() });
        tty.finish().unwrap();
    }
}
