//! Failures of the world, as the caller needs them: who is to blame, and what to do next.

use camino::Utf8PathBuf;

use crate::verify::Finding;

/// How many log lines a failure keeps.
pub const LOG_TAIL: usize = 20;

/// Why an image was not built, or a question to the engine not answered.
#[derive(Debug, thiserror::Error)]
pub enum EngineError {
    /// No daemon answers where one was expected.
    #[error("{0}")]
    NoDaemon(Box<MissingDaemon>),
    /// A step of a build failed, or the Dockerfile could not be read.
    #[error("{0}")]
    BuildFailed(Box<StepFailure>),
    /// The connection ended in the middle of an answer.
    #[error("lost the connection to the daemon while building {image}: {detail}; is it still running?")]
    TransportLost {
        /// Name of the job.
        image: String,
        /// What was seen.
        detail: String,
    },
    /// A base or builder image cannot be had.
    #[error(
        "failed to build {image}: the image {reference} cannot be resolved: {detail}\n\
         hint: name another one with `--set bases.NAME=…` or `--set builders.NAME=…`, or load it into the daemon"
    )]
    UnresolvedImage {
        /// Name of the job.
        image: String,
        /// The reference in the Dockerfile.
        reference: String,
        /// The engine's words.
        detail: String,
    },
    /// A file of the context is not what the plan saw.
    #[error("failed to send {path}: {detail}\nhint: something changes the files of the build; try again")]
    Context {
        /// The file, on this machine.
        path: Utf8PathBuf,
        /// What is wrong with it.
        detail: String,
    },
    /// A name for an image that the daemon refuses.
    #[error("invalid image reference {reference:?}: {detail}")]
    InvalidReference {
        /// As it was given.
        reference: String,
        /// What is wrong with it.
        detail: String,
    },
    /// A registry cannot be had, or does not do what was asked.
    #[error("{0}")]
    Registry(Box<RegistryFailure>),
    /// Bytes are not those that their digest names.
    #[error(
        "failed to use {reference}: {subject} has digest {actual}, not {expected}\n\
         hint: whoever serves it has damaged or replaced it; nothing of it was kept"
    )]
    WrongDigest {
        /// The reference that was asked for.
        reference: String,
        /// Which bytes, such as `manifest 1.2`.
        subject: String,
        /// The digest that was announced.
        expected: String,
        /// The digest of what came.
        actual: String,
    },
    /// Bytes are more or fewer than was announced.
    #[error(
        "failed to use {reference}: {subject} has {actual} bytes, not {expected}\n\
         hint: whoever serves it has damaged or replaced it; nothing of it was kept"
    )]
    WrongSize {
        /// The reference that was asked for.
        reference: String,
        /// Which bytes, such as a digest.
        subject: String,
        /// The number that was announced.
        expected: u64,
        /// The number that came, `more` when the rest was not waited for.
        actual: String,
    },
    /// A tag that does not move names something else already.
    #[error(
        "failed to name {reference}: it is {there}, and would become {wanted}\n\
         hint: what was published under a tag stays; give the image another tag"
    )]
    TagTaken {
        /// The reference with the tag.
        reference: String,
        /// The digest that it names.
        there: String,
        /// The digest that it was to name.
        wanted: String,
    },
    /// An image is whole and of no use here: nothing for the platform, layers that may not be distributed, a wrong manifest.
    #[error("failed to use {reference}: {detail}")]
    UnusableImage {
        /// The reference that was asked for.
        reference: String,
        /// Why.
        detail: String,
    },
    /// This machine lacks something that the work needs, such as a compiler.
    #[error("{message}\nhint: {hint}")]
    Missing {
        /// What is missing, and for what.
        message: String,
        /// How to get it.
        hint: String,
    },
    /// An image that something is built on, or taken out of, is not there or not as it has to be.
    #[error("failed to read image {image}: {detail}")]
    Image {
        /// The image, as it was named.
        image: String,
        /// What is wrong with it.
        detail: String,
        /// Who has to act.
        class: ErrorClass,
    },
    /// An image that this one begins with was not built. All that hold it share the error.
    #[error("{error}")]
    Part {
        /// The reference of the part, by which those that share it are found.
        reference: String,
        /// Why.
        error: std::sync::Arc<EngineError>,
    },
    /// The work was stopped.
    #[error("cancelled")]
    Cancelled,
    /// A component that cannot be put onto its base.
    #[error("failed to assemble {image}: {detail}")]
    Assembly {
        /// Name of the job.
        image: String,
        /// What does not fit.
        detail: String,
    },
    /// An image does not keep its contract. It got no name.
    #[error("the image does not keep its contract{}\nhint: mend what is found, or pass --no-verify to have the image all the same", listed(.findings))]
    Contract {
        /// Name of the job.
        image: String,
        /// Whether it was there before this run, which made nothing.
        was_there: bool,
        /// What was found, errors first.
        findings: Vec<Finding>,
    },
    /// Components of an image give the same paths in two ways. Nothing was written.
    #[error("components give the same paths in two ways{}\nhint: {CLASH_HINT}", listed(.findings))]
    Clash {
        /// Name of the job.
        image: String,
        /// The paths.
        findings: Vec<Finding>,
    },
    /// This machine refused something: no space, no permission.
    #[error("failed to {action}: {detail}")]
    Local {
        /// What was tried, such as `write the layers of operator`.
        action: String,
        /// The system's words.
        detail: String,
    },
    /// The daemon refused something else.
    #[error("failed to {action}: {message}")]
    Other {
        /// What was tried, such as `tag sha256:… as example/a:1`.
        action: String,
        /// The daemon's words.
        message: String,
    },
}

/// One line for each finding.
fn listed(findings: &[Finding]) -> String {
    findings.iter().map(|finding| format!("\n  {finding}")).collect()
}

/// What is done about a path that two components give.
pub const CLASH_HINT: &str =
    "decide whose it is, and leave it out of the other component, with `exclude` in its [build.image]";

/// Who has to act, which decides the exit code.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ErrorClass {
    /// The work says no: exit code 1.
    Work,
    /// The input is wrong: exit code 2.
    Input,
    /// The environment is missing something: exit code 3.
    Environment,
    /// The user stopped it.
    Cancelled,
}

impl EngineError {
    /// Who has to act.
    pub fn class(&self) -> ErrorClass {
        match self {
            Self::NoDaemon(_)
            | Self::TransportLost { .. }
            | Self::UnresolvedImage { .. }
            | Self::Local { .. }
            | Self::Missing { .. }
            | Self::Registry(_) => ErrorClass::Environment,
            Self::Assembly { .. }
            | Self::Contract { .. }
            | Self::Clash { .. }
            | Self::BuildFailed(_)
            | Self::Context { .. }
            | Self::WrongDigest { .. }
            | Self::WrongSize { .. }
            | Self::UnusableImage { .. }
            | Self::TagTaken { .. }
            | Self::Other { .. } => ErrorClass::Work,
            Self::InvalidReference { .. } => ErrorClass::Input,
            Self::Image { class, .. } => *class,
            Self::Part { error, .. } => error.class(),
            Self::Cancelled => ErrorClass::Cancelled,
        }
    }
}

/// Where a daemon was looked for, and what was there instead.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct MissingDaemon {
    /// The address, such as `unix:///var/run/docker.sock`.
    pub address: String,
    /// What chose the address, such as `DOCKER_HOST`.
    pub origin: String,
    /// What happened, such as `permission denied`.
    pub detail: String,
    /// The next step.
    pub hint: String,
}

impl std::fmt::Display for MissingDaemon {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let Self { address, origin, detail, hint } = self;
        write!(f, "no Docker daemon answers at {address} (from {origin}): {detail}\nhint: {hint}")
    }
}

/// What a registry did not do.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RegistryFailure {
    /// The reference that was asked for.
    pub reference: String,
    /// What was tried, such as `pull the manifest of`.
    pub action: String,
    /// What happened.
    pub detail: String,
    /// The next step, where one is known.
    pub hint: Option<String>,
    /// Whether it did not answer at all, or not in a way that can be used: it may be another time.
    pub is_unreachable: bool,
}

impl std::fmt::Display for RegistryFailure {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let Self { reference, action, detail, hint, .. } = self;
        write!(f, "failed to {action} {reference}: {detail}")?;
        hint.iter().try_for_each(|hint| write!(f, "\nhint: {hint}"))
    }
}

/// What is known about a step that failed.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct StepFailure {
    /// Name of the job.
    pub image: String,
    /// Name of the step, as in [`super::Step`]; absent when the Dockerfile itself is wrong.
    pub step: Option<String>,
    /// Exit code of its command, when it was a command.
    pub exit_code: Option<i64>,
    /// The engine's words.
    pub message: String,
    /// The last [`LOG_TAIL`] lines it wrote.
    pub log: Vec<String>,
    /// Why it may have failed, when the engine knows more than its message says.
    pub hint: Option<String>,
}

impl std::fmt::Display for StepFailure {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "failed to build {}", self.image)?;
        if let Some(step) = &self.step {
            write!(f, " at {step}")?;
        }
        match self.exit_code {
            Some(code) => write!(f, ": exit code {code}"),
            None => write!(f, ": {}", self.message),
        }
    }
}
