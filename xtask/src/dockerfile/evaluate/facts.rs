//! What is found out about a stage.

use std::collections::BTreeMap;
use std::sync::Arc;

use super::chain::{Base, Reach};
use crate::dockerfile::{Extent, Instruction, Value};

/// A value, and the instruction that it comes from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Fact<T> {
    /// The value.
    pub value: T,
    /// The instruction, all lines of it; of a trigger, its words.
    pub span: Extent,
    /// The first line of the instruction, from 1.
    pub line: usize,
}

/// `CMD`, which an `ENTRYPOINT` can take away.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Setting<T> {
    /// Nothing is said: that of the base image.
    Inherited,
    /// An `ENTRYPOINT` took away what was inherited.
    Reset(Extent),
    /// Set here.
    Set(Fact<T>),
}

/// What an image of a stage will be.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StageFacts {
    /// The number of the stage.
    pub stage: usize,
    /// The stages that it is made of: the outermost parent first, itself last.
    pub chain: Vec<usize>,
    /// What the outermost one begins with.
    pub base: Base,
    /// The value of `--platform` at that base.
    pub platform: Option<Value>,
    /// `None`: inherited. Without words: taken away.
    pub entrypoint: Option<Fact<CommandLine>>,
    /// What `ENTRYPOINT` is given, or what is started without one.
    pub cmd: Setting<CommandLine>,
    /// `None`: inherited, or `/bin/sh -c`.
    pub shell: Option<Fact<Vec<String>>>,
    /// A name or number, with `:group` or without; `None`: inherited.
    pub user: Option<Fact<Value>>,
    /// Absolute; `None`: inherited, or `/`.
    pub workdir: Option<Fact<Value>>,
    /// In the order in which they were first set.
    pub env: Vec<EnvironmentVariable>,
    /// Arguments with what they are in the end.
    pub arguments: BTreeMap<String, Fact<Option<Value>>>,
    /// In order of writing.
    pub exposed: Vec<Fact<Ports>>,
    /// In order of writing.
    pub volumes: Vec<Fact<Value>>,
    /// A name or number.
    pub stop_signal: Option<Fact<Value>>,
    /// `None`: inherited.
    pub healthcheck: Option<Fact<Check>>,
    /// By name.
    pub labels: BTreeMap<String, Fact<Value>>,
    /// Triggers that the image will carry.
    pub triggers: Vec<Fact<Instruction>>,
    /// The value of `MAINTAINER`.
    pub maintainer: Option<Fact<String>>,
    /// What gives files, in order: of the outermost parent first.
    pub steps: Vec<Step>,
    /// All stages and images that a build of this stage needs.
    pub reach: Reach,
}

/// A program with its arguments, as the configuration of the image will have it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CommandLine {
    /// With the shell in front, if there is one.
    pub words: Vec<String>,
    /// It was written in the shell form: a shell must be in the image.
    pub is_shell: bool,
}

/// `ENV`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct EnvironmentVariable {
    /// Its name.
    pub name: String,
    /// Its value, and where it was last set.
    pub value: Fact<Value>,
}

/// `EXPOSE`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Ports {
    /// Some ports.
    Known {
        /// The first one.
        first: u16,
        /// The last one.
        last: u16,
        /// `tcp`, `udp` or `sctp`.
        protocol: String,
    },
    /// A variable has no value.
    Unknown(Value),
}

/// `HEALTHCHECK`; times are nanoseconds, and `None` is the engine's default.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Check {
    /// As the configuration has it: `NONE`; `CMD` and words; or `CMD-SHELL` and a line.
    pub test: Vec<String>,
    /// Between two checks.
    pub interval: Option<u64>,
    /// For one check.
    pub timeout: Option<u64>,
    /// In which failures do not count.
    pub start_period: Option<u64>,
    /// Between checks in that period.
    pub start_interval: Option<u64>,
    /// Failures in a row that make it unhealthy.
    pub retries: Option<u32>,
}

/// Something that gives files.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Step {
    /// In this stage.
    pub stage: usize,
    /// The instruction by its number in the file; of a trigger, the `ONBUILD`.
    pub instruction: usize,
    /// All lines of it; of a trigger, its words.
    pub span: Extent,
    /// Its first line, from 1.
    pub line: usize,
    /// The folder in force, absolute; unknown when the base image has one.
    pub workdir: Arc<Value>,
    /// The user in force; `None`: that of the base image.
    pub user: Option<Arc<Value>>,
    /// What it does.
    pub kind: StepKind,
}

/// What a step does.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum StepKind {
    /// `COPY` or `ADD`.
    Copy(Box<CopyStep>),
    /// `RUN`.
    Run(Box<RunStep>),
    /// `WORKDIR`, which makes the folder.
    Workdir(Arc<Value>),
}

/// `COPY` or `ADD`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CopyStep {
    /// `ADD`: unpacks archives and fetches addresses.
    pub is_add: bool,
    /// Where paths are.
    pub from: Origin,
    /// At least one.
    pub sources: Vec<Fact<Source>>,
    /// Absolute, with a `/` at its end when it is a folder for sure; unknown with the folder of the base image.
    pub destination: Value,
    /// Whether sources go into it by their names: there are several, or it ends with `/`.
    pub is_folder: bool,
    /// `--chown`.
    pub owner: Option<Value>,
    /// `--chmod`.
    pub mode: Option<Value>,
    /// `--link`.
    pub link: bool,
    /// `--parents`.
    pub parents: bool,
    /// `--exclude`.
    pub excludes: Vec<Value>,
    /// `--checksum`.
    pub checksum: Option<Value>,
    /// `--keep-git-dir`.
    pub keep_git_dir: bool,
    /// `--unpack`, if it is said.
    pub unpack: Option<bool>,
}

/// Where a path is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Origin {
    /// In the build context.
    Context,
    /// In a stage of this file, by its number.
    Stage(usize),
    /// In an image of this reference, or a named context.
    Image(Value),
}

/// What is copied.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Source {
    /// A path, with wildcards or without.
    Path(Value),
    /// `https://…`: a file.
    Address(Value),
    /// A git repository.
    Git(Value),
    /// A text that stands in the Dockerfile.
    Heredoc {
        /// The name of the file.
        name: String,
        /// The text.
        content: Value,
    },
}

/// `RUN`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RunStep {
    /// What starts, with the shell in front; heredocs are in the instruction.
    pub command: CommandLine,
    /// What is mounted.
    pub mounts: Vec<MountUse>,
    /// `--network`.
    pub network: Option<String>,
    /// `--security`.
    pub security: Option<String>,
    /// Its heredocs: the text, and the name that it ends with.
    pub heredocs: Vec<(String, String)>,
}

/// `--mount`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct MountUse {
    /// `bind`, `cache`, `tmpfs`, `secret` or `ssh`.
    pub kind: String,
    /// What a `bind` or `cache` begins with.
    pub from: Origin,
    /// The path there.
    pub source: Option<Value>,
    /// Where it appears.
    pub target: Option<Value>,
}
