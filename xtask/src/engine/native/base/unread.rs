//! Images of which only some layers are wanted: their documents are read first, and then those layers.

use camino::Utf8Path;

use super::layout::{self, Opened};
use super::scan::{self, Named, Taken};
use super::{Base, Fault, Files, docker_archive, files};
use crate::engine::EngineError;
use crate::engine::store::Store;
use crate::oci::{DiffId, Digest, Document, ImageFile, ImageFileKind, ImageSource, Layer, Platform};

/// An image of a file or folder whose documents were read.
#[derive(Debug)]
pub(in crate::engine::native) struct Unread {
    file: ImageFile,
    opened: Opened,
}

impl Unread {
    /// Reads the documents. Relative paths begin at `root`.
    ///
    /// # Errors
    /// As [`Base::from_file`].
    pub(in crate::engine::native) fn of_file(
        file: &ImageFile,
        platform: &Platform,
        root: &Utf8Path,
    ) -> Result<Self, EngineError> {
        let read = || Ok(Self { file: file.clone(), opened: opened(&files(file, root)?, file, platform)? });
        read().map_err(|fault: Fault| fault.of(&ImageSource::File(file.clone())))
    }

    /// What identifies it: the digest of its manifest; where it has none, of its configuration.
    pub(in crate::engine::native) fn digest(&self) -> &Digest {
        self.opened.digest.as_ref().unwrap_or(&self.opened.config.digest)
    }

    /// Its configuration.
    pub(in crate::engine::native) fn config(&self) -> &Document {
        &self.opened.config
    }

    /// What its layers unpack to, lowest first.
    pub(in crate::engine::native) fn diff_ids(&self) -> Vec<DiffId> {
        self.opened.layers.iter().map(|(named, _)| named.diff_id.clone()).collect()
    }

    /// Puts its layers into the store, from one on, and lists them.
    ///
    /// # Errors
    /// As [`Base::from_file`].
    pub(in crate::engine::native) fn layers(
        &self,
        from: usize,
        root: &Utf8Path,
        store: &Store,
    ) -> Result<Vec<Taken>, EngineError> {
        let upper = self.opened.layers.get(from..).unwrap_or_default();
        let read = || take(&files(&self.file, root)?, upper, store);
        read().map_err(|fault: Fault| fault.of(&ImageSource::File(self.file.clone())))
    }
}

impl Base {
    /// Layers that are in the store, and what they do.
    ///
    /// # Errors
    /// [`EngineError::Image`]: one is not what it is said to be.
    pub(in crate::engine::native) fn listed(
        image: &ImageSource,
        layers: &[Layer],
        store: &Store,
    ) -> Result<Vec<Taken>, EngineError> {
        stored(layers, store).map_err(|fault| fault.of(image))
    }
}

/// The image for a platform.
pub(super) fn opened(files: &Files, file: &ImageFile, platform: &Platform) -> Result<Opened, Fault> {
    let digest = file.digest.as_ref();
    match file.kind {
        ImageFileKind::Layout | ImageFileKind::Archive => layout::choose(files, platform, digest),
        ImageFileKind::DockerArchive => docker_archive::choose(files, platform, digest),
    }
}

/// Puts layers of files into the store.
pub(super) fn take(files: &Files, layers: &[(Named, String)], store: &Store) -> Result<Vec<Taken>, Fault> {
    scan::in_parallel(layers, |(named, name)| {
        let open = || {
            let part = files.open(name)?.ok_or_else(|| Fault::Refused("it is named, but not there".to_owned()))?;
            let size = part.size;
            Ok((part, size))
        };
        scan::take(named, store, open).map_err(|fault| fault.within(&format!("layer {name}")))
    })
}

/// Lists layers that are in the store.
pub(super) fn stored(layers: &[Layer], store: &Store) -> Result<Vec<Taken>, Fault> {
    scan::in_parallel(layers, |layer| {
        let absent = || Err::<(std::io::Empty, u64), _>(Fault::Missing("it is not in the cache".to_owned()));
        scan::take(&layer.into(), store, absent).map_err(|fault| fault.within(&format!("layer {}", layer.digest)))
    })
}
