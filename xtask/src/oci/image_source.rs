//! Where an image comes from: a registry, this machine's daemon, or files. Names are those of `containers-transports(5)`.
//! <https://github.com/containers/image/blob/main/docs/containers-transports.5.md>
//!
//! | written | is |
//! |---|---|
//! | `REFERENCE`, `docker://REFERENCE` | an image of a registry |
//! | `docker-daemon:REFERENCE` | an image that the Docker daemon has; it is not pulled |
//! | `oci:FOLDER[@DIGEST]` | an OCI image layout |
//! | `oci-archive:FILE[@DIGEST]` | a tar of one |
//! | `docker-archive:FILE[@DIGEST]` | what `docker save` writes |
//!
//! Paths are relative to the workspace root, or absolute. Where several images are in a file or folder, `@DIGEST` chooses:
//! the digest of a manifest or index; in an archive of `docker save`, which has none, the image ID. A tag after the path, as
//! `oci:FOLDER:TAG`, is refused: tags move.
//!
//! The word before the colon wins: `oci:latest` is a folder. The image of that name on Docker Hub is
//! `docker.io/library/oci:latest`.

use std::fmt;
use std::str::FromStr;

use camino::{Utf8Path, Utf8PathBuf};

use super::{Digest, Reference, ReferenceError, redacted};

/// Longest path, in bytes (`PATH_MAX` less its end).
const MAX_PATH: usize = 4095;

/// Where an image comes from, as written.
///
/// ```
/// use groupage::oci::ImageSource;
/// let source: ImageSource = "oci:bases/static".parse()?;
/// assert_eq!(source.path().map(|path| path.as_str()), Some("bases/static"));
/// let source: ImageSource = "ghcr.io/example/app:1".parse()?;
/// assert_eq!(source.reference().map(|reference| reference.registry()), Some("ghcr.io"));
/// # Ok::<(), groupage::oci::ImageSourceError>(())
/// ```
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub enum ImageSource {
    /// A registry.
    Registry(Reference),
    /// The Docker daemon's own images.
    Daemon(Reference),
    /// A file or folder.
    File(ImageFile),
}

/// An image in a file or folder.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct ImageFile {
    /// What kind of file it is.
    pub kind: ImageFileKind,
    /// Where it is, as written: relative to the workspace root, or absolute.
    pub path: Utf8PathBuf,
    /// Which image of several.
    pub digest: Option<Digest>,
}

/// Kinds of files and folders that hold images.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum ImageFileKind {
    /// A folder with an OCI image layout.
    Layout,
    /// A tar of an OCI image layout.
    Archive,
    /// What `docker save` writes.
    DockerArchive,
}

/// Why a text does not say where an image is.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ImageSourceError {
    /// It is no reference.
    #[error(transparent)]
    Reference(#[from] ReferenceError),
    /// What stands after `oci:` and the like is no path.
    #[error("`{text}` does not say where an image is: {reason}")]
    Path {
        /// As it was given, without secrets.
        text: String,
        /// What is wrong with it.
        reason: &'static str,
    },
}

impl ImageFileKind {
    /// All kinds.
    pub const ALL: [Self; 3] = [Self::Layout, Self::Archive, Self::DockerArchive];

    /// The word before the colon.
    pub fn name(self) -> &'static str {
        match self {
            Self::Layout => "oci",
            Self::Archive => "oci-archive",
            Self::DockerArchive => "docker-archive",
        }
    }

    /// What it is, for messages.
    pub fn description(self) -> &'static str {
        match self {
            Self::Layout => "an OCI layout",
            Self::Archive => "an OCI archive",
            Self::DockerArchive => "an archive of `docker save`",
        }
    }
}

impl ImageSource {
    /// The reference in a registry, if that is where the image is.
    pub fn reference(&self) -> Option<&Reference> {
        match self {
            Self::Registry(reference) => Some(reference),
            Self::Daemon(_) | Self::File(_) => None,
        }
    }

    /// The reference that a Dockerfile can name it by: a daemon reads neither folders nor archives of ours.
    pub fn docker_reference(&self) -> Option<&Reference> {
        match self {
            Self::Registry(reference) | Self::Daemon(reference) => Some(reference),
            Self::File(_) => None,
        }
    }

    /// The file or folder, if it is one.
    pub fn file(&self) -> Option<&ImageFile> {
        match self {
            Self::File(file) => Some(file),
            Self::Registry(_) | Self::Daemon(_) => None,
        }
    }

    /// The path of the file or folder, if it is one.
    pub fn path(&self) -> Option<&Utf8Path> {
        self.file().map(|file| file.path.as_path())
    }
}

impl From<Reference> for ImageSource {
    fn from(reference: Reference) -> Self {
        Self::Registry(reference)
    }
}

impl fmt::Display for ImageFile {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(out, "{}:{}", self.kind.name(), self.path)?;
        self.digest.iter().try_for_each(|digest| write!(out, "@{digest}"))
    }
}

impl fmt::Display for ImageSource {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Registry(reference) => {
                let text = reference.to_string();
                // an image named as a transport
                if prefixed(&text).is_some() { write!(out, "docker://{text}") } else { out.pad(&text) }
            }
            Self::Daemon(reference) => write!(out, "docker-daemon:{reference}"),
            Self::File(file) => file.fmt(out),
        }
    }
}

impl serde::Serialize for ImageSource {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

/// What a word before a colon means.
enum Prefix {
    Registry,
    Daemon,
    File(ImageFileKind),
}

/// Splits off the word before the colon, if it is one of ours.
fn prefixed(text: &str) -> Option<(Prefix, &str)> {
    if let Some(rest) = text.strip_prefix("docker://") {
        return Some((Prefix::Registry, rest));
    }
    let (word, rest) = text.split_once(':')?;
    if word == "docker-daemon" {
        return Some((Prefix::Daemon, rest));
    }
    let kind = ImageFileKind::ALL.into_iter().find(|kind| kind.name() == word)?;
    Some((Prefix::File(kind), rest))
}

impl FromStr for ImageSource {
    type Err = ImageSourceError;

    fn from_str(text: &str) -> Result<Self, ImageSourceError> {
        match prefixed(text) {
            None => Ok(Self::Registry(text.parse()?)),
            Some((Prefix::Registry, rest)) => Ok(Self::Registry(rest.parse()?)),
            Some((Prefix::Daemon, rest)) => Ok(Self::Daemon(rest.parse()?)),
            Some((Prefix::File(kind), rest)) => file(kind, rest).map(Self::File).map_err(|reason| {
                ImageSourceError::Path { text: redacted(text).chars().take(MAX_PATH).collect(), reason }
            }),
        }
    }
}

fn file(kind: ImageFileKind, text: &str) -> Result<ImageFile, &'static str> {
    let (path, digest) = match text.split_once('@') {
        Some((path, digest)) => {
            let digest = digest.parse().map_err(|_| "what follows `@` is not `sha256:` and 64 digits")?;
            (path, Some(digest))
        }
        None => (text, None),
    };
    match path {
        "" => return Err("the path is missing"),
        _ if path.len() > MAX_PATH => return Err("the path is too long"),
        _ if path.contains(':') => return Err("a path has no `:`; `@sha256:…` chooses one of several images"),
        _ if path.contains(char::is_control) => return Err("the path has control characters"),
        _ if path.trim() != path => return Err("the path begins or ends with a blank"),
        _ => {}
    }
    Ok(ImageFile { kind, path: Utf8PathBuf::from(path), digest })
}

#[cfg(test)]
mod tests {
    use super::*;

    const DIGEST: &str = "sha256:0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef";

    /// What a text means, and whether it prints back; the error otherwise.
    fn check(text: &str, expect: Result<&str, &str>) {
        let parsed = text.parse::<ImageSource>();
        let shown =
            parsed.as_ref().map(|source| format!("{source:?}").split('(').next().unwrap_or_default().to_owned());
        match (&shown, expect) {
            (Ok(shown), Ok(expect)) => assert_eq!(shown, expect, "{text}"),
            (Err(error), Err(expect)) => assert!(error.to_string().contains(expect), "{text}: {error}"),
            _ => panic!("{text}: {parsed:?}"),
        }
        if let Ok(parsed) = parsed {
            assert_eq!(parsed.to_string().parse(), Ok(parsed.clone()), "{text}");
            assert_eq!(
                parsed.to_string(),
                text.strip_prefix("docker://r").map_or(text.to_owned(), |t| format!("r{t}"))
            );
        }
    }

    #[test]
    fn grammar() {
        check("busybox", Ok("Registry"));
        check("ghcr.io/example/app:1", Ok("Registry"));
        check("localhost:5000/oci", Ok("Registry"));
        check("oci/app:1", Ok("Registry"));
        check("docker:24", Ok("Registry"));
        check("docker://r.io/a:1", Ok("Registry"));
        check("docker://oci:latest", Ok("Registry"));
        check("docker-daemon:a/b:1", Ok("Daemon"));
        check(&format!("docker-daemon:a@{DIGEST}"), Ok("Daemon"));
        for kind in ["oci", "oci-archive", "docker-archive"] {
            for path in ["a", "a/b.tar", "/srv/x", "../x", ".", "a b", "ä"] {
                check(&format!("{kind}:{path}"), Ok("File"));
                check(&format!("{kind}:{path}@{DIGEST}"), Ok("File"));
            }
            check(&format!("{kind}:"), Err("the path is missing"));
            check(&format!("{kind}:@{DIGEST}"), Err("the path is missing"));
            check(&format!("{kind}:a:latest"), Err("chooses one of several"));
            check(&format!("{kind}:a@latest"), Err("what follows `@`"));
            check(&format!("{kind}:a@"), Err("what follows `@`"));
            check(&format!("{kind}:a\nb"), Err("control characters"));
            check(&format!("{kind}: a"), Err("blank"));
            check(&format!("{kind}:{}", "a".repeat(5000)), Err("too long"));
        }
        check("docker-daemon:", Err("not an image reference"));
        check("docker-daemon:A", Err("not an image reference"));
        check("https://a/b", Err("no `https://`"));
    }
}
