//! Which files of some folders change, as it happens.
//!
//! Folders are watched, and not files: an editor that saves by rename puts another file in the place of the old one. Each
//! folder is watched on its own, so that what lies below and does not matter (`target`, `.git`) costs nothing. Where the
//! kernel cannot tell, because a limit is reached or a file system does not support it, folders are looked at instead:
//! size, time and inode of every file in them are compared with those of the last look.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;
use std::sync::Arc;

use camino::{Utf8Path, Utf8PathBuf};
use filetime::FileTime;
use notify::event::ModifyKind;
use notify::{ErrorKind, EventKind, RecommendedWatcher, RecursiveMode, Watcher as _};

/// What happened to a file or folder.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum FileEvent {
    /// It is new, or another one.
    Changed(Utf8PathBuf),
    /// It is gone from this path.
    Gone(Utf8PathBuf),
    /// So much happened that the kernel has stopped counting.
    Lost,
}

/// Takes events, on a thread of the watcher.
pub type OnEvent = Arc<dyn Fn(FileEvent) + Send + Sync>;

/// Why the kernel does not tell.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Limit {
    /// No further folder may be watched.
    Watches,
    /// No further program may watch.
    Instances,
}

impl fmt::Display for Limit {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (setting, value) = match self {
            Self::Watches => ("max_user_watches", 524_288),
            Self::Instances => ("max_user_instances", 1024),
        };
        write!(
            f,
            "the system does not tell of more files: the limit fs.inotify.{setting} is reached\n\
             hint: raise it with `sysctl fs.inotify.{setting}={value}`"
        )
    }
}

/// Why folders cannot be watched.
#[derive(Debug, thiserror::Error)]
#[error("cannot watch {what}: {error}\nhint: --poll looks for changes instead of being told")]
pub struct WatchError {
    what: String,
    error: notify::Error,
}

/// What came of a new set of folders.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Renewed {
    /// Whether one of them was not watched before.
    pub added: bool,
    /// Why folders are looked at from now on.
    pub limit: Option<Limit>,
}

/// Size, time and inode of files, by path.
type Look = BTreeMap<Utf8PathBuf, (u64, FileTime, u64)>;

/// How changes are noticed.
enum Way {
    Told(RecommendedWatcher),
    Looks(Look),
}

/// Folders that are watched.
pub struct FolderWatch {
    way: Way,
    folders: BTreeSet<Utf8PathBuf>,
}

impl FolderWatch {
    /// Watches nothing yet. Also says when folders can only be looked at; with `poll` they are, without asking.
    ///
    /// # Errors
    /// The system refuses for another reason than a limit.
    pub fn new(poll: bool, on_event: OnEvent) -> Result<(Self, Option<Limit>), WatchError> {
        let looks = || Self { way: Way::Looks(Look::new()), folders: BTreeSet::new() };
        if poll {
            return Ok((looks(), None));
        }
        let handler = move |event: notify::Result<notify::Event>| told(event, &on_event);
        match notify::recommended_watcher(handler) {
            Ok(watcher) => Ok((Self { way: Way::Told(watcher), folders: BTreeSet::new() }, None)),
            Err(error) => match limit(&error) {
                Some(limit) => Ok((looks(), Some(limit))),
                None => Err(WatchError { what: "files".to_owned(), error }),
            },
        }
    }

    /// Whether changes show only in [`FolderWatch::look`].
    pub fn looks(&self) -> bool {
        matches!(self.way, Way::Looks(_))
    }

    /// How many folders there are.
    pub fn len(&self) -> usize {
        self.folders.len()
    }

    /// Whether there is none.
    pub fn is_empty(&self) -> bool {
        self.folders.is_empty()
    }

    /// Watches exactly these folders, without those below them.
    ///
    /// # Errors
    /// The system refuses for another reason than a limit, which [`Renewed`] tells.
    pub fn set(&mut self, folders: &BTreeSet<Utf8PathBuf>) -> Result<Renewed, WatchError> {
        let new: BTreeSet<Utf8PathBuf> = folders.difference(&self.folders).cloned().collect();
        let mut renewed = Renewed { added: !new.is_empty(), limit: None };
        if let Way::Told(watcher) = &mut self.way {
            for folder in self.folders.difference(folders) {
                // it may be gone
                _ = watcher.unwatch(folder.as_std_path());
            }
            for folder in &new {
                let Err(error) = watcher.watch(folder.as_std_path(), RecursiveMode::NonRecursive) else { continue };
                match limit(&error) {
                    Some(limit) => {
                        renewed.limit = Some(limit);
                        break;
                    }
                    // it was there a moment ago; the folder above it tells
                    None if !folder.is_dir() => {}
                    None => return Err(WatchError { what: folder.to_string(), error }),
                }
            }
        }
        self.folders.clone_from(folders);
        if renewed.limit.is_some() {
            self.way = Way::Looks(look(&self.folders));
            // what was saved until now was not told
            renewed.added = true;
        } else if let Way::Looks(last) = &mut self.way {
            // what is new in a folder that was looked at before shows in the next look
            last.extend(look(&new));
        }
        Ok(renewed)
    }

    /// What is watched under a path is another folder now, if any.
    pub fn forget(&mut self, path: &Utf8Path) {
        let gone: Vec<_> = self.folders.iter().filter(|folder| folder.starts_with(path)).cloned().collect();
        for folder in gone {
            if let Way::Told(watcher) = &mut self.way {
                _ = watcher.unwatch(folder.as_std_path());
            }
            self.folders.remove(&folder);
        }
    }

    /// What has changed since the last look; nothing when changes are told.
    pub fn look(&mut self) -> Vec<FileEvent> {
        let Way::Looks(last) = &mut self.way else { return Vec::new() };
        let now = look(&self.folders);
        let changed = now.iter().filter(|(path, seen)| last.get(*path) != Some(*seen));
        let changed = changed.map(|(path, _)| FileEvent::Changed(path.clone()));
        let gone = last.keys().filter(|path| !now.contains_key(*path)).map(|path| FileEvent::Gone(path.clone()));
        let events = changed.chain(gone).collect();
        *last = now;
        events
    }
}

fn look(folders: &BTreeSet<Utf8PathBuf>) -> Look {
    let entries = folders.iter().filter_map(|folder| folder.read_dir_utf8().ok()).flatten().filter_map(Result::ok);
    let seen = |path: &Utf8Path| {
        let metadata = path.symlink_metadata().ok()?;
        // the time of a folder says what its files say
        let time = if metadata.is_dir() { FileTime::zero() } else { FileTime::from_last_modification_time(&metadata) };
        let size = if metadata.is_dir() { 0 } else { metadata.len() };
        Some((size, time, inode(&metadata)))
    };
    entries.filter_map(|entry| Some((entry.path().to_owned(), seen(entry.path())?))).collect()
}

#[cfg(unix)]
fn inode(metadata: &std::fs::Metadata) -> u64 {
    std::os::unix::fs::MetadataExt::ino(metadata)
}

#[cfg(not(unix))]
fn inode(_metadata: &std::fs::Metadata) -> u64 {
    0
}

fn limit(error: &notify::Error) -> Option<Limit> {
    const NO_SPACE: i32 = 28;
    const TOO_MANY_FILES: i32 = 24;
    match &error.kind {
        ErrorKind::MaxFilesWatch => Some(Limit::Watches),
        ErrorKind::Io(error) if error.raw_os_error() == Some(NO_SPACE) => Some(Limit::Watches),
        ErrorKind::Io(error) if error.raw_os_error() == Some(TOO_MANY_FILES) => Some(Limit::Instances),
        _ => None,
    }
}

/// Passes on what is a change; that somebody reads a file is none.
fn told(event: notify::Result<notify::Event>, on_event: &OnEvent) {
    let Ok(event) = event else { return on_event(FileEvent::Lost) };
    if event.need_rescan() {
        return on_event(FileEvent::Lost);
    }
    let gone = match event.kind {
        EventKind::Access(_) => return,
        EventKind::Remove(_) | EventKind::Modify(ModifyKind::Name(_)) => true,
        _ => false,
    };
    for path in event.paths.into_iter().filter_map(|path| Utf8PathBuf::from_path_buf(path).ok()) {
        // of a rename it is not told reliably which path is the old one
        on_event(if gone { FileEvent::Gone(path) } else { FileEvent::Changed(path) });
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_look_sees_every_kind_of_change() {
        let folder = tempfile::tempdir().unwrap();
        let top = Utf8Path::from_path(folder.path()).unwrap();
        let write = |name: &str, text: &str| fs_err::write(top.join(name), text).unwrap();
        ["same", "gone", "longer", "replaced"].iter().for_each(|name| write(name, "1"));
        let (mut watch, limit) = FolderWatch::new(true, Arc::new(|_| ())).unwrap();
        assert_eq!((limit, watch.looks()), (None, true));
        let folders = BTreeSet::from([top.to_owned()]);
        assert!(watch.set(&folders).unwrap().added && !watch.set(&folders).unwrap().added);
        assert_eq!(watch.look(), []);
        write("longer", "12");
        write("new", "1");
        fs_err::remove_file(top.join("gone")).unwrap();
        write("other", "1");
        fs_err::rename(top.join("other"), top.join("replaced")).unwrap();
        // a set that stays the same forgets nothing
        watch.set(&folders).unwrap();
        let path = |name: &str| top.join(name);
        let changed = ["longer", "new", "replaced"].map(|name| FileEvent::Changed(path(name)));
        let expect: Vec<FileEvent> = changed.into_iter().chain([FileEvent::Gone(path("gone"))]).collect();
        assert_eq!(watch.look(), expect);
        assert_eq!(watch.look(), []);
    }

    #[test]
    fn limits_are_known() {
        let io = |code| notify::Error::io(std::io::Error::from_raw_os_error(code));
        assert_eq!(limit(&io(28)), Some(Limit::Watches));
        assert_eq!(limit(&io(24)), Some(Limit::Instances));
        assert_eq!(limit(&io(13)), None);
        assert!(Limit::Watches.to_string().contains("sysctl fs.inotify.max_user_watches="));
    }
}
