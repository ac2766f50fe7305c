//! The part of the cache that lies in a Docker daemon: images of single components, `groupage/component/NAME:HASH`.
//!
//! A daemon serves many workspaces. Only images of components that this workspace has are removed, and of those only the ones
//! that no image of it, in any variant and on any platform, is made of any more.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;

use serde::Serialize;

use super::super::args::SelectionArguments;
use super::super::session::Session;
use super::super::status::Stop;
use super::super::{daemon, pins};
use super::size;
use crate::engine::docker::{ComponentImage, Docker};
use crate::plan::{ImagePlan, Plan, fingerprint};

/// What the names of component images begin with.
const REPOSITORY: &str = "groupage/component/";
/// A shorter hash could belong to anything.
const SHORTEST: usize = 8;

/// Component images of the daemon, of all workspaces.
#[derive(Debug, Clone, Copy, Serialize)]
pub(super) struct Held {
    pub(super) count: usize,
    pub(super) bytes: u64,
}

/// What the daemon holds; nothing where none answers, unless one was named.
pub(super) fn held(session: &Session<'_>, host: Option<&str>) -> Result<Option<Held>, Stop> {
    let asked = daemon::wait(async {
        let docker = daemon::connect(session, host).await?;
        docker.component_images().await.map_err(daemon::stop)
    });
    match asked {
        Ok(images) => Ok(Some(Held { count: images.len(), bytes: images.iter().map(|image| image.size).sum() })),
        Err(stop) if host.is_some() => Err(stop),
        Err(_) => Ok(None),
    }
}

/// Removes what no plan needs; what was done, as text.
pub(super) fn prune(session: &Session<'_>, host: Option<&str>, dry_run: bool) -> Result<String, Stop> {
    let plan = current_plan(session)?;
    let loaded = session.load_manifests()?;
    let own: BTreeSet<&str> = loaded.manifests.components.keys().map(|name| name.as_str()).collect();
    let current = hashes(&plan);
    daemon::wait(async {
        let docker = daemon::connect(session, host).await?;
        let images = docker.component_images().await.map_err(daemon::stop)?;
        let mut text = String::new();
        for image in &images {
            for tag in image.tags.iter().filter(|tag| is_stale(tag, &own, &current)) {
                _ = writeln!(text, "{}", remove(&docker, image, tag, dry_run).await?);
            }
        }
        Ok(text)
    })
}

async fn remove(docker: &Docker, image: &ComponentImage, tag: &str, dry_run: bool) -> Result<String, Stop> {
    let size = size::text(image.size);
    if dry_run {
        return Ok(format!("would remove {tag} from the Docker daemon, {size}"));
    }
    // a container may use it, which is no reason to leave the others
    Ok(match docker.remove_name(tag).await {
        Ok(_) => format!("removed {tag} from the Docker daemon, {size}"),
        Err(error) => format!("kept {tag} in the Docker daemon: {error}"),
    })
}

/// Every image in every variant.
fn current_plan(session: &Session<'_>) -> Result<Plan, Stop> {
    let loaded = session.load()?;
    let resolution = session.resolve(&loaded, &SelectionArguments::default().selection(true))?;
    let pins = pins::that_fit(&loaded, &resolution);
    session.plan(&loaded, &resolution, &pins)
}

/// What the images of each component may be named by: its fingerprints, and those that include the platform.
fn hashes(plan: &Plan) -> BTreeMap<String, BTreeSet<String>> {
    let mut all: BTreeMap<String, BTreeSet<String>> = BTreeMap::new();
    let mut add = |image: &ImagePlan| {
        for part in &image.components {
            let of_part = all.entry(part.name.to_string()).or_default();
            of_part.insert(part.fingerprint.clone());
            let platforms = image.platforms.iter().map(|on| fingerprint::on_platform(&part.fingerprint, on));
            of_part.extend(platforms);
        }
    };
    for image in &plan.images {
        add(image);
        image.platforms.iter().for_each(|platform| add(&image.for_platform(platform)));
    }
    all
}

/// Whether a reference is that of a component of ours that nothing is made of any more.
fn is_stale(tag: &str, own: &BTreeSet<&str>, current: &BTreeMap<String, BTreeSet<String>>) -> bool {
    let Some((name, hash)) = tag.strip_prefix(REPOSITORY).and_then(|rest| rest.split_once(':')) else { return false };
    let belongs = |full: &String| hash.len() >= SHORTEST && full.starts_with(hash);
    own.contains(name) && !current.get(name).is_some_and(|hashes| hashes.iter().any(belongs))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_stale_images_of_our_components_go() {
        let own = BTreeSet::from(["a", "b"]);
        let current = BTreeMap::from([("a".to_owned(), BTreeSet::from(["0123456789abcdef".to_owned()]))]);
        let check = |tag: &str, expect: bool| assert_eq!(is_stale(tag, &own, &current), expect, "{tag}");
        check("groupage/component/a:0123456789abcdef", false);
        check("groupage/component/a:0123456789ab", false);
        check("groupage/component/a:0123", true);
        check("groupage/component/a:ffffffffffff", true);
        check("groupage/component/b:0123456789ab", true);
        check("groupage/component/c:ffffffffffff", false);
        check("somebody/component/a:ffffffffffff", false);
        check("groupage/component/a", false);
    }
}
