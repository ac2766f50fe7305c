//! `build` without a daemon: jobs for the native engine.

use std::collections::{BTreeMap, BTreeSet};

use camino::{Utf8Path, Utf8PathBuf};

use super::args::BuildArguments;
use super::build::{self, run_jobs};
use super::session::{Loaded, Session};
use super::status::Stop;
use super::{daemon, registry};
use crate::engine::Outcome;
use crate::engine::docker::Docker;
use crate::engine::native::compile::go::GoOptions;
use crate::engine::native::compile::{self, CompileOptions};
use crate::engine::native::{ArchiveKind, Compiler, GoCompiler, Native, NativeJob, Output, Times};
use crate::oci::{Compression, Platform, Reference};
use crate::plan::{BuildPlan, Found, ImagePlan, Input, Plan};
use crate::workspace::{self, History, MEMORY_FOLDER};

/// The variable of <https://reproducible-builds.org/specs/source-date-epoch/>.
const EPOCH: &str = "SOURCE_DATE_EPOCH";

pub(super) fn run(
    arguments: &BuildArguments,
    session: &Session<'_>,
    loaded: &Loaded,
    plan: &Plan,
    docker: Option<Docker>,
) -> Result<Outcome, Stop> {
    let platforms = platforms(arguments, plan)?;
    let docker_form = arguments.load || arguments.outputs.iter().any(|output| output.kind == ArchiveKind::Docker);
    if docker_form && platforms.len() > 1 {
        return Err(Stop::input(anyhow::anyhow!(
            "the Docker daemon and the form of `docker save` hold one platform, and {} are asked for\n\
             hint: name one with --platform, write type=oci, or --push",
            platforms.len()
        )));
    }
    let root = &loaded.workspace.root;
    let tags: Vec<Reference> =
        plan.images.iter().flat_map(|image| build::tags(arguments, image)).filter_map(|tag| tag.parse().ok()).collect();
    let registry = registry::client(session, Some(loaded), build::references(plan).chain(&tags))?;
    let engine = Native::open(root, &root.join(MEMORY_FOLDER), registry).map_err(daemon::stop)?.with_docker(docker);
    let engine = engine.with_nearby(daemon::address(session, arguments.host.as_deref()).ok());
    let compression = compression(arguments)?;
    let epoch = epoch(session)?;
    let memory = root.join(MEMORY_FOLDER);
    let ((times, history), compilers) = std::thread::scope(|scope| {
        // git and compilers are asked at the same time
        let times = scope.spawn(|| times(loaded, plan, epoch, &memory));
        let compilers = compilers(session, loaded, plan, &memory);
        (times.join().unwrap_or_else(|panic| std::panic::resume_unwind(panic)), compilers)
    });
    if epoch.is_none() && build::is_chatty(arguments) {
        say_when_times_are_not_those_of_others(session, &history);
    }
    let found = compilers?;
    let filter: BTreeSet<_> = arguments.no_cache_filter.iter().filter_map(|name| name.parse().ok()).collect();
    let job = |(image, times): (&ImagePlan, Times)| {
        let image = image.with_found(&found);
        NativeJob {
            image: image.id.clone(),
            plans: platforms.iter().map(|platform| (platform.clone(), image.for_platform(platform))).collect(),
            tags: build::tags(arguments, &image),
            times,
            compression,
            outputs: outputs(arguments, session),
            no_cache: arguments.no_cache,
            no_cache_filter: filter.clone(),
            pull: arguments.pull,
            verify: !arguments.no_verify,
            made: None,
        }
    };
    let mut jobs: Vec<NativeJob> = plan.images.iter().zip(times).map(job).collect();
    for job in &mut jobs {
        job.made = engine.recall(job);
    }
    let missing: Vec<&NativeJob> = jobs.iter().filter(|job| job.made.is_none()).collect();
    let engine = engine.with_compiler(compiler(session, loaded, &missing)?);
    let go = go_options(session, root);
    let go = daemon::wait(async { GoCompiler::new(&missing, go).await.map_err(daemon::stop) })?;
    let engine = engine.with_go(go);
    let outcome = run_jobs(arguments, session, &engine, jobs, usize::from(arguments.jobs))?;
    let elsewhere = arguments.load || arguments.push || !arguments.outputs.is_empty();
    if build::is_chatty(arguments) && !elsewhere && outcome.built().next().is_some() {
        session.output.message(&format!(
            "note: images are OCI layouts in {MEMORY_FOLDER}/oci; --load puts them into the Docker daemon, --push into a registry"
        ));
    }
    Ok(outcome)
}

/// Images of this clone would not be those of another one.
fn say_when_times_are_not_those_of_others(session: &Session<'_>, history: &History) {
    match history {
        History::Whole | History::None => {}
        History::Shallow => session.output.message(&format!(
            "note: this clone lacks the older history, so that files seem to be younger than they are; \
             set {EPOCH}, or fetch all of it, to get the bytes of a full clone"
        )),
        History::Silent(why) => session.output.message(&format!(
            "warning: git does not tell when files were changed, so that all of them get the time 0: {why}\n\
             hint: set {EPOCH}, or mend the repository, to get the bytes of other clones"
        )),
    }
}

fn compiler<'l>(session: &Session<'_>, loaded: &'l Loaded, jobs: &[&NativeJob]) -> Result<Option<Compiler<'l>>, Stop> {
    let Some(cargo) = &loaded.cargo else { return Ok(None) };
    let options = compile_options(session, &loaded.workspace.root);
    daemon::wait(async { Compiler::new(jobs, cargo, options).await.map_err(daemon::stop) })
}

/// What identifies the compilers of this machine, as far as components need them.
pub(super) fn compilers(session: &Session<'_>, loaded: &Loaded, plan: &Plan, memory: &Utf8Path) -> Result<Found, Stop> {
    let mut parts = plan.images.iter().flat_map(|image| &image.components);
    let go_toolchain = match parts.any(|part| matches!(part.build, BuildPlan::Go { .. })) {
        true => {
            let options = go_options(session, &loaded.workspace.root);
            daemon::wait(async { compile::go::identity(&options).await.map_err(daemon::stop) })?
        }
        false => String::new(),
    };
    let toolchain = Some(toolchain(session, loaded, plan, memory)?);
    Ok(Found { toolchain, go_toolchain, ..Found::default() })
}

/// That of cargo; nothing when cargo builds no component.
fn toolchain(session: &Session<'_>, loaded: &Loaded, plan: &Plan, memory: &Utf8Path) -> Result<String, Stop> {
    let mut parts = plan.images.iter().flat_map(|image| &image.components);
    if !parts.any(|part| matches!(part.build, BuildPlan::Cargo { .. })) {
        return Ok(String::new());
    }
    let root = &loaded.workspace.root;
    let options = compile_options(session, root);
    daemon::wait(async { compile::identity(root, &options, memory).await.map_err(daemon::stop) })
}

fn compile_options(session: &Session<'_>, root: &Utf8Path) -> CompileOptions {
    let program = |variable, name: &str| session.environment.get(variable).unwrap_or(name).to_owned();
    CompileOptions {
        job: String::new(),
        first_step: 1,
        target_dir: root.join(MEMORY_FOLDER).join("cargo"),
        cargo: program("CARGO", "cargo"),
        rustc: program("RUSTC", "rustc"),
        environment: session.environment.with_prefix(""),
        offline: session.global.offline,
        jobs: None,
    }
}

fn go_options(session: &Session<'_>, root: &Utf8Path) -> GoOptions {
    GoOptions {
        job: String::new(),
        first_step: 1,
        root: root.to_owned(),
        folder: root.join(MEMORY_FOLDER).join("go"),
        go: "go".to_owned(),
        environment: session.environment.with_prefix(""),
        offline: session.global.offline,
    }
}

/// The platforms that were asked for, or that of this machine.
fn platforms(arguments: &BuildArguments, plan: &Plan) -> Result<Vec<Platform>, Stop> {
    let mut platforms = arguments.platforms.clone();
    platforms.sort();
    platforms.dedup();
    if platforms.is_empty() {
        platforms.push(Platform::of_this_machine());
    }
    platforms.iter().try_for_each(|platform| build::fits(platform, plan))?;
    Ok(platforms)
}

fn outputs(arguments: &BuildArguments, session: &Session<'_>) -> Vec<Output> {
    let archive = |output: &super::destination::Destination| Output::Archive {
        kind: output.kind,
        path: session.path(&output.path),
    };
    let archives = arguments.outputs.iter().map(archive);
    let load = arguments.load.then_some(Output::Load);
    let push = arguments.push.then_some(Output::Push);
    archives.chain(load).chain(push).collect()
}

/// What stays on this machine is not compressed unless asked; what leaves it is gzip by default. So is what a registry may
/// have already: whether it is taken from there or made, its bytes are those that `--push` gives.
fn compression(arguments: &BuildArguments) -> Result<Compression, Stop> {
    let asked: Vec<Compression> = arguments.outputs.iter().filter_map(|output| output.compression).collect();
    match &asked[..] {
        [] if arguments.push || arguments.pull || !arguments.outputs.is_empty() => Ok(Compression::Gzip),
        [] => Ok(Compression::None),
        [first, others @ ..] if others.iter().all(|other| other == first) => Ok(*first),
        _ => Err(Stop::input(anyhow::anyhow!(
            "the layers of an image have one compression, and several are asked for\nhint: build twice"
        ))),
    }
}

/// The last one of the year 9999: RFC 3339 has four digits for a year.
const LAST_SECOND: u64 = 253_402_300_799;

pub(super) fn epoch(session: &Session<'_>) -> Result<Option<u64>, Stop> {
    let Some(text) = session.environment.get(EPOCH) else { return Ok(None) };
    let seconds = text.trim().parse().ok().filter(|seconds| *seconds <= LAST_SECOND);
    seconds.map(Some).ok_or_else(|| {
        Stop::input(anyhow::anyhow!(
            "{EPOCH} is `{text}`, which is no number of seconds since 1970\nhint: unset it, or set it to one"
        ))
    })
}

/// The times of all images. git is asked once for what several have in common.
pub(super) fn times(loaded: &Loaded, plan: &Plan, epoch: Option<u64>, memory: &Utf8Path) -> (Vec<Times>, History) {
    if let Some(epoch) = epoch {
        return (plan.images.iter().map(|image| same_time(image, epoch)).collect(), History::Whole);
    }
    let asked: Vec<Vec<Folders>> = plan.images.iter().map(|image| folders(loaded, image)).collect();
    let all: BTreeSet<&Folders> = asked.iter().flatten().collect();
    let all: Vec<Folders> = all.into_iter().cloned().collect();
    let (asked_times, history) = workspace::remembered_times(&loaded.workspace.root, memory, &all);
    let known: BTreeMap<&Folders, u64> = all.iter().zip(asked_times).collect();
    let of = |(image, asked): (&ImagePlan, &Vec<Folders>)| {
        let mut times: Vec<u64> = asked.iter().map(|folders| known.get(folders).copied().unwrap_or_default()).collect();
        let own = times.pop().unwrap_or_default();
        Times { components: image.components.iter().map(|part| part.name.clone()).zip(times).collect(), image: own }
    };
    (plan.images.iter().zip(&asked).map(of).collect(), history)
}

fn same_time(image: &ImagePlan, time: u64) -> Times {
    Times { components: image.components.iter().map(|part| (part.name.clone(), time)).collect(), image: time }
}

/// Folders that git is asked for in one question.
type Folders = Vec<Utf8PathBuf>;

/// What decides when each component was last changed, and the image, which comes last: its own folder, and the sources that
/// it is compiled from. Files that are written for it, such as the pruned lock file, have no commit of their own.
fn folders(loaded: &Loaded, image: &ImagePlan) -> Vec<Folders> {
    let manifests = &loaded.manifests;
    let mut groups: Vec<Folders> = Vec::new();
    for part in &image.components {
        let own = manifests.components.get(&part.name).map(|manifest| manifest.folder.clone());
        let inputs = part.inputs.values().chain(part.files.values().map(|file| &file.input));
        let sources = inputs.filter_map(|input| match input {
            Input::File { source, .. } => {
                Some(source.parent().filter(|folder| !folder.as_str().is_empty()).unwrap_or(source))
            }
            _ => None,
        });
        groups.push(workspace::topmost(own.into_iter().chain(sources.map(ToOwned::to_owned)).collect()));
    }
    groups.push(manifests.images.get(&image.name).map(|definition| definition.folder.clone()).into_iter().collect());
    groups
}
