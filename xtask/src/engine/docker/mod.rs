//! The engine `docker`: a daemon, through its API.
//!
//! | file | is |
//! |---|---|
//! | `host.rs`, `store.rs` | which daemon is meant; pure |
//! | `connect.rs` | the connection, and [`Daemon`]: what it can do |
//! | `build.rs` | one build request, for BuildKit or the classic builder |
//! | `tar.rs`, `body.rs` | the context as a tar stream, never whole in memory |
//! | `steps.rs`, `vertex.rs`, `classic.rs` | the answer as [events](crate::engine::Event) |
//! | `parts.rs` | images of components, built once per run and shared |
//! | `assembled.rs`, `order.rs` | images that need no container: layers are made here, and those that the daemon lacks travel |
//! | `stock.rs` | [`Stock`]: which images are there, by label and by name, in one call |
//! | `images.rs`, `read_file.rs`, `export.rs` | what the daemon has |
//! | `verify.rs` | the contract of an image, before it gets a name |
//! | `probe.rs` | a command in a container that has nothing |
//! | `role.rs` | a role that runs for a while |
//! | `load.rs`, `deliver.rs` | images into the daemon, and out of it |
//! | `credentials.rs`, `errors.rs` | who we are; what went wrong |
//!
//! **References are given after the build**, one by one: a build that fails or is cancelled names nothing.
//! **No `docker` program is called**, and no file of a context is written anywhere on the way; layers that are made here are kept.
//!
//! A BuildKit session lives as long as its connection, which the daemon or the end of [`block_on`](crate::engine::block_on)
//! closes.

mod assembled;
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
mod order;
mod parts;
mod probe;
mod read_file;
mod role;
mod steps;
mod stock;
mod store;
mod tar;
mod verify;
mod vertex;

pub use assembled::Assembled;
pub use components::ComponentImage;
pub use connect::Daemon;
pub use credentials::Credentials;
pub use host::{Environment, Host, HostError};
pub use images::ImageConfig;
pub use load::Loaded;
pub use probe::{Probe, Probed};
pub use role::{Start, State};
pub use stock::Stock;

use camino::Utf8Path;

use super::store::Store;
use super::{Built, Engine, EngineError, Events, Job, Present, Proofs};
use assembled::Workshop;
use parts::Shared;

/// Requests to the builder at once, unless told otherwise.
const AT_ONCE: usize = 4;

/// A daemon that has answered.
#[derive(Debug)]
pub struct Docker {
    api: bollard::Docker,
    daemon: Daemon,
    credentials: Credentials,
    builder: Builder,
    shared: Shared,
    workshop: Option<Workshop>,
    proofs: Proofs,
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
        Ok(Self {
            api,
            daemon,
            credentials: Credentials::new(),
            builder: Builder::Auto,
            shared: Shared::new(AT_ONCE, false),
            workshop: None,
            proofs: Proofs::default(),
        })
    }

    /// Connects, and asks for all images at the same time: 20.10 starts three programs to say what it is.
    ///
    /// # Errors
    /// [`EngineError::NoDaemon`]; what the daemon says.
    pub async fn connect_and_look(host: &Host) -> Result<(Self, Stock), EngineError> {
        // who does not answer the first question is not waited for
        let (docker, stock) = tokio::try_join!(Self::connect(host), async { Ok(stock::of(host).await) })?;
        Ok((docker, stock?))
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

    /// For one run: at most so many requests to the builder at once; whether parts that another job may need are built on
    /// after one has failed.
    #[must_use]
    pub fn with_run(self, requests: usize, keep_going: bool) -> Self {
        Self { shared: Shared::new(requests, keep_going), ..self }
    }

    /// With a workspace, and a store for the layers that are made of its files.
    #[must_use]
    pub fn with_workshop(self, root: &Utf8Path, store: Store) -> Self {
        Self { workshop: Some(Workshop { root: root.to_owned(), store }), ..self }
    }

    /// With what is known of images that it has.
    #[must_use]
    pub fn with_proofs(self, proofs: Proofs) -> Self {
        Self { proofs, ..self }
    }

    /// What the daemon said about itself.
    pub fn daemon(&self) -> &Daemon {
        &self.daemon
    }

    /// Whether it looks for the layers of an image before it reads them from an archive, as Docker does. Another program that
    /// speaks its API may read all of them.
    pub fn takes_layers(&self) -> bool {
        self.uses_buildkit()
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
        if let Some(digest) = &job.pushed {
            return Ok(Built {
                image: job.image.clone(),
                image_id: String::new(),
                tags: job.tags.clone(),
                digest: Some(digest.clone()),
                steps_run: 0,
                steps_cached: 0,
                up_to_date: true,
                found: Default::default(),
            });
        }
        if let Some(present) = &job.present {
            return self.keep(job, present, events).await;
        }
        let (made, seen) = match &job.assembled {
            // its layers are looked at before they are sent
            Some(assembled) => (self.assemble(job, assembled, events).await?, ImageConfig::default()),
            None => {
                let made = self.make(job, events).await?;
                self.verify(job, &made.image_id).await?;
                let seen = self.inspect(&made.image_id).await?.unwrap_or_default();
                (made, seen)
            }
        };
        self.name(&made.image_id, job, None).await?;
        let pushed = self.deliver(job, events).await?;
        Ok(Built {
            image: job.image.clone(),
            image_id: if seen.id.is_empty() { made.image_id } else { seen.id },
            tags: job.tags.clone(),
            digest: pushed.or(seen.digest),
            steps_run: made.run,
            steps_cached: made.cached,
            up_to_date: false,
            found: Default::default(),
        })
    }
}

impl Docker {
    /// Gives an image that is there the references that it does not have, and delivers it; after a look at it, if nobody had one.
    async fn keep(&self, job: &Job, present: &Present, events: &Events) -> Result<Built, EngineError> {
        self.verify(job, &present.image_id).await?;
        self.name(&present.image_id, job, Some(present)).await?;
        let pushed = self.deliver(job, events).await?;
        Ok(Built {
            image: job.image.clone(),
            image_id: present.image_id.clone(),
            tags: job.tags.clone(),
            digest: pushed.or_else(|| present.digest.clone()),
            steps_run: 0,
            steps_cached: 0,
            up_to_date: true,
            found: Default::default(),
        })
    }

    /// Gives an image the references of its job, other than those that it has.
    async fn name(&self, image_id: &str, job: &Job, present: Option<&Present>) -> Result<(), EngineError> {
        for tag in &job.tags {
            if !present.is_some_and(|present| present.is_named(tag)) {
                self.tag(image_id, tag).await?;
            }
        }
        Ok(())
    }
}
