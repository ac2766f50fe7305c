//! Folders that are not part of the workspace, and what every listing leaves out.

use camino::{Utf8Path, Utf8PathBuf};

use super::super::WorkspaceError;

/// Folders that are never part of a build.
const NEVER: &[&str] = &[".git"];

/// Whether a name is never listed.
pub(super) fn is_never_listed(name: &str) -> bool {
    NEVER.contains(&name)
}

#[cfg(unix)]
pub(super) fn mode(metadata: &std::fs::Metadata) -> u32 {
    use std::os::unix::fs::PermissionsExt as _;
    if metadata.permissions().mode() & 0o111 == 0 { 0o644 } else { 0o755 }
}

#[cfg(not(unix))]
pub(super) fn mode(_metadata: &std::fs::Metadata) -> u32 {
    0o644
}

/// Lists every file below a folder that is not part of the workspace (an extracted crate), with its permission bits. Such
/// folders are named by checksum, so their files are not hashed, and ignore files in them mean nothing.
///
/// # Errors
/// When the folder cannot be read, or a name in it is not UTF-8.
pub fn list_folder(folder: &Utf8Path, exclude: &[String]) -> Result<Vec<(Utf8PathBuf, u32)>, WorkspaceError> {
    let mut files = Vec::new();
    let walk = walkdir::WalkDir::new(folder).follow_root_links(true).sort_by_file_name().into_iter();
    for entry in walk.filter_entry(|entry| !is_excluded(entry, folder, exclude)) {
        let entry = entry.map_err(std::io::Error::from)?;
        if entry.file_type().is_dir() {
            continue;
        }
        let not_utf8 = || WorkspaceError::NotUtf8(entry.path().display().to_string());
        let path = Utf8Path::from_path(entry.path()).ok_or_else(not_utf8)?;
        let below = path.strip_prefix(folder).unwrap_or(path).to_owned();
        files.push((below, mode(&fs_err::metadata(path)?)));
    }
    Ok(files)
}

fn is_excluded(entry: &walkdir::DirEntry, top: &Utf8Path, exclude: &[String]) -> bool {
    let below = entry.path().strip_prefix(top).unwrap_or(entry.path());
    let never = entry.file_name().to_str().is_some_and(is_never_listed);
    entry.depth() > 0 && (never || exclude.iter().any(|exclude| below == std::path::Path::new(exclude)))
}
