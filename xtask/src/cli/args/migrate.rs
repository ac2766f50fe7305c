//! Arguments of `ledger` and `migrate`.

use camino::Utf8PathBuf;
use clap::{Args, Subcommand, ValueEnum};

use super::Format;
use crate::migrate::ledger::At;

pub(super) const LONG_LEDGER: &str = "\
Show the ledger of retired images, ask it, or check it.

The ledger is what components say in [[replaces]], and [[retired]] in groupage.toml or in the files that `ledger = [\"…\"]` \
there names. With --ledger FILE it is that file alone, and no workspace is needed.

[[retired]] has image (with {a,b} and *), aliases, mirrors (none, path, name), kind, since (one version, or one for each release \
line), replacement ({name} is the old last part), floor, floors (by platform), tag (keep, app-version, restart, { fixed = \"3.9\" }), \
suffixes, command, args, old-command, until, consumer-default, keys, slot, note, product.";

pub(super) const LONG_MIGRATE: &str = "\
Move the consumers of retired images.

`scan` finds retired references in files of any kind, `apply` puts right what can be put right without a decision, and `outputs` \
prints what consumers can use themselves. `modifiers` and `lint` are for restores of old backups with Velero. Files are edited by place: comments, order, quotes and line ends stay.";

/// Where the ledger is.
#[derive(Debug, Clone, Default, Args)]
pub struct LedgerSource {
    /// A ledger file instead of the workspace's ledger; may be given several times
    #[arg(long, value_name = "FILE")]
    pub ledger: Vec<Utf8PathBuf>,
}

/// What is asked about.
#[derive(Debug, Clone, Default, Args)]
pub struct AtArguments {
    /// The version that consumers move to; PRODUCT=VERSION where the ledger has several products. What was retired later is not
    /// found; without it, everything that was ever retired is
    #[arg(long, value_name = "[PRODUCT=]VERSION", value_delimiter = ',')]
    pub at: Vec<At>,
    /// Platforms of the consumers, as OS or OS/ARCH, whose floors count
    #[arg(long = "platform", value_name = "OS[/ARCH]", value_delimiter = ',')]
    pub platforms: Vec<String>,
}

/// Arguments of `ledger`.
#[derive(Debug, Args)]
pub struct LedgerArguments {
    /// What to do with it
    #[command(subcommand)]
    pub what: LedgerCommand,
}

/// What can be done with the ledger.
#[derive(Debug, Subcommand)]
pub enum LedgerCommand {
    /// List all retirements; as Markdown for release notes
    Show(LedgerShowArguments),
    /// Say what a reference became at a version, following the whole chain
    Resolve(LedgerResolveArguments),
    /// Find what is wrong with the ledger: cycles, two answers for one reference, floors above the newest release
    Check(LedgerCheckArguments),
}

/// Arguments of `ledger show`.
#[derive(Debug, Args)]
pub struct LedgerShowArguments {
    /// Where the ledger is
    #[command(flatten)]
    pub source: LedgerSource,
    /// Form of the output
    #[arg(long, value_enum, default_value_t)]
    pub format: LedgerFormat,
}

/// Form of the output of `ledger show`.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, ValueEnum)]
pub enum LedgerFormat {
    /// For people.
    #[default]
    Text,
    /// For programs.
    Json,
    /// For release notes.
    Markdown,
}

/// Arguments of `ledger resolve`.
#[derive(Debug, Args)]
pub struct LedgerResolveArguments {
    /// A reference, as a consumer has it
    #[arg(value_name = "REF")]
    pub reference: String,
    /// Where the ledger is
    #[command(flatten)]
    pub source: LedgerSource,
    /// What is asked about
    #[command(flatten)]
    pub at: AtArguments,
    /// Form of the output
    #[arg(long, value_enum, default_value_t)]
    pub format: Format,
}

/// Arguments of `ledger check`.
#[derive(Debug, Args)]
pub struct LedgerCheckArguments {
    /// Where the ledger is
    #[command(flatten)]
    pub source: LedgerSource,
    /// Form of the output
    #[arg(long, value_enum, default_value_t)]
    pub format: Format,
}

/// Arguments of `migrate`.
#[derive(Debug, Args)]
pub struct MigrateArguments {
    /// What to do
    #[command(subcommand)]
    pub what: MigrateCommand,
}

/// What can be done for consumers.
#[derive(Debug, Subcommand)]
pub enum MigrateCommand {
    /// Find retired references in YAML, JSON, TOML, Dockerfiles, shell, Markdown and source
    Scan(MigrateScanArguments),
    /// Put retired references right; shows a diff unless told to write
    Apply(MigrateApplyArguments),
    /// Write rules for Velero that rewrite retired images while an old backup is restored
    #[command(long_about = super::modifiers::LONG_MODIFIERS)]
    Modifiers(super::ModifiersArguments),
    /// Find what is wrong with resource modifiers of Velero, and repair it
    #[command(long_about = super::modifiers::LONG_LINT)]
    Lint(super::LintArguments),
    /// Print what consumers can use: Kustomize images, a Helm post-renderer, an upgrade note, a chart guard, variables to drop
    Outputs(MigrateOutputsArguments),
}

/// Arguments of `migrate scan`.
#[derive(Debug, Args)]
#[command(after_help = "\
Folders .git, target and node_modules, and files that are no text, are left out. stdout has one line for each finding: file, \
line, column, what is there and what should be.")]
pub struct MigrateScanArguments {
    /// Files and folders
    #[arg(value_name = "PATH", required = true)]
    pub paths: Vec<Utf8PathBuf>,
    /// Where the ledger is
    #[command(flatten)]
    pub source: LedgerSource,
    /// What is asked about
    #[command(flatten)]
    pub at: AtArguments,
    /// End with exit code 1 when there is a finding
    #[arg(long)]
    pub check: bool,
    /// Form of the output
    #[arg(long, value_enum, default_value_t)]
    pub format: ScanFormat,
}

/// Form of the output of `migrate scan`.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, ValueEnum)]
pub enum ScanFormat {
    /// For people.
    #[default]
    Text,
    /// For programs.
    Json,
    /// For code scanning: SARIF 2.1.0.
    Sarif,
    /// Annotations of GitHub Actions.
    Github,
}

/// Arguments of `migrate apply`.
#[derive(Debug, Args)]
#[command(after_help = "\
Exit code 1 when something is left that needs a decision; everything else is done nevertheless. Files appear by rename. Applying \
twice changes nothing.")]
pub struct MigrateApplyArguments {
    /// Files and folders
    #[arg(value_name = "PATH", required = true)]
    pub paths: Vec<Utf8PathBuf>,
    /// Where the ledger is
    #[command(flatten)]
    pub source: LedgerSource,
    /// What is asked about
    #[command(flatten)]
    pub at: AtArguments,
    /// Show the changes as a diff, and write nothing; the default
    #[arg(long, conflicts_with = "write")]
    pub diff: bool,
    /// Write the changes
    #[arg(long)]
    pub write: bool,
}

/// Arguments of `migrate outputs`.
#[derive(Debug, Args)]
pub struct MigrateOutputsArguments {
    /// What to print
    #[arg(value_enum)]
    pub what: ConsumerOutput,
    /// Where the ledger is
    #[command(flatten)]
    pub source: LedgerSource,
    /// What is asked about
    #[command(flatten)]
    pub at: AtArguments,
}

/// What consumers can use.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum ConsumerOutput {
    /// A Kustomize component with `images:`.
    Kustomize,
    /// A post-renderer for Helm, as a shell script.
    HelmPostRender,
    /// An upgrade note, as Markdown.
    Note,
    /// A template for a chart's NOTES.txt that fails on exactly the retired names.
    Guard,
    /// RELATED_IMAGE_* variables that operators drop.
    Openshift,
}
