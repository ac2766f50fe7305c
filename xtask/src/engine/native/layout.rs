//! The OCI image layout of an image: a folder that skopeo, umoci, podman and containerd read.
//! <https://github.com/opencontainers/image-spec/blob/main/image-layout.md>
//!
//! Blobs are hard links into the store where the file system allows it, so that a layout costs no copy. `index.json` is
//! written last, by rename: at every moment the layout is either the old image or the new one, complete. Blobs that nothing
//! names any more go after that.

use std::collections::BTreeSet;
use std::fs::File;
use std::io::{self, Write as _};

use camino::Utf8Path;

use super::bundle::Bundle;
use crate::engine::store::{self, Store};
use crate::oci::Digest;
use crate::workspace::state;

/// What is on its way to its name; only who has the turn writes it.
const UNFINISHED: &str = ".unfinished";

/// What `oci-layout` says, in every layout.
pub(super) const MARKER: &str = r#"{"imageLayoutVersion":"1.0.0"}"#;

/// Writes or updates the layout in a folder below the state folder; returns whether anything changed.
///
/// # Errors
/// Whatever the disk says; the layout that was there before is then still whole.
pub(super) fn write(state: &Utf8Path, below: &Utf8Path, bundle: &Bundle, store: &Store) -> io::Result<bool> {
    let folder = &state.join(below);
    let blobs = folder.join("blobs/sha256");
    let index = bundle.layout_index();
    if is_current(folder, &blobs, bundle, store, &index.bytes) {
        return Ok(false);
    }
    // what is removed below has to be ours
    state::folder(state, below.join("blobs/sha256"))?;
    // two runs at once would remove each other's blobs
    let _turn = store.turn(folder.file_name().unwrap_or("layout"))?;
    // whoever was killed here left it
    let unfinished = &folder.join(UNFINISHED);
    match fs_err::remove_file(unfinished) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
        Ok(()) | Err(_) => {}
    }
    replace(unfinished, &folder.join("oci-layout"), MARKER.as_bytes())?;
    for document in bundle.documents() {
        replace(unfinished, &blobs.join(document.digest.hex()), &document.bytes)?;
    }
    for layer in bundle.layers() {
        link(unfinished, &store.path(&layer.digest), &blobs.join(layer.digest.hex()), layer.size)?;
    }
    replace(unfinished, &folder.join("index.json"), &index.bytes)?;
    remove_others(&blobs, &wanted(bundle))?;
    Ok(true)
}

fn wanted(bundle: &Bundle) -> BTreeSet<String> {
    let digests = bundle.documents().map(|document| &document.digest);
    digests
        .chain(bundle.layers().into_iter().map(|layer| &layer.digest))
        .map(|digest: &Digest| digest.hex().to_owned())
        .collect()
}

/// Whether the folder holds exactly this: then nothing is touched.
fn is_current(folder: &Utf8Path, blobs: &Utf8Path, bundle: &Bundle, store: &Store, index: &[u8]) -> bool {
    let has = |digest: &Digest, size: u64| {
        let own = blobs.join(digest.hex());
        store.has(digest, size) && !own.is_symlink() && store::is_sealed(&own, size)
    };
    let whole = |document: &crate::oci::Document| same(&blobs.join(document.digest.hex()), &document.bytes);
    same(&folder.join("index.json"), index)
        && same(&folder.join("oci-layout"), MARKER.as_bytes())
        && bundle.documents().all(whole)
        && bundle.layers().iter().all(|layer| has(&layer.digest, layer.size))
}

fn same(path: &Utf8Path, bytes: &[u8]) -> bool {
    state::read_plain(path, bytes.len() as u64).is_ok_and(|old| old == bytes)
}

/// Bytes appear by rename. They are not synced: whoever loses power builds again.
fn replace(unfinished: &Utf8Path, path: &Utf8Path, bytes: &[u8]) -> io::Result<()> {
    if same(path, bytes) {
        return Ok(());
    }
    let mut file = File::options().write(true).create_new(true).open(unfinished)?;
    file.write_all(bytes)?;
    readable(&file)?;
    fs_err::rename(unfinished, path)
}

#[cfg(unix)]
pub(super) fn readable(file: &File) -> io::Result<()> {
    use std::os::unix::fs::PermissionsExt as _;
    file.set_permissions(std::fs::Permissions::from_mode(0o644))
}

#[cfg(not(unix))]
pub(super) fn readable(_file: &File) -> io::Result<()> {
    Ok(())
}

/// A hard link, or a copy where there can be none: another file system, or one without links. It appears by rename, so that
/// a blob which the old index names is never away.
fn link(unfinished: &Utf8Path, from: &Utf8Path, to: &Utf8Path, size: u64) -> io::Result<()> {
    if !to.is_symlink() && store::is_sealed(to, size) {
        return Ok(());
    }
    if fs_err::hard_link(from, unfinished).is_err() {
        fs_err::copy(from, unfinished)?;
        store::seal(&File::options().write(true).open(unfinished)?)?;
    }
    fs_err::rename(unfinished, to)
}

fn remove_others(blobs: &Utf8Path, wanted: &BTreeSet<String>) -> io::Result<()> {
    for entry in blobs.read_dir_utf8()? {
        let entry = entry?;
        if !wanted.contains(entry.file_name()) && !entry.file_type()?.is_dir() {
            fs_err::remove_file(entry.path())?;
        }
    }
    Ok(())
}
