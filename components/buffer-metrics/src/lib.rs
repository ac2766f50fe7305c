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
//! | `scan` | adds up one directory |
//! | `metrics` | turns scans into Prometheus text |
//!
//! **Invariants.** Nothing is written; symbolic links are not followed, so a link cannot make a buffer look larger.

use std::ffi::OsString;
use std::fmt::Display;
use std::process::ExitCode;
use std::thread;

use metrics_endpoint::Endpoint;
use program_output::{print, usage_error};
use shutdown::{OnSignal, run_until_signal};

mod metrics;
mod options;
mod scan;

use options::{Options, Request};

const NAME: &str = "buffer-metrics";

/// Runs the program. `args` includes the program's name; the exit code is documented in `--help`.
pub fn run(args: &mut dyn Iterator<Item = OsString>) -> ExitCode {
    match options::parse(args) {
        Ok(Request::Help) => print(options::HELP),
        Ok(Request::Version) => print(concat!("buffer-metrics ", env!("CARGO_PKG_VERSION"), "\n")),
        Ok(Request::Serve(options)) => run_until_signal(NAME, move || serve(options), OnSignal::Done),
        Err(message) => usage_error(NAME, message),
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

/// One line on stderr.
fn log(message: impl Display) {
    program_output::log(NAME, message);
}
