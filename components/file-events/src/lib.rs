//! Bursts of file system events.
//!
//! ```text
//! inotify ──> handler: reading is left out ──> one waiting event at most ──> Events::next_burst
//! ```
//!
//! What is watched, and whether recursively, is up to the caller, who gives the handler to a watcher of `notify`.

use std::sync::mpsc::{self, Receiver};
use std::time::{Duration, Instant};

use notify::event::{AccessKind, AccessMode};
use notify::{Event, EventKind};

/// A directory that never comes to rest is looked at after this many debounce periods all the same.
const PATIENCE: u32 = 10;

/// The receiving end: whether something has happened.
#[derive(Debug)]
pub struct Events(Receiver<()>);

/// The handler for a watcher, and what it has heard.
pub fn channel() -> (impl FnMut(notify::Result<Event>) + Send + 'static, Events) {
    // One waiting event says as much as a thousand: there is a reason to look. So the queue cannot grow.
    let (sender, events) = mpsc::sync_channel(1);
    let handler = move |event: notify::Result<Event>| {
        // An error is most often a lost event, so it is a reason to look.
        if !event.is_ok_and(|event| is_reading(event.kind)) {
            let _ = sender.try_send(());
        }
    };
    (handler, Events(events))
}

impl Events {
    /// Waits for an event, and then until no further one has come for `debounce`, or patience is at an end.
    ///
    /// # Errors
    /// When the watcher is gone.
    pub fn next_burst(&self, debounce: Duration) -> Result<(), String> {
        self.0.recv().map_err(|_| "the file system watch has ended unexpectedly".to_owned())?;
        settle(&self.0, debounce);
        Ok(())
    }
}

/// Whether an event only tells that a file was read. Whoever looks at a change reads files: it must not cause the next.
fn is_reading(kind: EventKind) -> bool {
    matches!(kind, EventKind::Access(access) if access != AccessKind::Close(AccessMode::Write))
}

/// Waits until no event has come for `debounce`, or patience is at an end.
fn settle(events: &Receiver<()>, debounce: Duration) {
    let deadline = Instant::now() + debounce.saturating_mul(PATIENCE);
    while Instant::now() < deadline && events.recv_timeout(debounce).is_ok() {}
}

#[cfg(test)]
mod tests {
    use std::thread;

    use notify::event::{CreateKind, ModifyKind};

    use super::*;

    #[test]
    fn reading_is_no_reason_to_look() {
        let check = |kind, expected| assert_eq!(is_reading(kind), expected, "{kind:?}");
        check(EventKind::Access(AccessKind::Open(AccessMode::Any)), true);
        check(EventKind::Access(AccessKind::Close(AccessMode::Read)), true);
        check(EventKind::Access(AccessKind::Close(AccessMode::Write)), false);
        check(EventKind::Create(CreateKind::File), false);
        check(EventKind::Modify(ModifyKind::Any), false);
    }

    #[test]
    fn a_burst_is_one_event() {
        let (sender, events) = mpsc::sync_channel(1);
        for _ in 0..100 {
            let _ = sender.try_send(());
        }
        settle(&events, Duration::from_millis(20));
        assert!(events.try_recv().is_err(), "the burst is used up");
    }

    #[test]
    fn unrest_without_end_is_looked_at_in_the_end() {
        let (sender, events) = mpsc::sync_channel(1);
        let noise = thread::spawn(move || while sender.send(()).is_ok() {});
        settle(&events, Duration::from_millis(5));
        drop(events);
        noise.join().expect("the noise ends with its receiver");
    }

    #[test]
    fn an_error_is_an_event_and_the_end_of_the_watcher_an_error() {
        let (mut handler, events) = channel();
        handler(Err(notify::Error::generic("an event was lost")));
        assert_eq!(events.next_burst(Duration::from_millis(5)), Ok(()));
        drop(handler);
        let problem = events.next_burst(Duration::from_millis(5)).expect_err("nothing can come any more");
        assert_eq!(problem, "the file system watch has ended unexpectedly");
    }
}
