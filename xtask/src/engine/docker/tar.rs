//! A [`Context`] and a Dockerfile as a tar stream: the same bytes for the same content, always.
//!
//! Sorted, owner 0:0, modification time 0, permission bits from the entry, folders 0755 and explicit (an implied folder
//! would get whatever mask the daemon runs with). Names longer than 100 bytes use GNU's extension, which Docker and
//! Podman both read; names are UTF-8 as they are.
//!
//! Every modification time being 0 has a consequence for whoever compiles inside a build: a program that compares times
//! (make, cargo) cannot see that a file has changed if its own outputs survive in a `RUN --mount=type=cache`.

use std::collections::BTreeSet;
use std::io::{self, Read, Write};

use camino::{Utf8Path, Utf8PathBuf};
use tar::{Builder, EntryType, Header};

use crate::render::context::{Bytes, Context, ContextEntry};

/// What went wrong with one file of the context, or with the stream itself.
#[derive(Debug)]
pub(super) enum TarError {
    /// A file is not what the plan saw.
    File { path: Utf8PathBuf, detail: String },
    /// Nobody reads the stream any more, or memory is out.
    Stream(io::Error),
}

impl From<io::Error> for TarError {
    fn from(error: io::Error) -> Self {
        Self::Stream(error)
    }
}

/// The name under which the Dockerfile travels: `Dockerfile`, unless the context has a file of that name.
pub(super) fn dockerfile_name(context: &Context) -> String {
    let taken = |name: &str| context.entries().any(|(path, _)| path.as_str() == name);
    let numbered = (1..).map(|number| format!("Dockerfile.groupage-{number}"));
    std::iter::once("Dockerfile".to_owned()).chain(numbered).find(|name| !taken(name)).unwrap_or_default()
}

/// Writes the stream: the Dockerfile first, then the context in its order. `on_file` is told after each entry.
///
/// # Errors
/// The first file that is missing, is no regular file, or changes while it is read. The stream is then incomplete and
/// must not be ended properly.
pub(super) fn write(
    out: impl Write,
    dockerfile: &str,
    context: &Context,
    on_file: &mut dyn FnMut(),
) -> Result<(), TarError> {
    let mut archive = Builder::new(out);
    let mut folders = BTreeSet::new();
    append_bytes(&mut archive, &dockerfile_name(context), 0o644, dockerfile.as_bytes())?;
    for (path, entry) in context.entries() {
        append_folders(&mut archive, path, &mut folders)?;
        match entry {
            ContextEntry::File { bytes: Bytes::Memory(bytes), mode } => {
                append_bytes(&mut archive, path.as_str(), *mode, bytes)?;
            }
            ContextEntry::File { bytes: Bytes::Disk(source), mode } => {
                append_file(&mut archive, path, *mode, source)?;
            }
            ContextEntry::Link { target } => append_link(&mut archive, path, target)?,
        }
        on_file();
    }
    archive.into_inner()?.flush()?;
    Ok(())
}

fn header(kind: EntryType, mode: u32, size: u64) -> Header {
    let mut header = Header::new_gnu();
    header.set_entry_type(kind);
    header.set_mode(mode & 0o7777);
    header.set_size(size);
    header.set_uid(0);
    header.set_gid(0);
    header.set_mtime(0);
    header
}

fn append_bytes(archive: &mut Builder<impl Write>, path: &str, mode: u32, bytes: &[u8]) -> io::Result<()> {
    archive.append_data(&mut header(EntryType::Regular, mode, bytes.len() as u64), path, bytes)
}

/// Adds the folders above a path that are not there yet.
fn append_folders(
    archive: &mut Builder<impl Write>,
    path: &Utf8Path,
    known: &mut BTreeSet<Utf8PathBuf>,
) -> io::Result<()> {
    let mut above: Vec<&Utf8Path> = path.ancestors().skip(1).filter(|folder| !folder.as_str().is_empty()).collect();
    above.reverse();
    for folder in above {
        if known.insert(folder.to_owned()) {
            archive.append_data(&mut header(EntryType::Directory, 0o755, 0), format!("{folder}/"), io::empty())?;
        }
    }
    Ok(())
}

fn append_link(archive: &mut Builder<impl Write>, path: &Utf8Path, target: &str) -> io::Result<()> {
    let mut header = header(EntryType::Symlink, 0o777, 0);
    // `append_link` tidies short targets (`./x` becomes `x`); a link keeps the bytes it was given.
    if header.set_link_name_literal(target).is_ok() {
        archive.append_data(&mut header, path, io::empty())
    } else {
        archive.append_link(&mut header, path, target)
    }
}

fn append_file(
    archive: &mut Builder<impl Write>,
    path: &Utf8Path,
    mode: u32,
    source: &Utf8Path,
) -> Result<(), TarError> {
    let wrong = |detail: String| TarError::File { path: source.to_owned(), detail };
    // Asked before opening: opening a pipe would wait for its other end.
    let seen = std::fs::metadata(source).map_err(|error| wrong(error.to_string()))?;
    if !seen.is_file() {
        return Err(wrong("it is not a regular file".to_owned()));
    }
    let mut file = std::fs::File::open(source).map_err(|error| wrong(error.to_string()))?;
    let before = file.metadata().map_err(|error| wrong(error.to_string()))?;
    let mut exact = Exact { inner: &mut file, left: before.len(), trouble: None };
    let sent = archive.append_data(&mut header(EntryType::Regular, mode, before.len()), path, &mut exact);
    if let Some(trouble) = exact.trouble {
        return Err(wrong(trouble));
    }
    sent?;
    let after = file.metadata().map_err(|error| wrong(error.to_string()))?;
    if after.len() != before.len() || after.modified().ok() != before.modified().ok() {
        return Err(wrong("it changed while it was sent".to_owned()));
    }
    Ok(())
}

/// Reads exactly as much as the header has promised, and keeps what went wrong on the reading side, which the archive
/// writer would mix up with trouble on the writing side.
struct Exact<R> {
    inner: R,
    left: u64,
    trouble: Option<String>,
}

impl<R: Read> Read for Exact<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        if self.left == 0 || buffer.is_empty() {
            return Ok(0);
        }
        let most = usize::try_from(self.left).unwrap_or(usize::MAX).min(buffer.len());
        let count = match self.inner.read(&mut buffer[..most]) {
            Ok(0) => {
                self.trouble = Some("it became shorter while it was sent".to_owned());
                return Err(io::ErrorKind::UnexpectedEof.into());
            }
            Err(error) if error.kind() != io::ErrorKind::Interrupted => {
                self.trouble = Some(error.to_string());
                return Err(error);
            }
            other => other?,
        };
        self.left -= count as u64;
        Ok(count)
    }
}

#[cfg(test)]
mod tests;
