//! What goes wrong between here and a registry: what may pass, what stays, and how each is told.
//!
//! Nothing of a request is told but host and status: addresses may be signed, headers hold accounts. Of an answer's body only
//! the messages of the registry's own error format are, cut short and without control characters.

use std::io;
use std::time::Duration;

use crate::engine::{EngineError, RegistryFailure};
use crate::oci::{Digest, redacted};

/// Longest text of a registry that is repeated.
const MESSAGE: usize = 300;

/// One thing that went wrong.
#[derive(Debug)]
pub(super) enum Trouble {
    /// It may pass: try again, not before `after`.
    Passing { detail: String, after: Option<Duration> },
    /// A body ended before its time. It may pass too.
    Short { subject: String, expected: u64, actual: u64 },
    /// The registry does not have it.
    Missing { detail: String },
    /// The registry does not let us.
    Denied { detail: String, login: String },
    /// It stays so.
    Refused { detail: String, hint: Option<String> },
    /// Bytes that are not what their name says.
    Digest { subject: String, expected: Digest, actual: String },
    /// A number of bytes that is not what was announced.
    Size { subject: String, expected: u64, actual: String },
    /// The bytes are what they should be, and of no use.
    Unusable { detail: String },
    /// This machine's disk.
    Disk { action: String, error: io::Error },
}

impl Trouble {
    pub fn passing(detail: impl Into<String>) -> Self {
        Self::Passing { detail: detail.into(), after: None }
    }

    pub fn refused(detail: impl Into<String>) -> Self {
        Self::Refused { detail: detail.into(), hint: None }
    }

    pub fn unusable(detail: impl Into<String>) -> Self {
        Self::Unusable { detail: detail.into() }
    }

    pub fn disk(action: impl Into<String>, error: io::Error) -> Self {
        Self::Disk { action: action.into(), error }
    }

    /// Whether another attempt may help, why it is needed, and when it may begin at the earliest.
    pub fn passes(&self) -> Option<(String, Option<Duration>)> {
        match self {
            Self::Passing { detail, after } => Some((detail.clone(), *after)),
            Self::Short { expected, actual, .. } => {
                Some((format!("the body ended after {actual} of {expected} bytes"), None))
            }
            _ => None,
        }
    }

    /// The error of an action, such as `fetch layer sha256:…`, on a reference, after a number of attempts.
    pub fn into_error(self, action: &str, reference: &str, attempts: u32) -> EngineError {
        let (action, reference) = (action.to_owned(), reference.to_owned());
        let is_unreachable = matches!(self, Self::Passing { .. });
        let (detail, hint) = match self {
            Self::Digest { subject, expected, actual } => {
                return EngineError::WrongDigest { reference, subject, expected: expected.to_string(), actual };
            }
            Self::Size { subject, expected, actual } => {
                return EngineError::WrongSize { reference, subject, expected, actual };
            }
            Self::Short { subject, expected, actual } => {
                let actual = format!("only {actual}");
                return EngineError::WrongSize { reference, subject, expected, actual };
            }
            Self::Unusable { detail } => return EngineError::UnusableImage { reference, detail },
            Self::Disk { action, error } => return EngineError::Other { action, message: error.to_string() },
            Self::Passing { detail, .. } => {
                let times = if attempts > 1 { format!(" ({attempts} attempts)") } else { String::new() };
                (
                    format!("{detail}{times}"),
                    Some("try again later, or look whether it can be reached from here".into()),
                )
            }
            Self::Missing { detail } => (detail, Some("check the name, the tag and the digest".to_owned())),
            Self::Denied { detail, login } => {
                (detail, Some(format!("run `{login}`, and check the name: what does not exist may be denied too")))
            }
            Self::Refused { detail, hint } => (detail, hint),
        };
        EngineError::Registry(Box::new(RegistryFailure { reference, action, detail, hint, is_unreachable }))
    }
}

/// What a registry says in its error format, on one line; empty when the body is something else.
/// <https://github.com/opencontainers/distribution-spec/blob/main/spec.md#error-codes>
pub(super) fn message(body: &[u8]) -> String {
    let value: serde_json::Value = serde_json::from_slice(body).unwrap_or_default();
    let errors = value["errors"].as_array().map(Vec::as_slice).unwrap_or_default();
    let part = |error: &serde_json::Value, key: &str| error[key].as_str().unwrap_or_default().to_owned();
    let texts = errors.iter().take(3).map(|error| {
        let (code, message) = (part(error, "code"), part(error, "message"));
        if message.is_empty() || code.is_empty() { code + &message } else { format!("{message} ({code})") }
    });
    clean(&texts.collect::<Vec<_>>().join("; "))
}

/// A foreign text that can be shown: on one line, short, no accounts, no query strings.
pub(super) fn clean(text: &str) -> String {
    let line: String = text.chars().map(|c| if c.is_control() { ' ' } else { c }).take(MESSAGE).collect();
    let words = line.split_inclusive(' ').map(|word| match word.split_once('?') {
        Some((address, _)) if address.contains("://") => format!("{address} "),
        _ => word.to_owned(),
    });
    redacted(words.collect::<String>().trim())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_messages_are_repeated() {
        let check = |body: &str, expect: &str| assert_eq!(message(body.as_bytes()), expect);
        check(r#"{"errors":[{"code":"DENIED","message":"no"}]}"#, "no (DENIED)");
        check(r#"{"errors":[{"code":"DENIED"},{"message":"a\nb","detail":"x"}]}"#, "DENIED; a b");
        check(r#"{"errors":"x"}"#, "");
        check("<html>", "");
        check(
            r#"{"errors":[{"message":"see https://u:p@s.example/a?sig=SECRET now"}]}"#,
            "see https://***@s.example/a now",
        );
        assert_eq!(message(format!(r#"{{"errors":[{{"code":"{}"}}]}}"#, "x".repeat(9_999)).as_bytes()).len(), MESSAGE);
    }
}
