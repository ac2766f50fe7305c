//! Values after expansion: known, or unknown for a reason.

use super::Extent;

/// A text after its variables were replaced.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Value {
    /// It is this.
    Known(String),
    /// A variable in it has no value that the file alone tells.
    Unknown {
        /// What a builder makes of it when those variables are empty.
        otherwise: String,
        /// The variables; at most eight of them.
        because: Vec<Unknown>,
    },
}

/// A variable without a value.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Unknown {
    /// Its name.
    pub name: String,
    /// Where it is used.
    pub span: Extent,
    /// Why it has none.
    pub reason: Reason,
}

/// Why a variable has no value.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Reason {
    /// An `ARG` without default, and no argument was given.
    NotSet {
        /// Its name in the `ARG`.
        declared: Extent,
    },
    /// An automatic argument such as `TARGETARCH`, and no platform was given.
    Platform,
    /// No `ARG` or `ENV` in the file; the base image may have one.
    Base,
    /// No `ARG` or `ENV` in the file, and nobody else can have one: a slip, or an `ARG` that stands in another scope.
    Undeclared,
}

impl Unknown {
    /// Name and reason, for people.
    pub fn explain(&self) -> String {
        let name = &self.name;
        match self.reason {
            Reason::NotSet { .. } => format!("the argument `{name}` has no default and is not set"),
            Reason::Platform => format!("`{name}` depends on the platform"),
            Reason::Base => format!("`{name}` is not set in this file; the base image may set it"),
            Reason::Undeclared => format!("`{name}` is not declared here"),
        }
    }
}

impl Value {
    /// The most reasons that a value carries: enough to act on, and a bound for files that were made to have many.
    pub(super) const MAX_REASONS: usize = 8;

    /// Known when there is no reason against it.
    pub(super) fn new(text: String, mut because: Vec<Unknown>) -> Self {
        because.sort();
        because.dedup();
        because.truncate(Self::MAX_REASONS);
        if because.is_empty() { Self::Known(text) } else { Self::Unknown { otherwise: text, because } }
    }

    /// The text, if it is known.
    pub fn known(&self) -> Option<&str> {
        if let Self::Known(text) = self { Some(text) } else { None }
    }

    /// The text, or what a builder makes of it when variables without a value are empty.
    pub fn otherwise(&self) -> &str {
        match self {
            Self::Known(text) | Self::Unknown { otherwise: text, .. } => text,
        }
    }

    /// Why it is unknown; empty when it is known.
    pub fn because(&self) -> &[Unknown] {
        if let Self::Unknown { because, .. } = self { because } else { &[] }
    }

    /// Another text for the same reasons.
    pub fn map(&self, change: impl FnOnce(&str) -> String) -> Self {
        match self {
            Self::Known(text) => Self::Known(change(text)),
            Self::Unknown { otherwise, because } => {
                Self::Unknown { otherwise: change(otherwise), because: because.clone() }
            }
        }
    }
}
