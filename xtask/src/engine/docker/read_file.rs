//! One file out of an image: a container is created, never started, read through the archive API and removed.

use std::io::Read as _;

use bollard::Docker as Api;
use bollard::errors::Error;
use bollard::models::ContainerCreateBody;
use bollard::query_parameters::{
    CreateContainerOptions, DownloadFromContainerOptionsBuilder, RemoveContainerOptionsBuilder,
};
use futures_util::StreamExt as _;

use super::{Docker, errors, images};
use crate::engine::EngineError;

/// What a tar stream needs around one file: header, padding, end.
const FRAME: usize = 64 * 1024;

impl Docker {
    /// Reads a regular file of at most `limit` bytes from an image that the daemon has. `None` when the image has no such
    /// path.
    ///
    /// # Errors
    /// [`EngineError::Other`] when the image is missing, or when the path is a folder, a link, or too large.
    pub async fn read_file(&self, reference: &str, path: &str, limit: usize) -> Result<Option<Vec<u8>>, EngineError> {
        let action = || format!("read {path} from {reference}");
        let container = create(&self.api, images::checked(reference)?).await;
        let container = container.map_err(|error| errors::other(action(), &error))?;
        let archive = download(&self.api, &container, path, limit + FRAME).await;
        let options = RemoveContainerOptionsBuilder::default().force(true).v(true).build();
        // A container that was never started and cannot be removed is not worth failing for.
        let _ = self.api.remove_container(&container, Some(options)).await;
        match archive {
            Ok(Some(bytes)) => {
                let content = single_file(&bytes, limit);
                content.map(Some).map_err(|message| EngineError::Other { action: action(), message })
            }
            Ok(None) => Err(EngineError::Other { action: action(), message: too_large(limit) }),
            Err(error) if errors::is_not_found(&error) => Ok(None),
            Err(error) => Err(errors::other(action(), &error)),
        }
    }
}

async fn create(api: &Api, reference: &str) -> Result<String, Error> {
    // An image without a command, such as one `FROM scratch`, gets a container only if one is named; it is never run.
    let body = ContainerCreateBody {
        image: Some(reference.to_owned()),
        cmd: Some(vec!["never-started".to_owned()]),
        network_disabled: Some(true),
        ..ContainerCreateBody::default()
    };
    Ok(api.create_container(None::<CreateContainerOptions>, body).await?.id)
}

/// The archive, or `None` when it is larger than `limit`.
async fn download(api: &Api, container: &str, path: &str, limit: usize) -> Result<Option<Vec<u8>>, Error> {
    let options = DownloadFromContainerOptionsBuilder::default().path(path).build();
    let mut stream = Box::pin(api.download_from_container(container, Some(options)));
    let mut bytes = Vec::new();
    while let Some(chunk) = stream.next().await {
        bytes.extend_from_slice(&chunk?);
        if bytes.len() > limit {
            return Ok(None);
        }
    }
    Ok(Some(bytes))
}

/// The content of the only file in an archive.
fn single_file(archive: &[u8], limit: usize) -> Result<Vec<u8>, String> {
    let mut archive = tar::Archive::new(archive);
    let mut entries = archive.entries().map_err(|error| error.to_string())?;
    let entry = entries.next().ok_or("the answer is empty")?.map_err(|error| error.to_string())?;
    let kind = entry.header().entry_type();
    if !kind.is_file() {
        let word = if kind.is_dir() { "a folder" } else { "a link or a device" };
        return Err(format!("it is {word}, not a file"));
    }
    let mut content = Vec::new();
    entry.take(limit as u64 + 1).read_to_end(&mut content).map_err(|error| error.to_string())?;
    if content.len() > limit { Err(too_large(limit)) } else { Ok(content) }
}

fn too_large(limit: usize) -> String {
    format!("it is larger than {limit} bytes")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn archive(kind: tar::EntryType, content: &[u8]) -> Vec<u8> {
        let mut header = tar::Header::new_gnu();
        header.set_entry_type(kind);
        header.set_size(content.len() as u64);
        let mut archive = tar::Builder::new(Vec::new());
        archive.append_data(&mut header, "name", content).unwrap();
        archive.into_inner().unwrap()
    }

    #[test]
    fn only_small_regular_files_are_read() {
        let check = |bytes: &[u8], expect: Result<&str, &str>| {
            let content = single_file(bytes, 4).map(|bytes| String::from_utf8(bytes).unwrap());
            assert_eq!(content.as_deref().map_err(String::as_str), expect);
        };
        check(&archive(tar::EntryType::Regular, b"text"), Ok("text"));
        check(&archive(tar::EntryType::Regular, b"texts"), Err("it is larger than 4 bytes"));
        check(&archive(tar::EntryType::Directory, b""), Err("it is a folder, not a file"));
        check(&archive(tar::EntryType::Symlink, b""), Err("it is a link or a device, not a file"));
        check(&[], Err("the answer is empty"));
    }
}
