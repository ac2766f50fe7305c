//! Images of a run that a registry has already: with `--push` there is nothing to do for them, with `--pull` the daemon gets them
//! instead of building them. They are known by the labels that engines give ([`fingerprint::labels`]), as in the daemon. What is pulled
//! is looked at as whatever the daemon has; what only has to be in the registry was let in by whoever pushed it, and is not
//! fetched to find out.

use std::collections::{BTreeMap, BTreeSet};

use super::Known;
use crate::cli::status::Stop;
use crate::cli::{build, daemon, registry};
use crate::engine::Events;
use crate::engine::docker::Docker;
use crate::engine::registry::{Named, Registry};
use crate::oci::Reference;
use crate::plan::{ImagePlan, Plan, fingerprint};

/// Digests of images that every reference of them names already, by image. Only a run that does nothing but push asks.
///
/// # Errors
/// A registry does not answer: the push would fail as well, after the build.
pub(super) fn pushed_before(known: &Known<'_>, plan: &Plan) -> Result<BTreeMap<String, String>, Stop> {
    let (arguments, mut there) = (known.arguments, BTreeMap::new());
    if !arguments.push || !arguments.outputs.is_empty() {
        return Ok(there);
    }
    for image in missing(known, plan) {
        let references = references(known, image);
        let client = registry::client(known.session, Some(known.loaded), &references)?;
        let digest = daemon::wait(async { everywhere(&client, known, image, &references).await })?;
        if let Some(digest) = digest {
            there.insert(image.id.clone(), digest);
        }
    }
    Ok(there)
}

/// Lets the daemon pull what a registry has of the run; whether it did.
///
/// # Errors
/// The daemon has gone away.
pub(super) fn pull(known: &Known<'_>, plan: &Plan, docker: &Docker) -> Result<bool, Stop> {
    let mut pulled = false;
    for image in missing(known, plan).filter(|_| known.arguments.pull) {
        let references = references(known, image);
        let client = registry::impatient_client(known.session, Some(known.loaded), &references)?;
        pulled |= daemon::wait(async { pull_one(&client, known, image, &references, docker).await })?;
    }
    Ok(pulled)
}

/// Images that the daemon does not have and that need not be built anew.
fn missing<'p>(known: &Known<'_>, plan: &'p Plan) -> impl Iterator<Item = &'p ImagePlan> {
    plan.images.iter().filter(|image| known.may_be_there(image) && known.present(image).is_none())
}

fn references(known: &Known<'_>, image: &ImagePlan) -> Vec<Reference> {
    build::tags(known.arguments, image).iter().filter_map(|tag| tag.parse().ok()).collect()
}

async fn everywhere(
    client: &Registry,
    known: &Known<'_>,
    image: &ImagePlan,
    references: &[Reference],
) -> Result<Option<String>, Stop> {
    let events = Events::nowhere();
    let mut digests = BTreeSet::new();
    for (index, reference) in references.iter().enumerate() {
        let digest = match index {
            0 => wanted(client, known, image, reference).await?.map(|named| named.digest),
            // the first one was looked into
            _ => client.digest_of(reference, &events).await.map_err(daemon::stop)?,
        };
        let Some(digest) = digest else { return Ok(None) };
        digests.insert(digest);
    }
    let [only] = &digests.into_iter().collect::<Vec<_>>()[..] else { return Ok(None) };
    Ok(Some(only.to_string()))
}

async fn pull_one(
    client: &Registry,
    known: &Known<'_>,
    image: &ImagePlan,
    references: &[Reference],
    docker: &Docker,
) -> Result<bool, Stop> {
    let Some(reference) = references.first() else { return Ok(false) };
    // a registry that does not answer is no reason not to build
    let Ok(Some(named)) = wanted(client, known, image, reference).await else { return Ok(false) };
    let pinned = reference.with_digest(&named.digest).to_string();
    let platform = known.platform.to_string();
    match docker.pull(&pinned, Some(&platform), &mut |_| ()).await {
        Ok(()) => Ok(true),
        Err(error) => {
            known.session.output.message(&format!("note: {error}; it is built instead"));
            Ok(false)
        }
    }
}

/// What a reference names, if it is the image of the plan for the platform of the run, and for no other.
async fn wanted(
    client: &Registry,
    known: &Known<'_>,
    image: &ImagePlan,
    reference: &Reference,
) -> Result<Option<Named>, Stop> {
    let labels = fingerprint::labels(image, known.platform);
    let named = client.named(reference, &Events::nowhere()).await.map_err(daemon::stop)?;
    Ok(named.filter(|named| {
        let [only] = &named.images[..] else { return false };
        let said = only.config.value().unwrap_or_default();
        labels.iter().all(|(name, value)| said["config"]["Labels"][name].as_str() == Some(value))
    }))
}
