//! Texts of arbitrary trees, for whoever searches in them.

use std::time::SystemTime;

use camino::{Utf8Path, Utf8PathBuf};

use super::git::work_files;

/// Longest file that is searched, in bytes.
pub const MAX_SEARCHED: u64 = 64 << 20;

/// How many bytes tell whether a file is text, as in git.
const PROBE: usize = 8000;

/// The files of a path, sorted, relative to it: those that git tracks or would track; outside of a repository all but `.git`. A
/// file is its own only one, with an empty path. Links are not followed.
///
/// # Errors
/// The path is not there, or a folder cannot be read.
pub fn searched_files(path: &Utf8Path) -> std::io::Result<Vec<Utf8PathBuf>> {
    if !fs_err::metadata(path)?.is_dir() {
        return Ok(vec![Utf8PathBuf::new()]);
    }
    if let Some(files) = work_files(path) {
        return Ok(files);
    }
    let walk = walkdir::WalkDir::new(path).sort_by_file_name().into_iter();
    let mut files = Vec::new();
    for entry in walk.filter_entry(|entry| entry.file_name() != ".git") {
        let entry = entry.map_err(std::io::Error::from)?;
        let below = Utf8Path::from_path(entry.path()).and_then(|below| below.strip_prefix(path).ok());
        if let Some(below) = below.filter(|_| entry.file_type().is_file()) {
            files.push(below.to_owned());
        }
    }
    Ok(files)
}

/// The text of a file; `None` where it is none: a link, binary, gone, or longer than [`MAX_SEARCHED`].
pub fn searched_text(path: &Utf8Path) -> Option<String> {
    let metadata = fs_err::symlink_metadata(path).ok().filter(|metadata| metadata.is_file())?;
    (metadata.len() <= MAX_SEARCHED).then(|| fs_err::read(path).ok()).flatten().and_then(text_of)
}

/// Bytes as text; `None` when they are binary. What is not UTF-8 in them is replaced.
pub fn text_of(bytes: Vec<u8>) -> Option<String> {
    if bytes[..bytes.len().min(PROBE)].contains(&0) || bytes.len() as u64 > MAX_SEARCHED {
        return None;
    }
    Some(String::from_utf8(bytes).unwrap_or_else(|error| String::from_utf8_lossy(error.as_bytes()).into_owned()))
}

/// The time of this machine's clock in seconds since 1970. Nothing that is built may depend on it: it is for the one question
/// that is about today, whether a record has expired, and only when somebody asks it with `--on today`.
#[expect(clippy::disallowed_methods, reason = "the one place that reads the clock, for `--on today`")]
pub fn now() -> u64 {
    SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).map_or(0, |since| since.as_secs())
}
