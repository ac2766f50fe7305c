//! Of which distribution an image is: what its name says, where it is one that everybody knows. `RUN`s of one image are
//! replayed on another one only when both are of the same.

use crate::oci::Reference;

/// The distribution of an image with a well known name, such as `alpine 3.19` or `debian 12`.
pub(super) fn of(image: &Reference) -> Option<String> {
    let name = image.repository().rsplit('/').next().unwrap_or_default();
    let tag = image.tag().unwrap_or_default();
    let version = |tag: &str| {
        let number: String = tag.chars().take_while(|c| c.is_ascii_digit() || *c == '.').collect();
        number.trim_end_matches('.').to_owned()
    };
    let of_name = |distribution: &str, tag: &str| {
        let version = version(tag);
        (!version.is_empty()).then(|| format!("{distribution} {}", shortened(distribution, &version)))
    };
    match name {
        "alpine" | "ubuntu" | "fedora" | "rockylinux" | "almalinux" => of_name(name, tag),
        "debian" => by_code_name(tag).or_else(|| of_name("debian", tag)),
        // ubi9/ubi, ubi9-minimal, ubi9/ubi-minimal
        _ if image.repository().contains("ubi8") => Some("ubi 8".to_owned()),
        _ if image.repository().contains("ubi9") => Some("ubi 9".to_owned()),
        _ => tag.split(['-', '_']).skip(1).find_map(|part| match part.strip_prefix("alpine") {
            Some(rest) => of_name("alpine", rest),
            None => by_code_name(part),
        }),
    }
}

/// Versions as packages know them: `3.19.1` of Alpine is `3.19`, `12.5` of Debian is `12`.
fn shortened(distribution: &str, version: &str) -> String {
    let parts = if matches!(distribution, "alpine" | "ubuntu") { 2 } else { 1 };
    version.split('.').take(parts).collect::<Vec<_>>().join(".")
}

/// <https://www.debian.org/releases/>, <https://wiki.ubuntu.com/Releases>
fn by_code_name(tag: &str) -> Option<String> {
    const NAMES: [(&str, &str); 9] = [
        ("buster", "debian 10"),
        ("bullseye", "debian 11"),
        ("bookworm", "debian 12"),
        ("trixie", "debian 13"),
        ("focal", "ubuntu 20.04"),
        ("jammy", "ubuntu 22.04"),
        ("noble", "ubuntu 24.04"),
        ("stretch", "debian 9"),
        ("bionic", "ubuntu 18.04"),
    ];
    let first = tag.split('-').next().unwrap_or_default();
    NAMES.iter().find(|(name, _)| *name == first).map(|(_, distribution)| (*distribution).to_owned())
}

#[cfg(test)]
mod tests {
    #[test]
    fn well_known_names() {
        let check = |image: &str, expect: Option<&str>| {
            assert_eq!(super::of(&image.parse().unwrap()).as_deref(), expect, "{image}");
        };
        check("alpine:3.19.1", Some("alpine 3.19"));
        check("docker.io/library/alpine:3.19", Some("alpine 3.19"));
        check("debian:bookworm-slim", Some("debian 12"));
        check("debian:12.5", Some("debian 12"));
        check("python:3.12-alpine3.19", Some("alpine 3.19"));
        check("ruby:3.2-bullseye", Some("debian 11"));
        check("golang:1.22", None);
        check("registry.access.redhat.com/ubi9/ubi-minimal:9.3", Some("ubi 9"));
        check("alpine", None);
        check("example.com/base:1", None);
    }
}
