//! `--baseline`: images that were published, wherever `inspect` would find them.

use camino::Utf8Path;

use super::layers;
use crate::cli::look::{self, Anywhere, Target};
use crate::cli::session::Session;
use crate::cli::status::{ExitStatus, Stop};
use crate::cli::{daemon, registry};
use crate::engine::Events;
use crate::engine::docker::Docker;
use crate::engine::native::base::Base;
use crate::engine::store::Store;
use crate::oci::{Image, Platform, Reference};
use crate::report::consolidation::{ColumnFacts, Figure, ImageFacts, LayerFacts, Origin};

/// What the column is called.
const NAME: &str = "baseline";

/// All of them, as one set.
pub(super) fn column(
    words: &[String],
    platforms: &[Platform],
    host: Option<&str>,
    session: &Session<'_>,
    store: &Store,
) -> Result<ColumnFacts, Stop> {
    let reader = Reader { host, session, store };
    let mut images = Vec::new();
    for (word, platform) in words.iter().flat_map(|word| platforms.iter().map(move |platform| (word, platform))) {
        images.push(ImageFacts {
            id: word.clone(),
            definition: word.clone(),
            platform: platform.to_string(),
            roles: Vec::new(),
            layers: reader.layers(word, platform)?,
        });
    }
    let is_open =
        images.iter().flat_map(|image| &image.layers).any(|layer| layer.bytes.is_none() || layer.gzip.is_none());
    let foreign = || "these images are not built by this workspace".to_owned();
    Ok(ColumnFacts {
        name: NAME.to_owned(),
        origin: Origin::Baseline,
        images,
        release: Figure::NotMeasured(foreign()),
        build: Figure::NotMeasured(foreign()),
        unknown: is_open
            .then(|| "a registry tells how many bytes it stores, and layers were not pulled to unpack them".to_owned()),
    })
}

struct Reader<'r> {
    host: Option<&'r str>,
    session: &'r Session<'r>,
    store: &'r Store,
}

impl Reader<'_> {
    fn layers(&self, word: &str, platform: &Platform) -> Result<Vec<LayerFacts>, Stop> {
        match look::target(word, self.session)? {
            Target::File(file) => {
                let here = self.session.path(Utf8Path::new(""));
                let base = Base::from_file(&file, platform, &here, self.store).map_err(daemon::stop)?;
                layers::of_stored(&base, None, self.store)
            }
            Target::Daemon(reference) => {
                let reference: Reference = reference.parse().map_err(Stop::input)?;
                let base = daemon::wait(async {
                    let docker = daemon::connect(self.session, self.host).await?;
                    self.of_daemon(&docker, &reference, platform).await
                })?;
                layers::of_stored(&base, None, self.store)
            }
            Target::Anywhere(image) => self.anywhere(&image, platform),
        }
    }

    async fn of_daemon(&self, docker: &Docker, reference: &Reference, platform: &Platform) -> Result<Base, Stop> {
        Base::from_daemon(docker, reference, platform, self.store).await.map_err(daemon::stop)
    }

    /// The daemon, a layout, the registry: whoever has it first.
    fn anywhere(&self, image: &Anywhere, platform: &Platform) -> Result<Vec<LayerFacts>, Stop> {
        if let Some(base) = daemon::wait(self.in_daemon(&image.reference, platform))? {
            return layers::of_stored(&base, None, self.store);
        }
        if let Some((file, root)) = image.layout.as_ref().filter(|_| image.has_layout()) {
            let base = Base::from_file(file, platform, root, self.store).map_err(daemon::stop)?;
            return layers::of_stored(&base, None, self.store);
        }
        let found = daemon::wait(self.in_registry(&image.reference))?;
        let fitting = found.into_iter().find(|found| found.platform == *platform);
        let found = fitting.ok_or_else(|| {
            Stop::refused(anyhow::anyhow!(
                "neither the daemon nor the registry has {} for {platform}\nhint: check the name, or choose another --platform",
                image.reference
            ))
        })?;
        let config = found.config.value().map_err(Stop::refused)?;
        Ok(layers::of_documents(&config, &found.layers))
    }

    async fn in_daemon(&self, reference: &Reference, platform: &Platform) -> Result<Option<Base>, Stop> {
        let docker = match daemon::connect(self.session, self.host).await {
            Ok(docker) => docker,
            // one that was named has to answer
            Err(stop) if stop.status == ExitStatus::Environment && self.host.is_none() => return Ok(None),
            Err(stop) => return Err(stop),
        };
        match docker.inspect(&reference.to_string()).await.map_err(daemon::stop)? {
            Some(_) => self.of_daemon(&docker, reference, platform).await.map(Some),
            None => Ok(None),
        }
    }

    async fn in_registry(&self, reference: &Reference) -> Result<Vec<Image>, Stop> {
        let loaded = self.session.load_manifests()?;
        let client = registry::impatient_client(self.session, Some(&loaded), [reference])?;
        let named = client.named(reference, &Events::nowhere()).await.map_err(daemon::stop)?;
        Ok(named.map(|named| named.images).unwrap_or_default())
    }
}
