//! `build`: images, several at once, through the Docker API or by the native engine.

use std::io::IsTerminal as _;

use super::args::{BuildArguments, EngineChoice, ProgressStyle};
use super::choose::{self, Chosen};
use super::session::{Dockerfiles, Loaded, Session};
use super::status::{ExitStatus, Stop};
use super::{bootstrap, daemon, metadata, native, rerun};
use crate::engine::docker::Docker;
use crate::engine::{Engine, EngineError, ErrorClass, Job, Network, Options, Outcome, run_blocking};
use crate::lock::{Builders, Pins};
use crate::manifest::BuildNetwork;
use crate::oci::Platform;
use crate::plan::{BuildPlan, ImagePlan, Plan, fingerprint};
use crate::report::progress::{Consumer, Failure, Json, Plain, Quiet, Tty};
use crate::resolve::Selection;

pub(super) fn run(arguments: &BuildArguments, session: &Session<'_>) -> Result<ExitStatus, Stop> {
    let loaded = session.load()?;
    let (plan, pins) = checked_plan(arguments, session, &loaded)?;
    if arguments.dry_run {
        session.output.data(&super::plan::text(&plan))?;
        return Ok(ExitStatus::Done);
    }
    match choose::engine(arguments, session, &plan)? {
        Chosen::Docker(docker) => {
            if builders(arguments) == Builders::NotUsed {
                session.check_builders(&loaded, &session.resolve(&loaded, &selection(arguments))?)?;
            }
            with_docker(arguments, session, loaded, plan, &pins, *docker)
        }
        Chosen::Native(docker) => {
            let outcome = native::run(arguments, session, &loaded, &plan, docker.map(|docker| *docker))?;
            finish(arguments, session, &loaded, &plan, &Dockerfiles::new(), &outcome)
        }
    }
}

/// Tells what was built, and what was not.
fn finish(
    arguments: &BuildArguments,
    session: &Session<'_>,
    loaded: &Loaded,
    plan: &Plan,
    dockerfiles: &Dockerfiles,
    outcome: &Outcome,
) -> Result<ExitStatus, Stop> {
    let written = tell_what_was_built(arguments, session, plan, outcome);
    show_failures(arguments, session, loaded, plan, dockerfiles, outcome);
    Ok(status(session, outcome).max(written))
}

fn with_docker(
    arguments: &BuildArguments,
    session: &Session<'_>,
    mut loaded: Loaded,
    mut plan: Plan,
    pins: &Pins,
    docker: Docker,
) -> Result<ExitStatus, Stop> {
    let docker = docker.with_credentials(daemon::credentials(references(&plan)));
    let platform = platform(one_platform(&arguments.platforms)?, &docker, &plan)?;
    if bootstrap::stand_ins(arguments, session, &mut loaded, pins, &docker, &platform)? {
        // the rules said what they have to say; only the builder is another one now
        plan = session.plan(&loaded, &session.resolve(&loaded, &selection(arguments))?, pins)?;
    }
    let plan = plan.for_platform(&platform);
    let dockerfiles = session.dockerfiles(&loaded, &plan)?;
    let jobs = jobs(arguments, session, &loaded, &plan, &dockerfiles, &platform)?;
    // BuildKit of Docker 20.10 crashes its daemon when builds at once share steps and one ignores the cache
    // (https://github.com/moby/buildkit/issues/2303)
    let at_once = if arguments.no_cache { 1 } else { usize::from(arguments.jobs) };
    let outcome = run_jobs(arguments, session, &docker, jobs, at_once)?;
    finish(arguments, session, &loaded, &plan, &dockerfiles, &outcome)
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
    let line = |(tag, id): (&String, &str)| format!("{tag} {id}\n");
    let tags = outcome.built().flat_map(|built| built.tags.iter().map(|tag| (tag, built.pin())));
    let stdout = session.output.data(&tags.map(line).collect::<String>());
    let stops = metadata.into_iter().chain([stdout]).filter_map(Result::err);
    stops.fold(ExitStatus::Done, |worst, stop| {
        stop.error.iter().for_each(|error| session.output.error(error));
        worst.max(stop.status)
    })
}

/// What was asked for, platforms included.
pub(super) fn selection(arguments: &BuildArguments) -> Selection {
    Selection { platforms: arguments.platforms.clone(), ..arguments.selection.selection(false) }
}

/// The platform that is asked for, if one is: a daemon without the containerd image store cannot hold more of an image.
fn one_platform(platforms: &[Platform]) -> Result<Option<&Platform>, Stop> {
    if platforms.iter().all(|platform| Some(platform) == platforms.first()) {
        return Ok(platforms.first());
    }
    let names: Vec<String> = platforms.iter().map(ToString::to_string).collect();
    Err(Stop::input(anyhow::anyhow!(
        "the Docker engine builds one platform at a time, and several are asked for: {}\nhint: name one of them, or build all with `--engine native`",
        names.join(", ")
    )))
}

/// Whether builder images are used: the native engine compiles on this machine. Before `auto` has chosen it is not known, and
/// a dry run, which never chooses, takes the strict answer.
fn builders(arguments: &BuildArguments) -> Builders {
    match arguments.engine {
        EngineChoice::Docker => Builders::Used,
        EngineChoice::Auto if arguments.dry_run => Builders::Used,
        EngineChoice::Auto | EngineChoice::Native => Builders::NotUsed,
    }
}

fn checked_plan(arguments: &BuildArguments, session: &Session<'_>, loaded: &Loaded) -> Result<(Plan, Pins), Stop> {
    let resolution = session.resolve(loaded, &selection(arguments))?;
    let pins = session.pins(loaded, &resolution, builders(arguments))?;
    let plan = session.plan(loaded, &resolution, &pins)?;
    session.check(loaded, &resolution, &plan)?;
    if !arguments.tags.is_empty() && plan.images.len() != 1 {
        let message = format!(
            "--tag names one image, and {} are selected\nhint: name one, as in `build IMAGE --tag …`",
            plan.images.len()
        );
        return Err(Stop::input(anyhow::anyhow!(message)));
    }
    check_outputs(arguments, session, &plan)?;
    Ok((plan, pins))
}

/// Files that get a result: one for one image, each its own, none of them a folder.
fn check_outputs(arguments: &BuildArguments, session: &Session<'_>, plan: &Plan) -> Result<(), Stop> {
    let mut paths: Vec<_> = arguments.outputs.iter().map(|output| session.path(&output.path)).collect();
    if let Some(folder) = paths.iter().find(|path| path.is_dir()) {
        return Err(Stop::input(anyhow::anyhow!("--output: {folder} is a folder\nhint: name a file in it")));
    }
    if !paths.is_empty() && plan.images.len() != 1 {
        let count = plan.images.len();
        return Err(Stop::input(anyhow::anyhow!(
            "--output writes one image, and {count} are selected\nhint: name one, as in `build IMAGE --output …`"
        )));
    }
    paths.sort();
    match paths.windows(2).find(|pair| pair[0] == pair[1]) {
        Some(pair) => Err(Stop::input(anyhow::anyhow!("two --output name {}\nhint: give each its own file", pair[0]))),
        None => Ok(()),
    }
}

/// The platform to build for: the one that is asked for, else that of the daemon.
fn platform(wanted: Option<&Platform>, docker: &Docker, plan: &Plan) -> Result<Platform, Stop> {
    let daemon = docker.daemon();
    let own = format!("{}/{}", daemon.os, daemon.arch);
    let platform = match wanted {
        Some(platform) => platform.clone(),
        None => own.parse().map_err(Stop::environment)?,
    };
    fits(&platform, plan).map(|()| platform)
}

/// Whether every image is made for a platform.
pub(super) fn fits(platform: &Platform, plan: &Plan) -> Result<(), Stop> {
    match plan.images.iter().find(|image| !image.platforms.contains(platform)) {
        None => Ok(()),
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

/// Whether remarks may be made: JSON lines and silence are promises.
pub(super) fn is_chatty(arguments: &BuildArguments) -> bool {
    !matches!(arguments.progress, ProgressStyle::Quiet | ProgressStyle::Json)
}

/// Every image of a registry that a build pulls.
pub(super) fn references(plan: &Plan) -> impl Iterator<Item = &crate::oci::Reference> {
    let sources = plan.images.iter().flat_map(|image| &image.components).filter_map(|part| match &part.build {
        BuildPlan::Cargo { builder, .. } | BuildPlan::Script { builder, .. } => Some(builder),
        BuildPlan::Image { image } => image.reference(),
        BuildPlan::Files => None,
    });
    let bases = plan.images.iter().filter_map(|image| image.base.image.as_ref()?.reference());
    bases.chain(sources)
}

/// The references of the result: those of `--tag`, or the planned ones.
pub(super) fn tags(arguments: &BuildArguments, image: &ImagePlan) -> Vec<String> {
    match &arguments.tags[..] {
        [] => image.tags.clone(),
        asked => {
            let all: Vec<String> = asked.iter().map(ToString::to_string).collect();
            let first = |(index, tag): (usize, &String)| (!all[..index].contains(tag)).then(|| tag.clone());
            all.iter().enumerate().filter_map(first).collect()
        }
    }
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
        let tags = tags(arguments, image);
        Ok(Job {
            image: image.id.clone(),
            dockerfile: dockerfiles[&image.id].clone(),
            context: session.context(loaded, image)?,
            tags,
            labels: fingerprint::labels(image, platform),
            platform: Some(platform.to_string()),
            network: match image.network {
                BuildNetwork::Default => Network::Default,
                BuildNetwork::None => Network::None,
            },
            no_cache: arguments.no_cache,
            archives: arguments.outputs.iter().map(|output| session.path(&output.path)).collect(),
            push: arguments.push,
        })
    };
    plan.images.iter().map(job).collect()
}

/// Runs jobs and shows their progress.
pub(super) fn run_jobs<E: Engine>(
    arguments: &BuildArguments,
    session: &Session<'_>,
    engine: &E,
    jobs: Vec<E::Job>,
    at_once: usize,
) -> Result<Outcome, Stop> {
    let options = Options { jobs: at_once, keep_going: arguments.keep_going };
    let mut stderr = std::io::stderr();
    let mut consumer = consumer(arguments.progress, session, &mut stderr);
    let outcome =
        run_blocking(jobs, engine, options, &mut |event| consumer.event(&event)).map_err(Stop::environment)?;
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
            dockerfile: dockerfiles.get(image).map_or("", String::as_str),
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
