//! Go components, compiled on this machine: the same programs as in the container of the Docker engine, byte for byte, where Go
//! is the same version. It compiles for every platform, and `-trimpath` leaves no path of this machine in a program.
//!
//! | file | is |
//! |---|---|
//! | `program.rs` | [`GoProgram`]: what is to be compiled |
//! | `flags.rs` | variables of `go`; **why two machines give the same bytes** |
//! | `run.rs` | one run of `go build`, its progress and its failure |
//!
//! Go keeps what it has compiled and fetched below `target/groupage/go`, and nothing in anybody's home. Each program is a run of
//! its own: Go's cache has what they share, and the linker is all that another version of a component costs.

mod flags;
mod program;
mod run;
#[cfg(test)]
mod tests;

pub use program::GoProgram;

use std::collections::BTreeMap;

use camino::{Utf8Path, Utf8PathBuf};
use tokio::process::Command;

use super::process::{self, Line};
use super::teller::Teller;
use super::{PROGRAMS, beside, copy, is_same, wait_for_others};
use crate::engine::{EngineError, Events, Step};
use run::GoRun;

/// How to compile Go programs.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct GoOptions {
    /// Name of the job that events and failures are told under.
    pub job: String,
    /// Number of the first step; as many follow as there are programs.
    pub first_step: u32,
    /// The workspace.
    pub root: Utf8PathBuf,
    /// What Go keeps: `<root>/target/groupage/go`, absolute. Executables are kept beside it, in `programs`.
    pub folder: Utf8PathBuf,
    /// Path or name of Go.
    pub go: String,
    /// Variables of this process; few of them reach Go.
    pub environment: BTreeMap<String, String>,
    /// Never ask the network, even when something is missing.
    pub offline: bool,
}

/// The identity of the compiler, such as `go1.19.8`. What it runs on is no part of it: it compiles the same bytes everywhere.
///
/// # Errors
/// [`EngineError::Missing`] when there is none.
pub async fn identity(options: &GoOptions) -> Result<String, EngineError> {
    let said = ask(options, &options.go, &["version"]).await?;
    let version = said.split_whitespace().find(|word| word.starts_with("go1") || word.starts_with("devel"));
    Ok(version.unwrap_or(said.trim()).to_owned())
}

/// Looks for everything that these programs need, so that a refusal comes before any work.
///
/// # Errors
/// [`EngineError::Missing`], with what is missing and how to get it.
pub async fn check(programs: &[GoProgram], options: &GoOptions) -> Result<(), EngineError> {
    let host = crate::oci::Platform::of_this_machine();
    if let Some(program) = programs.iter().find(|program| program.cgo && program.platform != host) {
        return Err(EngineError::Missing {
            message: format!(
                "component `{}` is compiled with C for {}, and this machine has a C compiler for {host} at most",
                program.component, program.platform
            ),
            hint: "set `cgo = false` in [build.go], or build with `--engine docker` and a builder of that platform"
                .to_owned(),
        });
    }
    identity(options).await.map(drop)
}

/// Compiles programs; gives the executable of each, at a path that stays valid until the program is compiled anew.
///
/// Dropping the future ends Go and everything that it has started.
///
/// # Errors
/// [`EngineError::BuildFailed`] when Go fails; [`EngineError::Other`] when the disk refuses.
pub async fn compile(
    programs: &[GoProgram],
    options: &GoOptions,
    events: &Events,
) -> Result<BTreeMap<GoProgram, Utf8PathBuf>, EngineError> {
    let mut executables = BTreeMap::new();
    let mut lock = None;
    for (number, program) in (options.first_step..).zip(programs) {
        let step = Step { number, name: program.step_name() };
        let teller = Teller { job: &options.job, events, step };
        if lock.is_none() {
            lock = Some(wait_for_others(&options.folder, &teller).await?);
        }
        let path = GoRun { program, options, teller }.compile().await?;
        executables.insert(program.clone(), keep(program, &path, options)?);
    }
    Ok(executables)
}

/// Judges an executable and copies it to where the engine takes it: Go writes to its own place again and again. A copy with the
/// same bytes stays, since the layer that holds it is known by the file.
fn keep(program: &GoProgram, path: &Utf8Path, options: &GoOptions) -> Result<Utf8PathBuf, EngineError> {
    let (state, folder) = (beside(&options.folder), Utf8Path::new(PROGRAMS).join(program.key()));
    let kept = state.join(&folder).join(program.file_name());
    let failed =
        |error: std::io::Error| EngineError::Other { action: format!("keep {path}"), message: error.to_string() };
    if !is_same(path, &kept) {
        let bytes = fs_err::read(path).map_err(failed)?;
        if fs_err::read(&kept).is_ok_and(|before| before == bytes) {
            return Ok(kept);
        }
        program.check(&bytes).map_err(|misfit| misfit.refusal(&options.job, program.step_name()))?;
        copy(path, state, &folder, &kept).map_err(failed)?;
    }
    Ok(kept)
}

/// What a program prints.
async fn ask(options: &GoOptions, program: &str, arguments: &[&str]) -> Result<String, EngineError> {
    let mut command = Command::new(program);
    command.args(arguments).current_dir(&options.root).env_clear().envs(flags::environment(options, None));
    let (mut out, mut err) = (Vec::new(), Vec::new());
    let status = process::run(command, |line| match line {
        Line::Out(line) => out.push(String::from_utf8_lossy(&line).into_owned()),
        Line::Err(line) => err.push(String::from_utf8_lossy(&line).into_owned()),
    });
    let hint =
        "install Go from https://go.dev/dl (on Debian: apt-get install golang-go), or build with `--engine docker`";
    let missing = |message: String| EngineError::Missing { message, hint: hint.to_owned() };
    match status.await {
        Ok(status) if status.success() => Ok(out.join("\n")),
        Ok(_) => Err(missing(format!("`{program} {}` failed: {}", arguments.join(" "), err.join("\n")))),
        Err(error) => Err(missing(format!("cannot run `{program}`: {error}"))),
    }
}
