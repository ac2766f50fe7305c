//! What the buffer directories hold at one moment.

use std::fs::{DirEntry, Metadata};
use std::io;
use std::path::PathBuf;

use crate::pattern::Pattern;

/// The data that is left.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub(crate) struct Data {
    pub(crate) files: u64,
    pub(crate) bytes: u64,
}

/// A directory that could not be read, and why.
#[derive(Debug)]
pub(crate) struct Unreadable {
    pub(crate) dir: PathBuf,
    pub(crate) cause: io::Error,
}

/// Adds up the data in all directories, recursively; links are not followed.
///
/// # Errors
/// When any of them, or anything below, cannot be read for another reason than having just been deleted.
pub(crate) fn look(dirs: &[PathBuf], ignore: &[Pattern]) -> Result<Data, Unreadable> {
    let mut data = Data::default();
    for dir in dirs {
        let add = |entry: &DirEntry, metadata: &Metadata| {
            if metadata.len() > 0 && !is_ignored(entry, ignore) {
                data.files += 1;
                data.bytes += metadata.len();
            }
            Ok(())
        };
        buffer_files::walk(dir, add).map_err(|cause| Unreadable { dir: dir.clone(), cause })?;
    }
    Ok(data)
}

fn is_ignored(entry: &DirEntry, ignore: &[Pattern]) -> bool {
    let name = entry.file_name();
    let name = name.to_string_lossy();
    ignore.iter().any(|pattern| pattern.matches(&name))
}

#[cfg(test)]
mod tests {
    use std::fs;
    use std::os::unix::fs::symlink;

    use super::*;

    fn check(files: &[(&str, &str)], expected_files: u64, expected_bytes: u64) {
        let dir = tempfile::tempdir().expect("a temporary directory");
        for (path, content) in files {
            let path = dir.path().join(path);
            fs::create_dir_all(path.parent().expect("it has one")).expect("the directory is made");
            fs::write(path, content).expect("the file is made");
        }
        symlink(std::env::current_exe().expect("this test is a file"), dir.path().join("link")).expect("a link");
        let ignore = [Pattern::new("*.lock").expect("a pattern")];
        let data = look(&[dir.path().to_owned()], &ignore).expect("the directory is readable");
        assert_eq!(data, Data { files: expected_files, bytes: expected_bytes }, "{files:?}");
    }

    #[test]
    fn data_is_a_file_with_a_byte_in_it() {
        check(&[], 0, 0);
        check(&[("empty", ""), ("q/empty", "")], 0, 0);
        check(&[("a", "12"), ("q/r/b", "345")], 2, 5);
        check(&[("a.lock", "1"), ("q/b.lock", "2"), ("c.locks", "3")], 1, 1);
    }

    #[test]
    fn what_cannot_be_read_is_named() {
        let dir = tempfile::tempdir().expect("a temporary directory");
        let dirs = [dir.path().to_owned(), dir.path().join("none")];
        let error = look(&dirs, &[]).expect_err("one of them is missing");
        assert_eq!((error.dir, error.cause.kind()), (dirs[1].clone(), io::ErrorKind::NotFound));
    }
}
