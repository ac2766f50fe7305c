//! The compiled programs of all jobs. Everything is compiled at once, because cargo does most in one run; when that fails,
//! each job compiles its own, so that a component that is broken fails only the images that hold it.

use std::collections::{BTreeMap, BTreeSet};

use camino::Utf8PathBuf;
use tokio::sync::Mutex;

use super::compile::{self, CompileOptions, Compiled, Generated, Program, Toolchain};
use super::job::{NativeJob, layout_folder};
use super::progress::Steps;
use crate::engine::{EngineError, Events};
use crate::manifest::ComponentName;
use crate::oci::Platform;
use crate::plan::{ComponentPlan, Input, multicall};
use crate::workspace::cargo::CargoWorkspace;

/// Executables by platform and component.
pub(super) type Programs = BTreeMap<Platform, BTreeMap<ComponentName, Utf8PathBuf>>;

/// What compiles the cargo components of all jobs.
#[derive(Debug)]
pub struct Compiler<'w> {
    workspace: &'w CargoWorkspace,
    options: CompileOptions,
    toolchain: Toolchain,
    all: BTreeSet<Program>,
    generated: Generated,
    state: Mutex<State>,
}

#[derive(Debug)]
enum State {
    NotYet,
    Compiled(BTreeMap<Program, Compiled>),
    OneByOne,
}

impl<'w> Compiler<'w> {
    /// Looks for everything that the programs of the jobs need; `None` when cargo builds none of them.
    ///
    /// # Errors
    /// [`EngineError::Missing`], before anything is compiled.
    pub async fn new(
        jobs: &[&NativeJob],
        workspace: &'w CargoWorkspace,
        options: CompileOptions,
    ) -> Result<Option<Self>, EngineError> {
        let all: BTreeSet<Program> = jobs.iter().copied().flat_map(|job| programs(job, &options)).collect();
        if all.is_empty() {
            return Ok(None);
        }
        let list: Vec<Program> = all.iter().cloned().collect();
        let toolchain = compile::check(&list, workspace, &options).await?;
        let generated = jobs.iter().copied().flat_map(|job| parts(job, &options)).filter_map(generated).collect();
        Ok(Some(Self { workspace, options, toolchain, all, generated, state: Mutex::new(State::NotYet) }))
    }

    /// The programs of one job.
    pub(super) async fn programs(
        &self,
        job: &NativeJob,
        steps: &Steps,
        events: &Events,
    ) -> Result<Programs, EngineError> {
        let own: BTreeSet<Program> = programs(job, &self.options).collect();
        if own.is_empty() {
            return Ok(Programs::new());
        }
        // cargo has one lock for a target folder: jobs wait for one another here, in order
        let mut state = self.state.lock().await;
        if matches!(*state, State::NotYet) {
            match self.compile(&self.all, job, steps, events).await {
                Ok(compiled) => *state = State::Compiled(compiled),
                Err(EngineError::Cancelled) => return Err(EngineError::Cancelled),
                Err(error) => {
                    *state = State::OneByOne;
                    if own == self.all {
                        return Err(error);
                    }
                }
            }
        }
        match &*state {
            State::Compiled(compiled) => self.checked(job, &own, compiled),
            State::NotYet | State::OneByOne => self.checked(job, &own, &self.compile(&own, job, steps, events).await?),
        }
    }

    /// The programs of a job, each compiled from nothing but the inputs of its component. Another job may want the same
    /// program, and fails by itself.
    fn checked(
        &self,
        job: &NativeJob,
        own: &BTreeSet<Program>,
        compiled: &BTreeMap<Program, Compiled>,
    ) -> Result<Programs, EngineError> {
        let mut programs = Programs::new();
        for program in own {
            let plan = job.plans.iter().find(|(platform, _)| *platform == program.platform);
            let part = plan.and_then(|(_, plan)| plan.components.iter().find(|part| part.name == program.component));
            if let (Some(compiled), Some(part)) = (compiled.get(program), part) {
                compiled.check(&job.image, &part.inputs, self.workspace, &self.toolchain, &self.options)?;
                let components = programs.entry(program.platform.clone()).or_default();
                components.insert(program.component.clone(), compiled.executable.clone());
            }
        }
        Ok(programs)
    }

    async fn compile(
        &self,
        programs: &BTreeSet<Program>,
        job: &NativeJob,
        steps: &Steps,
        events: &Events,
    ) -> Result<BTreeMap<Program, Compiled>, EngineError> {
        let list: Vec<Program> = programs.iter().cloned().collect();
        let first_step = steps.reserve(u32::try_from(list.len()).unwrap_or(u32::MAX));
        let options = CompileOptions { job: job.image.clone(), first_step, ..self.options.clone() };
        compile::compile(&list, self.workspace, &self.generated, &self.toolchain, &options, events).await
    }
}

/// One component of a job on one platform, and the folder of the workspace that is written for it.
type PartOfJob<'j> = (&'j ComponentPlan, &'j Platform, Option<Utf8PathBuf>);

fn parts<'j>(job: &'j NativeJob, options: &CompileOptions) -> impl Iterator<Item = PartOfJob<'j>> {
    let beside = options.target_dir.parent().unwrap_or(&options.target_dir).to_owned();
    job.plans.iter().flat_map(move |(platform, plan)| {
        // variants of an image have other features
        let folder = beside.join(multicall::NAME).join(layout_folder(&plan.id));
        plan.components.iter().map(move |part| (part, platform, part.is_multicall().then(|| folder.clone())))
    })
}

fn programs(job: &NativeJob, options: &CompileOptions) -> impl Iterator<Item = Program> {
    let programs = parts(job, options)
        .filter_map(|(part, platform, generated)| Some(Program { generated, ..Program::of(part, platform)? }));
    programs.collect::<Vec<_>>().into_iter()
}

fn generated((part, _, folder): PartOfJob<'_>) -> Option<(Utf8PathBuf, BTreeMap<Utf8PathBuf, Input>)> {
    Some((folder?, part.inputs.clone()))
}
