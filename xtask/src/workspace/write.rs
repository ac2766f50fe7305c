//! Files that we write: they appear by rename, so that a killed run leaves the previous state.

use std::io::{self, Write as _};

use camino::Utf8Path;

/// Writes a file so that it is either the old one or the new one, never a part. A file that has these bytes already is left
/// alone, and its time with it; returns whether it was written.
///
/// # Errors
/// Whatever the disk says; the temporary file is removed then.
pub fn file(path: &Utf8Path, bytes: &[u8], mode: u32) -> io::Result<bool> {
    if fs_err::read(path).is_ok_and(|old| old == bytes) {
        return Ok(false);
    }
    let folder = path.parent().unwrap_or(Utf8Path::new("."));
    fs_err::create_dir_all(folder)?;
    let mut temporary = tempfile::Builder::new().prefix(".groupage-").tempfile_in(folder)?;
    temporary.write_all(bytes)?;
    set_mode(temporary.path(), mode)?;
    temporary.as_file().sync_all()?;
    temporary
        .persist(path)
        .map_err(|error| io::Error::new(error.error.kind(), format!("failed to write {path}: {}", error.error)))?;
    Ok(true)
}

#[cfg(unix)]
fn set_mode(path: &std::path::Path, mode: u32) -> io::Result<()> {
    use std::os::unix::fs::PermissionsExt as _;
    fs_err::set_permissions(path, std::fs::Permissions::from_mode(mode))
}

#[cfg(not(unix))]
fn set_mode(_path: &std::path::Path, _mode: u32) -> io::Result<()> {
    Ok(())
}

/// What a file of a written folder holds.
#[derive(Debug, Clone, Copy)]
pub enum Content<'a> {
    /// The bytes of another file, with these permission bits.
    Copy(&'a Utf8Path, u32),
    /// These bytes, with these permission bits.
    Bytes(&'a [u8], u32),
    /// A symbolic link.
    Link(&'a str),
}

/// Writes a folder that appears by rename, complete; permission bits are exactly those asked for, whatever the umask, and
/// those of folders are `0755`. The folder must not exist yet, or be empty.
///
/// # Errors
/// Whatever the disk says; nothing is left behind then.
pub fn folder<'a>(path: &Utf8Path, files: impl IntoIterator<Item = (&'a Utf8Path, Content<'a>)>) -> io::Result<()> {
    let parent = path.parent().unwrap_or(Utf8Path::new("."));
    fs_err::create_dir_all(parent)?;
    let temporary = tempfile::Builder::new().prefix(".groupage-").tempdir_in(parent)?;
    let top = Utf8Path::from_path(temporary.path()).ok_or_else(|| io::Error::other("path is not UTF-8"))?;
    for (name, content) in files {
        entry(&top.join(name), content)?;
    }
    folder_modes(top)?;
    if path.exists() {
        fs_err::remove_dir(path)?;
    }
    fs_err::rename(temporary.path(), path)?;
    // what was renamed is no longer there to be removed
    _ = temporary.keep();
    Ok(())
}

fn entry(to: &Utf8Path, content: Content<'_>) -> io::Result<()> {
    fs_err::create_dir_all(to.parent().unwrap_or(Utf8Path::new(".")))?;
    match content {
        Content::Copy(from, mode) => {
            fs_err::copy(from, to)?;
            set_mode(to.as_std_path(), mode)
        }
        Content::Bytes(bytes, mode) => {
            fs_err::write(to, bytes)?;
            set_mode(to.as_std_path(), mode)
        }
        Content::Link(target) => link(target, to),
    }
}

/// Gives every folder the permission bits that folders of a streamed context have.
fn folder_modes(top: &Utf8Path) -> io::Result<()> {
    for entry in walkdir::WalkDir::new(top) {
        let entry = entry.map_err(io::Error::from)?;
        if entry.file_type().is_dir() {
            set_mode(entry.path(), 0o755)?;
        }
    }
    Ok(())
}

#[cfg(unix)]
fn link(target: &str, at: &Utf8Path) -> io::Result<()> {
    fs_err::os::unix::fs::symlink(target, at)
}

#[cfg(not(unix))]
fn link(_target: &str, at: &Utf8Path) -> io::Result<()> {
    Err(io::Error::other(format!("cannot create the link {at} on this system")))
}
