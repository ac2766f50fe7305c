//! Text files of the workspace: small, UTF-8, and inside it.

use std::fs::File;
use std::io::{ErrorKind, Read as _};

use camino::{Utf8Path, Utf8PathBuf};

use super::inside::{Inside, outside_diagnostic};
use super::pool::in_parallel;
use crate::diagnostic::{Diagnostic, Problems};
use crate::source::{FileId, SourceFile, SourceMap};

/// Largest text file that is read, in bytes. Manifests have a few kilobytes; a larger file is a mistake.
const MAX_FILE: u64 = 1024 * 1024;

/// A text, or why there is none.
type Text = Result<String, Box<Diagnostic>>;

/// Reads a file of the workspace; problems are diagnostics, because the file is the user's.
pub(super) fn read(
    inside: &Inside<'_>,
    path: &Utf8Path,
    map: &mut SourceMap,
    problems: &mut Problems,
) -> Option<FileId> {
    let text = read_plain(inside, path).unwrap_or_else(|| read_any(inside, path));
    add(path, text, map, problems)
}

/// Reads as [`read`] does those files that are there, several at once; they are added in the order of their paths here.
pub(super) fn read_all(
    inside: &Inside<'_>,
    paths: &[Utf8PathBuf],
    map: &mut SourceMap,
    problems: &mut Problems,
) -> Vec<FileId> {
    let read = |path: &Utf8PathBuf| {
        let may_be_there = || may_be_there(&inside.root.join(path));
        read_plain(inside, path).or_else(|| may_be_there().then(|| read_any(inside, path)))
    };
    let texts = paths.iter().zip(in_parallel(paths, read));
    texts.filter_map(|(path, text)| add(path, text?, map, problems)).collect()
}

/// False when nothing is there, or a folder; true for a link to nothing and for what cannot be looked at, so that reading it
/// says why.
fn may_be_there(path: &Utf8Path) -> bool {
    match path.metadata() {
        Ok(metadata) => metadata.is_file(),
        Err(error) if matches!(error.kind(), ErrorKind::NotFound | ErrorKind::NotADirectory) => path.is_symlink(),
        Err(_) => true,
    }
}

fn add(path: &Utf8Path, text: Text, map: &mut SourceMap, problems: &mut Problems) -> Option<FileId> {
    match text {
        Ok(text) => Some(map.add(SourceFile::new(path, text))),
        Err(problem) => {
            problems.push(*problem);
            None
        }
    }
}

/// Reads a file that no link leads to, which nearly all are, in as few system calls as can be; `None` for all others.
fn read_plain(inside: &Inside<'_>, path: &Utf8Path) -> Option<Text> {
    let mut file = inside.open_plain(path)?;
    let metadata = file.metadata().ok().filter(|metadata| metadata.is_file() && metadata.len() <= MAX_FILE)?;
    let bytes = read_whole(&mut file, metadata.len()).ok()?;
    Some(to_text(path, bytes))
}

/// A file of about this size.
fn read_whole(file: &mut File, size: u64) -> std::io::Result<Vec<u8>> {
    // a byte more than there is, so that the first read sees the end
    let mut bytes = vec![0; usize::try_from(size).unwrap_or_default() + 1];
    let mut filled = 0;
    loop {
        match file.read(&mut bytes[filled..]) {
            Ok(count) => filled += count,
            Err(error) if error.kind() == ErrorKind::Interrupted => continue,
            Err(error) => return Err(error),
        }
        if filled < bytes.len() {
            bytes.truncate(filled);
            return Ok(bytes);
        }
        // it has grown since
        bytes.resize(bytes.len() * 2, 0);
    }
}

/// Reads a file that a link may lead to, or says why not.
fn read_any(inside: &Inside<'_>, path: &Utf8Path) -> Text {
    let absolute = inside.root.join(path);
    inside.check(path).map_err(|outside| Box::new(outside_diagnostic(path, &outside)))?;
    let metadata = fs_err::metadata(&absolute).map_err(|error| unreadable(path, &error))?;
    if metadata.len() > MAX_FILE {
        let size = metadata.len();
        return Err(unreadable(path, &format_args!("it has {size} bytes; at most {MAX_FILE} are allowed")));
    }
    to_text(path, fs_err::read(&absolute).map_err(|error| unreadable(path, &error))?)
}

fn to_text(path: &Utf8Path, bytes: Vec<u8>) -> Text {
    String::from_utf8(bytes).map_err(|error| {
        let at = error.utf8_error().valid_up_to();
        unreadable(path, &format_args!("it is not UTF-8 (byte {at})"))
    })
}

fn unreadable(path: &Utf8Path, error: &dyn std::fmt::Display) -> Box<Diagnostic> {
    Box::new(Diagnostic::error("unreadable-file", format!("cannot read {path}: {error}")))
}
