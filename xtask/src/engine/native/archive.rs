//! Images as one file: an OCI layout in a tar, or the form of `docker save`.
//!
//! Both are written in one pass from the store, entries sorted and without times, so that the same image gives the same
//! file, and appear under their name when they are whole.

use std::fs::File;
use std::io::{self, Write};

use camino::Utf8Path;
use serde_json::json;
use tar::{Builder, EntryType, Header};

use super::bundle::Bundle;
use super::layout::MARKER;
use crate::engine::store::Store;
use crate::oci::{Image, Layer};
use crate::workspace::write::Growing;

/// Form of an archive.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ArchiveKind {
    /// An OCI image layout in a tar.
    Oci,
    /// What `docker save` writes and `docker load` reads; holds one platform.
    Docker,
}

/// Writes an archive to a file.
///
/// # Errors
/// Whatever the disk says; nothing is left then.
pub(super) fn write_file(path: &Utf8Path, kind: ArchiveKind, bundle: &Bundle, store: &Store) -> io::Result<()> {
    let mut out = io::BufWriter::with_capacity(CHUNK, Growing::begin(path, 0o644)?);
    match kind {
        ArchiveKind::Oci => write_oci(&mut out, bundle, store)?,
        ArchiveKind::Docker => write_docker(&mut out, &bundle.images[0], &bundle.tags, store, 0)?,
    }
    out.into_inner().map_err(io::IntoInnerError::into_error)?.finish()
}

/// How much is copied at a time.
const CHUNK: usize = 256 * 1024;

fn write_oci(out: &mut impl Write, bundle: &Bundle, store: &Store) -> io::Result<()> {
    let mut builder = Builder::new(out);
    bytes(&mut builder, "oci-layout", MARKER.as_bytes())?;
    bytes(&mut builder, "index.json", &bundle.layout_index().bytes)?;
    for folder in ["blobs/", "blobs/sha256/"] {
        let mut header = header(EntryType::Directory, 0o755, 0);
        builder.append_data(&mut header, folder, io::empty())?;
    }
    for document in bundle.documents() {
        bytes(&mut builder, &format!("blobs/sha256/{}", document.digest.hex()), &document.bytes)?;
    }
    for layer in bundle.layers() {
        blob(&mut builder, &format!("blobs/sha256/{}", layer.digest.hex()), layer, store)?;
    }
    builder.finish()
}

/// The form of `docker save`. The first `known` layers are named and not written: a daemon that has them does not look.
pub(in crate::engine) fn write_docker(
    out: &mut impl Write,
    image: &Image,
    tags: &[String],
    store: &Store,
    known: usize,
) -> io::Result<()> {
    let mut builder = Builder::new(out);
    let config = format!("{}.json", image.config.digest.hex());
    let name = |layer: &Layer| format!("{}.tar", layer.diff_id.0.hex());
    let names: Vec<String> = image.layers.iter().map(name).collect();
    let manifest = json!([{ "Config": config, "RepoTags": tags, "Layers": names }]).to_string();
    bytes(&mut builder, "manifest.json", manifest.as_bytes())?;
    bytes(&mut builder, &config, &image.config.bytes)?;
    let mut written: Vec<&str> = Vec::new();
    for (name, layer) in names.iter().zip(&image.layers).skip(known) {
        if !written.contains(&name.as_str()) {
            blob(&mut builder, name, layer, store)?;
            written.push(name);
        }
    }
    builder.finish()
}

fn bytes<W: Write>(builder: &mut Builder<W>, path: &str, bytes: &[u8]) -> io::Result<()> {
    let mut header = header(EntryType::Regular, 0o644, bytes.len() as u64);
    builder.append_data(&mut header, path, bytes)
}

fn blob<W: Write>(builder: &mut Builder<W>, path: &str, layer: &Layer, store: &Store) -> io::Result<()> {
    let mut header = header(EntryType::Regular, 0o644, layer.size);
    let file = File::open(store.path(&layer.digest))?;
    if file.metadata()?.len() != layer.size {
        return Err(io::Error::other(format!("{} is damaged: build again", store.path(&layer.digest))));
    }
    // through a buffer: the builder itself copies in small pieces
    builder.append_data(&mut header, path, io::BufReader::with_capacity(CHUNK, file))
}

fn header(kind: EntryType, mode: u32, size: u64) -> Header {
    let mut header = Header::new_gnu();
    header.set_entry_type(kind);
    header.set_mode(mode);
    header.set_size(size);
    header.set_uid(0);
    header.set_gid(0);
    header.set_mtime(0);
    header
}
