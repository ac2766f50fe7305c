//! An existing Dockerfile in the plan: its stages spliced into the Dockerfile of the image, and what the image takes of it.
//!
//! | file | does |
//! |---|---|
//! | `splice.rs` | stages as they stand, with the names of stages, images and context paths replaced at their places |
//! | `words.rs` | single words of an instruction, replaced |
//! | `arguments.rs` | arguments of the build become defaults of their `ARG`s |
//! | `take.rs` | what the image takes of the target stage: its copies, and with `take = "stage"` all it does |
//! | `transfer.rs` | one copy: into which folder of the image, and what stands there then |
//! | `folders.rs` | the numbered folders by way of which copies go |
//! | `packages.rs`, `distribution.rs` | `RUN`s that install packages only; which distribution an image is of |
//! | `context.rs` | the files of the build context that travel |
//! | `newer.rs` | what not every engine can read |
//!
//! **What is replaced in a stage.** Its name, which becomes `comp-COMPONENT-STAGE` (the number for one without a name), and
//! every use of it; the references of images, by pinned ones; paths of the context, which lies in `COMPONENT/ctx`; defaults of
//! arguments. Global `ARG`s disappear: where `FROM` uses one its value is there, and a stage that declares it again has it as
//! default. So no argument of one component can be seen by another, and none needs another name. All else stays as it was,
//! comments and heredocs among it, and so counts as an input: only a shell could tell what is prose in it.
//!
//! **What the image takes.** See [`Take`]. With `[[install]]` of paths in the stage, only those. Otherwise the copies of the
//! stage and of its parents in the file stand in the component's own stage, each into a numbered folder, and are copied from
//! there into the image: see `folders.rs`. Owners go with the second copy, which also makes folders above with that owner, as
//! Docker does. `WORKDIR` makes its folder in the image.
//!
//! **What cannot be seen here** is what the base image of the file has: its `ONBUILD` triggers, its folders (those that are
//! not usual), its working folder, which is asked for when a relative path needs it.

mod arguments;
mod context;
mod distribution;
mod folders;
mod newer;
mod packages;
mod splice;
mod take;
mod transfer;
mod words;

use std::collections::BTreeMap;

use camino::Utf8PathBuf;
use serde::Serialize;

pub use packages::{PackageManager, Packages};

use super::Read;
use super::build::BuildPlan;
use super::model::{Input, InstallPlan};
use crate::diagnostic::Problems;
use crate::lock::Pins;
use crate::manifest::{
    BuildKind, ComponentManifest, DockerfileBuild, InstallFrom, OutsideName, ReadDockerfile, Take, Users,
};
use crate::oci::Reference;
use crate::resolve::{Resolution, ResolvedComponent, ResolvedImage};
use crate::source::Span;
use crate::workspace::Want;

/// An existing Dockerfile, as it is put into that of an image.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct DockerfilePlan {
    /// The file, relative to the workspace.
    pub path: Utf8PathBuf,
    /// What the image takes.
    pub take: Take,
    /// Images that its stages begin with or copy from, pinned.
    pub images: BTreeMap<OutsideName, Reference>,
    /// Stages that are put in whole.
    pub stages: Vec<SplicedStage>,
    /// The stage that installs come from, when they are said one by one.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub source: Option<String>,
    /// What is done otherwise, in order.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub steps: Vec<StepPlan>,
    /// Packages that are installed in the image before all else, together with those of other components.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub packages: Vec<Packages>,
    /// Folders of the image in which the build may put what nobody knows before it.
    #[serde(skip)]
    pub open: Vec<String>,
    /// What not every engine can read.
    #[serde(skip)]
    pub newer: Vec<Newer>,
}

/// A stage that is put in whole.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct SplicedStage {
    /// Its first and last line in the file.
    #[serde(skip)]
    pub lines: (usize, usize),
    /// Its text, without a line end.
    pub text: String,
}

/// Something that the image takes.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[serde(tag = "step", rename_all = "lowercase")]
pub enum StepPlan {
    /// A copy, by way of the component's stage.
    Transfer {
        /// What is copied, and where to.
        #[serde(flatten)]
        transfer: TransferPlan,
    },
    /// A line of the image's own stage.
    Line {
        /// Its first and last line in the file.
        #[serde(skip)]
        lines: (usize, usize),
        /// The line, or several with continuations.
        text: String,
    },
}

/// A copy, by way of the component's stage.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct TransferPlan {
    /// Its first and last line in the file.
    #[serde(skip)]
    pub lines: (usize, usize),
    /// The instruction of the component's stage.
    pub text: String,
    /// The folder of that stage.
    pub number: usize,
    /// The folder of the image.
    pub folder: String,
    /// `UID:GID`, if it is said.
    pub owner: Option<String>,
}

/// Something that not every engine can read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Newer {
    /// What it is.
    pub what: &'static str,
    /// Where it stands.
    pub place: Span,
}

impl DockerfilePlan {
    /// All copies, with their positions among the steps.
    pub fn transfers(&self) -> impl Iterator<Item = (usize, &TransferPlan)> {
        self.steps.iter().enumerate().filter_map(|(at, step)| match step {
            StepPlan::Transfer { transfer } => Some((at, transfer)),
            StepPlan::Line { .. } => None,
        })
    }

    /// How many numbered folders the component's stage has for copies.
    pub fn folders(&self) -> usize {
        self.transfers().map(|(_, transfer)| transfer.number + 1).max().unwrap_or(0)
    }

    /// Whether what the image takes is said path by path.
    pub fn has_installs(&self) -> bool {
        self.source.is_some()
    }
}

/// What everything here needs.
pub(super) struct Subject<'a> {
    pub(super) manifest: &'a ComponentManifest,
    pub(super) build: &'a DockerfileBuild,
    pub(super) read: &'a ReadDockerfile,
    pub(super) images: BTreeMap<OutsideName, Reference>,
    /// Names of stages in the merged file, by number.
    names: BTreeMap<usize, String>,
    users: Users,
}

/// The build of a component, and the paths of the image that its copies give.
pub(super) fn plan(
    resolution: &Resolution<'_>,
    image: &ResolvedImage<'_>,
    resolved: &ResolvedComponent<'_>,
    pins: &Pins,
    read: &Read<'_>,
    problems: &mut Problems,
) -> Option<(BuildPlan, Vec<InstallPlan>)> {
    let subject = subject(resolution, resolved, pins)?;
    let is_explicit = resolved.installs.iter().any(|install| matches!(install.from.value, InstallFrom::Stage(_)));
    let mut found = Problems::default();
    let taken = match is_explicit {
        true => take::Taken::default(),
        false => take::take(&subject, image, read, &mut found),
    };
    let target = subject.read.facts.stage;
    let whole = if is_explicit { subject.read.facts.reach.stages.clone() } else { subject.read.sources() };
    let stages = splice::stages(&subject, &whole, &mut found);
    let failed = found.has_errors();
    problems.append(found);
    if failed {
        return None;
    }
    let plan = DockerfilePlan {
        path: subject.build.path.value.clone(),
        take: subject.build.take.value,
        source: is_explicit.then(|| subject.name(target)),
        newer: newer::find(&subject),
        stages,
        steps: taken.steps,
        packages: taken.packages,
        open: taken.open,
        images: subject.images,
    };
    Some((BuildPlan::Dockerfile { plan: Box::new(plan) }, taken.installs))
}

fn subject<'a>(resolution: &Resolution<'_>, resolved: &'a ResolvedComponent<'_>, pins: &Pins) -> Option<Subject<'a>> {
    let manifest = resolved.manifest;
    let BuildKind::Dockerfile(build) = &manifest.build.kind else { return None };
    let read = build.read.as_ref()?;
    Some(Subject {
        manifest,
        build,
        read,
        images: resolved.outside.iter().map(|(name, image)| (name.clone(), pins.pin(image))).collect(),
        names: splice::names(manifest, read, resolution.manifests),
        users: Users::new(read.runs(), &build.users),
    })
}

/// The files of the build context that a component needs.
pub(super) fn wants(manifest: &ComponentManifest) -> Vec<Want> {
    context::of(manifest).iter().flat_map(context::Sources::wants).collect()
}

/// The same, as they travel.
pub(super) fn inputs(manifest: &ComponentManifest, read: &Read<'_>) -> BTreeMap<Utf8PathBuf, Input> {
    context::of(manifest).map(|sources| sources.inputs(read)).unwrap_or_default()
}

impl Subject<'_> {
    /// The name of a stage in the merged file.
    fn name(&self, stage: usize) -> String {
        self.names.get(&stage).cloned().unwrap_or_default()
    }

    /// A place in the Dockerfile.
    fn span(&self, extent: crate::dockerfile::Extent) -> Span {
        self.read.span(extent)
    }

    /// A reference as a Dockerfile has it. A bare name could also be that of a stage, so it is written out in full.
    fn image(&self, name: &OutsideName) -> Option<String> {
        let image = self.images.get(name)?;
        let is_bare = image.tag().is_none() && image.digest().is_none() && !image.to_string().contains('/');
        Some(if is_bare { image.canonical() } else { image.to_string() })
    }
}
