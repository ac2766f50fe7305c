//! Follows changes in the directory of documents.
//!
//! Not recursive: documents lie directly in the directory, and the swap of a mounted ConfigMap (the link `..data` is
//! renamed there) happens in it too.

use std::path::Path;
use std::sync::mpsc::{self, Receiver};
use std::time::{Duration, Instant};

use notify::event::{AccessKind, AccessMode};
use notify::{EventKind, RecursiveMode, Watcher as _};

/// A directory that never comes to rest is read after this many debounce periods all the same.
const PATIENCE: u32 = 10;

/// Calls `on_change` once at the start and once after every burst of changes, until the watch breaks.
pub(crate) fn run(dir: &Path, debounce: Duration, mut on_change: impl FnMut()) -> Result<(), String> {
    // One waiting event says as much as a thousand: there is a reason to look. So the queue cannot grow.
    let (sender, events) = mpsc::sync_channel(1);
    let mut watcher = notify::recommended_watcher(move |event: notify::Result<notify::Event>| {
        // An error is most often a lost event, so it is a reason to look.
        if !event.is_ok_and(|event| is_reading(event.kind)) {
            let _ = sender.try_send(());
        }
    })
    .map_err(|error| format!("failed to start watching: {error}"))?;
    watcher.watch(dir, RecursiveMode::NonRecursive).map_err(|error| {
        let hint = "hint: mount the documents there, or correct --config";
        format!("failed to watch {}: {error}\n  {hint}", dir.display())
    })?;
    crate::log(format_args!("watching {}", dir.display()));
    loop {
        on_change();
        events.recv().map_err(|_| "the file system watch has ended unexpectedly".to_owned())?;
        settle(&events, debounce);
    }
}

/// Whether an event only tells that a file was read. Rendering reads every file: it must not cause the next.
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
    use notify::event::CreateKind;

    use super::*;

    #[test]
    fn reading_is_no_reason_to_look() {
        let check = |kind, expected| assert_eq!(is_reading(kind), expected, "{kind:?}");
        check(EventKind::Access(AccessKind::Open(AccessMode::Any)), true);
        check(EventKind::Access(AccessKind::Close(AccessMode::Write)), false);
        check(EventKind::Create(CreateKind::File), false);
    }
}
