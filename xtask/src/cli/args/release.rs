//! Arguments of `images`, `mirror`, `promote` and `release`.

use camino::Utf8PathBuf;
use clap::{Args, Subcommand, ValueEnum};

use super::{Format, ProgressStyle, SelectionArguments};
use crate::manifest::RegistryPath;
use crate::oci::MappingMode;

pub(super) const LONG_PROMOTE: &str = "\
Copy images from one environment to another by digest, and set their tags there. Without --confirm nothing is changed: it shows \
what would be.

IMAGE is an image of the workspace, under the tag that is planned for it, or REPOSITORY:TAG and REPOSITORY@DIGEST below the \
registry of --from. ENV is an environment of groupage.toml that names a `registry`, or a registry and path. What refers to an \
image (signatures, bills of materials) goes with it. A tag that does not move is never taken from another image: that is \
refused before anything is copied. Tags that move go forward only, by the order of versions. A promotion that was cut short \
goes on where it was.";

/// Arguments of `images`.
#[derive(Debug, Args)]
pub struct ImagesArguments {
    /// Images to list the references of; every image in every variant when absent
    #[command(flatten)]
    pub selection: SelectionArguments,
    /// List them; it is what the command does anyway
    #[arg(long)]
    pub list: bool,
    /// What to list; both when absent
    #[arg(long, value_enum)]
    pub only: Option<ClassChoice>,
    /// Form of the output
    #[arg(long, value_enum, default_value_t)]
    pub format: ImagesFormat,
}

/// Whether images are needed or made.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum ClassChoice {
    /// Bases, builders, sources of components.
    Inputs,
    /// What is built.
    Outputs,
}

/// Form of the output of `images`.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, ValueEnum)]
pub enum ImagesFormat {
    /// One line for each image, its reference first.
    #[default]
    Text,
    /// For programs.
    Json,
    /// A table for release notes.
    Markdown,
    /// A matrix of GitHub Actions, on one line.
    GithubMatrix,
}

/// Arguments of `mirror`.
#[derive(Debug, Args)]
#[command(after_help = "\
Copies by digest, with all platforms. What is there is not sent again. When an image or one of its platforms is missing, the \
others are copied, neither its index nor its tag is, and the run ends with exit code 1, unless --allow-missing names it.")]
pub struct MirrorArguments {
    /// What to copy the images of; every image in every variant when absent
    #[command(flatten)]
    pub selection: SelectionArguments,
    /// Where to, as REGISTRY[/PATH]; that of registry.mirror when absent
    #[arg(long, value_name = "REGISTRY")]
    pub to: Option<RegistryPath>,
    /// What becomes of the names; that of registry.mirror-mode when absent
    #[arg(long, value_name = "MODE", value_enum)]
    pub map: Option<MapChoice>,
    /// Copy the images that are built, too
    #[arg(long)]
    pub outputs: bool,
    /// An image, or one platform of it, that may be missing; may be given several times
    #[arg(long, value_name = "REFERENCE[=OS/ARCH]")]
    pub allow_missing: Vec<String>,
    /// Copy images without what refers to them, such as signatures
    #[arg(long)]
    pub no_referrers: bool,
    /// Copy nothing; show where everything would go
    #[arg(long)]
    pub dry_run: bool,
    /// How progress is shown
    #[arg(long, value_enum, default_value_t)]
    pub progress: ProgressStyle,
    /// Form of the output
    #[arg(long, value_enum, default_value_t)]
    pub format: Format,
}

/// What becomes of names in another registry.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum MapChoice {
    /// ghcr.io/a/b becomes REGISTRY/a/b.
    ReplaceHost,
    /// ghcr.io/a/b becomes REGISTRY/ghcr.io/a/b.
    Prepend,
    /// ghcr.io/a/b becomes REGISTRY/a-b.
    Flatten,
}

impl From<MapChoice> for MappingMode {
    fn from(choice: MapChoice) -> Self {
        match choice {
            MapChoice::ReplaceHost => Self::ReplaceHost,
            MapChoice::Prepend => Self::Prepend,
            MapChoice::Flatten => Self::Flatten,
        }
    }
}

/// Arguments of `promote`.
#[derive(Debug, Args)]
pub struct PromoteArguments {
    /// What to promote; every image in every variant when absent. With --swap, the files and folders to look into
    #[arg(value_name = "IMAGE|PATH")]
    pub words: Vec<String>,
    /// Where the images are; the environment that --to names in `promoted-from` when absent
    #[arg(long, value_name = "ENV")]
    pub from: Option<String>,
    /// Where they go
    #[arg(long, value_name = "ENV", required_unless_present = "swap")]
    pub to: Option<String>,
    /// Do it
    #[arg(long)]
    pub confirm: bool,
    /// A tag to give each image, instead of its own; {version}, {major}, {minor} and {variant} stand for parts of its own tag; may be given several times
    #[arg(short, long = "tag", value_name = "TAG", conflicts_with = "manifest")]
    pub tags: Vec<String>,
    /// A tag that moves, to give each image besides: `latest`, `{major}.{minor}`; separated by commas
    #[arg(long, value_name = "TAG", value_delimiter = ',')]
    pub moving: Vec<String>,
    /// Promote what a promoter manifest lists; IMAGE then names entries of it
    #[arg(long, value_name = "FILE")]
    pub manifest: Option<Utf8PathBuf>,
    /// Write down what was promoted in a promoter manifest
    #[arg(long, value_name = "FILE")]
    pub record: Option<Utf8PathBuf>,
    /// Copy images without what refers to them, such as signatures
    #[arg(long)]
    pub no_referrers: bool,
    /// Change a reference in files instead: every OLD becomes NEW, and nothing else changes
    #[arg(long, value_name = "OLD=NEW", value_parser = swap, conflicts_with_all = ["from", "to", "confirm", "tags", "moving", "manifest", "record", "no_referrers"])]
    pub swap: Option<(String, String)>,
    /// With --swap: write the files
    #[arg(long, requires = "swap")]
    pub write: bool,
    /// How progress is shown
    #[arg(long, value_enum, default_value_t)]
    pub progress: ProgressStyle,
    /// Form of the output
    #[arg(long, value_enum, default_value_t)]
    pub format: Format,
}

/// Arguments of `release`.
#[derive(Debug, Args)]
pub struct ReleaseArguments {
    /// What to do
    #[command(subcommand)]
    pub what: Release,
}

/// What can be done with releases.
#[derive(Debug, Subcommand)]
pub enum Release {
    /// Show which images differ between two releases, and what nobody has explained
    Diff(ReleaseDiffArguments),
}

/// Arguments of `release diff`.
#[derive(Debug, Args)]
#[command(after_help = "\
A and B are git revisions of this workspace, or files that `images --list --format json` has written. An image that disappears, \
another repository and another way to write tags need an explanation: an entry of [[replaces]] in a component, or a line of \
--explain-file, which is YAML: `OLD-NAME: why`. Without one the run ends with exit code 1.")]
pub struct ReleaseDiffArguments {
    /// The older release: a git revision, or a file
    #[arg(value_name = "A")]
    pub old: String,
    /// The newer one
    #[arg(value_name = "B")]
    pub new: String,
    /// Explanations, as a YAML mapping of names to reasons
    #[arg(long, value_name = "FILE")]
    pub explain_file: Option<Utf8PathBuf>,
    /// Form of the output
    #[arg(long, value_enum, default_value_t)]
    pub format: Format,
}

fn swap(text: &str) -> Result<(String, String), String> {
    match text.split_once('=') {
        Some((old, new)) if !old.is_empty() && !new.is_empty() => Ok((old.to_owned(), new.to_owned())),
        _ => Err("write OLD=NEW, two references".to_owned()),
    }
}
