//! Files that we write: they appear by rename, so that a killed run leaves the previous state.

use std::io::{self, Write as _};

use camino::Utf8Path;

use crate::render::context::{Bytes, ContextEntry};

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

/// Writes one entry of a context below `top`, with exactly the permission bits that it has there, whatever the umask.
///
/// # Errors
/// Whatever the disk says.
pub fn entry(top: &Utf8Path, path: &Utf8Path, entry: &ContextEntry) -> io::Result<()> {
    let to = top.join(path);
    fs_err::create_dir_all(to.parent().unwrap_or(top))?;
    match entry {
        ContextEntry::File { bytes: Bytes::Disk(from), mode } => {
            fs_err::copy(from, &to)?;
            set_mode(to.as_std_path(), *mode)
        }
        ContextEntry::File { bytes: Bytes::Memory(bytes), mode } => {
            fs_err::write(&to, bytes)?;
            set_mode(to.as_std_path(), *mode)
        }
        ContextEntry::Link { target } => link(target, &to),
    }
}

/// Gives every folder the permission bits that folders of a streamed context have.
///
/// # Errors
/// Whatever the disk says.
pub fn folder_modes(top: &Utf8Path) -> io::Result<()> {
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
