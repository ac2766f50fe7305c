//! What the file system says of a file, and whether that is enough to know that it is still the same one.
//!
//! A file whose device, inode, size and times of modification and change are what they were when it was hashed still has the
//! same content, with one exception: times are coarse. A file that is changed twice within one tick of the clock looks the
//! same after both, and a hash taken in between would stand for the wrong content (git calls such an entry racily clean).
//! So what was seen counts only when the file was clearly older than the moment at which its hash was taken; see
//! [`Clock::is_clearly_after`]. That moment is the time that a file gets which is made then, on the same file system:
//! another clock, such as that of the processor or of another host, may be ahead or behind.
//!
//! Who has seen a file hands [`Seen`] on to whoever reads it again, so that it need not be hashed twice. It is a fact about
//! this machine: it is in no output and in no fingerprint, and two values that differ in nothing else are equal.

use std::fs::Metadata;
use std::sync::Arc;

use camino::Utf8Path;

/// Ticks of the kernel last up to 10 ms, and so do the times of some file systems (exFAT); a few of them, to be sure.
const TICKS: u64 = 50_000_000;
/// Two seconds, and one to spare: file systems without nanoseconds count whole seconds, or pairs of them (FAT).
const COARSE: u64 = 3_000_000_000;
/// On a file system on which no time was taken: it may be that of another host, whose clock is almost the same.
const ELSEWHERE: u64 = 60_000_000_000;

/// Seconds since 1970, and nanoseconds.
pub(super) type Moment = (i64, u32);

/// What the file system says of a regular file.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Stat {
    pub(super) device: u64,
    pub(super) inode: u64,
    pub(super) size: u64,
    /// When its content was changed, or what somebody set instead.
    pub(super) modified: Moment,
    /// When anything of it was changed; nobody can set that.
    pub(super) changed: Moment,
}

impl Stat {
    /// `None` where the file system has no time of change that nobody can set: such files are always hashed.
    #[cfg(unix)]
    pub(super) fn of(metadata: &Metadata) -> Option<Self> {
        use std::os::unix::fs::MetadataExt as _;
        let nanoseconds = |value: i64| u32::try_from(value).unwrap_or_default();
        Some(Self {
            device: metadata.dev(),
            inode: metadata.ino(),
            size: metadata.size(),
            modified: (metadata.mtime(), nanoseconds(metadata.mtime_nsec())),
            changed: (metadata.ctime(), nanoseconds(metadata.ctime_nsec())),
        })
    }

    /// `None` where the file system has no time of change that nobody can set: such files are always hashed.
    #[cfg(not(unix))]
    pub(super) fn of(_metadata: &Metadata) -> Option<Self> {
        None
    }
}

/// What the clock of a file system said at one moment.
#[derive(Debug, Clone, Copy)]
pub(super) struct Clock {
    device: u64,
    now: Moment,
}

impl Clock {
    /// Reads the clock of the file system that a folder is on, by making a file without a name. `None` when that cannot be
    /// done: then nothing counts as old.
    pub(super) fn read(folder: &Utf8Path) -> Option<Self> {
        let made = Stat::of(&tempfile::tempfile_in(folder).ok()?.metadata().ok()?)?;
        Some(Self { device: made.device, now: made.modified })
    }

    /// Whether a file was left alone for so long before this moment that any later change of it shows in its times.
    pub(super) fn is_clearly_after(&self, stat: &Stat) -> bool {
        let margin = match stat {
            _ if stat.device != self.device => ELSEWHERE,
            Stat { changed: (_, 0), .. } | Stat { modified: (_, 0), .. } => COARSE,
            _ => TICKS,
        };
        let is_before = |moment: Moment| nanoseconds(moment) + i128::from(margin) < nanoseconds(self.now);
        is_before(stat.modified) && is_before(stat.changed)
    }

    #[cfg(test)]
    pub(super) fn at(device: u64, now: Moment) -> Self {
        Self { device, now }
    }
}

fn nanoseconds((seconds, nanoseconds): Moment) -> i128 {
    i128::from(seconds) * 1_000_000_000 + i128::from(nanoseconds)
}

/// What the file system said of a file when it was hashed, if that is enough to recognise it; see the module.
///
/// All values of this type are equal: it says how something is known, not what.
#[derive(Debug, Clone, Default)]
pub struct Seen(Option<Arc<Stat>>);

impl Seen {
    /// Below this size, hashing again costs less than keeping this.
    const WORTHWHILE: u64 = 64 * 1024;

    /// Of a file that was clearly older than its hash.
    pub(super) fn settled(stat: &Stat) -> Self {
        Self((stat.size >= Self::WORTHWHILE).then(|| Arc::new(*stat)))
    }

    /// Whether this is still that very file with the same content. `metadata` must be that of the opened file, before it is
    /// read and after it: a path may lead to another file by then.
    pub fn is_still(&self, metadata: &Metadata) -> bool {
        self.0.as_ref().is_some_and(|seen| metadata.is_file() && Stat::of(metadata).as_ref() == Some(&**seen))
    }
}

impl PartialEq for Seen {
    fn eq(&self, _other: &Self) -> bool {
        true
    }
}

impl Eq for Seen {}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_what_is_clearly_older_counts() {
        let check = |changed: Moment, modified: Moment, device: u64, expect: bool| {
            let stat = Stat { device, inode: 1, size: 1, modified, changed };
            let clock = Clock::at(7, (100, 200_000_000));
            assert_eq!(clock.is_clearly_after(&stat), expect, "{changed:?} {modified:?} on {device}");
        };
        let old = (50, 1);
        check(old, old, 7, true);
        // the same tick, the tick before, and a few ticks before
        check((100, 200_000_000), old, 7, false);
        check((100, 196_000_000), old, 7, false);
        check((100, 149_999_999), old, 7, true);
        check(old, (100, 196_000_000), 7, false);
        // from the future: somebody set it, or the clock was set back
        check(old, (4_000_000_000, 1), 7, false);
        check((101, 1), old, 7, false);
        // no nanoseconds
        check((98, 0), (98, 0), 7, false);
        check((97, 0), (97, 0), 7, true);
        check((98, 1), (98, 1), 7, true);
        // another file system
        check((60, 1), (60, 1), 8, false);
        check((40, 1), (40, 1), 8, true);
    }

    #[cfg(unix)]
    #[test]
    fn a_file_is_known_by_itself_and_not_by_its_path() {
        let folder = tempfile::tempdir().unwrap();
        let (a, b) = (folder.path().join("a"), folder.path().join("b"));
        let bytes = vec![7; 100_000];
        std::fs::write(&a, &bytes).unwrap();
        std::fs::write(&b, &bytes).unwrap();
        let seen = Seen::settled(&Stat::of(&a.metadata().unwrap()).unwrap());
        assert!(seen.is_still(&a.metadata().unwrap()));
        assert!(!seen.is_still(&b.metadata().unwrap()));
        assert!(!Seen::default().is_still(&a.metadata().unwrap()));
        std::fs::remove_file(&a).unwrap();
        std::os::unix::fs::symlink(&b, &a).unwrap();
        assert!(!seen.is_still(&std::fs::File::open(&a).unwrap().metadata().unwrap()));
    }
}
