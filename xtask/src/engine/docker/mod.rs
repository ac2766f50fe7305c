//! The engine `docker`: a daemon, through its API.
//!
//! | file | is |
//! |---|---|
//! | `host.rs`, `store.rs` | which daemon is meant; pure |
//! | `connect.rs` | the connection, and [`Daemon`]: what it can do |
//! | `build.rs` | one build request, for BuildKit or the classic builder |
//! | `tar.rs`, `body.rs` | the context as a tar stream, never whole in memory |
//! | `steps.rs`, `vertex.rs`, `classic.rs` | the answer as [events](crate::engine::Event) |
//! | `images.rs`, `read_file.rs`, `export.rs` | what the daemon has |
//! | `load.rs`, `deliver.rs` | images into the daemon, and out of it |
//! | `credentials.rs`, `errors.rs` | who we are; what went wrong |
//!
//! **References are given after the build**, one by one: a build that fails or is cancelled names nothing.
//! **No `docker` program is called**, and no file of the context is written anywhere on the way.
//!
//! A BuildKit session lives as long as its connection, which the daemon or the end of [`block_on`](crate::engine::block_on)
//! closes.

mod body;
mod build;
mod classic;
mod components;
mod connect;
mod credentials;
mod deliver;
mod errors;
mod export;
pub mod host;
mod images;
mod load;
mod read_file;
mod steps;
mod store;
mod tar;
mod vertex;

pub use components::{COMPONENT_LABEL, ComponentImage};
pub use connect::Daemon;
pub use credentials::Credentials;
pub use host::{Environment, Host, HostError};
pub use images::ImageConfig;
pub use load::Loaded;

use super::{Built, Engine, EngineError, Events, Job};

/// A daemon that has answered.
#[derive(Debug)]
pub struct Docker {
    api: bollard::Docker,
    daemon: Daemon,
    credentials: Credentials,
    builder: Builder,
}

/// Which builder of the daemon is used.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum Builder {
    /// BuildKit where the daemon has it.
    #[default]
    Auto,
    /// The classic builder, even where there is BuildKit.
    Classic,
}

impl Docker {
    /// Connects to a daemon and asks it what it can do.
    ///
    /// # Errors
    /// [`EngineError::NoDaemon`].
    pub async fn connect(host: &Host) -> Result<Self, EngineError> {
        let (api, daemon) = connect::connect(host).await?;
        #[cfg(feature = "tls")]
        crate::engine::crypto::install();
        Ok(Self { api, daemon, credentials: Credentials::new(), builder: Builder::Auto })
    }

    /// With accounts for registries.
    #[must_use]
    pub fn with_credentials(self, credentials: Credentials) -> Self {
        Self { credentials, ..self }
    }

    /// With a certain builder.
    #[must_use]
    pub fn with_builder(self, builder: Builder) -> Self {
        Self { builder, ..self }
    }

    /// What the daemon said about itself.
    pub fn daemon(&self) -> &Daemon {
        &self.daemon
    }

    fn uses_buildkit(&self) -> bool {
        self.daemon.buildkit && self.builder == Builder::Auto
    }
}

impl Engine for Docker {
    type Job = Job;

    async fn build(&self, job: &Job, events: &Events) -> Result<Built, EngineError> {
        // A name that cannot be given is found before the work, not after it.
        job.tags.iter().try_for_each(|tag| images::checked_name(tag).map(drop))?;
        let made = build::build(&self.api, job, self.uses_buildkit(), &self.credentials, events).await?;
        let seen = self.inspect(&made.image_id).await?.unwrap_or_default();
        for tag in &job.tags {
            self.tag(&made.image_id, tag).await?;
        }
        let pushed = self.deliver(job, events).await?;
        Ok(Built {
            image: job.image.clone(),
            image_id: if seen.id.is_empty() { made.image_id } else { seen.id },
            tags: job.tags.clone(),
            digest: pushed.or(seen.digest),
            steps_run: made.run,
            steps_cached: made.cached,
        })
    }
}
