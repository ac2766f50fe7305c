//! `report`: builds what is missing, reads the bytes of all images, and says what a merge has gained.

mod baseline;
mod layers;
mod memory;
mod sets;
mod workload;

use std::time::Instant;

use camino::Utf8Path;

use self::sets::Set;
pub(super) use self::sets::{definition, image_facts};
use super::args::{BuildArguments, EngineChoice, ReportArguments, ReportFormat};
use super::build;
use super::session::{Loaded, Session};
use super::status::{ExitStatus, Stop};
use crate::engine::store::Store;
use crate::lock::Pins;
use crate::oci::Platform;
use crate::plan::{ImagePlan, Plan};
use crate::report::consolidation::{self, Build, ColumnFacts, Facts, Figure, Report};
use crate::workspace::{MEMORY_FOLDER, write};

pub(super) fn run(arguments: &ReportArguments, session: &Session<'_>) -> Result<ExitStatus, Stop> {
    let loaded = session.load()?;
    let asked = sets::asked(arguments, session, &loaded)?;
    let build = build_arguments(arguments, &asked);
    let (plan, pins) = build::checked_plan(&build, session, &loaded)?;
    refuse_scripts(&plan)?;
    let platforms = platforms(arguments);
    let sets = asked.sets(&plan);
    sets::check(&sets, &platforms)?;
    let root = loaded.workspace.root.clone();
    let mut run = Run { build, session, pins: &pins, platforms, schema: plan.schema, loaded: Some(loaded) };
    let mut columns = Vec::new();
    for set in &sets {
        match run.built(set)? {
            Built::Failed(status) => return Ok(status),
            Built::Took(figure) => columns.push((set, figure)),
        }
    }
    let store = open_store(&root)?;
    let mut facts = Vec::new();
    for (set, build) in columns {
        facts.push(ColumnFacts { build, ..sets::facts(set, &run.platforms, &root, &store)? });
    }
    if !arguments.baselines.is_empty() {
        let baseline =
            baseline::column(&arguments.baselines, &run.platforms, arguments.host.as_deref(), session, &store)?;
        facts.insert(1, baseline);
    }
    let memory = memory::measured(arguments, session, &sets, &root, &store)?;
    tell(arguments, session, &consolidation::report(Facts { columns: facts, memory }))
}

/// The platforms that are compared.
fn platforms(arguments: &ReportArguments) -> Vec<Platform> {
    let mut platforms = arguments.platforms.clone();
    if platforms.is_empty() {
        platforms.push(Platform::of_this_machine());
    }
    platforms.sort();
    platforms.dedup();
    platforms
}

/// The store of blobs of a workspace.
pub(super) fn open_store(root: &Utf8Path) -> Result<Store, Stop> {
    Store::of(&root.join(MEMORY_FOLDER))
        .map_err(|error| Stop::environment(anyhow::anyhow!("layers cannot be read: {error}")))
}

/// What is missing is built as `build` would.
fn build_arguments(arguments: &ReportArguments, asked: &sets::Asked) -> BuildArguments {
    let mut selection = arguments.selection.clone();
    selection.modes = asked.modes();
    BuildArguments {
        selection,
        platforms: arguments.platforms.clone(),
        tags: Vec::new(),
        jobs: arguments.jobs,
        keep_going: false,
        no_cache: false,
        no_cache_filter: Vec::new(),
        pull: false,
        no_verify: arguments.no_verify,
        dry_run: false,
        engine: EngineChoice::Native,
        load: false,
        push: false,
        outputs: Vec::new(),
        progress: arguments.progress,
        metadata_file: None,
        host: None,
    }
}

/// Layers are read where the native engine leaves them.
fn refuse_scripts(plan: &Plan) -> Result<(), Stop> {
    let scripted = plan
        .images
        .iter()
        .find_map(|image| image.components.iter().find_map(|part| Some((image, part, part.build.needs_container()?))));
    match scripted {
        None => Ok(()),
        Some((image, part, why)) => Err(Stop::input(anyhow::anyhow!(
            "`{}` of image `{}`: {why}, which needs a container, and the layers that are compared are those of \
             the native engine\nhint: name the images that have no such component",
            part.name,
            image.id
        ))),
    }
}

/// Builds sets one after the other.
struct Run<'r> {
    build: BuildArguments,
    session: &'r Session<'r>,
    pins: &'r Pins,
    platforms: Vec<Platform>,
    schema: u32,
    loaded: Option<Loaded>,
}

/// What became of a set.
enum Built {
    Took(Figure<Build>),
    Failed(ExitStatus),
}

impl Run<'_> {
    /// Builds what is missing of a set. Images for different platforms are built apart, because a layout holds what one build
    /// was asked for.
    fn built(&mut self, set: &Set) -> Result<Built, Stop> {
        let begun = Instant::now();
        let (mut there, mut all) = (0, 0);
        for (platforms, images) in set.by_platforms(&self.platforms) {
            let Some(loaded) = self.loaded.take() else { break };
            let plan = Plan { schema: self.schema, images: images.into_iter().cloned().collect::<Vec<ImagePlan>>() };
            self.build.platforms = platforms;
            let ended = build::perform(&self.build, self.session, loaded, plan, self.pins, None)?;
            let status = build::tell_what_failed(&self.build, self.session, &ended);
            if status != ExitStatus::Done {
                return Ok(Built::Failed(status));
            }
            there += ended.outcome.built().filter(|built| built.up_to_date).count();
            all += ended.outcome.built().count();
            self.loaded = Some(ended.loaded);
        }
        let millis = u64::try_from(begun.elapsed().as_millis()).unwrap_or(u64::MAX);
        Ok(Built::Took(match there {
            0 => Figure::Is(Build { millis }),
            _ if there == all => Figure::NotMeasured("all of its images were there already".to_owned()),
            _ => Figure::NotMeasured(format!("{there} of its {all} images were there already")),
        }))
    }
}

/// Prints the report, or writes it.
fn tell(arguments: &ReportArguments, session: &Session<'_>, report: &Report) -> Result<ExitStatus, Stop> {
    let text = match arguments.format {
        ReportFormat::Text => consolidation::text(report),
        ReportFormat::Markdown => consolidation::markdown(report),
        ReportFormat::Html => consolidation::html(report),
        ReportFormat::Json => serde_json::to_string_pretty(&consolidation::json(report)).map_err(Stop::input)? + "\n",
    };
    match &arguments.output {
        None => session.output.data(&text)?,
        Some(path) => {
            write::file(&session.path(path), text.as_bytes(), 0o644).map_err(Stop::input)?;
            session.output.message(&format!("wrote {path}"));
        }
    }
    Ok(ExitStatus::Done)
}
