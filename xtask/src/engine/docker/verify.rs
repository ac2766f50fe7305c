//! The contract of an image, before it gets a name. The daemon writes the image out as `docker save` does, and nothing of it is
//! kept but the proof that it keeps its contract: then it is not written out again. That an image is there says nothing, see
//! [`Proofs`](crate::engine::Proofs).

use super::Docker;
use crate::engine::native::base::exported;
use crate::engine::{EngineError, Job, Verify};
use crate::verify::{Config, Image, Level, run};

impl Docker {
    /// Looks at an image, if the job asks for it and nobody has.
    ///
    /// # Errors
    /// [`EngineError::Contract`] with all that was found; whatever the daemon says.
    pub(super) async fn verify(&self, job: &Job, image_id: &str) -> Result<(), EngineError> {
        let Some(Verify { base }) = &job.verify else { return Ok(()) };
        if self.proofs.has(image_id) {
            return Ok(());
        }
        let seen = exported(self, image_id).await?;
        let config = seen.config.value().unwrap_or_default();
        let base_layers = match base {
            Some(base) => self.layers_of_base(base, &config).await?,
            None => Some(0),
        };
        let image = Image { platform: seen.platform, config: Config::of(&config), rootfs: seen.rootfs, base_layers };
        let findings = run(&image, &seen.layers, None);
        match findings.iter().any(|finding| finding.level == Level::Error) {
            true => Err(EngineError::Contract { image: job.image.clone(), was_there: job.present.is_some(), findings }),
            false => {
                self.proofs.add(image_id);
                Ok(())
            }
        }
    }

    /// How many layers of an image, by its configuration, are those of an image that it was built on; nothing when the daemon
    /// does not have that, or another one by its name.
    ///
    /// # Errors
    /// Whatever the daemon says.
    pub async fn layers_of_base(&self, base: &str, config: &serde_json::Value) -> Result<Option<u16>, EngineError> {
        let Some(below) = self.inspect(base.trim_start_matches("docker-daemon:")).await? else { return Ok(None) };
        let own = config["rootfs"]["diff_ids"].as_array().map(Vec::as_slice).unwrap_or_default();
        let begins = below.layers.len() <= own.len()
            && own.iter().zip(&below.layers).all(|(own, below)| own.as_str() == Some(below));
        Ok(if begins { u16::try_from(below.layers.len()).ok() } else { None })
    }
}
