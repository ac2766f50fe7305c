//! Registries that misbehave: real connections on loopback, to a server that does what a test tells it.
//!
//! What a real registry does is tested in `tests/engine/registry.rs`.

mod auth;
mod content;
mod copy;
mod network;
mod pull;
mod push;
mod server;
mod shelf;
mod tags;

use std::time::Duration;

use super::{RegistryOptions, Retry, Timeouts};
use crate::engine::{Event, Events, block_on};

/// Attempts of these tests.
const ATTEMPTS: u32 = 3;
/// The longest wait of these tests.
const LONGEST: Duration = Duration::from_millis(20);

/// Short waits; silence ends soon, but not so soon that a loaded machine is taken for a silent one where that matters.
fn options() -> RegistryOptions {
    RegistryOptions {
        retry: Retry { attempts: ATTEMPTS, base: Duration::from_millis(1), longest: LONGEST },
        timeouts: Timeouts { idle: Duration::from_secs(20), ..Timeouts::default() },
        ..RegistryOptions::default()
    }
}

/// Runs something to its end, with the events that it gave.
fn with_events<T>(work: impl AsyncFnOnce(&Events) -> T) -> (T, Vec<Event>) {
    let (events, mut receiver) = Events::channel();
    let result = block_on(work(&events)).unwrap();
    drop(events);
    let told = std::iter::from_fn(|| receiver.try_recv().ok()).collect();
    (result, told)
}

/// How long was waited before each further attempt.
fn waits(events: &[Event]) -> Vec<u64> {
    let wait = |event: &Event| match event {
        Event::Retrying { wait_millis, .. } => Some(*wait_millis),
        _ => None,
    };
    events.iter().filter_map(wait).collect()
}
