//! Cargo components, compiled on this machine: the same programs as in the container of the Docker engine, byte for byte,
//! where compiler, linker and C library are the same.
//!
//! ```text
//! ComponentPlan ─ Program::of ─→ programs ─ check ─→ Toolchain       refusals come here, before any work
//!                                    └──── compile ─→ executables    one run of cargo for all that may share one
//! ```
//!
//! | file | is |
//! |---|---|
//! | `program.rs` | [`Program`]: what is to be compiled |
//! | `toolchain.rs` | [`check`]: cargo, rustc, targets and linkers |
//! | `identity.rs` | the toolchain as an input of what it compiles |
//! | `generated.rs` | workspaces that are written from the plan |
//! | `flags.rs` | arguments and variables of cargo; **why two machines give the same bytes** |
//! | `run.rs` | one run of cargo, its progress and its failure |
//! | `reads.rs` | which files cargo says that it read |
//! | `unknown.rs` | those that are no inputs of the plan |
//! | `teller.rs` | who tells observers and failures of a run, of cargo or Go |
//! | `process.rs` | a process group that ends when its future is dropped |
//! | `elf.rs`, `pe.rs` | whether a program is for its platform, and linked as it was asked for |
//! | `go/` | the same for Go components |
//!
//! Cargo runs on the workspace itself, not on a pruned copy (except where there is nothing else: `generated.rs`), so that what developers have compiled is not compiled again, and
//! one run after the other, because a target folder has one lock. So it can read what the plan does not know, and is asked
//! afterwards what it read ([`Compiled::check`]). Which programs share a run is decided by
//! [`crate::plan::cargo::groups`]: those that come out as if compiled alone.

mod elf;
mod flags;
mod generated;
pub mod go;
mod identity;
mod pe;
mod process;
mod program;
mod reads;
mod run;
mod teller;
#[cfg(test)]
mod tests;
mod toolchain;
mod unknown;

pub use generated::Generated;
pub use identity::identity;
pub use program::Program;
pub use toolchain::{Toolchain, check};

use std::collections::{BTreeMap, BTreeSet};
use std::fs::{File, TryLockError};
use std::io;
use std::time::Duration;

use camino::{Utf8Path, Utf8PathBuf};

use crate::engine::{EngineError, Events, Step, StepFailure, StepState};
use crate::plan::Input;
use crate::plan::cargo::{Candidate, Targets, groups};
use crate::workspace::cargo::CargoWorkspace;
use crate::workspace::state;
use reads::Reads;
use run::Run;
use teller::{Teller, other};

/// How to compile.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CompileOptions {
    /// Name of the job that events and failures are told under.
    pub job: String,
    /// Number of the first step; at most as many follow as there are programs.
    pub first_step: u32,
    /// Cargo's target folder, absolute: `<root>/target/groupage/cargo`. Executables are kept beside it, in `programs`.
    pub target_dir: Utf8PathBuf,
    /// Path or name of cargo.
    pub cargo: String,
    /// Path or name of rustc.
    pub rustc: String,
    /// Variables of this process; few of them reach cargo.
    pub environment: BTreeMap<String, String>,
    /// Never ask the network, even when something is missing.
    pub offline: bool,
    /// How many compilers run at once; as many as there are processors when absent.
    pub jobs: Option<usize>,
}

/// A program that was compiled.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Compiled {
    /// A path that stays valid until the program is compiled anew.
    pub executable: Utf8PathBuf,
    /// Name of the step that would compile it alone.
    step: String,
    reads: Reads,
}

/// Compiles programs. What each was compiled from is not judged yet: see [`Compiled::check`].
///
/// Dropping the future ends cargo and everything that it has started.
///
/// # Errors
/// [`EngineError::BuildFailed`] when cargo fails, or a program is not linked as it should be; [`EngineError::Other`] when the
/// disk refuses.
pub async fn compile(
    programs: &[Program],
    workspace: &CargoWorkspace,
    generated: &Generated,
    toolchain: &Toolchain,
    options: &CompileOptions,
    events: &Events,
) -> Result<BTreeMap<Program, Compiled>, EngineError> {
    let several = programs.iter().map(|program| &program.platform).collect::<BTreeSet<_>>().len() > 1;
    let mut compiled = BTreeMap::new();
    let mut lock = None;
    for (step, programs) in (options.first_step..).zip(runs(programs, workspace, toolchain)?) {
        let platform = programs.first().map(|program| program.platform.to_string()).filter(|_| several);
        let step = Step { number: step, name: step_name(workspace, &programs, platform.as_deref()) };
        let teller = Teller { job: &options.job, events, step };
        if lock.is_none() {
            lock = Some(wait_for_others(&options.target_dir, &teller).await?);
        }
        let own = own_workspace(&programs, generated, workspace, options)?;
        let (workspace, options) = own.as_ref().map_or((workspace, options), |(own, options)| (own, options));
        let run = Run { programs, workspace, toolchain, options, teller };
        for (program, (path, reads)) in run.compile().await? {
            let (executable, step) = (keep(&run, program, &path)?, step_name(run.workspace, &[program], None));
            compiled.insert(program.clone(), Compiled { executable, step, reads });
        }
    }
    Ok(compiled)
}

impl Compiled {
    /// Refuses a program of a job that was compiled from files which are no inputs of its component: nobody would notice
    /// when they change.
    ///
    /// # Errors
    /// [`EngineError::BuildFailed`], with the files and the next step.
    pub fn check(
        &self,
        job: &str,
        inputs: &BTreeMap<Utf8PathBuf, Input>,
        workspace: &CargoWorkspace,
        toolchain: &Toolchain,
        options: &CompileOptions,
    ) -> Result<(), EngineError> {
        let unknown = unknown::Places::new(workspace, toolchain, options).unknown(&self.reads, inputs);
        if unknown.is_empty() {
            return Ok(());
        }
        let names: Vec<&str> = unknown.iter().map(|unknown| unknown.path().as_str()).collect();
        let hints: BTreeSet<String> = unknown.iter().map(unknown::Unknown::hint).collect();
        let hints: Vec<String> = hints.into_iter().collect();
        Err(EngineError::BuildFailed(Box::new(StepFailure {
            image: job.to_owned(),
            step: Some(self.step.clone()),
            message: format!(
                "cargo read {}, which the plan does not know: a change of it would go unseen",
                names.join(", ")
            ),
            hint: Some(hints.join("\nhint: ")),
            ..StepFailure::default()
        })))
    }
}

/// The workspace of a program whose workspace is written from the plan, and the options for it.
fn own_workspace(
    programs: &[&Program],
    generated: &Generated,
    workspace: &CargoWorkspace,
    options: &CompileOptions,
) -> Result<Option<(CargoWorkspace, CompileOptions)>, EngineError> {
    let Some((program, folder)) = programs.iter().find_map(|program| Some((program, program.generated.as_ref()?)))
    else {
        return Ok(None);
    };
    let unknown = || other(format!("nothing is known of the workspace {folder}"));
    let inputs = generated.get(folder).ok_or_else(unknown)?;
    let failed =
        |error: io::Error| EngineError::Other { action: format!("write {folder}"), message: error.to_string() };
    let state = beside(&options.target_dir);
    let below = folder.strip_prefix(state).unwrap_or(folder);
    let made = state::folder(state, below).and_then(|folder| generated::write(&folder, inputs, &workspace.root));
    made.map_err(failed)?;
    Ok(Some((generated::workspace(folder, program), generated::options(folder, options))))
}

/// The programs of each run of cargo, in a fixed order. One of a workspace of its own has a run of its own.
fn runs<'a>(
    programs: &'a [Program],
    workspace: &CargoWorkspace,
    toolchain: &Toolchain,
) -> Result<Vec<Vec<&'a Program>>, EngineError> {
    let mut alike: BTreeMap<_, BTreeSet<&Program>> = BTreeMap::new();
    let (own, shared): (Vec<&Program>, Vec<&Program>) =
        programs.iter().partition(|program| program.generated.is_some());
    for program in shared {
        alike.entry((&program.platform, program.link, program.vendored)).or_default().insert(program);
    }
    let mut runs = Vec::new();
    for ((platform, link, _), programs) in alike {
        let programs: Vec<&Program> = programs.into_iter().collect();
        let triple = toolchain::triple(platform)?;
        let target = toolchain.targets.get(&(triple.to_owned(), link));
        let target = target.ok_or_else(|| other(format!("the toolchain was not checked for {triple}")))?;
        let features: Vec<BTreeSet<String>> = programs.iter().map(|program| program.all_features()).collect();
        let candidates: Vec<Candidate<'_>> =
            programs.iter().zip(&features).map(|(program, features)| program.candidate(features)).collect();
        let targets = Targets { target, host: &toolchain.host };
        let groups = groups(workspace, &candidates, targets).map_err(other)?;
        runs.extend(groups.into_iter().map(|group| group.into_iter().map(|index| programs[index]).collect()));
    }
    runs.extend(own.into_iter().map(|program| vec![program]));
    Ok(runs)
}

/// `[comp-a] cargo build --package a@1.0.0 --bin a`, as the stages of the other engine are named; `[cargo]` stands for
/// several components.
fn step_name(workspace: &CargoWorkspace, programs: &[&Program], platform: Option<&str>) -> String {
    let components: BTreeSet<&str> = programs.iter().map(|program| program.component.as_str()).collect();
    let stage = match components.first() {
        Some(only) if components.len() == 1 => format!("comp-{only}"),
        _ => "cargo".to_owned(),
    };
    let platform = platform.map(|platform| format!("{platform} ")).unwrap_or_default();
    format!("[{platform}{stage}] cargo build {}", flags::selection(workspace, programs).join(" "))
}

/// The lock in a folder of cargo or Go.
const LOCK: &str = ".groupage-lock";
/// Where executables are kept.
const PROGRAMS: &str = "programs";
/// How often a lock is tried that somebody else has.
const RETRY: Duration = Duration::from_millis(100);

/// A lock over compiling and keeping: cargo's own is free between the two, and another run may write a program of the same
/// name. Tried again and again, because waiting for a file cannot be cancelled.
async fn wait_for_others(folder: &Utf8Path, teller: &Teller<'_>) -> Result<File, EngineError> {
    let path = folder.join(LOCK);
    let failed = |error: io::Error| EngineError::Other { action: format!("lock {path}"), message: error.to_string() };
    let lock = Utf8Path::new(folder.file_name().unwrap_or_default()).join(LOCK);
    let file = state::lock_file(beside(folder), lock).map_err(failed)?;
    let mut told = false;
    loop {
        match file.try_lock() {
            Ok(()) => return Ok(file),
            Err(TryLockError::Error(error)) => return Err(failed(error)),
            Err(TryLockError::WouldBlock) => {}
        }
        if !told {
            teller.log("waiting for another run that compiles".to_owned());
            told = true;
        }
        tokio::time::sleep(RETRY).await;
    }
}

/// Judges an executable and copies it to a place of its own: cargo has one for all programs of a name, whatever their
/// features. A copy of the same age and size is the same.
fn keep(run: &Run<'_>, program: &Program, path: &Utf8Path) -> Result<Utf8PathBuf, EngineError> {
    let state = beside(&run.options.target_dir);
    let folder = Utf8Path::new(PROGRAMS).join(program.key());
    let kept = state.join(&folder).join(&program.bin);
    let failed = |error: io::Error| EngineError::Other { action: format!("keep {path}"), message: error.to_string() };
    if is_same(path, &kept) {
        return Ok(kept);
    }
    let bytes = fs_err::read(path).map_err(failed)?;
    elf::check(&program.wanted(), &bytes).map_err(|misfit| refusal(run, program, misfit))?;
    if let Some(place) = flags::leak(&bytes, run.workspace, &run.options.environment) {
        run.teller.log(format!(
            "warning: program `{}` holds the path {place} of this machine, so that elsewhere its bytes are others; \
             env!(\"CARGO_MANIFEST_DIR\") and C code do that",
            program.bin
        ));
    }
    copy(path, state, &folder, &kept).map_err(failed)?;
    Ok(kept)
}

fn refusal(run: &Run<'_>, program: &Program, misfit: elf::Misfit) -> EngineError {
    run.teller.tell(StepState::Failed { message: misfit.message.clone() });
    misfit.refusal(run.teller.job, step_name(run.workspace, &[program], None))
}

fn is_same(path: &Utf8Path, kept: &Utf8Path) -> bool {
    let file = |path: &Utf8Path| path.symlink_metadata().ok().filter(std::fs::Metadata::is_file);
    let facts = |path: &Utf8Path| file(path).and_then(|metadata| Some((metadata.len(), metadata.modified().ok()?)));
    matches!((facts(path), facts(kept)), (Some(a), Some(b)) if a == b)
}

/// What a folder of cargo or Go is in: the state folder, or the folder of a workspace that is written there.
fn beside(folder: &Utf8Path) -> &Utf8Path {
    folder.parent().unwrap_or(folder)
}

/// The copy appears whole, by rename, in a folder below `state`.
fn copy(path: &Utf8Path, state: &Utf8Path, folder: &Utf8Path, kept: &Utf8Path) -> io::Result<()> {
    let folder = state::folder(state, folder)?;
    let file = tempfile::NamedTempFile::new_in(folder)?;
    fs_err::copy(path, file.path())?;
    file.as_file().set_modified(path.metadata()?.modified()?)?;
    file.persist(kept).map_err(|error| error.error)?;
    Ok(())
}
