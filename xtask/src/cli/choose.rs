//! Which engine builds: what `--engine auto` decides, and why.
//!
//! Docker is taken when a daemon answers and has, or can pull, every image that the plan needs; else this program builds
//! itself. What only one of them can do decides before that. The reason is told in one line.

use super::args::{BuildArguments, EngineChoice};
use super::build::{is_chatty, references};
use super::daemon::{self, Ahead};
use super::session::Session;
use super::status::Stop;
use crate::engine::docker::{Docker, Stock};
use crate::engine::native::ArchiveKind;
use crate::oci::{Compression, ImageSource, Platform};
use crate::plan::{BuildPlan, Plan};
use crate::render;

/// What builds, and the daemon if there is one to be used.
#[derive(Debug)]
pub(super) enum Chosen {
    /// The Docker API, and the images that the daemon has, if it was asked.
    Docker(Box<Docker>, Option<Stock>),
    /// This program. The daemon is for loading images into it and taking bases out of it.
    Native(Option<Box<Docker>>),
}

/// Chooses, connects, and says why.
pub(super) fn engine(
    arguments: &BuildArguments,
    session: &Session<'_>,
    plan: &Plan,
    ahead: Option<Ahead>,
) -> Result<Chosen, Stop> {
    if arguments.push && session.global.offline {
        return Err(Stop::input(anyhow::anyhow!(
            "--push needs the network, and --offline forbids it\nhint: leave one of them out"
        )));
    }
    match arguments.engine {
        EngineChoice::Docker => match only_native(arguments, plan) {
            Some(what) => {
                Err(Stop::input(anyhow::anyhow!("the docker engine cannot {what}\nhint: use --engine native")))
            }
            None => match ahead {
                Some(ahead) => ahead.end().map(|(docker, stock)| Chosen::Docker(Box::new(docker), Some(stock))),
                None => connect(arguments, session).map(|docker| Chosen::Docker(Box::new(docker), None)),
            },
        },
        EngineChoice::Native => match only_docker(plan) {
            Some(what) => Err(Stop::input(anyhow::anyhow!(
                "the native engine cannot build {what}, which needs a container\nhint: use --engine docker"
            ))),
            None => native(arguments, session, plan),
        },
        EngineChoice::Auto => auto(arguments, session, plan),
    }
}

fn auto(arguments: &BuildArguments, session: &Session<'_>, plan: &Plan) -> Result<Chosen, Stop> {
    match (only_native(arguments, plan), only_docker(plan)) {
        (Some(what), Some(script)) => Err(Stop::input(anyhow::anyhow!(
            "no engine can do all of this: only the native one can {what}, and only docker can build {script}\n\
             hint: leave one of them out"
        ))),
        (Some(what), None) => {
            say(arguments, session, &format!("native, because only it can {what}"));
            native(arguments, session, plan)
        }
        (None, Some(script)) => {
            say(arguments, session, &format!("docker, because only it can build {script}"));
            connect(arguments, session).map(|docker| Chosen::Docker(Box::new(docker), None))
        }
        (None, None) => by_what_is_there(arguments, session, plan),
    }
}

fn by_what_is_there(arguments: &BuildArguments, session: &Session<'_>, plan: &Plan) -> Result<Chosen, Stop> {
    let docker = match connect(arguments, session) {
        Ok(docker) => docker.with_credentials(daemon::credentials(references(plan))),
        // an address that was asked for and does not answer is not passed over
        Err(stop) if arguments.host.is_some() || arguments.load => return Err(stop),
        Err(stop) => {
            let why = stop.error.map(|error| error.to_string()).unwrap_or_default();
            let why = why.lines().next().unwrap_or_default().to_owned();
            say(arguments, session, &format!("native, because {why}"));
            return Ok(Chosen::Native(None));
        }
    };
    if docker.daemon().os == "linux" && arguments.platforms.iter().any(Platform::is_windows) {
        say(arguments, session, "native, because a daemon of Linux holds no images for Windows");
        return Ok(Chosen::Native(Some(Box::new(docker))));
    }
    match unobtainable(arguments, session, &docker, plan)? {
        None => {
            let version = &docker.daemon().version;
            say(arguments, session, &format!("docker {version}, which has every image that is needed"));
            Ok(Chosen::Docker(Box::new(docker), None))
        }
        Some(why) => {
            say(arguments, session, &format!("native, because {why}"));
            Ok(Chosen::Native(Some(Box::new(docker))))
        }
    }
}

/// The first image that the daemon neither has nor can pull, with the reason.
fn unobtainable(
    arguments: &BuildArguments,
    session: &Session<'_>,
    docker: &Docker,
    plan: &Plan,
) -> Result<Option<String>, Stop> {
    let needed: std::collections::BTreeSet<String> = references(plan).map(ToString::to_string).collect();
    let needed: Vec<String> = needed.into_iter().collect();
    let missing = daemon::wait(async { docker.missing_images(&needed).await.map_err(daemon::stop) })?;
    for reference in missing {
        if session.global.offline {
            return Ok(Some(format!("the Docker daemon does not have {reference}, which --offline forbids to pull")));
        }
        let platform = arguments.platforms.first().map(ToString::to_string);
        if is_chatty(arguments) {
            session.output.message(&format!("pulling {reference}"));
        }
        let pulled = async { Ok(docker.pull(&reference, platform.as_deref(), &mut |_| ()).await) };
        if daemon::wait(pulled)?.is_err() {
            return Ok(Some(format!("the Docker daemon neither has nor can pull {reference}")));
        }
    }
    Ok(None)
}

/// The daemon is asked only when something is to go there or to come from there. That an image which no registry can give
/// is there is found out when it happens.
fn native(arguments: &BuildArguments, session: &Session<'_>, plan: &Plan) -> Result<Chosen, Stop> {
    let asked = arguments.load || arguments.host.is_some();
    let taken = of_daemon(plan);
    if !asked && taken.is_none() {
        return Ok(Chosen::Native(None));
    }
    match (connect(arguments, session), taken) {
        (Ok(docker), _) => Ok(Chosen::Native(Some(Box::new(docker)))),
        (Err(stop), Some(source)) => {
            let error = stop.error.map(|error| anyhow::anyhow!("failed to read image {source}: {error}"));
            Err(Stop { error, ..stop })
        }
        (Err(stop), None) => Err(stop),
    }
}

/// The first image that is read from the daemon.
fn of_daemon(plan: &Plan) -> Option<&ImageSource> {
    let taken = plan.images.iter().flat_map(|image| &image.components).filter_map(|part| match &part.build {
        BuildPlan::Image { image, .. } => Some(image),
        _ => None,
    });
    let bases = plan.images.iter().filter_map(|image| image.base.image.as_ref());
    bases.chain(taken).find(|source| matches!(source, ImageSource::Daemon(_)))
}

fn connect(arguments: &BuildArguments, session: &Session<'_>) -> Result<Docker, Stop> {
    daemon::wait(daemon::connect(session, arguments.host.as_deref()))
}

/// What of the arguments and the plan a Docker daemon cannot do.
fn only_native(arguments: &BuildArguments, plan: &Plan) -> Option<String> {
    if let Some(reason) = plan.images.iter().find_map(|image| render::native_only(image).next()) {
        return Some(reason.what.to_string());
    }
    let oci = arguments.outputs.iter().any(|output| output.kind == ArchiveKind::Oci);
    let packed = arguments.outputs.iter().filter_map(|output| output.compression).any(|c| c != Compression::None);
    let several = arguments.platforms.iter().any(|platform| Some(platform) != arguments.platforms.first());
    match () {
        () if several => Some("build several platforms at once".to_owned()),
        () if oci => Some("write OCI archives".to_owned()),
        () if packed => Some("compress the layers of an archive".to_owned()),
        () => None,
    }
}

/// The first component that only a container can build.
fn only_docker(plan: &Plan) -> Option<String> {
    plan.images.iter().find_map(|image| {
        let (part, why) = image.components.iter().find_map(|part| Some((part, part.build.needs_container()?)))?;
        Some(format!("component `{}` of image `{}`: {why}", part.name, image.id))
    })
}

fn say(arguments: &BuildArguments, session: &Session<'_>, what: &str) {
    if is_chatty(arguments) {
        session.output.message(&format!("engine: {what}"));
    }
}
