//! What an image of a stage will be: its configuration, and the steps that give it files.
//!
//! | file | does |
//! |---|---|
//! | `facts.rs` | the types |
//! | `chain.rs` | which stages and images a stage stands on and copies from |
//! | `state.rs` | one instruction after the other |
//! | `steps.rs` | `COPY`, `ADD` and `RUN` |
//! | `ports.rs`, `paths.rs` | what `EXPOSE`, `WORKDIR` and destinations mean |
//!
//! Nothing is asked of the base image: what it brings is "inherited", a variable of it is [`super::Reason::Base`], and its own
//! triggers are not known.

mod chain;
mod facts;
mod paths;
mod ports;
mod state;
mod steps;

use std::collections::BTreeMap;

pub(super) use chain::sources;
pub use chain::{Base, ImageRole, ImageUse, Reach};
pub use facts::{
    Check, CommandLine, CopyStep, EnvironmentVariable, Fact, MountUse, Origin, Ports, RunStep, Setting, Source,
    StageFacts, Step, StepKind,
};
pub use paths::clean_path;

use super::error::DockerfileError;
use super::{Dockerfile, Stage};

/// All that the file says of the image of a stage: of `target`, a name or number, else of the last one. `args` are the
/// arguments of the build, automatic ones such as `TARGETARCH` among them.
///
/// # Errors
/// A target that does not exist, and everything that would end the build before its first step: open quotes, `${x:?}`
/// without a value, a `COPY --from` of a later stage.
pub fn evaluate(
    dockerfile: &Dockerfile,
    target: Option<&str>,
    args: &BTreeMap<String, String>,
) -> Result<StageFacts, Vec<DockerfileError>> {
    let stage = find(dockerfile, target).map_err(|error| vec![error])?;
    let global = chain::global(dockerfile, args).map_err(|error| vec![error])?;
    let reach = chain::reach(dockerfile, stage, &global)?;
    let chain = chain::parents(dockerfile, stage.index, &global).map_err(|error| vec![error])?;
    state::run(dockerfile, &chain, reach, &global, args)
}

/// The stage of a name or number, or the last one.
fn find<'d>(dockerfile: &'d Dockerfile, target: Option<&str>) -> Result<&'d Stage, DockerfileError> {
    let last = dockerfile.stages().last();
    let found = target.map_or(last, |target| dockerfile.stage(target));
    found.ok_or_else(|| {
        let place = last.map_or(super::Extent::new(0, 0), |stage| stage.base.span);
        let target = target.unwrap_or_default();
        let names = dockerfile.stages().iter().filter_map(|stage| stage.name.as_ref()).map(super::Word::text);
        DockerfileError::new(place, format!("there is no stage `{target}`")).suggest(target, names)
    })
}
