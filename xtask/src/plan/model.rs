//! The plan as data: what will be built, and from what. It prints, serialises and compares; nothing in it depends on the
//! machine, the directory or the time.

use std::collections::BTreeMap;

use camino::Utf8PathBuf;
use serde::Serialize;

use super::build::BuildPlan;
use crate::manifest::{
    ArgsStyle, BaseName, BuildNetwork, ComponentName, FeatureName, Healthcheck, ImageName, ImagePath, Mode, Need,
    RoleName, StopSignal, VariantName,
};
use crate::oci::{ImageSource, Platform};
use crate::source::Span;
use crate::workspace::Seen;

/// Everything that will be built.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Plan {
    /// Format of this document.
    pub schema: u32,
    /// The images, sorted by name and variant.
    pub images: Vec<ImagePlan>,
}

/// One image that will be built.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct ImagePlan {
    /// `IMAGE` or `IMAGE=VARIANT`, as on the command line.
    pub id: String,
    /// The image definition.
    pub name: ImageName,
    /// The variant, if it is not the plain image.
    pub variant: Option<VariantName>,
    /// The component that it is the image of, where the definition is split.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub part: Option<ComponentName>,
    /// Where the generated Dockerfile is kept, relative to the workspace root.
    pub dockerfile: Utf8PathBuf,
    /// Where those of platforms are kept that lack components which others have.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub dockerfiles: BTreeMap<Platform, Utf8PathBuf>,
    /// How components are put together.
    pub mode: Mode,
    /// Version of the image.
    pub version: String,
    /// References that the image gets.
    pub tags: Vec<String>,
    /// Platforms that it can be built for.
    pub platforms: Vec<Platform>,
    /// Network of the build.
    pub network: BuildNetwork,
    /// Whether `COPY --link` is used.
    pub link: bool,
    /// What it is put on.
    pub base: BasePlan,
    /// Features of the image that are on.
    pub features: Vec<FeatureName>,
    /// One stage and one layer each, sorted by name.
    pub components: Vec<ComponentPlan>,
    /// What the image is told to do; with several platforms, by all components together.
    pub config: ConfigPlan,
    /// Labels that do not count as inputs, such as the version: they stand in the final configuration only, so that another
    /// value reuses every layer.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub stamp: BTreeMap<String, String>,
    /// Hash of the template that its Dockerfile is made with.
    pub template: String,
    /// What an engine found where the plan is carried out, as far as it is an input.
    #[serde(skip_serializing_if = "Found::is_nothing")]
    pub found: Found,
    /// Hash of all inputs; see [`super::fingerprint`].
    pub fingerprint: String,
    /// What the configuration and the fingerprint are computed from, besides the rest of the plan.
    #[serde(skip)]
    pub given: Given,
}

/// What is given for an image as a whole, whichever components are in it.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Given {
    /// What the image is for, in one line.
    pub description: Option<String>,
    /// The role that it starts without further words.
    pub default_role: Option<RoleName>,
    /// Labels of the definition.
    pub labels: BTreeMap<String, String>,
    /// Findings that are accepted, of components that are in the image, sorted.
    pub allowed: Vec<Allowed>,
}

/// A finding that the definition accepts. Sorted as it is written to the label.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize)]
pub struct Allowed {
    /// Code of the rule.
    pub rule: String,
    /// The components that it is accepted for, sorted.
    pub components: Vec<ComponentName>,
    /// Why.
    pub reason: String,
}

/// What is an input and stands in no file of the workspace: only the engine that carries out a plan knows it. See
/// [`ImagePlan::with_found`].
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub struct Found {
    /// What identifies the compiler that cargo uses, where programs are compiled on this machine and not in builder images; empty
    /// when cargo builds none.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub toolchain: Option<String>,
    /// The same of the compiler of Go; empty when none is needed.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub go_toolchain: String,
    /// The digest or image ID of every image that the plan names without a digest, by its reference.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub images: BTreeMap<String, String>,
}

impl Found {
    /// Whether nothing was looked for yet.
    pub fn is_nothing(&self) -> bool {
        *self == Self::default()
    }

    /// Whether programs are compiled on this machine.
    pub fn is_host(&self) -> bool {
        self.toolchain.is_some()
    }
}

/// The base of an image.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct BasePlan {
    /// Its name; `scratch` is the empty one.
    pub name: BaseName,
    /// The image; absent for `scratch`.
    pub image: Option<ImageSource>,
}

/// One component of an image.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct ComponentPlan {
    /// Its name.
    pub name: ComponentName,
    /// Its version.
    pub version: String,
    /// Features that are on.
    pub features: Vec<FeatureName>,
    /// Platforms of the plan on which the image does not contain it.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub excluded: Vec<Platform>,
    /// Platforms of the plan on which its programs have `.exe` at the end of their names; see [`ImagePlan::for_platform`].
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub exe: Vec<Platform>,
    /// How it is built.
    pub build: BuildPlan,
    /// Files that the build's stage gives.
    pub installs: Vec<InstallPlan>,
    /// Files that come from the workspace as they are, by path in the image.
    pub files: BTreeMap<ImagePath, FilePlan>,
    /// Further ones, which are other files on other platforms; see [`ImagePlan::for_platform`].
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub platform_files: BTreeMap<Platform, BTreeMap<ImagePath, FilePlan>>,
    /// Old paths, as relative links.
    pub links: BTreeMap<ImagePath, LinkPlan>,
    /// How it is started.
    // in boxes, because most components have one role, and a map keeps room for eleven
    pub roles: BTreeMap<RoleName, Box<RolePlan>>,
    /// What the build's stage reads, by path in the context.
    pub inputs: BTreeMap<Utf8PathBuf, Input>,
    /// Hash of the template that its stage is made with.
    pub template: String,
    /// Hash of all inputs of this component.
    pub fingerprint: String,
}

impl ComponentPlan {
    /// Whether it stands for the program that holds the others, and for no component of the workspace.
    pub fn is_multicall(&self) -> bool {
        matches!(&self.build, BuildPlan::Cargo { merged, .. } if !merged.is_empty())
    }
}

/// A file or folder that the build's stage gives.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct InstallPlan {
    /// Path in the stage: for `cargo` and `go` the name of the program, else an absolute path.
    pub from: String,
    /// Path in the image.
    pub to: ImagePath,
    /// Permission bits, if they are set.
    pub mode: Option<u32>,
    /// Only the build shows whether it is there: a `COPY` of an existing Dockerfile may give a file or what is in a folder.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub is_likely: bool,
    /// Where the manifest says so.
    #[serde(skip)]
    pub place: Span,
}

/// A file or link that comes from the workspace as it is.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct FilePlan {
    /// Where it comes from and what is in it.
    #[serde(flatten)]
    pub input: Input,
    /// The folder of the image that it is put into: that of the file, or the one that a whole folder is installed as.
    pub folder: String,
    /// Where the manifest says so.
    #[serde(skip)]
    pub place: Span,
}

/// An old path, kept as a relative link.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct LinkPlan {
    /// What it points to, relative to its own folder.
    pub target: String,
    /// Where the manifest says so.
    #[serde(skip)]
    pub place: Span,
}

/// How a role is started.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct RolePlan {
    /// Program and arguments.
    pub command: Vec<String>,
    /// What a consumer gives stands in place of the command: the image has it as `CMD`, and no `ENTRYPOINT`.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub is_replaced: bool,
    /// Arguments that the image gives when a consumer gives none.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub args: Vec<String>,
    /// How existing consumers start it.
    #[serde(skip_serializing_if = "ArgsStyle::is_command")]
    pub args_style: ArgsStyle,
    /// A command that exits with 0 when the role's program can run.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub probe: Vec<String>,
    /// User and group.
    pub user: String,
    /// Working directory.
    pub workdir: String,
    /// `9533/tcp`.
    pub ports: Vec<String>,
    /// Environment that the role relies on.
    pub env: BTreeMap<String, String>,
    /// Folders that hold what outlives a container.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub volumes: Vec<ImagePath>,
    /// The signal that ends it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub stop_signal: Option<StopSignal>,
    /// How it is asked whether it is well.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub healthcheck: Option<Healthcheck>,
    /// What the base or another component must give.
    pub needs: Vec<Need>,
    /// Roles that this one waits for when it starts.
    pub waits_for: Vec<RoleName>,
    /// Old paths of the program.
    pub aliases: Vec<ImagePath>,
    /// Security boundary.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub boundary: Option<String>,
}

/// One thing that a build reads.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[serde(tag = "input", rename_all = "lowercase")]
pub enum Input {
    /// A file of the workspace.
    File {
        /// Path relative to the workspace root.
        source: Utf8PathBuf,
        /// SHA-256 of its bytes, in hex.
        digest: String,
        /// Permission bits that travel.
        mode: u32,
        /// How the file is recognised without being hashed again.
        #[serde(skip)]
        seen: Seen,
    },
    /// A link.
    Link {
        /// Where it points to.
        target: String,
    },
    /// A text that the plan made.
    Text {
        /// SHA-256 of its bytes, in hex.
        digest: String,
        /// The text.
        #[serde(skip)]
        text: String,
    },
    /// A crate of a registry. Its files are not listed: the checksum of the lock file, which is an input beside it, names
    /// them all.
    Crate {
        /// Name and version.
        package: String,
        /// Folder of the extracted crate on this machine.
        #[serde(skip)]
        folder: Utf8PathBuf,
        /// Paths below it that are left out.
        #[serde(skip)]
        exclude: Vec<String>,
    },
}

/// What the image is told to do: the OCI image configuration.
/// <https://github.com/opencontainers/image-spec/blob/main/config.md>
#[derive(Debug, Clone, Default, PartialEq, Serialize)]
pub struct ConfigPlan {
    /// Numeric user, if the default role or all roles agree on one.
    pub user: Option<String>,
    /// Command of the default role.
    pub entrypoint: Vec<String>,
    /// Arguments of the default role.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub cmd: Vec<String>,
    /// Working directory.
    pub workdir: String,
    /// Environment of all roles.
    pub env: BTreeMap<String, String>,
    /// Ports of all roles.
    pub ports: Vec<String>,
    /// Volumes of all roles.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub volumes: Vec<ImagePath>,
    /// Stop signal of the default role.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub stop_signal: Option<StopSignal>,
    /// Health check of the default role.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub healthcheck: Option<Healthcheck>,
    /// Labels.
    pub labels: BTreeMap<String, String>,
}
