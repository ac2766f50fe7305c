//! Arguments of `init`.

use camino::Utf8PathBuf;
use clap::Args;

use super::Format;
use crate::manifest::ImageName;

pub(super) const LONG_INIT: &str = "\
Begin a workspace: from nothing, from Dockerfiles, or from published images.

Writes groupage.toml, components/NAME/component.toml and images/NAME/image.toml into the workspace, or into this folder when \
there is none yet. What could be inferred stands there with the reason beside it, what could not as a question. No file is ever \
overwritten: when one of them exists with other content, nothing is written. At the end stands what `check` and `advise` say: \
what merges now, what clashes, what to decide.";

const EXAMPLES: &str = "\
Examples:
  init                                           a small workspace to look at and change
  init --from-dockerfiles .                      every Dockerfile of this repository, in groups that could be merged
  init --from-dockerfiles a b --image helpers    two of them as one image, whatever keeps them apart
  init --from-images ghcr.io/example/a:1 oci:b   published images, without building them again
  init --from-dockerfiles . --analyze            what was found, as JSON; writes nothing

In folders, Dockerfile, Dockerfile.NAME, NAME.Dockerfile and Containerfile count that git does not ignore; node_modules, target \
and vendor are passed over.";

/// Arguments of `init`.
#[derive(Debug, Args)]
#[command(after_help = EXAMPLES)]
pub struct InitArguments {
    /// Make a component of each Dockerfile: files, or folders that are searched for them
    #[arg(long, value_name = "PATH", num_args = 1..)]
    pub from_dockerfiles: Vec<Utf8PathBuf>,
    /// Make a component of each published image: references, OCI layouts (oci:FOLDER), archives, docker-daemon:REFERENCE
    #[arg(long, value_name = "REF", num_args = 1..)]
    pub from_images: Vec<String>,
    /// Put all of them into one image of this name, instead of groups that fit together
    #[arg(long, value_name = "NAME")]
    pub image: Option<ImageName>,
    /// Write nothing; print what was found as JSON
    #[arg(long, conflicts_with = "dry_run")]
    pub analyze: bool,
    /// Write nothing; print the files that would be written
    #[arg(long)]
    pub dry_run: bool,
    /// Form of the output
    #[arg(long, value_enum, default_value_t)]
    pub format: Format,
    /// The daemon, as unix:///path or tcp://host:port
    #[arg(long, value_name = "ADDRESS")]
    pub host: Option<String>,
}
