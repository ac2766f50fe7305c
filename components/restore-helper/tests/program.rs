//! The real program: exit codes, and the end of the wait.

use std::fs;
use std::io::{BufRead as _, BufReader};
use std::path::Path;
use std::process::{Child, Command, Output, Stdio};

fn program(dir: &Path, args: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_restore-helper"));
    command.args(args).env("RESTORES_DIR", dir).stdin(Stdio::null());
    command
}

fn check(dir: &Path, args: &[&str], expected_code: i32, expected_stderr: &str) {
    let output = program(dir, args).output().expect("the program starts");
    let stderr = String::from_utf8_lossy(&output.stderr);
    assert_eq!(output.status.code(), Some(expected_code), "{args:?}: {stderr}");
    assert!(stderr.contains(expected_stderr), "{args:?}: {stderr}");
}

/// Starts a wait and returns when the program has reported that it waits for `data`.
fn start_waiting(dir: &Path) -> Child {
    fs::create_dir_all(dir.join("data")).expect("the volume is made");
    let mut child = program(dir, &["id-1"]).stderr(Stdio::piped()).spawn().expect("the program starts");
    let mut lines = BufReader::new(child.stderr.as_mut().expect("it is piped")).lines();
    let line = lines.next().expect("it reports").expect("the report is text");
    assert!(line.contains("waiting for data"), "{line}");
    child
}

#[test]
fn wrong_usage_and_missing_volumes_exit_1() {
    let dir = tempfile::tempdir().expect("a temporary directory");
    check(dir.path(), &[], 1, "exactly one argument");
    check(dir.path(), &["a", "b"], 1, "exactly one argument");
    check(dir.path(), &[""], 1, "is empty");
    check(dir.path(), &["../id"], 1, "contains a slash");
    check(dir.path(), &["id"], 1, "has no volumes to wait for");
    check(&dir.path().join("none"), &["id"], 1, "does not exist");
    check(dir.path(), &["--help"], 0, "");
}

#[test]
fn the_wait_ends_when_the_marker_appears() {
    let dir = tempfile::tempdir().expect("a temporary directory");
    let child = start_waiting(dir.path());
    fs::create_dir_all(dir.path().join("data/.velero")).expect("the directory is made");
    fs::write(dir.path().join("data/.velero/id-1"), "").expect("the marker is made");
    let Output { status, .. } = child.wait_with_output().expect("the program ends");
    assert_eq!(status.code(), Some(0));
    assert!(dir.path().join("data/.velero/id-1").exists(), "the marker stays");
}

#[test]
fn a_signal_ends_the_wait_at_once() {
    let dir = tempfile::tempdir().expect("a temporary directory");
    let child = start_waiting(dir.path());
    let killed = Command::new("kill").arg(child.id().to_string()).status().expect("kill starts");
    assert!(killed.success());
    let Output { status, .. } = child.wait_with_output().expect("the program ends");
    assert_eq!(status.code(), Some(143), "128 + SIGTERM");
}
