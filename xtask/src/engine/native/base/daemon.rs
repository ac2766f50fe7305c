//! An image of a Docker daemon, through the archive that `docker save` writes. The archive is read as it comes: layers go into
//! the store, documents stay in memory, and nothing else is kept. An image that the store has already is not asked for.

use std::collections::BTreeMap;
use std::io::{self, Read};

use bytes::{Buf as _, Bytes};
use futures_util::StreamExt as _;
use tokio::sync::mpsc;

use super::fault::Fault;
use super::files::{MAX_DOCUMENT, clean};
use super::scan::{self, Named, Taken};
use super::{Base, docker_archive, layout};
use crate::engine::EngineError;
use crate::engine::docker::Docker;
use crate::engine::store::Store;
use crate::oci::{
    Compression, DiffId, Digest, Document, ImageConfiguration, ImageSource, Layer, Platform, Reference, Skip, TarEntry,
    TarKind, TarReader, media,
};

/// Files up to this size stay in memory until it is known what they are.
pub(super) const SMALL: u64 = 1 << 20;
/// Most bytes of such files.
pub(super) const MAX_SMALL: usize = 64 << 20;

impl Base {
    /// The image that a daemon has.
    ///
    /// # Errors
    /// [`EngineError::Image`]: the daemon does not have it, or not for this platform, or it is not what it says it is;
    /// whatever else the daemon says.
    pub async fn from_daemon(
        docker: &Docker,
        reference: &Reference,
        platform: &Platform,
        store: &Store,
    ) -> Result<Self, EngineError> {
        let read = read(docker, reference, platform, store);
        read.await.map_err(|fault| fault.of(&ImageSource::Daemon(reference.clone())))
    }
}

async fn read(docker: &Docker, reference: &Reference, platform: &Platform, store: &Store) -> Result<Base, Fault> {
    let name = reference.to_string();
    let Some(facts) = docker.inspect(&name).await? else {
        return Err(Fault::Missing(format!("the daemon does not have it\nhint: `docker pull {name}`, or build it")));
    };
    let own: Platform = facts.platform.parse().map_err(|error| Fault::Refused(format!("{error}")))?;
    if (own.os(), own.architecture()) != (platform.os(), platform.architecture()) {
        return Err(layout::no_platform(platform, &[own.to_string()].into()));
    }
    if let Some(base) = known(&facts.id, platform, store) {
        return Ok(base);
    }
    let (sender, receiver) = mpsc::channel(16);
    let (store_there, platform) = (store.clone(), platform.clone());
    let reader = tokio::task::spawn_blocking(move || {
        archive(TarReader::new(Pieces { receiver, piece: Bytes::new() }), &platform, &store_there)
    });
    let mut pieces = Box::pin(docker.export(&name)?);
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

/// The image, if its configuration and all of its layers are in the store. The ID of an image is the digest of its
/// configuration; with the containerd image store it is another one, and nothing is found.
fn known(id: &str, platform: &Platform, store: &Store) -> Option<Base> {
    let id: Digest = id.parse().ok()?;
    let document = Document::from_bytes(media::DOCKER_CONFIG, store.read(&id, MAX_DOCUMENT).ok().flatten()?);
    let config: ImageConfiguration = serde_json::from_slice(&document.bytes).ok()?;
    let taken = config.rootfs().diff_ids().iter().map(|diff_id| {
        let digest: Digest = diff_id.parse().ok()?;
        let size = store.path(&digest).metadata().ok()?.len();
        let layer = Layer { digest: digest.clone(), size, compression: Compression::None, diff_id: DiffId(digest) };
        Some((scan::known(&layer, store)?, layer))
    });
    let taken = taken.map(|found| found.map(|(listing, layer)| (layer, listing))).collect::<Option<Vec<Taken>>>()?;
    Base::of(platform, document, None, taken).ok()
}

/// What was in an archive, by name.
#[derive(Default)]
struct Seen {
    small: BTreeMap<String, Vec<u8>>,
    layers: BTreeMap<String, Taken>,
    /// Layers that stand in the archive under several names.
    links: BTreeMap<String, String>,
}

/// Reads an archive of one image as it comes.
fn archive(mut tar: TarReader<impl Skip>, platform: &Platform, store: &Store) -> Result<Base, Fault> {
    let mut seen = Seen::default();
    while let Some(entry) = tar.next_entry()? {
        seen.entry(&entry, &mut tar, store)?;
    }
    // what the daemon has still to say may be an error
    io::copy(&mut tar.into_inner(), &mut io::sink())?;
    let text = seen.small.get("manifest.json");
    let text = text.ok_or_else(|| Fault::Refused("there is no `manifest.json` in what the daemon wrote".to_owned()))?;
    let images = docker_archive::parse(text)?;
    let [saved] = images.as_slice() else {
        return Err(Fault::Refused(format!("the daemon wrote {} images instead of one", images.len())));
    };
    let opened = docker_archive::opened(saved, |name| Ok(seen.small.get(seen.follow(name)).cloned()))?;
    let taken = opened.layers.iter().map(|(named, name)| seen.layer(named, name, store)).collect::<Result<_, _>>()?;
    store.put(&opened.config.bytes).map_err(Fault::Io)?;
    Base::of(platform, opened.config, None, taken)
}

impl Seen {
    fn entry(&mut self, entry: &TarEntry, bytes: &mut impl Read, store: &Store) -> Result<(), Fault> {
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
                let taken = scan::take_unknown(bytes, store).map_err(|fault| fault.within(&name))?;
                self.layers.insert(name, taken);
            }
            TarKind::Folder | TarKind::Special => {}
        }
        Ok(())
    }

    fn follow<'n>(&'n self, name: &'n str) -> &'n str {
        self.links.get(name).map_or(name, String::as_str)
    }

    /// A layer that an image names.
    fn layer(&self, named: &Named, name: &str, store: &Store) -> Result<Taken, Fault> {
        let name = self.follow(name);
        let taken = match (self.layers.get(name), self.small.get(name)) {
            (Some(taken), _) => taken.clone(),
            (None, Some(bytes)) => scan::take(named, store, || Ok((bytes.as_slice(), bytes.len() as u64)))
                .map_err(|fault| fault.within(name))?,
            (None, None) => return Err(Fault::Refused(format!("{name} is named, but not there"))),
        };
        if taken.0.diff_id == named.diff_id {
            Ok(taken)
        } else {
            Err(Fault::Refused(format!("{name} unpacks to {}, and not to {}", taken.0.diff_id, named.diff_id)))
        }
    }
}

/// Pieces that come from elsewhere, as one stream.
pub(super) struct Pieces {
    pub(super) receiver: mpsc::Receiver<Result<Bytes, String>>,
    pub(super) piece: Bytes,
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
