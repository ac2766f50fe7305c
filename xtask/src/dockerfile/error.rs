//! What is wrong with a Dockerfile, with the place.

use super::Extent;
use crate::diagnostic::{Diagnostic, closest};
use crate::source::FileId;

/// The longest message, in characters.
const MAX_MESSAGE: usize = 200;

/// One thing that is wrong with a Dockerfile, and where.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{message}")]
pub struct DockerfileError {
    /// One line, no full stop.
    pub message: String,
    /// The place.
    pub span: Extent,
    /// The next step.
    pub help: Option<String>,
}

impl DockerfileError {
    pub(super) fn new(span: Extent, message: impl Into<String>) -> Self {
        Self { message: short(message.into()), span, help: None }
    }

    pub(super) fn help(mut self, help: impl Into<String>) -> Self {
        self.help = Some(short(help.into()));
        self
    }

    /// Sets the next step for a name that does not exist: the one that was meant, or all that exist.
    pub(super) fn suggest<'a>(self, wrong: &str, known: impl IntoIterator<Item = &'a str>) -> Self {
        let known: Vec<&str> = known.into_iter().collect();
        let close = if wrong.len() > MAX_MESSAGE { None } else { closest(wrong, known.iter().copied()) };
        match close {
            Some(close) => self.help(format!("did you mean `{close}`?")),
            None if known.is_empty() => self.help("there is none"),
            None => self.help(format!("there is: {}", known.join(", "))),
        }
    }

    /// The same as a diagnostic in a file.
    pub fn diagnostic(&self, file: FileId) -> Diagnostic {
        let diagnostic = Diagnostic::error("dockerfile", self.message.clone()).label(self.span.span(file), "");
        match &self.help {
            Some(help) => diagnostic.help(help.clone()),
            None => diagnostic,
        }
    }
}

/// A word of a file can be as long as the file.
fn short(mut text: String) -> String {
    if let Some((end, _)) = text.char_indices().nth(MAX_MESSAGE) {
        text.truncate(end);
        text.push('…');
    }
    text
}
