//! What is known of a base by its name alone: no registry is asked.
//!
//! | family | known by | gives | runs as |
//! |---|---|---|---|
//! | scratch | `scratch` | nothing | 0:0 |
//! | static | `…/distroless/static*`, `…/chainguard/static` | ca-certificates, tzdata | 0:0, with tag `nonroot` 65532:65532 |
//! | busybox | `busybox` | shell | 0:0 |
//! | alpine | `alpine`, or a tag that says `alpine` | ca-certificates, libc:musl, shell | 0:0 |
//! | distroless | `…/distroless/{base,cc,java*,nodejs*,python3*}*` | ca-certificates, libc:glibc, tzdata | as static |
//! | debian | `debian`, a tag with the name of a release, or an official image of a language | libc:glibc, package:bash, shell | 0:0 |
//! | ubuntu | `ubuntu` | as debian | 0:0 |
//! | red-hat | `fedora`, `centos`, `ubi*`, `rockylinux`, `almalinux`, `amazonlinux` | as debian | 0:0 |
//! | other | all others | unknown | unknown |
//!
//! The order is that of size: what is smaller stands first. Tags `debug` of distroless images hold a shell.

use std::collections::BTreeSet;

use serde::Serialize;

use super::facts::Linking;

/// What a base is by its name, from small to large.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Family {
    /// Nothing at all.
    Scratch,
    /// For static programs.
    Static,
    /// One program with a shell in it.
    Busybox,
    /// Alpine, or made from it.
    Alpine,
    /// With a C library and without a shell.
    Distroless,
    /// Debian, or made from it.
    Debian,
    /// Ubuntu.
    Ubuntu,
    /// Fedora and its kin.
    RedHat,
    /// Not known by its name.
    Other,
}

const RELEASES: [&str; 8] = ["bookworm", "bullseye", "buster", "trixie", "stretch", "slim", "sid", "forky"];

/// Official images that are Debian when their tag does not say otherwise.
/// <https://github.com/docker-library/official-images>
const OF_DEBIAN: [&str; 14] = [
    "buildpack-deps",
    "gcc",
    "golang",
    "haproxy",
    "httpd",
    "mariadb",
    "mysql",
    "nginx",
    "node",
    "perl",
    "php",
    "postgres",
    "python",
    "ruby",
];

const OF_RED_HAT: [&str; 7] = ["fedora", "centos", "rockylinux", "almalinux", "amazonlinux", "oraclelinux", "ubi"];

impl Family {
    /// What an image is by its name.
    pub fn of(reference: &str) -> Self {
        let (name, tag) = split(reference);
        let last = name.rsplit('/').next().unwrap_or(name);
        let says = |words: &[&str]| tag.split(['-', '.']).any(|part| words.contains(&part));
        let is_official = name.rsplit('/').nth(1).is_none_or(|above| above == "library");
        if reference == "scratch" {
            Self::Scratch
        } else if (name.contains("distroless/") || name.contains("chainguard/")) && last.starts_with("static") {
            Self::Static
        } else if name.contains("distroless/") {
            Self::Distroless
        } else if last.starts_with("busybox") {
            Self::Busybox
        } else if last.starts_with("alpine") || tag.split('-').any(|part| part.starts_with("alpine")) {
            Self::Alpine
        } else if last.starts_with("ubuntu") {
            Self::Ubuntu
        } else if OF_RED_HAT.iter().any(|name| last.starts_with(name)) {
            Self::RedHat
        } else if last.starts_with("debian") || last == "minideb" || says(&RELEASES) {
            Self::Debian
        } else if is_official && (OF_DEBIAN.contains(&last) || last == "rust") {
            Self::Debian
        } else {
            Self::Other
        }
    }

    /// As it is written in reasons.
    pub fn name(self) -> &'static str {
        match self {
            Self::Scratch => "scratch",
            Self::Static => "static",
            Self::Busybox => "busybox",
            Self::Alpine => "alpine",
            Self::Distroless => "distroless",
            Self::Debian => "debian",
            Self::Ubuntu => "ubuntu",
            Self::RedHat => "red-hat",
            Self::Other => "unknown",
        }
    }

    /// What programs of such an image may be linked with.
    pub fn libc(self) -> Linking {
        match self {
            Self::Scratch | Self::Static => Linking::None,
            Self::Alpine => Linking::Libc("musl"),
            Self::Distroless | Self::Debian | Self::Ubuntu | Self::RedHat => Linking::Libc("glibc"),
            Self::Busybox | Self::Other => Linking::Unknown,
        }
    }
}

/// What an image gives, sorted, by its name.
pub fn provides(reference: &str) -> BTreeSet<&'static str> {
    let given: &[&str] = match Family::of(reference) {
        Family::Scratch | Family::Other => &[],
        Family::Static => &["ca-certificates", "tzdata"],
        Family::Busybox => &["shell"],
        Family::Alpine => &["ca-certificates", "libc:musl", "shell"],
        Family::Distroless => &["ca-certificates", "libc:glibc", "tzdata"],
        Family::Debian | Family::Ubuntu | Family::RedHat => &["libc:glibc", "package:bash", "shell"],
    };
    let mut given: BTreeSet<&str> = given.iter().copied().collect();
    if matches!(Family::of(reference), Family::Static | Family::Distroless) && has_tag_word(reference, "debug") {
        given.insert("shell");
    }
    given
}

/// The user of an image that names none, by its name; `None` where the name does not tell.
pub fn user(reference: &str) -> Option<&'static str> {
    match Family::of(reference) {
        Family::Static | Family::Distroless if has_tag_word(reference, "nonroot") => Some("65532:65532"),
        Family::Other => None,
        _ => Some("0:0"),
    }
}

/// Whether an image is known to have no ENTRYPOINT of its own: a distribution, and nothing made from it.
pub fn has_no_entrypoint(reference: &str) -> bool {
    let last = split(reference).0.rsplit('/').next().unwrap_or_default();
    let plain = ["scratch", "static", "busybox", "alpine", "debian", "minideb", "ubuntu"];
    plain.iter().any(|name| last.starts_with(name)) || Family::of(reference) == Family::RedHat
}

/// Whether two references are the same image but for tag and digest.
pub fn is_same_repository(a: &str, b: &str) -> bool {
    let plain = |text| {
        let name: &str = split(text).0;
        name.strip_prefix("docker.io/").unwrap_or(name).trim_start_matches("library/").to_owned()
    };
    plain(a) == plain(b)
}

/// A short name for `[bases]`.
pub fn short_name(reference: &str) -> String {
    let (name, tag) = split(reference);
    let last = name.rsplit('/').next().unwrap_or(name);
    match Family::of(reference) {
        Family::Static => "static".to_owned(),
        Family::Alpine if !last.starts_with("alpine") => format!("{last}-alpine"),
        Family::Distroless if tag.contains("debug") => format!("{last}-debug"),
        _ => last.to_owned(),
    }
}

fn has_tag_word(reference: &str, word: &str) -> bool {
    split(reference).1.split('-').any(|part| part == word)
}

/// Name and tag, without a transport and a digest.
fn split(reference: &str) -> (&str, &str) {
    let plain = reference.split('@').next().unwrap_or(reference);
    let plain = plain.strip_prefix("docker-daemon:").or_else(|| plain.strip_prefix("docker://")).unwrap_or(plain);
    match plain.rsplit_once(':') {
        Some((name, tag)) if !tag.contains('/') => (name, tag),
        _ => (plain, ""),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn families() {
        for (reference, expect) in [
            ("scratch", Family::Scratch),
            ("gcr.io/distroless/static-debian12:nonroot", Family::Static),
            ("gcr.io/distroless/static", Family::Static),
            ("gcr.io/distroless/base-debian12", Family::Distroless),
            ("busybox:1.36", Family::Busybox),
            ("quay.io/prometheus/busybox-linux-amd64:latest", Family::Busybox),
            ("alpine@sha256:abc", Family::Alpine),
            ("docker.io/library/ruby:3.4.8-alpine3.23", Family::Alpine),
            ("localhost:5000/alpine:3", Family::Alpine),
            ("python:3.12-slim-bookworm", Family::Debian),
            ("golang:1.22", Family::Debian),
            ("example.com/golang", Family::Other),
            ("registry.access.redhat.com/ubi9/ubi-minimal:9.4", Family::RedHat),
            ("ghcr.io/example/base:1", Family::Other),
        ] {
            assert_eq!(Family::of(reference), expect, "{reference}");
        }
    }

    #[test]
    fn users_and_gifts() {
        assert_eq!(user("gcr.io/distroless/static-debian12:nonroot"), Some("65532:65532"));
        assert_eq!(user("gcr.io/distroless/static-debian12:debug-nonroot"), Some("65532:65532"));
        assert_eq!(user("gcr.io/distroless/static-debian12"), Some("0:0"));
        assert_eq!(user("ghcr.io/example/base:1"), None);
        assert!(provides("gcr.io/distroless/static:debug").contains("shell"));
        assert!(!provides("gcr.io/distroless/static").contains("shell"));
    }

    #[test]
    fn repositories() {
        assert!(is_same_repository("alpine:3.19", "docker.io/library/alpine@sha256:abc"));
        assert!(!is_same_repository("alpine:3.19", "example.com/alpine:3.19"));
    }
}
