//! A plain HTTP call to a neighbour, repeated when it fails.
//!
//! ```text
//! check_url ──> Call::run ──> Attempt, told to the caller ──> pause, doubled each time ──> next attempt
//! ```
//!
//! * [`check_url`] refuses at the start what could never be called.
//! * [`Call`] is the call and its repetitions; the caller logs and counts each [`Attempt`].
//!
//! **Invariants.** No proxy is used and no redirect followed. No text made here holds the user, the password or the
//! query of a URL, so that it may be logged.

mod call;
mod url;

pub use call::{Attempt, Call};
pub use url::check_url;
