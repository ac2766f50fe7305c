//! An image of a daemon as `verify` looks at it, through the archive that `docker save` writes, without keeping anything: of
//! layers only lists and facts stay.

use std::collections::BTreeMap;
use std::io::{self, Read};
use std::sync::Arc;

use bytes::Bytes;
use futures_util::StreamExt as _;
use tokio::sync::mpsc;

use super::daemon::{MAX_SMALL, Pieces, SMALL};
use super::fault::Fault;
use super::files::clean;
use super::{docker_archive, scan};
use crate::engine::EngineError;
use crate::engine::docker::Docker;
use crate::oci::{Document, Listing, Platform, Rootfs, Skip, TarEntry, TarKind, TarReader};
use crate::verify::{LayerFacts, Layers, read_layer};

/// An image that was looked through.
#[derive(Debug)]
pub struct Exported {
    /// The platform that it is for.
    pub platform: Platform,
    /// Its configuration.
    pub config: Document,
    /// All that is in it.
    pub rootfs: Rootfs,
    /// What is known of the bytes of its files.
    pub layers: Layers,
}

/// One layer.
type Seen = (Listing, Arc<LayerFacts>);

/// Looks through an image that a daemon has, by its name or ID.
///
/// # Errors
/// [`EngineError::Image`]: it is not what it says it is; whatever the daemon says.
pub async fn exported(docker: &Docker, name: &str) -> Result<Exported, EngineError> {
    read(docker, name).await.map_err(|fault| fault.of(&name))
}

async fn read(docker: &Docker, name: &str) -> Result<Exported, Fault> {
    let (sender, receiver) = mpsc::channel(16);
    let reader = tokio::task::spawn_blocking(move || archive(TarReader::new(Pieces { receiver, piece: Bytes::new() })));
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
#[derive(Default)]
struct Archive {
    small: BTreeMap<String, Vec<u8>>,
    layers: BTreeMap<String, Arc<Seen>>,
    /// Layers that stand in the archive under several names.
    links: BTreeMap<String, String>,
}

/// Reads an archive of one image as it comes.
fn archive(mut tar: TarReader<impl Skip>) -> Result<Exported, Fault> {
    let mut seen = Archive::default();
    while let Some(entry) = tar.next_entry()? {
        seen.entry(&entry, &mut tar)?;
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
    let layers = opened.layers.iter().map(|(_, name)| seen.layer(name)).collect::<Result<Vec<_>, _>>()?;
    let rootfs = Rootfs::of(layers.iter().map(|seen| &seen.0)).map_err(|(_, error)| Fault::from(error))?;
    let layers = Layers(layers.iter().map(|seen| seen.1.clone()).collect());
    Ok(Exported { platform: opened.platform, config: opened.config, rootfs, layers })
}

impl Archive {
    fn entry(&mut self, entry: &TarEntry, bytes: &mut impl Read) -> Result<(), Fault> {
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
                let seen = layer(bytes).map_err(|fault| fault.within(&name))?;
                self.layers.insert(name, Arc::new(seen));
            }
            TarKind::Folder | TarKind::Special => {}
        }
        Ok(())
    }

    fn follow<'n>(&'n self, name: &'n str) -> &'n str {
        self.links.get(name).map_or(name, String::as_str)
    }

    /// A layer that the image names.
    fn layer(&self, name: &str) -> Result<Arc<Seen>, Fault> {
        let name = self.follow(name);
        match (self.layers.get(name), self.small.get(name)) {
            (Some(seen), _) => Ok(seen.clone()),
            (None, Some(bytes)) => layer(&mut bytes.as_slice()).map(Arc::new).map_err(|fault| fault.within(name)),
            (None, None) => Err(Fault::Refused(format!("{name} is named, but not there"))),
        }
    }
}

/// Lists a layer and looks at its files, in one pass.
fn layer(bytes: &mut impl Read) -> Result<Seen, Fault> {
    let mut start = Vec::new();
    bytes.by_ref().take(4).read_to_end(&mut start)?;
    let compression = scan::detect(&start);
    let mut tar = TarReader::new(scan::unpacked(start.as_slice().chain(bytes.by_ref()), compression)?);
    let mut listing = Listing::default();
    let facts = read_layer_with(&mut tar, &mut listing)?;
    Ok((listing, Arc::new(facts)))
}

fn read_layer_with(tar: &mut TarReader<impl Skip>, listing: &mut Listing) -> Result<LayerFacts, Fault> {
    let mut refused = None;
    let facts = read_layer(tar, |entry| match listing.push(entry) {
        Ok(()) => true,
        Err(error) => {
            refused = Some(error);
            false
        }
    })?;
    refused.map_or(Ok(facts), |error| Err(error.into()))
}
