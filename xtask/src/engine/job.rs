//! What one image build needs, and what comes of it: plain data, made by the caller from a plan.
//!
//! Every engine has its own job, because each needs something else: a daemon a Dockerfile and a context, the native engine
//! the plan itself. What they share is a name.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use camino::Utf8PathBuf;

use super::docker::Assembled;
use crate::oci::Platform;
use crate::plan::Found;
use crate::render::context::Context;

/// Something that [`super::run`] can run.
pub trait NamedJob {
    /// The shown name, such as `logging-operator` or `logging-operator=full`. Unique within one run.
    fn image(&self) -> &str;

    /// Whether it has a beginning worth telling: what is there already only ends.
    fn begins(&self) -> bool {
        true
    }
}

/// One image to build from a Dockerfile.
#[derive(Debug, Clone, PartialEq)]
pub struct Job {
    /// The shown name, such as `logging-operator` or `logging-operator=full`. Unique within one run.
    pub image: String,
    /// The whole Dockerfile.
    pub dockerfile: String,
    /// Everything that `COPY` may see.
    pub context: Context,
    /// References that the result gets, after it is whole.
    pub tags: Vec<String>,
    /// Labels besides those of the Dockerfile.
    pub labels: BTreeMap<String, String>,
    /// `linux/amd64`; the daemon's own platform when absent.
    pub platform: Option<String>,
    /// Network of the `RUN` steps.
    pub network: Network,
    /// Ignore the daemon's cache.
    pub no_cache: bool,
    /// Files that get the image in the form of `docker save`, absolute.
    pub archives: Vec<Utf8PathBuf>,
    /// Push it to the registry of its references.
    pub push: bool,
    /// Look at what was built before it gets a name.
    pub verify: Option<Verify>,
    /// Images that its Dockerfile begins with and that are built before it, such as those of components. Each has one
    /// reference, by which other jobs of the run share it. Empty when the Dockerfile needs none.
    pub parts: Vec<Arc<Job>>,
    /// What its layers are made of on this machine, where that needs no container: then the Dockerfile is not used.
    pub assembled: Option<Box<Assembled>>,
    /// The image that this would come to, where the engine has it: then nothing is built.
    pub present: Option<Present>,
    /// The digest that all of its references name in their registry, when that is what this would come to, and it only has to
    /// be there: then nothing is done.
    pub pushed: Option<String>,
}

/// An image that an engine has.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Present {
    /// Its image ID.
    pub image_id: String,
    /// Digest of the manifest, where the engine knows one.
    pub digest: Option<String>,
    /// References that name it, written out in full.
    pub names: BTreeSet<String>,
}

/// What an image is looked at with.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Verify {
    /// The reference of its base, whose layers are not ours; absent on `scratch`.
    pub base: Option<String>,
}

impl Job {
    /// A job with a Dockerfile and nothing else.
    pub fn new(image: impl Into<String>, dockerfile: impl Into<String>) -> Self {
        Self {
            image: image.into(),
            dockerfile: dockerfile.into(),
            context: Context::default(),
            tags: Vec::new(),
            labels: BTreeMap::new(),
            platform: None,
            network: Network::Default,
            no_cache: false,
            archives: Vec::new(),
            push: false,
            verify: None,
            parts: Vec::new(),
            assembled: None,
            present: None,
            pushed: None,
        }
    }
}

impl NamedJob for Job {
    fn image(&self) -> &str {
        &self.image
    }

    fn begins(&self) -> bool {
        self.present.is_none() && self.pushed.is_none()
    }
}

impl Built {
    /// What a reference to it can be pinned to: the digest, or the image ID where the engine knows no other.
    pub fn pin(&self) -> &str {
        self.digest.as_deref().unwrap_or(&self.image_id)
    }
}

/// The network of `RUN` steps. A flag of the build request, because the frontend inside Docker 20.10 does not know
/// `RUN --network=none`.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, serde::Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Network {
    /// What the daemon gives.
    #[default]
    Default,
    /// None at all: hermetic builds.
    None,
}

/// One image that was built.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize)]
pub struct Built {
    /// The name of the job.
    pub image: String,
    /// Image ID: the digest of the config, `sha256:…`; empty for an index, which joins several images. With the containerd image store Docker answers with the digest of
    /// the manifest here, and the same value stands in `digest`.
    pub image_id: String,
    /// The references that now name the image.
    pub tags: Vec<String>,
    /// Digest of the manifest or index, where the engine knows one: a daemon without the containerd image store has none before
    /// the image is pushed.
    pub digest: Option<String>,
    /// Steps that ran.
    pub steps_run: u32,
    /// Steps that came from the cache.
    pub steps_cached: u32,
    /// It was there already, and nothing was built.
    pub up_to_date: bool,
    /// What the engine found for its plan while it built, by platform; nothing where the plan had it before.
    #[serde(skip)]
    pub found: BTreeMap<Platform, Found>,
}
