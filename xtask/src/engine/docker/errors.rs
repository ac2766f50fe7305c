//! What bollard reports, as what the caller needs to know.

use std::error::Error as _;
use std::io::ErrorKind;

use bollard::errors::Error;

use super::host::{Address, Host};
use super::steps::Steps;
use crate::engine::{EngineError, MissingDaemon};
use crate::oci::redacted;

/// No connection, or no answer.
pub(super) fn no_daemon(host: &Host, error: &Error) -> EngineError {
    let (detail, hint) = match (io_kind(error), error) {
        (Some(ErrorKind::PermissionDenied), _) => {
            ("permission denied".to_owned(), "add yourself to the group `docker` and log in again")
        }
        (Some(ErrorKind::NotFound), _) | (None, Error::SocketNotFoundError(_)) => {
            ("there is no such socket".to_owned(), START)
        }
        (Some(ErrorKind::ConnectionRefused), _) => ("connection refused".to_owned(), START),
        (_, Error::RequestTimeoutError) => ("no answer in time".to_owned(), START),
        _ => (redacted(&causes(error)), START),
    };
    missing(host, detail, hint)
}

/// The usual next step.
const START: &str = "start Docker, or set DOCKER_HOST";

/// A missing daemon in other words.
pub(super) fn missing(host: &Host, detail: String, hint: &str) -> EngineError {
    let (address, origin) = (host.address.to_string(), host.origin.clone());
    EngineError::NoDaemon(Box::new(MissingDaemon { address, origin, detail, hint: hint.to_owned() }))
}

/// TLS was asked for in a build without it.
#[cfg_attr(feature = "tls", allow(dead_code, reason = "the other half of the feature"))]
pub(super) fn no_tls(host: &Host) -> EngineError {
    missing(host, "this program was built without TLS".to_owned(), "build it with `--features tls`")
}

/// Socket addresses can be looked at before they are used, which gives better words than a failed connection does.
pub(super) fn unsupported(host: &Host) -> EngineError {
    let what = match host.address {
        Address::Pipe(_) => "named pipes exist on Windows only",
        _ => "unix sockets do not exist on this system",
    };
    missing(host, what.to_owned(), START)
}

/// A question that is no build.
pub(super) fn other(action: impl Into<String>, error: &Error) -> EngineError {
    EngineError::Other { action: action.into(), message: message(error) }
}

/// A build that ended with an error.
pub(super) fn build_failed(image: &str, error: &Error, steps: &mut Steps) -> EngineError {
    match error {
        Error::DockerStreamError { error } | Error::DockerResponseServerError { message: error, .. } => {
            refused(error, steps)
        }
        _ => EngineError::TransportLost { image: image.to_owned(), detail: causes(error) },
    }
}

/// The daemon itself says that the build has failed.
fn refused(message: &str, steps: &mut Steps) -> EngineError {
    let message = without_frames(message.trim_end());
    let mut failure = steps.failure(message);
    let step = failure.step.as_deref().unwrap_or_default();
    if let Some(reference) = wanted_image(step) {
        let (image, detail) = (failure.image, failure.message);
        return EngineError::UnresolvedImage { image, reference, detail };
    }
    failure.exit_code = exit_code(message);
    failure.hint = hint(message).map(str::to_owned);
    EngineError::BuildFailed(Box::new(failure))
}

/// BuildKit wraps an error in the names of its own layers; what the user wants is behind them.
fn without_frames(message: &str) -> &str {
    const FRAMES: [&str; 4] = [
        "failed to solve with frontend dockerfile.v0: ",
        "failed to solve: ",
        "failed to create LLB definition: ",
        "rpc error: code = Unknown desc = ",
    ];
    match FRAMES.iter().find_map(|frame| message.strip_prefix(frame)) {
        Some(rest) => without_frames(rest),
        None => message,
    }
}

/// The reference that a step was about to fetch: `[internal] load metadata for REF` or `[a 1/2] FROM [--platform=…] REF`.
fn wanted_image(step: &str) -> Option<String> {
    let instruction = step.split_once("] ").map_or(step, |(_, rest)| rest);
    let rest = instruction.strip_prefix("load metadata for ").or_else(|| instruction.strip_prefix("FROM "))?;
    rest.split_whitespace().find(|word| !word.starts_with("--")).map(str::to_owned)
}

/// `exit code: 3` (BuildKit), `returned a non-zero code: 3` (classic), `exit status 3` (Podman).
fn exit_code(message: &str) -> Option<i64> {
    ["exit code: ", "non-zero code: ", "exit status "].into_iter().find_map(|mark| {
        let (_, rest) = message.rsplit_once(mark)?;
        let digits = rest.split(|character: char| !character.is_ascii_digit()).next()?;
        digits.parse().ok()
    })
}

fn hint(message: &str) -> Option<&'static str> {
    let needs_buildkit = message.contains("requires BuildKit") || message.contains("Unknown flag: mount");
    let offline = message.contains("dial tcp") || message.contains("Temporary failure in name resolution");
    // compared without case: BuildKit and the classic builder differ in it
    let no_link = message.to_ascii_lowercase().contains("unknown flag: link");
    match () {
        () if needs_buildkit => Some("this daemon has no BuildKit, and `RUN --mount` needs it: update Docker"),
        () if no_link => Some(
            "`[dockerfile] link = true` in groupage.toml needs a newer engine, such as Docker 23: \
             update Docker, or remove that line",
        ),
        () if message.contains("no space left on device") => Some("the daemon's disk is full: `docker system df`"),
        () if message.contains("operating system is not supported") => {
            Some("a daemon of Linux holds no images for Windows: build them with `--engine native`")
        }
        () if offline => Some("the daemon has no way to the network"),
        () => None,
    }
}

/// The words of the daemon, without bollard's frame around them.
pub(super) fn message(error: &Error) -> String {
    match error {
        Error::DockerStreamError { error } => error.trim_end().to_owned(),
        Error::DockerResponseServerError { message, .. } => message.trim_end().to_owned(),
        _ => causes(error),
    }
}

/// True for a 404.
pub(super) fn is_not_found(error: &Error) -> bool {
    matches!(error, Error::DockerResponseServerError { status_code: 404, .. })
}

/// The error and what is behind it, in one line.
fn causes(error: &Error) -> String {
    let mut text = error.to_string();
    let mut source = error.source();
    while let Some(cause) = source {
        let cause_text = cause.to_string();
        if !text.contains(&cause_text) {
            text = format!("{text}: {cause_text}");
        }
        source = cause.source();
    }
    text
}

fn io_kind(error: &Error) -> Option<ErrorKind> {
    let mut source: Option<&(dyn std::error::Error + 'static)> = Some(error);
    while let Some(cause) = source {
        if let Some(io) = cause.downcast_ref::<std::io::Error>() {
            return Some(io.kind());
        }
        source = cause.source();
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn exit_codes() {
        let check = |message: &str, expect: Option<i64>| assert_eq!(exit_code(message), expect, "{message}");
        check("executor failed running [/bin/sh -c exit 3]: exit code: 3", Some(3));
        check("process \"/bin/sh -c x\" did not complete successfully: exit code: 137", Some(137));
        check("The command '/bin/sh -c exit 4' returned a non-zero code: 4", Some(4));
        check("while running runtime: exit status 5", Some(5));
        check("failed to compute cache key: \"/x\" not found", None);
    }

    #[test]
    fn wanted_images() {
        let check = |step: &str, expect: Option<&str>| assert_eq!(wanted_image(step).as_deref(), expect, "{step}");
        check("[internal] load metadata for docker.io/library/nope:1", Some("docker.io/library/nope:1"));
        check("[a 1/2] FROM nope:1 AS a", Some("nope:1"));
        check("[1/2] FROM --platform=linux/arm64 nope:1", Some("nope:1"));
        check("[1/2] RUN echo FROM x", None);
        check("", None);
    }

    #[test]
    fn frames_are_taken_off() {
        let message = "failed to solve with frontend dockerfile.v0: failed to create LLB definition: parse error";
        assert_eq!(without_frames(message), "parse error");
        assert_eq!(without_frames("failed to compute cache key: x"), "failed to compute cache key: x");
    }

    #[test]
    fn hints() {
        assert!(hint("the --mount option requires BuildKit. Refer to …").is_some());
        let link = hint("dockerfile parse error line 3: Unknown flag: link");
        assert!(link.is_some_and(|hint| hint.contains("needs a newer engine")));
        assert!(hint("exit code: 1").is_none());
    }
}
