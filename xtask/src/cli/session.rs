//! The pipeline of the library, step by step, with problems shown as they are found. Each command takes the prefix it needs.

use std::collections::{BTreeMap, BTreeSet};

use camino::Utf8PathBuf;

use super::args::{FeatureArguments, Global, SelectionArguments};
use super::output::Output;
use super::status::{ExitStatus, Stop};
use crate::diagnostic::{Diagnostic, Level, Problems};
use crate::engine::Cancel;
use crate::lock::{LockFile, Pins};
use crate::manifest::{self, BuildKind, Date, Manifests, Mode, TagName};
use crate::plan::go::{GoPackages, go_program, go_request};
use crate::plan::{self, ImagePlan, Plan, Read};
use crate::policy::{Judge, Policy, TargetEnvironment};
use crate::render::context::{Bytes, Context, ContextEntry};
use crate::render::{self, Templates};
use crate::resolve::{self, ImageSelector, Overrides, Packages, Profile, Resolution, Selection};
use crate::source::{SourceMap, Span};
use crate::workspace::cargo::{Cargo, CargoReadError, CargoWorkspace};
use crate::workspace::{self, Environment, Memory, Sources, Tree, Want, Workspace, WorkspaceError};
use crate::{check, oci};

/// The variable that names an environment.
const ENVIRONMENT: &str = "GROUPAGE_ENV";

/// What a run knows before it has read anything.
pub(super) struct Session<'a> {
    cwd: Utf8PathBuf,
    pub(super) environment: Environment,
    pub(super) global: &'a Global,
    /// How people call this program.
    pub(super) program: String,
    pub(super) output: Output<'a>,
    /// Set when nothing more is to be built.
    pub(super) cancel: Cancel,
}

/// Dockerfiles by the ID of their image.
pub(super) type Dockerfiles = BTreeMap<String, String>;

/// Dockerfiles that are checked in, by path, in the order of images.
pub(super) type Generated = Vec<(Utf8PathBuf, String)>;

/// A workspace that was read and parsed.
pub(super) struct Loaded {
    pub(super) workspace: Workspace,
    pub(super) sources: Sources,
    pub(super) manifests: Manifests,
    pub(super) packages: Packages,
    pub(super) cargo: Option<CargoWorkspace>,
    /// The packages of Go components.
    pub(super) go: GoPackages,
    pub(super) overrides: Overrides,
    /// What is pinned, if there is a lock file.
    pub(super) lock_file: Option<LockFile>,
    /// Hashes of files, from run to run.
    pub(super) memory: Memory,
    /// What may be released.
    pub(super) policy: Policy,
}

impl<'a> Session<'a> {
    pub(super) fn new(cwd: Utf8PathBuf, environment: Environment, global: &'a Global, output: Output<'a>) -> Self {
        Self { cwd, environment, global, program: super::program::name(), output, cancel: Cancel::new() }
    }

    /// A path of the command line, absolute.
    pub(super) fn path(&self, path: &camino::Utf8Path) -> Utf8PathBuf {
        self.cwd.join(path)
    }

    /// The same run with messages that go elsewhere.
    pub(super) fn with_output<'b>(&'b self, output: Output<'b>) -> Session<'b> {
        let Self { cwd, environment, program, cancel, .. } = self;
        let (cwd, environment, program, cancel) = (cwd.clone(), environment.clone(), program.clone(), cancel.clone());
        Session { cwd, environment, global: self.global, program, output, cancel }
    }

    /// The same run in another folder, with other options.
    pub(super) fn at<'b>(&'b self, cwd: Utf8PathBuf, global: &'b Global) -> Session<'b> {
        Session { global, cwd, ..self.with_output(self.output) }
    }

    /// The workspace that is meant.
    pub(super) fn workspace(&self) -> Result<Workspace, Stop> {
        Workspace::discover(&self.cwd, self.global.manifest_path.as_deref()).map_err(Stop::input)
    }

    /// Reads and parses the workspace; asks cargo only if a component needs it.
    pub(super) fn load(&self) -> Result<Loaded, Stop> {
        let mut loaded = self.load_manifests()?;
        loaded.cargo = self.cargo(&loaded.workspace, &loaded.manifests)?;
        loaded.packages.cargo = loaded.cargo.as_ref().map(plan::packages).unwrap_or_default();
        loaded.read_go();
        Ok(loaded)
    }

    /// [`Session::load`] for a command that needs nothing of cargo.
    pub(super) fn load_manifests(&self) -> Result<Loaded, Stop> {
        let workspace = self.workspace()?;
        let sources = workspace.read(manifest::folders, manifest::named_dockerfile);
        let sources = sources.map_err(|(map, problems)| self.bad_input(&problems, &map))?;
        let mut problems = Problems::default();
        let lock_file = sources.lock_file.and_then(|id| LockFile::parse(id, sources.map.file(id), &mut problems));
        let manifests = match manifest::parse(&sources.map, &sources.files) {
            Ok(manifests) => problems.finish(manifests),
            Err(found) => Err(found.into_iter().chain(problems.into_list()).collect()),
        };
        let manifests = manifests.map_err(|problems| self.bad_input(&problems, &sources.map))?;
        let unknown = check::unknown_rules(&manifests);
        if !unknown.is_empty() {
            return Err(self.bad_input(&unknown, &sources.map));
        }
        let policy = Policy::new(&manifests).map_err(|problems| self.bad_input(&problems, &sources.map))?;
        // a misspelt name must not be taken for no environment, whatever the command
        let profile = self.target_environment(&policy)?;
        let profile = profile.map(|environment| Profile::of(&environment.name, &environment.settings));
        let overrides = Overrides {
            flags: self.global.set.clone(),
            environment: self.environment.with_prefix("GROUPAGE_"),
            file: sources.override_keys.clone(),
            profile,
            ..Overrides::default()
        };
        self.output.diagnostics(&overrides.unknown_variables(&manifests), &sources.map);
        let (packages, go) = (Packages::new(), GoPackages::new());
        let memory = Memory::open(&workspace.root);
        Ok(Loaded { workspace, sources, manifests, packages, cargo: None, go, overrides, lock_file, memory, policy })
    }

    /// The environment that is asked for.
    pub(super) fn target_environment<'p>(&self, policy: &'p Policy) -> Result<Option<&'p TargetEnvironment>, Stop> {
        let flag = self.global.env.as_deref().map(|name| (name, "--env"));
        let Some((name, source)) = flag.or(self.environment.get(ENVIRONMENT).map(|name| (name, ENVIRONMENT))) else {
            return Ok(None);
        };
        if name.trim().is_empty() {
            let hint = "an empty value is not \"unset\": leave it out instead";
            return Err(Stop::input(anyhow::anyhow!("{source} is empty\nhint: {hint}")));
        }
        policy.environment(name).map(Some).map_err(|error| Stop::input(anyhow::anyhow!("{source}: {error}")))
    }

    /// Who judges references. Records must hold on the day of the newest commit, else of SOURCE_DATE_EPOCH.
    pub(super) fn judge<'p>(&self, loaded: &'p Loaded) -> Result<Judge<'p>, Stop> {
        let policy = &loaded.policy;
        let environment = self.target_environment(policy)?;
        let committed = || workspace::head_time(&loaded.workspace.root).map(Date::of_seconds);
        let day = match policy.temporary.is_empty() {
            true => None,
            false => match committed() {
                None => super::native::epoch(self)?.map(Date::of_seconds),
                day => day,
            },
        };
        Ok(Judge { policy, environment, day })
    }

    /// Whether there is a workspace, for a command that also works without one.
    pub(super) fn is_in_workspace(&self) -> Result<bool, Stop> {
        match Workspace::discover(&self.cwd, self.global.manifest_path.as_deref()) {
            Ok(_) => Ok(true),
            Err(WorkspaceError::NotFound(_)) => Ok(false),
            Err(error) => Err(Stop::input(error)),
        }
    }

    fn cargo(&self, workspace: &Workspace, manifests: &Manifests) -> Result<Option<CargoWorkspace>, Stop> {
        if !manifests.components.values().any(|component| matches!(component.build.kind, BuildKind::Cargo(_))) {
            return Ok(None);
        }
        let platforms = manifests.images.values().flat_map(|image| &image.platforms);
        let targets: BTreeSet<&str> =
            platforms.filter_map(|platform| oci::Platform::rust_target(&platform.value)).collect();
        let targets: Vec<&str> = targets.into_iter().collect();
        let cargo = Cargo { program: self.environment.get("CARGO").unwrap_or("cargo"), offline: self.global.offline };
        workspace::cargo::read_or_recall(cargo, &workspace.root, &targets, &self.environment).map(Some).map_err(
            |error| match error {
                CargoReadError::Start { .. } => Stop::environment(error),
                _ => Stop::input(error),
            },
        )
    }

    /// Resolves what was asked for.
    pub(super) fn resolve<'m>(&self, loaded: &'m Loaded, selection: &Selection) -> Result<Resolution<'m>, Stop> {
        resolve::resolve(&loaded.manifests, &loaded.packages, selection, &loaded.overrides)
            .map(|resolution| loaded.with_branch(resolution))
            .map_err(|problems| self.bad_input(&problems, &loaded.sources.map))
    }

    /// Resolves what was asked for with the values of the manifests alone, for files that are checked in: what one machine
    /// replaces must not reach them. Overrides are still checked.
    pub(super) fn resolve_checked_in<'m>(
        &self,
        loaded: &'m Loaded,
        selection: &Selection,
    ) -> Result<Resolution<'m>, Stop> {
        self.resolve(loaded, selection)?;
        resolve::resolve(&loaded.manifests, &loaded.packages, selection, &Overrides::default())
            .map(|resolution| loaded.with_branch(resolution))
            .map_err(|problems| self.bad_input(&problems, &loaded.sources.map))
    }

    /// Plans what was resolved, with the digests of the lock file.
    pub(super) fn plan(&self, loaded: &Loaded, resolution: &Resolution<'_>, pins: &Pins) -> Result<Plan, Stop> {
        self.plan_from(loaded, resolution, pins, |wants| self.read(loaded, &wants))
    }

    /// Lists and hashes what a plan needs.
    pub(super) fn read(&self, loaded: &Loaded, wants: &[Want]) -> Result<Tree, Vec<Diagnostic>> {
        let tree = workspace::read_tree(&loaded.workspace.root, wants, &loaded.memory);
        // at once: what was hashed stays known when the command fails later
        loaded.memory.save();
        tree
    }

    /// [`Session::plan`] with files that the caller provides.
    pub(super) fn plan_from(
        &self,
        loaded: &Loaded,
        resolution: &Resolution<'_>,
        pins: &Pins,
        read: impl FnOnce(Vec<Want>) -> Result<Tree, Vec<Diagnostic>>,
    ) -> Result<Plan, Stop> {
        let bad = |problems: Vec<Diagnostic>| self.bad_input(&problems, &loaded.sources.map);
        let root = &loaded.workspace.root;
        let pruned = plan::prune(resolution, loaded.cargo.as_ref(), &loaded.go).map_err(bad)?;
        let wants = loaded.memory.ahead_of(|| plan::wants(resolution, &pruned, root));
        let tree = read(wants).map_err(bad)?;
        let own =
            loaded.sources.templates.iter().map(|(name, id)| (name.as_str(), &*loaded.sources.map.file(*id).text));
        let texts = render::template_texts(own).into_iter();
        let templates = texts.map(|(name, text)| (name, plan::fingerprint::text(text))).collect();
        let read = Read { tree: &tree, pruned: &pruned, go: &loaded.go, root, templates: &templates };
        plan::plan(resolution, pins, &read).map_err(bad)
    }

    /// Runs the rules; anything that is not denied is shown and does not stop the run.
    pub(super) fn check(&self, loaded: &Loaded, resolution: &Resolution<'_>, plan: &Plan) -> Result<(), Stop> {
        let judge = self.judge(loaded)?;
        let findings = check::run_by(resolution, plan, Some(&judge));
        self.output.diagnostics(&findings, &loaded.sources.map);
        if findings.iter().any(|finding| finding.level == Level::Error) {
            Err(Stop::silent(ExitStatus::Refused))
        } else {
            Ok(())
        }
    }

    /// The templates of the workspace.
    pub(super) fn templates(&self, loaded: &Loaded) -> Result<Templates, Stop> {
        let map = &loaded.sources.map;
        Templates::new(&loaded.sources.templates, map).map_err(|problems| self.bad_input(&problems, map))
    }

    fn refuse_native_only(&self, loaded: &Loaded, plan: &Plan) -> Result<(), Stop> {
        let native_only: Vec<Diagnostic> = plan.images.iter().flat_map(|image| loaded.native_only(image)).collect();
        if native_only.is_empty() { Ok(()) } else { Err(self.bad_input(&native_only, &loaded.sources.map)) }
    }

    /// The Dockerfiles of a plan, all of whose images must have one.
    pub(super) fn dockerfiles(&self, loaded: &Loaded, plan: &Plan) -> Result<Dockerfiles, Stop> {
        self.refuse_native_only(loaded, plan)?;
        let templates = self.templates(loaded)?;
        let mut texts = Dockerfiles::new();
        for image in &plan.images {
            let text = render::dockerfile(image, &templates)
                .map_err(|problem| self.bad_input(&[problem], &loaded.sources.map))?;
            texts.insert(image.id.clone(), text);
        }
        Ok(texts)
    }

    /// The Dockerfiles that are checked in for a plan: one for each image, and one more for each platform that lacks components.
    pub(super) fn generated(&self, loaded: &Loaded, plan: &Plan) -> Result<Generated, Stop> {
        self.refuse_native_only(loaded, plan)?;
        let templates = self.templates(loaded)?;
        let mut texts = Generated::new();
        for image in plan.images.iter().flat_map(plan::ImagePlan::per_dockerfile) {
            let text = render::dockerfile(&image, &templates)
                .map_err(|problem| self.bad_input(&[problem], &loaded.sources.map))?;
            texts.push((image.dockerfile.clone(), text));
        }
        Ok(texts)
    }

    /// All files that travel with the Dockerfile of an image.
    pub(super) fn whole_context(&self, loaded: &Loaded, image: &ImagePlan) -> Result<Context, Stop> {
        Self::context(render::files(image, &loaded.workspace.root))
    }

    /// Some files, those of crates among them.
    pub(super) fn context(files: render::Files) -> Result<Context, Stop> {
        let mut context = files.context;
        for folder in &files.crates {
            for (below, mode) in workspace::list_folder(&folder.folder, &folder.exclude).map_err(Stop::input)? {
                let bytes = Bytes::Disk(folder.folder.join(&below));
                context.insert(folder.path.join(below), ContextEntry::File { bytes, mode });
            }
        }
        Ok(context)
    }

    /// Shows diagnostics and ends with exit code 2.
    pub(super) fn bad_input(&self, problems: &[Diagnostic], map: &SourceMap) -> Stop {
        self.output.diagnostics(problems, map);
        Stop::silent(ExitStatus::BadInput)
    }
}

impl Loaded {
    /// Reads the sources of Go components. What is wrong with them is reported with all other problems.
    fn read_go(&mut self) {
        let components = self.manifests.components.values();
        let requests = components.filter_map(|component| match &component.build.kind {
            BuildKind::Go(go) => Some((component.name.value.clone(), go_request(&component.folder, go))),
            _ => None,
        });
        let (names, requests): (Vec<_>, Vec<_>) = requests.unzip();
        for (name, read) in names.into_iter().zip(workspace::go::read(&self.workspace.root, &requests)) {
            self.packages.go.insert(name.clone(), go_program(&read));
            self.go.extend(read.ok().map(|package| (name, package)));
        }
    }

    /// Git is asked only when a tag names the branch.
    fn with_branch<'m>(&self, resolution: Resolution<'m>) -> Resolution<'m> {
        let images = resolution.images.iter();
        let written = images.clone().flat_map(|image| image.definition.tags.iter().flatten().map(|tag| &tag.value));
        let replaced = images.filter_map(|image| image.output.tag.as_ref().map(|tag| &tag.value));
        let branch = written.chain(replaced).any(|template| template.names(TagName::Branch));
        let branch = branch.then(|| workspace::branch(&self.workspace.root)).flatten();
        Resolution { branch, ..resolution }
    }

    /// Why an image has no Dockerfile, with the places that say so; nothing when it has one.
    pub(super) fn native_only(&self, image: &ImagePlan) -> Vec<Diagnostic> {
        let report = |reason: render::NativeOnly<'_>| match self.place_of(&reason) {
            Some(place) => reason.diagnostic().label(place, ""),
            None => reason.diagnostic(),
        };
        render::native_only(image).map(report).collect()
    }

    /// Where a file or folder is named; nowhere when an override does it.
    fn place_of(&self, reason: &render::NativeOnly<'_>) -> Option<Span> {
        let written = match reason.user {
            render::User::Base(name) => &self.manifests.settings.bases.get(name)?.image,
            render::User::Component(name) => match &self.manifests.components.get(name)?.build.kind {
                BuildKind::Image(build) => match (&reason.what, &build.above) {
                    (render::What::Layers(_), Some(above)) => return Some(above.take),
                    _ => &build.image,
                },
                _ => return None,
            },
        };
        let is_file = matches!(reason.what, render::What::File(file) if written.value.file() == Some(file));
        is_file.then_some(written.span)
    }
}

impl SelectionArguments {
    /// What was asked for. `all_variants` is what no words mean.
    pub(super) fn selection(&self, all_variants: bool) -> Selection {
        let modes = self.modes.iter().map(|mode| Mode::from(*mode)).collect();
        Selection { modes, ..self.features().selection(self.images.clone(), all_variants) }
    }
}

impl FeatureArguments {
    pub(super) fn selection(&self, images: Vec<ImageSelector>, all_variants: bool) -> Selection {
        Selection {
            images,
            all_variants,
            features: self.features.iter().flat_map(|list| list.0.clone()).collect(),
            all_features: self.all_features,
            no_default_features: self.no_default_features,
            platforms: Vec::new(),
            modes: Vec::new(),
        }
    }
}
