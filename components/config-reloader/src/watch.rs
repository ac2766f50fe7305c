//! Turns file system events into changes.
//!
//! The watch starts before the first snapshot is taken, so that nothing can change unseen between the two.

use std::sync::mpsc::{self, Receiver, RecvTimeoutError};
use std::time::{Duration, Instant};

use notify::event::{AccessKind, AccessMode};
use notify::{EventKind, RecommendedWatcher, RecursiveMode, Watcher as _};

use crate::log;
use crate::options::Watch;
use crate::snapshot::Snapshot;
use crate::stats::Stats;

/// A directory that never comes to rest is looked at after this many debounce periods all the same.
const PATIENCE: u32 = 10;

/// Runs `on_change` once per change, until the watch breaks.
pub(crate) fn run(watch: &Watch, mut on_change: impl FnMut(), stats: &Stats) -> Result<(), String> {
    // One waiting event says as much as a thousand: there is a reason to look. So the queue cannot grow.
    let (sender, events) = mpsc::sync_channel(1);
    let handler = move |event: notify::Result<notify::Event>| {
        // An error is most often a lost event, so it is a reason to look.
        if event.is_ok_and(|event| is_reading(event.kind)) {
            return;
        }
        let _ = sender.try_send(());
    };
    // A link must not put other parts of the file system under watch; what it points to is hashed all the same.
    let config = notify::Config::default().with_follow_symlinks(false);
    let mut watcher =
        RecommendedWatcher::new(handler, config).map_err(|error| format!("failed to start watching: {error}"))?;
    start(&mut watcher, watch)?;
    let mut before = Snapshot::take(&watch.dirs);
    log(format_args!("watching {}", shown(watch)));
    loop {
        events.recv().map_err(|_| "the file system watch has ended unexpectedly".to_owned())?;
        settle(&events, watch.debounce);
        let after = Snapshot::take(&watch.dirs);
        let changes = before.changes(&after);
        before = after;
        if changes.is_empty() {
            log("files were touched, but no content has changed");
            continue;
        }
        log(format_args!("content has changed: {}", changes.join(", ")));
        stats.changed();
        on_change();
    }
}

fn start(watcher: &mut RecommendedWatcher, watch: &Watch) -> Result<(), String> {
    for dir in &watch.dirs {
        if !dir.is_dir() {
            return Err(format!(
                "{dir:?} is no directory\n  hint: mount the configuration there, or correct --watch-dir"
            ));
        }
        watcher.watch(dir, RecursiveMode::Recursive).map_err(|error| format!("failed to watch {dir:?}: {error}"))?;
    }
    Ok(())
}

fn shown(watch: &Watch) -> String {
    watch.dirs.iter().map(|dir| dir.display().to_string()).collect::<Vec<_>>().join(", ")
}

/// Whether an event only tells that a file was read. Taking a snapshot reads every file: it must not cause the next.
fn is_reading(kind: EventKind) -> bool {
    matches!(kind, EventKind::Access(access) if access != AccessKind::Close(AccessMode::Write))
}

/// Waits until no event has come for `debounce`, or patience is at an end.
fn settle(events: &Receiver<()>, debounce: Duration) {
    let deadline = Instant::now() + debounce.saturating_mul(PATIENCE);
    while Instant::now() < deadline {
        match events.recv_timeout(debounce) {
            Ok(()) => {}
            Err(RecvTimeoutError::Timeout | RecvTimeoutError::Disconnected) => return,
        }
    }
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
}
