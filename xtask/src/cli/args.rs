//! The words of the command line. Names are those of cargo and bake, where they have one.

mod check;
mod documents;
mod explain;
mod init;
mod lock;
mod look;
mod measure;
mod migrate;
mod mode;
mod modifiers;
mod release;
mod selection;
mod tools;

use camino::Utf8PathBuf;
use clap::{Args, Parser, Subcommand, ValueEnum};

pub use self::check::{CheckArguments, CheckWhat, ReferencesArguments};
pub use self::explain::{AgainstArguments, DiffArguments, Explain, ExplainArguments};
use crate::oci::Platform;
pub use documents::*;
pub use init::InitArguments;
pub use lock::{LockArguments, UpdateArguments};
pub use look::{InspectArguments, VerifyArguments};
pub use measure::*;
pub use migrate::*;
pub use mode::ModeChoice;
pub use modifiers::*;
pub use release::*;
pub use selection::{FeatureArguments, SelectionArguments};
pub use tools::*;

const LONG_ABOUT: &str = "\
Merges many small component images into few.

Reads components/*/component.toml and images/*/image.toml, decides with feature flags what is merged into which image, \
generates the multi-stage Dockerfiles, and builds the images: through a Docker daemon, or without one.

Exit codes: 0 done, 1 the work says no (a finding, a failed build, drift), 2 bad input or usage, 3 the environment is \
missing (no daemon, no compiler, an image or a registry that cannot be had).";

const LONG_BUILD: &str = "\
Build images.

`--engine docker` builds the generated Dockerfile through the Docker API. `--engine native` needs no daemon: it runs cargo \
on this machine, writes the layers itself, and fetches bases from their registries; equal inputs give equal bytes. `auto` \
takes docker when a daemon answers and has, or can pull, every base and builder, else native; what only one of them can do \
decides before that. It says which one it took, and why.

Images of the docker engine are in the daemon. Those of the native engine are OCI layouts in target/groupage/oci/IMAGE; \
--load, --push and --output send them further. stdout names what was built, as lines of REFERENCE DIGEST.";

/// The whole command line.
#[derive(Debug, Parser)]
#[command(name = "groupage", version, about = "Merges many small component images into few", long_about = LONG_ABOUT)]
pub struct Arguments {
    /// What to do.
    #[command(subcommand)]
    pub command: Command,
    /// What all commands share.
    #[command(flatten)]
    pub global: Global,
}

/// Options of every command.
#[derive(Debug, Clone, Default, Args)]
pub struct Global {
    /// The groupage.toml of the workspace; searched upwards from here when absent
    #[arg(long, global = true, value_name = "PATH", help_heading = "Workspace")]
    pub manifest_path: Option<Utf8PathBuf>,
    /// Override one value: bases.NAME, builders.NAME or components.NAME.image, or of these only .registry, .repository, .tag or .digest; registry.default, registry.mirror, images.NAME.base and the like; `*` matches within a name
    #[arg(long, global = true, value_name = "KEY=VALUE", value_parser = key_value, help_heading = "Workspace")]
    pub set: Vec<(String, String)>,
    /// The environment that the work is for, one of `[environments]` of groupage.toml; GROUPAGE_ENV when absent
    #[arg(long, global = true, value_name = "NAME", help_heading = "Workspace")]
    pub env: Option<String>,
    /// Assert that groupage.lock fits the manifests, as Cargo.lock always must; the default when CI=true and there is a groupage.lock
    #[arg(long, global = true, conflicts_with = "no_locked", help_heading = "Workspace")]
    pub locked: bool,
    /// Go on when groupage.lock does not fit the manifests, also when CI=true
    #[arg(long, global = true, help_heading = "Workspace")]
    pub no_locked: bool,
    /// Run without accessing the network
    #[arg(long, global = true, help_heading = "Workspace")]
    pub offline: bool,
    /// Colour of messages
    #[arg(long, global = true, value_enum, default_value_t, help_heading = "Output")]
    pub color: Color,
}

/// When messages have colour.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, ValueEnum)]
pub enum Color {
    /// In a terminal, unless NO_COLOR is set.
    #[default]
    Auto,
    /// Always.
    Always,
    /// Never.
    Never,
}

/// The commands.
#[derive(Debug, Subcommand)]
pub enum Command {
    /// Begin a workspace: from nothing, from Dockerfiles, or from published images
    #[command(long_about = init::LONG_INIT)]
    Init(InitArguments),
    /// List components and images with their features, versions and roles
    List(ListArguments),
    /// Check every image by every rule, generated files and the lock file for drift; needs no daemon and no network
    Check(CheckArguments),
    /// Show what would be built, and from what
    Plan(PlanArguments),
    /// Write the Dockerfiles that reviewers read
    Generate(GenerateArguments),
    /// Build images, through a Docker daemon or without one
    #[command(long_about = LONG_BUILD)]
    Build(BuildArguments),
    /// Pin every reference that the manifests name in groupage.lock; entries that fit stay as they are
    Lock(LockArguments),
    /// Ask registries again for what groupage.lock pins
    Update(UpdateArguments),
    /// Explain a decision
    Explain(ExplainArguments),
    /// Show what differs between two plans or images: components, features, versions, roles, configuration, files, bytes
    #[command(long_about = explain::LONG_DIFF)]
    Diff(DiffArguments),
    /// Show what is inside an image: components, features, roles, fingerprint, base
    #[command(long_about = look::LONG_INSPECT)]
    Inspect(InspectArguments),
    /// Prove the contract of an image on its bytes: programs, loaders, libraries, old paths, users, modes, digests
    #[command(long_about = look::LONG_VERIFY)]
    Verify(VerifyArguments),
    /// Show what merging gains and costs, measured: images, bytes, pulls, memory, before (split) and after
    #[command(long_about = measure::LONG_REPORT)]
    Report(ReportArguments),
    /// Say of each image and component whether to merge it, to keep it apart or to split it, and why
    #[command(long_about = measure::LONG_ADVISE)]
    Advise(AdviseArguments),
    /// List the images and components that were touched since a git revision; builds nothing
    Affected(AffectedArguments),
    /// List every image that is needed or made: references, digests, platforms, reasons
    Images(ImagesArguments),
    /// Copy every image that is needed to a registry of one's own, by digest
    Mirror(MirrorArguments),
    /// Copy images from one environment to another by digest, and set their tags there
    #[command(long_about = release::LONG_PROMOTE)]
    Promote(PromoteArguments),
    /// Compare releases
    Release(ReleaseArguments),
    /// Build again whenever a file is saved
    Watch(WatchArguments),
    /// Show or shrink what target/groupage holds
    Cache(CacheArguments),
    /// Show the ledger of retired images, ask it what a reference became, or check it
    #[command(long_about = migrate::LONG_LEDGER)]
    Ledger(LedgerArguments),
    /// Move the consumers of retired images: find references, put them right
    #[command(long_about = migrate::LONG_MIGRATE)]
    Migrate(MigrateArguments),
    /// Print the JSON Schema of a file, for editors
    #[command(long_about = documents::LONG_SCHEMA)]
    Schema(SchemaArguments),
    /// Print the manual page, or write those of all commands
    Man(ManArguments),
    /// Print a completion script for a shell
    Completions(CompletionsArguments),
}

/// Form of the output.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, ValueEnum)]
pub enum Format {
    /// For people.
    #[default]
    Text,
    /// For programs.
    Json,
}

/// Arguments of `list`.
#[derive(Debug, Args)]
pub struct ListArguments {
    /// Form of the output
    #[arg(long, value_enum, default_value_t)]
    pub format: Format,
}

/// Arguments of `plan`.
#[derive(Debug, Args)]
pub struct PlanArguments {
    /// What to plan
    #[command(flatten)]
    pub selection: SelectionArguments,
    /// Form of the output
    #[arg(long, value_enum, default_value_t)]
    pub format: Format,
    /// Show why each image would be built again, instead of the plan
    #[arg(long)]
    pub explain: bool,
    /// What to explain it against
    #[command(flatten)]
    pub against: AgainstArguments,
}

/// Arguments of `generate`.
#[derive(Debug, Default, Args)]
pub struct GenerateArguments {
    /// What to generate; every image in every variant when absent
    #[command(flatten)]
    pub selection: SelectionArguments,
    /// Write nothing; fail when a Dockerfile is not as it would be generated
    #[arg(long, conflicts_with = "context")]
    pub check: bool,
    /// Overwrite Dockerfiles that were not generated
    #[arg(long, conflicts_with_all = ["context", "check"])]
    pub force: bool,
    /// Write a folder that plain `docker build` accepts, Dockerfile included, for exactly one image
    #[arg(long, value_name = "DIR")]
    pub context: Option<Utf8PathBuf>,
    /// Platform that the folder is for, where its files depend on the platform
    #[arg(long, value_name = "OS/ARCH", requires = "context")]
    pub platform: Option<Platform>,
}

/// Arguments of `build`.
#[derive(Debug, Args)]
pub struct BuildArguments {
    /// What to build
    #[command(flatten)]
    pub selection: SelectionArguments,
    /// Platforms to build for, separated by commas; that of the daemon or of this machine when absent; several are for the native engine
    #[arg(long = "platform", value_name = "OS/ARCH", value_delimiter = ',')]
    pub platforms: Vec<Platform>,
    /// Reference for the result instead of the planned one; may be given several times; needs exactly one image
    #[arg(short, long = "tag", value_name = "REFERENCE", value_parser = tag)]
    pub tags: Vec<crate::oci::Reference>,
    /// How many images are built at once
    #[arg(short, long, value_name = "N", default_value_t = 4, value_parser = clap::value_parser!(u16).range(1..=64))]
    pub jobs: u16,
    /// Go on with other images when one has failed
    #[arg(long)]
    pub keep_going: bool,
    /// Build every step anew, and one image after the other; what cargo and Go compile they judge themselves
    #[arg(long)]
    pub no_cache: bool,
    /// Build one component anew, and the images that hold it, one after the other; may be given several times
    #[arg(long, value_name = "COMPONENT", value_delimiter = ',')]
    pub no_cache_filter: Vec<String>,
    /// Look for each image in its registry first, and take it from there when it was made from the same inputs
    #[arg(long)]
    pub pull: bool,
    /// Give images their names without looking at what is in them
    #[arg(long)]
    pub no_verify: bool,
    /// Stop before anything is built, and show the plan
    #[arg(long)]
    pub dry_run: bool,
    /// What builds: a Docker daemon, or this program itself
    #[arg(long, value_enum, default_value_t)]
    pub engine: EngineChoice,
    /// Load the result into the Docker daemon, where the docker engine has it anyway
    #[arg(long)]
    pub load: bool,
    /// Push the result to the registry of its references, with the account of `docker login`
    #[arg(long)]
    pub push: bool,
    /// Write the result into a file: type=oci|docker,dest=FILE[,compression=none|gzip|zstd]; may be given several times
    #[arg(short, long = "output", value_name = "TYPE,DEST")]
    pub outputs: Vec<super::destination::Destination>,
    /// How progress is shown
    #[arg(long, value_enum, default_value_t)]
    pub progress: ProgressStyle,
    /// Write what was built into a JSON file, with the keys of `docker buildx bake`
    #[arg(long, value_name = "FILE")]
    pub metadata_file: Option<Utf8PathBuf>,
    /// The daemon, as unix:///path or tcp://host:port; DOCKER_HOST, the Docker context, then the default socket when absent
    #[arg(long, value_name = "ADDRESS")]
    pub host: Option<String>,
}

/// What builds.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, ValueEnum)]
pub enum EngineChoice {
    /// Docker, when a daemon answers and has, or can pull, every image that is needed; else native.
    #[default]
    Auto,
    /// The generated Dockerfile, through the Docker API.
    Docker,
    /// Cargo on this machine, and layers written directly; needs no daemon.
    Native,
}

/// How progress is shown.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, ValueEnum)]
pub enum ProgressStyle {
    /// `tty` in a terminal, else `plain`.
    #[default]
    Auto,
    /// One line for each image, rewritten in place.
    Tty,
    /// One line for each event.
    Plain,
    /// One JSON object for each event.
    Json,
    /// Nothing but errors.
    Quiet,
}

/// A reference that an image can be given: its digest comes of its content.
fn tag(text: &str) -> Result<crate::oci::Reference, String> {
    let reference: crate::oci::Reference =
        text.parse().map_err(|error: crate::oci::ReferenceError| error.to_string())?;
    if reference.digest().is_some() {
        return Err("an image is named by a tag, not by a digest".to_owned());
    }
    Ok(reference)
}

fn key_value(text: &str) -> Result<(String, String), String> {
    match text.split_once('=') {
        Some((key, value)) if !key.is_empty() => Ok((key.to_owned(), value.to_owned())),
        _ => Err("write KEY=VALUE, such as bases.static=registry.example/static:1".to_owned()),
    }
}
