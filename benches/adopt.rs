//! How long `init --analyze` takes for a tree of 500 Dockerfiles, in milliseconds.
//!
//! ```text
//! cargo bench --bench adopt [-- --check]
//! ```
//!
//! | measured | is |
//! |---|---|
//! | floor | the program starts and prints its version |
//! | analyze | `init --from-dockerfiles . --analyze`: found, read, parsed, evaluated, grouped, printed |
//!
//! Rounds of both alternate, so that a busy machine slows both; each figure is a median. Target: one second. With `--check` the
//! exit code is 1 when it is missed.

#![allow(clippy::disallowed_methods, reason = "a benchmark reads its arguments and the clock")]
#![allow(clippy::unwrap_used, reason = "a benchmark may panic")]

#[path = "../tests/support/dockerfiles.rs"]
mod dockerfiles;

use std::path::Path;
use std::process::{Command, ExitCode, Stdio};
use std::time::{Duration, Instant};

const ROUNDS: usize = 9;
const TARGET: Duration = Duration::from_secs(1);

fn main() -> ExitCode {
    let folder = tempfile::tempdir().unwrap();
    dockerfiles::tree(500, |path, text| {
        let path = folder.path().join(path);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(path, text).unwrap();
    });
    let (mut floor, mut analyze) = (Vec::new(), Vec::new());
    for _ in 0..ROUNDS {
        floor.push(run(folder.path(), &["--version"]));
        analyze.push(run(folder.path(), &["init", "--from-dockerfiles", ".", "--analyze"]));
    }
    let (floor, analyze) = (median(floor), median(analyze));
    println!("floor {floor:.1?}  500 Dockerfiles {analyze:.1?}  (target {TARGET:?})");
    let is_checked = std::env::args().any(|argument| argument == "--check");
    if analyze <= TARGET || !is_checked { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}

fn run(folder: &Path, arguments: &[&str]) -> Duration {
    let begin = Instant::now();
    let status =
        Command::new(env!("CARGO_BIN_EXE_xtask")).args(arguments).current_dir(folder).stdout(Stdio::null()).status();
    assert!(status.unwrap().success());
    begin.elapsed()
}

fn median(mut times: Vec<Duration>) -> Duration {
    times.sort_unstable();
    times[times.len() / 2]
}
