//! Adds up one buffer directory.
//!
//! A file that vanishes while the directory is walked is not counted; every other failure makes the scan incomplete.

use std::fs::Metadata;
use std::io;
use std::path::Path;
use std::time::{Duration, SystemTime};

#[cfg(feature = "histogram")]
use metrics_endpoint::Histogram;

/// Upper bounds in bytes: 1 KiB to 4 GiB in steps of 4; chunk sizes are spread over orders of magnitude.
#[cfg(feature = "histogram")]
const SIZE_BOUNDS: [f64; 12] = [
    1024.0,
    4096.0,
    16384.0,
    65536.0,
    262_144.0,
    1_048_576.0,
    4_194_304.0,
    16_777_216.0,
    67_108_864.0,
    268_435_456.0,
    1_073_741_824.0,
    4_294_967_296.0,
];

/// What a buffer directory holds.
#[derive(Debug)]
pub(crate) struct Scan {
    pub(crate) bytes: u64,
    pub(crate) files: u64,
    /// Age of the oldest file; zero when there is none, since then nothing waits.
    pub(crate) oldest: Duration,
    #[cfg(feature = "histogram")]
    pub(crate) sizes: Histogram,
}

/// Walks `dir` and everything below it; ages are relative to `now`.
///
/// # Errors
/// When a directory or a file in it cannot be looked at for another reason than having gone.
pub(crate) fn scan(dir: &Path, now: SystemTime) -> io::Result<Scan> {
    let mut scan = Scan {
        bytes: 0,
        files: 0,
        oldest: Duration::ZERO,
        #[cfg(feature = "histogram")]
        sizes: Histogram::new(&SIZE_BOUNDS),
    };
    buffer_files::walk(dir, |_, metadata| scan.add(metadata, now))?;
    Ok(scan)
}

impl Scan {
    fn add(&mut self, metadata: &Metadata, now: SystemTime) -> io::Result<()> {
        // A time in the future (clock set back, another node's clock) counts as brand new.
        let age = now.duration_since(metadata.modified()?).unwrap_or(Duration::ZERO);
        self.bytes += metadata.len();
        self.files += 1;
        self.oldest = self.oldest.max(age);
        #[cfg(feature = "histogram")]
        self.sizes.observe(metadata.len() as f64);
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use std::fs::{self, File};
    use std::os::unix::fs::symlink;

    use super::*;

    const NOW: Duration = Duration::from_secs(1_000_000);

    /// `files` are path, size in bytes and age in seconds.
    fn check(files: &[(&str, u64, i64)], bytes: u64, count: u64, oldest: u64) {
        let dir = tempfile::tempdir().expect("a temporary directory");
        let now = SystemTime::UNIX_EPOCH + NOW;
        for (path, size, age) in files {
            let path = dir.path().join(path);
            fs::create_dir_all(path.parent().expect("it has one")).expect("the directory is made");
            let file = File::create(&path).expect("the file is made");
            file.set_len(*size).expect("the file has its size");
            let modified = NOW.as_secs().checked_add_signed(-age).expect("a time after the epoch");
            file.set_modified(SystemTime::UNIX_EPOCH + Duration::from_secs(modified)).expect("the file has its age");
        }
        symlink("/", dir.path().join("link")).expect("the link is made");
        let scan = scan(dir.path(), now).expect("the directory is readable");
        assert_eq!((scan.bytes, scan.files, scan.oldest.as_secs()), (bytes, count, oldest), "{files:?}");
    }

    #[test]
    fn files_are_counted_recursively() {
        check(&[], 0, 0, 0);
        check(&[("a.log", 10, 5)], 10, 1, 5);
        check(&[("a.log", 10, 5), ("q/b.log", 30, 50), ("q/r/c.log", 0, 7)], 40, 3, 50);
    }

    #[test]
    fn a_file_from_the_future_is_new() {
        check(&[("a.log", 1, -100)], 1, 1, 0);
    }

    #[test]
    fn a_missing_directory_is_an_error() {
        let dir = tempfile::tempdir().expect("a temporary directory");
        let error = scan(&dir.path().join("none"), SystemTime::UNIX_EPOCH).expect_err("it does not exist");
        assert_eq!(error.kind(), io::ErrorKind::NotFound);
    }
}
