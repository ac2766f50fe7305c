//! The real program against a directory that is swapped the way Kubernetes does it.

use std::fs;
use std::io::{BufRead as _, BufReader, Write as _};
use std::net::TcpListener;
use std::os::unix::fs::symlink;
use std::os::unix::process::CommandExt as _;
use std::os::unix::process::ExitStatusExt as _;
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::sync::mpsc::{self, Receiver};
use std::thread;
use std::time::{Duration, Instant};

/// Longer than any step takes on a loaded machine; only a failing test waits for it.
const PATIENCE: Duration = Duration::from_secs(30);
/// Enough for a loaded machine; an unhandled signal would never end PID 1 at all.
const PROMPTLY: Duration = Duration::from_secs(5);

/// The program and the lines of its log; ended when a test fails half way.
struct Running {
    child: Child,
    log: Receiver<String>,
}

impl Running {
    fn start(args: &[&str]) -> Self {
        let mut command = Command::new(env!("CARGO_BIN_EXE_config-reloader"));
        if cfg!(feature = "metrics") && !args.contains(&"--init") {
            command.args(["--metrics-address", "127.0.0.1:0"]);
        }
        let mut child = command.args(args).stderr(Stdio::piped()).spawn().expect("the program starts");
        let lines = BufReader::new(child.stderr.take().expect("it is piped")).lines();
        let (sender, log) = mpsc::channel();
        thread::spawn(move || lines.map_while(Result::ok).try_for_each(|line| sender.send(line)));
        Running { child, log }
    }

    /// The lines up to the first that contains `part`.
    fn until(&self, part: &str) -> Vec<String> {
        let mut lines = Vec::new();
        loop {
            let line = self.log.recv_timeout(PATIENCE).unwrap_or_else(|_| panic!("{part:?} is not in {lines:#?}"));
            let found = line.contains(part);
            lines.push(line);
            if found {
                return lines;
            }
        }
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// Makes the version and lets `..data` point to it, in the steps of the kubelet.
fn publish(mount: &Path, version: &str, content: &str) {
    let dir = mount.join(format!("..{version}"));
    fs::create_dir(&dir).expect("a directory");
    fs::write(dir.join("app.conf"), content).expect("a file");
    let before = fs::read_link(mount.join("..data"));
    symlink(format!("..{version}"), mount.join("..data_tmp")).expect("a link");
    fs::rename(mount.join("..data_tmp"), mount.join("..data")).expect("the link is renamed");
    match before {
        Ok(before) => fs::remove_dir_all(mount.join(before)).expect("the old version is removed"),
        Err(_) => symlink("..data/app.conf", mount.join("app.conf")).expect("a link"),
    }
}

/// A server that answers 200 and sends on the first line of each request.
fn webhook() -> (String, Receiver<String>) {
    let listener = TcpListener::bind("127.0.0.1:0").expect("a free port");
    let url = format!("http://{}/-/reload", listener.local_addr().expect("it is bound"));
    let (sender, requests) = mpsc::channel();
    thread::spawn(move || {
        for stream in listener.incoming() {
            let mut stream = stream.expect("a call");
            let lines = BufReader::new(stream.try_clone().expect("a second handle")).lines();
            let head: Vec<String> = lines.map_while(Result::ok).take_while(|line| !line.is_empty()).collect();
            write!(stream, "HTTP/1.1 200 OK\r\nContent-Length: 0\r\nConnection: close\r\n\r\n").expect("an answer");
            if sender.send(head[0].clone()).is_err() {
                return;
            }
        }
    });
    (url, requests)
}

#[test]
fn a_swap_of_data_is_one_webhook_and_a_touch_is_none() {
    let mount = tempfile::tempdir().expect("a temporary directory");
    publish(mount.path(), "v1", "one");
    let (url, requests) = webhook();
    let dir = mount.path().display().to_string();
    let mut running = Running::start(&["--watch-dir", &dir, "--debounce", "200ms", "--webhook-url", &url]);
    running.until("watching ");

    publish(mount.path(), "v2", "two");
    running.until("called http://");
    publish(mount.path(), "v3", "two");
    running.until("no content has changed");
    publish(mount.path(), "v4", "three");
    let last = running.until("called http://");
    assert!(last.iter().any(|line| line.contains("changed") && line.contains("app.conf")), "{last:?}");

    let told = Instant::now();
    assert!(Command::new("kill").arg(running.child.id().to_string()).status().expect("kill starts").success());
    assert_eq!(running.child.wait().expect("it ends").code(), Some(0));
    assert!(told.elapsed() < PROMPTLY, "took {:?}", told.elapsed());
    let requests: Vec<_> = requests.try_iter().collect();
    assert_eq!(requests, ["POST /-/reload HTTP/1.1", "POST /-/reload HTTP/1.1"], "one per change");
}

#[test]
fn init_signals_a_process_by_name_and_ends() {
    let name = format!("target-{}", std::process::id());
    let mut target = Command::new("sleep").arg0(&name).arg("600").spawn().expect("sleep starts");
    // Between fork and exec the child still carries the name of this test.
    let deadline = Instant::now() + PATIENCE;
    let code = loop {
        let mut running = Running::start(&["--init", "--process-name", &name, "--signal", "TERM"]);
        let code = running.child.wait().expect("it ends").code();
        if code == Some(0) || Instant::now() > deadline {
            break code;
        }
    };
    let _ = code.is_none_or(|code| code != 0).then(|| target.kill());
    assert_eq!(code, Some(0));
    assert_eq!(target.wait().expect("it ends").signal(), Some(15), "ended by SIGTERM");
}

#[test]
fn what_cannot_work_is_an_error() {
    let missing = tempfile::tempdir().expect("a temporary directory").path().join("none").display().to_string();
    for (args, code, message) in [
        (&["--nope"][..], 2, "--nope"),
        (&["--watch-dir", &missing, "--process-name", "x"], 1, "is no directory"),
        (&["--init", "--process-name", "no-such-process"], 1, "no process is named"),
    ] {
        let mut running = Running::start(args);
        running.until(message);
        assert_eq!(running.child.wait().expect("it ends").code(), Some(code), "{args:?}");
    }
}
