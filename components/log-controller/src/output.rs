//! Writes the rendered file so that a reader sees the old or the new one, never a part.

use std::ffi::OsString;
use std::fs::{self, File, OpenOptions};
use std::io::{self, Write as _};
use std::path::Path;

/// Whether the file had to be written.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) enum Written {
    New,
    Unchanged,
}

/// Puts `text` into the file by way of a temporary file beside it, unless it is there already.
///
/// # Errors
/// When any step fails; the file is then as it was.
pub(crate) fn write(path: &Path, text: &str) -> io::Result<Written> {
    if fs::read(path).is_ok_and(|present| present == text.as_bytes()) {
        return Ok(Written::Unchanged);
    }
    let temporary = path.with_file_name(temporary_name(path)?);
    let result = write_synced(&temporary, text).and_then(|()| fs::rename(&temporary, path));
    if result.is_err() {
        let _ = fs::remove_file(&temporary);
    }
    result?;
    sync_directory(path)?;
    Ok(Written::New)
}

/// Hidden, and with the process id: two controllers do not write into one temporary file.
fn temporary_name(path: &Path) -> io::Result<OsString> {
    let name = path.file_name().ok_or_else(|| io::Error::new(io::ErrorKind::InvalidInput, "this is no file name"))?;
    let mut temporary = OsString::from(".");
    temporary.push(name);
    temporary.push(format!(".{}.tmp", std::process::id()));
    Ok(temporary)
}

/// `create_new` does not follow a link that somebody has put there; what an earlier run left behind is removed first.
fn write_synced(path: &Path, text: &str) -> io::Result<()> {
    match fs::remove_file(path) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
        _ => {}
    }
    let mut file = OpenOptions::new().write(true).create_new(true).open(path)?;
    file.write_all(text.as_bytes())?;
    file.sync_all()
}

/// Makes the rename itself last.
fn sync_directory(path: &Path) -> io::Result<()> {
    match path.parent() {
        Some(parent) if !parent.as_os_str().is_empty() => File::open(parent)?.sync_all(),
        _ => File::open(".")?.sync_all(),
    }
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::MetadataExt as _;

    use super::*;

    #[test]
    fn a_file_is_replaced_only_when_it_differs() {
        let dir = tempfile::tempdir().expect("a temporary directory");
        let path = dir.path().join("pipeline.conf");
        let check = |text, expected| {
            assert_eq!(write(&path, text).expect("it is written"), expected, "{text}");
            assert_eq!(fs::read_to_string(&path).expect("it is there"), text);
            fs::metadata(&path).expect("it is there").ino()
        };
        let first = check("one", Written::New);
        assert_eq!(check("one", Written::Unchanged), first, "the same file");
        check("two", Written::New);
        assert_eq!(fs::read_dir(dir.path()).expect("it is readable").count(), 1, "nothing is left behind");
    }

    #[test]
    fn a_failure_leaves_nothing_behind() {
        let dir = tempfile::tempdir().expect("a temporary directory");
        fs::create_dir(dir.path().join("taken")).expect("a directory");
        fs::write(dir.path().join("taken/file"), "").expect("a file");
        write(&dir.path().join("taken"), "text").expect_err("a directory is in the way");
        write(&dir.path().join("none/file"), "text").expect_err("the directory is missing");
        write(Path::new("/"), "text").expect_err("this is no file name");
        assert_eq!(fs::read_dir(dir.path()).expect("it is readable").count(), 1, "nothing is left behind");
    }
}
