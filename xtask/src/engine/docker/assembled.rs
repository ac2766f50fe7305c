//! Images that need no container: their layers are made on this machine, as the native engine makes them, and the daemon gets
//! those that it lacks by `load` instead of building anything.
//!
//! A request to BuildKit of Docker 20.10 costs a tenth of a second of processor time before it does anything, and then every
//! file is copied into the daemon, into the stage, into the image, and read again to know its digest. A layer that comes by
//! `load` is written twice: to a folder for what has arrived, and to its place. An image of which one component has
//! changed is one small archive: its configuration and two layers.
//!
//! **What a layer costs the daemon** (20.10 starts a process of its own for each that it unpacks) it costs again for every
//! image and for all layers above one that changed, so that their order matters: see [`order`](super::order). The first
//! change of a component that lies low in an image sends what lies above it; after that it is on top.
//!
//! **What is the same as by BuildKit**: files, modes, owners, configuration and labels; times are those of the native engine,
//! and so is the creation in `docker images` and each line of `docker history`. The layers are those of the native engine as
//! well, so that whoever loads its images sends nothing twice either.
//!
//! **When it is not done** the image goes to the builder as before: a component that a container must make or that comes out
//! of another image, a base, templates of the workspace's own, the classic builder, Podman, and the containerd image store,
//! which does not look for layers before it reads them. Should a daemon miss a layer that it had, the whole image is sent.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use camino::Utf8PathBuf;

use super::build::Made;
use super::order::{Had, common, order};
use super::{Docker, errors};
use crate::engine::native::{Ground, Making, Parts, Steps, Times, Unnamed};
use crate::engine::store::Store;
use crate::engine::{EngineError, Events, Job};
use crate::manifest::ComponentName;
use crate::oci::{Compression, Platform};
use crate::plan::ImagePlan;

/// What the layers of an image are made of.
#[derive(Debug, Clone, PartialEq)]
pub struct Assembled {
    /// The plan, for this platform.
    pub plan: ImagePlan,
    /// The platform.
    pub platform: Platform,
    /// Times of the layers.
    pub times: Times,
    /// The image that was made before, by its ID: its layers stay where they are.
    pub before: Option<String>,
    /// Make the layers of these components again.
    pub no_cache_filter: BTreeSet<ComponentName>,
}

/// Where layers are made.
#[derive(Debug)]
pub(super) struct Workshop {
    /// The workspace.
    pub(super) root: Utf8PathBuf,
    /// Where layers are kept.
    pub(super) store: Store,
}

impl Docker {
    /// Makes the layers of an image and loads those that the daemon lacks; names nothing.
    ///
    /// # Errors
    /// A file is not what the plan saw; the store or the daemon refuses.
    pub(super) async fn assemble(
        &self,
        job: &Job,
        assembled: &Assembled,
        events: &Events,
    ) -> Result<Made, EngineError> {
        let unfit = |detail: String| EngineError::Assembly { image: job.image.clone(), detail };
        let workshop = self.workshop.as_ref().ok_or_else(|| unfit("there is no place for its layers".to_owned()))?;
        let steps = Arc::new(Steps::new(&job.image, events));
        let (ground, programs, taken) = (Ground::default(), BTreeMap::new(), BTreeMap::new());
        let Assembled { plan, platform, times, before, no_cache_filter } = assembled;
        let parts = Parts { plan, platform, ground: &ground, programs: &programs, taken: &taken, times };
        let wanted = parts.layers(&workshop.root).map_err(|error| unfit(error.to_string()))?;
        let making = Making {
            image: &job.image,
            store: &workshop.store,
            compression: Compression::None,
            no_cache: job.no_cache,
            no_cache_filter,
        };
        let (layers, had) = tokio::join!(making.layers(wanted.clone(), &steps), self.had(before.as_deref()));
        let (layers, had) = (layers?, had.unwrap_or_default());
        let order = order(&wanted, &layers, &had);
        let wanted: Vec<_> = order.iter().map(|index| wanted[*index].clone()).collect();
        let layers: Vec<_> = order.iter().map(|index| layers[*index].clone()).collect();
        let known = common(&layers, &had);
        let image = parts.image(&wanted, layers);
        if job.verify.is_some() {
            let unnamed = Unnamed::new(&job.image, platform, &image, &ground, wanted, &workshop.store);
            unnamed.verify().await?;
            self.proofs.add(&image.config.digest.to_string());
        }
        let running = steps.begin("[image] load");
        self.load_above(&job.image, &image, &[], &workshop.store, known, events).await?;
        steps.done(&running);
        let (run, cached) = steps.counts();
        Ok(Made { image_id: image.config.digest.to_string(), run, cached })
    }

    /// The layers that an image of ours has, lowest first; none when somebody else made it, or when it is gone.
    async fn had(&self, image_id: Option<&str>) -> Result<Vec<Had>, EngineError> {
        let Some(id) = image_id else { return Ok(Vec::new()) };
        let (image, history) = tokio::join!(self.inspect(id), self.api.image_history(id));
        let history = history.map_err(|error| errors::other(format!("read the history of {id}"), &error))?;
        let names =
            history.into_iter().rev().filter_map(|entry| entry.created_by.strip_prefix("groupage ").map(str::to_owned));
        let names: Vec<String> = names.collect();
        let diff_ids = image?.unwrap_or_default().layers;
        if names.len() != diff_ids.len() {
            return Ok(Vec::new());
        }
        Ok(names.into_iter().zip(diff_ids).map(|(name, diff_id)| Had { name, diff_id }).collect())
    }
}
