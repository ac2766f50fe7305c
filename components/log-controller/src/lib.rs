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
use std::process::ExitCode;

use program_output::{print, usage_error};
use shutdown::{OnSignal, run_until_signal};

mod controller;
mod document;
mod input;
mod options;
mod output;
mod pipeline;
mod problem;
mod render;
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
        Ok(Request::Run(options)) => run_until_signal(NAME, move || controller::run(&options), OnSignal::Done),
        Err(message) => usage_error(NAME, message),
    }
}

/// One line on stderr.
fn log(message: impl Display) {
    program_output::log(NAME, message);
}
