//! Arguments of `check references`.

use camino::Utf8PathBuf;
use clap::{Args, Subcommand};

use super::Format;

/// What `check` can look at besides the workspace.
#[derive(Debug, Subcommand)]
pub enum CheckWhat {
    /// Judge the references in any files, or in revisions of a repository, by the policy of groupage.toml; offline
    References(ReferencesArguments),
}

/// Arguments of `check references`.
#[derive(Debug, Args)]
#[command(after_help = "\
Every text file that git tracks or would track is searched; outside of a repository all files. Revisions are read as git holds \
them, without a checkout. Golden files count. Lines that begin with `#` or `//`, and what follows ` #` or ` //`, do not; \
groupage's own manifests do not either: `check` judges them, with all that they mean.

Records of [[temporary]] must hold on a day: that of --on, else that of the commit, else that of SOURCE_DATE_EPOCH. The clock is \
asked only by `--on today`.

Exit code 1 when a reference is not accepted.")]
pub struct ReferencesArguments {
    /// Folders or files to search, with --rev folders of repositories; the current folder when absent
    #[arg(value_name = "PATH")]
    pub paths: Vec<Utf8PathBuf>,
    /// Search this revision instead of the work tree: a tag, a branch or a commit; may be given several times
    #[arg(long = "rev", value_name = "REV")]
    pub revisions: Vec<String>,
    /// Search every tag of the repository
    #[arg(long, conflicts_with = "revisions")]
    pub all_tags: bool,
    /// A groupage.toml that holds the policy, instead of the workspace's
    #[arg(long, value_name = "FILE", conflicts_with = "manifest_path")]
    pub policy: Option<Utf8PathBuf>,
    /// The day on which records of [[temporary]] must hold: YYYY-MM-DD, or today
    #[arg(long, value_name = "DATE")]
    pub on: Option<String>,
    /// Search nothing; list the records of [[temporary]]: what the next release waits for
    #[arg(long, conflicts_with_all = ["paths", "revisions", "all_tags"])]
    pub blockers: bool,
    /// Form of the output
    #[arg(long, value_enum, default_value_t)]
    pub format: Format,
}
