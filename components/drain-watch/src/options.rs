//! The command line.

use std::ffi::OsString;
use std::path::PathBuf;
use std::time::Duration;

use lexopt::prelude::*;

use crate::pattern::Pattern;

pub(crate) const HELP: &str = "\
drain-watch: waits until buffer directories have held no data for a while

Usage: drain-watch --buffer-dir DIR [--buffer-dir DIR]... [OPTIONS]

Data is any regular file that is not empty, at any depth. The directories are
looked at once per interval; they are drained when they held no data at every
look of the whole quiet period. Durations are written as 500ms, 10s, 5m, 1h30m.

Options:
      --buffer-dir DIR        a directory to watch; may be repeated
      --quiet-period DURATION how long there must be no data [default: 10s]
      --interval DURATION     time between two looks [default: 1s]
      --timeout DURATION      give up after this time since the start; 0s waits
                              for ever [default: 5m]
      --ignore GLOB           file names that are no data, with * and ?, such
                              as *.lock; may be repeated
      --call-url URL          send one POST to this http:// URL before the wait,
                              for example to ask for a flush; a failure is
                              logged and the wait goes on (build feature http)
      --call-retries N        repeat a failed call this often, with growing
                              pauses from 500ms on [default: 3]
      --call-timeout DURATION limit of one call [default: 10s]
      --help                  show this text
      --version               show the version

Exit codes:
  0    drained
  1    a directory cannot be read at the start
  2    wrong usage
  3    timeout
  130  ended by SIGINT before that; 143 by SIGTERM
";

/// What the command line asks for.
#[derive(Debug, PartialEq)]
pub(crate) enum Request {
    Help,
    Version,
    Wait(Options),
}

/// The options of a run.
#[derive(Debug, PartialEq)]
pub(crate) struct Options {
    pub(crate) dirs: Vec<PathBuf>,
    pub(crate) quiet_period: Duration,
    pub(crate) interval: Duration,
    /// `None` waits for ever.
    pub(crate) timeout: Option<Duration>,
    pub(crate) ignore: Vec<Pattern>,
    pub(crate) call: Call,
}

/// The call before the wait; without a URL there is none.
#[derive(Debug, PartialEq)]
pub(crate) struct Call {
    pub(crate) url: Option<String>,
    pub(crate) retries: u32,
    pub(crate) timeout: Duration,
}

impl Default for Options {
    fn default() -> Self {
        Options {
            dirs: Vec::new(),
            quiet_period: Duration::from_secs(10),
            interval: Duration::from_secs(1),
            timeout: Some(Duration::from_secs(300)),
            ignore: Vec::new(),
            call: Call { url: None, retries: 3, timeout: Duration::from_secs(10) },
        }
    }
}

/// Reads the arguments, the program's name first.
pub(crate) fn parse(args: impl Iterator<Item = OsString>) -> Result<Request, lexopt::Error> {
    let mut parser = lexopt::Parser::from_iter(args.collect::<Vec<_>>());
    let mut options = Options::default();
    while let Some(argument) = parser.next()? {
        match argument {
            Long("help") | Short('h') => return Ok(Request::Help),
            Long("version") | Short('V') => return Ok(Request::Version),
            Long("buffer-dir") => options.dirs.push(dir(parser.value()?)?),
            Long("quiet-period") => options.quiet_period = duration("--quiet-period", parser.value()?)?,
            Long("interval") => options.interval = some_duration("--interval", parser.value()?)?,
            Long("timeout") => {
                options.timeout = Some(duration("--timeout", parser.value()?)?).filter(|timeout| !timeout.is_zero());
            }
            Long("ignore") => options.ignore.push(pattern(parser.value()?)?),
            Long("call-url") => options.call.url = Some(call_url(&parser.value()?.string()?)?),
            Long("call-retries") => options.call.retries = parser.value()?.parse()?,
            Long("call-timeout") => options.call.timeout = some_duration("--call-timeout", parser.value()?)?,
            other => return Err(other.unexpected()),
        }
    }
    possible(options).map(Request::Wait)
}

/// Refuses what could never end well.
fn possible(options: Options) -> Result<Options, lexopt::Error> {
    if options.dirs.is_empty() {
        return Err("--buffer-dir is missing: there is no directory to watch".into());
    }
    match options.timeout {
        Some(timeout) if timeout < options.quiet_period => Err(format!(
            "--timeout {} is shorter than --quiet-period {}: the wait could only fail",
            humantime::format_duration(timeout),
            humantime::format_duration(options.quiet_period)
        )
        .into()),
        _ => Ok(options),
    }
}

fn dir(value: OsString) -> Result<PathBuf, lexopt::Error> {
    if value.is_empty() { Err("--buffer-dir is empty".into()) } else { Ok(value.into()) }
}

fn duration(option: &str, value: OsString) -> Result<Duration, lexopt::Error> {
    let text = value.string()?;
    humantime::parse_duration(&text).map_err(|error| format!("{option} {text:?}: {error}, such as 10s").into())
}

fn some_duration(option: &str, value: OsString) -> Result<Duration, lexopt::Error> {
    match duration(option, value)? {
        Duration::ZERO => Err(format!("{option} must be longer than zero").into()),
        duration => Ok(duration),
    }
}

fn pattern(value: OsString) -> Result<Pattern, lexopt::Error> {
    let text = value.string()?;
    Pattern::new(&text).ok_or_else(|| format!("--ignore {text:?}: expected a pattern for file names, no path").into())
}

#[cfg(feature = "http")]
fn call_url(url: &str) -> Result<String, lexopt::Error> {
    crate::call::check_url(url).map_err(|problem| format!("--call-url: {problem}").into())
}

#[cfg(not(feature = "http"))]
fn call_url(_: &str) -> Result<String, lexopt::Error> {
    Err("--call-url is not in this build; it needs the feature `http`".into())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(args: &[&str], expected: Result<Options, &str>) {
        let result = parse([crate::NAME].iter().chain(args).map(OsString::from)).map_err(|error| error.to_string());
        match (&result, expected) {
            (Err(message), Err(part)) => assert!(message.contains(part), "{args:?}: {message}"),
            (result, expected) => assert_eq!(*result, expected.map(Request::Wait).map_err(str::to_owned), "{args:?}"),
        }
    }

    fn watching(dirs: &[&str]) -> Options {
        Options { dirs: dirs.iter().map(PathBuf::from).collect(), ..Options::default() }
    }

    #[test]
    fn options_have_the_documented_defaults() {
        check(&["--buffer-dir", "/a", "--buffer-dir=/b"], Ok(watching(&["/a", "/b"])));
        let quiet_period = Duration::from_millis(1500);
        check(
            &["--buffer-dir", "/a", "--quiet-period", "1s 500ms", "--timeout", "0s"],
            Ok(Options { quiet_period, timeout: None, ..watching(&["/a"]) }),
        );
        let ignore = vec![Pattern::new("*.lock").expect("a pattern")];
        check(&["--buffer-dir", "/a", "--ignore", "*.lock"], Ok(Options { ignore, ..watching(&["/a"]) }));
    }

    #[test]
    fn wrong_usage_is_explained() {
        check(&[], Err("--buffer-dir is missing"));
        check(&["--buffer-dir", ""], Err("--buffer-dir is empty"));
        check(&["--buffer-dir", "/a", "--quiet-period", "5"], Err("--quiet-period \"5\": time unit needed"));
        check(&["--buffer-dir", "/a", "--interval", "0s"], Err("--interval must be longer than zero"));
        check(&["--buffer-dir", "/a", "--timeout", "5s"], Err("--timeout 5s is shorter than --quiet-period 10s"));
        check(&["--buffer-dir", "/a", "--ignore", "a/b"], Err("no path"));
        check(&["--buffer-dir", "/a", "--call-retries", "-1"], Err("-1"));
        check(&["--buffer-dirs", "/a"], Err("--buffer-dirs"));
    }

    #[cfg(feature = "http")]
    #[test]
    fn a_call_takes_a_plain_http_url() {
        let call = Call { url: Some("http://127.0.0.1:24444/flush".to_owned()), retries: 1, ..Options::default().call };
        check(
            &["--buffer-dir", "/a", "--call-url", "http://127.0.0.1:24444/flush", "--call-retries", "1"],
            Ok(Options { call, ..watching(&["/a"]) }),
        );
        check(&["--buffer-dir", "/a", "--call-url", "https://x/"], Err("plain HTTP only"));
    }

    #[cfg(not(feature = "http"))]
    #[test]
    fn a_call_needs_the_feature() {
        check(&["--buffer-dir", "/a", "--call-url", "http://x/"], Err("needs the feature `http`"));
    }
}
