//! The file of the memory: one block for each folder, and an index of the blocks.
//!
//! ```text
//! header   magic 8 · version 4 · folders 4 · bytes of the index 8 · bytes of the blocks 8 · checksum 32
//! index    for each folder, sorted: length of the path 2 · path · length of the block 4
//! block    device 8 · for each file, sorted: length of the name 2 · name · inode 8 · size 8
//!          · modified 8 + 4 · changed 8 + 4 · SHA-256 32
//! ```
//!
//! Numbers are little-endian. The checksum is SHA-256 over the header before it and the SHA-256 of each [`PIECE`] of what
//! follows, so that all processors can check it; no single bit can change unnoticed. Nothing is unpacked when a memory is
//! opened but the index: a file is found by walking over its folder's block beside the sorted folder.
//!
//! Count [`VERSION`] up whenever a byte of this changes its meaning; a file with another one is left unread.

use std::ops::Range;

use sha2::{Digest as _, Sha256};

use super::super::pool::in_parallel;
use super::super::seen::Stat;

const MAGIC: &[u8; 8] = b"grpghash";
const VERSION: u32 = 1;
/// What is hashed at once, in bytes.
const PIECE: usize = 1 << 20;
/// Magic, version, number of folders, and two lengths.
pub(super) const HEAD: usize = 32;
pub(super) const HEADER: usize = HEAD + 32;
/// Bytes of a file in a block behind its name.
const FIXED: usize = 8 + 8 + 12 + 12 + 32;

/// SHA-256 of a file.
pub(crate) type Hash = [u8; 32];

/// A memory as it was read.
#[derive(Debug, Default)]
pub(super) struct Stored {
    bytes: Vec<u8>,
    folders: Vec<StoredFolder>,
}

#[derive(Debug)]
struct StoredFolder {
    path: Range<usize>,
    block: Range<usize>,
}

impl Stored {
    /// `None` for whatever is not exactly what [`encode`] has written.
    pub(super) fn decode(bytes: Vec<u8>) -> Option<Self> {
        let mut head = bytes.get(..HEAD)?;
        let magic: [u8; 8] = take(&mut head)?;
        let version = u32::from_le_bytes(take(&mut head)?);
        let count = u32::from_le_bytes(take(&mut head)?);
        let index = usize::try_from(u64::from_le_bytes(take(&mut head)?)).ok()?;
        let blocks = usize::try_from(u64::from_le_bytes(take(&mut head)?)).ok()?;
        let length = HEADER.checked_add(index)?.checked_add(blocks)?;
        if magic != *MAGIC || version != VERSION || bytes.len() != length {
            return None;
        }
        if bytes.get(HEAD..HEADER)? != checksum(&bytes[..HEAD], &bytes[HEADER..]) {
            return None;
        }
        let folders = folders(&bytes, count, HEADER + index)?;
        Some(Self { bytes, folders })
    }

    /// The files of a folder, sorted by name; none when nothing is known of it.
    pub(super) fn files(&self, folder: &str) -> Files<'_> {
        let found = self.folders.binary_search_by(|known| self.bytes[known.path.clone()].cmp(folder.as_bytes()));
        Files::of(found.map_or(&[], |at| &self.bytes[self.folders[at].block.clone()]))
    }

    /// Path and block of every folder that is known, sorted by path.
    pub(super) fn folders(&self) -> impl Iterator<Item = (&str, &[u8])> {
        self.folders.iter().filter_map(|folder| {
            let path = str::from_utf8(&self.bytes[folder.path.clone()]).ok()?;
            Some((path, &self.bytes[folder.block.clone()]))
        })
    }
}

fn folders(bytes: &[u8], count: u32, blocks: usize) -> Option<Vec<StoredFolder>> {
    let mut folders = Vec::with_capacity(count.min(1 << 20) as usize);
    let (mut at, mut block) = (HEADER, blocks);
    for _ in 0..count {
        let mut rest = bytes.get(at..blocks)?;
        let path = at + 2..at + 2 + usize::from(u16::from_le_bytes(take(&mut rest)?));
        let mut rest = bytes.get(path.end..blocks)?;
        let length = u32::from_le_bytes(take(&mut rest)?) as usize;
        at = path.end + 4;
        bytes.get(block..block + length)?;
        folders.push(StoredFolder { path, block: block..block + length });
        block += length;
    }
    (at == blocks && block == bytes.len()).then_some(folders)
}

/// The first bytes, which are taken off.
fn take<const N: usize>(bytes: &mut &[u8]) -> Option<[u8; N]> {
    let (first, rest) = bytes.split_first_chunk::<N>()?;
    *bytes = rest;
    Some(*first)
}

pub(super) fn checksum(head: &[u8], body: &[u8]) -> [u8; 32] {
    let pieces: Vec<&[u8]> = body.chunks(PIECE).collect();
    let mut hasher = Sha256::new();
    hasher.update(head);
    in_parallel(&pieces, |piece| Sha256::digest(piece)).iter().for_each(|hash| hasher.update(hash));
    hasher.finalize().into()
}

/// Files of a block, in order of their names.
#[derive(Debug, Clone)]
pub(super) struct Files<'a> {
    device: u64,
    rest: &'a [u8],
}

/// A file that is known.
#[derive(Debug, Clone, Copy)]
pub(super) struct StoredFile<'a> {
    pub(super) name: &'a [u8],
    device: u64,
    fixed: &'a [u8; FIXED],
}

impl<'a> Files<'a> {
    pub(super) fn of(block: &'a [u8]) -> Self {
        let mut rest = block;
        let device = take(&mut rest).map(u64::from_le_bytes).unwrap_or_default();
        Self { device, rest }
    }
}

impl<'a> Iterator for Files<'a> {
    type Item = StoredFile<'a>;

    fn next(&mut self) -> Option<StoredFile<'a>> {
        let (length, rest) = self.rest.split_first_chunk::<2>()?;
        let (name, rest) = rest.split_at_checked(usize::from(u16::from_le_bytes(*length)))?;
        let (fixed, rest) = rest.split_first_chunk::<FIXED>()?;
        self.rest = rest;
        Some(StoredFile { name, device: self.device, fixed })
    }
}

impl StoredFile<'_> {
    pub(super) fn stat(&self) -> Stat {
        let mut rest = self.fixed.as_slice();
        // fields are taken in the order in which they stand here; there are enough bytes for all of them
        let inode = u64::from_le_bytes(take(&mut rest).unwrap_or_default());
        let size = u64::from_le_bytes(take(&mut rest).unwrap_or_default());
        let mut moment = || {
            let seconds = i64::from_le_bytes(take(&mut rest).unwrap_or_default());
            (seconds, u32::from_le_bytes(take(&mut rest).unwrap_or_default()))
        };
        let (modified, changed) = (moment(), moment());
        Stat { device: self.device, inode, size, modified, changed }
    }

    pub(super) fn hash(&self) -> Hash {
        self.fixed.last_chunk().copied().unwrap_or_default()
    }
}

/// The block of a folder; its files must be sorted by name, and all be on one device.
pub(super) fn block<'a>(device: u64, files: impl IntoIterator<Item = (&'a str, Stat, Hash)>) -> Vec<u8> {
    let mut block = device.to_le_bytes().to_vec();
    for (name, stat, hash) in files {
        // no file system has longer names
        let Ok(length) = u16::try_from(name.len()) else { continue };
        block.extend(length.to_le_bytes());
        block.extend(name.as_bytes());
        block.extend(stat.inode.to_le_bytes());
        block.extend(stat.size.to_le_bytes());
        for (seconds, nanoseconds) in [stat.modified, stat.changed] {
            block.extend(seconds.to_le_bytes());
            block.extend(nanoseconds.to_le_bytes());
        }
        block.extend(hash);
    }
    block
}

/// The whole file; folders must be sorted by path.
pub(super) fn encode<'a>(folders: impl IntoIterator<Item = (&'a str, &'a [u8])>) -> Vec<u8> {
    let (mut index, mut blocks, mut count) = (Vec::new(), Vec::new(), 0_u32);
    for (path, block) in folders {
        let (Ok(path_length), Ok(length)) = (u16::try_from(path.len()), u32::try_from(block.len())) else { continue };
        index.extend(path_length.to_le_bytes());
        index.extend(path.as_bytes());
        index.extend(length.to_le_bytes());
        blocks.extend_from_slice(block);
        count += 1;
    }
    let mut bytes = Vec::with_capacity(HEADER + index.len() + blocks.len());
    bytes.extend(MAGIC);
    bytes.extend(VERSION.to_le_bytes());
    bytes.extend(count.to_le_bytes());
    bytes.extend((index.len() as u64).to_le_bytes());
    bytes.extend((blocks.len() as u64).to_le_bytes());
    bytes.extend([0; HEADER - HEAD]);
    bytes.extend(index);
    bytes.extend(blocks);
    let sum = checksum(&bytes[..HEAD], &bytes[HEADER..]);
    bytes[HEAD..HEADER].copy_from_slice(&sum);
    bytes
}
