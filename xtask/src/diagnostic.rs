//! Problems in the user's files, as values: code, level, places, notes and the next step.
//!
//! Phases collect diagnostics and go on, so that one run shows everything that is wrong. Failures of the world (a daemon
//! that does not answer, a full disk) are error enums of their modules instead. Rendering is that of rustc and cargo, which
//! the users of this tool read all day; `annotate-snippets` is cargo's own renderer and, unlike miette, shows several files
//! in one message, which a collision between two manifests needs.

mod render;

pub use render::{DiagnosticJson, Style, to_json, to_text};

use crate::source::Span;

/// How bad a diagnostic is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, serde::Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Level {
    /// Worth knowing; changes nothing.
    Note,
    /// Worth changing; the work goes on.
    Warning,
    /// The work stops.
    Error,
}

/// A place that a diagnostic points at, and what is to be seen there.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Label {
    /// The place.
    pub span: Span,
    /// What is there; may be empty.
    pub text: String,
}

/// One problem, complete with places and the next step.
#[derive(Debug, Clone, PartialEq, Eq)]
#[must_use = "a diagnostic that is built and dropped is never seen"]
pub struct Diagnostic {
    /// Stable identifier, such as `unknown-key`; rules use their own code.
    pub code: &'static str,
    /// How bad it is.
    pub level: Level,
    /// One line, no full stop, names the subject.
    pub message: String,
    /// Places; the first is the primary one.
    pub labels: Vec<Label>,
    /// Background, one line each.
    pub notes: Vec<String>,
    /// The next step.
    pub help: Option<String>,
}

impl Diagnostic {
    /// An error without places.
    pub fn error(code: &'static str, message: impl Into<String>) -> Self {
        Self::new(Level::Error, code, message)
    }

    /// A warning without places.
    pub fn warning(code: &'static str, message: impl Into<String>) -> Self {
        Self::new(Level::Warning, code, message)
    }

    /// A diagnostic of any level, without places.
    pub fn new(level: Level, code: &'static str, message: impl Into<String>) -> Self {
        Self { code, level, message: message.into(), labels: Vec::new(), notes: Vec::new(), help: None }
    }

    /// Adds a place; the first one added is the primary.
    pub fn label(mut self, span: Span, text: impl Into<String>) -> Self {
        self.labels.push(Label { span, text: text.into() });
        self
    }

    /// Adds a line of background.
    pub fn note(mut self, text: impl Into<String>) -> Self {
        self.notes.push(text.into());
        self
    }

    /// Sets the next step.
    pub fn help(mut self, text: impl Into<String>) -> Self {
        self.help = Some(text.into());
        self
    }
}

impl Diagnostic {
    /// Sets the next step for a name that does not exist: the one that was meant, if one is close, else `otherwise`, else
    /// all that exist.
    pub fn suggest<'a>(self, wrong: &str, known: impl IntoIterator<Item = &'a str>, otherwise: Option<String>) -> Self {
        let known: Vec<&str> = known.into_iter().collect();
        match (closest(wrong, known.iter().copied()), otherwise) {
            (Some(close), _) => self.help(format!("did you mean `{close}`?")),
            (None, Some(otherwise)) => self.help(otherwise),
            (None, None) if known.is_empty() => self.help("there is none"),
            (None, None) => self.help(format!("there is: {}", known.join(", "))),
        }
    }
}

/// All problems found so far. Phases share one and ask at their end whether to go on.
#[derive(Debug, Default)]
pub struct Problems {
    list: Vec<Diagnostic>,
}

impl Problems {
    /// Adds one.
    pub fn push(&mut self, diagnostic: Diagnostic) {
        self.list.push(diagnostic);
    }

    /// Adds all of another collection.
    pub fn append(&mut self, other: Problems) {
        self.list.extend(other.list);
    }

    /// Keeps only what `keep` accepts.
    pub fn retain(&mut self, keep: impl FnMut(&Diagnostic) -> bool) {
        self.list.retain(keep);
    }

    /// True when one of them is an error.
    pub fn has_errors(&self) -> bool {
        self.list.iter().any(|diagnostic| diagnostic.level == Level::Error)
    }

    /// The value if nothing is an error, else all problems. Warnings alone are dropped with the collection; a phase
    /// that has some to show returns them itself, as [`crate::check`] does.
    ///
    /// # Errors
    /// All diagnostics, when at least one of them is an error.
    pub fn finish<T>(self, value: T) -> Result<T, Vec<Diagnostic>> {
        if self.has_errors() { Err(self.into_list()) } else { Ok(value) }
    }

    /// All problems, in order of place, so that the order of discovery cannot be seen.
    pub fn into_list(mut self) -> Vec<Diagnostic> {
        self.list.sort_by(|a, b| {
            let key = |d: &Diagnostic| (d.labels.first().map(|label| label.span), d.code, d.message.clone());
            key(a).cmp(&key(b))
        });
        self.list.dedup();
        self.list
    }
}

/// The candidate closest to `wrong`, if one is close enough to be what was meant.
///
/// ```
/// use groupage::diagnostic::closest;
/// assert_eq!(closest("comand", ["command", "user"]), Some("command"));
/// assert_eq!(closest("zzz", ["command", "user"]), None);
/// ```
pub fn closest<'a>(wrong: &str, candidates: impl IntoIterator<Item = &'a str>) -> Option<&'a str> {
    candidates
        .into_iter()
        .map(|candidate| (strsim::damerau_levenshtein(wrong, candidate), candidate))
        // a third may differ, and one letter of a short name, but never all of it
        .filter(|(distance, candidate)| {
            let length = wrong.chars().count().max(candidate.chars().count());
            *distance <= (length / 3).max(1) && *distance < length
        })
        .min()
        .map(|(_, candidate)| candidate)
}
