//! Several files that appear together, or not at all; none of them replaces anything.

use std::io::{self, Write as _};

use camino::{Utf8Path, Utf8PathBuf};

/// Writes files that are new, with mode `0644`: all are written under other names first, then get their own. When one cannot be
/// written, those before it go again, and so do folders that were made for them.
///
/// # Errors
/// Whatever the disk says; a file that exists already is left as it is, and is an error.
pub fn new_files<'f>(root: &Utf8Path, files: impl IntoIterator<Item = (&'f Utf8Path, &'f [u8])>) -> io::Result<()> {
    let mut made = Made::default();
    let mut temporary = Vec::new();
    for (path, bytes) in files {
        let path = root.join(path);
        let folder = path.parent().unwrap_or(root).to_owned();
        made.folder(&folder)?;
        let mut file = tempfile::Builder::new().prefix(".groupage-").tempfile_in(&folder)?;
        file.write_all(bytes)?;
        #[cfg(unix)]
        {
            use std::os::unix::fs::PermissionsExt as _;
            fs_err::set_permissions(file.path(), std::fs::Permissions::from_mode(0o644))?;
        }
        file.as_file().sync_all()?;
        temporary.push((file, path));
    }
    for (file, path) in temporary {
        file.persist_noclobber(&path)
            .map_err(|error| io::Error::new(error.error.kind(), format!("failed to write {path}: {}", error.error)))?;
        made.files.push(path);
    }
    made.is_done = true;
    Ok(())
}

/// What goes again unless all is done.
#[derive(Debug, Default)]
struct Made {
    files: Vec<Utf8PathBuf>,
    /// The outermost first.
    folders: Vec<Utf8PathBuf>,
    is_done: bool,
}

impl Made {
    fn folder(&mut self, folder: &Utf8Path) -> io::Result<()> {
        let mut missing: Vec<&Utf8Path> = folder.ancestors().take_while(|folder| !folder.exists()).collect();
        missing.reverse();
        for folder in missing {
            fs_err::create_dir(folder)?;
            self.folders.push(folder.to_owned());
        }
        Ok(())
    }
}

impl Drop for Made {
    fn drop(&mut self) {
        if !self.is_done {
            self.files.iter().for_each(|file| _ = fs_err::remove_file(file));
            // those that hold something else meanwhile stay
            self.folders.iter().rev().for_each(|folder| _ = fs_err::remove_dir(folder));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn all_or_nothing() {
        let folder = tempfile::tempdir().unwrap();
        let root = Utf8Path::from_path(folder.path()).unwrap();
        let files = |names: &[&'static str]| {
            names.iter().map(|name| (Utf8Path::new(*name), b"x".as_slice())).collect::<Vec<_>>()
        };
        new_files(root, files(&["a/b/c", "d"])).unwrap();
        assert_eq!(fs_err::read(root.join("a/b/c")).unwrap(), b"x");
        fs_err::write(root.join("d"), "old").unwrap();
        let error = new_files(root, files(&["e/f", "d", "g"])).unwrap_err();
        assert!(error.to_string().contains("failed to write"), "{error}");
        assert_eq!(fs_err::read_to_string(root.join("d")).unwrap(), "old");
        let left: Vec<String> = {
            let entries = root.read_dir_utf8().unwrap();
            entries.map(|entry| entry.unwrap().file_name().to_owned()).collect()
        };
        assert!(!left.iter().any(|name| name != "a" && name != "d"), "{left:?}");
    }
}
