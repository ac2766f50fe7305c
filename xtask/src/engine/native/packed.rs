//! How large layers are in the form that they do not have here: compressed as `--push` sends them, or unpacked. Nothing is
//! changed; what was found out once is remembered.
//!
//! | record of the store | key | says |
//! |---|---|---|
//! | `gzip` | diff ID | digest and size of the compressed layer, as [`super::shelf`] keeps it |
//! | `unpacked` | digest of the stored bytes | size of the tar in them |

use std::fs::File;
use std::io;
use std::sync::atomic::AtomicBool;

use serde_json::{Value, json};

use super::layer::{self, LayerError};
use super::shelf::remember_compressed;
use crate::engine::store::Store;
use crate::oci::{Compression, Layer};

/// The number of bytes that a registry gets of a layer: those of gzip, unless it is compressed already. The layer has to be in
/// the store; it is compressed only once.
///
/// # Errors
/// [`LayerError`]: it is not there, or damaged.
pub fn packed_size(store: &Store, layer: &Layer) -> Result<u64, LayerError> {
    if layer.compression != Compression::None {
        return Ok(layer.size);
    }
    let known = store.record(Compression::Gzip.name(), layer.diff_id.0.hex()).and_then(|record| size_in(&record));
    if let Some(size) = known {
        return Ok(size);
    }
    let packed = layer::compress(store, &layer.diff_id, Compression::Gzip, &AtomicBool::new(false))?;
    remember_compressed(store, &packed).map_err(LayerError::Store)?;
    Ok(packed.size)
}

/// The number of bytes of the tar in a layer, which has to be in the store.
///
/// # Errors
/// [`LayerError`]: it is not there, or damaged.
pub fn unpacked_size(store: &Store, layer: &Layer) -> Result<u64, LayerError> {
    if layer.compression == Compression::None {
        return Ok(layer.size);
    }
    if let Some(size) = store.record("unpacked", layer.digest.hex()).and_then(|record| size_in(&record)) {
        return Ok(size);
    }
    let size = unpack(store, layer).map_err(LayerError::Store)?;
    let record = json!({ "size": size });
    store.set_record("unpacked", layer.digest.hex(), record.to_string().as_bytes()).map_err(LayerError::Store)?;
    Ok(size)
}

fn unpack(store: &Store, layer: &Layer) -> io::Result<u64> {
    let stored = io::BufReader::new(File::open(store.path(&layer.digest))?);
    match layer.compression {
        Compression::None => Ok(layer.size),
        Compression::Gzip => io::copy(&mut flate2::bufread::MultiGzDecoder::new(stored), &mut io::sink()),
        Compression::Zstd => io::copy(&mut zstd::Decoder::with_buffer(stored)?, &mut io::sink()),
    }
}

fn size_in(record: &[u8]) -> Option<u64> {
    serde_json::from_slice::<Value>(record).ok()?["size"].as_u64()
}

#[cfg(test)]
mod tests {
    use camino::Utf8Path;

    use super::*;
    use crate::oci::DiffId;

    #[test]
    fn both_sizes_are_found_and_remembered() {
        let folder = tempfile::tempdir().unwrap();
        let store = Store::open(Utf8Path::from_path(folder.path()).unwrap()).unwrap();
        let tar = vec![7; 100_000];
        let digest = store.put(&tar).unwrap();
        let plain =
            Layer { digest: digest.clone(), size: 100_000, compression: Compression::None, diff_id: DiffId(digest) };
        let packed = layer::compress(&store, &plain.diff_id, Compression::Gzip, &AtomicBool::new(false)).unwrap();
        assert_eq!(packed_size(&store, &plain).unwrap(), packed.size);
        assert_eq!(packed_size(&store, &packed).unwrap(), packed.size);
        assert_eq!(unpacked_size(&store, &plain).unwrap(), 100_000);
        assert_eq!(unpacked_size(&store, &packed).unwrap(), 100_000);
        for blob in [&plain, &packed] {
            std::fs::remove_file(store.path(&blob.digest)).unwrap();
        }
        assert_eq!(packed_size(&store, &plain).unwrap(), packed.size, "it is known without the bytes");
        assert_eq!(unpacked_size(&store, &packed).unwrap(), 100_000);
    }
}
