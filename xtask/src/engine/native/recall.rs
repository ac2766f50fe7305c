//! Images that were made before: what an image says of itself is compared with what is wanted, and nothing is made again.
//!
//! An image is the one that is wanted when, for each platform, its labels name the fingerprint and the platform, the stamp is the
//! same, its layers have the wanted compression, and they were made with the wanted times: these stand in its history, since
//! a layer of another time has other bytes. A layout must also be whole: every document is compared with its digest, every
//! layer is in the store with the size that it has.

use std::collections::BTreeSet;

use camino::Utf8Path;
use serde_json::Value;

use super::assemble::Times;
use super::config::own_steps;
use super::deliver::Origins;
use super::job::NativeJob;
use super::shelf::component_of;
use crate::engine::store::Store;
use crate::oci::{Compression, Digest, Document, Image, ImageSource, Platform, media, read_image, rfc3339};
use crate::plan::{ImagePlan, fingerprint};
use crate::workspace::state::read_plain;

/// Largest document of a layout that is read.
const LIMIT: u64 = 16 * 1024 * 1024;

/// The images of a layout, if they are those of a job, in the order of its platforms.
pub(super) fn from_layout(folder: &Utf8Path, job: &NativeJob, store: &Store) -> Option<Vec<Image>> {
    let layout = Layout { blobs: folder.join("blobs/sha256") };
    let index: Value = serde_json::from_slice(&read_plain(&folder.join("index.json"), LIMIT).ok()?).ok()?;
    let roots: BTreeSet<&str> = list(&index["manifests"]).filter_map(|entry| entry["digest"].as_str()).collect();
    let root = layout.document(only(roots)?.parse().ok()?)?;
    let images = match root.value().ok()? {
        index if index["manifests"].is_array() => {
            let digests = list(&index["manifests"]).map(|entry| entry["digest"].as_str()?.parse().ok());
            digests.map(|digest| layout.image(layout.document(digest?)?)).collect::<Option<Vec<Image>>>()?
        }
        _ => vec![layout.image(root)?],
    };
    let images = chosen(images, job)?;
    let stored = |image: &Image| image.layers.iter().all(|layer| store.has(&layer.digest, layer.size));
    images.iter().all(stored).then_some(images)
}

/// Those of some images that a job wants, if they are exactly those.
pub(super) fn chosen(images: Vec<Image>, job: &NativeJob) -> Option<Vec<Image>> {
    if images.len() != job.plans.len() {
        return None;
    }
    let fitting = |(platform, plan): &(Platform, ImagePlan)| {
        images.iter().find(|image| is_wanted(image, plan, platform, &job.times, job.compression)).cloned()
    };
    job.plans.iter().map(fitting).collect()
}

/// Where the layers below ours came from, as far as the plan names it: a registry that has both need not be sent them.
pub(super) fn origins(job: &NativeJob, images: &[Image]) -> Origins {
    let mut origins = Origins::new();
    for ((_, plan), image) in job.plans.iter().zip(images) {
        let Some(base) = plan.base.image.as_ref().and_then(ImageSource::reference) else { continue };
        let own = image.config.value().map_or(0, |config| own_steps(&config).len());
        let below = image.layers.len().saturating_sub(own);
        origins.extend(image.layers[..below].iter().map(|layer| (layer.digest.clone(), base.clone())));
    }
    origins
}

/// Whether an image is what a build of this plan would give.
fn is_wanted(image: &Image, plan: &ImagePlan, platform: &Platform, times: &Times, compression: Compression) -> bool {
    let Ok(config) = image.config.value() else { return false };
    let said = &config["config"]["Labels"];
    let mut wanted = fingerprint::labels(plan, platform).into_iter();
    let own = own_steps(&config);
    wanted.all(|(key, value)| said[key].as_str() == Some(&value))
        && !own.is_empty()
        && own.iter().all(|step| {
            let time = match component_of(&step.name) {
                Some((component, _)) => {
                    times.components.iter().find(|(name, _)| name.as_str() == component).map(|(_, at)| *at)
                }
                None => Some(times.image),
            };
            step.created == rfc3339(time.unwrap_or_default())
        })
        && image.layers.iter().rev().zip(&own).all(|(layer, step)| {
            // one that is used as it is has the form that it has elsewhere
            layer.compression == compression || component_of(&step.name).is_some_and(|(_, is_taken)| is_taken)
        })
}

/// The documents of a layout.
struct Layout {
    blobs: camino::Utf8PathBuf,
}

impl Layout {
    fn document(&self, digest: Digest) -> Option<Document> {
        let bytes = read_plain(&self.blobs.join(digest.hex()), LIMIT).ok()?;
        let value: Value = serde_json::from_slice(&bytes).ok()?;
        let document = Document::from_bytes(value["mediaType"].as_str().unwrap_or(media::CONFIG), bytes);
        (document.digest == digest).then_some(document)
    }

    fn image(&self, manifest: Document) -> Option<Image> {
        let config = manifest.value().ok()?["config"]["digest"].as_str()?.parse().ok()?;
        read_image(manifest, self.document(config)?).ok()
    }
}

fn list(value: &Value) -> impl Iterator<Item = &Value> {
    value.as_array().into_iter().flatten()
}

fn only(set: BTreeSet<&str>) -> Option<&str> {
    (set.len() == 1).then(|| set.into_iter().next())?
}
