//! Arguments of `lock` and `update`.

use clap::Args;

use super::Format;

/// Arguments of `lock`.
#[derive(Debug, Args)]
pub struct LockArguments {
    /// Write nothing and ask nobody; fail when groupage.lock is not as it would be written
    #[arg(long)]
    pub check: bool,
    /// Form of the output
    #[arg(long, value_enum, default_value_t)]
    pub format: Format,
}

/// Arguments of `update`.
#[derive(Debug, Args)]
pub struct UpdateArguments {
    /// What to ask for again: bases.NAME, builders.NAME, components.NAME.image, the name alone, or a reference; everything when absent
    #[arg(value_name = "NAME")]
    pub names: Vec<String>,
    /// Write nothing; show what would change
    #[arg(long)]
    pub dry_run: bool,
    /// Write nothing; show newer tags of what the manifests name, as the version grammar of each allows
    #[arg(long, conflicts_with = "dry_run")]
    pub check: bool,
    /// Form of the output
    #[arg(long, value_enum, default_value_t)]
    pub format: Format,
}
