//! What the restore directory shows at one moment.

use std::ffi::OsStr;
use std::fs;
use std::io;
use std::path::Path;

/// The volumes that are restored and those that are not yet, each sorted by name.
#[derive(Debug, Default, PartialEq)]
pub(crate) struct Progress {
    pub(crate) restored: Vec<String>,
    pub(crate) waiting: Vec<String>,
}

impl Progress {
    pub(crate) fn volumes(&self) -> usize {
        self.restored.len() + self.waiting.len()
    }

    pub(crate) fn is_done(&self) -> bool {
        self.waiting.is_empty()
    }
}

/// Looks for the marker of `id` in every volume. Only real directories are volumes; files and links are passed over.
///
/// # Errors
/// When the directory cannot be listed, or a marker cannot be looked for.
pub(crate) fn look(dir: &Path, id: &OsStr) -> io::Result<Progress> {
    let mut progress = Progress::default();
    for entry in fs::read_dir(dir)? {
        let entry = entry?;
        if !entry.file_type()?.is_dir() {
            continue;
        }
        let volume = entry.file_name().to_string_lossy().into_owned();
        match entry.path().join(".velero").join(id).try_exists()? {
            true => progress.restored.push(volume),
            false => progress.waiting.push(volume),
        }
    }
    progress.restored.sort();
    progress.waiting.sort();
    Ok(progress)
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::symlink;

    use super::*;

    /// `paths` ending in `/` are made as directories, the others as files.
    fn check(paths: &[&str], restored: &[&str], waiting: &[&str]) {
        let dir = tempfile::tempdir().expect("a temporary directory");
        for path in paths {
            let target = dir.path().join(path);
            let parent = if path.ends_with('/') { &*target } else { target.parent().expect("it has one") };
            fs::create_dir_all(parent).expect("the directory is made");
            if !path.ends_with('/') {
                fs::write(&target, "").expect("the file is made");
            }
        }
        symlink("/", dir.path().join("link")).expect("the link is made");
        let progress = look(dir.path(), OsStr::new("id")).expect("the directory is readable");
        assert_eq!((&*progress.restored, &*progress.waiting), (&*owned(restored), &*owned(waiting)), "{paths:?}");
    }

    fn owned(names: &[&str]) -> Vec<String> {
        names.iter().map(ToString::to_string).collect()
    }

    #[test]
    fn a_volume_is_restored_when_its_marker_exists() {
        check(&[], &[], &[]);
        check(&["data/"], &[], &["data"]);
        check(&["data/.velero/id"], &["data"], &[]);
        check(&["data/.velero/other"], &[], &["data"]);
        check(&["b/.velero/id", "a/.velero/id", "d/", "c/.velero/"], &["a", "b"], &["c", "d"]);
        check(&["file", "data/.velero/id"], &["data"], &[]);
    }

    #[test]
    fn a_missing_directory_is_an_error() {
        let dir = tempfile::tempdir().expect("a temporary directory");
        let error = look(&dir.path().join("none"), OsStr::new("id")).expect_err("it does not exist");
        assert_eq!(error.kind(), io::ErrorKind::NotFound);
    }
}
