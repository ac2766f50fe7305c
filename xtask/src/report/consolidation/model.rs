//! The report as data; its JSON form is this.

use serde::Serialize;

use super::facts::Origin;
use super::figure::{Figure, Size};
use super::memory::Memory;

/// A comparison of sets of images.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Report {
    /// Format of this document.
    pub schema: u32,
    /// What was measured on each platform.
    pub platforms: Vec<OnPlatform>,
    /// What a release takes, by column.
    pub releases: Vec<Named<Figure<Release>>>,
    /// How long each column took to build.
    pub builds: Vec<Named<Figure<Build>>>,
    /// Resident memory of the roles.
    pub memory: Figure<Memory>,
}

/// Something of a column.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Named<T> {
    /// The column.
    pub column: String,
    /// What there is of it.
    #[serde(flatten)]
    pub of: T,
}

/// All columns on one platform.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct OnPlatform {
    /// The platform.
    pub platform: String,
    /// The columns; the first one is what the others are compared with.
    pub columns: Vec<Column>,
}

/// One set of images on one platform.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Column {
    /// What it is called: a mode, or a reference.
    pub name: String,
    /// What it is.
    pub origin: Origin,
    /// How many images there are.
    pub image_count: usize,
    /// Bytes of all layers of all images.
    pub total: Size,
    /// Bytes of all layers, each once.
    pub unique: Size,
    /// What a node pulls that has nothing and runs all roles.
    pub pull_all_roles: Size,
    /// What a node pulls that has nothing and runs one role.
    pub pull_one_role: Vec<RolePull>,
    /// The images.
    pub images: Vec<ImageRow>,
    /// Unique bytes by whose they are, largest first.
    pub owners: Vec<OwnerRow>,
    /// Why some figure is `null`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub reason: Option<String>,
}

/// One image.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct ImageRow {
    /// As on the command line.
    pub id: String,
    /// Bytes of its layers.
    pub size: Size,
}

/// The layers of a component.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct OwnerRow {
    /// A component; `one program: …`, `(image)`, `(base)`, `(not known)`.
    pub owner: String,
    /// Bytes of its layers, each once.
    pub size: Size,
    /// The layers, largest first.
    pub layers: Vec<LayerRow>,
}

/// A layer.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct LayerRow {
    /// What made it.
    pub name: String,
    /// Digest of its tar.
    pub diff_id: String,
    /// The images that it is in.
    pub images: Vec<String>,
    /// Its bytes.
    pub size: Size,
}

/// What one role costs a node that has nothing.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct RolePull {
    /// The definition that has the role.
    pub definition: String,
    /// The role.
    pub role: String,
    /// The image that it is started from.
    pub image: String,
    /// Bytes of its layers.
    pub size: Size,
}

/// What is pushed, scanned and mirrored for one release.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
pub struct Release {
    /// Images, of whatever platforms.
    pub images: usize,
    /// Images for one platform.
    pub platform_images: usize,
    /// References that are moved.
    pub tags: usize,
}

/// How long a build took.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
pub struct Build {
    /// From its begin to its end.
    pub millis: u64,
}
