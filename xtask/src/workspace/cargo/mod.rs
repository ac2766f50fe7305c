//! What cargo knows about a workspace, asked once. The only place that runs cargo to read.
//!
//! `cargo metadata` runs with `--locked`, so that a plan never changes `Cargo.lock`, with `--filter-platform`, so that
//! packages of other platforms need not be on this machine, and with `--all-features`, so that one answer serves every
//! combination of features. It runs `--offline` first: when everything is there, nothing touches the network.
//!
//! Its answer takes longer than all the rest of a plan, so it is remembered; see `memory.rs`.

mod distil;
mod facts;
mod memory;
mod model;
#[cfg(test)]
mod tests;

use std::process::{Command, Output, Stdio};

use camino::{Utf8Path, Utf8PathBuf};
use cargo_metadata::Metadata;
use fs_err as fs;

pub use memory::read_or_recall;
pub use model::{CargoBinary, CargoDependency, CargoPackage, CargoWorkspace, DependencyKind, LibraryKind, PackageKey};

/// The cargo to run.
#[derive(Debug, Clone, Copy)]
pub struct Cargo<'a> {
    /// Its path or name: the value of `CARGO`, which cargo sets for the programs it runs, or `cargo`.
    pub program: &'a str,
    /// Never ask the network, even when something is missing.
    pub offline: bool,
}

/// Why a cargo workspace cannot be read.
#[derive(Debug, thiserror::Error)]
pub enum CargoReadError {
    /// There is no workspace.
    #[error(
        "there is no Cargo.toml in {0}, but a component is built with cargo\nhint: run `cargo init`, or use another build kind"
    )]
    NoManifest(Utf8PathBuf),
    /// Versions are not pinned.
    #[error(
        "there is no Cargo.lock in {0}, and a build without one is not repeatable\nhint: run `cargo generate-lockfile` and commit Cargo.lock"
    )]
    NoLock(Utf8PathBuf),
    /// The lock file does not fit the manifests.
    #[error(
        "Cargo.lock in {root} does not fit the manifests\n{stderr}\nhint: run `cargo update --workspace` and commit Cargo.lock"
    )]
    StaleLock {
        /// Where cargo ran.
        root: Utf8PathBuf,
        /// What cargo said.
        stderr: String,
    },
    /// Cargo cannot be started.
    #[error("cannot run `{program}`: {error}\nhint: install Rust, or set CARGO to the path of cargo")]
    Start {
        /// The program.
        program: String,
        /// Why.
        error: std::io::Error,
    },
    /// Cargo failed.
    #[error("`cargo metadata` failed in {root}\n{stderr}")]
    Cargo {
        /// Where cargo ran.
        root: Utf8PathBuf,
        /// What cargo said.
        stderr: String,
    },
    /// Cargo's answer has another shape than the one we know.
    #[error("cannot understand the answer of `cargo metadata`: {0}")]
    Answer(#[from] serde_json::Error),
    /// A file cannot be read.
    #[error(transparent)]
    File(#[from] std::io::Error),
}

/// Reads the cargo workspace of `root`, as seen by builds for `rust_targets`.
///
/// Name the builder's own platform too when build scripts or procedural macros have dependencies that it alone needs.
///
/// # Errors
/// No manifest, no lock file, a lock file that does not fit, cargo failed, or a file cannot be read.
pub fn read(cargo: Cargo<'_>, root: &Utf8Path, rust_targets: &[&str]) -> Result<CargoWorkspace, CargoReadError> {
    ask(cargo, root, rust_targets).map(|(workspace, _)| workspace)
}

/// What a plan needs of cargo's answer, and the answer.
fn ask(cargo: Cargo<'_>, root: &Utf8Path, rust_targets: &[&str]) -> Result<(CargoWorkspace, Metadata), CargoReadError> {
    if !root.join("Cargo.toml").is_file() {
        return Err(CargoReadError::NoManifest(root.to_owned()));
    }
    if !root.ancestors().any(|folder| folder.join("Cargo.lock").is_file()) {
        return Err(CargoReadError::NoLock(root.to_owned()));
    }
    let metadata = metadata(cargo, root, rust_targets)?;
    let root = &metadata.workspace_root;
    let root_manifest = fs::read_to_string(root.join("Cargo.toml"))?;
    let lock = fs::read_to_string(root.join("Cargo.lock"))?;
    let config = optional(&root.join(".cargo/config.toml"))?;
    let workspace = distil::distil(&metadata, root_manifest, lock, config)?;
    Ok((workspace, metadata))
}

fn metadata(cargo: Cargo<'_>, root: &Utf8Path, rust_targets: &[&str]) -> Result<Metadata, CargoReadError> {
    let mut output = run(cargo, root, rust_targets, true)?;
    if !output.status.success() && !cargo.offline {
        output = run(cargo, root, rust_targets, false)?;
    }
    if output.status.success() {
        return Ok(serde_json::from_slice(&output.stdout)?);
    }
    let stderr = String::from_utf8_lossy(&output.stderr).trim_end().to_owned();
    let root = root.to_owned();
    let stale = stderr.contains("--locked was passed");
    Err(if stale { CargoReadError::StaleLock { root, stderr } } else { CargoReadError::Cargo { root, stderr } })
}

fn run(cargo: Cargo<'_>, root: &Utf8Path, rust_targets: &[&str], offline: bool) -> Result<Output, CargoReadError> {
    let mut command = Command::new(cargo.program);
    command.args(["metadata", "--format-version", "1", "--color", "never", "--locked", "--all-features"]);
    command.args(rust_targets.iter().flat_map(|target| ["--filter-platform", target]));
    command.args(offline.then_some("--offline"));
    command.current_dir(root).stdin(Stdio::null());
    command.output().map_err(|error| CargoReadError::Start { program: cargo.program.to_owned(), error })
}

fn optional(path: &Utf8Path) -> Result<Option<String>, std::io::Error> {
    match fs::read_to_string(path) {
        Ok(text) => Ok(Some(text)),
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => Ok(None),
        Err(error) => Err(error),
    }
}
