//! Consumers of engine events: a terminal, plain lines, JSON lines, nothing; and the block that explains a failure.
//!
//! | file | is |
//! |---|---|
//! | `tty.rs` | one line per image that changes in place |
//! | `plain.rs` | one line per event, `[image step]` first |
//! | `json.rs` | one JSON object per line, the [`Event`] as it is |
//! | `quiet.rs` | nothing |
//! | `failure.rs` | what is printed last when a build has failed |
//! | `place.rs` | which line of a Dockerfile a step comes from |
//!
//! They write where they are told to and know no terminal of their own, except `tty`, which is one.

mod failure;
mod json;
mod place;
mod plain;
mod quiet;
mod tty;

use std::io;

pub use failure::Failure;
pub use json::Json;
pub use place::{Place, component_of_stage, find};
pub use plain::Plain;
pub use quiet::Quiet;
pub use tty::Tty;

use crate::engine::{Direction, Event};

/// Takes events, one after the other.
pub trait Consumer {
    /// Shows one event. Trouble with the output is kept for [`Consumer::finish`]: a closed pipe does not stop a build.
    fn event(&mut self, event: &Event);

    /// Ends the output.
    ///
    /// # Errors
    /// The first one that writing has met.
    fn finish(&mut self) -> io::Result<()>;
}

/// A writer that remembers its first error and then writes no more.
struct Lines<'a> {
    out: &'a mut dyn io::Write,
    trouble: Option<io::Error>,
}

impl<'a> Lines<'a> {
    fn new(out: &'a mut dyn io::Write) -> Self {
        Self { out, trouble: None }
    }

    fn line(&mut self, line: &str) {
        if self.trouble.is_none() {
            self.trouble = writeln!(self.out, "{line}").err();
        }
    }

    fn finish(&mut self) -> io::Result<()> {
        self.trouble.take().map_or_else(|| self.out.flush(), Err)
    }
}

/// Bytes as people read them: `812 B`, `4.1 MB`.
fn bytes(count: u64) -> String {
    const UNITS: [(u64, &str); 3] = [(1_000_000_000, "GB"), (1_000_000, "MB"), (1_000, "kB")];
    match UNITS.iter().find(|(size, _)| count >= *size) {
        Some((size, unit)) => format!("{}.{} {unit}", count / size, count % size * 10 / size),
        None => format!("{count} B"),
    }
}

/// Durations as people read them: `41 ms`, `3.2 s`, `2 min 5 s`.
fn duration(millis: u64) -> String {
    match millis {
        0..1_000 => format!("{millis} ms"),
        1_000..60_000 => format!("{}.{} s", millis / 1_000, millis % 1_000 / 100),
        _ => format!("{} min {} s", millis / 60_000, millis % 60_000 / 1_000),
    }
}

/// What went wrong and when it is tried again: `429 Too Many Requests; attempt 2 of 5 in 3.0 s`.
fn retrying(reason: &str, attempt: u32, attempts: u32, wait_millis: u64) -> String {
    format!("{reason}; attempt {attempt} of {attempts} in {}", duration(wait_millis))
}

/// The past of a movement.
fn moved(direction: Direction) -> &'static str {
    match direction {
        Direction::Up => "pushed",
        Direction::Down => "pulled",
    }
}

/// The first 12 digits of an image ID, as `docker images` shows it.
fn short_id(id: &str) -> &str {
    let digits = id.strip_prefix("sha256:").unwrap_or(id);
    digits.get(..12).unwrap_or(digits)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_readable() {
        assert_eq!([0, 999, 1_000, 4_150_000].map(bytes), ["0 B", "999 B", "1.0 kB", "4.1 MB"]);
        assert_eq!([41, 3_290, 125_000].map(duration), ["41 ms", "3.2 s", "2 min 5 s"]);
        assert_eq!(short_id("sha256:0123456789abcdef"), "0123456789ab");
    }
}
