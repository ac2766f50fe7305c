//! Text files of the workspace: small, UTF-8, and inside it.

use camino::{Utf8Path, Utf8PathBuf};

use super::pool::in_parallel;
use crate::diagnostic::{Diagnostic, Problems};
use crate::source::{FileId, SourceFile, SourceMap};

/// Largest text file that is read, in bytes. Manifests have a few kilobytes; a larger file is a mistake.
const MAX_FILE: u64 = 1024 * 1024;

/// Reads a file of the workspace by its path relative to `root`; problems are diagnostics, because the file is the user's.
pub(super) fn read(root: &Utf8Path, path: &Utf8Path, map: &mut SourceMap, problems: &mut Problems) -> Option<FileId> {
    add(path, try_read(root, path), map, problems)
}

/// Reads many files as [`read`] does, several at once; they are added in the order of their paths here.
pub(super) fn read_all(
    root: &Utf8Path,
    paths: &[Utf8PathBuf],
    map: &mut SourceMap,
    problems: &mut Problems,
) -> Vec<FileId> {
    let texts = in_parallel(paths, |path| try_read(root, path));
    paths.iter().zip(texts).filter_map(|(path, text)| add(path, text, map, problems)).collect()
}

fn add(
    path: &Utf8Path,
    text: Result<String, Box<Diagnostic>>,
    map: &mut SourceMap,
    problems: &mut Problems,
) -> Option<FileId> {
    match text {
        Ok(text) => Some(map.add(SourceFile::new(path, text))),
        Err(problem) => {
            problems.push(*problem);
            None
        }
    }
}

fn try_read(root: &Utf8Path, path: &Utf8Path) -> Result<String, Box<Diagnostic>> {
    let absolute = root.join(path);
    let failed = |error: &dyn std::fmt::Display| {
        Box::new(Diagnostic::error("unreadable-file", format!("cannot read {path}: {error}")))
    };
    inside(root, &absolute).map_err(|problem| Box::new(problem.label_path(path)))?;
    let metadata = fs_err::metadata(&absolute).map_err(|error| failed(&error))?;
    if metadata.len() > MAX_FILE {
        return Err(failed(&format_args!("it has {} bytes; at most {MAX_FILE} are allowed", metadata.len())));
    }
    let bytes = fs_err::read(&absolute).map_err(|error| failed(&error))?;
    String::from_utf8(bytes)
        .map_err(|error| failed(&format_args!("it is not UTF-8 (byte {})", error.utf8_error().valid_up_to())))
}

/// A path that leaves the workspace.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Outside {
    /// Where it leads.
    pub(super) target: Utf8PathBuf,
}

impl Outside {
    fn label_path(self, path: &Utf8Path) -> Diagnostic {
        outside_diagnostic(path, &self)
    }
}

/// The diagnostic for a path that leaves the workspace.
pub(super) fn outside_diagnostic(path: &Utf8Path, outside: &Outside) -> Diagnostic {
    Diagnostic::error("outside-workspace", format!("{path} leads out of the workspace, to {}", outside.target))
        .help("files of a build must be inside the folder of groupage.toml; copy them, or move groupage.toml up")
}

/// Follows all links of an existing path and checks that it stays below `root`, which is canonical.
pub(super) fn inside(root: &Utf8Path, path: &Utf8Path) -> Result<(), Outside> {
    if has_no_links(root, path) {
        return Ok(());
    }
    match path.canonicalize_utf8() {
        Ok(target) if target.starts_with(root) => Ok(()),
        Ok(target) => Err(Outside { target }),
        // what does not exist is reported by whoever reads it; a dangling link is judged by where it points to
        Err(_) => match fs_err::read_link(path).ok().and_then(|target| Utf8PathBuf::from_path_buf(target).ok()) {
            Some(target) if !stays_below(path.strip_prefix(root).unwrap_or(path), &target) => Err(Outside { target }),
            _ => Ok(()),
        },
    }
}

/// Whether a path is below `root` by its words alone, and every step below it is there and no link. This is the usual case, and
/// a third of the work of following links from the top of the file system.
fn has_no_links(root: &Utf8Path, path: &Utf8Path) -> bool {
    let Ok(below) = path.strip_prefix(root) else { return false };
    let mut step = root.to_owned();
    below.components().all(|part| {
        step.push(part);
        let is_plain = matches!(part, camino::Utf8Component::Normal(_));
        is_plain && fs_err::symlink_metadata(&step).is_ok_and(|metadata| !metadata.is_symlink())
    })
}

/// Whether a relative link at `at` (relative to the root) stays below the root, judged by its text alone.
pub(super) fn stays_below(at: &Utf8Path, target: &Utf8Path) -> bool {
    let mut depth = at.components().count().saturating_sub(1);
    for part in target.components() {
        match part {
            camino::Utf8Component::Normal(_) => depth += 1,
            camino::Utf8Component::CurDir => {}
            camino::Utf8Component::ParentDir if depth > 0 => depth -= 1,
            _ => return false,
        }
    }
    true
}
