//! The part of the cache that lies in a Docker daemon: images of single components, `groupage.invalid/component/NAME:HASH`.
//!
//! A daemon serves many workspaces. Only images of components that this workspace has are removed, and of those only the ones
//! that no image of it, in any variant and on any platform, is made of any more.

use std::collections::BTreeSet;
use std::fmt::Write as _;

use serde::Serialize;

use super::super::args::SelectionArguments;
use super::super::session::{Loaded, Session};
use super::super::status::Stop;
use super::super::{daemon, pins};
use super::size;
use crate::cli::docker::component_references;
use crate::engine::docker::{ComponentImage, Docker};
use crate::plan::Plan;
use crate::render::parts::REPOSITORY;

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
    let loaded = session.load()?;
    let own: BTreeSet<&str> = loaded.manifests.components.keys().map(|name| name.as_str()).collect();
    let plan = current_plan(session, &loaded)?;
    let docker = daemon::wait(async { daemon::connect(session, host).await })?;
    let current = component_references(&plan, session, &loaded, &docker)?;
    daemon::wait(async {
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
fn current_plan(session: &Session<'_>, loaded: &Loaded) -> Result<Plan, Stop> {
    let resolution = session.resolve(loaded, &SelectionArguments::default().selection(true))?;
    let pins = pins::that_fit(loaded, &resolution);
    session.plan(loaded, &resolution, &pins)
}

/// Whether a reference is that of a component of ours that nothing is made of any more.
fn is_stale(tag: &str, own: &BTreeSet<&str>, current: &BTreeSet<String>) -> bool {
    let component = tag.strip_prefix(REPOSITORY).and_then(|rest| rest.strip_prefix('/')?.split_once(':'));
    component.is_some_and(|(name, _)| own.contains(name)) && !current.contains(tag)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_stale_images_of_our_components_go() {
        let own = BTreeSet::from(["a", "b"]);
        let current = BTreeSet::from(["groupage.invalid/component/a:01".to_owned()]);
        let check = |tag: &str, expect: bool| assert_eq!(is_stale(tag, &own, &current), expect, "{tag}");
        check("groupage.invalid/component/a:01", false);
        check("groupage.invalid/component/a:02", true);
        check("groupage.invalid/component/b:01", true);
        check("groupage.invalid/component/c:01", false);
        check("somebody/component/a:02", false);
        check("groupage.invalid/component/a", false);
    }
}
