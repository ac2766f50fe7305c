//! `affected`, `watch` and `cache` with real repositories, processes and folders. None of these tests needs a daemon.

#![allow(clippy::disallowed_methods, reason = "a test asks its environment, the clock and the disk")]
#![allow(clippy::unwrap_used, reason = "a test may panic, its helpers too")]

#[path = "../support/mod.rs"]
mod support;

mod affected;
mod cache;
mod completions;
mod man;
mod references;
mod watch;
