//! What is known of one program before it becomes a component: as it was read, with the reason for whatever was inferred.

use std::collections::{BTreeMap, BTreeSet};

use serde::Serialize;

use super::base::Family;

/// One program: what a Dockerfile makes, or a published image.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Facts {
    /// Name of the component; unique among all.
    pub name: String,
    /// Where it comes from.
    pub origin: Origin,
    /// What it is for, in one line.
    pub description: Option<String>,
    /// Who answers for it.
    pub owner: Option<Inferred>,
    /// Its version.
    pub version: Option<Inferred>,
    /// What it runs on.
    pub base: BaseFacts,
    /// How it is started.
    pub start: Start,
    /// As whom.
    pub user: UserFacts,
    /// Working directory, when one is set.
    pub workdir: Option<String>,
    /// Ports, sorted, each once.
    pub ports: BTreeSet<PortFacts>,
    /// Environment that the image sets.
    pub env: BTreeMap<String, String>,
    /// Volumes.
    pub volumes: BTreeSet<String>,
    /// Signal that ends it, when one is set.
    pub stop_signal: Option<String>,
    /// How a daemon asks whether it is well, when it is said.
    pub healthcheck: Option<HealthFacts>,
    /// The C library that its programs are linked with, as far as that is known.
    pub libc: Linking,
    /// What it needs of a base, each with the reason.
    pub needs: BTreeMap<String, String>,
    /// Packages that its last stage installs.
    pub installs: Vec<PackageInstall>,
    /// Other commands that its last stage runs.
    pub runs: Vec<RunFacts>,
    /// Paths that it puts into an image, as far as they are known.
    pub files: Vec<FileFacts>,
    /// What could not be inferred.
    pub questions: Vec<Question>,
    /// Why no image can hold it as it is.
    pub obstacle: Option<String>,
}

/// Where a program comes from.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Origin {
    /// A Dockerfile.
    Dockerfile(DockerfileOrigin),
    /// A published image.
    Image(ImageOrigin),
}

/// A Dockerfile, and what a build of it needs to be told.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub struct DockerfileOrigin {
    /// The file, relative to the root of the workspace.
    pub path: String,
    /// The folder that it copies from, relative to the root of the workspace.
    pub context: String,
    /// The stage that is built, when it is not the last one.
    pub target: Option<String>,
}

/// A published image.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub struct ImageOrigin {
    /// The reference, as it was given.
    pub reference: String,
    /// The image below it, when its labels say which.
    pub base: Option<String>,
    /// The platforms that were published, sorted.
    pub platforms: Vec<String>,
}

/// A value that was not written for us, and where it was found.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Inferred {
    /// The value.
    pub value: String,
    /// Where it was found, in words.
    pub from: String,
}

/// What a program runs on.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct BaseFacts {
    /// As it is written, arguments filled in.
    pub reference: String,
    /// What is known of it by its name.
    pub family: Family,
}

/// Which C library the programs of a component need.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Linking {
    /// None: all are scripts, or static by their own bytes or by their base.
    None,
    /// That of its base, `musl` or `glibc`: a program is linked with it, or may be.
    Libc(&'static str),
    /// One that nothing tells.
    Unknown,
}

/// How a program is started.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub struct Start {
    /// Program and fixed arguments; empty when nothing is known.
    pub command: Vec<String>,
    /// Arguments that a consumer replaces by giving others.
    pub args: Vec<String>,
    /// Whether there is an ENTRYPOINT, so that consumers may pass arguments only.
    pub is_entrypoint: bool,
    /// The line that says it, from 1.
    pub line: Option<usize>,
}

/// As whom a program runs.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct UserFacts {
    /// As it is written; nothing when the base decides.
    pub written: Option<String>,
    /// In numbers, when they are known.
    pub numbers: Option<String>,
    /// Where the numbers come from, or why there are none.
    pub because: String,
    /// The line that says it, from 1.
    pub line: Option<usize>,
}

impl UserFacts {
    /// What is written down: numbers, else the name, else a word that the rule `named-user` asks about.
    pub fn shown(&self) -> &str {
        self.numbers.as_deref().or(self.written.as_deref()).unwrap_or(UNKNOWN_USER)
    }

    /// Whether it is root; a user of whom nothing is known is taken for none.
    pub fn is_root(&self) -> bool {
        self.numbers.as_deref().is_some_and(|numbers| numbers.split(':').next() == Some("0"))
    }
}

/// Stands for a user of whom nothing is known; no number, so that `check` asks for one.
pub(super) const UNKNOWN_USER: &str = "unknown";

/// A port that a program listens on.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize)]
pub struct PortFacts {
    /// Number, 1 to 65535.
    pub port: u16,
    /// `tcp`, `udp` or `sctp`.
    pub protocol: String,
}

/// How a daemon asks whether a program is well.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub struct HealthFacts {
    /// As an image has it: `NONE`; `CMD` and words; or `CMD-SHELL` and a line.
    pub test: Vec<String>,
    /// Key of the manifest and value, of what is set.
    pub settings: BTreeMap<&'static str, String>,
}

/// Packages that one RUN installs, and nothing else.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct PackageInstall {
    /// `apk`, `apt` and the like.
    pub manager: String,
    /// Names, sorted, each once.
    pub packages: BTreeSet<String>,
    /// How the command begins.
    pub text: String,
    /// The line of the RUN, from 1.
    pub line: usize,
}

/// A command of the last stage that is more than an installation of packages.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct RunFacts {
    /// How it begins.
    pub text: String,
    /// The line of the RUN, from 1.
    pub line: usize,
}

/// A path that a program puts into an image.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct FileFacts {
    /// Where it is put.
    pub path: String,
    /// SHA-256 of its bytes in hexadecimal, where it is a file that could be read.
    pub sha256: Option<String>,
    /// The line that says it, from 1; 0 for an image.
    pub line: usize,
}

/// Something that a person has to decide.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize)]
pub struct Question {
    /// What it is about: a key of the manifest.
    pub about: String,
    /// The question, in one line.
    pub text: String,
}

impl Facts {
    /// Asks something.
    pub(super) fn ask(&mut self, about: &str, text: impl Into<String>) {
        self.questions.push(Question { about: about.to_owned(), text: text.into() });
    }

    /// The questions about a key.
    pub(super) fn asked<'f>(&'f self, about: &'f str) -> impl Iterator<Item = &'f str> {
        self.questions.iter().filter(move |question| question.about == about).map(|question| question.text.as_str())
    }

    /// All packages that it installs, sorted, each once.
    pub fn packages(&self) -> BTreeSet<&str> {
        self.installs.iter().flat_map(|install| &install.packages).map(String::as_str).collect()
    }

    /// The Dockerfile, if it comes from one.
    pub fn dockerfile(&self) -> Option<&DockerfileOrigin> {
        match &self.origin {
            Origin::Dockerfile(origin) => Some(origin),
            Origin::Image(_) => None,
        }
    }
}
