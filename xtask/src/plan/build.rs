//! How a component is built, as the plan has it.

use std::collections::BTreeMap;

use camino::Utf8PathBuf;
use serde::Serialize;

use super::dockerfile::DockerfilePlan;
use crate::manifest::{ComponentName, Link, PathPattern};
use crate::oci::{ImageSource, Reference};

/// How a component is built.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[serde(tag = "kind", rename_all = "lowercase")]
pub enum BuildPlan {
    /// A package of the cargo workspace, compiled in a builder.
    Cargo {
        /// The builder image.
        builder: Reference,
        /// The package.
        package: String,
        /// The program.
        bin: String,
        /// Cargo features that are on.
        features: Vec<String>,
        /// Whether cargo's default features are on.
        default_features: bool,
        /// Flags that hold the lock file fast.
        flags: Vec<String>,
        /// Whether the program is linked statically.
        #[serde(serialize_with = "link_name")]
        link: Link,
        /// Whether dependencies travel with the context, so that no network is needed.
        vendored: bool,
        /// The components that it holds, when it is a multi-call program: its package is generated, and lies in no folder.
        #[serde(skip_serializing_if = "Vec::is_empty")]
        merged: Vec<ComponentName>,
    },
    /// An existing Dockerfile, whose stages are put into that of the image.
    Dockerfile {
        /// What becomes of it.
        #[serde(flatten)]
        plan: Box<DockerfilePlan>,
    },
    /// Files beside the manifest.
    Files,
    /// A program of a Go module, compiled in a builder.
    Go {
        /// The builder image.
        builder: Reference,
        /// The folder of the module, in the workspace as in the context; empty for its root.
        module: Utf8PathBuf,
        /// The package, relative to the module: `./cmd/tool`.
        package: String,
        /// The program, without `.exe`.
        bin: String,
        /// Build tags that are on.
        tags: Vec<String>,
        /// Flags of the linker, with the version in its place.
        ldflags: Vec<String>,
        /// Whether C is compiled and linked.
        cgo: bool,
        /// Whether dependencies are those of a vendor folder.
        vendored: bool,
        /// The `go.work` that the module is part of.
        #[serde(skip_serializing_if = "Option::is_none")]
        work: Option<Utf8PathBuf>,
    },
    /// Files of an existing image.
    Image {
        /// The image.
        image: ImageSource,
        /// Where all above its base is taken, and not only what is listed.
        #[serde(skip_serializing_if = "Option::is_none")]
        above: Option<AbovePlan>,
    },
    /// Commands in a builder.
    Script {
        /// The builder image.
        builder: Reference,
        /// Shell commands, in order.
        commands: Vec<String>,
        /// Environment of the commands.
        env: BTreeMap<String, String>,
    },
}

/// All that the layers above an image's base give.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct AbovePlan {
    /// The image's own base, where the manifest names it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub base: Option<SourceBase>,
    /// What is left out.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub exclude: Vec<PathPattern>,
}

/// The base of an image that a component is taken from.
#[derive(Debug, Clone, PartialEq)]
pub enum SourceBase {
    /// None: all of its layers are above it.
    Scratch,
    /// An image.
    Image(ImageSource),
}

/// `scratch`, or the image as it is referred to.
impl Serialize for SourceBase {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self {
            Self::Scratch => serializer.serialize_str("scratch"),
            Self::Image(image) => image.serialize(serializer),
        }
    }
}

impl AbovePlan {
    /// All but what is left out.
    pub fn new(base: Option<SourceBase>, exclude: Vec<PathPattern>) -> Self {
        Self { base, exclude }
    }

    /// The image that is the base, where the manifest names one.
    pub fn base_image(&self) -> Option<&ImageSource> {
        match &self.base {
            Some(SourceBase::Image(image)) => Some(image),
            Some(SourceBase::Scratch) | None => None,
        }
    }
}

impl BuildPlan {
    /// The existing Dockerfile, if that is how it is built.
    pub fn dockerfile(&self) -> Option<&DockerfilePlan> {
        match self {
            Self::Dockerfile { plan } => Some(plan),
            _ => None,
        }
    }

    /// What is taken whole from above the base of an image.
    pub fn above(&self) -> Option<&AbovePlan> {
        match self {
            Self::Image { above, .. } => above.as_ref(),
            _ => None,
        }
    }

    /// Why only a container can do it, as the end of a sentence; nothing when no container is needed.
    pub fn needs_container(&self) -> Option<&'static str> {
        match self {
            Self::Script { .. } => Some("it is built by a script"),
            Self::Dockerfile { .. } => Some("it is built by a Dockerfile"),
            Self::Cargo { .. } | Self::Files | Self::Go { .. } | Self::Image { .. } => None,
        }
    }

    /// The name of the build kind, which is that of its template.
    pub fn kind(&self) -> &'static str {
        match self {
            Self::Cargo { .. } => "cargo",
            Self::Dockerfile { .. } => "dockerfile",
            Self::Files => "files",
            Self::Go { .. } => "go",
            Self::Image { .. } => "image",
            Self::Script { .. } => "script",
        }
    }
}

fn link_name<S: serde::Serializer>(link: &Link, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.serialize_str(match link {
        Link::Static => "static",
        Link::Dynamic => "dynamic",
    })
}
