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
use std::io::{self, Write as _};
use std::process::ExitCode;

mod buffer;
#[cfg(feature = "http")]
mod call;
mod options;
mod pattern;
mod shutdown;
mod wait;

use options::Request;

const NAME: &str = "drain-watch";

/// Runs the program. `args` includes the program's name; the exit code is documented in `--help`.
pub fn run(args: &mut dyn Iterator<Item = OsString>) -> ExitCode {
    match options::parse(args) {
        Ok(Request::Help) => print(options::HELP),
        Ok(Request::Version) => print(concat!("drain-watch ", env!("CARGO_PKG_VERSION"), "\n")),
        Ok(Request::Wait(options)) => shutdown::run_until_signal(move || wait::until_drained(&options), ended_by),
        Err(message) => {
            log(format_args!("error: {message}\n  hint: {NAME} --help lists the options"));
            ExitCode::from(2)
        }
    }
}

/// An unfinished wait must not look like a drained buffer: 128 + signal, as a shell reports it.
fn ended_by(signal: i32) -> ExitCode {
    log(format_args!("stopped by signal {signal} before the buffers were drained"));
    ExitCode::from(u8::try_from(128 + signal).unwrap_or(1))
}

/// Data for stdout. A reader that has gone away is no reason to panic, as `print!` would.
fn print(text: &str) -> ExitCode {
    match io::stdout().write_all(text.as_bytes()) {
        Ok(()) => ExitCode::SUCCESS,
        Err(_) => ExitCode::FAILURE,
    }
}

/// One line on stderr. A closed stderr is no reason to panic, as `eprintln!` would.
fn log(message: impl Display) {
    let _ = writeln!(io::stderr(), "{NAME}: {message}");
}
