//! Follows changes in the directory of documents.
//!
//! Not recursive: documents lie directly in the directory, and the swap of a mounted ConfigMap (the link `..data` is
//! renamed there) happens in it too.

use std::path::Path;
use std::time::Duration;

use notify::{RecursiveMode, Watcher as _};

/// Calls `on_change` once at the start and once after every burst of changes, until the watch breaks.
pub(crate) fn run(dir: &Path, debounce: Duration, mut on_change: impl FnMut()) -> Result<(), String> {
    let (handler, events) = file_events::channel();
    let mut watcher =
        notify::recommended_watcher(handler).map_err(|error| format!("failed to start watching: {error}"))?;
    watcher.watch(dir, RecursiveMode::NonRecursive).map_err(|error| {
        let hint = "hint: mount the documents there, or correct --config";
        format!("failed to watch {}: {error}\n  {hint}", dir.display())
    })?;
    crate::log(format_args!("watching {}", dir.display()));
    loop {
        on_change();
        events.next_burst(debounce)?;
    }
}
