//! From entries to a layer: tar, digest and compression in one pass, each byte read once.
//!
//! ```text
//! entries ─▶ tar ─▶ diff ID ─▶ gzip, zstd or nothing ─▶ digest ─▶ blob of the store
//! ```
//!
//! The same entries give the same bytes: they are written in the order of their paths, with the owner and mode that they
//! have, one time for all, and no names of users. Headers are GNU's, which every reader knows; long names are taken care of
//! by the `tar` crate, extended attributes stand in PAX records, as Docker writes them.
//! <https://github.com/opencontainers/image-spec/blob/main/layer.md>

use std::fs::{File, Metadata};
use std::io::{self, Read, Write};
use std::sync::atomic::{AtomicBool, Ordering};

use camino::{Utf8Path, Utf8PathBuf};
use flate2::write::GzEncoder;
use tar::{Builder, EntryType, Header};

use super::entry::{Content, EntryKind, LayerEntry};
use crate::engine::store::{BlobWriter, CommitError, Store};
use crate::oci::{Compression, DiffId, Digest, Hasher, Layer};
use crate::workspace::Seen;

/// How much is read at a time: large enough that system calls do not count, small enough for the processor's cache.
const CHUNK: usize = 256 * 1024;
/// Blocks of a tar.
const BLOCK: u64 = 512;
/// The level of gzip: its own default.
pub const GZIP_LEVEL: u32 = 6;
/// The level of zstd: its own default.
pub const ZSTD_LEVEL: i32 = 3;

/// Why a layer was not written.
#[derive(Debug, thiserror::Error)]
pub enum LayerError {
    /// A file is not what the plan saw.
    #[error("{path}: {detail}")]
    File {
        /// The file, on this machine.
        path: Utf8PathBuf,
        /// What is wrong with it.
        detail: String,
    },
    /// The store refused.
    #[error("{0}")]
    Store(io::Error),
    /// Nobody wants it any more.
    #[error("cancelled")]
    Cancelled,
}

/// Writes one layer into the store. `time` is in seconds since 1970 and stands at every entry.
///
/// # Errors
/// [`LayerError`]; nothing is kept then.
pub(super) fn write(
    store: &Store,
    entries: &[LayerEntry],
    time: u64,
    compression: Compression,
    cancelled: &AtomicBool,
) -> Result<Layer, LayerError> {
    let mut pack = Pack::new(store.writer().map_err(LayerError::Store)?, compression).map_err(LayerError::Store)?;
    write_tar(&mut pack, store, entries, time, cancelled)?;
    pack.finish().map_err(LayerError::Store)
}

/// Compresses a layer that the store has as it is.
///
/// # Errors
/// [`LayerError`]; also when the blob is not what its name says.
pub(super) fn compress(
    store: &Store,
    diff_id: &DiffId,
    compression: Compression,
    cancelled: &AtomicBool,
) -> Result<Layer, LayerError> {
    let mut pack = Pack::new(store.writer().map_err(LayerError::Store)?, compression).map_err(LayerError::Store)?;
    let path = store.path(&diff_id.0);
    let mut file = File::open(&path).map_err(LayerError::Store)?;
    pump(&mut file, &mut pack, u64::MAX, &path, cancelled)?;
    let layer = pack.finish().map_err(LayerError::Store)?;
    if layer.diff_id == *diff_id {
        Ok(layer)
    } else {
        Err(LayerError::File { path, detail: "it is damaged: remove it and build again".to_owned() })
    }
}

/// Where the tar goes: through the hash of the diff ID and the compressor into the blob.
enum Pack {
    /// The diff ID is the digest, so there is nothing to hash twice.
    None(BlobWriter),
    /// What a compressor writes depends on where its input was cut, so it gets pieces of one size, whoever writes.
    Packed { hasher: Hasher, piece: Vec<u8>, encoder: Encoder },
}

enum Encoder {
    Gzip(Box<GzEncoder<BlobWriter>>),
    Zstd(Box<zstd::stream::write::Encoder<'static, BlobWriter>>),
}

impl Pack {
    fn new(blob: BlobWriter, compression: Compression) -> io::Result<Self> {
        let encoder = match compression {
            Compression::None => return Ok(Self::None(blob)),
            Compression::Gzip => Encoder::Gzip(Box::new(GzEncoder::new(blob, flate2::Compression::new(GZIP_LEVEL)))),
            Compression::Zstd => Encoder::Zstd(Box::new(zstd::stream::write::Encoder::new(blob, ZSTD_LEVEL)?)),
        };
        Ok(Self::Packed { hasher: Hasher::default(), piece: Vec::with_capacity(CHUNK), encoder })
    }

    fn finish(self) -> io::Result<Layer> {
        match self {
            Self::None(blob) => {
                let (digest, size) = commit(blob)?;
                let diff_id = DiffId(digest.clone());
                Ok(Layer { digest, size, compression: Compression::None, diff_id })
            }
            Self::Packed { mut hasher, piece, mut encoder } => {
                encode(&mut hasher, &mut encoder, &piece)?;
                let (compression, blob) = match encoder {
                    Encoder::Gzip(encoder) => (Compression::Gzip, encoder.finish()?),
                    Encoder::Zstd(encoder) => (Compression::Zstd, encoder.finish()?),
                };
                let (digest, size) = commit(blob)?;
                Ok(Layer { digest, size, compression, diff_id: DiffId(hasher.finish().0) })
            }
        }
    }
}

fn encode(hasher: &mut Hasher, encoder: &mut Encoder, piece: &[u8]) -> io::Result<()> {
    hasher.update(piece);
    match encoder {
        Encoder::Gzip(encoder) => encoder.write_all(piece),
        Encoder::Zstd(encoder) => encoder.write_all(piece),
    }
}

fn commit(blob: BlobWriter) -> io::Result<(Digest, u64)> {
    blob.commit(None).map_err(|error| match error {
        CommitError::Io(error) => error,
        CommitError::Mismatch { .. } => io::Error::other(error.to_string()),
    })
}

impl Write for Pack {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        match self {
            Self::None(blob) => blob.write(bytes),
            Self::Packed { hasher, piece, encoder } => {
                let count = bytes.len().min(CHUNK - piece.len());
                piece.extend_from_slice(&bytes[..count]);
                if piece.len() == CHUNK {
                    encode(hasher, encoder, piece)?;
                    piece.clear();
                }
                Ok(count)
            }
        }
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

/// Writes entries as a tar. They are sorted here, so that nobody has to think of it.
fn write_tar(
    out: &mut impl Write,
    store: &Store,
    entries: &[LayerEntry],
    time: u64,
    cancelled: &AtomicBool,
) -> Result<(), LayerError> {
    let mut sorted: Vec<&LayerEntry> = entries.iter().collect();
    sorted.sort_by(|a, b| a.path.cmp(&b.path));
    let mut builder = Builder::new(out);
    for entry in sorted {
        append(&mut builder, store, entry, time, cancelled)?;
    }
    builder.finish().map_err(LayerError::Store)
}

fn append<W: Write>(
    builder: &mut Builder<W>,
    store: &Store,
    entry: &LayerEntry,
    time: u64,
    cancelled: &AtomicBool,
) -> Result<(), LayerError> {
    if !entry.xattrs.is_empty() {
        let records = entry.xattrs.iter().map(|(name, value)| (format!("SCHILY.xattr.{name}"), value.as_slice()));
        let records: Vec<(String, &[u8])> = records.collect();
        let records = records.iter().map(|(name, value)| (name.as_str(), *value));
        builder.append_pax_extensions(records).map_err(LayerError::Store)?;
    }
    let mut header = Header::new_gnu();
    header.set_mode(entry.mode);
    header.set_uid(entry.uid);
    header.set_gid(entry.gid);
    header.set_mtime(time);
    header.set_size(0);
    match &entry.kind {
        EntryKind::Folder => {
            header.set_entry_type(EntryType::Directory);
            builder.append_data(&mut header, format!("{}/", entry.path), io::empty()).map_err(LayerError::Store)
        }
        EntryKind::Link { target } => {
            header.set_entry_type(EntryType::Symlink);
            builder.append_link(&mut header, &entry.path, target).map_err(LayerError::Store)
        }
        EntryKind::File(content) => {
            let mut source = open(store, content)?;
            header.set_entry_type(EntryType::Regular);
            header.set_size(source.size);
            // the builder writes the header alone: its own copying works in small pieces
            builder.append_data(&mut header, &entry.path, io::empty()).map_err(LayerError::Store)?;
            let hasher = if let Proof::Digest(_) = source.proof { Some(Hasher::default()) } else { None };
            let mut out = Checked { inner: builder.get_mut(), hasher };
            let copied = pump(&mut source.bytes, &mut out, source.size, &source.path, cancelled)?;
            // what the plan saw is what the layer is remembered by
            let is_proved = match source.proof {
                Proof::None => true,
                Proof::Digest(digest) => out.hasher.is_some_and(|hasher| hasher.finish().0 == *digest),
                Proof::Seen(seen) => source.bytes.metadata().is_some_and(|metadata| seen.is_still(&metadata)),
            };
            if !is_proved {
                let detail = "it is not what the plan saw: it changed meanwhile".to_owned();
                return Err(LayerError::File { path: source.path, detail });
            }
            if copied != source.size {
                let detail = format!("expected {} bytes, read {copied}: it changed meanwhile", source.size);
                return Err(LayerError::File { path: source.path, detail });
            }
            let padding = [0; BLOCK as usize];
            let missing = (BLOCK - copied % BLOCK) % BLOCK;
            builder.get_mut().write_all(&padding[..missing as usize]).map_err(LayerError::Store)
        }
    }
}

/// Hashes what goes through, if that is wanted.
struct Checked<W> {
    inner: W,
    hasher: Option<Hasher>,
}

impl<W: Write> Write for Checked<W> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let written = self.inner.write(bytes)?;
        self.hasher.iter_mut().for_each(|hasher| hasher.update(&bytes[..written]));
        Ok(written)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.inner.flush()
    }
}

/// The bytes of a file, and how many there must be.
struct Source<'a> {
    path: Utf8PathBuf,
    size: u64,
    proof: Proof<'a>,
    bytes: Bytes<'a>,
}

/// How it is known that bytes are what they must be.
enum Proof<'a> {
    /// Somebody else vouches for them, or nothing is known of them.
    None,
    /// They are hashed on the way.
    Digest(&'a Digest),
    /// The file system said the same of the opened file as when it was hashed; it has to say so again behind the last byte.
    Seen(&'a Seen),
}

enum Bytes<'a> {
    Memory(&'a [u8]),
    File(File),
}

impl Bytes<'_> {
    /// What the file system says of the file that is being read, whatever its path leads to by now.
    fn metadata(&self) -> Option<Metadata> {
        match self {
            Self::Memory(_) => None,
            Self::File(file) => file.metadata().ok(),
        }
    }
}

impl Read for Bytes<'_> {
    fn read(&mut self, into: &mut [u8]) -> io::Result<usize> {
        match self {
            Self::Memory(bytes) => bytes.read(into),
            Self::File(file) => file.read(into),
        }
    }
}

fn open<'a>(store: &Store, content: &'a Content) -> Result<Source<'a>, LayerError> {
    let path = match content {
        Content::Bytes(bytes) => {
            return Ok(Source {
                path: Utf8PathBuf::new(),
                size: bytes.len() as u64,
                proof: Proof::None,
                bytes: Bytes::Memory(bytes),
            });
        }
        Content::Blob { digest, .. } => store.path(digest),
        Content::Hashed { path, .. } | Content::Disk(path) => path.clone(),
    };
    let fault = |error: io::Error| LayerError::File { path: path.clone(), detail: error.to_string() };
    let file = File::open(&path).map_err(fault)?;
    let metadata = file.metadata().map_err(fault)?;
    if !metadata.is_file() {
        return Err(LayerError::File { path, detail: "it is no regular file any more".to_owned() });
    }
    let size = metadata.len();
    let proof = match content {
        Content::Hashed { seen, .. } if seen.is_still(&metadata) => Proof::Seen(seen),
        Content::Hashed { digest, .. } => Proof::Digest(digest),
        _ => Proof::None,
    };
    Ok(Source { path, size, proof, bytes: Bytes::File(file) })
}

/// Copies at most `limit` bytes, and one more is noticed.
fn pump(
    from: &mut impl Read,
    to: &mut impl Write,
    limit: u64,
    path: &Utf8Path,
    cancelled: &AtomicBool,
) -> Result<u64, LayerError> {
    let mut buffer = vec![0; CHUNK];
    let mut copied = 0;
    loop {
        if cancelled.load(Ordering::Relaxed) {
            return Err(LayerError::Cancelled);
        }
        let count = match from.read(&mut buffer) {
            Ok(0) => return Ok(copied),
            Ok(count) => count,
            Err(error) if error.kind() == io::ErrorKind::Interrupted => continue,
            Err(error) => return Err(LayerError::File { path: path.to_owned(), detail: error.to_string() }),
        };
        copied += count as u64;
        if copied > limit {
            let detail = format!("it has more than the {limit} bytes that it began with: it changed meanwhile");
            return Err(LayerError::File { path: path.to_owned(), detail });
        }
        to.write_all(&buffer[..count]).map_err(LayerError::Store)?;
    }
}

#[cfg(test)]
mod tests;
