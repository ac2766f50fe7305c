//! What cargo knows about a workspace, asked once. The only place that runs cargo to read.
//!
//! `cargo metadata` runs with `--locked`, so that a plan never changes `Cargo.lock`, with `--filter-platform`, so that
//! packages of other platforms need not be on this machine, and with `--all-features`, so that one answer serves every
//! combination of features. It runs `--offline` first: when everything is there, nothing touches the network.

mod distil;
mod model;

use std::process::{Command, Output, Stdio};

use camino::{Utf8Path, Utf8PathBuf};
use cargo_metadata::Metadata;
use fs_err as fs;

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
    distil::distil(&metadata, root_manifest, lock, config)
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

#[cfg(test)]
mod tests {
    use super::*;

    fn check(files: &[(&str, &str)], program: &str, expect: &str) {
        let folder = tempfile::tempdir().unwrap();
        let root = Utf8Path::from_path(folder.path()).unwrap();
        for (path, text) in files {
            fs::create_dir_all(root.join(path).parent().unwrap()).unwrap();
            fs::write(root.join(path), text).unwrap();
        }
        let error = read(Cargo { program, offline: true }, root, &[]).unwrap_err().to_string();
        assert!(error.contains(expect), "{error}");
    }

    const PACKAGE: &str = "[package]\nname = 'a'\nedition = '2024'\n";

    #[test]
    fn errors_name_the_next_step() {
        let sources = [("Cargo.toml", PACKAGE), ("src/main.rs", "fn main() {}")];
        let stale = [sources[0], sources[1], ("Cargo.lock", "version = 4\n")];
        let wrong = [("Cargo.toml", "[package"), ("Cargo.lock", "version = 4\n")];
        check(&[], "cargo", "there is no Cargo.toml in");
        check(&sources, "cargo", "hint: run `cargo generate-lockfile`");
        check(&stale, "cargo", "hint: run `cargo update --workspace`");
        check(&wrong, "cargo", "`cargo metadata` failed in");
        check(&stale, "no-such-cargo", "cannot run `no-such-cargo`");
    }
}
