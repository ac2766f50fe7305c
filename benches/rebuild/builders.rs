//! Who builds: the same images, four ways.

use std::process::{Command, Output};
use std::time::{Duration, Instant};

use crate::monorepo::Monorepo;
use crate::{daemon, requests};

/// One of them.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Builder {
    Bake,
    Requests,
    Docker,
    Native,
}

/// What a build cost.
#[derive(Debug, Clone, Copy)]
pub struct Cost {
    pub time: Duration,
    /// Bytes of all contexts.
    pub context: u64,
}

pub const ALL: [Builder; 4] = [Builder::Bake, Builder::Requests, Builder::Docker, Builder::Native];

impl Builder {
    pub fn name(self) -> &'static str {
        match self {
            Self::Bake => "docker buildx bake",
            Self::Requests => "one request per image",
            Self::Docker => "groupage, docker",
            Self::Native => "groupage, native",
        }
    }

    /// What this machine lacks for it.
    pub fn missing(self) -> Option<&'static str> {
        match self {
            Self::Native => None,
            _ if !daemon::answers() => Some("no docker"),
            Self::Bake if !daemon::run(&["buildx", "version"]).status.success() => Some("no buildx"),
            _ => None,
        }
    }

    pub fn build(self, monorepo: &Monorepo) -> Cost {
        match self {
            Self::Bake => bake(monorepo),
            Self::Requests => requests::build(monorepo),
            Self::Docker => ours(monorepo, "docker"),
            Self::Native => ours(monorepo, "native"),
        }
    }
}

/// Runs a program in the monorepo, and says how long it took.
fn timed(monorepo: &Monorepo, command: &mut Command) -> (Duration, Output) {
    command.current_dir(&monorepo.root);
    let begin = Instant::now();
    let output = command.output().unwrap();
    let time = begin.elapsed();
    assert!(output.status.success(), "{command:?}: {}", String::from_utf8_lossy(&output.stderr));
    (time, output)
}

/// The program under test, in the environment of a plain terminal.
pub fn groupage() -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_xtask"));
    command.env("SOURCE_DATE_EPOCH", "1700000000").env_remove("CI").env_remove("CARGO_TARGET_DIR");
    command
}

fn ours(monorepo: &Monorepo, engine: &str) -> Cost {
    let (time, output) = timed(monorepo, groupage().args(["build", "--engine", engine, "--progress", "json"]));
    let mut sent = std::collections::BTreeMap::new();
    for line in String::from_utf8_lossy(&output.stderr).lines() {
        let Ok(event) = serde_json::from_str::<serde_json::Value>(line) else { continue };
        if event["event"] == "sending" {
            // totals of a job so far
            sent.insert(event["image"].to_string(), event["bytes"].as_u64().unwrap());
        }
    }
    Cost { time, context: sent.values().sum() }
}

fn bake(monorepo: &Monorepo) -> Cost {
    let mut command = Command::new("docker");
    command.args(["buildx", "bake", "--progress", "plain", "--file", "bake/docker-bake.json"]);
    let (time, output) = timed(monorepo, &mut command);
    Cost { time, context: transferred(&String::from_utf8_lossy(&output.stderr)) }
}

/// `#7 transferring context: 41.96MB 0.3s done`, of all contexts; dockerfiles are not counted.
fn transferred(log: &str) -> u64 {
    let totals = log.lines().filter_map(|line| {
        let (_, rest) = line.split_once(" transferring context: ")?;
        rest.ends_with("done").then(|| rest.split(' ').next().and_then(bytes))?
    });
    totals.sum()
}

/// `41.96MB`, in the decimal units of docker.
fn bytes(text: &str) -> Option<u64> {
    let digits = text.trim_end_matches(char::is_alphabetic);
    let unit = match &text[digits.len()..] {
        "B" => 1.0,
        "kB" => 1e3,
        "MB" => 1e6,
        "GB" => 1e9,
        _ => return None,
    };
    Some((digits.parse::<f64>().ok()? * unit) as u64)
}
