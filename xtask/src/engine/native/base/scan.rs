//! Layers on their way into the store: each byte is read once, to be unpacked, hashed in both forms, listed and kept.
//!
//! | record | says |
//! |---|---|
//! | `rootfs/<diff ID>` | what the layer does: an [`oci::Listing`](crate::oci::Listing), compressed |
//! | `unpacked/<digest>` | how a stored blob is compressed and the diff ID that it unpacks to, which was seen |
//!
//! A layer with both of them, whose blob is in the store, is not read again.

use std::fs::File;
use std::io::{self, BufReader, Read};

use super::fault::Fault;
use crate::engine::store::{BlobWriter, Store};
use crate::oci::{Compression, DiffId, Digest, Hasher, Layer, Listing, Skip, TarReader};

/// Most bytes that one layer may unpack to.
const MAX_UNPACKED: u64 = 128 << 30;
/// Most bytes that a record may unpack to: above what a [`Listing`] can have.
pub(super) const MAX_RECORD: u64 = 1 << 30;

/// A layer as an image names it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Named {
    /// Digest and size of the stored bytes, where the image says them.
    pub(super) stored: Option<(Digest, u64)>,
    /// How they are stored; looked up in the bytes where the image does not say it.
    pub(super) compression: Option<Compression>,
    /// What they unpack to.
    pub(super) diff_id: DiffId,
}

impl From<&Layer> for Named {
    fn from(layer: &Layer) -> Self {
        Self {
            stored: Some((layer.digest.clone(), layer.size)),
            compression: Some(layer.compression),
            diff_id: layer.diff_id.clone(),
        }
    }
}

/// A layer in the store, and what it does.
pub(super) type Taken = (Layer, Listing);

/// The layer, if it is known and needs not be read.
pub(super) fn known(layer: &Layer, store: &Store) -> Option<Listing> {
    let unpacks = match layer.compression {
        Compression::None => layer.digest == layer.diff_id.0,
        _ => store.record("unpacked", layer.digest.hex()).as_deref() == Some(unpacks_to(layer).as_bytes()),
    };
    if !unpacks || !store.has(&layer.digest, layer.size) {
        return None;
    }
    let record = store.record("rootfs", layer.diff_id.0.hex())?;
    let mut bytes = Vec::new();
    zstd::Decoder::new(record.as_slice()).ok()?.take(MAX_RECORD).read_to_end(&mut bytes).ok()?;
    Listing::decode(&bytes)
}

/// Puts a layer into the store, unless it is there; `open` gives its bytes and how many they are.
pub(super) fn take<R: Read>(
    named: &Named,
    store: &Store,
    open: impl FnOnce() -> Result<(R, u64), Fault>,
) -> Result<Taken, Fault> {
    let DiffId(diff_id) = &named.diff_id;
    if let (Some((digest, size)), Some(compression)) = (&named.stored, named.compression) {
        let layer = Layer { digest: digest.clone(), size: *size, compression, diff_id: named.diff_id.clone() };
        if let Some(listing) = known(&layer, store) {
            return Ok((layer, listing));
        }
        if store.has(digest, *size) {
            let (seen, listing) = scan(stored(&layer, store)?, compression)?;
            expect(&layer, &seen)?;
            remember(&layer, &listing, store)?;
            return Ok((layer, listing));
        }
    }
    let (source, size) = open()?;
    if named.stored.is_none() {
        // most archives hold layers as they are, whose diff ID is their digest
        let diff_id = named.diff_id.clone();
        let plain = Layer { digest: diff_id.0.clone(), size, compression: Compression::None, diff_id };
        if let Some(listing) = known(&plain, store) {
            return Ok((plain, listing));
        }
    }
    let expected = named.stored.as_ref().map(|(digest, size)| (digest, *size));
    let (layer, listing) = keep(source, named.compression, expected, Some(diff_id), store)?;
    remember(&layer, &listing, store)?;
    Ok((layer, listing))
}

/// Puts a layer that nothing is known about into the store.
pub(super) fn take_unknown(source: impl Read, store: &Store) -> Result<Taken, Fault> {
    let (layer, listing) = keep(source, None, None, None, store)?;
    remember(&layer, &listing, store)?;
    Ok((layer, listing))
}

/// The bytes of a layer in the store.
pub(super) fn stored(layer: &Layer, store: &Store) -> Result<BufReader<File>, Fault> {
    let file = File::open(store.path(&layer.digest)).map_err(Fault::Io)?;
    Ok(BufReader::with_capacity(1 << 18, file))
}

/// Reads, unpacks, lists and keeps, all at once; nothing is kept that is not as it is said to be.
fn keep(
    source: impl Read,
    compression: Option<Compression>,
    expected: Option<(&Digest, u64)>,
    diff_id: Option<&Digest>,
    store: &Store,
) -> Result<Taken, Fault> {
    let mut tee = Tee { source, writer: store.writer().map_err(Fault::Io)? };
    let mut start = Vec::new();
    (&mut tee).take(4).read_to_end(&mut start)?;
    let compression = compression.unwrap_or_else(|| detect(&start));
    let scanned = scan(start.as_slice().chain(&mut tee), compression).and_then(|(seen, listing)| match diff_id {
        Some(expected) if seen.0 != *expected => Err(not_what_it_is(&seen.0, expected)),
        _ => Ok((seen, listing)),
    });
    // what comes after the end of a compressed stream belongs to the blob, too
    io::copy(&mut tee, &mut io::sink())?;
    let (diff_id, listing) = match scanned {
        Ok(scanned) => scanned,
        // wrong bytes say more than what they unpack to
        Err(fault) if expected.is_some() => return Err(tee.writer.commit(expected).map_or_else(Into::into, |_| fault)),
        Err(fault) => return Err(fault),
    };
    let (digest, size) = tee.writer.commit(expected)?;
    Ok((Layer { digest, size, compression, diff_id }, listing))
}

fn expect(layer: &Layer, seen: &DiffId) -> Result<(), Fault> {
    if *seen == layer.diff_id { Ok(()) } else { Err(not_what_it_is(&seen.0, &layer.diff_id.0)) }
}

fn not_what_it_is(seen: &Digest, expected: &Digest) -> Fault {
    Fault::Refused(format!("it unpacks to {seen}, and the configuration of the image says {expected}"))
}

fn remember(layer: &Layer, listing: &Listing, store: &Store) -> Result<(), Fault> {
    let record = zstd::bulk::compress(&listing.encode(), 3).map_err(Fault::Io)?;
    store.set_record("rootfs", layer.diff_id.0.hex(), &record).map_err(Fault::Io)?;
    if layer.compression != Compression::None {
        store.set_record("unpacked", layer.digest.hex(), unpacks_to(layer).as_bytes()).map_err(Fault::Io)?;
    }
    Ok(())
}

/// What is recorded of a compressed blob: the same bytes under another media type are another layer.
fn unpacks_to(layer: &Layer) -> String {
    format!("{} {}", layer.compression.layer(), layer.diff_id)
}

/// Unpacks, hashes and lists.
fn scan(stored: impl Read, compression: Compression) -> Result<(DiffId, Listing), Fault> {
    let mut tar = TarReader::new(Hashing { source: unpacked(stored, compression)?, hasher: Hasher::default() });
    let listing = Listing::read(&mut tar)?;
    let mut rest = tar.into_inner();
    io::copy(&mut rest, &mut io::sink())?;
    let (digest, _) = rest.hasher.finish();
    Ok((DiffId(digest), listing))
}

/// The tar in stored bytes.
pub(super) fn unpacked<'r>(stored: impl Read + 'r, compression: Compression) -> Result<Box<dyn Read + 'r>, Fault> {
    Ok(match compression {
        Compression::None => Box::new(stored),
        // some layers, such as those of estargz, are several members
        Compression::Gzip => Box::new(flate2::read::MultiGzDecoder::new(stored)),
        Compression::Zstd => Box::new(zstd::Decoder::new(stored)?),
    })
}

/// How bytes are compressed, by what they begin with, as Docker tells it.
pub(super) fn detect(start: &[u8]) -> Compression {
    match start {
        [0x1f, 0x8b, ..] => Compression::Gzip,
        [0x28, 0xb5, 0x2f, 0xfd, ..] => Compression::Zstd,
        _ => Compression::None,
    }
}

/// Reads, and writes what was read.
struct Tee<R> {
    source: R,
    writer: BlobWriter,
}

impl<R: Read> Read for Tee<R> {
    fn read(&mut self, into: &mut [u8]) -> io::Result<usize> {
        let read = self.source.read(into)?;
        io::Write::write_all(&mut self.writer, &into[..read])?;
        Ok(read)
    }
}

/// Reads, and hashes what was read.
struct Hashing<R> {
    source: R,
    hasher: Hasher,
}

impl<R: Read> Read for Hashing<R> {
    fn read(&mut self, into: &mut [u8]) -> io::Result<usize> {
        let read = self.source.read(into)?;
        self.hasher.update(&into[..read]);
        if self.hasher.size() > MAX_UNPACKED {
            return Err(io::Error::other(format!("it unpacks to more than {MAX_UNPACKED} bytes")));
        }
        Ok(read)
    }
}

impl<R: Read> Skip for Hashing<R> {}

/// Does something with each of several things, a few at once, and gives the first thing that goes wrong, in their order.
pub(super) fn in_parallel<T: Sync, R: Send>(
    things: &[T],
    work: impl Fn(&T) -> Result<R, Fault> + Sync,
) -> Result<Vec<R>, Fault> {
    crate::workspace::in_parallel(things, work).into_iter().collect()
}
