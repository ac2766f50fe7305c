//! Arguments of `migrate lint` and `migrate modifiers`.

use camino::Utf8PathBuf;
use clap::{Args, ValueEnum};

use super::{AtArguments, Format, LedgerSource};
use crate::migrate::modifiers::version::Velero;

pub(super) const LONG_LINT: &str = "\
Find what is wrong with resource modifiers of Velero, and repair what can be repaired.

A FILE is the ConfigMap, or the rules alone. Found is what Velero refuses, what it takes and then fails at or passes over \
(bad expressions and globs, resources that can never match, values that arrive as numbers, an `add` that takes an object away), \
and rules that replace pods while their file-system backups are restored into them.";

pub(super) const LONG_MODIFIERS: &str = "\
Write a ConfigMap that rewrites retired images while Velero restores an old backup.

The inventory is what runs, or ran: `kubectl get pods -A -o yaml`; add deployments, replicasets and the like for rows of \
change-image-name. `auto` takes rows when exactly one of them fits each retired reference and none fits another one, since they \
rewrite Deployments and pods alike; else resource modifiers on pods, by container name. Velero's own init containers \
restore-wait and restic-wait are left out.";

/// Arguments of `migrate lint`.
#[derive(Debug, Args)]
#[command(after_help = "\
Exit code 1 when there is an error, or one is left after the repair. A diff is shown unless --write is given.")]
pub struct LintArguments {
    /// ConfigMaps, or files with rules
    #[arg(value_name = "FILE", required_unless_present = "list_codes")]
    pub files: Vec<Utf8PathBuf>,
    /// Pods with file-system backups: `kubectl get podvolumebackups -n velero -o yaml`, or lines of NAMESPACE/POD
    #[arg(long, value_name = "FILE")]
    pub backups: Option<Utf8PathBuf>,
    /// The version of Velero that takes the rules, such as 1.13; all since 1.13 when absent
    #[arg(long, value_name = "VERSION")]
    pub velero: Option<Velero>,
    /// Repair what can be repaired; rules that replace pods become rules on pods, or consistent ones on pods, ReplicaSets and Deployments
    #[arg(long, value_name = "HOW", value_enum, num_args = 0..=1, require_equals = true, default_missing_value = "pods")]
    pub fix: Option<FixHow>,
    /// Show the repairs as a diff, and write nothing; the default
    #[arg(long, requires = "fix", conflicts_with = "write")]
    pub diff: bool,
    /// Write the repairs
    #[arg(long, requires = "fix")]
    pub write: bool,
    /// Form of the output
    #[arg(long, value_enum, default_value_t, conflicts_with = "fix")]
    pub format: LintFormat,
    /// List all codes and what they mean, and look at nothing
    #[arg(long)]
    pub list_codes: bool,
}

/// What becomes of a rule that replaces pods.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum FixHow {
    /// The same change on pods; what owns them keeps its template.
    Pods,
    /// The same change on pods, ReplicaSets and Deployments.
    Triple,
}

/// Form of the output of `migrate lint`.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, ValueEnum)]
pub enum LintFormat {
    /// For people.
    #[default]
    Text,
    /// For programs.
    Json,
    /// For code scanning: SARIF 2.1.0.
    Sarif,
}

/// Arguments of `migrate modifiers`.
#[derive(Debug, Args)]
pub struct ModifiersArguments {
    /// Pods and what makes them, as `kubectl get … -o yaml` or `-o json` prints them
    #[arg(long, value_name = "FILE")]
    pub inventory: Utf8PathBuf,
    /// The version of Velero that takes the rules, such as 1.13; any since 1.13 when absent
    #[arg(long, value_name = "VERSION")]
    pub velero: Option<Velero>,
    /// What is written
    #[arg(long, value_enum, default_value_t)]
    pub style: ModifierStyle,
    /// Name of the ConfigMap
    #[arg(long, value_name = "NAME", default_value = "retired-images")]
    pub name: String,
    /// Namespace of the ConfigMap: that of Velero
    #[arg(long, value_name = "NAMESPACE", default_value = "velero")]
    pub namespace: String,
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

/// What is written.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, ValueEnum)]
pub enum ModifierStyle {
    /// Rows of change-image-name if they are safe, else resource modifiers.
    #[default]
    Auto,
    /// Resource modifiers on pods, by container name; needs Velero 1.13.
    Patches,
    /// Rows of change-image-name.
    ChangeImageName,
}
