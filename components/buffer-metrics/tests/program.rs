//! The real program: answers a scrape over HTTP, and ends on SIGTERM.

use std::fs;
use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::net::TcpStream;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

/// Enough for a loaded machine; an unhandled signal would never end PID 1 at all.
const PROMPTLY: Duration = Duration::from_secs(5);

/// Ends the program when a test fails half way.
struct Running(Child);

impl Drop for Running {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

/// Starts the program on a free port and returns it with the address from its log.
fn start(dir: &str) -> (Running, String) {
    let mut child = Command::new(env!("CARGO_BIN_EXE_buffer-metrics"))
        .args(["--dir", dir, "--listen-address", "127.0.0.1:0"])
        .stderr(Stdio::piped())
        .spawn()
        .expect("the program starts");
    let stderr = BufReader::new(child.stderr.take().expect("it is piped"));
    let address = stderr
        .lines()
        .map_while(Result::ok)
        .find_map(|line| Some(line.split_once("http://")?.1.strip_suffix("/metrics")?.to_owned()))
        .expect("the log names the address");
    (Running(child), address)
}

#[test]
fn a_scrape_is_answered_until_sigterm() {
    let dir = tempfile::tempdir().expect("a temporary directory");
    fs::write(dir.path().join("chunk"), "12345").expect("the file is made");
    let (mut running, address) = start(&format!("main={}", dir.path().display()));

    let mut stream = TcpStream::connect(&address).expect("the program accepts");
    stream.write_all(b"GET /metrics HTTP/1.1\r\nHost: test\r\n\r\n").expect("the request is sent");
    let mut response = String::new();
    stream.read_to_string(&mut response).expect("the response is text");
    assert!(response.starts_with("HTTP/1.1 200 OK\r\n"), "{response}");
    assert!(response.contains("logging_buffer_size_bytes{buffer=\"main\"} 5\n"), "{response}");

    let told = Instant::now();
    assert!(Command::new("kill").arg(running.0.id().to_string()).status().expect("kill starts").success());
    let status = running.0.wait().expect("the program ends");
    assert_eq!(status.code(), Some(0));
    assert!(told.elapsed() < PROMPTLY, "took {:?}", told.elapsed());
}

#[test]
fn usage_errors_exit_2_and_a_bad_address_exits_1() {
    for (args, code, message) in [
        (&["--nope"][..], 2, "--nope"),
        (&["--dir", "/x", "--listen-address", "256.0.0.1:0"], 1, "failed to serve metrics on"),
        (&["--version"], 0, ""),
    ] {
        let output =
            Command::new(env!("CARGO_BIN_EXE_buffer-metrics")).args(args).output().expect("the program starts");
        let stderr = String::from_utf8_lossy(&output.stderr);
        assert_eq!(output.status.code(), Some(code), "{args:?}: {stderr}");
        assert!(stderr.contains(message), "{args:?}: {stderr}");
    }
}
