//! The words of `explain` and `diff`.

use clap::{Args, Subcommand};

use super::{FeatureArguments, Format, SelectionArguments};
use crate::oci::Platform;
use crate::resolve::ImageSelector;

pub(super) const LONG_DIFF: &str = "\
Show what differs between two plans or images: components, features, versions, roles, configuration, files, bytes.

A and B are each `plan:` for the plan of this workspace, `plan:IMAGE[=VARIANT]` for one image of it, a file with the output of \
`plan --format json`, or an image as `inspect` takes it: of the daemon, of a registry, a layout, an archive. Of two images all \
files are compared, so that their layers are fetched; with a plan on one side the inputs are. Several images of two plans are \
matched by name.";

const LONG_EXPLAIN_VALUE: &str = "\
Which source decides a value, and which others would have.

From strong to weak: --set, the environment variable, groupage.override.toml, the values of the environment of --env, the \
manifest, what is built in. A reference is shown with the fields that are set one by one, and with its place behind the mirror \
of registry.mirror. `*` marks what counts.";

const LONG_EXPLAIN_BUILD: &str = "\
Why an image would be built again, or that it is up to date.

The plan is compared with what the last build on this machine was made from, on each platform that was built; with --against \
with an image or a plan file. An image that was built elsewhere says by its label dev.groupage.inputs which component, base or \
template is another one, and not which file. Compilers and what is behind tags are not looked at: they are taken to be as they \
were.";

/// Arguments of `explain`.
#[derive(Debug, Args)]
pub struct ExplainArguments {
    /// What to explain
    #[command(subcommand)]
    pub what: Explain,
}

/// What can be explained.
#[derive(Debug, Subcommand)]
pub enum Explain {
    /// Why a component, or a feature of one, is in an image
    Why {
        /// COMPONENT, FEATURE of the image, or COMPONENT/FEATURE
        subject: String,
        /// The image, as IMAGE or IMAGE=VARIANT; every image that has it when absent
        #[arg(long = "in", value_name = "IMAGE[=VARIANT]")]
        image: Option<ImageSelector>,
        /// Features
        #[command(flatten)]
        features: FeatureArguments,
    },
    /// Which source decides a value, and which others would have
    #[command(long_about = LONG_EXPLAIN_VALUE)]
    Value {
        /// What --set would name: bases.NAME, builders.NAME, components.NAME.image, registry.default, registry.mirror, images.NAME.base and the like
        key: String,
        /// Form of the output
        #[arg(long, value_enum, default_value_t)]
        format: Format,
    },
    /// Why an image would be built again, or that it is up to date
    #[command(long_about = LONG_EXPLAIN_BUILD)]
    Build {
        /// What to explain
        #[command(flatten)]
        selection: SelectionArguments,
        /// What to compare with
        #[command(flatten)]
        against: AgainstArguments,
        /// Form of the output
        #[arg(long, value_enum, default_value_t)]
        format: Format,
    },
}

/// What plans are compared with.
#[derive(Debug, Default, Args)]
pub struct AgainstArguments {
    /// Compare with this instead of the last build on this machine: an image, as `inspect` takes it, or a file with the output of `plan --format json`
    #[arg(long, value_name = "IMAGE|FILE")]
    pub against: Option<String>,
    /// The daemon, as unix:///path or tcp://host:port
    #[arg(long, value_name = "ADDRESS")]
    pub host: Option<String>,
}

/// Arguments of `diff`.
#[derive(Debug, Args)]
pub struct DiffArguments {
    /// The one that is compared with: plan:[IMAGE[=VARIANT]], a plan file, or an image as `inspect` takes it
    #[arg(value_name = "A")]
    pub before: String,
    /// The other one
    #[arg(value_name = "B")]
    pub after: String,
    /// Platform of images; that of this machine, or the first one, when absent
    #[arg(long, value_name = "OS/ARCH")]
    pub platform: Option<Platform>,
    /// Exit with 1 when there is a difference
    #[arg(long)]
    pub exit_code: bool,
    /// Form of the output
    #[arg(long, value_enum, default_value_t)]
    pub format: Format,
    /// The daemon, as unix:///path or tcp://host:port
    #[arg(long, value_name = "ADDRESS")]
    pub host: Option<String>,
}
