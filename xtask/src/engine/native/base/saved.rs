//! The archive that `docker save` writes of one image, read as the daemon sends it. Documents stay in memory until it is known
//! what they are; what is made of layers is up to the reader.

use std::collections::BTreeMap;
use std::io::{self, Read};

use bytes::{Buf as _, Bytes};
use futures_util::StreamExt as _;
use tokio::sync::mpsc;

use super::docker_archive;
use super::fault::Fault;
use super::files::clean;
use super::layout::Opened;
use crate::engine::docker::Docker;
use crate::oci::{Skip, TarEntry, TarKind, TarReader};

/// Files up to this size stay in memory until it is known what they are.
const SMALL: u64 = 1 << 20;
/// Most bytes of such files.
const MAX_SMALL: usize = 64 << 20;

/// Gives the archive of an image to a reader, which works on a thread of its own.
pub(super) async fn read<T: Send + 'static>(
    docker: &Docker,
    name: &str,
    reader: impl FnOnce(TarReader<Pieces>) -> Result<T, Fault> + Send + 'static,
) -> Result<T, Fault> {
    let (sender, receiver) = mpsc::channel(16);
    let reader = tokio::task::spawn_blocking(move || reader(TarReader::new(Pieces { receiver, piece: Bytes::new() })));
    let mut pieces = Box::pin(docker.export(name)?);
    while let Some(piece) = pieces.next().await {
        let failed = piece.as_ref().err().map(ToString::to_string);
        if sender.send(piece.map_err(|error| error.to_string())).await.is_err() {
            break; // the reader has said why in its result
        }
        if let Some(failed) = failed {
            return Err(Fault::Missing(failed));
        }
    }
    drop(sender);
    reader.await.map_err(|_| Fault::Refused("a thread stopped before its end".to_owned()))?
}

/// What was in an archive, by name.
pub(super) struct Saved<L> {
    small: BTreeMap<String, Vec<u8>>,
    layers: BTreeMap<String, L>,
    /// Layers that stand in the archive under several names.
    links: BTreeMap<String, String>,
}

impl<L: Clone> Saved<L> {
    /// Reads all of an archive; `layer` makes something of a file that is too large to be a document.
    pub(super) fn collect<S: Skip>(
        mut tar: TarReader<S>,
        mut layer: impl FnMut(&mut TarReader<S>) -> Result<L, Fault>,
    ) -> Result<Self, Fault> {
        let mut saved = Self { small: BTreeMap::new(), layers: BTreeMap::new(), links: BTreeMap::new() };
        while let Some(entry) = tar.next_entry()? {
            saved.entry(&entry, &mut tar, &mut layer)?;
        }
        // what the daemon has still to say may be an error
        io::copy(&mut tar.into_inner(), &mut io::sink())?;
        Ok(saved)
    }

    fn entry<S: Skip>(
        &mut self,
        entry: &TarEntry,
        bytes: &mut TarReader<S>,
        layer: &mut impl FnMut(&mut TarReader<S>) -> Result<L, Fault>,
    ) -> Result<(), Fault> {
        let name = clean(&entry.name);
        match entry.kind {
            TarKind::Link | TarKind::HardLink => {
                let folder = name.rsplit_once('/').map_or("", |(folder, _)| folder);
                let from = if entry.kind == TarKind::Link { folder } else { "" };
                let target = clean(format!("{from}/{}", String::from_utf8_lossy(&entry.target)).as_bytes());
                self.links.insert(name, target);
            }
            TarKind::File if entry.size <= SMALL => {
                let mut content = Vec::new();
                bytes.read_to_end(&mut content)?;
                self.small.insert(name, content);
                let all: usize = self.small.values().map(Vec::len).sum();
                if all > MAX_SMALL {
                    return Err(Fault::Refused(format!("it has more than {MAX_SMALL} bytes of small files")));
                }
            }
            TarKind::File => {
                let made = layer(bytes).map_err(|fault| fault.within(&name))?;
                self.layers.insert(name, made);
            }
            TarKind::Folder | TarKind::Special => {}
        }
        Ok(())
    }

    /// The one image of the archive.
    pub(super) fn opened(&self) -> Result<Opened, Fault> {
        let text = self.small.get("manifest.json");
        let text =
            text.ok_or_else(|| Fault::Refused("there is no `manifest.json` in what the daemon wrote".to_owned()))?;
        let images = docker_archive::parse(text)?;
        let [image] = images.as_slice() else {
            return Err(Fault::Refused(format!("the daemon wrote {} images instead of one", images.len())));
        };
        docker_archive::opened(image, |name| Ok(self.small.get(self.follow(name)).cloned()))
    }

    /// The file that a name stands for.
    pub(super) fn follow<'n>(&'n self, name: &'n str) -> &'n str {
        self.links.get(name).map_or(name, String::as_str)
    }

    /// A layer that the image names; `small` makes it of one that was taken for a document.
    pub(super) fn layer(&self, name: &str, small: impl FnOnce(&[u8]) -> Result<L, Fault>) -> Result<L, Fault> {
        let name = self.follow(name);
        match (self.layers.get(name), self.small.get(name)) {
            (Some(layer), _) => Ok(layer.clone()),
            (None, Some(bytes)) => small(bytes).map_err(|fault| fault.within(name)),
            (None, None) => Err(Fault::Refused(format!("{name} is named, but not there"))),
        }
    }
}

/// Pieces that come from elsewhere, as one stream.
pub(super) struct Pieces {
    receiver: mpsc::Receiver<Result<Bytes, String>>,
    piece: Bytes,
}

impl Read for Pieces {
    fn read(&mut self, into: &mut [u8]) -> io::Result<usize> {
        while self.piece.is_empty() {
            match self.receiver.blocking_recv() {
                Some(Ok(piece)) => self.piece = piece,
                Some(Err(error)) => return Err(io::Error::other(error)),
                None => return Ok(0),
            }
        }
        let read = self.piece.len().min(into.len());
        self.piece.copy_to_slice(&mut into[..read]);
        Ok(read)
    }
}

impl Skip for Pieces {}
