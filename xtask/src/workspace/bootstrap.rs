//! Runs the program of the workspace that makes a local stand-in for a builder image.

use std::process::{Command, Stdio};

use camino::{Utf8Path, Utf8PathBuf};
use sha2::{Digest as _, Sha256};

use super::inside::inside;
use crate::oci::hex;

/// Folder for whatever such a program wants to keep, relative to the workspace root.
const CACHE: &str = "target/groupage/bootstrap";

/// Why there is no stand-in.
#[derive(Debug, thiserror::Error)]
pub enum BootstrapError {
    /// The program is not in the workspace.
    #[error("{0} is not a program of this workspace")]
    Outside(String),
    /// It cannot be started.
    #[error("cannot run {program}: {error}")]
    Start {
        /// The program.
        program: String,
        /// Why.
        error: std::io::Error,
    },
    /// It cannot be read.
    #[error("cannot read {program}: {error}")]
    Read {
        /// The program.
        program: String,
        /// Why.
        error: std::io::Error,
    },
    /// It said no; what it had to say went to stderr.
    #[error("{program} failed with {status}")]
    Failed {
        /// The program.
        program: String,
        /// Its exit status.
        status: std::process::ExitStatus,
    },
}

/// A short name for a program by its path and its bytes: another program makes another stand-in.
///
/// # Errors
/// The program is not in the workspace, or cannot be read.
pub fn bootstrap_key(root: &Utf8Path, program: &Utf8Path) -> Result<String, BootstrapError> {
    let path = program_path(root, program)?;
    let bytes = fs_err::read(&path).map_err(|error| BootstrapError::Read { program: program.to_string(), error })?;
    Ok(key(program, &bytes))
}

fn key(program: &Utf8Path, bytes: &[u8]) -> String {
    let digest = Sha256::new().chain_update(program.as_str()).chain_update([0]).chain_update(bytes).finalize();
    hex(&digest[..6])
}

fn program_path(root: &Utf8Path, program: &Utf8Path) -> Result<Utf8PathBuf, BootstrapError> {
    let path = root.join(program);
    if path.is_file() && inside(root, program).is_ok() {
        Ok(path)
    } else {
        Err(BootstrapError::Outside(program.to_string()))
    }
}

/// Runs `PROGRAM TAG CACHE`; afterwards the daemon has an image of that tag. What the program prints goes to stderr.
///
/// # Errors
/// [`BootstrapError`].
pub fn bootstrap(
    root: &Utf8Path,
    program: &Utf8Path,
    tag: &str,
    docker_host: Option<&str>,
) -> Result<(), BootstrapError> {
    let path = program_path(root, program)?;
    let mut command = Command::new(&path);
    command.arg(tag).arg(root.join(CACHE)).current_dir(root).stdin(Stdio::null()).stdout(std::io::stderr());
    command.envs(docker_host.map(|host| ("DOCKER_HOST", host)));
    let status = command.status().map_err(|error| BootstrapError::Start { program: program.to_string(), error })?;
    if status.success() { Ok(()) } else { Err(BootstrapError::Failed { program: program.to_string(), status }) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keys_depend_on_path_and_bytes() {
        let of = |program: &str, bytes: &[u8]| key(Utf8Path::new(program), bytes);
        assert_eq!(of("a", b"x").len(), 12);
        assert_eq!(of("a", b"x"), of("a", b"x"));
        assert_ne!(of("a", b"x"), of("b", b"x"));
        assert_ne!(of("a", b"x"), of("a", b"y"));
    }
}
