//! Whether a path stays below the workspace, links followed.
//!
//! Nearly every path has no link in it. That is seen by looking at its steps one by one, and neighbours share all of them but
//! the last: [`Inside`] remembers folders that are none, for as long as one look at the workspace takes. Only paths that
//! hold a link, or are not written plainly, are followed from the top of the file system.

use std::collections::BTreeSet;
use std::fs::{File, Metadata, OpenOptions};
use std::io;
use std::sync::{PoisonError, RwLock};

use camino::{Utf8Component, Utf8Path, Utf8PathBuf};

use crate::diagnostic::Diagnostic;

/// A path that leaves the workspace.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Outside {
    /// Where it leads.
    pub(super) target: Utf8PathBuf,
}

/// The diagnostic for a path that leaves the workspace.
pub(super) fn outside_diagnostic(path: &Utf8Path, outside: &Outside) -> Diagnostic {
    Diagnostic::error("outside-workspace", format!("{path} leads out of the workspace, to {}", outside.target))
        .help("files of a build must be inside the folder of groupage.toml; copy them, or move groupage.toml up")
}

/// One look at a workspace, whose root is canonical. All paths are relative to it.
#[derive(Debug)]
pub(super) struct Inside<'a> {
    pub(super) root: &'a Utf8Path,
    /// Folders that are no links, and are below none.
    plain: RwLock<BTreeSet<String>>,
}

impl<'a> Inside<'a> {
    pub(super) fn new(root: &'a Utf8Path) -> Self {
        Self { root, plain: RwLock::default() }
    }

    /// Follows all links of an existing path and checks that it stays below the root.
    pub(super) fn check(&self, path: &Utf8Path) -> Result<(), Outside> {
        if self.plain(path).is_some() {
            return Ok(());
        }
        let absolute = self.root.join(path);
        match absolute.canonicalize_utf8() {
            Ok(target) if target.starts_with(self.root) => Ok(()),
            Ok(target) => Err(Outside { target }),
            // what does not exist is reported by whoever reads it; a dangling link is judged by where it points to
            Err(_) => {
                match fs_err::read_link(&absolute).ok().and_then(|target| Utf8PathBuf::from_path_buf(target).ok()) {
                    Some(target) if !stays_below(absolute.strip_prefix(self.root).unwrap_or(&absolute), &target) => {
                        Err(Outside { target })
                    }
                    _ => Ok(()),
                }
            }
        }
    }

    /// What the file system says of a path that has no link in it; `None` for all others.
    pub(super) fn plain(&self, path: &Utf8Path) -> Option<Metadata> {
        if !self.is_below_plain(path) {
            return None;
        }
        self.root.join(path).symlink_metadata().ok().filter(|metadata| !metadata.is_symlink())
    }

    /// Opens a path that has no link in it; `None` for all others, and for what cannot be opened.
    #[cfg(unix)]
    pub(super) fn open_plain(&self, path: &Utf8Path) -> Option<File> {
        if !self.is_below_plain(path) {
            return None;
        }
        open(&self.root.join(path), Links::Refused).ok()
    }

    /// Without a way to open a file and not what a link points to, no path counts as plain.
    #[cfg(not(unix))]
    pub(super) fn open_plain(&self, _path: &Utf8Path) -> Option<File> {
        None
    }

    /// Remembers what a listing of `folder` says: that the entry of this name is a folder, and no link.
    pub(super) fn keep(&self, folder: &Utf8Path, name: &str) {
        let path = folder.join(name);
        if self.is_below_plain(&path) {
            self.insert(path.into_string());
        }
    }

    /// Whether every step but the last is there, and no link.
    fn is_below_plain(&self, path: &Utf8Path) -> bool {
        let is_plainly_written = path.components().all(|part| matches!(part, Utf8Component::Normal(_)));
        is_plainly_written && path.parent().is_some_and(|folder| self.is_plain_folder(folder))
    }

    fn is_plain_folder(&self, folder: &Utf8Path) -> bool {
        if folder.as_str().is_empty() || self.is_known(folder) {
            return true;
        }
        let is_below_plain = folder.parent().is_none_or(|above| self.is_plain_folder(above));
        let is_plain = is_below_plain && self.root.join(folder).symlink_metadata().is_ok_and(|found| found.is_dir());
        if is_plain {
            self.insert(folder.to_string());
        }
        is_plain
    }

    fn is_known(&self, folder: &Utf8Path) -> bool {
        self.plain.read().unwrap_or_else(PoisonError::into_inner).contains(folder.as_str())
    }

    fn insert(&self, folder: String) {
        self.plain.write().unwrap_or_else(PoisonError::into_inner).insert(folder);
    }
}

/// [`Inside::check`] for one path.
pub(super) fn inside(root: &Utf8Path, path: &Utf8Path) -> Result<(), Outside> {
    Inside::new(root).check(path)
}

/// Whether links are followed at the last step of a path.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Links {
    Followed,
    Refused,
}

/// Opens a file for reading. A pipe that stands at the path is not waited for.
pub(super) fn open(path: &Utf8Path, links: Links) -> io::Result<File> {
    let mut options = OpenOptions::new();
    options.read(true);
    #[cfg(unix)]
    {
        use std::os::unix::fs::OpenOptionsExt as _;
        let no_wait = rustix::fs::OFlags::NONBLOCK;
        let flags = if links == Links::Followed { no_wait } else { no_wait | rustix::fs::OFlags::NOFOLLOW };
        options.custom_flags(flags.bits().cast_signed());
    }
    #[cfg(not(unix))]
    let _ = links;
    options.open(path)
}

/// Whether a relative link at `at` (relative to the root) stays below the root, judged by its text alone.
pub(super) fn stays_below(at: &Utf8Path, target: &Utf8Path) -> bool {
    let mut depth = at.components().count().saturating_sub(1);
    for part in target.components() {
        match part {
            Utf8Component::Normal(_) => depth += 1,
            Utf8Component::CurDir => {}
            Utf8Component::ParentDir if depth > 0 => depth -= 1,
            _ => return false,
        }
    }
    true
}

#[cfg(test)]
#[cfg(unix)]
mod tests {
    use std::fs;
    use std::os::unix::fs::symlink;

    use super::*;

    /// What a path is found to be, the first time and when its steps are known.
    fn check(root: &Utf8Path, path: &str, is_plain: bool, leads_to: Option<&str>) {
        let inside = Inside::new(root);
        for _ in 0..2 {
            assert_eq!(inside.plain(path.into()).is_some(), is_plain, "{path}");
            assert_eq!(inside.open_plain(path.into()).is_some(), is_plain, "{path}");
            let outside = inside.check(path.into()).err().map(|outside| outside.target.to_string());
            assert_eq!(outside.as_deref(), leads_to, "{path}");
        }
    }

    #[test]
    fn only_paths_without_links_are_plain() {
        let folder = tempfile::tempdir().unwrap();
        let top = Utf8Path::from_path(folder.path()).unwrap().canonicalize_utf8().unwrap();
        let root = top.join("root");
        fs::create_dir_all(root.join("a/b")).unwrap();
        fs::create_dir_all(top.join("out")).unwrap();
        for file in ["root/a/b/file", "out/file"] {
            fs::write(top.join(file), "").unwrap();
        }
        symlink("b", root.join("a/within")).unwrap();
        symlink("../../out", root.join("a/out")).unwrap();
        symlink("b/file", root.join("a/link")).unwrap();
        symlink("../../out/file", root.join("a/leak")).unwrap();
        symlink("/nowhere", root.join("a/dangling")).unwrap();
        check(&root, "a/b/file", true, None);
        check(&root, "a/b", true, None);
        check(&root, "a/within/file", false, None);
        check(&root, "a/link", false, None);
        check(&root, "a/./b/../b/file", false, None);
        check(&root, "a/b/none", false, None);
        check(&root, "a/b/file/below", false, None);
        let (out, file) = (top.join("out"), top.join("out/file"));
        check(&root, "a/out", false, Some(out.as_str()));
        check(&root, "a/out/file", false, Some(file.as_str()));
        check(&root, "a/leak", false, Some(file.as_str()));
        check(&root, "../out/file", false, Some(file.as_str()));
        check(&root, "a/dangling", false, Some("/nowhere"));
        check(&root, file.as_str(), false, Some(file.as_str()));
    }

    #[test]
    fn what_a_listing_says_counts_below_plain_folders_only() {
        let folder = tempfile::tempdir().unwrap();
        let root = Utf8Path::from_path(folder.path()).unwrap().canonicalize_utf8().unwrap();
        fs::create_dir_all(root.join("a/b")).unwrap();
        symlink("a", root.join("link")).unwrap();
        let inside = Inside::new(&root);
        inside.keep("a".into(), "b");
        inside.keep("link".into(), "b");
        inside.keep("a/..".into(), "a");
        let known: Vec<String> = inside.plain.into_inner().unwrap().into_iter().collect();
        assert_eq!(known, ["a", "a/b"]);
    }
}
