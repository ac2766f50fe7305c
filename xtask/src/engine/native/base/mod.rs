//! Bases and sources: an [`ImageSource`] and a platform become a [`Base`], whose layers are in the store.
//!
//! | file | is |
//! |---|---|
//! | `layout.rs` | the image for a platform in an OCI layout, folder or archive |
//! | `docker_archive.rs` | the one in an archive of `docker save` |
//! | `daemon.rs` | the one that a daemon has, through the archive that it writes |
//! | `saved.rs` | that archive as it comes, for whoever reads it |
//! | `files.rs` | folders and archives alike |
//! | `scan.rs` | layers on their way into the store |
//! | `extract.rs` | files taken out of an image |
//! | `record.rs` | what was taken out once |
//! | `tree.rs` | all files of one with their digests and sizes, for `diff` |
//! | `facts.rs` | what is known of the bytes of all files, for `verify` |
//! | `exported.rs` | the same of an image of a daemon, without keeping any of it |
//! | `look.rs` | what is in an image, without keeping any of it |
//! | `unread.rs` | images of which only the upper layers are wanted |
//! | `fault.rs` | what can be wrong |
//!
//! **Nothing is believed**: every document is compared with the digest and size that name it, every layer with its digest, its
//! size and its diff ID; a base has as many layers as its configuration says, and all of their names stay inside the image
//! (see [`crate::oci::Listing`]). What is wrong is [`ErrorClass::Work`](crate::engine::ErrorClass); what is not there is
//! the environment's; a platform that is not in it, or one image of several that is not named, is the input's.
//!
//! **A layer that is in the store and was listed once is not read again.**

mod daemon;
mod docker_archive;
mod exported;
mod extract;
mod facts;
mod fault;
mod files;
mod layout;
mod look;
mod record;
mod saved;
mod scan;
mod tree;
mod unread;

pub use exported::{Exported, exported};
pub(in crate::engine::native) use facts::layer_facts;
pub use look::{Looked, Sought, kind_of, looked, sought};
pub use tree::{Tree, TreeEntry, TreeKind, Trees};
pub(in crate::engine::native) use unread::Unread;

use camino::Utf8Path;

use self::fault::Fault;
use self::files::Files;
use self::layout::Opened;
use self::scan::Taken;
use crate::engine::EngineError;
use crate::engine::store::Store;
use crate::oci::{
    Digest, Document, ImageConfiguration, ImageFile, ImageFileKind, ImageSource, Layer, Platform, Reference, Rootfs,
    empty_configuration, media, read_image,
};

/// What an image is built on, or taken out of.
#[derive(Debug, Clone)]
pub struct Base {
    /// The platform that it is for.
    pub platform: Platform,
    /// Its configuration.
    pub config: ImageConfiguration,
    /// The same as it stands in the image, with all that other tools put into it, such as Docker's `Healthcheck`.
    pub document: Document,
    /// Its layers, lowest first. Their bytes are in the store.
    pub layers: Vec<Layer>,
    /// What they give.
    pub rootfs: Rootfs,
    /// Digest of its manifest, where it has one.
    pub digest: Option<Digest>,
    /// Where its layers are already, for registries that can take them from there.
    pub repository: Option<Reference>,
}

/// An image whose layers are in the store: what a registry gave.
#[derive(Debug, Clone)]
pub struct Pulled {
    /// Its manifest.
    pub manifest: Document,
    /// Its configuration.
    pub config: Document,
}

impl Base {
    /// The empty base.
    pub fn scratch(platform: Platform) -> Self {
        let config = empty_configuration(&platform);
        Self {
            document: Document::new(media::CONFIG, &config),
            config,
            platform,
            layers: Vec::new(),
            rootfs: Rootfs::default(),
            digest: None,
            repository: None,
        }
    }

    /// The image of a registry, whose layers are in the store already.
    ///
    /// # Errors
    /// [`EngineError::Image`]: the documents do not fit together or to the platform, or a layer is not what they say.
    pub fn from_pulled(
        reference: &Reference,
        pulled: Pulled,
        platform: &Platform,
        store: &Store,
    ) -> Result<Self, EngineError> {
        let base = Self::from_store(reference, pulled, platform, store)?;
        Ok(Self { repository: Some(reference.clone()), ..base })
    }

    /// An image whose layers are in the store already, wherever it came from; `name` is for messages.
    ///
    /// # Errors
    /// As [`Base::from_pulled`].
    pub(in crate::engine::native) fn from_store(
        name: &impl ToString,
        pulled: Pulled,
        platform: &Platform,
        store: &Store,
    ) -> Result<Self, EngineError> {
        let read = || {
            let Pulled { manifest, config } = pulled;
            let image = read_image(manifest, config).map_err(|wrong| Fault::Refused(wrong.join("; ")))?;
            if (image.platform.os(), image.platform.architecture()) != (platform.os(), platform.architecture()) {
                return Err(Fault::Choice(format!("it is for {}, not for {platform}", image.platform)));
            }
            let taken = unread::stored(&image.layers, store)?;
            let digest = Some(image.manifest.digest);
            Self::of(platform, image.config, digest, taken)
        };
        read().map_err(|fault| fault.of(name))
    }

    /// The image of a file or folder. Relative paths begin at `root`. It reads files, and may take a while: call it where
    /// that is no harm.
    ///
    /// # Errors
    /// [`EngineError::Image`]: nothing is there, no image in it or several fit, or one is not what it says it is.
    pub fn from_file(
        file: &ImageFile,
        platform: &Platform,
        root: &Utf8Path,
        store: &Store,
    ) -> Result<Self, EngineError> {
        let read = || {
            let files = files(file, root)?;
            let opened = unread::opened(&files, file, platform)?;
            let taken = unread::take(&files, &opened.layers, store)?;
            let Opened { digest, config, .. } = opened;
            Self::of(platform, config, digest, taken)
        };
        read().map_err(|fault: Fault| fault.of(&ImageSource::File(file.clone())))
    }

    fn of(platform: &Platform, document: Document, digest: Option<Digest>, taken: Vec<Taken>) -> Result<Self, Fault> {
        let config = serde_json::from_slice(&document.bytes)
            .map_err(|error| Fault::Refused(format!("the configuration cannot be read: {error}")))?;
        let (layers, listings): (Vec<_>, Vec<_>) = taken.into_iter().unzip();
        let rootfs = Rootfs::of(&listings)
            .map_err(|(layer, error)| Fault::from(error).within(&format!("layer {}", layers[layer].digest)))?;
        Ok(Self { platform: platform.clone(), config, document, layers, rootfs, digest, repository: None })
    }
}

/// The files of an image.
fn files(file: &ImageFile, root: &Utf8Path) -> Result<Files, Fault> {
    let path = root.join(&file.path);
    match file.kind {
        ImageFileKind::Layout => Files::folder(&path),
        ImageFileKind::Archive | ImageFileKind::DockerArchive => Files::archive(&path),
    }
}

#[cfg(test)]
mod tests;
