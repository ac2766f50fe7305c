//! `buffer-metrics`: how much a log forwarder still holds back on disk.
//!
//! Every scrape walks the buffer directories and answers with what is there at that moment; nothing is remembered, so
//! there is no interval to choose and no stale value. A directory that is missing or unreadable is told by
//! `logging_buffer_up 0`, and its other metrics are absent then: an absent value fires an alert on absence, while a zero
//! would claim that the buffer is empty.
//!
//! | module | does |
//! |---|---|
//! | `options` | reads the command line |
//! | `scan` | walks one directory |
//! | `metrics` | turns scans into Prometheus text |
//!
//! **Invariants.** Nothing is written; symbolic links are not followed, so a link cannot make a buffer look larger.

use std::ffi::OsString;
use std::fmt::Display;
use std::io::{self, Write as _};
use std::process::ExitCode;
use std::thread;

use metrics_endpoint::Endpoint;

mod metrics;
mod options;
mod scan;
mod shutdown;

use options::{Options, Request};

const NAME: &str = "buffer-metrics";

/// Runs the program. `args` includes the program's name; the exit code is documented in `--help`.
pub fn run(args: &mut dyn Iterator<Item = OsString>) -> ExitCode {
    match options::parse(args) {
        Ok(Request::Help) => print(options::HELP),
        Ok(Request::Version) => print(concat!("buffer-metrics ", env!("CARGO_PKG_VERSION"), "\n")),
        Ok(Request::Serve(options)) => shutdown::run_until_signal(move || serve(options), ended_by),
        Err(message) => {
            log(format_args!("error: {message}\n  hint: {NAME} --help lists the options"));
            ExitCode::from(2)
        }
    }
}

fn serve(options: Options) -> ExitCode {
    let Options { dirs, listen_address } = options;
    for dir in &dirs {
        log(format_args!("buffer {:?} is {}", dir.name, dir.path.display()));
    }
    match Endpoint::start(&listen_address, move || metrics::text(&dirs)) {
        Ok(endpoint) => {
            log(format_args!("serving http://{}/metrics", endpoint.address()));
            loop {
                thread::park();
            }
        }
        Err(error) => {
            log(format_args!("error: {error}"));
            ExitCode::FAILURE
        }
    }
}

/// A server that is told to end has done its work.
fn ended_by(signal: i32) -> ExitCode {
    log(format_args!("stopped by signal {signal}"));
    ExitCode::SUCCESS
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
