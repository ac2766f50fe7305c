//! An image of a Docker daemon, through the archive that `docker save` writes. The archive is read as it comes: layers go into
//! the store, documents stay in memory, and nothing else is kept. An image that the store has already is not asked for.

use super::fault::Fault;
use super::files::MAX_DOCUMENT;
use super::saved::{self, Saved};
use super::scan::{self, Named, Taken};
use super::{Base, layout};
use crate::engine::EngineError;
use crate::engine::docker::Docker;
use crate::engine::store::Store;
use crate::oci::{
    Compression, DiffId, Digest, Document, ImageConfiguration, ImageSource, Layer, Platform, Reference, Skip,
    TarReader, media,
};

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
    let (store, platform) = (store.clone(), platform.clone());
    saved::read(docker, &name, move |tar| archive(tar, &platform, &store)).await
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

/// Reads an archive of one image as it comes.
fn archive(tar: TarReader<impl Skip>, platform: &Platform, store: &Store) -> Result<Base, Fault> {
    let saved = Saved::collect(tar, |bytes| scan::take_unknown(bytes, store))?;
    let opened = saved.opened()?;
    let taken =
        opened.layers.iter().map(|(named, name)| layer(&saved, named, name, store)).collect::<Result<_, _>>()?;
    store.put(&opened.config.bytes).map_err(Fault::Io)?;
    Base::of(platform, opened.config, None, taken)
}

/// A layer that the image names.
fn layer(saved: &Saved<Taken>, named: &Named, name: &str, store: &Store) -> Result<Taken, Fault> {
    let taken = saved.layer(name, |bytes| scan::take(named, store, || Ok((bytes, bytes.len() as u64))))?;
    if taken.0.diff_id == named.diff_id {
        return Ok(taken);
    }
    let name = saved.follow(name);
    Err(Fault::Refused(format!("{name} unpacks to {}, and not to {}", taken.0.diff_id, named.diff_id)))
}
