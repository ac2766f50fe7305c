//! Arguments of `affected`, `watch` and `cache`.

use clap::{Args, Subcommand, ValueEnum};

use super::{EngineChoice, Format, ProgressStyle, SelectionArguments};
use crate::oci::{Platform, Reference};

/// Arguments of `affected`.
#[derive(Debug, Args)]
#[command(after_help = "\
The plan of the revision and the plan of the work tree, uncommitted changes included, are compared by fingerprint: what \
cannot change an image does not count. A file that git ignores exists in the work tree only and counts as unchanged. When \
there is no plan of the revision, everything is affected.

github-matrix prints one line for $GITHUB_OUTPUT: {\"include\":[{\"image\":…,\"variant\":…,\"platform\":…},…]}. `variant` is \
empty for the plain image. GitHub refuses an empty list: guard the job with `if: fromJSON(…).include[0] != null`.")]
pub struct AffectedArguments {
    /// What to compare; every image in every variant when absent
    #[command(flatten)]
    pub selection: SelectionArguments,
    /// The revision to compare with: a commit, a branch or a tag
    #[arg(long, value_name = "REV")]
    pub since: String,
    /// Form of the output
    #[arg(long, value_enum, default_value_t)]
    pub format: AffectedFormat,
}

/// Form of the output of `affected`.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, ValueEnum)]
pub enum AffectedFormat {
    /// For people.
    #[default]
    Text,
    /// For programs.
    Json,
    /// A matrix of GitHub Actions, on one line.
    GithubMatrix,
}

/// Arguments of `watch`.
#[derive(Debug, Args)]
#[command(after_help = "\
One line on stdout for each rebuild: what changed, what was built, and how long it took. Saves that change nothing in an \
image build nothing. A broken manifest or a failed build is shown, and watching goes on. Ctrl-C ends it with exit code 0.")]
pub struct WatchArguments {
    /// What to build
    #[command(flatten)]
    pub selection: SelectionArguments,
    /// Platforms to build for, separated by commas; that of the daemon or of this machine when absent
    #[arg(long = "platform", value_name = "OS/ARCH", value_delimiter = ',')]
    pub platforms: Vec<Platform>,
    /// Reference for the result instead of the planned one; needs exactly one image
    #[arg(short, long = "tag", value_name = "REFERENCE", value_parser = super::tag)]
    pub tags: Vec<Reference>,
    /// How many images are built at once
    #[arg(short, long, value_name = "N", default_value_t = 4, value_parser = clap::value_parser!(u16).range(1..=64))]
    pub jobs: u16,
    /// Go on with other images when one has failed
    #[arg(long)]
    pub keep_going: bool,
    /// What builds: a Docker daemon, or this program itself
    #[arg(long, value_enum, default_value_t)]
    pub engine: EngineChoice,
    /// Load each result into the Docker daemon, where the docker engine has it anyway
    #[arg(long)]
    pub load: bool,
    /// Push each result to the registry of its references
    #[arg(long)]
    pub push: bool,
    /// How the progress of builds is shown
    #[arg(long, value_enum, default_value_t = ProgressStyle::Quiet)]
    pub progress: ProgressStyle,
    /// The daemon, as unix:///path or tcp://host:port
    #[arg(long, value_name = "ADDRESS")]
    pub host: Option<String>,
    /// Look for changes every second instead of being told, for file systems that do not tell
    #[arg(long)]
    pub poll: bool,
    /// Form of the lines
    #[arg(long, value_enum, default_value_t)]
    pub format: Format,
}

/// Arguments of `cache`.
#[derive(Debug, Args)]
pub struct CacheArguments {
    /// What to do with it
    #[command(subcommand)]
    pub what: Cache,
}

/// What can be done with the cache.
#[derive(Debug, Subcommand)]
pub enum Cache {
    /// Show what target/groupage holds, and how many bytes each part has
    Show(CacheShowArguments),
    /// Remove what was not used for longest, until the rest fits
    Prune(CachePruneArguments),
}

/// Arguments of `cache show`.
#[derive(Debug, Args)]
pub struct CacheShowArguments {
    /// Form of the output
    #[arg(long, value_enum, default_value_t)]
    pub format: Format,
    /// The daemon, as unix:///path or tcp://host:port
    #[arg(long, value_name = "ADDRESS")]
    pub host: Option<String>,
}

/// Arguments of `cache prune`.
#[derive(Debug, Args)]
#[command(after_help = "\
SIZE is a number with B, kB, MB, GB, TB (powers of 1000) or KiB, MiB, GiB, TiB (powers of 1024). Whatever is removed can be \
made or fetched again. What a layout in target/groupage/oci needs stays, whatever SIZE is. Nothing is removed while a build \
runs: this waits for it.")]
pub struct CachePruneArguments {
    /// How much target/groupage may hold afterwards, such as 2GB; 0 removes all that can be made again
    #[arg(long, value_name = "SIZE", value_parser = crate::cli::size::parse)]
    pub keep: u64,
    /// Remove OCI layouts of images as well, before anything else
    #[arg(long)]
    pub all: bool,
    /// Also remove component images from the Docker daemon that belong to no image of this workspace any more
    #[arg(long)]
    pub docker: bool,
    /// Remove nothing; show what would be removed
    #[arg(long)]
    pub dry_run: bool,
    /// The daemon, as unix:///path or tcp://host:port
    #[arg(long, value_name = "ADDRESS")]
    pub host: Option<String>,
}
