//! The command line.

use std::ffi::OsString;
use std::path::PathBuf;
use std::time::Duration;

use lexopt::prelude::*;

pub(crate) const HELP: &str = "\
log-controller: renders one pipeline configuration from many documents

Usage: log-controller --config DIR --output FILE [OPTIONS]

Reads every *.yaml and *.yml file in DIR, each with documents of the kinds
`flow` and `output`, checks all of them, and writes one pipeline file. When
anything is wrong, every mistake is reported as FILE:LINE: MESSAGE and the
pipeline file stays as it was. It is replaced in one step, and only when its
content differs. Durations are written as 200ms, 1s.

Options:
      --config DIR         the directory of documents
      --output FILE        the pipeline file to write
      --watch              stay, and render again after every change in DIR
      --debounce DURATION  with --watch: wait until there was no file system
                           event for this long [default: 200ms]
      --metrics-address HOST:PORT  with --watch: where to serve /metrics, or
                           `off` [default: 0.0.0.0:9534] (build feature metrics)
      --help               show this text
      --version            show the version

Exit codes:
  0  rendered; with --watch: ended by SIGTERM or SIGINT
  1  the documents have mistakes, or a file cannot be read or written
  2  wrong usage
";

const METRICS_ADDRESS: &str = "0.0.0.0:9534";

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
    pub(crate) config: PathBuf,
    pub(crate) output: PathBuf,
    /// `None` renders once.
    pub(crate) watch: Option<Watch>,
}

/// How changes are followed.
#[derive(Debug, PartialEq)]
pub(crate) struct Watch {
    pub(crate) debounce: Duration,
    /// `None` serves no metrics.
    #[cfg_attr(not(feature = "metrics"), allow(dead_code))]
    pub(crate) metrics_address: Option<String>,
}

/// Reads the arguments, the program's name first.
pub(crate) fn parse(args: impl Iterator<Item = OsString>) -> Result<Request, lexopt::Error> {
    let mut parser = lexopt::Parser::from_iter(args.collect::<Vec<_>>());
    let (mut config, mut output, mut watch) = (None, None, false);
    let (mut debounce, mut metrics_address) = (None, None);
    while let Some(argument) = parser.next()? {
        match argument {
            Long("help") | Short('h') => return Ok(Request::Help),
            Long("version") | Short('V') => return Ok(Request::Version),
            Long("config") => config = Some(path("--config", parser.value()?)?),
            Long("output") => output = Some(path("--output", parser.value()?)?),
            Long("watch") => watch = true,
            Long("debounce") => debounce = Some(duration(&parser.value()?.string()?)?),
            Long("metrics-address") => metrics_address = Some(address(&parser.value()?.string()?)?),
            other => return Err(other.unexpected()),
        }
    }
    let config = config.ok_or("--config is missing: there is no directory to read")?;
    let output = output.ok_or("--output is missing: there is no file to write")?;
    let watch = match (watch, debounce, metrics_address) {
        (false, Some(_), _) => return Err("--debounce needs --watch".into()),
        (false, _, Some(_)) => return Err("--metrics-address needs --watch".into()),
        (false, None, None) => None,
        (true, debounce, address) => Some(Watch {
            debounce: debounce.unwrap_or(Duration::from_millis(200)),
            metrics_address: Some(address.unwrap_or_else(|| METRICS_ADDRESS.to_owned())).filter(|text| text != "off"),
        }),
    };
    Ok(Request::Run(Options { config, output, watch }))
}

fn path(option: &str, value: OsString) -> Result<PathBuf, lexopt::Error> {
    if value.is_empty() { Err(format!("{option} is empty").into()) } else { Ok(value.into()) }
}

fn duration(text: &str) -> Result<Duration, lexopt::Error> {
    humantime::parse_duration(text).map_err(|error| format!("--debounce {text:?}: {error}, such as 200ms").into())
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
mod tests {
    use super::*;

    fn check(line: &str, expected: Result<Option<Watch>, &str>) {
        let args = [crate::NAME].into_iter().chain(line.split_whitespace()).map(OsString::from);
        let result = parse(args).map_err(|error| error.to_string());
        let run = |watch| Request::Run(Options { config: "/in".into(), output: "/out".into(), watch });
        match (&result, expected) {
            (Err(message), Err(part)) => assert!(message.contains(part), "{line}: {message}"),
            (result, expected) => assert_eq!(*result, expected.map(run).map_err(str::to_owned), "{line}"),
        }
    }

    fn watch(debounce: u64, address: Option<&str>) -> Result<Option<Watch>, &'static str> {
        let debounce = Duration::from_millis(debounce);
        Ok(Some(Watch { debounce, metrics_address: address.map(str::to_owned) }))
    }

    #[test]
    fn options_have_the_documented_defaults() {
        check("--config /in --output /out", Ok(None));
        check("--config=/in --output=/out --watch", watch(200, Some(METRICS_ADDRESS)));
        check("--config /in --output /out --watch --debounce 1s", watch(1000, Some(METRICS_ADDRESS)));
    }

    #[test]
    fn wrong_usage_is_explained() {
        check("", Err("--config is missing"));
        check("--config /in", Err("--output is missing"));
        check("--config= --output /out", Err("--config is empty"));
        check("--config /in --output /out --debounce 1s", Err("--debounce needs --watch"));
        check("--config /in --output /out --watch --debounce 1", Err("--debounce \"1\": time unit needed"));
        check("--config /in --output /out more", Err("unexpected argument"));
        check("--confg /in", Err("--confg"));
    }

    #[cfg(feature = "metrics")]
    #[test]
    fn metrics_can_be_moved_and_switched_off() {
        check("--config /in --output /out --watch --metrics-address :0", watch(200, Some(":0")));
        check("--config /in --output /out --watch --metrics-address off", watch(200, None));
        check("--config /in --output /out --metrics-address off", Err("--metrics-address needs --watch"));
        check("--metrics-address 9534", Err("expected HOST:PORT or `off`"));
    }

    #[cfg(not(feature = "metrics"))]
    #[test]
    fn metrics_need_the_feature() {
        check("--metrics-address off", Err("needs the feature `metrics`"));
    }
}
