//! Image references, parsed once into parts.
//!
//! The grammar is that of the distribution project (`reference.go`): an optional registry, a repository path, an optional
//! tag, an optional digest; tag and digest may stand together. `docker.io` and its `library/` are implied only where they are:
//! never for another registry. What was parsed prints back as it was written. Parts that were not written are `None`, so
//! that an override of one part cannot be taken for all.

use std::fmt;
use std::str::FromStr;

use super::Digest;

/// Longest reference name (registry and repository), as in the distribution project.
const MAX_NAME: usize = 255;

/// A reference as written, in parts.
///
/// ```
/// use groupage::oci::Reference;
/// let reference: Reference = "localhost:5000/team/app:1.2".parse()?;
/// assert_eq!(reference.registry(), "localhost:5000");
/// assert_eq!(reference.repository(), "team/app");
/// assert_eq!(reference.tag(), Some("1.2"));
/// assert_eq!("rust:1".parse::<Reference>()?.canonical(), "docker.io/library/rust:1");
/// # Ok::<(), groupage::oci::ReferenceError>(())
/// ```
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Reference {
    registry: Option<String>,
    repository: String,
    tag: Option<String>,
    digest: Option<String>,
}

/// Why a text is not a reference.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("`{text}` is not an image reference: {reason}")]
pub struct ReferenceError {
    text: String,
    reason: &'static str,
}

impl Reference {
    /// The registry, `docker.io` when none was written.
    pub fn registry(&self) -> &str {
        self.registry.as_deref().unwrap_or("docker.io")
    }

    /// Whether the registry was written.
    pub fn is_with_registry(&self) -> bool {
        self.registry.is_some()
    }

    /// The repository as written.
    pub fn repository(&self) -> &str {
        &self.repository
    }

    /// The tag, if one was written.
    pub fn tag(&self) -> Option<&str> {
        self.tag.as_deref()
    }

    /// The digest, if one was written.
    pub fn digest(&self) -> Option<&str> {
        self.digest.as_deref()
    }

    /// The form with registry and `library/` written out; `latest` is not invented.
    pub fn canonical(&self) -> String {
        let registry = self.registry();
        let library = if registry == "docker.io" && !self.repository.contains('/') { "library/" } else { "" };
        let mut text = format!("{registry}/{library}{}", self.repository);
        self.append_version(&mut text);
        text
    }

    /// The same image, held fast: this digest in place of any other, the tag stays for readers.
    ///
    /// ```
    /// use groupage::oci::{Digest, Reference};
    /// let pinned = "a/b:1".parse::<Reference>()?.with_digest(&Digest::of(b""));
    /// assert!(pinned.to_string().starts_with("a/b:1@sha256:e3b0c442"));
    /// assert_eq!(pinned.without_digest().to_string(), "a/b:1");
    /// # Ok::<(), groupage::oci::ReferenceError>(())
    /// ```
    pub fn with_digest(&self, digest: &Digest) -> Self {
        Self { digest: Some(digest.to_string()), ..self.clone() }
    }

    /// The same name without a digest.
    pub fn without_digest(&self) -> Self {
        Self { digest: None, ..self.clone() }
    }

    /// Registry and repository, written out as [`Reference::canonical`] does, without tag and digest.
    pub fn name(&self) -> String {
        Self { tag: None, digest: None, ..self.clone() }.canonical()
    }

    /// A reference from its parts, each of which may be absent but the repository.
    ///
    /// ```
    /// use groupage::oci::Reference;
    /// let reference = Reference::from_parts(Some("ghcr.io"), "a/b", Some("1"), None)?;
    /// assert_eq!(reference.to_string(), "ghcr.io/a/b:1");
    /// assert!(Reference::from_parts(None, "a/b:1", None, None).is_err());
    /// # Ok::<(), groupage::oci::ReferenceError>(())
    /// ```
    ///
    /// # Errors
    /// When a part is not what it is given as.
    pub fn from_parts(
        registry: Option<&str>,
        repository: &str,
        tag: Option<&str>,
        digest: Option<&str>,
    ) -> Result<Self, ReferenceError> {
        let own = |part: Option<&str>| part.map(str::to_owned);
        let parts =
            Self { registry: own(registry), repository: repository.to_owned(), tag: own(tag), digest: own(digest) };
        let text = parts.to_string();
        match text.parse::<Self>() {
            Ok(parsed) if parsed == parts => Ok(parts),
            Ok(_) => Err(ReferenceError { text, reason: "a part of it is more than that part" }),
            Err(error) => Err(error),
        }
    }

    fn append_version(&self, text: &mut String) {
        for (mark, part) in [(':', &self.tag), ('@', &self.digest)] {
            if let Some(part) = part {
                text.push(mark);
                text.push_str(part);
            }
        }
    }
}

impl fmt::Display for Reference {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut text = self.registry.iter().map(|registry| format!("{registry}/")).collect::<String>();
        text.push_str(&self.repository);
        self.append_version(&mut text);
        out.pad(&text)
    }
}

impl serde::Serialize for Reference {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl FromStr for Reference {
    type Err = ReferenceError;

    fn from_str(text: &str) -> Result<Self, ReferenceError> {
        parse(text).map_err(|reason| ReferenceError { text: redacted(text).chars().take(MAX_NAME).collect(), reason })
    }
}

/// A text without passwords: in every word, what stands between `//` and `@`, or before `@` in the form `user:password`,
/// becomes `***`. The digest of a reference stays.
///
/// ```
/// use groupage::oci::redacted;
/// assert_eq!(redacted("tcp://user:secret@host:2375"), "tcp://***@host:2375");
/// assert_eq!(redacted("a/b:1@sha256:00"), "a/b:1@sha256:00");
/// ```
pub fn redacted(text: &str) -> String {
    text.split_inclusive(char::is_whitespace).map(redacted_word).collect()
}

fn redacted_word(word: &str) -> String {
    let digest = ["@sha256:", "@sha512:"].iter().filter_map(|mark| word.rfind(mark)).max().unwrap_or(word.len());
    let (name, digest) = word.split_at(digest);
    let Some((account, host)) = name.rsplit_once('@') else { return word.to_owned() };
    match account.split_once("//") {
        Some((scheme, _)) => format!("{scheme}//***@{host}{digest}"),
        None if account.contains(':') => format!("***@{host}{digest}"),
        None => word.to_owned(),
    }
}

fn parse(text: &str) -> Result<Reference, &'static str> {
    match text.split_once("://") {
        Some(("https", _)) => return Err("a reference has no `https://`"),
        Some(("http", _)) => return Err("a reference has no `http://`"),
        Some(_) => return Err("a reference has no `://`"),
        None => {}
    }
    let (rest, digest) = match text.split_once('@') {
        Some((rest, digest)) => (rest, Some(check(digest, is_digest, "the digest is not `algorithm:hex`")?)),
        None => (text, None),
    };
    let last_slash = rest.rfind('/').map_or(0, |index| index + 1);
    let (name, tag) = match rest[last_slash..].split_once(':') {
        Some((last, tag)) => {
            let tag =
                check(tag, is_tag, "a tag has 1 to 128 letters, digits, `_`, `.` or `-` and begins with none of `.-`")?;
            (&rest[..last_slash + last.len()], Some(tag))
        }
        None => (rest, None),
    };
    if name.len() > MAX_NAME {
        return Err("the name has more than 255 characters");
    }
    let (registry, repository) = match name.split_once('/') {
        Some((first, path)) if is_registry_like(first) => {
            (Some(check(first, is_registry, "the registry is not `host[:port]`")?), path)
        }
        _ => (None, name),
    };
    let repository = check(
        repository,
        is_repository,
        "a repository has lowercase letters, digits and single separators `.`, `_`, `__`, `-`, `/`",
    )?;
    Ok(Reference { registry, repository, tag, digest })
}

fn check(text: &str, valid: fn(&str) -> bool, reason: &'static str) -> Result<String, &'static str> {
    if valid(text) { Ok(text.to_owned()) } else { Err(reason) }
}

/// The first part is a registry when it cannot be a path component of Docker Hub: Docker's own rule.
fn is_registry_like(first: &str) -> bool {
    first == "localhost" || first.contains(['.', ':']) || first.bytes().any(|b| b.is_ascii_uppercase())
}

fn is_registry(text: &str) -> bool {
    let (host, port) = match text.strip_prefix('[').and_then(|rest| rest.split_once(']')) {
        Some((address, port)) => {
            return !address.is_empty()
                && address.bytes().all(|b| b.is_ascii_hexdigit() || b == b':')
                && (port.is_empty() || port.strip_prefix(':').is_some_and(is_port));
        }
        None => text.split_once(':').map_or((text, None), |(host, port)| (host, Some(port))),
    };
    let label = |label: &str| {
        let bytes = label.as_bytes();
        !bytes.is_empty()
            && bytes.iter().all(|b| b.is_ascii_alphanumeric() || *b == b'-')
            && bytes[0] != b'-'
            && bytes[bytes.len() - 1] != b'-'
    };
    host.split('.').all(label) && port.is_none_or(is_port)
}

fn is_port(text: &str) -> bool {
    text.parse::<u16>().is_ok_and(|port| port > 0)
}

fn is_repository(text: &str) -> bool {
    text.split('/').all(is_path_component)
}

/// `[a-z0-9]+((\.|_|__|-+)[a-z0-9]+)*`
fn is_path_component(text: &str) -> bool {
    let alphanumeric = |b: u8| b.is_ascii_lowercase() || b.is_ascii_digit();
    let bytes = text.as_bytes();
    let separators_fit = text
        .split(|c: char| c.is_ascii_lowercase() || c.is_ascii_digit())
        .all(|run| matches!(run, "" | "." | "_" | "__") || run.bytes().all(|b| b == b'-'));
    !bytes.is_empty() && alphanumeric(bytes[0]) && alphanumeric(bytes[bytes.len() - 1]) && separators_fit
}

fn is_tag(text: &str) -> bool {
    let word = |b: u8| b.is_ascii_alphanumeric() || b == b'_';
    let bytes = text.as_bytes();
    (1..=128).contains(&bytes.len()) && word(bytes[0]) && bytes.iter().all(|&b| word(b) || b == b'.' || b == b'-')
}

fn is_digest(text: &str) -> bool {
    let Some((algorithm, hex)) = text.split_once(':') else { return false };
    let length = match algorithm {
        "sha256" => 64,
        "sha512" => 128,
        _ => return false,
    };
    hex.len() == length && hex.bytes().all(|b| b.is_ascii_digit() || (b'a'..=b'f').contains(&b))
}

#[cfg(test)]
mod tests {
    use super::*;

    const DIGEST: &str = "sha256:0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef";

    fn check(text: &str, expect: Option<&str>) {
        let parsed = text.parse::<Reference>().ok();
        assert_eq!(parsed.as_ref().map(Reference::canonical).as_deref(), expect, "{text:?}");
        if let Some(parsed) = parsed {
            assert_eq!(parsed.to_string(), text, "prints what it parsed");
        }
    }

    #[test]
    fn references() {
        check("busybox", Some("docker.io/library/busybox"));
        check("busybox:latest", Some("docker.io/library/busybox:latest"));
        check("velero/velero:v1.16.0", Some("docker.io/velero/velero:v1.16.0"));
        check("docker.io/fluent/fluent-bit:3.2.5", Some("docker.io/fluent/fluent-bit:3.2.5"));
        check("docker.io/busybox", Some("docker.io/library/busybox"));
        check("registry.k8s.io/etcd:3.6.8-0", Some("registry.k8s.io/etcd:3.6.8-0"));
        check("localhost/foo:1", Some("localhost/foo:1"));
        check("localhost:5000/foo", Some("localhost:5000/foo"));
        check("myregistry.io:34567/my-image", Some("myregistry.io:34567/my-image"));
        check("[::1]:5000/a", Some("[::1]:5000/a"));
        check(&format!("a/b:1@{DIGEST}"), Some(&format!("docker.io/a/b:1@{DIGEST}")));
        check(
            "gcr.io/k8s-staging-etcdadm/etcd-manager:v3.0.20220128-22-g09fbed34",
            Some("gcr.io/k8s-staging-etcdadm/etcd-manager:v3.0.20220128-22-g09fbed34"),
        );
    }

    #[test]
    fn passwords_are_not_shown() {
        let check = |text: &str, expect: &str| assert_eq!(redacted(text), expect);
        check("https://user:s3cret@reg/rust:1", "https://***@reg/rust:1");
        check("https://user:s3@cret@reg/rust:1@sha256:00", "https://***@reg/rust:1@sha256:00");
        check("user:s3cret@reg/rust:1", "***@reg/rust:1");
        check("failed to reach tcp://u:p@h:1: refused", "failed to reach tcp://***@h:1: refused");
        for plain in ["", "busybox", "a/b:1", "a:1@sha256:00", "me@host", "https://a.b/c"] {
            check(plain, plain);
        }
        let error = "https://user:s3cret@reg/rust:1".parse::<Reference>().unwrap_err().to_string();
        assert_eq!(error, "`https://***@reg/rust:1` is not an image reference: a reference has no `https://`");
    }

    #[test]
    fn not_references() {
        for bad in [
            "",
            ":",
            "a:",
            "a@",
            "A",
            "a//b",
            "a/",
            "/a",
            "-a",
            "a-",
            "a___b",
            "a..b",
            "a b",
            "a:b:c",
            "x:$TAG",
            "r.io:0/a",
            "r.io:99999/a",
            "a@sha256:12",
            "a\nb",
            "ä",
            "https://a.b/c",
        ] {
            check(bad, None);
        }
    }
}
