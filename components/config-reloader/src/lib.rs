//! `config-reloader`: asks a process to reload when its mounted configuration changes.
//!
//! ```text
//! inotify ──> burst of events ──debounce──> snapshot of visible content ──differs?──> webhooks, signal
//! ```
//!
//! Decisions:
//!
//! * **An event means that content changed.** After a burst of file system events the visible files are hashed, and
//!   only a difference to the last snapshot runs the hook. A `touch`, a change of permissions, or a ConfigMap swapped
//!   for an equal one is no event.
//! * **One swap, one event.** Kubernetes updates a mounted ConfigMap by building a new `..<time>` directory and renaming
//!   a link named `..data` over the old one. Names that begin with two dots are this machinery: not visible, hence not
//!   hashed. What they are linked to by the visible names is.
//! * **A failed hook is not repeated for ever.** It has its retries; then the failure is logged and counted, and the next
//!   change is the next chance. Repeating without end would also hammer a process that rejects the configuration.
//!
//! | module | does |
//! |---|---|
//! | `options` | reads the command line |
//! | `snapshot` | hashes what is visible in the directories |
//! | `watch` | turns file system events into changes |
//! | `hook` | what a change causes: `webhook` and `process` |
//! | `stats` | counts, and with the feature `metrics` tells |

use std::ffi::OsString;
use std::fmt::Display;
use std::io::{self, Write as _};
use std::process::ExitCode;
use std::sync::Arc;

mod hook;
mod options;
mod process;
mod shutdown;
mod snapshot;
mod stats;
mod watch;
mod webhook;

use options::{Mode, Options, Request};
use stats::Stats;

const NAME: &str = "config-reloader";

/// Runs the program. `args` includes the program's name; the exit code is documented in `--help`.
pub fn run(args: &mut dyn Iterator<Item = OsString>) -> ExitCode {
    match options::parse(args) {
        Ok(Request::Help) => print(options::HELP),
        Ok(Request::Version) => print(concat!("config-reloader ", env!("CARGO_PKG_VERSION"), "\n")),
        Ok(Request::Run(options)) => shutdown::run_until_signal(move || work(&options), ended_by),
        Err(message) => {
            log(format_args!("error: {message}\n  hint: {NAME} --help lists the options"));
            ExitCode::from(2)
        }
    }
}

fn work(options: &Options) -> ExitCode {
    let stats = Arc::new(Stats::default());
    let result = match &options.mode {
        Mode::Init if hook::run(&options.hook, &stats) => Ok(()),
        Mode::Init => Err("the hook failed, see above".to_owned()),
        Mode::Watch(watch) => serve_and_watch(options, watch, &stats),
    };
    match result {
        Ok(()) => ExitCode::SUCCESS,
        Err(message) => {
            log(format_args!("error: {message}"));
            ExitCode::FAILURE
        }
    }
}

#[cfg(feature = "metrics")]
fn serve_and_watch(options: &Options, watch: &options::Watch, stats: &Arc<Stats>) -> Result<(), String> {
    let endpoint = match &watch.metrics_address {
        Some(address) => Some(stats::serve(address, stats)?),
        None => None,
    };
    let result = watch::run(watch, || on_change(options, stats), stats);
    drop(endpoint);
    result
}

#[cfg(not(feature = "metrics"))]
fn serve_and_watch(options: &Options, watch: &options::Watch, stats: &Arc<Stats>) -> Result<(), String> {
    watch::run(watch, || on_change(options, stats), stats)
}

/// A failure is logged and counted already; the watch goes on to the next change.
fn on_change(options: &Options, stats: &Stats) {
    hook::run(&options.hook, stats);
}

/// A watcher that is told to end has done its work.
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
