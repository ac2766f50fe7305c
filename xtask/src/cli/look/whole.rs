//! An image as a whole, with all of its layers in a store: for commands that read its files.

use anyhow::anyhow;
use camino::{Utf8Path, Utf8PathBuf};

use super::{Anywhere, Target, daemon, target};
use crate::cli::registry;
use crate::cli::session::Session;
use crate::cli::status::{ExitStatus, Stop};
use crate::engine::Events;
use crate::engine::native::base::{Base, Pulled};
use crate::engine::store::Store;
use crate::oci::{ImageSource, Platform, Reference};
use crate::workspace::MEMORY_FOLDER;

/// Gets images, from the places that [`super::images`] looks into.
pub(in crate::cli) struct Wholes<'a> {
    session: &'a Session<'a>,
    host: Option<&'a str>,
    /// The workspace, if there is one.
    pub(in crate::cli) root: Option<Utf8PathBuf>,
    /// Where layers are kept, once there is need; outside of a workspace a temporary folder.
    store: Option<(Store, Option<tempfile::TempDir>)>,
}

impl<'a> Wholes<'a> {
    pub(in crate::cli) fn new(session: &'a Session<'a>, host: Option<&'a str>) -> Result<Self, Stop> {
        let root = match session.is_in_workspace()? {
            true => Some(session.load_manifests()?.workspace.root),
            false => None,
        };
        Ok(Self { session, host, root, store: None })
    }

    /// Where layers are kept.
    pub(in crate::cli) fn store(&mut self) -> Result<Store, Stop> {
        if let Some((store, _)) = &self.store {
            return Ok(store.clone());
        }
        let local = |error: std::io::Error| Stop::environment(anyhow!("layers cannot be kept: {error}"));
        let not_utf8 = || local(std::io::Error::other("the temporary folder is not UTF-8"));
        let (folder, temporary) = match &self.root {
            Some(root) => (root.join(MEMORY_FOLDER), None),
            None => {
                let temporary = tempfile::tempdir().map_err(local)?;
                let folder = Utf8Path::from_path(temporary.path()).map(Utf8Path::to_owned);
                (folder.ok_or_else(not_utf8)?, Some(temporary))
            }
        };
        let store = Store::of(&folder).map_err(local)?;
        self.store = Some((store.clone(), temporary));
        Ok(store)
    }

    /// The image with its layers in the store.
    pub(in crate::cli) fn base(
        &self,
        word: &str,
        platform: &Platform,
        store: &Store,
    ) -> Result<(ImageSource, Base), Stop> {
        match target(word, self.session)? {
            Target::File(file) => {
                let root = self.session.path(Utf8Path::new(""));
                let base = Base::from_file(&file, platform, &root, store).map_err(daemon::stop)?;
                Ok((ImageSource::File(file), base))
            }
            Target::Daemon(reference) => {
                let reference: Reference = reference.parse().map_err(Stop::input)?;
                let base = daemon::wait(async {
                    let docker = daemon::connect(self.session, self.host).await?;
                    Base::from_daemon(&docker, &reference, platform, store).await.map_err(daemon::stop)
                })?;
                Ok((ImageSource::Daemon(reference), base))
            }
            Target::Anywhere(image) => daemon::wait(self.anywhere(&image, platform, store)),
        }
    }

    async fn anywhere(
        &self,
        image: &Anywhere,
        platform: &Platform,
        store: &Store,
    ) -> Result<(ImageSource, Base), Stop> {
        let reference = &image.reference;
        match daemon::connect(self.session, self.host).await {
            Ok(docker) => {
                if docker.inspect(&reference.to_string()).await.map_err(daemon::stop)?.is_some() {
                    let base = Base::from_daemon(&docker, reference, platform, store).await;
                    return Ok((ImageSource::Daemon(reference.clone()), base.map_err(daemon::stop)?));
                }
            }
            Err(stop) if stop.status == ExitStatus::Environment && self.host.is_none() => {}
            Err(stop) => return Err(stop),
        }
        if let Some((file, root)) = image.layout.as_ref().filter(|_| image.has_layout()) {
            let base = Base::from_file(file, platform, root, store).map_err(daemon::stop)?;
            return Ok((ImageSource::File(file.clone()), base));
        }
        let loaded = if self.root.is_some() { Some(self.session.load_manifests()?) } else { None };
        let client = registry::impatient_client(self.session, loaded.as_ref(), [reference])?;
        let fetched = client.fetch(reference, platform, store, &Events::nowhere()).await.map_err(daemon::stop)?;
        let pulled = Pulled { manifest: fetched.manifest, config: fetched.config };
        let base = Base::from_pulled(reference, pulled, platform, store).map_err(daemon::stop)?;
        Ok((ImageSource::Registry(reference.clone()), base))
    }
}
