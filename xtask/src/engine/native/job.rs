//! What the native engine needs for one image: plain data, made by the caller from a plan.

use std::collections::{BTreeMap, BTreeSet};

use camino::Utf8PathBuf;

use super::archive::ArchiveKind;
use super::assemble::Times;
use crate::engine::NamedJob;
use crate::manifest::ComponentName;
use crate::oci::{Compression, Image, Platform};
use crate::plan::{Found, ImagePlan};

/// One image to build, for one or several platforms.
#[derive(Debug, Clone, PartialEq)]
pub struct NativeJob {
    /// The shown name, such as `logging-operator` or `logging-operator=full`. Unique within one run.
    pub image: String,
    /// The plan of each platform, at least one.
    pub plans: Vec<(Platform, ImagePlan)>,
    /// References that the result gets.
    pub tags: Vec<String>,
    /// Times of layers.
    pub times: Times,
    /// How layers are stored.
    pub compression: Compression,
    /// Where the result goes, besides the layout.
    pub outputs: Vec<Output>,
    /// Make every layer again.
    pub no_cache: bool,
    /// Make the layers of these components again.
    pub no_cache_filter: BTreeSet<ComponentName>,
    /// Ask the registry for the image before building it.
    pub pull: bool,
    /// Look at what was made before it gets a name.
    pub verify: bool,
    /// The images, when they are there already; see [`super::Native::recall`].
    pub made: Option<Vec<Image>>,
}

/// Where a result goes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Output {
    /// Into a file.
    Archive {
        /// Its form.
        kind: ArchiveKind,
        /// The file, absolute.
        path: Utf8PathBuf,
    },
    /// Into the Docker daemon.
    Load,
    /// To its registry.
    Push,
}

/// Name of the folder that the layout of an image is kept in, such as `operator_full` for `operator=full` and
/// `operator__reloader` for `operator/reloader`: names have no `_`, so that no other image has the same.
pub fn layout_folder(image: &str) -> String {
    image.replace('/', "__").replace('=', "_")
}

impl NamedJob for NativeJob {
    fn image(&self) -> &str {
        &self.image
    }

    fn begins(&self) -> bool {
        self.made.is_none() || !self.outputs.is_empty()
    }
}

impl NativeJob {
    /// What was found for its plans.
    pub(super) fn found(&self) -> BTreeMap<Platform, Found> {
        self.plans.iter().map(|(platform, plan)| (platform.clone(), plan.found.clone())).collect()
    }

    /// Whether what is there of the image shall not be used as it is.
    pub fn is_anew(&self) -> bool {
        let mut parts = self.plans.iter().flat_map(|(_, plan)| &plan.components);
        self.no_cache || parts.any(|part| self.no_cache_filter.contains(&part.name))
    }

    /// Name of the folder of its layout.
    pub fn folder(&self) -> String {
        layout_folder(&self.image)
    }
}
