//! Local stand-ins for builder images that cannot be pulled.
//!
//! Only a builder that `groupage.toml` itself names, with a `bootstrap` program, gets one: who names another image by a flag,
//! the environment or the override file means that image. The stand-in has a name of its own, so that it is never taken
//! for the real image by anything else on this machine.

use std::collections::BTreeSet;

use super::args::BuildArguments;
use super::session::{Loaded, Session};
use super::status::Stop;
use super::{build, daemon};
use crate::engine::docker::Docker;
use crate::lock::Pins;
use crate::manifest::BuilderName;
use crate::oci::{Platform, Reference};
use crate::resolve::{Resolution, Value, ValueSource, builder_of};
use crate::workspace::{self, BootstrapError};

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
    pins: &Pins,
    docker: &Docker,
    platform: &Platform,
) -> Result<bool, Stop> {
    if loaded.manifests.settings.builders.values().all(|builder| builder.bootstrap.is_none()) {
        return Ok(false);
    }
    let candidates = {
        let resolution = session.resolve(loaded, &build::selection(arguments))?;
        candidates(&resolution, pins, Some(platform))
    };
    for candidate in &candidates {
        if let Some(tag) = stand_in(arguments, session, loaded, docker, platform, candidate)? {
            loaded.overrides.bootstrapped.insert(format!("builders.{}", candidate.name), tag);
        }
    }
    Ok(!loaded.overrides.bootstrapped.is_empty())
}

/// The stand-ins that a build would use if it used some again: those of builders that have one among `used`. Nothing is made.
pub(super) fn assumed(
    resolution: &Resolution<'_>,
    pins: &Pins,
    used: &[String],
    root: &camino::Utf8Path,
) -> Vec<(String, String)> {
    let stand_in = |candidate: Candidate| {
        let Candidate { name, image, program } = candidate;
        let prefix = format!("{STAND_INS}{name}:");
        let had_one = used.iter().any(|builder| builder.starts_with(&prefix));
        let key = had_one.then(|| workspace::bootstrap_key(root, &program).ok())??;
        Some((format!("builders.{name}"), tag(&name, &image, &key)))
    };
    candidates(resolution, pins, None).into_iter().filter_map(stand_in).collect()
}

fn candidates(resolution: &Resolution<'_>, pins: &Pins, platform: Option<&Platform>) -> Vec<Candidate> {
    let components = resolution.images.iter().flat_map(|image| &image.components);
    let components =
        components.filter(|component| platform.is_none_or(|platform| !component.excluded.contains(platform)));
    let used: BTreeSet<BuilderName> = components.filter_map(|component| builder_of(component.manifest)).collect();
    let candidate = |name: BuilderName| {
        let program = resolution.manifests.settings.builders.get(&name)?.bootstrap.as_ref()?;
        match resolution.builders.get(&name)? {
            value @ Value { source: ValueSource::Manifest, .. } => {
                Some(Candidate { image: pins.pin(value), program: program.value.as_path().to_owned(), name })
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
    let root = &loaded.workspace.root;
    let no_stand_in = |error: BootstrapError| {
        Stop::environment(anyhow::anyhow!(
            "there is no builder {image}: {error}\nhint: name a builder that can be had with `--set builders.{name}=REFERENCE`"
        ))
    };
    let tag = tag(name, image, &workspace::bootstrap_key(root, program).map_err(no_stand_in)?);
    let (wanted, platform) = (image.to_string(), platform.to_string());
    let missing = daemon::wait(async { docker.missing_images(&[&wanted, &tag]).await.map_err(daemon::stop) })?;
    if !missing.contains(&wanted) {
        return Ok(None);
    }
    // once made, the stand-in is used until the image itself is there: a pull that fails again would only cost time
    if missing.contains(&tag) && !session.global.offline {
        session.output.message(&format!("pulling builder {image}"));
        let pull = async { Ok(docker.pull(&wanted, Some(&platform), &mut |_| ()).await) };
        match daemon::wait(pull)? {
            Ok(()) => return Ok(None),
            Err(error) => session.output.message(&format!("{error}\nmaking a local stand-in for it with {program}")),
        }
    }
    // also when it is there: the program knows what else it depends on, such as a toolchain, and is quick when nothing changed
    workspace::bootstrap(root, program, &tag, arguments.host.as_deref()).map_err(no_stand_in)?;
    session.output.message(&format!("builder {name}: using {tag}, made on this machine, because {image} is not here"));
    Ok(Some(tag))
}

/// The name of a stand-in. The key is that of the program, so that two workspaces with different programs do not share one.
fn tag(builder: &BuilderName, image: &Reference, key: &str) -> String {
    let version: String = image.tag().unwrap_or("local").chars().take(MAX_VERSION).collect();
    format!("{STAND_INS}{builder}:{version}-{key}")
}

/// What the names of all stand-ins begin with.
const STAND_INS: &str = "localhost/groupage/";

/// Characters of the image's own tag that the stand-in's tag has: together with the key they must not exceed 128.
const MAX_VERSION: usize = 100;

#[cfg(test)]
mod tests {
    use super::*;

    fn check(image: &str, expect: &str) {
        let (builder, image) = ("rust".parse().unwrap(), image.parse().unwrap());
        let tag = tag(&builder, &image, "0123456789ab");
        assert_eq!(tag, expect);
        tag.parse::<Reference>().unwrap();
    }

    #[test]
    fn stand_ins_are_named_by_builder_version_and_program() {
        check("docker.io/library/rust:1.95", "localhost/groupage/rust:1.95-0123456789ab");
        check("rust", "localhost/groupage/rust:local-0123456789ab");
        let (long, short) = ("v".repeat(128), "v".repeat(100));
        let digest = crate::oci::Digest::of(b"");
        check(&format!("rust:1@{digest}"), "localhost/groupage/rust:1-0123456789ab");
        check(&format!("rust:{long}"), &format!("localhost/groupage/rust:{short}-0123456789ab"));
    }
}
