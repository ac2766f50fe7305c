//! The visible content of the watched directories at one moment, as hashes.
//!
//! Hashes stay inside the process and guard against accidents, not attacks, so the hasher of the standard library is
//! enough. Links are followed, since every file of a ConfigMap mount is one.

use std::collections::BTreeMap;
use std::fs::{self, File};
use std::hash::{DefaultHasher, Hasher as _};
use std::io::{self, Read as _};
use std::os::unix::ffi::OsStrExt as _;
use std::os::unix::fs::MetadataExt as _;
use std::path::{Path, PathBuf};

/// What is at a path.
#[derive(Clone, Debug, PartialEq)]
enum Content {
    File(u64),
    /// Something is there that cannot be read. The reason belongs to the state: it may be what changes.
    Unreadable(io::ErrorKind),
}

/// Every visible file with its content.
#[derive(Clone, Debug, Default, PartialEq)]
pub(crate) struct Snapshot {
    files: BTreeMap<PathBuf, Content>,
}

impl Snapshot {
    /// Reads all visible files below the directories.
    pub(crate) fn take(dirs: &[PathBuf]) -> Self {
        let mut snapshot = Snapshot::default();
        for dir in dirs {
            snapshot.visit(dir, &mut Vec::new());
        }
        snapshot
    }

    /// The differences to a later snapshot, one readable line each, sorted by path.
    pub(crate) fn changes(&self, later: &Snapshot) -> Vec<String> {
        let mut changes = BTreeMap::new();
        for (path, content) in &later.files {
            let what = match self.files.get(path) {
                Some(before) if before == content => continue,
                _ if matches!(content, Content::Unreadable(_)) => "unreadable",
                Some(_) => "changed",
                None => "added",
            };
            changes.insert(path, what);
        }
        for path in self.files.keys().filter(|path| !later.files.contains_key(*path)) {
            changes.insert(path, "removed");
        }
        changes.into_iter().map(|(path, what)| format!("{what} {}", path.display())).collect()
    }

    /// Adds `path`, whatever it is. `above` holds the directories on the way to it, so that a link to one of them ends
    /// the descent instead of repeating it.
    fn visit(&mut self, path: &Path, above: &mut Vec<(u64, u64)>) {
        match self.try_visit(path, above) {
            // Deleted between its listing and now: not there, as if it had been deleted before.
            Err(error) if error.kind() == io::ErrorKind::NotFound && !above.is_empty() => {}
            Err(error) => drop(self.files.insert(path.to_owned(), Content::Unreadable(error.kind()))),
            Ok(()) => {}
        }
    }

    fn try_visit(&mut self, path: &Path, above: &mut Vec<(u64, u64)>) -> io::Result<()> {
        let metadata = fs::metadata(path)?;
        let identity = (metadata.dev(), metadata.ino());
        if metadata.is_file() {
            self.files.insert(path.to_owned(), Content::File(hash(path)?));
        } else if metadata.is_dir() && !above.contains(&identity) {
            above.push(identity);
            for entry in fs::read_dir(path)?.filter_map(Result::ok) {
                if !entry.file_name().as_bytes().starts_with(b"..") {
                    self.visit(&entry.path(), above);
                }
            }
            above.pop();
        }
        // Anything else (a socket, a pipe) has no content, and reading it could block.
        Ok(())
    }
}

fn hash(path: &Path) -> io::Result<u64> {
    let mut file = File::open(path)?;
    let mut hasher = DefaultHasher::new();
    let mut chunk = vec![0; 64 * 1024];
    loop {
        match file.read(&mut chunk)? {
            0 => return Ok(hasher.finish()),
            count => hasher.write(&chunk[..count]),
        }
    }
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::symlink;

    use super::*;

    /// Takes snapshots of one directory before and after `change`; paths in the result are relative to it.
    fn check(change: impl FnOnce(&Path), expected: &[&str]) {
        let dir = tempfile::tempdir().expect("a temporary directory");
        let path = dir.path();
        for name in ["..v1", "..v2", "sub"] {
            fs::create_dir(path.join(name)).expect("a directory");
        }
        fs::write(path.join("..v1/app.conf"), "one").expect("a file");
        fs::write(path.join("..v2/app.conf"), "two").expect("a file");
        fs::write(path.join("plain.conf"), "plain").expect("a file");
        fs::write(path.join("sub/.hidden"), "hidden").expect("a file");
        symlink("..v1", path.join("..data")).expect("a link");
        symlink("..data/app.conf", path.join("app.conf")).expect("a link");
        symlink("..", path.join("sub/loop")).expect("a link");

        let before = Snapshot::take(&[path.to_owned()]);
        change(path);
        let after = Snapshot::take(&[path.to_owned()]);
        let prefix = format!("{}/", path.display());
        let changes: Vec<_> = before.changes(&after).iter().map(|line| line.replace(&prefix, "")).collect();
        assert_eq!(changes, expected);
    }

    fn swap(path: &Path, to: &str) {
        symlink(to, path.join("..data_tmp")).expect("a link");
        fs::rename(path.join("..data_tmp"), path.join("..data")).expect("the link is renamed");
    }

    #[test]
    fn only_visible_content_counts() {
        check(|_| {}, &[]);
        check(|path| fs::write(path.join("plain.conf"), "plain").expect("a file"), &[]);
        check(|path| fs::write(path.join("..v2/other"), "x").expect("a file"), &[]);
        check(|path| fs::write(path.join("plain.conf"), "x").expect("a file"), &["changed plain.conf"]);
        check(|path| fs::write(path.join("sub/.hidden"), "x").expect("a file"), &["changed sub/.hidden"]);
        check(|path| fs::write(path.join("new"), "").expect("a file"), &["added new"]);
        check(|path| fs::remove_file(path.join("plain.conf")).expect("it is removed"), &["removed plain.conf"]);
    }

    #[test]
    fn a_swap_counts_when_the_content_differs() {
        check(|path| swap(path, "..v2"), &["changed app.conf"]);
        check(|path| swap(path, "..v1"), &[]);
        check(|path| swap(path, "..v3"), &["removed app.conf"]);
    }

    #[test]
    fn a_directory_that_goes_is_a_change() {
        let expected =
            |path: &Path| vec![format!("removed {}/a", path.display()), format!("unreadable {}", path.display())];
        let dir = tempfile::tempdir().expect("a temporary directory");
        let inner = dir.path().join("inner");
        fs::create_dir(&inner).expect("a directory");
        fs::write(inner.join("a"), "x").expect("a file");
        let before = Snapshot::take(std::slice::from_ref(&inner));
        fs::remove_dir_all(&inner).expect("it is removed");
        let mut changes = before.changes(&Snapshot::take(std::slice::from_ref(&inner)));
        changes.sort();
        assert_eq!(changes, expected(&inner));
    }
}
