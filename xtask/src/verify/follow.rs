//! Where a path of an image leads to, and why it leads nowhere, in words that go behind the path.

use crate::oci::{Attributes, Node, ResolveError, Rootfs, Source};

/// The file that a path leads to, all links followed: its own path, absolute, and what is known of it.
///
/// # Errors
/// Why there is none, in words.
pub(super) fn file(rootfs: &Rootfs, path: &str) -> Result<(String, Attributes, Source), String> {
    let real = real(rootfs, path)?;
    match rootfs.get(&real) {
        Some(Node::File(own, source)) => Ok((real, own, source)),
        Some(Node::Folder(_)) => Err(with_way(path, &real, "is a folder")),
        Some(Node::Special(_)) => Err(with_way(path, &real, "is a device or a pipe")),
        Some(Node::Link(..)) => Err("leads through links in a circle".to_owned()),
        None => Err(match rootfs.get(path) {
            Some(Node::Link(_, target)) => format!("is a link to {target}, and {real} is not in the image"),
            _ => with_way(path, &real, "is not in the image"),
        }),
    }
}

/// The path without links, absolute; of what is not there, too.
///
/// # Errors
/// Links in a circle, or a file in the way.
pub(super) fn real(rootfs: &Rootfs, path: &str) -> Result<String, String> {
    match rootfs.resolve(path) {
        Ok(real) => Ok(format!("/{real}")),
        Err(ResolveError::Loop(_)) => Err("leads through links in a circle".to_owned()),
        Err(ResolveError::NotAFolder(at)) => Err(format!("is below /{at}, which is not a folder")),
        Err(ResolveError::TooLong(_)) => Err("leads to a path that is too long".to_owned()),
    }
}

/// The path of something itself: the folder without links, the name as it is.
pub(super) fn own(rootfs: &Rootfs, path: &str) -> Option<String> {
    let (folder, name) = path.trim_end_matches('/').rsplit_once('/')?;
    let folder = rootfs.resolve(folder).ok()?;
    Some(if folder.is_empty() { format!("/{name}") } else { format!("/{folder}/{name}") })
}

/// Whether a link, taken by its words, climbs above the root: it leads somewhere else outside of a container.
pub(super) fn leaves(at: &str, target: &str) -> bool {
    let above = at.split('/').filter(|segment| !segment.is_empty()).count().saturating_sub(1);
    let mut depth = if target.starts_with('/') { 0 } else { above };
    for segment in target.split('/') {
        match segment {
            "" | "." => {}
            ".." if depth == 0 => return true,
            ".." => depth -= 1,
            _ => depth += 1,
        }
    }
    false
}

fn with_way(path: &str, real: &str, what: &str) -> String {
    if path == real { what.to_owned() } else { format!("leads to {real}, which {what}") }
}

#[cfg(test)]
mod tests {
    use super::leaves;

    #[test]
    fn links_that_climb_out() {
        let check = |at: &str, target: &str, expect: bool| assert_eq!(leaves(at, target), expect, "{at} → {target}");
        check("/a", "usr/bin/a", false);
        check("/usr/bin/a", "../lib/a", false);
        check("/usr/bin/a", "../../a", false);
        check("/usr/bin/a", "../../../a", true);
        check("/a", "../a", true);
        check("/a", "/usr/../../a", true);
        check("/a", "b/../../c", true);
        check("/a", "/b", false);
    }
}
