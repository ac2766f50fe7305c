//! Arguments of `report` and `advise`.

use camino::Utf8PathBuf;
use clap::{Args, ValueEnum};

use super::{ProgressStyle, SelectionArguments};
use crate::oci::Platform;

pub(super) const LONG_REPORT: &str = "\
Show what merging gains and costs, measured: images, bytes, pulls, memory, before and after.

Before are the images of mode `split`, after those of the definition's mode, or of each --mode. What is missing is built by \
the native engine, as `build --mode split,AFTER` does; a second report builds nothing. Layers are known by their diff ID, \
gzip is what --push sends. Of a node that runs a single role it may say that merging makes it worse. What is not measured \
says `not measured`, and is null with a reason in JSON.";

pub(super) const LONG_ADVISE: &str = "\
Say of each image and component whether to merge it, to keep it apart or to split it, and why.

It reads manifests, runs the rules, and takes sizes from layouts that `report` or `build` has left in target/groupage/oci. \
It builds nothing: sizes of what was not built are not known, and no advice rests on them.";

/// Arguments of `report`.
#[derive(Debug, Args)]
pub struct ReportArguments {
    /// What to compare; --mode names what is after, several to have a column for each
    #[command(flatten)]
    pub selection: SelectionArguments,
    /// Platforms to build for, separated by commas; that of this machine when absent
    #[arg(long = "platform", value_name = "OS/ARCH", value_delimiter = ',')]
    pub platforms: Vec<Platform>,
    /// Published images to compare with as well, as `inspect` names them; may be given several times
    #[arg(long = "baseline", value_name = "REF", value_delimiter = ',')]
    pub baselines: Vec<String>,
    /// Start all roles through the Docker daemon, set by set, and read what memory they have when they are ready
    #[arg(long, help_heading = "Memory")]
    pub measure_memory: bool,
    /// What roles are given so that they stay up, and when they are ready; images/workload.toml when that is there
    #[arg(long, value_name = "FILE", requires = "measure_memory", help_heading = "Memory")]
    pub workload: Option<Utf8PathBuf>,
    /// How often memory is read; medians are shown
    #[arg(long, value_name = "N", default_value_t = 5, requires = "measure_memory", value_parser = clap::value_parser!(u8).range(1..=100), help_heading = "Memory")]
    pub rounds: u8,
    /// Form of the output
    #[arg(long, value_enum, default_value_t)]
    pub format: ReportFormat,
    /// Write the report into a file instead of stdout
    #[arg(short, long, value_name = "FILE")]
    pub output: Option<Utf8PathBuf>,
    /// How many images are built at once
    #[arg(short, long, value_name = "N", default_value_t = 4, value_parser = clap::value_parser!(u16).range(1..=64))]
    pub jobs: u16,
    /// Do not look at the contract of images that are built for the comparison
    #[arg(long)]
    pub no_verify: bool,
    /// How the progress of builds is shown
    #[arg(long, value_enum, default_value_t = ProgressStyle::Quiet)]
    pub progress: ProgressStyle,
    /// The daemon, as unix:///path or tcp://host:port
    #[arg(long, value_name = "ADDRESS")]
    pub host: Option<String>,
}

/// Form of the output of `report`.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, ValueEnum)]
pub enum ReportFormat {
    /// For people at a terminal.
    #[default]
    Text,
    /// For programs.
    Json,
    /// For a pull request.
    Markdown,
    /// One page for a browser, or for paper.
    Html,
}

/// Arguments of `advise`.
#[derive(Debug, Args)]
pub struct AdviseArguments {
    /// What to look at; every image when absent
    #[command(flatten)]
    pub selection: SelectionArguments,
    /// The platform whose sizes count; that of this machine when absent
    #[arg(long, value_name = "OS/ARCH")]
    pub platform: Option<Platform>,
    /// Form of the output
    #[arg(long, value_enum, default_value_t)]
    pub format: AdviseFormat,
}

/// Form of the output of `advise`.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, ValueEnum)]
pub enum AdviseFormat {
    /// For people at a terminal.
    #[default]
    Text,
    /// For programs.
    Json,
    /// For a pull request.
    Markdown,
}
