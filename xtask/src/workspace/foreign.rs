//! Files of consumers: many, anywhere below some paths, read once each. They need not belong to a workspace, and any bytes will
//! do.

use std::cell::RefCell;
use std::io::{self, Read as _};

use camino::{Utf8Path, Utf8PathBuf};
use walkdir::WalkDir;

/// How much of a file tells whether it is text.
const HEAD: u64 = 8192;

/// Files below some paths.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Listed {
    /// Files, in order of their path within each of the paths.
    pub files: Vec<Utf8PathBuf>,
    /// What could not be listed, and why.
    pub problems: Vec<String>,
}

/// Lists the files below some paths, each once; a path may be a file. Links are not followed, and folders that `skip` names are
/// left out.
pub fn list(paths: &[Utf8PathBuf], skip: fn(&str) -> bool) -> Listed {
    let mut listed = Listed::default();
    for path in paths {
        let walk = WalkDir::new(path).sort_by_file_name().into_iter().filter_entry(|entry| {
            entry.depth() == 0 || !entry.file_type().is_dir() || !entry.file_name().to_str().is_some_and(skip)
        });
        for entry in walk {
            match entry.map(|entry| (entry.file_type(), entry.into_path())) {
                Ok((kind, _)) if kind.is_dir() => {}
                // a link that is named is meant
                Ok((kind, found)) if kind.is_file() || found == path.as_std_path() => {
                    match Utf8PathBuf::from_path_buf(found) {
                        Ok(found) => listed.files.push(tidy(found)),
                        Err(found) => listed.problems.push(format!("the path {} is not UTF-8", found.display())),
                    }
                }
                Ok(_) => {}
                Err(error) => listed.problems.push(error.to_string()),
            }
        }
    }
    let mut seen = std::collections::BTreeSet::new();
    listed.files.retain(|file| seen.insert(file.clone()));
    listed
}

/// Without `./` in front.
fn tidy(path: Utf8PathBuf) -> Utf8PathBuf {
    path.strip_prefix(".").map(Utf8Path::to_owned).unwrap_or(path)
}

thread_local! {
    /// One buffer for each thread: new memory for each file would cost more than reading it.
    static BUFFER: RefCell<Vec<u8>> = const { RefCell::new(Vec::new()) };
}

/// Reads a file and gives its bytes to `work`; nothing when its beginning is no text, or it has more than `most` bytes.
///
/// # Errors
/// Whatever the disk says.
pub fn read<R>(
    path: &Utf8Path,
    most: u64,
    is_text: impl Fn(&[u8]) -> bool,
    work: impl FnOnce(Result<&[u8], u64>) -> R,
) -> io::Result<Option<R>> {
    let mut file = fs_err::File::open(path)?;
    let length = file.metadata()?.len();
    BUFFER.with_borrow_mut(|buffer| {
        buffer.clear();
        (&mut file).take(HEAD).read_to_end(buffer)?;
        if !is_text(buffer) {
            return Ok(None);
        }
        if length > most {
            return Ok(Some(work(Err(length))));
        }
        file.take(most + 1).read_to_end(buffer)?;
        let length = buffer.len() as u64;
        let done = if length > most { work(Err(length)) } else { work(Ok(buffer)) };
        // what one huge file needed is not kept for all small ones
        buffer.shrink_to(1 << 20);
        Ok(Some(done))
    })
}
