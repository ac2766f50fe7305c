//! Containers that end with their test.

use std::io::{Read as _, Write as _};
use std::net::{Ipv4Addr, SocketAddr, TcpStream};
use std::process::Command;
use std::time::Duration;

use super::{Ended, docker, until};

/// A container that runs in the background.
pub struct Container {
    id: String,
}

impl Container {
    /// `docker run --detach` with these arguments.
    #[track_caller]
    pub fn start<A: AsRef<str>>(arguments: &[A]) -> Self {
        let fixed = ["run", "--detach", "--label", "groupage-test"];
        Self { id: docker(fixed.into_iter().chain(arguments.iter().map(AsRef::as_ref))) }
    }

    /// Its address on the bridge.
    pub fn address(&self, port: u16) -> SocketAddr {
        let address = docker(["inspect", "--format", "{{.NetworkSettings.IPAddress}}", &self.id]);
        SocketAddr::from((address.parse::<Ipv4Addr>().expect("it is on the bridge"), port))
    }

    /// All that it has said.
    pub fn log(&self) -> String {
        let ended = Ended::of(Command::new("docker").args(["logs", &self.id])).expect(0);
        ended.stdout + &ended.stderr
    }

    #[track_caller]
    pub fn until_log(&self, part: &str) {
        until(&format!("{part:?} in the log"), || self.log().contains(part));
    }

    pub fn is_running(&self) -> bool {
        docker(["inspect", "--format", "{{.State.Running}}", &self.id]) == "true"
    }

    /// Waits for its end and returns its exit code.
    pub fn wait(&self) -> i32 {
        docker(["wait", &self.id]).parse().expect("a number")
    }

    /// SIGTERM, with so long a grace that a program which does not take it is noticed.
    pub fn terminate(&self) {
        docker(["kill", "--signal", "TERM", &self.id]);
    }

    /// The body that `/metrics` answers, once the port is served.
    #[track_caller]
    pub fn scrape(&self, port: u16) -> String {
        let (address, mut answer) = (self.address(port), String::new());
        until(&format!("{address} answers"), || {
            answer = get(address, "/metrics").unwrap_or_default();
            !answer.is_empty()
        });
        assert!(answer.starts_with("HTTP/1.1 200 OK\r\n"), "{answer}");
        answer
    }
}

impl Drop for Container {
    fn drop(&mut self) {
        let _ = Command::new("docker").args(["rm", "--force", "--volumes", &self.id]).output();
    }
}

fn get(address: SocketAddr, path: &str) -> std::io::Result<String> {
    let mut stream = TcpStream::connect_timeout(&address, Duration::from_secs(1))?;
    write!(stream, "GET {path} HTTP/1.1\r\nHost: test\r\nConnection: close\r\n\r\n")?;
    let mut answer = String::new();
    stream.read_to_string(&mut answer)?;
    Ok(answer)
}
