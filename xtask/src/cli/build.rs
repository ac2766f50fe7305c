//! `build`: images through the Docker API, several at once.

use std::io::IsTerminal as _;

use super::args::{BuildArguments, ProgressStyle};
use super::session::{Dockerfiles, Loaded, Session};
use super::status::{ExitStatus, Stop};
use super::{bootstrap, daemon, metadata, rerun};
use crate::engine::docker::Docker;
use crate::engine::{EngineError, ErrorClass, Job, Network, Options, Outcome, run_blocking};
use crate::manifest::BuildNetwork;
use crate::oci::Platform;
use crate::plan::{BuildPlan, ImagePlan, Plan};
use crate::report::progress::{Consumer, Failure, Json, Plain, Quiet, Tty};
use crate::resolve::Selection;

pub(super) fn run(arguments: &BuildArguments, session: &Session<'_>) -> Result<ExitStatus, Stop> {
    let mut loaded = session.load()?;
    let mut plan = checked_plan(arguments, session, &loaded)?;
    if arguments.dry_run {
        session.output.data(&super::plan::text(&plan))?;
        return Ok(ExitStatus::Done);
    }
    let docker = daemon::wait(daemon::connect(session, arguments.host.as_deref()))?;
    let docker = docker.with_credentials(daemon::credentials(references(&plan)));
    let platform = platform(arguments, &docker, &plan)?;
    if bootstrap::stand_ins(arguments, session, &mut loaded, &docker, &platform)? {
        // the rules said what they have to say; only the builder is another one now
        plan = session.plan(&loaded, &session.resolve(&loaded, &selection(arguments))?)?;
    }
    let dockerfiles = session.dockerfiles(&loaded, &plan)?;
    let jobs = jobs(arguments, session, &loaded, &plan, &dockerfiles, &platform)?;
    let outcome = build(arguments, session, &docker, jobs)?;
    let written = tell_what_was_built(arguments, session, &plan, &outcome);
    show_failures(arguments, session, &loaded, &plan, &dockerfiles, &outcome);
    Ok(status(session, &outcome).max(written))
}

/// Writes the metadata file and stdout. Trouble with one of them hides neither the other nor a failed build: it is said
/// and counts when the exit code is chosen. A reader of stdout that has gone away is no trouble.
fn tell_what_was_built(
    arguments: &BuildArguments,
    session: &Session<'_>,
    plan: &Plan,
    outcome: &Outcome,
) -> ExitStatus {
    let metadata = arguments.metadata_file.as_ref().map(|path| metadata::write(&session.path(path), plan, outcome));
    let line = |(tag, id): (&String, &String)| format!("{tag} {id}\n");
    let tags = outcome.built().flat_map(|built| built.tags.iter().map(|tag| (tag, &built.image_id)));
    let stdout = session.output.data(&tags.map(line).collect::<String>());
    let stops = metadata.into_iter().chain([stdout]).filter_map(Result::err);
    stops.fold(ExitStatus::Done, |worst, stop| {
        stop.error.iter().for_each(|error| session.output.error(error));
        worst.max(stop.status)
    })
}

/// What was asked for, the platform included.
pub(super) fn selection(arguments: &BuildArguments) -> Selection {
    Selection { platforms: arguments.platform.iter().cloned().collect(), ..arguments.selection.selection(false) }
}

fn checked_plan(arguments: &BuildArguments, session: &Session<'_>, loaded: &Loaded) -> Result<Plan, Stop> {
    let resolution = session.resolve(loaded, &selection(arguments))?;
    let plan = session.plan(loaded, &resolution)?;
    session.check(loaded, &resolution, &plan)?;
    if !arguments.tags.is_empty() && plan.images.len() != 1 {
        let message = format!(
            "--tag names one image, and {} are selected\nhint: name one, as in `build IMAGE --tag …`",
            plan.images.len()
        );
        return Err(Stop::input(anyhow::anyhow!(message)));
    }
    Ok(plan)
}

/// One platform for one request: an engine without the containerd image store cannot hold more.
fn platform(arguments: &BuildArguments, docker: &Docker, plan: &Plan) -> Result<Platform, Stop> {
    let daemon = docker.daemon();
    let own = format!("{}/{}", daemon.os, daemon.arch);
    let platform = match &arguments.platform {
        Some(platform) => platform.clone(),
        None => own.parse().map_err(Stop::environment)?,
    };
    let unfit = plan.images.iter().find(|image| !image.platforms.contains(&platform));
    match unfit {
        None => Ok(platform),
        Some(image) => {
            let platforms: Vec<String> = image.platforms.iter().map(ToString::to_string).collect();
            let message = format!(
                "image `{}` is not made for {platform}\nhint: its platforms are {}; choose one with --platform",
                image.id,
                platforms.join(", ")
            );
            Err(Stop::input(anyhow::anyhow!(message)))
        }
    }
}

/// Every image that a build pulls.
fn references(plan: &Plan) -> impl Iterator<Item = &crate::oci::Reference> {
    let sources = plan.images.iter().flat_map(|image| &image.components).filter_map(|part| match &part.build {
        BuildPlan::Cargo { builder, .. } | BuildPlan::Script { builder, .. } => Some(builder),
        BuildPlan::Image { image } => Some(image),
        BuildPlan::Files => None,
    });
    plan.images.iter().filter_map(|image| image.base.image.as_ref()).chain(sources)
}

fn jobs(
    arguments: &BuildArguments,
    session: &Session<'_>,
    loaded: &Loaded,
    plan: &Plan,
    dockerfiles: &Dockerfiles,
    platform: &Platform,
) -> Result<Vec<Job>, Stop> {
    let job = |image: &ImagePlan| {
        let tags = if arguments.tags.is_empty() {
            image.tags.clone()
        } else {
            arguments.tags.iter().map(ToString::to_string).collect()
        };
        Ok(Job {
            image: image.id.clone(),
            dockerfile: dockerfiles[&image.id].clone(),
            context: session.context(loaded, image)?,
            tags,
            platform: Some(platform.to_string()),
            network: match image.network {
                BuildNetwork::Default => Network::Default,
                BuildNetwork::None => Network::None,
            },
            no_cache: arguments.no_cache,
        })
    };
    plan.images.iter().map(job).collect()
}

fn build(arguments: &BuildArguments, session: &Session<'_>, docker: &Docker, jobs: Vec<Job>) -> Result<Outcome, Stop> {
    // BuildKit of Docker 20.10 crashes its daemon when builds at once share steps and one ignores the cache
    // (https://github.com/moby/buildkit/issues/2303)
    let at_once = if arguments.no_cache { 1 } else { arguments.jobs };
    let options = Options { jobs: usize::from(at_once), keep_going: arguments.keep_going };
    let mut stderr = std::io::stderr();
    let mut consumer = consumer(arguments.progress, session, &mut stderr);
    let outcome =
        run_blocking(jobs, docker, options, &mut |event| consumer.event(&event)).map_err(Stop::environment)?;
    // progress that cannot be shown does not undo a build
    _ = consumer.finish();
    Ok(outcome)
}

fn consumer<'a>(
    style: ProgressStyle,
    session: &Session<'_>,
    stderr: &'a mut std::io::Stderr,
) -> Box<dyn Consumer + 'a> {
    match style {
        ProgressStyle::Auto if session.output.is_terminal() && stderr.is_terminal() => Box::new(Tty::stderr()),
        ProgressStyle::Tty => Box::new(Tty::stderr()),
        ProgressStyle::Auto | ProgressStyle::Plain => Box::new(Plain::new(stderr)),
        ProgressStyle::Json => Box::new(Json::new(stderr)),
        ProgressStyle::Quiet => Box::new(Quiet),
    }
}

/// The failure block comes last, so that it is what a log ends with.
fn show_failures(
    arguments: &BuildArguments,
    session: &Session<'_>,
    loaded: &Loaded,
    plan: &Plan,
    dockerfiles: &Dockerfiles,
    outcome: &Outcome,
) {
    for (image, error) in outcome.failures() {
        let Some(planned) = plan.images.iter().find(|planned| planned.id == image) else { continue };
        let failure = Failure {
            image,
            error,
            dockerfile_path: planned.dockerfile.as_str(),
            dockerfile: &dockerfiles[image],
            rerun: &rerun::command(&session.program, image, arguments, session.global),
        };
        let mut block = Vec::new();
        if failure.write(&mut block, &|component| manifest_place(loaded, component)).is_ok() {
            session.output.message(String::from_utf8_lossy(&block).trim_end());
        }
    }
}

/// Where the build of a component is described.
fn manifest_place(loaded: &Loaded, component: &str) -> Option<String> {
    let span = loaded.manifests.components.get(component)?.build.span;
    let (map, position) = (&loaded.sources.map, loaded.sources.map.position(span));
    Some(format!("{}:{}:{}", map.file(span.file).path, position.line, position.column))
}

/// The worst of what happened decides.
fn status(session: &Session<'_>, outcome: &Outcome) -> ExitStatus {
    if outcome.is_cancelled() {
        session.output.message("error: cancelled; nothing was tagged that is not complete");
        return ExitStatus::Refused;
    }
    let classes: Vec<ErrorClass> = outcome.failures().map(|(_, error)| EngineError::class(error)).collect();
    match () {
        () if classes.is_empty() => ExitStatus::Done,
        () if classes.contains(&ErrorClass::Environment) => ExitStatus::Environment,
        () if classes.contains(&ErrorClass::Input) => ExitStatus::BadInput,
        () => ExitStatus::Refused,
    }
}
