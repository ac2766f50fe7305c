//! The real program: its exit codes, and its call before the wait.

use std::fs;
use std::path::Path;
use std::process::{Command, Stdio};

const DRAINED: i32 = 0;
const USAGE: i32 = 2;
const TIMEOUT: i32 = 3;

fn program(dir: &Path, args: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_drain-watch"));
    command.arg("--buffer-dir").arg(dir).args(args).stdin(Stdio::null());
    command
}

fn check(dir: &Path, args: &[&str], expected_code: i32, expected_stderr: &str) {
    let output = program(dir, args).output().expect("the program starts");
    let stderr = String::from_utf8_lossy(&output.stderr);
    assert_eq!(output.status.code(), Some(expected_code), "{args:?}: {stderr}");
    assert!(stderr.contains(expected_stderr), "{args:?}: {stderr}");
}

#[test]
fn the_exit_code_tells_drained_from_timeout() {
    let dir = tempfile::tempdir().expect("a temporary directory");
    let quick = ["--quiet-period", "200ms", "--interval", "20ms", "--timeout", "60s"];
    check(dir.path(), &quick, DRAINED, "drained: no data for 200ms");

    fs::write(dir.path().join("chunk"), "data").expect("the file is made");
    let hopeless = ["--quiet-period", "200ms", "--interval", "20ms", "--timeout", "300ms"];
    check(dir.path(), &hopeless, TIMEOUT, "data left: 4 bytes in 1 files");
    check(dir.path(), &[&quick[..], &["--ignore", "ch*k"]].concat(), DRAINED, "drained");

    check(dir.path(), &["--interval", "1"], USAGE, "time unit needed");
    check(&dir.path().join("none"), &quick, 1, "failed to read");
}

#[test]
fn the_wait_ends_when_the_data_goes() {
    let dir = tempfile::tempdir().expect("a temporary directory");
    let chunk = dir.path().join("chunk");
    fs::write(&chunk, "data").expect("the file is made");
    let child = program(dir.path(), &["--quiet-period", "100ms", "--interval", "20ms", "--timeout", "60s"]).spawn();
    let mut child = child.expect("the program starts");
    assert_eq!(child.try_wait().expect("its state is known"), None);
    fs::remove_file(chunk).expect("the file is removed");
    assert_eq!(child.wait().expect("it ends").code(), Some(DRAINED));
}

#[test]
fn a_signal_ends_the_wait_and_is_no_success() {
    use std::io::{BufRead as _, BufReader};

    let dir = tempfile::tempdir().expect("a temporary directory");
    fs::write(dir.path().join("chunk"), "data").expect("the file is made");
    let mut child = program(dir.path(), &[]).stderr(Stdio::piped()).spawn().expect("the program starts");
    let mut line = String::new();
    BufReader::new(child.stderr.as_mut().expect("it is piped")).read_line(&mut line).expect("it reports");
    assert!(Command::new("kill").arg(child.id().to_string()).status().expect("kill starts").success());
    assert_eq!(child.wait().expect("it ends").code(), Some(143), "128 + SIGTERM");
}

#[cfg(feature = "http")]
#[test]
fn the_call_is_repeated_until_it_succeeds_and_made_once() {
    use std::io::{BufRead as _, BufReader, Write as _};
    use std::net::TcpListener;
    use std::thread;

    let dir = tempfile::tempdir().expect("a temporary directory");
    let listener = TcpListener::bind("127.0.0.1:0").expect("a free port");
    let url = format!("http://{}/flush", listener.local_addr().expect("it is bound"));
    let server = thread::spawn(move || {
        ["503 Service Unavailable", "200 OK"].map(|status| {
            let (mut stream, _) = listener.accept().expect("a call");
            let lines = BufReader::new(stream.try_clone().expect("a second handle")).lines();
            let head: Vec<String> = lines.map_while(Result::ok).take_while(|line| !line.is_empty()).collect();
            write!(stream, "HTTP/1.1 {status}\r\nContent-Length: 0\r\nConnection: close\r\n\r\n").expect("an answer");
            head[0].clone()
        })
    });
    let args = ["--quiet-period", "50ms", "--interval", "20ms", "--timeout", "60s", "--call-url", &url];
    check(dir.path(), &args, DRAINED, "/flush: 200");
    assert_eq!(server.join().expect("the server ends"), ["POST /flush HTTP/1.1", "POST /flush HTTP/1.1"]);
}
