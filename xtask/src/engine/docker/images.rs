//! What the daemon has: which images are there, pulling one, naming one, looking into one.

use std::collections::BTreeMap;

use bollard::models::ImageInspect;
use bollard::query_parameters::{CreateImageOptionsBuilder, TagImageOptionsBuilder};
use futures_util::StreamExt as _;

use super::{Docker, errors};
use crate::engine::{EngineError, Event};

/// What stands in an image, as far as contracts are about it.
#[derive(Debug, Clone, Default, PartialEq, Eq, serde::Serialize)]
pub struct ImageConfig {
    /// Image ID.
    pub id: String,
    /// Digest of the manifest, where the daemon knows one.
    pub digest: Option<String>,
    /// References that name it.
    pub tags: Vec<String>,
    /// `repository@sha256:…` for every registry it was pulled from or pushed to.
    pub repo_digests: Vec<String>,
    /// `linux/amd64`, with the variant as a third part where there is one.
    pub platform: String,
    /// Labels.
    pub labels: BTreeMap<String, String>,
    /// `NAME=value`, in the order of the image.
    pub env: Vec<String>,
    /// Entry point.
    pub entrypoint: Vec<String>,
    /// Arguments.
    pub cmd: Vec<String>,
    /// User; empty is root.
    pub user: String,
    /// Working folder.
    pub working_dir: String,
    /// Ports as `80/tcp`, sorted.
    pub ports: Vec<String>,
    /// Bytes of all layers, unpacked.
    pub size: u64,
    /// Diff IDs, lowest layer first.
    pub layers: Vec<String>,
}

impl Docker {
    /// The references that the daemon does not have, in the order they were given.
    ///
    /// # Errors
    /// [`EngineError::InvalidReference`], or whatever the daemon says other than "not here".
    pub async fn missing_images<S: AsRef<str>>(&self, references: &[S]) -> Result<Vec<String>, EngineError> {
        let mut missing = Vec::new();
        for reference in references {
            if self.inspect(reference.as_ref()).await?.is_none() {
                missing.push(reference.as_ref().to_owned());
            }
        }
        Ok(missing)
    }

    /// What stands in an image, or `None` when the daemon does not have it.
    ///
    /// # Errors
    /// As [`Docker::missing_images`].
    pub async fn inspect(&self, reference: &str) -> Result<Option<ImageConfig>, EngineError> {
        match self.api.inspect_image(checked(reference)?).await {
            Ok(answer) => Ok(Some(config(answer))),
            Err(error) if errors::is_not_found(&error) => Ok(None),
            Err(error) => Err(errors::other(format!("inspect {reference}"), &error)),
        }
    }

    /// Gives an image another name.
    ///
    /// # Errors
    /// [`EngineError::InvalidReference`] for a name that is none, or that has a digest; the daemon's refusal otherwise.
    pub async fn tag(&self, image: &str, reference: &str) -> Result<(), EngineError> {
        let (repository, tag) = split_tag(checked_name(reference)?);
        let options = TagImageOptionsBuilder::default().repo(repository).tag(tag.unwrap_or("latest")).build();
        let tagged = self.api.tag_image(checked(image)?, Some(options)).await;
        tagged.map_err(|error| errors::other(format!("tag {image} as {reference}"), &error))
    }

    /// Fetches an image from its registry.
    ///
    /// # Errors
    /// [`EngineError::Other`] with the registry's words.
    pub async fn pull(
        &self,
        reference: &str,
        platform: Option<&str>,
        on_event: &mut dyn FnMut(Event),
    ) -> Result<(), EngineError> {
        let account = self.credentials.for_reference(checked(reference)?);
        let mut options = CreateImageOptionsBuilder::default().from_image(reference);
        if split_tag(reference).1.is_none() && !reference.contains('@') {
            // Without a tag the daemon would fetch all of them.
            options = options.tag("latest");
        }
        let options = options.platform(platform.unwrap_or_default()).build();
        let mut answer = Box::pin(self.api.create_image(Some(options), None, account));
        while let Some(item) = answer.next().await {
            let info = item.map_err(|error| errors::other(format!("pull {reference}"), &error))?;
            let status = [info.id, info.status].into_iter().flatten().collect::<Vec<_>>().join(": ");
            on_event(Event::Pulling { reference: reference.to_owned(), status });
        }
        Ok(())
    }
}

/// Refuses what could leave its place in the path of a request.
pub(super) fn checked(reference: &str) -> Result<&str, EngineError> {
    let plain = |byte: u8| byte.is_ascii_alphanumeric() || b"._-/:@+".contains(&byte);
    let parts = reference.split('/').all(|part| !part.is_empty() && part != "." && part != "..");
    if parts && reference.bytes().all(plain) {
        return Ok(reference);
    }
    let detail = "write it as [REGISTRY/]REPOSITORY[:TAG][@DIGEST]".to_owned();
    Err(EngineError::InvalidReference { reference: reference.to_owned(), detail })
}

/// Refuses what cannot be given to an image as its name, before an hour of building and not after it.
pub(super) fn checked_name(reference: &str) -> Result<&str, EngineError> {
    let (repository, _) = split_tag(checked(reference)?);
    let path =
        repository.split_once('/').filter(|(first, _)| first.contains(['.', ':'])).map_or(repository, |(_, path)| path);
    let detail = match () {
        () if repository.contains('@') => "an image is named by a tag, not by a digest",
        () if path.bytes().any(|byte| byte.is_ascii_uppercase()) => "the repository is written in lower case",
        () => return Ok(reference),
    };
    Err(EngineError::InvalidReference { reference: reference.to_owned(), detail: detail.to_owned() })
}

/// Splits off the tag; a colon before the last slash belongs to a port.
pub(super) fn split_tag(reference: &str) -> (&str, Option<&str>) {
    match reference.rsplit_once(':') {
        Some((repository, tag)) if !tag.contains('/') && !reference.contains('@') => (repository, Some(tag)),
        _ => (reference, None),
    }
}

fn config(answer: ImageInspect) -> ImageConfig {
    let inner = answer.config.unwrap_or_default();
    let mut ports = inner.exposed_ports.unwrap_or_default();
    ports.sort();
    let platform = [answer.os, answer.architecture, answer.variant];
    ImageConfig {
        id: answer.id.unwrap_or_default(),
        digest: answer.descriptor.and_then(|descriptor| descriptor.digest),
        tags: answer.repo_tags.unwrap_or_default(),
        repo_digests: answer.repo_digests.unwrap_or_default(),
        platform: platform.into_iter().flatten().filter(|part| !part.is_empty()).collect::<Vec<_>>().join("/"),
        labels: inner.labels.unwrap_or_default().into_iter().collect(),
        env: inner.env.unwrap_or_default(),
        entrypoint: inner.entrypoint.unwrap_or_default(),
        cmd: inner.cmd.unwrap_or_default(),
        user: inner.user.unwrap_or_default(),
        working_dir: inner.working_dir.unwrap_or_default(),
        ports,
        size: answer.size.and_then(|size| u64::try_from(size).ok()).unwrap_or_default(),
        layers: answer.root_fs.and_then(|root| root.layers).unwrap_or_default(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn references_are_checked() {
        let check = |reference: &str, expect: bool| assert_eq!(checked(reference).is_ok(), expect, "{reference}");
        check("busybox", true);
        check("r.example:5000/a/b:1@sha256:00", true);
        check("a/../../containers/x", false);
        check("a?force=1", false);
        check("a b", false);
        check("", false);
        check("/a", false);
    }

    #[test]
    fn names_are_checked() {
        let check = |reference: &str, expect: bool| assert_eq!(checked_name(reference).is_ok(), expect, "{reference}");
        check("a/b:V1", true);
        check("R.example:5000/a", true);
        check("a/B", false);
        check("a@sha256:00", false);
    }

    #[test]
    fn tags_are_split() {
        let check = |reference: &str, expect: (&str, Option<&str>)| assert_eq!(split_tag(reference), expect);
        check("a:1", ("a", Some("1")));
        check("r:5000/a", ("r:5000/a", None));
        check("r:5000/a:1", ("r:5000/a", Some("1")));
        check("a@sha256:00", ("a@sha256:00", None));
    }
}
