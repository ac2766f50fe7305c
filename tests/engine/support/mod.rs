//! What the tests of this folder have in common.

pub mod archive;
pub mod builders;
pub mod container;
pub mod counted;
pub mod environments;
pub mod image;
pub mod kill;
pub mod layout;
pub mod listener;
pub mod middle;
pub mod native;
pub mod published;
pub mod readers;
pub mod registry;
pub mod workspace;

use std::process::Command;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::{Duration, Instant};

/// Longer than anything takes on a loaded machine; only a failing test waits for it.
pub const PATIENCE: Duration = Duration::from_secs(60);

/// How a program ended.
#[derive(Debug)]
pub struct Ended {
    pub code: Option<i32>,
    pub stdout: String,
    pub stderr: String,
}

impl Ended {
    /// Runs a command to its end.
    pub fn of(command: &mut Command) -> Self {
        let output = command.output().unwrap_or_else(|error| panic!("{command:?}: {error}"));
        output.into()
    }

    /// It ended so; otherwise all that it said is shown.
    #[track_caller]
    pub fn expect(self, code: i32) -> Self {
        assert_eq!(self.code, Some(code), "stdout:\n{}\nstderr:\n{}", self.stdout, self.stderr);
        self
    }
}

impl From<std::process::Output> for Ended {
    fn from(output: std::process::Output) -> Self {
        let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
        Self { code: output.status.code(), stdout: text(&output.stdout), stderr: text(&output.stderr) }
    }
}

/// True when a daemon answers. Otherwise a line is printed, or, where a daemon is required, the test fails.
pub fn daemon() -> bool {
    let ended = Command::new("docker").args(["version", "--format", "{{.Server.Version}}"]).output();
    let reason = match ended {
        Ok(output) if output.status.success() => return true,
        Ok(output) => String::from_utf8_lossy(&output.stderr).trim().to_owned(),
        Err(error) => format!("docker: {error}"),
    };
    let required = std::env::var("GROUPAGE_TEST_ENGINE").is_ok_and(|value| value == "required");
    assert!(!required, "a Docker daemon is required: {reason}");
    eprintln!("skipped: {reason}");
    false
}

/// What the `docker` program says; it must succeed.
#[track_caller]
pub fn docker<A: AsRef<std::ffi::OsStr>>(arguments: impl IntoIterator<Item = A>) -> String {
    let ended = Ended::of(Command::new("docker").args(arguments)).expect(0);
    ended.stdout.trim().to_owned()
}

/// A text that nothing has seen yet.
pub fn unique() -> String {
    static COUNT: AtomicU32 = AtomicU32::new(0);
    let nanos = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).unwrap().as_nanos();
    format!("u{nanos}x{}x{}", std::process::id(), COUNT.fetch_add(1, Ordering::Relaxed))
}

/// Waits until something holds.
#[track_caller]
pub fn until(what: &str, mut holds: impl FnMut() -> bool) {
    let begin = Instant::now();
    while !holds() {
        assert!(begin.elapsed() < PATIENCE, "after {PATIENCE:?} still not: {what}");
        std::thread::sleep(Duration::from_millis(20));
    }
}
