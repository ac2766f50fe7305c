//! `build`: images, several at once, through the Docker API or by the native engine.

use std::collections::BTreeSet;
use std::io::IsTerminal as _;

use super::args::{BuildArguments, EngineChoice, ProgressStyle};
use super::choose::{self, Chosen};
use super::session::{Dockerfiles, Loaded, Session};
use super::status::{ExitStatus, Stop};
use super::{daemon, docker, metadata, native, records, rerun, stamp};
use crate::diagnostic::closest;
use crate::engine::{Engine, EngineError, ErrorClass, Options, Outcome, run_blocking};
use crate::lock::{Builders, Pins};
use crate::oci::{Platform, Reference};
use crate::plan::{BuildPlan, ImagePlan, Plan};
use crate::render::parts::component_of;
use crate::report::progress::{Consumer, Failure, Json, Plain, Quiet, Tty};
use crate::resolve::Selection;

pub(super) fn run(arguments: &BuildArguments, session: &Session<'_>) -> Result<ExitStatus, Stop> {
    // while the plan is made the daemon says what it is and what it has
    let is_asked = arguments.engine == EngineChoice::Docker && !arguments.dry_run;
    let ahead = is_asked.then(|| daemon::Ahead::ask(session, arguments.host.as_deref())).flatten();
    let loaded = session.load()?;
    let (plan, pins) = checked_plan(arguments, session, &loaded)?;
    if arguments.dry_run {
        session.output.data(&super::plan::text(&plan))?;
        return Ok(ExitStatus::Done);
    }
    let ended = perform(arguments, session, loaded, plan, &pins, ahead)?;
    let written = tell_what_was_built(arguments, session, &ended.plan, &ended.outcome);
    Ok(tell_what_failed(arguments, session, &ended).max(written))
}

/// A build that has ended, and what is needed to tell of it.
pub(super) struct Ended {
    pub(super) loaded: Loaded,
    pub(super) plan: Plan,
    /// Of the images that a Dockerfile was needed for.
    pub(super) dockerfiles: Dockerfiles,
    pub(super) is_native: bool,
    pub(super) outcome: Outcome,
}

/// Builds a plan by the engine that is chosen for it; `ahead` is the daemon, if it was asked already.
pub(super) fn perform(
    arguments: &BuildArguments,
    session: &Session<'_>,
    loaded: Loaded,
    plan: Plan,
    pins: &Pins,
    ahead: Option<daemon::Ahead>,
) -> Result<Ended, Stop> {
    let ended = match choose::engine(arguments, session, &plan, ahead)? {
        Chosen::Docker(docker, stock) => {
            if builders(arguments) == Builders::NotUsed {
                session.check_builders(&loaded, &session.resolve(&loaded, &selection(arguments))?)?;
            }
            docker::run(arguments, session, loaded, plan, pins, *docker, stock)?
        }
        Chosen::Native(docker) => {
            let outcome = native::run(arguments, session, &loaded, &plan, docker.map(|docker| *docker))?;
            Ended { loaded, plan, dockerfiles: Dockerfiles::new(), is_native: true, outcome }
        }
    };
    records::keep(arguments, session, &ended.loaded, &ended.plan, ended.is_native, &ended.outcome);
    Ok(ended)
}

/// Shows every failure, and says how the run ends.
pub(super) fn tell_what_failed(arguments: &BuildArguments, session: &Session<'_>, ended: &Ended) -> ExitStatus {
    let Ended { loaded, plan, dockerfiles, outcome, .. } = ended;
    show_failures(arguments, session, loaded, plan, dockerfiles, outcome);
    status(session, outcome)
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

/// Whether builder images are used: the native engine compiles on this machine. Before `auto` has chosen it is not known, and
/// a dry run, which never chooses, takes the strict answer.
fn builders(arguments: &BuildArguments) -> Builders {
    match arguments.engine {
        EngineChoice::Docker => Builders::Used,
        EngineChoice::Auto if arguments.dry_run => Builders::Used,
        EngineChoice::Auto | EngineChoice::Native => Builders::NotUsed,
    }
}

/// The plan of what was asked for, after every rule has had its say.
pub(super) fn checked_plan(
    arguments: &BuildArguments,
    session: &Session<'_>,
    loaded: &Loaded,
) -> Result<(Plan, Pins), Stop> {
    check_filter(arguments, loaded)?;
    let resolution = session.resolve(loaded, &selection(arguments))?;
    let pins = session.pins(loaded, &resolution, builders(arguments))?;
    let mut plan = session.plan(loaded, &resolution, &pins)?;
    stamp::add(&mut plan, session, loaded)?;
    session.check(loaded, &resolution, &plan)?;
    if !arguments.tags.is_empty() && plan.images.len() != 1 {
        let message = format!(
            "--tag names one image, and {} are selected\nhint: name one, as in `build IMAGE --tag …`",
            plan.images.len()
        );
        return Err(Stop::input(anyhow::anyhow!(message)));
    }
    refuse_tags_of_promote(arguments, loaded, &plan)?;
    check_outputs(arguments, session, &plan)?;
    Ok((plan, pins))
}

/// A build moves neither `latest` nor `X` nor `X.Y`, whatever it is told; a reference without a tag means latest.
fn refuse_tags_of_promote(arguments: &BuildArguments, loaded: &Loaded, plan: &Plan) -> Result<(), Stop> {
    let version = plan.images.first().map_or("", |image| image.version.as_str());
    let moves =
        |tag: &&Reference| loaded.policy.classes.is_of_promote(&tag.name(), tag.tag().unwrap_or("latest"), version);
    match arguments.tags.iter().find(moves) {
        None => Ok(()),
        Some(tag) => Err(Stop::refused(anyhow::anyhow!(
            "--tag: a build would move `{tag}`\nhint: give it a tag of its own; `promote` moves latest, X and X.Y, and only forward"
        ))),
    }
}

/// A component that shall be built anew must be one; whether an image that is asked for has it is another question.
fn check_filter(arguments: &BuildArguments, loaded: &Loaded) -> Result<(), Stop> {
    let known = &loaded.manifests.components;
    let Some(wrong) = arguments.no_cache_filter.iter().find(|name| !known.contains_key(name.as_str())) else {
        return Ok(());
    };
    let hint = match closest(wrong, known.keys().map(|name| name.as_str())) {
        Some(close) => format!("did you mean `{close}`?"),
        None => "`list` shows all names".to_owned(),
    };
    Err(Stop::input(anyhow::anyhow!("--no-cache-filter: there is no component `{wrong}`\nhint: {hint}")))
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
    let sources = plan.images.iter().flat_map(|image| &image.components).flat_map(|part| match &part.build {
        BuildPlan::Cargo { builder, .. } | BuildPlan::Go { builder, .. } | BuildPlan::Script { builder, .. } => {
            vec![builder]
        }
        BuildPlan::Dockerfile { plan } => plan.images.values().collect(),
        BuildPlan::Image { image, .. } => image.reference().into_iter().collect(),
        BuildPlan::Files => Vec::new(),
    });
    let bases = plan.images.iter().filter_map(|image| image.base.image.as_ref()?.reference());
    let parts = plan.images.iter().flat_map(|image| &image.components);
    let below = parts.filter_map(|part| part.build.above()?.base_image()?.reference());
    bases.chain(sources).chain(below)
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
    let on_event = &mut |event| consumer.event(&event);
    let outcome = run_blocking(jobs, engine, options, &session.cancel, on_event).map_err(Stop::environment)?;
    // progress that cannot be shown does not undo a build
    _ = consumer.finish();
    Ok(outcome)
}

pub(super) fn consumer<'a>(
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

/// The failure block comes last, so that it is what a log ends with. Images that hold the same failed component share one.
fn show_failures(
    arguments: &BuildArguments,
    session: &Session<'_>,
    loaded: &Loaded,
    plan: &Plan,
    dockerfiles: &Dockerfiles,
    outcome: &Outcome,
) {
    let mut shown = BTreeSet::new();
    for (image, error) in outcome.failures() {
        let Some(planned) = plan.images.iter().find(|planned| planned.id == image) else { continue };
        let (images, component, error) = match error {
            EngineError::Part { reference, .. } if !shown.insert(reference) => continue,
            EngineError::Part { reference, error } => {
                (sharing(outcome, reference).join(", "), component_of(reference), &**error)
            }
            _ => (image.to_owned(), None, error),
        };
        let failure = Failure {
            image: &images,
            error,
            component,
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

/// The images that failed with one part.
fn sharing<'o>(outcome: &'o Outcome, part: &str) -> Vec<&'o str> {
    let of_part = |error: &EngineError| matches!(error, EngineError::Part { reference, .. } if reference == part);
    outcome.failures().filter(|(_, error)| of_part(error)).map(|(image, _)| image).collect()
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
