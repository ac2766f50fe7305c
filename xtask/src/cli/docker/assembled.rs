//! Which images need no container, so that this program makes their layers itself; see [`crate::engine::docker`].

use std::collections::{BTreeMap, BTreeSet};

use super::Known;
use crate::cli::session::Loaded;
use crate::cli::status::Stop;
use crate::cli::{build, daemon, native};
use crate::engine::docker::{Assembled, Docker};
use crate::engine::store::Store;
use crate::engine::{EngineError, Job};
use crate::plan::{BuildPlan, ImagePlan, Plan, fingerprint};
use crate::workspace::MEMORY_FOLDER;

/// Those of some images, by ID, with all that they are made of.
///
/// # Errors
/// The time that is asked for is none.
pub(super) fn choose(known: &Known<'_>, missing: &Plan, docker: &Docker) -> Result<BTreeMap<String, Assembled>, Stop> {
    // what a template says that is not ours only a builder can do
    let has_own_templates = !known.loaded.sources.templates.is_empty();
    if !docker.takes_layers() || known.stock.is_of_containerd() || has_own_templates {
        return Ok(BTreeMap::new());
    }
    let images: Vec<ImagePlan> = missing.images.iter().filter(|image| is_of_files(image)).cloned().collect();
    if images.is_empty() {
        return Ok(BTreeMap::new());
    }
    let plan = Plan { schema: missing.schema, images };
    let memory = known.loaded.workspace.root.join(MEMORY_FOLDER);
    let (times, _) = native::times(known.loaded, &plan, native::epoch(known.session)?, &memory);
    let filter: BTreeSet<_> = known.arguments.no_cache_filter.iter().filter_map(|name| name.parse().ok()).collect();
    let of = |(image, times): (&ImagePlan, _)| {
        let assembled = Assembled {
            plan: image.clone(),
            platform: known.platform.clone(),
            times,
            before: before(known, image),
            no_cache_filter: filter.clone(),
        };
        (image.id.clone(), assembled)
    };
    Ok(plan.images.iter().zip(times).map(of).collect())
}

/// The daemon with a place for layers, if a job makes some.
///
/// # Errors
/// The place cannot be used.
pub(super) fn with_workshop(
    docker: Docker,
    loaded: &Loaded,
    jobs: &[Job],
    store: std::io::Result<Store>,
) -> Result<Docker, Stop> {
    if jobs.iter().all(|job| job.assembled.is_none()) {
        return Ok(docker);
    }
    let root = &loaded.workspace.root;
    let folder = root.join(MEMORY_FOLDER);
    let unusable = |error: std::io::Error| {
        daemon::stop(EngineError::Local { action: format!("use {folder}"), detail: error.to_string() })
    };
    Ok(docker.with_workshop(root, store.map_err(unusable)?))
}

fn is_of_files(image: &ImagePlan) -> bool {
    image.base.image.is_none() && image.components.iter().all(|part| matches!(part.build, BuildPlan::Files))
}

/// The image that was made of the same definition before, unless all is to be made anew.
fn before(known: &Known<'_>, image: &ImagePlan) -> Option<String> {
    if known.arguments.no_cache {
        return None;
    }
    let label = |name: &str| Some((name.to_owned(), image.config.labels.get(name)?.clone()));
    let platform = (fingerprint::PLATFORM_LABEL.to_owned(), known.platform.to_string());
    let labels = ["dev.groupage.image", "dev.groupage.part", "dev.groupage.variant"]
        .into_iter()
        .filter_map(label)
        .chain([platform]);
    known.stock.latest(&labels.collect(), &build::tags(known.arguments, image)).map(str::to_owned)
}
