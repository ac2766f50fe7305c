//! Names of components: from the folder or file of a Dockerfile, or the repository of an image; made to fit, made unique.

use std::collections::BTreeSet;

use camino::Utf8Path;

/// Longest name, in bytes, as in [`crate::manifest::ComponentName`].
const LONGEST: usize = 63;

/// Folders that say nothing of what is in them.
const EMPTY_WORDS: [&str; 14] = [
    "",
    ".",
    "build",
    "cmd",
    "container",
    "containers",
    "contrib",
    "deploy",
    "docker",
    "dockerfiles",
    "hack",
    "image",
    "images",
    "package",
];

/// What a Dockerfile at a path makes: `Dockerfile.NAME` and `NAME.Dockerfile` by their own name, others by the nearest folder
/// whose name says something; `root` names what lies at the top.
pub fn of_dockerfile(path: &str, root: &str) -> String {
    let path = Utf8Path::new(path);
    let file = path.file_name().unwrap_or_default();
    let own = own_part(file);
    let folders = path.parent().into_iter().flat_map(Utf8Path::ancestors).filter_map(Utf8Path::file_name);
    let says_something = |name: &&str| !EMPTY_WORDS.contains(&name.to_ascii_lowercase().as_str());
    let folder = || folders.clone().find(says_something).unwrap_or(root);
    plain(&own.map_or_else(|| folder().to_owned(), str::to_owned))
}

/// What an image is called in its repository.
pub fn of_image(reference: &str) -> String {
    let name = reference.split('@').next().unwrap_or(reference);
    let transports = ["docker-daemon:", "docker-archive:", "oci-archive:", "oci:", "docker://"];
    let name = transports.iter().find_map(|transport| name.strip_prefix(transport)).unwrap_or(name);
    let last = name.trim_end_matches('/').rsplit('/').next().unwrap_or(name);
    let last = last.strip_suffix(".tar").unwrap_or(last);
    plain(last.split(':').next().unwrap_or(last))
}

/// `Dockerfile.NAME`, `Containerfile.NAME`, `NAME.Dockerfile`, `NAME.dockerfile`.
fn own_part(file: &str) -> Option<&str> {
    let after = ["Dockerfile.", "Containerfile.", "Dockerfile-", "dockerfile."];
    let before = [".Dockerfile", ".dockerfile", ".Containerfile"];
    let own = after.iter().find_map(|start| file.strip_prefix(start));
    own.or_else(|| before.iter().find_map(|end| file.strip_suffix(end))).filter(|own| !own.is_empty())
}

/// Lowercase letters, digits and single `-`, at most [`LONGEST`]; `component` when nothing is left.
fn plain(text: &str) -> String {
    let mut name = String::new();
    for letter in text.chars() {
        match letter.to_ascii_lowercase() {
            letter @ ('a'..='z' | '0'..='9') => name.push(letter),
            _ if !name.is_empty() && !name.ends_with('-') => name.push('-'),
            _ => {}
        }
    }
    name.truncate(LONGEST);
    let name = name.trim_end_matches('-');
    if name.is_empty() { "component".to_owned() } else { name.to_owned() }
}

/// The name, or the first one of `name-2`, `name-3`, … that nobody has.
pub fn unique(name: &str, taken: &mut BTreeSet<String>) -> String {
    let mut found = name.to_owned();
    let mut number = 2_u32;
    while !taken.insert(found.clone()) {
        let end = format!("-{number}");
        found = format!("{}{end}", name.get(..LONGEST - end.len()).unwrap_or(name).trim_end_matches('-'));
        number += 1;
    }
    found
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn dockerfiles() {
        for (path, expect) in [
            ("Dockerfile", "repo"),
            ("config-reloader/Dockerfile", "config-reloader"),
            ("images/Fluentd_Drain.Watch/Dockerfile", "fluentd-drain-watch"),
            ("cmd/agent/docker/Dockerfile", "agent"),
            ("Dockerfile.worker", "worker"),
            ("build/api.Dockerfile", "api"),
            ("docker/Dockerfile", "repo"),
            ("a/Containerfile", "a"),
            ("äöü/Dockerfile", "component"),
        ] {
            assert_eq!(of_dockerfile(path, "repo"), expect, "{path}");
        }
    }

    #[test]
    fn images() {
        for (reference, expect) in [
            ("ghcr.io/example/Config:1.2", "config"),
            ("localhost:5000/a", "a"),
            ("docker-daemon:x/y:1", "y"),
            ("oci:layouts/reloader", "reloader"),
            ("docker-daemon:reloader:1", "reloader"),
            ("docker-archive:out/reloader.tar", "reloader"),
            ("busybox", "busybox"),
            ("example/x@sha256:00", "x"),
        ] {
            assert_eq!(of_image(&reference.to_ascii_lowercase()), expect, "{reference}");
        }
    }

    #[test]
    fn nobody_shares_a_name() {
        let mut taken = BTreeSet::new();
        assert_eq!(unique("a", &mut taken), "a");
        assert_eq!(unique("a", &mut taken), "a-2");
        assert_eq!(unique("a", &mut taken), "a-3");
        let long = "x".repeat(63);
        assert_eq!(unique(&long, &mut taken).len(), 63);
        let second = unique(&long, &mut taken);
        assert!(second.len() == 63 && second.ends_with("-2"), "{second}");
    }
}
