//! Where merging is worth it, and where it should not be done. Pure.
//!
//! Every kind of reason is one file with its threshold and why it is that. A reason leans to one side; what a component is
//! advised follows from its reasons alone:
//!
//! | reasons of a component | verdict |
//! |---|---|
//! | one leans to `apart` | keep apart |
//! | none does | merge |
//!
//! | components with a role | verdict of the image |
//! |---|---|
//! | one, or none | nothing to merge |
//! | nobody is to be kept apart | merge |
//! | two or more stay when the others are taken out | split those off |
//! | fewer stay | keep apart |
//!
//! Components without a role (certificates, time zones) are what others need; they go wherever those go.

mod base;
mod boundary;
mod cadence;
mod dominance;
mod facts;
mod init;
mod judge;
mod platform;
mod port;
mod rule;
mod sharing;
#[cfg(test)]
mod tests;
mod text;
mod user;

use serde::Serialize;

pub use facts::{ComponentFacts, FindingFacts, ImageFacts, RoleFacts, Weight};
pub use judge::advise;
pub use text::{markdown, text};

/// All that is advised.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Advice {
    /// Format of this document.
    pub schema: u32,
    /// Each image.
    pub images: Vec<ImageAdvice>,
}

/// What is advised for an image.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct ImageAdvice {
    /// As on the command line.
    pub image: String,
    /// How its components are put together now.
    pub mode: String,
    /// What to do.
    pub verdict: Verdict,
    /// Components that are to be split off, where the verdict is that.
    pub split_off: Vec<String>,
    /// Why, as far as it is about the image as a whole.
    pub reasons: Vec<Reason>,
    /// Each component.
    pub components: Vec<ComponentAdvice>,
    /// Where init containers could be one.
    pub init_containers: Vec<String>,
}

/// What is advised for a component of an image.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct ComponentAdvice {
    /// The component.
    pub component: String,
    /// What to do.
    pub verdict: Verdict,
    /// Why.
    pub reasons: Vec<Reason>,
    /// Bytes of its layers.
    pub weight: Option<Weight>,
}

/// What to do.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Verdict {
    /// One image for all.
    Merge,
    /// One image for all but some.
    Split,
    /// An image of its own.
    KeepApart,
    /// There is nothing to be decided.
    Nothing,
}

impl Verdict {
    /// In words.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Merge => "merge",
            Self::Split => "split",
            Self::KeepApart => "keep apart",
            Self::Nothing => "nothing to merge",
        }
    }
}

/// One reason.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Reason {
    /// What it is about: the name of its file.
    pub kind: &'static str,
    /// Where it leans to.
    pub leans: Leaning,
    /// In words, with figures.
    pub text: String,
}

/// Where a reason leans to.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Leaning {
    /// Into the same image.
    Merge,
    /// Into an image of its own.
    Apart,
    /// To neither; worth knowing.
    Neither,
}

impl Reason {
    fn merge(kind: &'static str, text: String) -> Self {
        Self { kind, leans: Leaning::Merge, text }
    }

    fn apart(kind: &'static str, text: String) -> Self {
        Self { kind, leans: Leaning::Apart, text }
    }

    fn neither(kind: &'static str, text: String) -> Self {
        Self { kind, leans: Leaning::Neither, text }
    }
}

/// Names in backticks, with commas.
fn quoted<'n>(names: impl IntoIterator<Item = &'n str>) -> String {
    names.into_iter().map(|name| format!("`{name}`")).collect::<Vec<_>>().join(", ")
}
