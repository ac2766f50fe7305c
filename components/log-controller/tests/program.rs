//! The real program: renders once, and follows the swaps of a mounted ConfigMap.

use std::fs;
use std::io::{BufRead as _, BufReader};
use std::os::unix::fs::symlink;
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::sync::mpsc::{self, Receiver};
use std::thread;
use std::time::{Duration, Instant};

/// Longer than any step takes on a loaded machine; only a failing test waits for it.
const PATIENCE: Duration = Duration::from_secs(30);
/// Enough for a loaded machine; an unhandled signal would never end PID 1 at all.
const PROMPTLY: Duration = Duration::from_secs(5);

const GOOD: &str = "{kind: flow, name: f, match: {app: x}, outputs: [o]}\n---\n{kind: output, name: o, type: stdout}\n";
const BAD: &str = "kind: flow\nname: f\nmatch: {}\noutputs:\n  - gone\n---\nkind: output\nname: o\ntyp: stdout\n";

fn program(dir: &Path, more: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_log-controller"));
    command.arg("--config").arg(dir.join("in")).arg("--output").arg(dir.join("out.conf")).args(more);
    command
}

/// Makes the version and lets `..data` point to it, in the steps of the kubelet.
fn publish(mount: &Path, version: &str, content: &str) {
    let dir = mount.join(format!("..{version}"));
    fs::create_dir_all(&dir).expect("a directory");
    fs::write(dir.join("all.yaml"), content).expect("a file");
    let before = fs::read_link(mount.join("..data"));
    symlink(format!("..{version}"), mount.join("..data_tmp")).expect("a link");
    fs::rename(mount.join("..data_tmp"), mount.join("..data")).expect("the link is renamed");
    match before {
        Ok(before) => fs::remove_dir_all(mount.join(before)).expect("the old version is removed"),
        Err(_) => symlink("..data/all.yaml", mount.join("all.yaml")).expect("a link"),
    }
}

#[test]
fn one_run_renders_or_reports_every_mistake() {
    let dir = tempfile::tempdir().expect("a temporary directory");
    let check = |code: i32, parts: &[&str]| {
        let output = program(dir.path(), &[]).output().expect("the program starts");
        let stderr = String::from_utf8_lossy(&output.stderr);
        assert_eq!(output.status.code(), Some(code), "{stderr}");
        parts.iter().for_each(|part| assert!(stderr.contains(part), "{part} is not in {stderr}"));
    };
    check(1, &["failed to read", "hint:"]);
    publish(&dir.path().join("in"), "v1", GOOD);
    check(0, &["out.conf is written: 1 flows, 1 outputs"]);
    check(0, &["out.conf is unchanged"]);
    let before = fs::read_to_string(dir.path().join("out.conf")).expect("it is written");
    assert!(before.ends_with("\n[flow \"f\"]\n    match = \"app\" \"x\"\n    output = \"o\"\n"), "{before}");

    publish(&dir.path().join("in"), "v2", BAD);
    check(
        1,
        &[
            "all.yaml:5: the flow `f` names the output `gone`, which does not exist\n",
            "all.yaml:7: the field `type` is missing\n",
            "out.conf stays as it was",
        ],
    );
    assert_eq!(fs::read_to_string(dir.path().join("out.conf")).expect("it is there"), before);
}

/// Ends the program when a test fails half way.
struct Running(Child);

impl Drop for Running {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

fn until(log: &Receiver<String>, part: &str) {
    while !log.recv_timeout(PATIENCE).unwrap_or_else(|_| panic!("{part:?} is not logged")).contains(part) {}
}

#[test]
fn a_watch_follows_swaps_and_keeps_the_last_good_output() {
    let dir = tempfile::tempdir().expect("a temporary directory");
    let mount = dir.path().join("in");
    publish(&mount, "v1", GOOD);
    let mut more = vec!["--watch", "--debounce", "100ms"];
    if cfg!(feature = "metrics") {
        more.extend(["--metrics-address", "127.0.0.1:0"]);
    }
    let child = program(dir.path(), &more).stderr(Stdio::piped()).spawn().expect("the program starts");
    let mut running = Running(child);
    let lines = BufReader::new(running.0.stderr.take().expect("it is piped")).lines();
    let (sender, log) = mpsc::channel();
    thread::spawn(move || lines.map_while(Result::ok).try_for_each(|line| sender.send(line)));
    let output = || fs::read_to_string(dir.path().join("out.conf")).expect("it is written");

    until(&log, "out.conf is written");
    let first = output();
    publish(&mount, "v2", BAD);
    until(&log, "out.conf stays as it was");
    assert_eq!(output(), first);
    publish(&mount, "v3", &GOOD.replace("stdout", "file, path: /x"));
    until(&log, "out.conf is written");
    assert!(output().contains("path = \"/x\""), "{}", output());

    let told = Instant::now();
    assert!(Command::new("kill").arg(running.0.id().to_string()).status().expect("kill starts").success());
    assert_eq!(running.0.wait().expect("it ends").code(), Some(0));
    assert!(told.elapsed() < PROMPTLY, "took {:?}", told.elapsed());
}
