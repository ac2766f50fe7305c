//! A small file that remembers an answer from run to run, so that it need not be asked for again.
//!
//! ```text
//! SHA-256 of all that follows, in hex
//! NAME VERSION
//! JSON
//! ```
//!
//! **A remembered answer is never trusted**: a file that is damaged in a single bit, cut off, of another name or version, too
//! large, or no regular file counts as none, and whoever wanted the answer asks again. The checksum is against accidents: who
//! can write into the workspace can write its manifests too. Links are not followed; see [`super::state`].

use std::io;

use camino::Utf8Path;
use serde::Serialize;
use serde::de::DeserializeOwned;
use sha2::{Digest as _, Sha256};

use super::state;

/// A larger file is not ours, in bytes.
const MAX_FILE: u64 = 1 << 28;

/// One such file.
#[derive(Debug, Clone, Copy)]
pub struct Remembered {
    /// Its name in the state folder.
    pub name: &'static str,
    /// Counted up when the same bytes mean something else.
    pub version: u32,
}

impl Remembered {
    /// What is remembered; `None` when it has to be asked for.
    pub fn read<T: DeserializeOwned>(self, folder: &Utf8Path) -> Option<T> {
        let bytes = state::read(folder, self.name, MAX_FILE)?;
        let (checksum, rest) = str::from_utf8(&bytes).ok()?.split_once('\n')?;
        if checksum != checksum_of(rest) {
            return None;
        }
        let (head, json) = rest.split_once('\n')?;
        serde_json::from_str(json).ok().filter(|_| head == self.head())
    }

    /// Remembers an answer.
    ///
    /// # Errors
    /// Whatever the disk says; then it is asked for again, which is no reason to fail.
    pub fn write<T: Serialize>(self, folder: &Utf8Path, value: &T) -> io::Result<()> {
        let rest = format!("{}\n{}", self.head(), serde_json::to_string(value)?);
        let text = format!("{}\n{rest}", checksum_of(&rest));
        state::write(folder, self.name, text.as_bytes()).map(drop)
    }

    fn head(self) -> String {
        format!("{} {}", self.name, self.version)
    }
}

fn checksum_of(text: &str) -> String {
    crate::oci::hex(&Sha256::digest(text))
}

/// Checks that a file counts as none whichever of its bits is another one, and wherever it ends; at least 1000 places are
/// tried.
#[cfg(test)]
pub(crate) fn check_that_damage_is_noticed(path: &Utf8Path, is_none: impl Fn() -> bool) {
    let good = fs_err::read(path).unwrap();
    assert!(!is_none(), "{path} is whole");
    let bits = good.len() * 8;
    for bit in (0..1000.max(bits)).step_by((bits / 1000).max(1)) {
        let mut bytes = good.clone();
        bytes[bit % bits / 8] ^= 1 << (bit % 8);
        fs_err::write(path, &bytes).unwrap();
        assert!(is_none(), "{path} with another bit {bit}");
    }
    for length in (0..good.len()).step_by((good.len() / 50).max(1)) {
        fs_err::write(path, &good[..length]).unwrap();
        assert!(is_none(), "{path} with {length} bytes");
    }
    fs_err::write(path, [good.as_slice(), b"\n"].concat()).unwrap();
    assert!(is_none(), "{path} with a byte more");
    fs_err::write(path, &good).unwrap();
    assert!(!is_none(), "{path} is whole again");
}

#[cfg(test)]
mod tests {
    use super::*;

    const FILE: Remembered = Remembered { name: "answer.json", version: 3 };

    #[test]
    fn only_what_was_written_is_read() {
        let temporary = tempfile::tempdir().unwrap();
        let folder = Utf8Path::from_path(temporary.path()).unwrap();
        let read = |file: Remembered| file.read::<Vec<u32>>(folder);
        assert_eq!(read(FILE), None);
        let answer: Vec<u32> = (0..100).collect();
        FILE.write(folder, &answer).unwrap();
        assert_eq!(read(FILE).as_ref(), Some(&answer));
        check_that_damage_is_noticed(&folder.join(FILE.name), || read(FILE).as_ref() != Some(&answer));
        assert_eq!(read(Remembered { version: 4, ..FILE }), None);
        assert_eq!(FILE.read::<String>(folder), None, "another form");
        fs_err::rename(folder.join(FILE.name), folder.join("other.json")).unwrap();
        assert_eq!(read(Remembered { name: "other.json", ..FILE }), None, "moved");
        fs_err::create_dir(folder.join(FILE.name)).unwrap();
        assert_eq!(read(FILE), None);
        assert!(FILE.write(folder, &answer).is_err());
    }
}
