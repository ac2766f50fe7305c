//! What an image says of itself and what its files say, for whoever makes a component of it: how its program is started, as
//! whom, on what, and what is in it. Pure: whoever calls has read the image, from a registry, a folder or a daemon alike.
//!
//! | file | is |
//! |---|---|
//! | `command.rs` | what is started, with the program's own path |
//! | `user.rs` | as whom, in numbers |
//! | `distribution.rs` | the distribution, and its packages |
//! | `programs.rs` | what can be started, and how it is linked |
//! | `differences.rs` | in what a role differs from the image that it was taken from |
//!
//! What cannot be told is absent, with the reason where somebody has to decide it. Nothing is guessed.

mod command;
mod differences;
mod distribution;
mod programs;
mod user;

pub use command::Command;
pub use differences::source_differences;
pub use distribution::{Distribution, Package, Packages};
pub use programs::{Linkage, ProgramFacts};
pub use user::SourceUser;

use std::collections::BTreeMap;

use serde::Serialize;

use super::checks::gives;
use super::{Contents, Image, follow};
use crate::oci::{BASE_DIGEST, BASE_NAME, Platform};

/// Labels of the version and of what an image is for.
const VERSION: &str = "org.opencontainers.image.version";
const DESCRIPTION: &str = "org.opencontainers.image.description";
/// Words for what an image can give to a role; see the check `unmet-need`.
const NEEDS: [&str; 5] = ["ca-certificates", "libc:glibc", "libc:musl", "shell", "tzdata"];

/// What is known of an image.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub struct SourceFacts {
    /// The platform.
    pub platform: Platform,
    /// Its version, by its label.
    pub version: Option<String>,
    /// What it is for, by its label.
    pub description: Option<String>,
    /// The base that its labels name.
    pub base: Option<NamedBase>,
    /// Number of its layers.
    pub layers: u16,
    /// How many of them, from the lowest on, are those of its base, where that is known.
    pub base_layers: Option<u16>,
    /// What it starts.
    pub command: Command,
    /// As whom.
    pub user: SourceUser,
    /// Where; `/` where it does not say it.
    pub workdir: String,
    /// With what in the environment.
    pub env: BTreeMap<String, String>,
    /// `9533/tcp`, sorted.
    pub ports: Vec<String>,
    /// Paths that are volumes, sorted.
    pub volumes: Vec<String>,
    /// The signal that ends it, if it is another than SIGTERM.
    pub stop_signal: Option<String>,
    /// Whether it has a `HEALTHCHECK`, which no other runtime than Docker reads.
    pub has_healthcheck: bool,
    /// That `HEALTHCHECK`, as the configuration has it.
    pub healthcheck: Option<serde_json::Value>,
    /// What `/etc/os-release` says.
    pub distribution: Option<Distribution>,
    /// Words of `needs` that its files meet, sorted.
    pub gives: Vec<String>,
    /// Packages of its distribution; absent where no list is kept.
    pub packages: Option<Packages>,
    /// Programs above its base; of the whole image, where the base is not known. In the order of paths.
    pub programs: Vec<ProgramFacts>,
    /// Whether there are more of them than are listed.
    pub has_more_programs: bool,
}

/// A base by its labels.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct NamedBase {
    /// `org.opencontainers.image.base.name`.
    pub name: String,
    /// `org.opencontainers.image.base.digest`.
    pub digest: Option<String>,
}

/// All that is known of an image. `image.base_layers` says what is its own, where somebody has found that out (see
/// [`layers_of_base`](crate::oci::layers_of_base)).
pub fn source_facts(image: &Image, contents: &dyn Contents) -> SourceFacts {
    let config = &image.config;
    let label = |key: &str| Some(config.label(key).to_owned()).filter(|text| !text.is_empty());
    let text = |path: &str| text(image, contents, path);
    let mut ports: Vec<String> = config.ports.iter().map(|port| with_protocol(port)).collect();
    ports.sort();
    let (programs, has_more_programs) = programs::all(image, contents);
    let has = |need: &&str| gives(image, need).unwrap_or_default();
    SourceFacts {
        platform: image.platform.clone(),
        version: label(VERSION),
        description: label(DESCRIPTION),
        base: label(BASE_NAME).map(|name| NamedBase { name, digest: label(BASE_DIGEST) }),
        layers: image.rootfs.layers(),
        base_layers: image.base_layers,
        command: command::of(image, contents),
        user: user::of(&config.user, &text),
        workdir: Some(config.workdir.clone()).filter(|text| !text.is_empty()).unwrap_or_else(|| "/".to_owned()),
        env: config.env.clone(),
        ports,
        volumes: config.volumes.clone(),
        stop_signal: Some(config.stop_signal.clone()).filter(|signal| !signal.is_empty() && signal != "SIGTERM"),
        has_healthcheck: config.healthcheck.is_some(),
        healthcheck: config.healthcheck.clone(),
        distribution: distribution::of(&text),
        gives: NEEDS.iter().filter(|need| has(need)).map(ToString::to_string).collect(),
        packages: distribution::packages(image, &text),
        programs,
        has_more_programs,
    }
}

/// The text of a file that is kept: see [`is_text`](super::is_text).
fn text(image: &Image, contents: &dyn Contents, path: &str) -> Option<String> {
    let (_, _, source) = follow::file(&image.rootfs, path).ok()?;
    let facts = contents.facts(source).ok()?;
    facts.text.as_deref().map(|text| String::from_utf8_lossy(text).into_owned())
}

/// `80` means `80/tcp`.
fn with_protocol(port: &str) -> String {
    if port.contains('/') { port.to_owned() } else { format!("{port}/tcp") }
}

#[cfg(test)]
mod tests;
