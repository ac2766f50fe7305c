//! The state folder of a workspace, `target/groupage`: what is below it is ours, and no link in it is followed.
//!
//! A clone can bring links with it, and a link below the state folder would lead what we write, and what `cache prune` and
//! cleaning up remove, out of the workspace. So:
//!
//! | where a link stands | it is |
//! |---|---|
//! | `target` | followed, as cargo does: people put it on another disk |
//! | the state folder, or a folder below it | an error that names it: it is not removed, since somebody may have made it on purpose, and nothing is read, written or removed through it |
//! | a file | no file when it is read; when it is written, the link is replaced and not what it points to |
//! | a lock | an error |
//!
//! The same holds for pipes and devices: reading never waits for one. What cargo and go write below their own folders they
//! write as they always do; the top of each is checked.
//!
//! Files appear by rename, and are not flushed to the disk: whoever reads one notices what a crash has left half written, and
//! takes it as none.

use std::fs::File;
use std::io::{self, Read as _};

use camino::{Utf8Path, Utf8PathBuf};

use super::inside::{Links, open};
use super::write;

/// Where a workspace keeps its state: all that it remembers and makes, relative to its root.
pub const MEMORY_FOLDER: &str = "target/groupage";

/// Makes a folder below the state folder, or the state folder itself when `below` is empty, and gives its path.
///
/// # Errors
/// A step is a link, or whatever the disk says.
pub fn folder(state: &Utf8Path, below: impl AsRef<Utf8Path>) -> io::Result<Utf8PathBuf> {
    if let Some(above) = state.parent().filter(|above| !above.as_str().is_empty()) {
        fs_err::create_dir_all(above)?;
    }
    let steps = steps(state, below.as_ref());
    steps.iter().try_for_each(|step| make(step))?;
    Ok(state.join(below))
}

/// A path below the state folder, if no step of it is a link. Whether it is there is not looked at.
pub fn plain(state: &Utf8Path, below: impl AsRef<Utf8Path>) -> Option<Utf8PathBuf> {
    let steps = steps(state, below.as_ref());
    if steps.iter().any(|step| step.is_symlink()) { None } else { Some(state.join(below)) }
}

/// The bytes of a file, if it is one, has at most `limit` bytes, and no link leads there.
pub fn read(state: &Utf8Path, below: impl AsRef<Utf8Path>, limit: u64) -> Option<Vec<u8>> {
    read_plain(&plain(state, below)?, limit).ok()
}

/// The bytes of a regular file of at most `limit` bytes; the folders on the way to it are not looked at.
///
/// # Errors
/// It is not there, is no regular file, is too large, or cannot be read.
pub(crate) fn read_plain(path: &Utf8Path, limit: u64) -> io::Result<Vec<u8>> {
    let file = open(path, Links::Refused)?;
    let metadata = file.metadata()?;
    let too_large = || io::Error::new(io::ErrorKind::FileTooLarge, format!("{path} has more than {limit} bytes"));
    match metadata {
        other if !other.is_file() => Err(io::Error::other(format!("{path} is no regular file"))),
        large if large.len() > limit => Err(too_large()),
        metadata => {
            let mut bytes = Vec::with_capacity(usize::try_from(metadata.len()).unwrap_or_default());
            file.take(limit.saturating_add(1)).read_to_end(&mut bytes)?;
            if bytes.len() as u64 > limit { Err(too_large()) } else { Ok(bytes) }
        }
    }
}

/// Writes a file, unless it has these bytes already; whether it was written.
///
/// # Errors
/// A step on the way is a link, or whatever the disk says.
pub fn write(state: &Utf8Path, below: impl AsRef<Utf8Path>, bytes: &[u8]) -> io::Result<bool> {
    let below = below.as_ref();
    folder(state, below.parent().unwrap_or(Utf8Path::new("")))?;
    write::replace(&state.join(below), bytes, 0o644)
}

/// Opens a file for locking, which is made if it is not there.
///
/// # Errors
/// It is a link or no regular file, a step on the way is a link, or whatever the disk says.
pub fn lock_file(state: &Utf8Path, below: impl AsRef<Utf8Path>) -> io::Result<File> {
    let below = below.as_ref();
    folder(state, below.parent().unwrap_or(Utf8Path::new("")))?;
    let path = state.join(below);
    if path.symlink_metadata().is_ok_and(|metadata| !metadata.is_file()) {
        return Err(io::Error::other(format!("{path} is no regular file: remove it")));
    }
    Ok(fs_err::OpenOptions::new().create(true).append(true).open(path)?.into_parts().0)
}

/// The state folder and every folder on the way to one below it.
fn steps(state: &Utf8Path, below: &Utf8Path) -> Vec<Utf8PathBuf> {
    let mut steps = vec![state.to_owned()];
    for name in below {
        let next = steps.last().map_or_else(|| name.into(), |step| step.join(name));
        steps.push(next);
    }
    steps
}

fn make(folder: &Utf8Path) -> io::Result<()> {
    let is_folder = || folder.symlink_metadata().is_ok_and(|metadata| metadata.is_dir());
    if folder.is_symlink() {
        return Err(io::Error::other(format!(
            "{folder} is a link, and nothing is written through it: remove it, or make `target` the link"
        )));
    }
    match fs_err::create_dir(folder) {
        // or another run was faster
        Err(error) if !is_folder() => Err(error),
        Ok(()) | Err(_) => Ok(()),
    }
}

#[cfg(test)]
#[cfg(unix)]
mod tests {
    use fs_err as fs;
    use fs_err::os::unix::fs::symlink;

    use super::*;

    /// `target/groupage` of a workspace beside a folder `out`, which holds `victim`.
    fn place() -> (tempfile::TempDir, Utf8PathBuf, Utf8PathBuf) {
        let temporary = tempfile::tempdir().unwrap();
        let top = Utf8Path::from_path(temporary.path()).unwrap().to_owned();
        fs::create_dir(top.join("out")).unwrap();
        fs::write(top.join("out/victim"), "theirs").unwrap();
        (temporary, top.join("work").join(MEMORY_FOLDER), top.join("out"))
    }

    #[test]
    fn a_link_in_place_of_a_file_is_replaced_and_not_followed() {
        let (_temporary, state, out) = place();
        folder(&state, "builds/app").unwrap();
        for (name, target) in [("a.json", out.join("victim")), ("builds/app/b.json", out.join("new/file"))] {
            symlink(&target, state.join(name)).unwrap();
            assert_eq!(read(&state, name, 100), None);
            assert!(write(&state, name, b"ours").unwrap());
            assert_eq!(read(&state, name, 100).as_deref(), Some(b"ours".as_slice()));
            assert!(!state.join(name).is_symlink());
            assert!(!write(&state, name, b"ours").unwrap(), "unchanged");
        }
        assert_eq!(fs::read_to_string(out.join("victim")).unwrap(), "theirs");
        assert!(!out.join("new").exists());
        symlink(out.join("victim"), state.join("lock")).unwrap();
        symlink(out.join("none"), state.join("other")).unwrap();
        assert!(lock_file(&state, "lock").is_err() && lock_file(&state, "other").is_err());
        assert!(!out.join("none").exists());
        lock_file(&state, "turns/x").unwrap();
    }

    #[test]
    fn a_link_in_place_of_a_folder_is_refused() {
        for link in ["", "builds", "builds/app"] {
            let (_temporary, state, out) = place();
            let link = if link.is_empty() { state.clone() } else { state.join(link) };
            fs::create_dir_all(link.parent().unwrap()).unwrap();
            symlink(&out, &link).unwrap();
            let error = folder(&state, "builds/app").unwrap_err().to_string();
            assert!(error.starts_with(&format!("{link} is a link")), "{error}");
            assert!(write(&state, "builds/app/x.json", b"ours").is_err());
            assert!(lock_file(&state, "builds/app/lock").is_err());
            fs::create_dir_all(out.join("builds/app")).unwrap();
            for path in ["builds/app/victim", "app/victim", "victim"] {
                fs::create_dir_all(out.join(path).parent().unwrap()).unwrap();
                fs::write(out.join(path), "theirs").unwrap();
            }
            assert_eq!(read(&state, "builds/app/victim", 100), None, "{link}");
        }
    }

    #[test]
    fn target_may_be_a_link() {
        let (_temporary, state, out) = place();
        let target = state.parent().unwrap();
        fs::create_dir_all(target.parent().unwrap()).unwrap();
        symlink(&out, target).unwrap();
        assert!(write(&state, "a/b", b"ours").unwrap());
        assert_eq!(fs::read_to_string(out.join("groupage/a/b")).unwrap(), "ours");
        assert_eq!(read(&state, "a/b", 100).as_deref(), Some(b"ours".as_slice()));
    }

    #[test]
    fn only_small_regular_files_are_read_and_nothing_is_waited_for() {
        let (_temporary, state, _) = place();
        folder(&state, "folder").unwrap();
        let pipe = state.join("pipe");
        assert!(std::process::Command::new("mkfifo").arg(pipe.as_str()).status().unwrap().success());
        fs::write(state.join("file"), "12345").unwrap();
        let check = |name: &str, limit: u64, expect: Option<&str>| {
            assert_eq!(read(&state, name, limit).as_deref(), expect.map(str::as_bytes), "{name}");
        };
        check("none", 9, None);
        check("folder", 9, None);
        check("pipe", 9, None);
        check("file", 4, None);
        check("file", 5, Some("12345"));
        assert!(lock_file(&state, "pipe").is_err());
        assert!(write(&state, "pipe", b"ours").unwrap());
        check("pipe", 9, Some("ours"));
    }
}
