//! Why a workspace cannot be pruned.

use camino::Utf8PathBuf;

use super::program::ProgramError;

/// Why a workspace cannot be pruned.
#[derive(Debug, thiserror::Error)]
pub enum PruneError {
    /// The package or its program is not there.
    #[error(transparent)]
    Program(#[from] ProgramError),
    /// A manifest or the lock file is not TOML, which cargo would have said before.
    #[error("cannot parse {path}: {message}")]
    Toml {
        /// The file, relative to the workspace.
        path: Utf8PathBuf,
        /// What is wrong.
        message: String,
    },
    /// The lock file has a shape that we do not know.
    #[error(
        "Cargo.lock has no usable entry for {package}: {reason}\nhint: run `cargo update --workspace` with cargo 1.78 or newer"
    )]
    Lock {
        /// The package.
        package: String,
        /// What is missing.
        reason: &'static str,
    },
    /// A program whose features are off.
    #[error(
        "program `{binary}` of package {package} needs the cargo feature `{feature}`\nhint: add it to `features` of [build.cargo], or to the component's own features"
    )]
    RequiredFeature {
        /// The package.
        package: String,
        /// The program.
        binary: String,
        /// The feature.
        feature: String,
    },
    /// A git dependency in a build without a network.
    #[error(
        "package {package} comes from git ({source_url}), which a build without network cannot have\nhint: publish it to a registry, copy it into the repository as a path dependency, or set `[build] network = \"default\"`"
    )]
    Git {
        /// The package.
        package: String,
        /// Its repository.
        source_url: String,
    },
    /// A path dependency that does not travel.
    #[error(
        "path dependency {package} lies in {folder}, outside of the workspace {root}\nhint: move it into the repository, or depend on a registry or git version of it"
    )]
    Outside {
        /// The package.
        package: String,
        /// Where it is.
        folder: Utf8PathBuf,
        /// Where it would have to be.
        root: Utf8PathBuf,
    },
    /// A path dependency whose manifest leans on another workspace.
    #[error(
        "path dependency {package} inherits from another cargo workspace than the one in {root}\nhint: make it a member of this workspace"
    )]
    ForeignWorkspace {
        /// The package.
        package: String,
        /// This workspace.
        root: Utf8PathBuf,
    },
}
