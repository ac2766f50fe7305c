//! `log-controller`: renders one pipeline configuration from many small documents.
//!
//! ```text
//! DIR/*.yaml ──> yaml: nodes with lines ──> document: flows, outputs ──> pipeline: names resolved ──> render ──> FILE
//!   input                  all problems of all files are collected on the way                                 output
//! ```
//!
//! A document is a *flow* (which records, through which filters, to which outputs) or an *output* (where records go):
//!
//! ```yaml
//! kind: flow
//! name: shop
//! match: {app: shop}              # all labels must be equal; {} is every record
//! filters:                        # optional, in this order
//!   - {type: grep, key: level, pattern: "^(WARN|ERROR)$"}
//!   - {type: add, key: team, value: shop}
//!   - {type: drop, key: password}
//! outputs: [archive]
//! ---
//! kind: output
//! name: archive
//! type: file                      # file: path, format | http: url, headers, format | stdout: format
//! path: /var/log/archive.log
//! format: json                    # json (default) or text
//! ```
//!
//! **Invariants.** The same documents give the same bytes, whatever their files are called. A wrong input leaves the
//! output as it was. The output is never seen half written: it appears by a rename, and only when it differs.

use std::ffi::OsString;
use std::fmt::Display;
use std::io::{self, Write as _};
use std::process::ExitCode;

mod controller;
mod document;
mod input;
mod options;
mod output;
mod pipeline;
mod problem;
mod render;
mod shutdown;
mod stats;
mod watch;
mod yaml;

use options::Request;

const NAME: &str = "log-controller";

/// Runs the program. `args` includes the program's name; the exit code is documented in `--help`.
pub fn run(args: &mut dyn Iterator<Item = OsString>) -> ExitCode {
    match options::parse(args) {
        Ok(Request::Help) => print(options::HELP),
        Ok(Request::Version) => print(concat!("log-controller ", env!("CARGO_PKG_VERSION"), "\n")),
        Ok(Request::Run(options)) => shutdown::run_until_signal(move || controller::run(&options), ended_by),
        Err(message) => {
            log(format_args!("error: {message}\n  hint: {NAME} --help lists the options"));
            ExitCode::from(2)
        }
    }
}

/// A controller that is told to end has done its work.
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
