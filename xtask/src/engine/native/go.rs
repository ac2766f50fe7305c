//! The Go programs of all jobs. What one job has compiled is not compiled for another one.

use std::collections::BTreeMap;

use camino::Utf8PathBuf;
use tokio::sync::Mutex;

use super::compile::go::{self, GoOptions, GoProgram};
use super::job::NativeJob;
use super::programs::Programs;
use super::progress::Steps;
use crate::engine::{EngineError, Events};

/// What compiles the Go components of all jobs.
#[derive(Debug)]
pub struct GoCompiler {
    options: GoOptions,
    compiled: Mutex<BTreeMap<GoProgram, Utf8PathBuf>>,
}

impl GoCompiler {
    /// Looks for what the programs of the jobs need; `None` when Go builds none of them.
    ///
    /// # Errors
    /// [`EngineError::Missing`], before anything is compiled.
    pub async fn new(jobs: &[&NativeJob], options: GoOptions) -> Result<Option<Self>, EngineError> {
        let all: Vec<GoProgram> = jobs.iter().copied().flat_map(programs).collect();
        if all.is_empty() {
            return Ok(None);
        }
        go::check(&all, &options).await?;
        Ok(Some(Self { options, compiled: Mutex::default() }))
    }

    /// Adds the programs of one job.
    pub(super) async fn add_programs(
        &self,
        job: &NativeJob,
        all: &mut Programs,
        steps: &Steps,
        events: &Events,
    ) -> Result<(), EngineError> {
        let own: Vec<GoProgram> = programs(job).collect();
        // Go uses all processors: jobs wait for one another here
        let mut compiled = self.compiled.lock().await;
        let missing: Vec<GoProgram> = own.iter().filter(|program| !compiled.contains_key(program)).cloned().collect();
        let first_step = steps.reserve(u32::try_from(missing.len()).unwrap_or(u32::MAX));
        let options = GoOptions { job: job.image.clone(), first_step, ..self.options.clone() };
        compiled.extend(go::compile(&missing, &options, events).await?);
        for program in own {
            if let Some(path) = compiled.get(&program) {
                all.entry(program.platform).or_default().insert(program.component, path.clone());
            }
        }
        Ok(())
    }
}

fn programs(job: &NativeJob) -> impl Iterator<Item = GoProgram> {
    let of_plan = |(platform, plan): &(_, crate::plan::ImagePlan)| {
        let programs = plan.components.iter().filter_map(|part| GoProgram::of(part, platform));
        programs.collect::<Vec<_>>()
    };
    job.plans.iter().flat_map(of_plan).collect::<Vec<_>>().into_iter()
}
