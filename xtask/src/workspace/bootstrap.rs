//! Runs the program of the workspace that makes a local stand-in for a builder image.

use std::process::{Command, Stdio};

use camino::Utf8Path;

use super::text::inside;

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
    /// It said no; what it had to say went to stderr.
    #[error("{program} failed with {status}")]
    Failed {
        /// The program.
        program: String,
        /// Its exit status.
        status: std::process::ExitStatus,
    },
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
    let path = root.join(program);
    if !path.is_file() || inside(root, &path).is_err() {
        return Err(BootstrapError::Outside(program.to_string()));
    }
    let mut command = Command::new(&path);
    command.arg(tag).arg(root.join(CACHE)).current_dir(root).stdin(Stdio::null()).stdout(std::io::stderr());
    command.envs(docker_host.map(|host| ("DOCKER_HOST", host)));
    let status = command.status().map_err(|error| BootstrapError::Start { program: program.to_string(), error })?;
    if status.success() { Ok(()) } else { Err(BootstrapError::Failed { program: program.to_string(), status }) }
}
