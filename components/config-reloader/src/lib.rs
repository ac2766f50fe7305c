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
use std::process::ExitCode;
use std::sync::Arc;

use program_output::{exit_code, print, usage_error};
use shutdown::{OnSignal, run_until_signal};

mod hook;
mod options;
mod process;
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
        Ok(Request::Run(options)) => run_until_signal(NAME, move || work(&options), OnSignal::Done),
        Err(message) => usage_error(NAME, message),
    }
}

fn work(options: &Options) -> ExitCode {
    let stats = Arc::new(Stats::default());
    let result = match &options.mode {
        Mode::Init if hook::run(&options.hook, &stats) => Ok(()),
        Mode::Init => Err("the hook failed, see above".to_owned()),
        Mode::Watch(watch) => serve_and_watch(options, watch, &stats),
    };
    exit_code(NAME, result)
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

/// One line on stderr.
fn log(message: impl Display) {
    program_output::log(NAME, message);
}
