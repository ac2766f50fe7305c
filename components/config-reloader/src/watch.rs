//! Turns file system events into changes.
//!
//! The watch starts before the first snapshot is taken, so that nothing can change unseen between the two.

use notify::{RecommendedWatcher, RecursiveMode, Watcher as _};

use crate::log;
use crate::options::Watch;
use crate::snapshot::Snapshot;
use crate::stats::Stats;

/// Runs `on_change` once per change, until the watch breaks.
pub(crate) fn run(watch: &Watch, mut on_change: impl FnMut(), stats: &Stats) -> Result<(), String> {
    let (handler, events) = file_events::channel();
    // A link must not put other parts of the file system under watch; what it points to is hashed all the same.
    let config = notify::Config::default().with_follow_symlinks(false);
    let mut watcher =
        RecommendedWatcher::new(handler, config).map_err(|error| format!("failed to start watching: {error}"))?;
    start(&mut watcher, watch)?;
    let mut before = Snapshot::take(&watch.dirs);
    log(format_args!("watching {}", shown(watch)));
    loop {
        events.next_burst(watch.debounce)?;
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
