//! The images that a job needs: its base, and those that files are taken out of. Each is read once for all jobs.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};

use camino::Utf8PathBuf;
use tokio::sync::OnceCell;

use super::above::Documents;
use super::assemble::{Extracted, Ground, Taken};
use super::base::{Base, Pulled};
use super::deliver::Origins;
use super::progress::Steps;
use super::user::{self, Owner};
use super::{Native, blocking};
use crate::engine::docker::Docker;
use crate::engine::{EngineError, ErrorClass, Events};
use crate::manifest::ComponentName;
use crate::oci::{ImageSource, Node, Platform};
use crate::plan::{BuildPlan, ComponentPlan, ImagePlan};

/// An image that is read by whoever comes first.
type Slot<T> = Arc<OnceCell<Arc<T>>>;
type Slots<T> = Mutex<BTreeMap<(String, Platform), Slot<T>>>;

/// Images that were read, by source and platform.
#[derive(Debug, Default)]
pub(super) struct Bases {
    known: Slots<Base>,
    /// Those of which only the documents were read.
    pub(super) documents: Slots<Documents>,
}

/// The place of an image, for whoever comes first.
pub(super) fn once<T>(slots: &Slots<T>, source: &ImageSource, platform: &Platform) -> Slot<T> {
    let mut known = slots.lock().unwrap_or_else(PoisonError::into_inner);
    known.entry((source.to_string(), platform.clone())).or_default().clone()
}

/// Whether all layers of an image are needed: it is the base, or files are taken out of it.
pub(super) fn is_read_whole(plan: &ImagePlan, image: &ImageSource) -> bool {
    let is_listed =
        |part: &ComponentPlan| matches!(&part.build, BuildPlan::Image { image: own, above: None } if own == image);
    plan.base.image.as_ref() == Some(image) || plan.components.iter().any(is_listed)
}

impl Native<'_> {
    /// What components are put on, and where its layers are already.
    pub(super) async fn ground(
        &self,
        plan: &ImagePlan,
        platform: &Platform,
        origins: &mut Origins,
        steps: &Steps,
        events: &Events,
    ) -> Result<Ground, EngineError> {
        let Some(source) = &plan.base.image else { return Ok(Ground::default()) };
        let base = self.base(source, platform, steps, events).await?;
        if let Some(repository) = &base.repository {
            origins.extend(base.layers.iter().map(|layer| (layer.digest.clone(), repository.clone())));
        }
        let config = base.document.value().ok();
        let owner = self.owner(plan, source, &base).await?;
        Ok(Ground { layers: base.layers.clone(), config, rootfs: base.rootfs.clone(), owner })
    }

    /// Who owns the working folder when it is made: the user of the base, since `WORKDIR` stands before `USER`.
    async fn owner(&self, plan: &ImagePlan, source: &ImageSource, base: &Arc<Base>) -> Result<Owner, EngineError> {
        let user = base.config.config().as_ref().and_then(|config| config.user().clone()).unwrap_or_default();
        let there = base
            .rootfs
            .resolve(&plan.config.workdir)
            .is_ok_and(|path| matches!(base.rootfs.get(&path), Some(Node::Folder(_))));
        if there || user.is_empty() {
            return Ok(Owner::ROOT);
        }
        let (base, image, store) = (base.clone(), source.clone(), self.store.clone());
        blocking(move |_| {
            Owner::of(&user, |path| {
                let is_file = |path: &str| matches!(base.rootfs.get(path), Some(Node::File(..)));
                if !base.rootfs.resolve(path).is_ok_and(|path| is_file(&path)) {
                    return Ok(None);
                }
                let entry = base.extract(&image, path, &store)?.into_iter().next();
                entry.map_or(Ok(None), |entry| {
                    user::text(&entry, &store).map_err(|error| unreadable(&image, path, &error))
                })
            })
        })
        .await
    }

    /// The files that components take out of other images.
    pub(super) async fn extracted(
        &self,
        plan: &ImagePlan,
        platform: &Platform,
        steps: &Steps,
        events: &Events,
    ) -> Result<BTreeMap<ComponentName, Taken>, EngineError> {
        let mut extracted = BTreeMap::new();
        for part in &plan.components {
            if let BuildPlan::Image { image, above: None } = &part.build {
                let base = self.base(image, platform, steps, events).await?;
                extracted.insert(part.name.clone(), Taken::Files(self.taken_out(part, image, base).await?));
            }
        }
        Ok(extracted)
    }

    async fn taken_out(
        &self,
        part: &ComponentPlan,
        image: &ImageSource,
        base: Arc<Base>,
    ) -> Result<Vec<Extracted>, EngineError> {
        let mut all = Vec::new();
        for install in &part.installs {
            let (base, image, from, store) = (base.clone(), image.clone(), install.from.clone(), self.store.clone());
            let entries = blocking(move |_| base.extract(&image, &from, &store)).await?;
            for mut entry in entries {
                let to = match entry.path.as_str() {
                    "" => install.to.to_string(),
                    below => format!("{}/{below}", install.to.as_str().trim_end_matches('/')),
                };
                // as `COPY --chmod` has it: folders too, links not
                if let Some(mode) = install.mode.filter(|_| !entry.is_link()) {
                    entry.mode = mode;
                }
                all.push(Extracted { entry, to, folder: install.to.folder().to_owned() });
            }
        }
        Ok(all)
    }

    pub(super) async fn base(
        &self,
        source: &ImageSource,
        platform: &Platform,
        steps: &Steps,
        events: &Events,
    ) -> Result<Arc<Base>, EngineError> {
        let slot = once(&self.bases.known, source, platform);
        slot.get_or_try_init(|| async {
            let running = steps.begin(format!("[image] read {source}"));
            let base = self.read(source, platform, events).await?;
            steps.done(&running);
            Ok(Arc::new(base))
        })
        .await
        .cloned()
    }

    pub(super) async fn read(
        &self,
        source: &ImageSource,
        platform: &Platform,
        events: &Events,
    ) -> Result<Base, EngineError> {
        let (wanted, store) = (platform.clone(), self.store.clone());
        match source {
            ImageSource::Registry(reference) => {
                let fetched = self.registry.fetch(reference, platform, &self.store, events).await;
                let fetched = match fetched {
                    Ok(fetched) => fetched,
                    Err(error) => return Err(self.with_daemon_hint(error, source).await),
                };
                let pulled = Pulled { manifest: fetched.manifest, config: fetched.config };
                let reference = reference.clone();
                blocking(move |_| Base::from_pulled(&reference, pulled, &wanted, &store)).await
            }
            ImageSource::Daemon(reference) => match &self.docker {
                Some(docker) => Base::from_daemon(docker, reference, platform, &self.store).await,
                None => Err(EngineError::Image {
                    image: source.to_string(),
                    detail: "no Docker daemon answers\nhint: start Docker, or name an image of a registry".to_owned(),
                    class: ErrorClass::Environment,
                }),
            },
            ImageSource::File(file) => {
                let (file, root): (_, Utf8PathBuf) = (file.clone(), self.root.clone());
                blocking(move |_| Base::from_file(&file, &wanted, &root, &store)).await
            }
        }
    }

    /// A registry that cannot give an image which the daemon has: the next step is to take it from there.
    pub(super) async fn with_daemon_hint(&self, error: EngineError, source: &ImageSource) -> EngineError {
        let Some(reference) = source.reference() else { return error };
        let nearby = match (&self.docker, &self.nearby) {
            (None, Some(host)) => Docker::connect(host).await.ok(),
            _ => None,
        };
        let Some(docker) = self.docker.as_ref().or(nearby.as_ref()) else { return error };
        match docker.inspect(&reference.to_string()).await {
            Ok(Some(_)) => EngineError::Image {
                image: source.to_string(),
                detail: format!("{error}\nhint: the Docker daemon has it: name it as `docker-daemon:{reference}`"),
                class: error.class(),
            },
            _ => error,
        }
    }
}

fn unreadable(image: &ImageSource, path: &str, error: &std::io::Error) -> EngineError {
    EngineError::Image { image: image.to_string(), detail: format!("{path}: {error}"), class: ErrorClass::Environment }
}
