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
use std::io::{self, Write as _};
use std::path::PathBuf;
use std::process::ExitCode;

mod options;
mod progress;
mod restores;
mod shutdown;
mod wait;

use options::Request;

const NAME: &str = "restore-helper";
const DEFAULT_DIR: &str = "/restores";

/// Runs the program. `args` includes the program's name; the exit code is documented in `--help`.
pub fn run(args: &mut dyn Iterator<Item = OsString>) -> ExitCode {
    match options::parse(args.skip(1)) {
        Ok(Request::Help) => print(options::HELP),
        Ok(Request::Version) => print(concat!("restore-helper ", env!("CARGO_PKG_VERSION"), "\n")),
        Ok(Request::Wait { id }) => {
            let dir = restores_dir();
            shutdown::run_until_signal(move || wait::until_restored(&dir, &id), ended_by)
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

/// An unfinished wait must not look like success: 128 + signal, as a shell reports it.
fn ended_by(signal: i32) -> ExitCode {
    log(format_args!("stopped by signal {signal} before the restore was done"));
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
