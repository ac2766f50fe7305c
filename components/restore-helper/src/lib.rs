//! `restore-helper`: holds back a pod until its volumes are restored.
//!
//! A restore writes the file `.velero/<restore id>` into each volume when the data of that volume is complete. This
//! program runs as an init container with all volumes mounted below `/restores`, and ends when every volume has its
//! file. It takes exactly one argument and exits 1 for anything else, as the `velero-restore-helper` it stands for.
//!
//! Two decisions differ from that program, on purpose:
//!
//! * A missing `/restores`, or one without a single volume, is an error at once. There, the first is waited for, though
//!   volumes are mounted before a container starts and waiting cannot help; and the second counts as done, which starts
//!   the application on empty data.
//! * The marker files are left where they are. An init container runs again whenever the sandbox of its pod is made
//!   anew, and without its markers it would wait for ever.
//!
//! | file or variable | use |
//! |---|---|
//! | `/restores/<volume>/.velero/<id>` | looked for, never opened or changed |
//! | `RESTORES_DIR` | another place than `/restores` |

use std::env;
use std::ffi::OsString;
use std::fmt::Display;
use std::path::PathBuf;
use std::process::ExitCode;

use program_output::print;
use shutdown::{OnSignal, run_until_signal};

mod options;
mod progress;
mod restores;
mod wait;

use options::Request;

const NAME: &str = "restore-helper";
/// An unfinished wait must not look like success.
const ON_SIGNAL: OnSignal = OnSignal::Unfinished("before the restore was done");
const DEFAULT_DIR: &str = "/restores";

/// Runs the program. `args` includes the program's name; the exit code is documented in `--help`.
pub fn run(args: &mut dyn Iterator<Item = OsString>) -> ExitCode {
    match options::parse(args.skip(1)) {
        Ok(Request::Help) => print(options::HELP),
        Ok(Request::Version) => print(concat!("restore-helper ", env!("CARGO_PKG_VERSION"), "\n")),
        Ok(Request::Wait { id }) => {
            let dir = restores_dir();
            run_until_signal(NAME, move || wait::until_restored(&dir, &id), ON_SIGNAL)
        }
        Err(message) => {
            log(format_args!("error: {message}\n  hint: {NAME} --help shows the usage"));
            ExitCode::FAILURE
        }
    }
}

#[allow(clippy::disallowed_methods, reason = "the one place where this program reads its environment")]
fn restores_dir() -> PathBuf {
    env::var_os("RESTORES_DIR").map_or_else(|| DEFAULT_DIR.into(), PathBuf::from)
}

/// One line on stderr.
fn log(message: impl Display) {
    program_output::log(NAME, message);
}
