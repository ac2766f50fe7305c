//! The native engine: merged OCI images without a daemon, from the same plan.
//!
//! ```text
//! plan ─▶ compile ─▶ programs ─┐
//!      ─▶ base ────▶ Ground ───┼─▶ contents ─▶ shelf ─▶ layers ─▶ Image ─▶ Bundle ─▶ layout, archives, load, push
//!      ─▶ files ───────────────┘
//! ```
//!
//! | file | is |
//! |---|---|
//! | `base/`, `bases.rs` | bases and sources, verified; each read once |
//! | `above/` | layers of other images, used as they are |
//! | `compile/`, `programs.rs`, `go.rs` | cargo and Go components, compiled on this machine, once for all images |
//! | `job.rs` | [`NativeJob`] and [`Output`], plain data |
//! | `entry.rs`, `contents.rs` | what a layer is made of, and how a plan becomes that |
//! | `layer.rs` | entries to a layer: tar, digests and compression in one pass |
//! | `shelf.rs`, `making.rs` | layers that were made before; those of one image |
//! | `packed.rs` | how large layers are when they are compressed, or unpacked |
//! | `user.rs` | who owns a working folder that is made |
//! | `recall.rs`, `remote.rs` | images that were made before, here and in a registry |
//! | `config.rs`, `assemble.rs` | the configuration, and the image above its base |
//! | `verify.rs` | the contract of an image, before its layout names it, or before one that is there is taken |
//! | `bundle.rs` | an image for each platform, and their index |
//! | `layout.rs`, `archive.rs` | where it is written |
//! | `deliver.rs` | files, the Docker daemon, registries |
//! | `progress.rs` | steps as events |
//!
//! **Same inputs, same bytes**: nothing of the machine, the directory, the clock, the locale or the umask reaches a layer.
//! Times are those of `SOURCE_DATE_EPOCH`, or of the newest commit that changed a component.
//! **The same image as with Docker**: file tree, owners, modes and configuration; the number of layers may differ on a base.

mod above;
mod archive;
mod assemble;
pub mod base;
mod bases;
mod bundle;
pub mod compile;
mod config;
mod contents;
mod deliver;
pub mod entry;
mod go;
mod job;
mod layer;
mod layout;
mod making;
mod packed;
mod programs;
mod progress;
mod recall;
mod remote;
mod shelf;
mod user;
mod verify;

pub use archive::ArchiveKind;
pub(in crate::engine) use archive::write_docker;
pub use assemble::{Extracted, Ground, Parts, Taken, Times};
pub use bundle::Bundle;
pub use config::own_layers;
pub use contents::ContentsError;
pub use entry::{Content, EntryKind, LayerEntry};
pub use go::GoCompiler;
pub use job::{NativeJob, Output, layout_folder};
pub use layer::{GZIP_LEVEL, LayerError, ZSTD_LEVEL};
pub(in crate::engine) use making::Making;
pub use packed::{packed_size, unpacked_size};
pub use programs::Compiler;
pub(in crate::engine) use progress::Steps;
pub use shelf::{LayerPlan, Request, Shelved, Whole, component_of, provide};
pub use user::Owner;
pub(in crate::engine) use verify::Unnamed;

use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use camino::{Utf8Path, Utf8PathBuf};

use super::docker::Docker;
use super::docker::host::Host;
use super::registry::Registry;
use super::store::Store;
use super::{Built, Engine, EngineError, Events, Proofs};
use crate::manifest::ComponentName;
use crate::oci::{Image, Platform};
use crate::plan::ImagePlan;
use bases::Bases;
use deliver::Origins;
use programs::Programs;

/// Where layouts are, in the state folder.
const LAYOUTS: &str = "oci";

/// The engine.
#[derive(Debug)]
pub struct Native<'w> {
    root: Utf8PathBuf,
    /// `target/groupage`.
    state: Utf8PathBuf,
    store: Store,
    proofs: Proofs,
    docker: Option<Docker>,
    nearby: Option<Host>,
    registry: Registry,
    compiler: Option<Compiler<'w>>,
    go: Option<GoCompiler>,
    bases: Bases,
}

impl<'w> Native<'w> {
    /// An engine for a workspace, which keeps what it makes below `folder` (`target/groupage`).
    ///
    /// # Errors
    /// [`EngineError::Local`] when the folder cannot be used.
    pub fn open(root: &Utf8Path, folder: &Utf8Path, registry: Registry) -> Result<Self, EngineError> {
        let store = Store::of(folder).map_err(local(format!("use {folder}")))?;
        Ok(Self {
            root: root.to_owned(),
            state: folder.to_owned(),
            proofs: Proofs::of(Some(store.clone())),
            store,
            docker: None,
            nearby: None,
            registry,
            compiler: None,
            go: None,
            bases: Bases::default(),
        })
    }

    /// With a daemon to load images into.
    #[must_use]
    pub fn with_docker(self, docker: Option<Docker>) -> Self {
        Self { docker, ..self }
    }

    /// With the address of a daemon that is asked when a registry cannot give an image, for a hint.
    #[must_use]
    pub fn with_nearby(self, nearby: Option<Host>) -> Self {
        Self { nearby, ..self }
    }

    /// With what compiles cargo components.
    #[must_use]
    pub fn with_compiler(self, compiler: Option<Compiler<'w>>) -> Self {
        Self { compiler, ..self }
    }

    /// With what compiles Go components.
    #[must_use]
    pub fn with_go(self, go: Option<GoCompiler>) -> Self {
        Self { go, ..self }
    }

    /// The images of a job, when its layout holds them whole: nothing has to be made. Asks nobody; what is behind names
    /// without a digest is not looked up, so that a job with such names is recalled only when it is built.
    pub fn recall(&self, job: &NativeJob) -> Option<Vec<Image>> {
        let is_open = job.plans.iter().any(|(_, plan)| plan.open_images().next().is_some());
        if job.is_anew() || is_open { None } else { self.recalled(job) }
    }

    fn recalled(&self, job: &NativeJob) -> Option<Vec<Image>> {
        recall::from_layout(&self.state.join(LAYOUTS).join(job.folder()), job, &self.store)
    }

    /// The job with the digests behind all names.
    async fn settled(&self, job: &NativeJob, steps: &Steps, events: &Events) -> Result<NativeJob, EngineError> {
        let mut settled = job.clone();
        for (platform, plan) in &mut settled.plans {
            let (mut found, open) = (plan.found.clone(), plan.open_images().collect::<Vec<_>>());
            if open.is_empty() {
                continue;
            }
            for name in open {
                let Some(source) = plan.source_of(&name) else { continue };
                let digest = if bases::is_read_whole(plan, source) {
                    let base = self.base(source, platform, steps, events).await?;
                    base.digest.clone().unwrap_or_else(|| base.document.digest.clone())
                } else {
                    self.documents(source, platform, events).await?.digest().clone()
                };
                found.images.insert(name, digest.to_string());
            }
            *plan = plan.with_found(&found);
        }
        Ok(settled)
    }

    /// The images of a job: those of its registry, or new ones.
    async fn images(
        &self,
        job: &NativeJob,
        origins: &mut Origins,
        steps: &Arc<Steps>,
        events: &Events,
    ) -> Result<Vec<Image>, EngineError> {
        if job.pull
            && !job.is_anew()
            && let Some(pulled) = self.pulled(job, events).await
        {
            self.prove(job, &pulled).await?;
            steps.cached("[registry] pull");
            return Ok(pulled);
        }
        let mut programs = match &self.compiler {
            Some(compiler) => compiler.programs(job, steps, events).await?,
            None => Programs::new(),
        };
        if let Some(go) = &self.go {
            go.add_programs(job, &mut programs, steps, events).await?;
        }
        let (none, mut images) = (BTreeMap::new(), Vec::new());
        for planned in &job.plans {
            let programs = programs.get(&planned.0).unwrap_or(&none);
            images.push(self.image(job, planned, programs, origins, steps, events).await?);
        }
        Ok(images)
    }

    async fn image(
        &self,
        job: &NativeJob,
        (platform, plan): &(Platform, ImagePlan),
        programs: &BTreeMap<ComponentName, Utf8PathBuf>,
        origins: &mut Origins,
        steps: &Arc<Steps>,
        events: &Events,
    ) -> Result<Image, EngineError> {
        let ground = &self.ground(plan, platform, origins, steps, events).await?;
        let mut taken = self.taken_above(plan, platform, ground, origins, steps, events).await?;
        taken.extend(self.extracted(plan, platform, steps, events).await?);
        let parts = Parts { plan, platform, ground, programs, taken: &taken, times: &job.times };
        let unfit =
            |error: ContentsError| EngineError::Assembly { image: job.image.clone(), detail: error.to_string() };
        let wanted = parts.layers(&self.root).map_err(unfit)?;
        self.compare(&job.image, &wanted, platform).await?;
        let making = Making {
            image: &job.image,
            store: &self.store,
            compression: job.compression,
            no_cache: job.no_cache,
            no_cache_filter: &job.no_cache_filter,
        };
        let layers = making.layers(wanted.clone(), steps).await?;
        let image = parts.image(&wanted, layers);
        if job.verify {
            let unnamed = Unnamed::new(&job.image, platform, &image, ground, wanted, &self.store);
            unnamed.verify().await?;
            self.proofs.add(&image.config.digest.to_string());
        }
        Ok(image)
    }
}

impl Native<'_> {
    /// Looks at images that were there before, if the job asks for it and nobody has.
    async fn prove(&self, job: &NativeJob, images: &[Image]) -> Result<(), EngineError> {
        for image in images.iter().filter(|_| job.verify) {
            let id = image.config.digest.to_string();
            if !self.proofs.has(&id) {
                let (name, image, store) = (job.image.clone(), image.clone(), self.store.clone());
                blocking(move |_| verify::stored(&name, image, &store)).await?;
                self.proofs.add(&id);
            }
        }
        Ok(())
    }

    /// Components that give the same path in two ways: found before anything is written.
    async fn compare(&self, image: &str, wanted: &[LayerPlan], platform: &Platform) -> Result<(), EngineError> {
        let (wanted, platform, store) = (wanted.to_vec(), platform.clone(), self.store.clone());
        let findings = blocking(move |_| above::clashes(&wanted, &platform, &store)).await;
        match findings.is_empty() {
            true => Ok(()),
            false => Err(EngineError::Clash { image: image.to_owned(), findings }),
        }
    }
}

impl Engine for Native<'_> {
    type Job = NativeJob;

    async fn build(&self, job: &NativeJob, events: &Events) -> Result<Built, EngineError> {
        let steps = Arc::new(Steps::new(&job.image, events));
        let job = &self.settled(job, &steps, events).await?;
        let made = job.made.clone().or_else(|| self.recalled(job).filter(|_| !job.is_anew()));
        if let Some(made) = &made {
            self.prove(job, made).await?;
        }
        if let Some(built) = self.pushed_before(job, events).await? {
            return Ok(built);
        }
        let mut origins = Origins::new();
        let up_to_date = made.is_some();
        let images = match made {
            Some(made) => {
                origins.extend(recall::origins(job, &made));
                made
            }
            None => self.images(job, &mut origins, &steps, events).await?,
        };
        let bundle = Arc::new(Bundle::new(images, job.tags.clone()));
        let below = Utf8Path::new(LAYOUTS).join(job.folder());
        let action = format!("write {}", self.state.join(&below));
        let (state, own, store) = (self.state.clone(), bundle.clone(), self.store.clone());
        let written = blocking(move |_| layout::write(&state, &below, &own, &store)).await;
        written.map_err(local(action))?;
        self.deliver(job, &bundle, &origins, &steps, events).await?;
        let (steps_run, steps_cached) = steps.counts();
        let image_id = match &bundle.images[..] {
            [image] => image.config.digest.to_string(),
            _ => String::new(),
        };
        let digest = Some(bundle.root().digest.to_string());
        Ok(Built {
            image: job.image.clone(),
            image_id,
            tags: job.tags.clone(),
            digest,
            steps_run,
            steps_cached,
            up_to_date,
            found: job.found(),
        })
    }
}

/// Runs work on a thread of its own. The flag is set when nobody waits for it any more.
async fn blocking<T: Send + 'static>(work: impl FnOnce(&AtomicBool) -> T + Send + 'static) -> T {
    struct Stop(Arc<AtomicBool>);
    impl Drop for Stop {
        fn drop(&mut self) {
            self.0.store(true, Ordering::Relaxed);
        }
    }
    let cancelled = Arc::new(AtomicBool::new(false));
    let stop = Stop(cancelled.clone());
    let result = tokio::task::spawn_blocking(move || work(&cancelled)).await;
    drop(stop);
    match result {
        Ok(value) => value,
        Err(error) => match error.try_into_panic() {
            Ok(panic) => std::panic::resume_unwind(panic),
            // the runtime ends, and with it whoever waits here
            Err(_) => std::future::pending().await,
        },
    }
}

/// What the layer of a component is called.
fn layer_name(component: &ComponentName) -> String {
    format!("comp-{component}")
}

fn local(action: String) -> impl FnOnce(std::io::Error) -> EngineError {
    move |error| EngineError::Local { action, detail: error.to_string() }
}
