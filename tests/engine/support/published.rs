//! Images as somebody has published them: OCI layouts whose layers are compressed, made of entries one by one.

use std::fs;
use std::io::Write as _;
use std::path::{Path, PathBuf};

use groupage::oci::sample::{Entry, tar};
use groupage::oci::{Compression, DiffId, Digest, Image, Layer};
use serde_json::{Value, json};

/// A layer, and its stored bytes.
#[derive(Debug, Clone)]
pub struct Stored {
    pub layer: Layer,
    pub bytes: Vec<u8>,
}

/// A layer of entries, compressed as registries have it.
pub fn layer(entries: &[Entry]) -> Stored {
    let tar = tar(entries);
    let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
    encoder.write_all(&tar).unwrap();
    let bytes = encoder.finish().unwrap();
    let (digest, diff_id) = (Digest::of(&bytes), DiffId(Digest::of(&tar)));
    Stored { layer: Layer { digest, size: bytes.len() as u64, compression: Compression::Gzip, diff_id }, bytes }
}

/// A program or script that everybody may start.
pub fn program(path: &str, content: Vec<u8>) -> Entry {
    Entry { content, mode: 0o755, ..Entry::file(path, "") }
}

/// A folder of another owner.
pub fn folder_of(path: &str, owner: u64, mode: u32) -> Entry {
    Entry { mode, owner: (owner, owner), ..Entry::folder(path) }
}

/// Writes the layout of an image for `linux/amd64`; `config` is what its configuration says in `config`.
pub fn publish(folder: &Path, layers: &[Stored], config: &Value) -> PathBuf {
    let document = json!({ "architecture": "amd64", "os": "linux", "config": config });
    let image = Image::new(
        "linux/amd64".parse().unwrap(),
        document,
        layers.iter().map(|stored| stored.layer.clone()).collect(),
    );
    let blobs = folder.join("blobs/sha256");
    fs::create_dir_all(&blobs).unwrap();
    let put = |digest: &Digest, bytes: &[u8]| fs::write(blobs.join(digest.hex()), bytes).unwrap();
    layers.iter().for_each(|stored| put(&stored.layer.digest, &stored.bytes));
    [&image.config, &image.manifest].iter().for_each(|document| put(&document.digest, &document.bytes));
    fs::write(folder.join("oci-layout"), br#"{"imageLayoutVersion":"1.0.0"}"#).unwrap();
    let index = json!({ "schemaVersion": 2, "manifests": [image.descriptor()] });
    fs::write(folder.join("index.json"), index.to_string()).unwrap();
    folder.to_owned()
}
