//! Images of our own into the daemon: only the layers that it lacks travel.
//!
//! `docker load` looks for a layer by its chain ID (the diff IDs up to it) before it reads it from the archive, since 1.10 to
//! this day. So an archive may name layers that are not in it, as long as the daemon has them: those that the new image has
//! in common, from the bottom, with one that is there. The daemon cannot be asked for chain IDs, but its images can: those
//! that we built before, and the base. Should it all the same miss one, the whole image is sent.
//! The containerd image store has no such look-up; there the whole image travels.

use std::io::{self, Write as _};

use bollard::query_parameters::{ImportImageOptionsBuilder, ListImagesOptionsBuilder};
use futures_util::StreamExt as _;
use futures_util::stream::poll_fn;
use tokio::sync::mpsc;

use super::body::{Chunks, DEPTH};
use super::{Docker, errors};
use crate::engine::native;
use crate::engine::store::Store;
use crate::engine::{EngineError, Event, Events};
use crate::oci::Image;

/// How many images are looked at for layers that the daemon has.
const MOST_LOOKED_AT: usize = 64;
/// Label that every image of ours has.
const LABEL: &str = "dev.groupage.image";

/// What a load came to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Loaded {
    /// Layers that travelled.
    pub sent: usize,
    /// Layers that the daemon had.
    pub known: usize,
}

impl Docker {
    /// Loads an image and gives it its names.
    ///
    /// # Errors
    /// The daemon refuses, or a blob of the store is not there any more.
    pub async fn load(
        &self,
        job: &str,
        image: &Image,
        tags: &[String],
        store: &Store,
        events: &Events,
    ) -> Result<Loaded, EngineError> {
        tags.iter().try_for_each(|tag| super::images::checked_name(tag).map(drop))?;
        let id = image.config.digest.to_string();
        let all = image.layers.len();
        if self.inspect(&id).await?.is_some() {
            for tag in tags {
                self.tag(&id, tag).await?;
            }
            return Ok(Loaded { sent: 0, known: all });
        }
        let known = self.known_layers(image).await?;
        self.load_above(job, image, tags, store, known, events).await
    }

    /// Loads an image of which the daemon has, as far as anybody knows, the first `known` layers.
    ///
    /// # Errors
    /// As [`Docker::load`].
    pub(super) async fn load_above(
        &self,
        job: &str,
        image: &Image,
        tags: &[String],
        store: &Store,
        known: usize,
        events: &Events,
    ) -> Result<Loaded, EngineError> {
        let all = image.layers.len();
        match self.send(job, image, tags, store, known, events).await {
            Err(_) if known > 0 => {
                self.send(job, image, tags, store, 0, events).await?;
                Ok(Loaded { sent: all, known: 0 })
            }
            first => first.map(|()| Loaded { sent: all - known, known }),
        }
    }

    /// How many layers from the bottom the daemon has in an image of its own.
    async fn known_layers(&self, image: &Image) -> Result<usize, EngineError> {
        let wanted: Vec<String> = image.layers.iter().map(|layer| layer.diff_id.to_string()).collect();
        let mut most = 0;
        for id in self.own_images().await?.iter().take(MOST_LOOKED_AT) {
            let layers = self.inspect(id).await?.unwrap_or_default().layers;
            most = most.max(layers.iter().zip(&wanted).take_while(|(a, b)| a == b).count());
            if most == wanted.len() {
                break;
            }
        }
        Ok(most)
    }

    /// Images of ours, the newest first, as the daemon lists them.
    async fn own_images(&self) -> Result<Vec<String>, EngineError> {
        let filters = std::iter::once(("label", vec![LABEL])).collect();
        let options = ListImagesOptionsBuilder::default().all(true).filters(&filters).build();
        let images = self.api.list_images(Some(options)).await;
        let images = images.map_err(|error| errors::other("list the images of the daemon", &error))?;
        Ok(images.into_iter().map(|image| image.id).collect())
    }

    async fn send(
        &self,
        job: &str,
        image: &Image,
        tags: &[String],
        store: &Store,
        known: usize,
        events: &Events,
    ) -> Result<(), EngineError> {
        let (sender, mut receiver) = mpsc::channel(DEPTH);
        let (own, names, store, total) = (image.clone(), tags.to_vec(), store.clone(), image.layers.len());
        let (job_name, job_events) = (job.to_owned(), events.clone());
        tokio::task::spawn_blocking(move || {
            let mut out = Counted { inner: Chunks::new(&sender), bytes: 0 };
            let written = native::write_docker(&mut out, &own, &names, &store, known).and_then(|()| out.flush());
            let (bytes, files) = (out.bytes, (total - known) as u64);
            match written {
                Ok(()) => job_events.emit(Event::Sending { image: job_name, bytes, files }),
                // the connection is gone, and whoever waits for its answer knows why
                Err(error) if error.kind() == io::ErrorKind::BrokenPipe => {}
                Err(error) => _ = sender.blocking_send(Err(error)),
            }
        });
        let options = ImportImageOptionsBuilder::default().quiet(true).build();
        let body = poll_fn(move |cx| receiver.poll_recv(cx));
        let mut answer = Box::pin(self.api.import_image_stream(options, body, None));
        let failed = |error| errors::other(format!("load {job} into the daemon"), &error);
        while let Some(item) = answer.next().await {
            item.map_err(failed)?;
        }
        match self.inspect(&image.config.digest.to_string()).await? {
            Some(_) => Ok(()),
            // with the containerd image store an image is known by its name and its manifest
            None if self.has_one_of(tags).await? => Ok(()),
            None => {
                let message = "the daemon took the archive and does not have the image".to_owned();
                Err(EngineError::Other { action: format!("load {job} into the daemon"), message })
            }
        }
    }

    async fn has_one_of(&self, tags: &[String]) -> Result<bool, EngineError> {
        Ok(self.missing_images(tags).await?.len() < tags.len())
    }
}

/// Counts what goes through.
struct Counted<W> {
    inner: W,
    bytes: u64,
}

impl<W: io::Write> io::Write for Counted<W> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let count = self.inner.write(bytes)?;
        self.bytes += count as u64;
        Ok(count)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.inner.flush()
    }
}
