//! Files that we write: they appear by rename, so that a killed run leaves the previous state.

use std::io::{self, Write as _};

use camino::{Utf8Path, Utf8PathBuf};

use super::state;

/// How many links in a row are followed, as in Linux.
const MAX_LINKS: usize = 40;

/// Writes a file so that it is either the old one or the new one, never a part. A file that has these bytes already is left
/// alone, and its time with it; returns whether it was written.
///
/// A link stays, and what it points to is written. What is no regular file (`/dev/stdout`, a pipe) cannot be renamed to
/// and is written to instead.
///
/// # Errors
/// Whatever the disk says; the temporary file is removed then.
pub fn file(path: &Utf8Path, bytes: &[u8], mode: u32) -> io::Result<bool> {
    if is_stream(path) {
        return stream(path, bytes).map(|()| true);
    }
    let path = link_target(path);
    if fs_err::read(&path).is_ok_and(|old| old == bytes) {
        return Ok(false);
    }
    by_rename(&path, bytes, mode, Flushed::Yes).map(|()| true)
}

/// Writes a file of our own, of which nobody needs every version: what stands there is replaced, be it a link or a pipe, and it
/// is not flushed to the disk. A file that has these bytes already is left alone; returns whether it was written.
///
/// # Errors
/// Whatever the disk says; the temporary file is removed then.
pub fn replace(path: &Utf8Path, bytes: &[u8], mode: u32) -> io::Result<bool> {
    let may_be_same = |metadata: std::fs::Metadata| metadata.is_file() && metadata.len() == bytes.len() as u64;
    let is_same = || state::read_plain(path, bytes.len() as u64).is_ok_and(|old| old == bytes);
    if path.symlink_metadata().is_ok_and(may_be_same) && is_same() {
        return Ok(false);
    }
    anew(path, bytes, mode).map(|()| true)
}

/// [`replace`], also of a file that has these bytes already: it gets another time.
///
/// # Errors
/// As [`replace`].
pub(super) fn anew(path: &Utf8Path, bytes: &[u8], mode: u32) -> io::Result<()> {
    by_rename(path, bytes, mode, Flushed::No)
}

/// A file that is written piece by piece, and appears when it is whole. What [`file()`] says of links and streams holds here
/// too. Dropped before [`Growing::finish`], a file leaves nothing.
#[derive(Debug)]
pub struct Growing {
    to: Growth,
}

#[derive(Debug)]
enum Growth {
    Stream(std::fs::File),
    File { temporary: tempfile::NamedTempFile, path: Utf8PathBuf, mode: u32 },
}

impl Growing {
    /// Begins a file.
    ///
    /// # Errors
    /// Whatever the disk says.
    pub fn begin(path: &Utf8Path, mode: u32) -> io::Result<Self> {
        if is_stream(path) {
            let stream = fs_err::OpenOptions::new().append(true).open(path)?.into_parts().0;
            return Ok(Self { to: Growth::Stream(stream) });
        }
        let path = link_target(path);
        let folder = path.parent().filter(|folder| !folder.as_str().is_empty()).unwrap_or(Utf8Path::new("."));
        fs_err::create_dir_all(folder)?;
        let temporary = tempfile::Builder::new().prefix(".groupage-").tempfile_in(folder)?;
        Ok(Self { to: Growth::File { temporary, path, mode } })
    }

    /// The file gets its name.
    ///
    /// # Errors
    /// Whatever the disk says; the file that was there before is left then.
    pub fn finish(self) -> io::Result<()> {
        match self.to {
            Growth::Stream(_) => Ok(()),
            Growth::File { temporary, path, mode } => {
                set_mode(temporary.path(), mode)?;
                let named = |error: io::Error| io::Error::new(error.kind(), format!("failed to write {path}: {error}"));
                temporary.persist(&path).map(drop).map_err(|error| named(error.error))
            }
        }
    }
}

impl io::Write for Growing {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        match &mut self.to {
            Growth::Stream(stream) => stream.write(bytes),
            Growth::File { temporary, .. } => temporary.write(bytes),
        }
    }

    fn flush(&mut self) -> io::Result<()> {
        match &mut self.to {
            Growth::Stream(stream) => stream.flush(),
            Growth::File { temporary, .. } => temporary.flush(),
        }
    }
}

/// Whether a path is something that takes bytes but has no place of its own: a device, a pipe, an open file of a process.
fn is_stream(path: &Utf8Path) -> bool {
    let open = ["/dev/fd", "/dev/stdout", "/dev/stderr", "/proc"].iter().any(|folder| path.starts_with(folder));
    fs_err::metadata(path).is_ok_and(|metadata| !metadata.is_dir() && (open || !metadata.is_file()))
}

/// Our own streams are taken as they are: opened anew, a redirected one would have two ends, each with a position of its own.
fn stream(path: &Utf8Path, bytes: &[u8]) -> io::Result<()> {
    let whole = |out: &mut dyn io::Write| out.write_all(bytes).and_then(|()| out.flush());
    match path.as_str() {
        "/dev/stdout" | "/dev/fd/1" | "/proc/self/fd/1" => whole(&mut io::stdout().lock()),
        "/dev/stderr" | "/dev/fd/2" | "/proc/self/fd/2" => whole(&mut io::stderr().lock()),
        _ => whole(&mut fs_err::OpenOptions::new().append(true).open(path)?),
    }
}

/// Where the links of a path lead, whether that exists or not.
fn link_target(path: &Utf8Path) -> Utf8PathBuf {
    let mut at = path.to_owned();
    for _ in 0..MAX_LINKS {
        match at.read_link_utf8() {
            Ok(target) => at = at.parent().unwrap_or(Utf8Path::new("")).join(target),
            Err(_) => break,
        }
    }
    at
}

/// Whether bytes are on the disk before they get their name.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Flushed {
    Yes,
    No,
}

fn by_rename(path: &Utf8Path, bytes: &[u8], mode: u32, flushed: Flushed) -> io::Result<()> {
    let folder = path.parent().unwrap_or(Utf8Path::new("."));
    fs_err::create_dir_all(folder)?;
    let mut temporary = tempfile::Builder::new().prefix(".groupage-").tempfile_in(folder)?;
    temporary.write_all(bytes)?;
    set_mode(temporary.path(), mode)?;
    if flushed == Flushed::Yes {
        temporary.as_file().sync_all()?;
    }
    let named = |error: io::Error| io::Error::new(error.kind(), format!("failed to write {path}: {error}"));
    temporary.persist(path).map(drop).map_err(|error| named(error.error))
}

/// Whether a folder can be written as a whole: it does not exist, or is empty.
///
/// # Errors
/// It cannot be read.
pub fn is_free(folder: &Utf8Path) -> io::Result<bool> {
    match folder.read_dir_utf8() {
        Ok(mut entries) => Ok(entries.next().is_none()),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(true),
        Err(error) => Err(io::Error::new(error.kind(), format!("failed to read {folder}: {error}"))),
    }
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

#[cfg(all(test, unix))]
mod tests {
    use super::*;

    #[test]
    fn links_stay() {
        let folder = tempfile::tempdir().unwrap();
        let top = Utf8Path::from_path(folder.path()).unwrap();
        fs_err::create_dir(top.join("real")).unwrap();
        fs_err::write(top.join("real/a"), "old").unwrap();
        for (name, target) in [("one", "real/a"), ("two", "one"), ("dangling", "real/new")] {
            fs_err::os::unix::fs::symlink(target, top.join(name)).unwrap();
        }
        let check = |name: &str, real: &str, text: &str| {
            assert!(file(&top.join(name), text.as_bytes(), 0o644).unwrap());
            assert!(top.join(name).is_symlink());
            assert_eq!(fs_err::read_to_string(top.join(real)).unwrap(), text);
        };
        check("one", "real/a", "1");
        check("two", "real/a", "2");
        check("dangling", "real/new", "3");
        assert!(!file(&top.join("two"), b"2", 0o644).unwrap(), "unchanged");
    }

    #[test]
    fn devices_are_written_to() {
        assert!(file(Utf8Path::new("/dev/null"), b"x", 0o644).unwrap());
        assert!(file(Utf8Path::new("/dev/full"), b"x", 0o644).is_err());
        assert!(is_stream(Utf8Path::new("/dev/null")));
    }

    #[test]
    fn only_new_and_empty_folders_are_free() {
        let folder = tempfile::tempdir().unwrap();
        let top = Utf8Path::from_path(folder.path()).unwrap();
        assert!(is_free(top).unwrap() && is_free(&top.join("new")).unwrap());
        fs_err::write(top.join("a"), "").unwrap();
        assert!(!is_free(top).unwrap());
        assert!(is_free(&top.join("a")).is_err());
    }
}
