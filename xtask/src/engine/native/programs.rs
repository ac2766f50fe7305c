//! The compiled programs of all jobs. Everything is compiled at once, because cargo does most in one run; when that fails,
//! each job compiles its own, so that a component that is broken fails only the images that hold it.

use std::collections::{BTreeMap, BTreeSet};

use camino::Utf8PathBuf;
use tokio::sync::Mutex;

use super::compile::{self, CompileOptions, Program, Toolchain};
use super::job::NativeJob;
use super::progress::Steps;
use crate::engine::{EngineError, Events};
use crate::manifest::ComponentName;
use crate::oci::Platform;
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
    state: Mutex<State>,
}

#[derive(Debug)]
enum State {
    NotYet,
    Compiled(BTreeMap<Program, Utf8PathBuf>),
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
        let all: BTreeSet<Program> = jobs.iter().copied().flat_map(programs).collect();
        if all.is_empty() {
            return Ok(None);
        }
        let list: Vec<Program> = all.iter().cloned().collect();
        let toolchain = compile::check(&list, workspace, &options).await?;
        Ok(Some(Self { workspace, options, toolchain, all, state: Mutex::new(State::NotYet) }))
    }

    /// The programs of one job.
    pub(super) async fn programs(
        &self,
        job: &NativeJob,
        steps: &Steps,
        events: &Events,
    ) -> Result<Programs, EngineError> {
        let own: BTreeSet<Program> = programs(job).collect();
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
            State::Compiled(compiled) => Ok(by_component(&own, compiled)),
            State::NotYet | State::OneByOne => Ok(by_component(&own, &self.compile(&own, job, steps, events).await?)),
        }
    }

    async fn compile(
        &self,
        programs: &BTreeSet<Program>,
        job: &NativeJob,
        steps: &Steps,
        events: &Events,
    ) -> Result<BTreeMap<Program, Utf8PathBuf>, EngineError> {
        let list: Vec<Program> = programs.iter().cloned().collect();
        let first_step = steps.reserve(u32::try_from(list.len()).unwrap_or(u32::MAX));
        let options = CompileOptions { job: job.image.clone(), first_step, ..self.options.clone() };
        compile::compile(&list, self.workspace, &self.toolchain, &options, events).await
    }
}

fn programs(job: &NativeJob) -> impl Iterator<Item = Program> {
    let parts = job.plans.iter().flat_map(|(platform, plan)| plan.components.iter().map(move |part| (part, platform)));
    parts.filter_map(|(part, platform)| Program::of(part, platform))
}

fn by_component(wanted: &BTreeSet<Program>, compiled: &BTreeMap<Program, Utf8PathBuf>) -> Programs {
    let mut programs = Programs::new();
    for program in wanted {
        if let Some(path) = compiled.get(program) {
            let components = programs.entry(program.platform.clone()).or_default();
            components.insert(program.component.clone(), path.clone());
        }
    }
    programs
}
