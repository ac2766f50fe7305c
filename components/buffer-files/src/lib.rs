//! Walks the files of a buffer directory.
//!
//! A forwarder writes and deletes chunks while the walk is under way. What vanishes between its listing and its look-up
//! is therefore normal and simply left out; every other failure ends the walk.
//!
//! **Invariants.** Nothing is written; symbolic links are not followed, so a link cannot make a buffer look larger.

use std::fs::{self, DirEntry, Metadata, ReadDir};
use std::io;
use std::path::{Path, PathBuf};

/// Calls `visit` for every regular file in `dir` and everything below it, in no particular order.
///
/// # Errors
/// When `dir` cannot be read, when anything below it cannot be looked at for another reason than having gone, and when
/// `visit` fails.
pub fn walk(dir: &Path, mut visit: impl FnMut(&DirEntry, &Metadata) -> io::Result<()>) -> io::Result<()> {
    let mut pending = list(fs::read_dir(dir)?, &mut visit)?;
    while let Some(dir) = pending.pop() {
        if let Some(entries) = unless_gone(fs::read_dir(dir))? {
            pending.extend(list(entries, &mut visit)?);
        }
    }
    Ok(())
}

/// Visits the files of one directory and returns its subdirectories.
fn list(entries: ReadDir, visit: &mut impl FnMut(&DirEntry, &Metadata) -> io::Result<()>) -> io::Result<Vec<PathBuf>> {
    let mut subdirs = Vec::new();
    for entry in entries {
        let entry = entry?;
        // `DirEntry::metadata` does not follow a symbolic link.
        let Some(metadata) = unless_gone(entry.metadata())? else { continue };
        if metadata.is_dir() {
            subdirs.push(entry.path());
        } else if metadata.is_file() {
            visit(&entry, &metadata)?;
        }
    }
    Ok(subdirs)
}

fn unless_gone<T>(result: io::Result<T>) -> io::Result<Option<T>> {
    match result {
        Ok(value) => Ok(Some(value)),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
        Err(error) => Err(error),
    }
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::symlink;

    use super::*;

    fn names(dir: &Path, mut on_file: impl FnMut(&str)) -> io::Result<Vec<String>> {
        let mut names = Vec::new();
        walk(dir, |entry, _| {
            names.push(entry.file_name().to_string_lossy().into_owned());
            on_file(&names[names.len() - 1]);
            Ok(())
        })?;
        names.sort_unstable();
        Ok(names)
    }

    fn tree() -> tempfile::TempDir {
        let dir = tempfile::tempdir().expect("a temporary directory");
        fs::create_dir_all(dir.path().join("q/r")).expect("the directory is made");
        for path in ["a", "q/b", "q/r/c"] {
            fs::write(dir.path().join(path), "").expect("the file is made");
        }
        dir
    }

    #[test]
    fn files_are_found_at_any_depth_and_links_are_not_followed() {
        let dir = tree();
        symlink("/", dir.path().join("q/link")).expect("the link is made");
        symlink("a", dir.path().join("other")).expect("the link is made");
        assert_eq!(names(dir.path(), |_| {}).expect("the directory is readable"), ["a", "b", "c"]);
    }

    #[test]
    fn what_goes_during_the_walk_is_left_out() {
        let dir = tree();
        let delete = |name: &str| {
            if name == "a" {
                fs::remove_dir_all(dir.path().join("q")).expect("the directory is removed");
            }
        };
        assert_eq!(names(dir.path(), delete).expect("the directory is readable"), ["a"]);
    }

    #[test]
    fn a_missing_directory_and_a_failed_visit_are_errors() {
        let dir = tree();
        let error = walk(&dir.path().join("none"), |_, _| Ok(())).expect_err("it does not exist");
        assert_eq!(error.kind(), io::ErrorKind::NotFound);
        let error = walk(dir.path(), |_, _| Err(io::ErrorKind::Other.into())).expect_err("the visit fails");
        assert_eq!(error.kind(), io::ErrorKind::Other);
    }
}
