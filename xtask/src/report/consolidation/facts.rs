//! What is known of the images, as it was read.

use super::figure::Figure;
use super::memory::Memory;
use super::model::{Build, Release};

/// Everything that a report is made of.
#[derive(Debug, Clone, PartialEq)]
pub struct Facts {
    /// The sets of images that are compared; the first one is what the others are compared with.
    pub columns: Vec<ColumnFacts>,
    /// What was read of running containers.
    pub memory: Figure<Memory>,
}

/// One set of images.
#[derive(Debug, Clone, PartialEq)]
pub struct ColumnFacts {
    /// What it is called: a mode, or a reference.
    pub name: String,
    /// Where it stands.
    pub origin: Origin,
    /// Its images, one for each platform.
    pub images: Vec<ImageFacts>,
    /// What a release of it takes.
    pub release: Figure<Release>,
    /// How long it took to build.
    pub build: Figure<Build>,
    /// Why some figure of it is not known.
    pub unknown: Option<String>,
}

/// What a set of images is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, serde::Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Origin {
    /// One image for each component, built from the same manifests.
    Before,
    /// The images in a chosen mode.
    After,
    /// Images that were published.
    Baseline,
}

/// One image for one platform.
#[derive(Debug, Clone, PartialEq)]
pub struct ImageFacts {
    /// As on the command line.
    pub id: String,
    /// The definition that it is made of, `IMAGE` or `IMAGE=VARIANT`: the same in all modes.
    pub definition: String,
    /// Its platform.
    pub platform: String,
    /// The roles that can be started from it.
    pub roles: Vec<String>,
    /// Its layers, lowest first.
    pub layers: Vec<LayerFacts>,
}

/// One layer.
#[derive(Debug, Clone, PartialEq)]
pub struct LayerFacts {
    /// Digest of its tar.
    pub diff_id: String,
    /// What made it.
    pub name: String,
    /// Whose bytes these are.
    pub owner: Owner,
    /// Bytes of its tar.
    pub bytes: Option<u64>,
    /// Bytes as a registry gets them.
    pub gzip: Option<u64>,
}

/// Whose bytes a layer holds.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub enum Owner {
    /// A component.
    Component(String),
    /// Components that are one program.
    Program(Vec<String>),
    /// The image itself: its description, old paths, folders.
    Image,
    /// The base.
    Base,
    /// Nobody says.
    Unknown,
}

impl Owner {
    /// For people.
    pub fn label(&self) -> String {
        match self {
            Self::Component(name) => name.clone(),
            Self::Program(names) => format!("one program: {}", names.join(", ")),
            Self::Image => "(image)".to_owned(),
            Self::Base => "(base)".to_owned(),
            Self::Unknown => "(not known)".to_owned(),
        }
    }
}
