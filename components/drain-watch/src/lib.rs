//! `drain-watch`: tells by its exit code when a log forwarder's buffers are drained.
//!
//! A buffer is drained when its directories have held no data, that is no regular file with a byte in it, at every look
//! during the whole quiet period. The period matters because a forwarder moves records through files: between the
//! deletion of one chunk and the creation of the next, a buffer that is not drained looks empty for a moment.
//!
//! Decisions, all on the side of not losing records:
//!
//! * What cannot be read is never reported as drained. A directory missing at the start is an error (it is more often
//!   a mistyped path than an empty buffer); one that turns unreadable later keeps the wait going until the timeout.
//! * A call that fails does not end the program: the buffer may drain all the same, and the timeout decides.
//!
//! | module | does |
//! |---|---|
//! | `options` | reads the command line |
//! | `call` | asks for a flush (feature `http`) |
//! | `buffer` | looks into the directories once |
//! | `pattern` | the globs of `--ignore` |
//! | `wait` | looks again and again, and decides |

use std::ffi::OsString;
use std::fmt::Display;
use std::process::ExitCode;

use program_output::{print, usage_error};
use shutdown::{OnSignal, run_until_signal};

mod buffer;
#[cfg(feature = "http")]
mod call;
mod options;
mod pattern;
mod wait;

use options::Request;

const NAME: &str = "drain-watch";
/// An unfinished wait must not look like a drained buffer.
const ON_SIGNAL: OnSignal = OnSignal::Unfinished("before the buffers were drained");

/// Runs the program. `args` includes the program's name; the exit code is documented in `--help`.
pub fn run(args: &mut dyn Iterator<Item = OsString>) -> ExitCode {
    match options::parse(args) {
        Ok(Request::Help) => print(options::HELP),
        Ok(Request::Version) => print(concat!("drain-watch ", env!("CARGO_PKG_VERSION"), "\n")),
        Ok(Request::Wait(options)) => run_until_signal(NAME, move || wait::until_drained(&options), ON_SIGNAL),
        Err(message) => usage_error(NAME, message),
    }
}

/// One line on stderr.
fn log(message: impl Display) {
    program_output::log(NAME, message);
}
