//! How a component is built, as the plan has it.

use std::collections::BTreeMap;

use camino::Utf8PathBuf;
use serde::Serialize;

use crate::manifest::{ComponentName, Link};
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

impl BuildPlan {
    /// The name of the build kind, which is that of its template.
    pub fn kind(&self) -> &'static str {
        match self {
            Self::Cargo { .. } => "cargo",
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
