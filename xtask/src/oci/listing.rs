//! What a layer does to the file tree below it, entry by entry, without the bytes of its files.
//! <https://github.com/opencontainers/image-spec/blob/main/layer.md>
//!
//! Layers of strangers pass here, so names are judged here:
//!
//! | name or entry | becomes |
//! |---|---|
//! | `/etc/x`, `./etc//x`, `a/../etc/x` | `etc/x`, as in Docker and containerd, which join cleaned names to the root |
//! | `../x`, `/../x`, `a/../../x` | refused, as in Docker; so are such targets of hard links |
//! | `.wh.x` | `x` of the layers below is gone; `.wh.`, `.wh..` and `.wh...` are refused |
//! | `.wh..wh..opq` | all of its folder that the layers below gave is gone |
//! | other `.wh..wh.…` | nothing: AUFS kept its books there |
//! | a segment over 255 bytes, a path over 4096, a zero byte | refused: no file system has them |
//! | devices and pipes | kept, as [`Change::Special`]; they stay in the layer, which is used as it is |
//! | an owner above 32 bits | refused: Linux has none |
//! | more than [`MAX_ENTRIES`] entries | refused, so that memory stays bounded |
//!
//! A name that is not UTF-8 is kept with U+FFFD in place of what is none; only files that are taken out of an image need
//! their names to be exact, and there it is refused.
//!
//! A [`Listing`] is compact (each name only where it differs from the one before), because it is kept for every layer that was
//! ever read. [`Listing::encode`] is the form on disk; a form that is not ours is `None`, and the layer is read again.

use super::tar_reader::{Skip, TarEntry, TarKind, TarReader};

/// Most entries that one layer, or all layers of an image, may have: a tree of so many takes about 300 MB.
pub const MAX_ENTRIES: u32 = 2_000_000;
/// Most bytes of names in them: four times what full names of average length need.
const MAX_BYTES: usize = 256 << 20;
/// Longest path, in bytes (`PATH_MAX`).
const MAX_PATH: usize = 4096;
/// Longest segment of a path, in bytes (`NAME_MAX`).
const MAX_SEGMENT: usize = 255;
/// What the form on disk begins with; counted up when it changes.
const MAGIC: &[u8] = b"groupage layer 1\n";

/// Owner and permission bits.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Attributes {
    /// Permission bits, with those for setuid, setgid and sticky.
    pub mode: u32,
    /// Owner.
    pub uid: u32,
    /// Group.
    pub gid: u32,
}

/// What one entry does.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Change<'l> {
    /// There is a folder.
    Folder(Attributes),
    /// There is a file.
    File(Attributes),
    /// There is a symbolic link.
    Link(Attributes, &'l str),
    /// There is another name of the file at a path, which gets these attributes under all of its names.
    HardLink(Attributes, &'l str),
    /// There is a device or a pipe.
    Special(Attributes),
    /// What the layers below have there is gone.
    Whiteout,
    /// What the layers below have in this folder is gone.
    Opaque,
    /// Nothing.
    Nothing,
}

/// One entry of a layer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Listed<'l> {
    /// The path, clean and relative; empty for the root.
    pub path: String,
    /// What happens there.
    pub change: Change<'l>,
}

/// All entries of a layer, in order. The position of an entry is its position in the tar.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Listing {
    bytes: Vec<u8>,
    entries: u32,
    last: Vec<u8>,
}

/// Why a layer cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum LayerError {
    /// It is no tar, or cannot be read.
    #[error("{0}")]
    Read(#[from] std::io::Error),
    /// A name that no layer should have.
    #[error("the entry {name:?} {reason}")]
    Entry {
        /// As it stands in the layer.
        name: String,
        /// What is wrong with it.
        reason: &'static str,
    },
    /// It would not fit into memory.
    #[error("there are more than {MAX_ENTRIES} entries, or their names are longer than {MAX_BYTES} bytes in all")]
    TooMany,
}

impl LayerError {
    pub(super) fn entry(name: &[u8], reason: &'static str) -> Self {
        Self::Entry { name: String::from_utf8_lossy(name).chars().take(MAX_PATH).collect(), reason }
    }
}

impl Listing {
    /// Reads a tar to its end mark.
    ///
    /// # Errors
    /// [`LayerError`]
    pub fn read(tar: &mut TarReader<impl Skip>) -> Result<Self, LayerError> {
        let mut listing = Self::default();
        while let Some(entry) = tar.next_entry()? {
            listing.push(&entry)?;
        }
        Ok(listing)
    }

    /// Adds an entry.
    ///
    /// # Errors
    /// [`LayerError::Entry`], [`LayerError::TooMany`]
    pub fn push(&mut self, entry: &TarEntry) -> Result<(), LayerError> {
        let refuse = |reason| LayerError::entry(&entry.name, reason);
        let name = clean(&entry.name).map_err(refuse)?;
        let (path, whiteout) = whiteout(&name).map_err(refuse)?;
        let small = |id: u64| u32::try_from(id).map_err(|_| refuse("has an owner that is no 32-bit number"));
        let attributes = Attributes { mode: entry.mode, uid: small(entry.uid)?, gid: small(entry.gid)? };
        let target;
        let change = match (whiteout, entry.kind) {
            (Some(change), _) => change,
            (None, TarKind::Folder) => Change::Folder(attributes),
            _ if path.is_empty() => return Err(refuse("would make the root something else than a folder")),
            (None, TarKind::File) => Change::File(attributes),
            (None, TarKind::Special) => Change::Special(attributes),
            (None, TarKind::Link) => {
                target = String::from_utf8_lossy(&entry.target).into_owned();
                check_target(&target).map_err(refuse)?;
                Change::Link(attributes, &target)
            }
            (None, TarKind::HardLink) => {
                target = clean(&entry.target).map_err(|_| refuse("is a hard link to a path that no image has"))?;
                Change::HardLink(attributes, &target)
            }
        };
        self.add(&path, &change)
    }

    fn add(&mut self, path: &str, change: &Change<'_>) -> Result<(), LayerError> {
        let path = path.as_bytes();
        if self.entries == MAX_ENTRIES || self.bytes.len() > MAX_BYTES {
            return Err(LayerError::TooMany);
        }
        let shared = path.iter().zip(&self.last).take_while(|(a, b)| a == b).count();
        let (kind, attributes, target) = parts(change);
        self.bytes.push(kind);
        self.number(shared);
        self.text(&path[shared..]);
        for number in attributes.iter().flat_map(|own| [own.mode, own.uid, own.gid]) {
            self.number(number as usize);
        }
        if let Some(target) = target {
            self.text(target.as_bytes());
        }
        self.last.truncate(shared);
        self.last.extend_from_slice(&path[shared..]);
        self.entries += 1;
        Ok(())
    }

    fn number(&mut self, mut number: usize) {
        while number >= 0x80 {
            self.bytes.push(number as u8 | 0x80);
            number >>= 7;
        }
        self.bytes.push(number as u8);
    }

    fn text(&mut self, text: &[u8]) {
        self.number(text.len());
        self.bytes.extend_from_slice(text);
    }

    /// How many entries there are.
    pub fn len(&self) -> u32 {
        self.entries
    }

    /// Whether the layer does nothing.
    pub fn is_empty(&self) -> bool {
        self.entries == 0
    }

    /// The entries.
    pub fn iter(&self) -> impl Iterator<Item = Listed<'_>> {
        let mut rest = Rest { bytes: &self.bytes, path: Vec::new() };
        std::iter::from_fn(move || rest.next())
    }

    /// The form on disk, before compression.
    pub fn encode(&self) -> Vec<u8> {
        [MAGIC, &self.entries.to_le_bytes(), &self.bytes].concat()
    }

    /// Reads the form on disk.
    pub fn decode(bytes: &[u8]) -> Option<Self> {
        let (entries, bytes) = bytes.strip_prefix(MAGIC)?.split_first_chunk()?;
        let entries = u32::from_le_bytes(*entries);
        let mut rest = Rest { bytes, path: Vec::new() };
        let mut known = 0;
        while !rest.bytes.is_empty() {
            rest.next()?;
            known += 1;
        }
        let whole = known == entries;
        whole.then(|| Self { bytes: bytes.to_vec(), entries, last: rest.path })
    }
}

/// What is still to be read of a listing.
struct Rest<'l> {
    bytes: &'l [u8],
    path: Vec<u8>,
}

impl<'l> Rest<'l> {
    fn next(&mut self) -> Option<Listed<'l>> {
        let (kind, bytes) = self.bytes.split_first()?;
        self.bytes = bytes;
        let shared = self.number()?;
        let suffix = self.text()?;
        if shared > self.path.len() {
            return None;
        }
        self.path.truncate(shared);
        self.path.extend_from_slice(suffix);
        let path = String::from_utf8(self.path.clone()).ok()?;
        let change = match kind {
            0 => Change::Folder(self.attributes()?),
            1 => Change::File(self.attributes()?),
            2 => Change::Link(self.attributes()?, std::str::from_utf8(self.text()?).ok()?),
            3 => Change::HardLink(self.attributes()?, std::str::from_utf8(self.text()?).ok()?),
            4 => Change::Special(self.attributes()?),
            5 => Change::Whiteout,
            6 => Change::Opaque,
            7 => Change::Nothing,
            _ => return None,
        };
        Some(Listed { path, change })
    }

    fn number(&mut self) -> Option<usize> {
        let mut number = 0_u64;
        for shift in (0..35).step_by(7) {
            let (byte, bytes) = self.bytes.split_first()?;
            self.bytes = bytes;
            number |= u64::from(byte & 0x7f) << shift;
            if byte & 0x80 == 0 {
                return usize::try_from(number).ok();
            }
        }
        None
    }

    fn text(&mut self) -> Option<&'l [u8]> {
        let length = self.number()?;
        let (text, bytes) = self.bytes.split_at_checked(length)?;
        self.bytes = bytes;
        Some(text)
    }

    fn attributes(&mut self) -> Option<Attributes> {
        let mut next = || u32::try_from(self.number()?).ok();
        Some(Attributes { mode: next()?, uid: next()?, gid: next()? })
    }
}

fn parts<'c>(change: &Change<'c>) -> (u8, Option<Attributes>, Option<&'c str>) {
    match *change {
        Change::Folder(own) => (0, Some(own), None),
        Change::File(own) => (1, Some(own), None),
        Change::Link(own, target) => (2, Some(own), Some(target)),
        Change::HardLink(own, target) => (3, Some(own), Some(target)),
        Change::Special(own) => (4, Some(own), None),
        Change::Whiteout => (5, None, None),
        Change::Opaque => (6, None, None),
        Change::Nothing => (7, None, None),
    }
}

/// The path that a name in a layer means; empty for the root.
pub(super) fn clean(name: &[u8]) -> Result<String, &'static str> {
    if name.len() > MAX_PATH {
        return Err("has a path that is too long");
    }
    if name.contains(&0) {
        return Err("has a zero byte in its name");
    }
    let mut segments = Vec::new();
    for segment in name.split(|byte| *byte == b'/') {
        match segment {
            b"" | b"." => {}
            b".." => _ = segments.pop().ok_or("leads out of the image")?,
            _ if segment.len() > MAX_SEGMENT => return Err("has a name that is too long"),
            _ => segments.push(segment),
        }
    }
    Ok(String::from_utf8_lossy(&segments.join(&b'/')).into_owned())
}

fn check_target(target: &str) -> Result<(), &'static str> {
    match target {
        "" => Err("is a link to nothing"),
        _ if target.len() > MAX_PATH => Err("is a link with a target that is too long"),
        _ if target.contains('\0') => Err("is a link with a zero byte in its target"),
        _ => Ok(()),
    }
}

/// The path that a clean name is about, and what it takes away there, if it does.
fn whiteout(name: &str) -> Result<(String, Option<Change<'static>>), &'static str> {
    let (folder, base) = name.rsplit_once('/').unwrap_or(("", name));
    if base == ".wh..wh..opq" {
        return Ok((folder.to_owned(), Some(Change::Opaque)));
    }
    if name.split('/').any(|segment| segment.starts_with(".wh..wh.")) {
        return Ok((folder.to_owned(), Some(Change::Nothing)));
    }
    match base.strip_prefix(".wh.") {
        None => Ok((name.to_owned(), None)),
        Some("" | "." | "..") => Err("is a whiteout of nothing"),
        Some(hidden) if folder.is_empty() => Ok((hidden.to_owned(), Some(Change::Whiteout))),
        Some(hidden) => Ok((format!("{folder}/{hidden}"), Some(Change::Whiteout))),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn entries_and_their_names_are_counted() {
        let full = [
            Listing { entries: MAX_ENTRIES, ..Listing::default() },
            Listing { bytes: vec![0; MAX_BYTES + 1], ..Listing::default() },
        ];
        for mut listing in full {
            assert!(matches!(listing.add("a", &Change::Whiteout), Err(LayerError::TooMany)));
        }
    }
}
