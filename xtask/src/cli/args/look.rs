//! Arguments of the commands that look into one image: `inspect` and `verify`.

use clap::Args;

use super::Format;
use crate::oci::Platform;

pub(super) const LONG_INSPECT: &str = "\
Show what is inside an image: components, features, roles, fingerprint, base.

An image of the workspace is looked for in the Docker daemon, in its layout below target/groupage/oci, then in its registry; \
any other reference in the daemon, then in its registry. Of an index all platforms are shown. A registry is asked for \
manifests, configurations and the small layers, never for a whole image.";

pub(super) const LONG_VERIFY: &str = "\
Prove the contract of an image on its bytes: programs, loaders, libraries, old paths, users, modes, digests.

For each platform: every role's program is there, may be executed by its user and is for the platform; its loader and libraries, \
or what reads the script, are in the image; old paths are links to it; users are numbers; nothing is setuid that was not \
declared so; ENTRYPOINT and CMD hold no variable; declared files have the declared modes and digests, and nothing else is \
above the base. The contract is what the image says of itself in /.groupage/manifest.json; in a workspace that defines the \
image it is compared with the manifests, too.

Images are looked for as `inspect` does it. `build` does the same before an image gets its name.";

/// Arguments of `inspect`.
#[derive(Debug, Args)]
pub struct InspectArguments {
    /// IMAGE[=VARIANT] of this workspace, a reference, an image ID of the daemon, or a path
    ///
    /// A path is that of an OCI layout, of an archive of one, or of an archive of `docker save`. oci:FOLDER,
    /// oci-archive:FILE, docker-archive:FILE and docker-daemon:REFERENCE name one place; a @DIGEST after any of them
    /// names one image of several.
    #[arg(value_name = "IMAGE")]
    pub reference: String,
    /// Form of the output
    #[arg(long, value_enum, default_value_t)]
    pub format: Format,
    /// The daemon, as unix:///path or tcp://host:port
    #[arg(long, value_name = "ADDRESS")]
    pub host: Option<String>,
}

/// Arguments of `verify`.
#[derive(Debug, Args)]
pub struct VerifyArguments {
    /// IMAGE[=VARIANT] of this workspace, a reference, an image ID of the daemon, or a path; see `inspect`
    #[arg(value_name = "IMAGE", required_unless_present = "list_checks")]
    pub reference: Option<String>,
    /// The platform to look at; all that the image has when absent
    #[arg(long, value_name = "OS/ARCH")]
    pub platform: Option<Platform>,
    /// Start the probe of every role in a container of the Docker daemon, without network and without rights
    #[arg(long)]
    pub run: bool,
    /// List all checks with their reasons, and look at nothing
    #[arg(long, conflicts_with_all = ["reference", "run"])]
    pub list_checks: bool,
    /// Form of the output
    #[arg(long, value_enum, default_value_t)]
    pub format: Format,
    /// The daemon, as unix:///path or tcp://host:port
    #[arg(long, value_name = "ADDRESS")]
    pub host: Option<String>,
}
