//! What one image build needs, and what comes of it: plain data, made by the caller from a plan.

use crate::render::context::Context;

/// One image to build.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Job {
    /// The shown name, such as `logging-operator` or `logging-operator=full`. Unique within one run.
    pub image: String,
    /// The whole Dockerfile.
    pub dockerfile: String,
    /// Everything that `COPY` may see.
    pub context: Context,
    /// References that the result gets, after it is whole.
    pub tags: Vec<String>,
    /// `linux/amd64`; the daemon's own platform when absent.
    pub platform: Option<String>,
    /// Network of the `RUN` steps.
    pub network: Network,
    /// Ignore the daemon's cache.
    pub no_cache: bool,
}

impl Job {
    /// A job with a Dockerfile and nothing else.
    pub fn new(image: impl Into<String>, dockerfile: impl Into<String>) -> Self {
        Self {
            image: image.into(),
            dockerfile: dockerfile.into(),
            context: Context::default(),
            tags: Vec::new(),
            platform: None,
            network: Network::Default,
            no_cache: false,
        }
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
    /// Image ID: the digest of the config, `sha256:…`. With the containerd image store Docker answers with the digest of
    /// the manifest here, and the same value stands in `digest`.
    pub image_id: String,
    /// The references that now name the image.
    pub tags: Vec<String>,
    /// Digest of the manifest, where the engine knows one: a daemon without the containerd image store has none before
    /// the image is pushed.
    pub digest: Option<String>,
    /// Steps that ran.
    pub steps_run: u32,
    /// Steps that came from the cache.
    pub steps_cached: u32,
}
