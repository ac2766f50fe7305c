//! Left edge: the only place that reads the disk, the environment and cargo. Everything later works on what is read here.
//!
//! | file | is |
//! |---|---|
//! | `discover.rs`, `folders.rs` | which workspace, and which manifests belong to it |
//! | `environment.rs` | variables, read once |
//! | `inside.rs` | whether a path stays in the workspace, links followed |
//! | `text.rs` | reading text files, with limits, never following a link out of the workspace |
//! | `texts.rs` | files of arbitrary trees, for a search; the clock, for `--on today` |
//! | `foreign.rs` | files of others: many, anywhere, read once each |
//! | `overrides.rs` | `groupage.override.toml` as dotted keys |
//! | `tree/` | files that builds read: listed, hashed, kept inside the workspace |
//! | `glob.rs` | one pattern against one path or name |
//! | `ignore/` | which files of a folder belong to a build: `.gitignore` and `.dockerignore` |
//! | `memory/`, `seen.rs` | hashes from run to run, and when what the file system says of a file is enough |
//! | `pool.rs` | the one small thread pool |
//! | `order.rs` | the order of paths |
//! | `generated.rs` | Dockerfiles that were written before, and whether they are ours |
//! | `bootstrap.rs` | runs the program that makes a local stand-in of a builder |
//! | `accounts.rs` | what `docker login` has stored |
//! | `git.rs`, `git/` | when files were last changed, the same in every clone; the files of a revision |
//! | `times.rs` | times of changes, remembered for the newest commit |
//! | `state.rs` | `target/groupage`, where no link is followed |
//! | `remembered.rs` | a small file there that remembers an answer, with a checksum |
//! | `cargo/` | the cargo workspace, as `cargo metadata` sees it |
//! | `go/` | modules and packages of Go programs, as their sources say it |
//! | `watch.rs` | which files of some folders change, as it happens |
//! | `adopt.rs` | Dockerfiles below some paths, and what they copy |
//! | `write.rs` | files that we write: they appear by rename |
//! | `write_new.rs` | several new files, all or none |
//!
//! **Invariants**: a path that leaves the workspace, through `..` or a link, is an error; nothing is written but by
//! [`mod@write`], [`new_files`] and, in `target/groupage`, [`state`].

mod accounts;
mod adopt;
mod bootstrap;
pub mod cargo;
mod discover;
mod environment;
mod folders;
mod foreign;
mod generated;
mod git;
pub(crate) mod glob;
pub mod go;
mod ignore;
mod inside;
mod memory;
mod order;
mod overrides;
mod pool;
mod remembered;
mod seen;
pub mod state;
mod text;
mod texts;
mod times;
mod tree;
mod watch;
pub mod write;
mod write_new;

pub use accounts::{Account, accounts};
pub use adopt::{Copied, FoundDockerfile, find_dockerfiles, is_dockerfile, look_at_copied};
pub use bootstrap::{BootstrapError, bootstrap, bootstrap_key};
pub use discover::{Sources, Workspace};
pub use environment::Environment;
pub use folders::{FolderPattern, Folders, ManifestFiles};
pub use foreign::{Listed as ListedTexts, list as list_texts, read as read_text};
pub use generated::{Existing, GENERATED, existing, stale};
pub use git::{
    BlobFile, History, Revision, RevisionError, RevisionTree, branch, commit_times, head_time, ignored, read_blobs,
    revision, revision_files, tags, topmost,
};
pub use memory::Memory;
pub use overrides::OverrideEntry;
pub use pool::{in_parallel, threads};
pub use remembered::Remembered;
#[cfg(test)]
pub(crate) use remembered::check_that_damage_is_noticed;
pub use seen::Seen;
pub use state::MEMORY_FOLDER;
pub use texts::{MAX_SEARCHED, now, searched_files, searched_text, text_of};
pub use times::remembered_times;
pub use tree::{ContextRules, Entry, EntryKind, Listing, Tree, Want, list_folder, read_tree};
pub use watch::{FileEvent, FolderWatch, Limit, OnEvent, Renewed, WatchError};
pub use write_new::new_files;

use camino::{Utf8Path, Utf8PathBuf};

/// Name of the settings file, which marks the root of a workspace.
pub const SETTINGS_FILE: &str = "groupage.toml";
/// Name of the file with local replacements; not under version control.
pub const OVERRIDE_FILE: &str = "groupage.override.toml";
/// Name of the file with the digests of all references.
pub const LOCK_FILE: &str = "groupage.lock";

/// Reads a file that a path outside of the workspace names, such as a setting of docker.
///
/// # Errors
/// Whatever the disk says.
pub fn read_file(path: &Utf8Path) -> std::io::Result<Vec<u8>> {
    fs_err::read(path)
}

/// Why a workspace could not be read. All of these are bad input (exit code 2).
#[derive(Debug, thiserror::Error)]
pub enum WorkspaceError {
    /// No `groupage.toml` here or above.
    #[error(
        "there is no {SETTINGS_FILE} in {0} or in any folder above it\nhint: create one with the line `schema = 1`, or name it with --manifest-path"
    )]
    NotFound(Utf8PathBuf),
    /// `--manifest-path` leads nowhere.
    #[error("{0} does not exist\nhint: --manifest-path takes the path of a {SETTINGS_FILE}")]
    NoManifest(Utf8PathBuf),
    /// `--manifest-path` names another file.
    #[error("{0} is not a {SETTINGS_FILE}\nhint: --manifest-path takes the path of a {SETTINGS_FILE}")]
    OtherName(Utf8PathBuf),
    /// A path is not UTF-8.
    #[error("the path {0} is not UTF-8, which Dockerfiles and JSON need")]
    NotUtf8(String),
    /// Reading failed.
    #[error("failed to read the workspace: {0}")]
    Io(#[from] std::io::Error),
}
