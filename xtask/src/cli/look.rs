//! Looking into an image, wherever it is: its configuration and its own description, without fetching the whole of it.
//!
//! | argument | is looked for in |
//! |---|---|
//! | `IMAGE`, `IMAGE=VARIANT` of the workspace | the daemon, then its layout below `target/groupage/oci`, then the registry |
//! | `oci:`, `oci-archive:`, `docker-archive:`, or a path of what these are | files |
//! | `docker-daemon:REFERENCE`, or an image ID | the daemon |
//! | any other reference | the daemon, then the registry |
//!
//! A place that does not have the image, or that does not answer, is passed over, unless it is the only one or was named.

mod places;
mod registry;
mod seen;
mod whole;

use camino::{Utf8Path, Utf8PathBuf};
use serde_json::Value;

pub(super) use self::places::Anywhere;
pub(super) use self::seen::Inspection;
#[cfg(test)]
pub(super) use self::seen::facts;
pub(super) use self::whole::Wholes;
use super::daemon;
use super::session::Session;
use super::status::Stop;
use crate::engine::docker::Docker;
use crate::engine::native::base::{Looked, kind_of, looked};
use crate::engine::native::layout_folder;
use crate::oci::{ImageFile, ImageFileKind, ImageSource};
use crate::resolve::{ImageSelector, Selection};

/// Where an image describes itself.
const DESCRIPTION: &str = "/.groupage/manifest.json";
/// Largest description that is read, in bytes.
const LIMIT: usize = 16 * 1024 * 1024;
/// Where layouts of images are, in the workspace.
pub(super) const LAYOUTS: &str = "target/groupage/oci";

/// Where an image is looked for.
pub(super) enum Target {
    /// In a file or folder.
    File(ImageFile),
    /// In the daemon alone.
    Daemon(String),
    /// In one place after the other.
    Anywhere(Anywhere),
}

/// The images that a word means: all of them where it is an index.
pub(super) fn images(word: &str, host: Option<&str>, session: &Session<'_>) -> Result<Vec<Inspection>, Stop> {
    match target(word, session)? {
        Target::File(file) => of_file(&file, &session.path(Utf8Path::new(""))),
        Target::Daemon(reference) => Ok(vec![daemon::wait(of_daemon(host, session, &reference))?]),
        Target::Anywhere(image) => daemon::wait(places::first(host, session, &image)),
    }
}

/// What a word means. One that is an image of this workspace means the reference that it would get.
pub(super) fn target(word: &str, session: &Session<'_>) -> Result<Target, Stop> {
    if let Some(image) = planned(word, session)? {
        return Ok(Target::Anywhere(image));
    }
    let path = Utf8Path::new(word);
    match word.parse::<ImageSource>() {
        Ok(ImageSource::File(file)) => return Ok(Target::File(file)),
        Ok(ImageSource::Daemon(reference)) => return Ok(Target::Daemon(reference.to_string())),
        // `docker://` has said that it is no path
        Ok(ImageSource::Registry(reference)) if word.contains("://") => {
            return Ok(Target::Anywhere(Anywhere::named(reference)));
        }
        Err(error) if word.split(':').next().is_some_and(is_file_kind) => {
            return Err(Stop::input(error));
        }
        Ok(_) | Err(_) => {}
    }
    if session.path(path).exists() {
        // something else may be called as an image is
        let is_path = word.starts_with(['.', '/']) || word.ends_with(".tar");
        match kind_of(&session.path(path)) {
            Ok(Some(kind)) => return Ok(Target::File(ImageFile { kind, path: path.to_owned(), digest: None })),
            Err(error) if is_path => return Err(daemon::stop(error)),
            Ok(None) if is_path => {
                let hint = "name an OCI layout, an archive of one, or one of `docker save`";
                return Err(Stop::input(anyhow::anyhow!("{word} is no image\nhint: {hint}")));
            }
            Ok(None) | Err(_) => {}
        }
    }
    if word.starts_with(['.', '/']) && !session.path(path).exists() {
        return Err(Stop::environment(anyhow::anyhow!("{word} does not exist\nhint: check the path")));
    }
    match is_image_id(word) {
        true => Ok(Target::Daemon(word.to_owned())),
        false => Ok(Target::Anywhere(Anywhere::named(word.parse().map_err(Stop::input)?))),
    }
}

/// Whether a word can only be the ID of an image in a daemon, or the begin of one: registries are not asked for it.
fn is_image_id(word: &str) -> bool {
    let digits = word.strip_prefix("sha256:").unwrap_or(word);
    (12..=64).contains(&digits.len()) && digits.bytes().all(|byte| matches!(byte, b'0'..=b'9' | b'a'..=b'f'))
}

fn is_file_kind(word: &str) -> bool {
    crate::oci::ImageFileKind::ALL.into_iter().any(|kind| kind.name() == word)
}

/// An image of the workspace, by the reference that it would get.
fn planned(word: &str, session: &Session<'_>) -> Result<Option<Anywhere>, Stop> {
    let Ok(selector) = word.parse::<ImageSelector>() else { return Ok(None) };
    if !session.is_in_workspace()? {
        return Ok(None);
    }
    let loaded = session.load()?;
    if !loaded.manifests.images.contains_key(&selector.image) {
        return Ok(None);
    }
    let selection = Selection { images: vec![selector], ..Selection::default() };
    let resolution = session.resolve(&loaded, &selection)?;
    let Some(image) = resolution.images.first() else { return Ok(None) };
    let Some(tag) = crate::plan::tags(&resolution, image).pop() else { return Ok(None) };
    let reference = tag.parse().map_err(Stop::input)?;
    let path = Utf8PathBuf::from(format!("{LAYOUTS}/{}", layout_folder(&image.id())));
    let layout = ImageFile { kind: ImageFileKind::Layout, path, digest: None };
    Ok(Some(Anywhere { reference, layout: Some((layout, loaded.workspace.root)) }))
}

/// The images of a file or folder below another one.
fn of_file(file: &ImageFile, folder: &Utf8Path) -> Result<Vec<Inspection>, Stop> {
    let looked = looked(file, folder, DESCRIPTION, LIMIT as u64).map_err(daemon::stop)?;
    if looked.is_empty() {
        return Err(Stop::refused(anyhow::anyhow!("there is no image in {file}")));
    }
    looked.into_iter().map(|looked| of_looked(&file.to_string(), looked)).collect()
}

fn of_looked(reference: &str, looked: Looked) -> Result<Inspection, Stop> {
    let Looked { digest, platform, config, tags, size, found } = looked;
    let config = seen::facts(&config, digest.as_ref(), &platform, tags, size).map_err(Stop::refused)?;
    Ok(Inspection::new(reference, config, description(reference, found)?))
}

/// The image of a daemon that has to have it.
async fn of_daemon(host: Option<&str>, session: &Session<'_>, reference: &str) -> Result<Inspection, Stop> {
    let docker = daemon::connect(session, host).await?;
    let hint = format!("build it with `{} build`, or pull it", session.program);
    let none = || Stop::refused(anyhow::anyhow!("the daemon has no image {reference}\nhint: {hint}"));
    inspect(&docker, reference).await?.ok_or_else(none)
}

async fn inspect(docker: &Docker, reference: &str) -> Result<Option<Inspection>, Stop> {
    let Some(config) = docker.inspect(reference).await.map_err(daemon::stop)? else { return Ok(None) };
    let text = docker.read_file(reference, DESCRIPTION, LIMIT).await.map_err(daemon::stop)?;
    Ok(Some(Inspection::new(reference, config, description(reference, text)?)))
}

/// The image's own description, if it has one.
fn description(reference: &str, bytes: Option<Vec<u8>>) -> Result<Option<Value>, Stop> {
    let parse = |bytes: Vec<u8>| {
        serde_json::from_slice(&bytes)
            .map_err(|error| Stop::refused(anyhow::anyhow!("{DESCRIPTION} of {reference} is not JSON: {error}")))
    };
    bytes.map(parse).transpose()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn image_ids_are_told_from_names() {
        let hex = "0123456789abcdef".repeat(4);
        for (word, expect) in [
            ("0123456789ab", true),
            (hex.as_str(), true),
            (&format!("sha256:{hex}"), true),
            ("0123456789a", false),
            (&format!("{hex}0"), false),
            ("0123456789AB", false),
            ("library/0123456789ab", false),
            ("nginx", false),
        ] {
            assert_eq!(is_image_id(word), expect, "{word}");
        }
    }
}
