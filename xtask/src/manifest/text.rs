//! Types that are written as a text, and which texts they take, for editors. The parser of the type has the last word.

use std::fmt::Display;
use std::str::FromStr;

use crate::oci::{Digest, ImageSource, MappingMode, Platform, Reference};
use crate::workspace::FolderPattern;

/// A type that a text of a manifest is parsed as.
pub trait Text: FromStr<Err: Display> {
    /// Which texts may be one. What is not among them, the parser refuses; it may refuse more.
    fn texts() -> Texts {
        Texts::Any
    }
}

/// A set of texts.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub enum Texts {
    /// All that are not empty.
    #[default]
    Any,
    /// All, the empty one too.
    OrEmpty,
    /// These words.
    Words(Vec<&'static str>),
    /// Those that fit a regular expression, in the grammar that ECMAScript and Rust have in common.
    Pattern(&'static str),
}

impl Texts {
    /// One text that is among them, and a name, where keys are asked for.
    pub(super) fn sample(&self) -> &'static str {
        match self {
            Self::Words(words) => words.first().copied().unwrap_or_default(),
            Self::Any | Self::OrEmpty | Self::Pattern(_) => "x",
        }
    }
}

impl Text for String {}
impl Text for Digest {}
impl Text for FolderPattern {}
impl Text for ImageSource {}
impl Text for Platform {}
impl Text for Reference {}

impl Text for MappingMode {
    fn texts() -> Texts {
        Texts::Words(Self::ALL.map(Self::as_str).to_vec())
    }
}
