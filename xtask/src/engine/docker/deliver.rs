//! Where an image goes after the daemon has built it: into files, and to its registry.

use std::io::Write as _;

use bollard::query_parameters::PushImageOptionsBuilder;
use camino::Utf8Path;
use futures_util::StreamExt as _;

use super::images::split_tag;
use super::{Docker, errors};
use crate::engine::{EngineError, Event, Events, Job};
use crate::workspace::write::Growing;

impl Docker {
    /// Writes the archives of a job and pushes it, as far as that was asked for. Returns the digest that the registry knows.
    ///
    /// # Errors
    /// The daemon's or the registry's refusal; a file that cannot be written.
    pub(super) async fn deliver(&self, job: &Job, events: &Events) -> Result<Option<String>, EngineError> {
        for path in &job.archives {
            self.save(&job.tags, path).await?;
        }
        let mut digest = None;
        for tag in job.tags.iter().filter(|_| job.push) {
            self.push(&job.image, tag, events).await?;
            let repository = format!("{}@", split_tag(tag).0);
            let known = self.inspect(tag).await?.unwrap_or_default().repo_digests;
            digest = known.iter().find_map(|known| known.strip_prefix(&repository).map(str::to_owned)).or(digest);
        }
        Ok(digest)
    }

    /// `docker save`: the file appears when it is whole.
    async fn save(&self, tags: &[String], path: &Utf8Path) -> Result<(), EngineError> {
        let local =
            |error: std::io::Error| EngineError::Local { action: format!("write {path}"), detail: error.to_string() };
        let mut file = Growing::begin(path, 0o644).map_err(local)?;
        let names: Vec<&str> = tags.iter().map(String::as_str).collect();
        let mut bytes = Box::pin(self.api.export_images(&names));
        while let Some(some) = bytes.next().await {
            let some = some.map_err(|error| errors::other(format!("save {}", tags.join(" and ")), &error))?;
            file.write_all(&some).map_err(local)?;
        }
        file.finish().map_err(local)
    }

    async fn push(&self, job: &str, tag: &str, events: &Events) -> Result<(), EngineError> {
        let (repository, version) = split_tag(tag);
        let options = PushImageOptionsBuilder::default().tag(version.unwrap_or("latest")).build();
        let account = self.credentials.for_reference(tag);
        let mut answer = Box::pin(self.api.push_image(repository, Some(options), account));
        while let Some(item) = answer.next().await {
            item.map_err(|error| errors::other(format!("push {tag}"), &error))?;
        }
        events.emit(Event::Pushed { image: job.to_owned(), reference: tag.to_owned() });
        Ok(())
    }
}
