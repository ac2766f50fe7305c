//! The command line: as written here, as meant in [`Options`].

use std::ffi::OsString;
use std::path::PathBuf;
use std::time::Duration;

use lexopt::prelude::*;
use rustix::process::Signal;

use crate::process;
use crate::webhook::{self, Webhooks};

pub(crate) const HELP: &str = "\
config-reloader: asks a process to reload when its configuration changes

Usage: config-reloader --watch-dir DIR... (--webhook-url URL... | --process-name NAME)... [OPTIONS]
       config-reloader --init (--webhook-url URL... | --process-name NAME)... [OPTIONS]

Watches directories such as mounted ConfigMaps. When the content of a visible
file has really changed, calls the webhooks and signals the process, once per
change. Names that begin with two dots are not visible. Durations are written
as 500ms, 10s, 5m.

Options:
      --watch-dir DIR            a directory to watch, recursively; may be
                                 repeated
      --debounce DURATION        wait until there was no file system event for
                                 this long [default: 500ms]
      --webhook-url URL          an http:// URL to call; may be repeated
      --webhook-method METHOD    [default: POST]
      --webhook-status-code N    the answer that means success
                                 [default: any from 200 to 299]
      --webhook-retries N        repeat a failed call this often, with growing
                                 pauses from 500ms on [default: 3]
      --webhook-timeout DURATION limit of one call [default: 10s]
      --process-name NAME        signal every process of this name, except this
                                 program itself; the name is that in
                                 /proc/PID/comm or the file name of the command
      --signal NAME              HUP, INT, QUIT, USR1, USR2, TERM, CONT or WINCH
                                 [default: HUP]
      --init                     call and signal once, then exit; watch nothing
      --metrics-address HOST:PORT  where to serve /metrics, or `off`
                                 [default: 0.0.0.0:9533] (build feature metrics)
      --help                     show this text
      --version                  show the version

Exit codes:
  0  ended by SIGTERM or SIGINT; with --init: the hook succeeded
  1  a directory cannot be watched, the address cannot be served on; with
     --init: the hook failed
  2  wrong usage
";

const METRICS_ADDRESS: &str = "0.0.0.0:9533";

/// What the command line asks for.
#[derive(Debug, PartialEq)]
pub(crate) enum Request {
    Help,
    Version,
    Run(Options),
}

/// The options of a run.
#[derive(Debug, PartialEq)]
pub(crate) struct Options {
    pub(crate) mode: Mode,
    pub(crate) hook: Hook,
}

/// When the hook runs: once, or at each change.
#[derive(Debug, PartialEq)]
pub(crate) enum Mode {
    Init,
    Watch(Watch),
}

/// What is watched, and how.
#[derive(Debug, PartialEq)]
pub(crate) struct Watch {
    pub(crate) dirs: Vec<PathBuf>,
    pub(crate) debounce: Duration,
    /// `None` serves no metrics.
    #[cfg_attr(not(feature = "metrics"), allow(dead_code))]
    pub(crate) metrics_address: Option<String>,
}

/// What a change causes; at least one of the two.
#[derive(Debug, PartialEq)]
pub(crate) struct Hook {
    pub(crate) webhooks: Webhooks,
    pub(crate) process: Option<Process>,
}

/// The process to signal.
#[derive(Debug, PartialEq)]
pub(crate) struct Process {
    pub(crate) name: String,
    pub(crate) signal: Signal,
}

/// The options as they are written, before it is known which of them belong together.
struct Written {
    dirs: Vec<PathBuf>,
    debounce: Duration,
    webhooks: Webhooks,
    process_name: Option<String>,
    signal: Option<Signal>,
    init: bool,
    metrics_address: Option<String>,
}

/// Reads the arguments, the program's name first.
pub(crate) fn parse(args: impl Iterator<Item = OsString>) -> Result<Request, lexopt::Error> {
    let mut parser = lexopt::Parser::from_iter(args.collect::<Vec<_>>());
    let mut written = Written {
        dirs: Vec::new(),
        debounce: Duration::from_millis(500),
        webhooks: Webhooks::default(),
        process_name: None,
        signal: None,
        init: false,
        metrics_address: None,
    };
    while let Some(argument) = parser.next()? {
        match argument {
            Long("help") | Short('h') => return Ok(Request::Help),
            Long("version") | Short('V') => return Ok(Request::Version),
            Long("watch-dir") => written.dirs.push(filled("--watch-dir", parser.value()?)?.into()),
            Long("debounce") => written.debounce = duration("--debounce", parser.value()?)?,
            Long("webhook-url") => written.webhooks.urls.push(url(&parser.value()?.string()?)?),
            Long("webhook-method") => written.webhooks.method = method(&parser.value()?.string()?)?,
            Long("webhook-status-code") => written.webhooks.status = Some(status(&parser.value()?.string()?)?),
            Long("webhook-retries") => written.webhooks.retries = parser.value()?.parse()?,
            Long("webhook-timeout") => written.webhooks.timeout = duration("--webhook-timeout", parser.value()?)?,
            Long("process-name") => {
                written.process_name = Some(filled("--process-name", parser.value()?)?.string()?);
            }
            Long("signal") => written.signal = Some(signal(&parser.value()?.string()?)?),
            Long("init") => written.init = true,
            Long("metrics-address") => written.metrics_address = Some(address(&parser.value()?.string()?)?),
            other => return Err(other.unexpected()),
        }
    }
    meant(written).map(Request::Run).map_err(lexopt::Error::from)
}

/// Refuses combinations that could do nothing.
fn meant(written: Written) -> Result<Options, &'static str> {
    let process = match (written.process_name, written.signal) {
        (Some(name), signal) => Some(Process { name, signal: signal.unwrap_or(Signal::HUP) }),
        (None, Some(_)) => return Err("--signal needs --process-name: there is no process to signal"),
        (None, None) => None,
    };
    if written.webhooks.urls.is_empty() && process.is_none() {
        return Err("--webhook-url or --process-name is missing: a change would have no effect");
    }
    let mode = match (written.init, written.dirs.is_empty()) {
        (true, true) => Mode::Init,
        (true, false) => return Err("--init watches nothing and takes no --watch-dir"),
        (false, true) => return Err("--watch-dir is missing: there is no directory to watch"),
        (false, false) => {
            let metrics_address = written.metrics_address.unwrap_or_else(|| METRICS_ADDRESS.to_owned());
            let metrics_address = Some(metrics_address).filter(|address| address != "off");
            Mode::Watch(Watch { dirs: written.dirs, debounce: written.debounce, metrics_address })
        }
    };
    Ok(Options { mode, hook: Hook { webhooks: written.webhooks, process } })
}

fn filled(option: &str, value: OsString) -> Result<OsString, lexopt::Error> {
    if value.is_empty() { Err(format!("{option} is empty").into()) } else { Ok(value) }
}

fn duration(option: &str, value: OsString) -> Result<Duration, lexopt::Error> {
    let text = value.string()?;
    humantime::parse_duration(&text).map_err(|error| format!("{option} {text:?}: {error}, such as 500ms").into())
}

fn url(text: &str) -> Result<String, lexopt::Error> {
    webhook::check_url(text).map_err(|problem| format!("--webhook-url: {problem}").into())
}

fn method(text: &str) -> Result<String, lexopt::Error> {
    match text {
        "GET" | "HEAD" | "POST" | "PUT" | "PATCH" | "DELETE" => Ok(text.to_owned()),
        other => Err(format!("--webhook-method {other:?}: expected GET, HEAD, POST, PUT, PATCH or DELETE").into()),
    }
}

fn status(text: &str) -> Result<u16, lexopt::Error> {
    match text.parse() {
        Ok(code @ 100..=599) => Ok(code),
        _ => Err(format!("--webhook-status-code {text:?}: expected a number from 100 to 599").into()),
    }
}

fn signal(text: &str) -> Result<Signal, lexopt::Error> {
    process::signal(text)
        .ok_or_else(|| format!("--signal {text:?}: expected HUP, INT, QUIT, USR1, USR2, TERM, CONT or WINCH").into())
}

fn address(text: &str) -> Result<String, lexopt::Error> {
    if cfg!(not(feature = "metrics")) {
        return Err("--metrics-address is not in this build; it needs the feature `metrics`".into());
    }
    match text {
        text if text == "off" || text.contains(':') => Ok(text.to_owned()),
        _ => Err(format!("--metrics-address {text:?}: expected HOST:PORT or `off`").into()),
    }
}

#[cfg(test)]
mod tests;
