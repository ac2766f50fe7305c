//! Files like static binaries: real machine code in another order, so that it compresses as programs do.

use std::fs;
use std::path::PathBuf;
use std::sync::atomic::{AtomicUsize, Ordering};

/// Slices of this program that are copied at a time.
const SLICE: usize = 16 * 1024;

/// Files in a folder of their own, on the disk that is built on.
pub struct Payload {
    folder: tempfile::TempDir,
    rounds: AtomicUsize,
    pub files: Vec<PathBuf>,
}

impl Payload {
    /// So many files of this size, each with other bytes.
    pub fn new(count: usize, size: usize) -> Self {
        let folder = tempfile::tempdir_in(crate::disk()).unwrap();
        let code = fs::read(std::env::current_exe().unwrap()).unwrap();
        let mut state = 1_u64;
        let file = |index: usize| {
            let mut bytes = Vec::with_capacity(size + SLICE);
            while bytes.len() < size {
                // xorshift: any slice of the program may come next
                state ^= state << 13;
                state ^= state >> 7;
                state ^= state << 17;
                let at = (state % (code.len() - SLICE) as u64) as usize;
                bytes.extend(&code[at..at + SLICE]);
            }
            bytes.truncate(size);
            let path = folder.path().join(format!("program-{index}"));
            fs::write(&path, bytes).unwrap();
            path
        };
        let files = (0..count).map(file).collect();
        Self { folder, rounds: AtomicUsize::new(0), files }
    }
    /// One file of this size that takes no room on the disk.
    pub fn sparse(size: u64) -> Self {
        let folder = tempfile::tempdir_in(crate::disk()).unwrap();
        let path = folder.path().join("program");
        fs::File::create(&path).unwrap().set_len(size).unwrap();
        Self { folder, rounds: AtomicUsize::new(0), files: vec![path] }
    }
    /// A new, empty folder on the same disk. It goes with the payload and not before: ext4 avoids the places of files that
    /// were removed a moment ago, and whoever makes files pays for that search.
    pub fn scratch(&self) -> PathBuf {
        let folder = self.folder.path().join(format!("round-{}", self.rounds.fetch_add(1, Ordering::Relaxed)));
        fs::create_dir(&folder).unwrap();
        folder
    }
}
