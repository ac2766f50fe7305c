//! What `docker save` writes, in the old form (a folder for each layer) and in that of Docker 25 (an OCI layout beside it):
//! both have a `manifest.json` that names files.
//! <https://github.com/moby/moby/blob/master/image/spec/v1.2.md#combined-image-json--filesystem-changeset-format>

use serde::Deserialize;

use super::fault::Fault;
use super::files::{Files, clean};
use super::layout::{self, Opened};
use super::scan::Named;
use crate::oci::{DiffId, Digest, Document, ImageConfiguration, Platform, media};

/// One image of `manifest.json`.
#[derive(Debug, Clone, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct Saved {
    config: String,
    #[serde(default)]
    repo_tags: Option<Vec<String>>,
    #[serde(default)]
    layers: Option<Vec<String>>,
}

/// Whether there is such an archive.
pub(super) fn is_archive(files: &Files) -> Result<bool, Fault> {
    Ok(files.document("manifest.json")?.is_some())
}

/// The image for a platform; of several, the one whose ID is `digest`.
pub(super) fn choose(files: &Files, platform: &Platform, digest: Option<&Digest>) -> Result<Opened, Fault> {
    let (mut fitting, others): (Vec<_>, Vec<_>) =
        all(files, digest)?.into_iter().partition(|(opened, _)| opened.platform == *platform);
    match fitting.len() {
        0 => {
            let others = others.iter().map(|(opened, _)| opened.platform.to_string()).collect();
            Err(layout::no_platform(platform, &others))
        }
        1 => Ok(fitting.remove(0).0),
        _ => Err(layout::ambiguous(fitting.into_iter().map(|(opened, tags)| (opened.config.digest.to_string(), tags)))),
    }
}

/// Every image, each once, with its tags.
pub(super) fn all(files: &Files, digest: Option<&Digest>) -> Result<Vec<(Opened, Vec<String>)>, Fault> {
    let path = files.path();
    let text = files.document("manifest.json")?;
    let text = text.ok_or_else(|| {
        Fault::Refused(format!("{path} is no archive of `docker save`: there is no `manifest.json` in it"))
    })?;
    let mut found: Vec<(Opened, Vec<String>)> = Vec::new();
    for saved in parse(&text)? {
        let opened = opened(&saved, |name| files.document(name))?;
        let tags = saved.repo_tags.unwrap_or_default();
        match found.iter_mut().find(|(other, _)| other.config.digest == opened.config.digest) {
            Some((_, names)) => names.extend(tags),
            None => found.push((opened, tags)),
        }
    }
    if let Some(digest) = digest {
        found.retain(|(opened, _)| opened.config.digest == *digest);
        if found.is_empty() {
            return Err(Fault::Choice(format!("there is no image with the ID {digest} in it")));
        }
    }
    Ok(found)
}

/// The images of a `manifest.json`.
pub(super) fn parse(text: &[u8]) -> Result<Vec<Saved>, Fault> {
    serde_json::from_slice(text).map_err(|error| Fault::Refused(format!("manifest.json cannot be read: {error}")))
}

/// An image, with its configuration read and compared with its layers.
pub(super) fn opened(saved: &Saved, read: impl Fn(&str) -> Result<Option<Vec<u8>>, Fault>) -> Result<Opened, Fault> {
    let name = clean(saved.config.as_bytes());
    let bytes = read(&name)?.ok_or_else(|| Fault::Refused(format!("{name} is named, but not there")))?;
    let config = Document::from_bytes(media::DOCKER_CONFIG, bytes);
    // the file is called after its digest
    if let Some(said) = named_digest(&name)
        && said != config.digest
    {
        return Err(Fault::Refused(format!("{name} has the digest {}", config.digest)));
    }
    let parsed: ImageConfiguration = serde_json::from_slice(&config.bytes)
        .map_err(|error| Fault::Refused(format!("the configuration {name} cannot be read: {error}")))?;
    let (names, diff_ids) = (saved.layers.clone().unwrap_or_default(), parsed.rootfs().diff_ids());
    if names.len() != diff_ids.len() {
        let message = format!("manifest.json has {} layers, and {name} {}", names.len(), diff_ids.len());
        return Err(Fault::Refused(message));
    }
    let layer = |(file, diff_id): (&String, &String)| {
        let diff_id: Digest = diff_id.parse().map_err(|error| Fault::Refused(format!("{name}: {error}")))?;
        let named = Named { stored: None, compression: None, diff_id: DiffId(diff_id) };
        Ok((named, clean(file.as_bytes())))
    };
    let layers = names.iter().zip(diff_ids).map(layer).collect::<Result<_, Fault>>()?;
    let variant = parsed.variant().as_ref().filter(|variant| !variant.is_empty());
    let variant = variant.map(|variant| format!("/{variant}")).unwrap_or_default();
    let platform = format!("{}/{}{variant}", parsed.os(), parsed.architecture());
    let platform = platform.parse().map_err(|error| Fault::Refused(format!("{name}: {error}")))?;
    Ok(Opened { digest: None, platform, config, layers })
}

/// The digest in the name of a file: `<hex>.json` or `blobs/sha256/<hex>`.
pub(super) fn named_digest(name: &str) -> Option<Digest> {
    let file = name.rsplit('/').next().unwrap_or(name);
    format!("sha256:{}", file.strip_suffix(".json").unwrap_or(file)).parse().ok()
}
