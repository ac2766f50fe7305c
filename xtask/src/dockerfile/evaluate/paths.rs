//! Paths of `WORKDIR` and of destinations. Linux and Windows ones, by what they look like.

/// Whether a path needs no folder in front.
pub(super) fn is_absolute(path: &str) -> bool {
    path.starts_with('/') || is_windows(path)
}

/// `C:\x`, `C:/x` or `\x`.
fn is_windows(path: &str) -> bool {
    let drive = path.as_bytes();
    path.starts_with('\\') || drive.len() > 1 && drive[0].is_ascii_alphabetic() && drive[1] == b':'
}

/// A path below a folder, without `.`, `..` and doubled slashes; Windows paths stay as they are written.
pub(super) fn join(folder: &str, path: &str) -> String {
    if is_windows(path) {
        return path.to_owned();
    }
    if is_windows(folder) && !path.starts_with('/') {
        return format!("{}\\{path}", folder.trim_end_matches(['\\', '/']));
    }
    let whole = if path.starts_with('/') { path.to_owned() } else { format!("{folder}/{path}") };
    clean_path(&whole)
}

/// An absolute path without `.`, `..` and doubled `/`; `..` at the top stays there, as in a container.
pub fn clean_path(path: &str) -> String {
    let mut parts = Vec::new();
    for part in path.split('/') {
        match part {
            "" | "." => {}
            ".." => _ = parts.pop(),
            _ => parts.push(part),
        }
    }
    format!("/{}", parts.join("/"))
}

/// Whether a destination is a folder for sure.
pub(super) fn is_folder(path: &str) -> bool {
    path.ends_with(['/', '\\']) || path == "." || path.ends_with("/.") || path.ends_with("/..") || path == ".."
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn paths_are_joined_as_docker_joins_them() {
        for (folder, path, expected) in [
            ("/", "a", "/a"),
            ("/a", "../b/./c/", "/b/c"),
            ("/a", "/x//y", "/x/y"),
            ("/", "../..", "/"),
            ("/a", "C:\\x", "C:\\x"),
            ("C:\\x\\", "y", "C:\\x\\y"),
        ] {
            assert_eq!(join(folder, path), expected);
        }
    }

    #[test]
    fn paths_are_cleaned() {
        let check = |path: &str, expect: &str| assert_eq!(clean_path(path), expect, "{path}");
        check("/a//b/./c/", "/a/b/c");
        check("/", "/");
        check("/../../etc", "/etc");
        check("/a/../b", "/b");
        check("a", "/a");
    }
}
