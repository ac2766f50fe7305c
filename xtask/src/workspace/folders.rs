//! Where manifests are found: the defaults, or what `[workspace]` of the settings names.

use std::collections::BTreeMap;
use std::str::FromStr;

use camino::Utf8PathBuf;

use crate::source::{FileId, Spanned};

/// `[workspace]` of the settings: where manifests are found. Empty lists mean `components/*` and `images/*`.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Folders {
    /// Folders that hold a `component.toml`; `name/*` means every folder below.
    pub components: Vec<Spanned<FolderPattern>>,
    /// Folders that hold an `image.toml`.
    pub images: Vec<Spanned<FolderPattern>>,
}

/// A folder, or every folder directly below one.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum FolderPattern {
    /// This folder.
    One(String),
    /// Every folder directly below this one.
    Below(String),
}

impl FromStr for FolderPattern {
    type Err = String;

    /// `..` and absolute paths are accepted here and refused by the reader, which knows where they lead.
    fn from_str(text: &str) -> Result<Self, String> {
        match text.strip_suffix("/*") {
            Some(folder) if !folder.contains('*') => Ok(Self::Below(folder.to_owned())),
            None if !text.contains('*') => Ok(Self::One(text.to_owned())),
            _ => Err("`*` is allowed only as the last segment".to_owned()),
        }
    }
}

/// The files that manifests are read from.
#[derive(Debug, Clone, Default)]
pub struct ManifestFiles {
    /// `groupage.toml`, if there is one.
    pub settings: Option<FileId>,
    /// Every `component.toml`.
    pub components: Vec<FileId>,
    /// Every `image.toml`.
    pub images: Vec<FileId>,
    /// Dockerfiles that components name, by path.
    pub dockerfiles: BTreeMap<Utf8PathBuf, FileId>,
}
