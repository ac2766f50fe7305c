//! Local stand-ins for builder images that cannot be pulled.
//!
//! Only a builder that `groupage.toml` itself names, with a `bootstrap` program, gets one: who names another image by a flag,
//! the environment or the override file means that image. The stand-in has a name of its own, so that it is never taken
//! for the real image by anything else on this machine.

use std::collections::BTreeSet;

use super::args::BuildArguments;
use super::daemon;
use super::session::{Loaded, Session};
use super::status::Stop;
use crate::engine::docker::Docker;
use crate::manifest::BuilderName;
use crate::oci::{Platform, Reference};
use crate::resolve::{Resolution, Value, ValueSource, builder_of};
use crate::workspace;

/// A builder that may need a stand-in.
struct Candidate {
    name: BuilderName,
    image: Reference,
    program: camino::Utf8PathBuf,
}

/// Makes the stand-ins that a build needs and records them as overrides; true when there is any.
pub(super) fn stand_ins(
    arguments: &BuildArguments,
    session: &Session<'_>,
    loaded: &mut Loaded,
    docker: &Docker,
    platform: &Platform,
) -> Result<bool, Stop> {
    let candidates = {
        let resolution = session.resolve(loaded, &arguments.selection.selection(false))?;
        candidates(&resolution)
    };
    for candidate in &candidates {
        if let Some(tag) = stand_in(arguments, session, loaded, docker, platform, candidate)? {
            loaded.overrides.bootstrapped.insert(format!("builders.{}", candidate.name), tag);
        }
    }
    Ok(!loaded.overrides.bootstrapped.is_empty())
}

fn candidates(resolution: &Resolution<'_>) -> Vec<Candidate> {
    let components = resolution.images.iter().flat_map(|image| &image.components);
    let used: BTreeSet<BuilderName> = components.filter_map(|component| builder_of(component.manifest)).collect();
    let candidate = |name: BuilderName| {
        let program = resolution.manifests.settings.builders.get(&name)?.bootstrap.as_ref()?;
        match resolution.builders.get(&name)? {
            Value { value, source: ValueSource::Manifest } => {
                Some(Candidate { image: value.clone(), program: program.value.as_path().to_owned(), name })
            }
            Value { .. } => None,
        }
    };
    used.into_iter().filter_map(candidate).collect()
}

/// The stand-in's tag, or `None` when the image itself is there or can be pulled.
fn stand_in(
    arguments: &BuildArguments,
    session: &Session<'_>,
    loaded: &Loaded,
    docker: &Docker,
    platform: &Platform,
    candidate: &Candidate,
) -> Result<Option<String>, Stop> {
    let Candidate { name, image, program } = candidate;
    let tag = format!("localhost/groupage/{name}:{}", image.tag().unwrap_or("local"));
    let (image, platform) = (image.to_string(), platform.to_string());
    let missing = daemon::wait(async { docker.missing_images(&[&image, &tag]).await.map_err(daemon::stop) })?;
    if !missing.contains(&image) {
        return Ok(None);
    }
    // once made, the stand-in is used until the image itself is there: a pull that fails again would only cost time
    if missing.contains(&tag) {
        session.output.message(&format!("pulling builder {image}"));
        let pull = async { Ok(docker.pull(&image, Some(&platform), &mut |_| ()).await) };
        match daemon::wait(pull)? {
            Ok(()) => return Ok(None),
            Err(error) => session.output.message(&format!("{error}\nmaking a local stand-in for it with {program}")),
        }
    }
    let made = workspace::bootstrap(&loaded.workspace.root, program, &tag, arguments.host.as_deref());
    made.map_err(|error| {
        Stop::environment(anyhow::anyhow!("there is no builder {image}: {error}\nhint: name a builder that can be had with `--set builders.{name}=REFERENCE`"))
    })?;
    session.output.message(&format!("builder {name}: using {tag}, made on this machine, because {image} is not here"));
    Ok(Some(tag))
}
