//! What roles are given so that they stay up while they are measured: a TOML file.
//!
//! ```toml
//! schema = 1
//! [roles.buffer-metrics]
//! args   = ["--dir", "main=/buffers"]   # after the command of the role
//! env    = { LEVEL = "info" }           # beside that of the role
//! tmpfs  = ["/buffers"]                 # empty folders in memory
//! mounts = ["data:/data:ro"]            # SOURCE:TARGET[:ro]; SOURCE begins at the folder of this file
//! ready  = "port:9200"                  # or log:TEXT, or seconds:N
//! ```
//!
//! A role that the file does not name is started as it is; it is ready when its first TCP port accepts, or, without one, when
//! it has stayed up for two seconds.

use std::collections::BTreeMap;

use camino::Utf8Path;
use serde::Deserialize;

use crate::cli::status::Stop;
use crate::engine::measure::Ready;
use crate::plan::RolePlan;

/// How long a role has to stay up that nothing else tells of, in seconds.
const STAYS_UP: u64 = 2;
/// The format that is read.
const SCHEMA: u32 = 1;

/// The whole file.
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Workload {
    schema: u32,
    #[serde(default)]
    roles: BTreeMap<String, Work>,
}

/// What one role is given.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(super) struct Work {
    pub(super) args: Vec<String>,
    pub(super) env: BTreeMap<String, String>,
    pub(super) tmpfs: Vec<String>,
    pub(super) mounts: Vec<String>,
    ready: Option<String>,
}

impl Workload {
    /// Reads a file.
    pub(super) fn read(path: &Utf8Path) -> Result<Self, Stop> {
        let text = fs_err::read_to_string(path).map_err(Stop::input)?;
        Self::parse(&text).map_err(|why| Stop::input(anyhow::anyhow!("{path}: {why}")))
    }

    fn parse(text: &str) -> Result<Self, String> {
        let workload: Self = toml::from_str(text).map_err(|error| error.to_string())?;
        if workload.schema != SCHEMA {
            return Err(format!("schema {} is not known\nhint: this program reads schema = {SCHEMA}", workload.schema));
        }
        for (role, work) in &workload.roles {
            if let Some(text) = &work.ready {
                ready(text).map_err(|why| format!("role `{role}`: {why}"))?;
            }
        }
        Ok(workload)
    }

    /// What a role is given.
    pub(super) fn of(&self, role: &str) -> Work {
        self.roles.get(role).cloned().unwrap_or_default()
    }
}

impl Work {
    /// When the role is ready, and that in words.
    pub(super) fn ready(&self, role: &RolePlan) -> (Ready, String) {
        let asked = self.ready.as_deref().and_then(|text| ready(text).ok());
        let ready = asked.or_else(|| first_port(role).map(Ready::Port)).unwrap_or(Ready::Seconds(STAYS_UP));
        let words = match &ready {
            Ready::Port(port) => format!("port {port} accepts"),
            Ready::Log(text) => format!("its log holds `{text}`"),
            Ready::Seconds(seconds) => format!("it has stayed up for {seconds} s"),
        };
        (ready, words)
    }
}

fn first_port(role: &RolePlan) -> Option<u16> {
    role.ports.iter().find_map(|port| port.strip_suffix("/tcp")?.parse().ok())
}

fn ready(text: &str) -> Result<Ready, String> {
    let wrong =
        || format!("`{text}` does not say when it is ready\nhint: write port:NUMBER, log:TEXT or seconds:NUMBER");
    match text.split_once(':').ok_or_else(wrong)? {
        ("port", number) => number.parse().ok().filter(|port| *port > 0).map(Ready::Port).ok_or_else(wrong),
        ("log", words) if !words.is_empty() => Ok(Ready::Log(words.to_owned())),
        ("seconds", number) => {
            number.parse().ok().filter(|seconds| *seconds <= 3600).map(Ready::Seconds).ok_or_else(wrong)
        }
        _ => Err(wrong()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn readiness_is_said_in_three_ways() {
        let check = |text: &str, expect: Option<Ready>| assert_eq!(ready(text).ok(), expect, "{text}");
        check("port:9200", Some(Ready::Port(9200)));
        check("log:watching a: b", Some(Ready::Log("watching a: b".to_owned())));
        check("seconds:2", Some(Ready::Seconds(2)));
        ["", "port", "port:0", "port:99999", "log:", "seconds:-1", "seconds:99999", "file:x"]
            .iter()
            .for_each(|text| check(text, None));
    }

    #[test]
    fn files_are_read_strictly() {
        let check = |text: &str, expect: Option<&str>| {
            let error = Workload::parse(text).err();
            let fits = match (&error, expect) {
                (Some(error), Some(part)) => error.contains(part),
                (error, part) => error.is_none() && part.is_none(),
            };
            assert!(fits, "{text}: {error:?}");
        };
        check("schema = 1", None);
        check("schema = 1\n[roles.a]\nargs = ['x']\nready = 'seconds:1'", None);
        check("schema = 2", Some("schema 2 is not known"));
        check("schema = 1\n[roles.a]\narg = ['x']", Some("unknown field `arg`"));
        check("schema = 1\n[roles.a]\nready = 'soon'", Some("role `a`: `soon` does not say"));
        check("", Some("schema"));
    }
}
