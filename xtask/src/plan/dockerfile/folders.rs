//! Where copies of a Dockerfile go: into which folder of the image, and by way of which numbered folder of the component's
//! stage.
//!
//! A stage that begins with `scratch` has no folders, and Docker copies a file to `/usr/bin` as the file `bin` there, while in
//! the image it lands in the folder. So each copy goes into a numbered folder of the stage, as what comes from manifests does,
//! and from there into its folder of the image; which keeps what the image has there, links instead of folders among it.
//!
//! | destination | source | goes to |
//! |---|---|---|
//! | ends with `/`, or is a folder that is known | any | that folder |
//! | another one | several, or a folder of the context | that folder |
//! | another one | a file of the context | the folder above, under its name |
//! | another one | one path of a stage or image | the folder above, under its name: a file or a folder there |
//!
//! Known folders are those that earlier lines made, and, on any base but `scratch`, those that the Filesystem Hierarchy
//! Standard names. <https://refspecs.linuxfoundation.org/FHS_3.0/fhs/index.html>

use std::collections::BTreeSet;

/// Folders that nearly every image has.
const USUAL: &[&str] = &[
    "/bin",
    "/boot",
    "/dev",
    "/etc",
    "/home",
    "/lib",
    "/lib64",
    "/media",
    "/mnt",
    "/opt",
    "/proc",
    "/root",
    "/run",
    "/sbin",
    "/srv",
    "/sys",
    "/tmp",
    "/usr",
    "/usr/bin",
    "/usr/include",
    "/usr/lib",
    "/usr/lib64",
    "/usr/libexec",
    "/usr/local",
    "/usr/local/bin",
    "/usr/local/etc",
    "/usr/local/include",
    "/usr/local/lib",
    "/usr/local/libexec",
    "/usr/local/sbin",
    "/usr/local/share",
    "/usr/sbin",
    "/usr/share",
    "/var",
    "/var/cache",
    "/var/lib",
    "/var/log",
    "/var/run",
    "/var/spool",
    "/var/tmp",
];

/// Folders that are there when a line runs.
#[derive(Debug)]
pub(super) struct Known {
    made: BTreeSet<String>,
    has_usual: bool,
}

impl Known {
    /// Those of a base; `scratch` has none.
    pub(super) fn of_base(is_scratch: bool) -> Self {
        Self { made: BTreeSet::new(), has_usual: !is_scratch }
    }

    /// Whether a clean absolute path is a folder for sure.
    pub(super) fn has(&self, path: &str) -> bool {
        path == "/" || self.made.contains(path) || (self.has_usual && USUAL.contains(&path))
    }

    /// Notes that a folder is there, and all above it.
    pub(super) fn add(&mut self, folder: &str) {
        let mut folder = folder;
        while folder.len() > 1 && self.made.insert(folder.to_owned()) {
            folder = above(folder);
        }
    }
}

/// The folder above a clean absolute path.
pub(super) fn above(path: &str) -> &str {
    match path.rfind('/') {
        Some(0) | None => "/",
        Some(end) => &path[..end],
    }
}

/// The last part of a clean path.
pub(super) fn name(path: &str) -> &str {
    path.rsplit('/').next().unwrap_or_default()
}

/// The numbered folders of a stage. Each holds what goes into one folder of the image for one owner.
#[derive(Debug, Default)]
pub(super) struct Numbered {
    folders: Vec<(String, Option<String>)>,
    /// Those before it are closed: something ran in the image since.
    open: usize,
}

impl Numbered {
    /// The number of a folder. An earlier one is taken again unless the order of the copies could be seen.
    pub(super) fn number(&mut self, folder: &str, owner: Option<&str>) -> usize {
        let same = |own: &(String, Option<String>)| own.0 == folder && own.1.as_deref() == owner;
        let known = self.folders.iter().rposition(same).filter(|at| *at >= self.open);
        let is_free = |at: usize| !self.folders[at + 1..].iter().any(|(later, _)| meet(later, folder));
        if let Some(at) = known.filter(|at| is_free(*at)) {
            return at;
        }
        self.folders.push((folder.to_owned(), owner.map(str::to_owned)));
        self.folders.len() - 1
    }

    /// What is copied from now on comes after something else.
    pub(super) fn close(&mut self) {
        self.open = self.folders.len();
    }
}

/// Whether one folder is, or is below, the other.
fn meet(one: &str, other: &str) -> bool {
    let below = |path: &str, folder: &str| {
        path.strip_prefix(folder).is_some_and(|rest| rest.is_empty() || rest.starts_with('/') || folder == "/")
    };
    below(one, other) || below(other, one)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn folders_are_known() {
        let mut known = Known::of_base(false);
        known.add("/app/data");
        for folder in ["/", "/app", "/app/data", "/usr/local/bin", "/etc"] {
            assert!(known.has(folder), "{folder}");
        }
        for path in ["/app/x", "/usr/local/bin/x", "/runner"] {
            assert!(!known.has(path), "{path}");
        }
        assert!(!Known::of_base(true).has("/etc"));
    }

    #[test]
    fn numbers_keep_the_order_where_it_counts() {
        let check = |folders: &[&str], expect: &[usize]| {
            let mut numbered = Numbered::default();
            let seen: Vec<usize> = folders
                .iter()
                .filter_map(|folder| match *folder {
                    "|" => {
                        numbered.close();
                        None
                    }
                    folder => Some(numbered.number(folder, None)),
                })
                .collect();
            assert_eq!(seen, expect, "{folders:?}");
        };
        check(&["/a", "/b", "/a"], &[0, 1, 0]);
        check(&["/a", "/a/b", "/a"], &[0, 1, 2]);
        check(&["/a/b", "/a", "/a/b"], &[0, 1, 2]);
        check(&["/a", "/ab", "/a"], &[0, 1, 0]);
        check(&["/", "/a", "/"], &[0, 1, 2]);
        check(&["/a", "|", "/a", "/a"], &[0, 1, 1]);
        let mut numbered = Numbered::default();
        assert_eq!(
            [numbered.number("/a", None), numbered.number("/a", Some("1:1")), numbered.number("/a", None)],
            [0, 1, 2]
        );
    }
}
