//! Where a bundle goes besides its layout: files, the Docker daemon, registries.

use std::collections::BTreeMap;
use std::sync::Arc;

use super::archive::{self, ArchiveKind};
use super::bundle::Bundle;
use super::job::{NativeJob, Output};
use super::progress::Steps;
use super::{Native, blocking, local};
use crate::engine::registry::{Blob, PushImage, PushRequest};
use crate::engine::{EngineError, Event, Events};
use crate::oci::{Digest, Reference};

/// Repositories of bases, by the digest of the layers that come from them: a registry that has both need not be sent them.
pub(super) type Origins = BTreeMap<Digest, Reference>;

impl Native<'_> {
    pub(super) async fn deliver(
        &self,
        job: &NativeJob,
        bundle: &Arc<Bundle>,
        origins: &Origins,
        steps: &Steps,
        events: &Events,
    ) -> Result<(), EngineError> {
        for output in &job.outputs {
            match output {
                Output::Archive { kind, path } => {
                    let running = steps.begin(format!("[output] write {path}"));
                    let (kind, file, bundle, store) = (*kind, path.clone(), bundle.clone(), self.store.clone());
                    single_for_docker(job, &bundle, kind)?;
                    let written = blocking(move |_| archive::write_file(&file, kind, &bundle, &store)).await;
                    written.map_err(local(format!("write {path}")))?;
                    steps.done(&running);
                }
                Output::Load => self.load(job, bundle, steps, events).await?,
                Output::Push => {
                    let running = steps.begin("[output] push");
                    self.push(job, bundle, origins, events).await?;
                    steps.done(&running);
                }
            }
        }
        Ok(())
    }

    async fn load(&self, job: &NativeJob, bundle: &Bundle, steps: &Steps, events: &Events) -> Result<(), EngineError> {
        let docker = self.docker.as_ref().ok_or_else(|| EngineError::Local {
            action: format!("load {}", job.image),
            detail: "there is no Docker daemon".to_owned(),
        })?;
        let running = steps.begin("[output] load into the Docker daemon");
        single_for_docker(job, bundle, ArchiveKind::Docker)?;
        docker.load(&job.image, &bundle.images[0], &job.tags, &self.store, events).await?;
        steps.done(&running);
        Ok(())
    }

    /// Pushes to every repository that a reference names; the references of one repository move together.
    async fn push(
        &self,
        job: &NativeJob,
        bundle: &Bundle,
        origins: &Origins,
        events: &Events,
    ) -> Result<(), EngineError> {
        let mut repositories: BTreeMap<(String, String), Vec<Reference>> = BTreeMap::new();
        for tag in &job.tags {
            let reference: Reference = tag.parse().map_err(|error: crate::oci::ReferenceError| {
                EngineError::InvalidReference { reference: tag.clone(), detail: error.to_string() }
            })?;
            let repository = (reference.registry().to_owned(), reference.repository().to_owned());
            repositories.entry(repository).or_default().push(reference);
        }
        for references in repositories.values() {
            let target = references[0].clone();
            let blob = |layer: &crate::oci::Layer| Blob {
                digest: layer.digest.clone(),
                size: layer.size,
                path: self.store.path(&layer.digest),
                mount_from: origins
                    .get(&layer.digest)
                    .filter(|origin| origin.registry() == target.registry())
                    .map(|origin| origin.repository().to_owned()),
            };
            let image = |image: &crate::oci::Image| PushImage {
                manifest: image.manifest.clone(),
                config: image.config.clone(),
                blobs: image.layers.iter().map(blob).collect(),
            };
            let request = PushRequest {
                image: job.image.clone(),
                images: bundle.images.iter().map(image).collect(),
                index: bundle.index.clone(),
                tags: references.iter().map(|reference| reference.tag().unwrap_or("latest").to_owned()).collect(),
                target: target.clone(),
            };
            self.registry.push(&request, events).await?;
            for reference in references {
                let (image, reference) = (job.image.clone(), reference.to_string());
                events.emit(Event::Pushed { image, reference });
            }
        }
        Ok(())
    }
}

/// The form of `docker save`, and the daemon of Docker, hold one platform under a name.
fn single_for_docker(job: &NativeJob, bundle: &Bundle, kind: ArchiveKind) -> Result<(), EngineError> {
    if kind == ArchiveKind::Oci || bundle.images.len() == 1 {
        return Ok(());
    }
    let detail = format!(
        "the form of `docker save` holds one platform, and there are {}\nhint: choose one with --platform, or write type=oci",
        bundle.images.len()
    );
    Err(EngineError::Assembly { image: job.image.clone(), detail })
}
