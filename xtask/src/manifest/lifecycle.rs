//! What an image tells a runtime about a container besides what to start in it: how it is stopped, how it is asked whether it
//! is well. Docker and Podman ask; Kubernetes has probes of its own and takes the stop signal only.
//! <https://docs.docker.com/reference/dockerfile/#healthcheck>, <https://docs.docker.com/reference/dockerfile/#stopsignal>

use std::fmt;
use std::str::FromStr;

use serde::Serialize;

use super::decode::{Item, Table};
use super::role::decode_command;
use super::text::{Text, Texts};
use crate::diagnostic::Diagnostic;
use crate::dockerfile::time;
use crate::source::Spanned;

/// The signal that ends a container, such as `SIGQUIT` or `3`.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(transparent)]
pub struct StopSignal(String);

impl StopSignal {
    /// As it is written.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl FromStr for StopSignal {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let number = || text.parse::<u8>().is_ok_and(|number| (1..=64).contains(&number));
        let named =
            |name: &str| !name.is_empty() && name.bytes().all(|b| b.is_ascii_alphanumeric() || b"+-".contains(&b));
        let digits = !text.is_empty() && text.bytes().all(|b| b.is_ascii_digit());
        match digits && number() || text.len() <= 16 && text.strip_prefix("SIG").is_some_and(named) {
            true => Ok(Self(text.to_owned())),
            false => Err("a signal is written as \"SIGTERM\", or as its number, such as \"15\"".to_owned()),
        }
    }
}

impl Text for StopSignal {
    fn texts() -> Texts {
        Texts::Pattern(r"^(SIG[A-Za-z0-9+-]{1,13}|[1-9]|[1-5][0-9]|6[0-4])$")
    }
}

impl fmt::Display for StopSignal {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str(&self.0)
    }
}

/// A span of time in nanoseconds, written as Go writes it, such as `1m30s`; the unit of the OCI health check.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(transparent)]
pub struct Nanoseconds(pub u64);

impl FromStr for Nanoseconds {
    type Err = String;

    /// ```
    /// use groupage::manifest::Nanoseconds;
    /// assert_eq!("1m30s".parse(), Ok(Nanoseconds(90_000_000_000)));
    /// assert_eq!("1.5s".parse(), Ok(Nanoseconds(1_500_000_000)));
    /// assert!("30".parse::<Nanoseconds>().is_err());
    /// ```
    fn from_str(text: &str) -> Result<Self, String> {
        // Go lets a sign stand before it, and `0` alone; here every time has its unit
        let is_plain = text != "0" && !text.starts_with(['+', '-']);
        match time::parse(text).map(u64::try_from) {
            Ok(Ok(nanoseconds)) if is_plain => Ok(Self(nanoseconds)),
            _ => Err(format!("`{text}` is no span of time; write it as \"30s\" or \"1m30s\"")),
        }
    }
}

impl Text for Nanoseconds {
    fn texts() -> Texts {
        Texts::Pattern(r"^([0-9.]+(ns|us|µs|μs|ms|s|m|h))+$")
    }
}

impl fmt::Display for Nanoseconds {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        let unit = time::UNITS.iter().rev().find(|(_, size)| self.0.is_multiple_of(*size)).unwrap_or(&("ns", 1));
        match self.0 {
            0 => out.write_str("0s"),
            value => write!(out, "{}{}", value / unit.1, unit.0),
        }
    }
}

/// How a container is asked whether it is well.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Healthcheck {
    /// What is run.
    pub test: HealthTest,
    /// Time between two runs; 30 s when absent, as with Docker.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub interval: Option<Nanoseconds>,
    /// Time after which a run has failed; 30 s when absent.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub timeout: Option<Nanoseconds>,
    /// Time after the start in which a failure does not count; none when absent.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub start_period: Option<Nanoseconds>,
    /// Failures in a row after which it is not well; 3 when absent.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub retries: Option<u32>,
}

/// What a health check runs. In a plan it stands as in a configuration: `NONE`, `CMD` and words, `CMD-SHELL` and a line.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(into = "Vec<String>")]
pub enum HealthTest {
    /// `true`: nothing is run, not even what the base says.
    Disabled,
    /// A program with its arguments.
    Command(Vec<String>),
    /// A line for the shell of the image.
    Shell(String),
}

impl Healthcheck {
    /// `Test` of the configuration.
    pub fn words(&self) -> Vec<String> {
        self.test.clone().into()
    }
}

impl From<HealthTest> for Vec<String> {
    fn from(test: HealthTest) -> Self {
        match test {
            HealthTest::Disabled => vec!["NONE".to_owned()],
            HealthTest::Command(words) => std::iter::once("CMD".to_owned()).chain(words).collect(),
            HealthTest::Shell(line) => vec!["CMD-SHELL".to_owned(), line],
        }
    }
}

/// `healthcheck`: exactly one of `command`, `shell` and `disabled`, and when it is asked.
pub(super) fn decode_healthcheck(table: &mut Table<'_>) -> Option<Healthcheck> {
    table.held_by::<Healthcheck>().held_by::<HealthTest>();
    let command = table.optional("command").map(|item| Some(HealthTest::Command(values(decode_command(&item)?))));
    let shell = table.optional("shell").map(|item| decode_line(&item).map(HealthTest::Shell));
    let disabled = table.optional("disabled").map(|item| decode_disabled(&item));
    let interval = table.optional("interval").and_then(|item| item.parsed());
    let timeout = table.optional("timeout").and_then(|item| item.parsed());
    let start_period = table.optional("start-period").and_then(|item| item.parsed());
    let retries = table.optional("retries").and_then(|item| item.integer(1..=1000));
    let mut given = [command, shell, disabled].into_iter().flatten();
    let (test, None) = (given.next(), given.next()) else {
        report_tests(table);
        return None;
    };
    if test.is_none() {
        report_tests(table);
    }
    let plain = |value: Option<Spanned<Nanoseconds>>| value.map(|value| value.value);
    Some(Healthcheck {
        test: test??,
        interval: plain(interval),
        timeout: plain(timeout),
        start_period: plain(start_period),
        retries: retries.and_then(|retries| u32::try_from(retries.value).ok()),
    })
}

fn report_tests(table: &Table<'_>) {
    let message = "a health check has one of `command`, `shell` and `disabled`";
    table.report(Diagnostic::error("invalid-value", message).label(table.span, ""));
}

fn decode_disabled(item: &Item<'_>) -> Option<HealthTest> {
    if !item.boolean()? {
        item.report("invalid-value", "`disabled = false` says nothing; leave it out");
        return None;
    }
    Some(HealthTest::Disabled)
}

fn values(words: Vec<Spanned<String>>) -> Vec<String> {
    words.into_iter().map(|word| word.value).collect()
}

/// A line for a shell. What a Dockerfile would read as something else than this line is refused: a continuation, a list.
fn decode_line(item: &Item<'_>) -> Option<String> {
    let line = item.line()?.value;
    if means_something_else(&line) {
        let help = "write it as `command = [\"/bin/sh\", \"-c\", \"…\"]`";
        item.report_with_help("invalid-value", "this line means something else in a Dockerfile", help);
        return None;
    }
    Some(line)
}

/// Whether a Dockerfile would not read a line for a shell as this line.
pub(super) fn means_something_else(line: &str) -> bool {
    line.ends_with('\\')
        || line.starts_with('[')
        || line.starts_with('#')
        || line.trim() != line
        || line.is_empty()
        || line.contains("<<")
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn what_is_shown_is_read(nanoseconds in 0..=i64::MAX.unsigned_abs(), unit in 0..time::UNITS.len()) {
            let (_, unit) = time::UNITS[unit];
            let time = Nanoseconds(nanoseconds / unit * unit);
            prop_assert_eq!(time.to_string().parse(), Ok(time));
        }
    }

    #[test]
    fn spans_of_time() {
        let check = |text: &str, expect: Option<(u64, &str)>| {
            let found = text.parse::<Nanoseconds>().ok().map(|time| (time.0, time.to_string()));
            assert_eq!(found, expect.map(|(nanoseconds, text)| (nanoseconds, text.to_owned())), "{text}");
        };
        check("30s", Some((30_000_000_000, "30s")));
        check("1m30s", Some((90_000_000_000, "90s")));
        check("2h", Some((7_200_000_000_000, "2h")));
        check("1.5s", Some((1_500_000_000, "1500ms")));
        check(".5s", Some((500_000_000, "500ms")));
        check("7ns", Some((7, "7ns")));
        check("2000μs", Some((2_000_000, "2ms")));
        check("0.0000000015s", Some((1, "1ns")));
        check("0s", Some((0, "0s")));
        for wrong in [
            "",
            "0",
            "30",
            "+1s",
            "s",
            "1.2.3s",
            "1x",
            "-1s",
            "9999999999h",
            ".s",
            "1s ",
            "1..5s",
            "99999999999999999999s",
        ] {
            check(wrong, None);
        }
    }

    #[test]
    fn signals() {
        let good = ["SIGTERM", "SIGRTMIN+3", "15"];
        let wrong = ["", "TERM", "SIG", "0", "65", "SIGTERM SIGKILL", "$X", "SIG\n", "+9"];
        assert!(good.iter().all(|text| text.parse::<StopSignal>().is_ok()));
        assert!(wrong.iter().all(|text| text.parse::<StopSignal>().is_err()));
    }
}
