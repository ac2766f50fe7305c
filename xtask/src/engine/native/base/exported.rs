//! An image of a daemon as `verify` looks at it, through the archive that `docker save` writes, without keeping anything: of
//! layers only lists and facts stay.

use std::io::Read;
use std::sync::Arc;

use super::fault::Fault;
use super::saved::{self, Saved};
use super::scan;
use crate::engine::EngineError;
use crate::engine::docker::Docker;
use crate::oci::{Document, Listing, Platform, Rootfs, Skip, TarReader};
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
    saved::read(docker, name, archive).await.map_err(|fault| fault.of(&name))
}

/// Reads an archive of one image as it comes.
fn archive(tar: TarReader<impl Skip>) -> Result<Exported, Fault> {
    let saved = Saved::collect(tar, layer)?;
    let opened = saved.opened()?;
    let layers = opened.layers.iter().map(|(_, name)| saved.layer(name, |mut bytes| layer(&mut bytes)));
    let layers = layers.collect::<Result<Vec<_>, _>>()?;
    let rootfs = Rootfs::of(layers.iter().map(|seen| &seen.0)).map_err(|(_, error)| Fault::from(error))?;
    let layers = Layers(layers.iter().map(|seen| seen.1.clone()).collect());
    Ok(Exported { platform: opened.platform, config: opened.config, rootfs, layers })
}

/// Lists a layer and looks at its files, in one pass.
fn layer(bytes: &mut impl Read) -> Result<Arc<Seen>, Fault> {
    let mut start = Vec::new();
    bytes.by_ref().take(4).read_to_end(&mut start)?;
    let compression = scan::detect(&start);
    let mut tar = TarReader::new(scan::unpacked(start.as_slice().chain(bytes.by_ref()), compression)?);
    let mut listing = Listing::default();
    let facts = read_layer_with(&mut tar, &mut listing)?;
    Ok(Arc::new((listing, Arc::new(facts))))
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
