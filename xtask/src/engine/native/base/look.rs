//! What is in an image of a file or folder, without keeping any of it: for `inspect`.

use std::io::Read;

use camino::Utf8Path;

use super::fault::Fault;
use super::files::Files;
use super::layout::{self, Opened};
use super::{docker_archive, files, scan};
use crate::engine::EngineError;
use crate::oci::{
    Change, Digest, Document, ImageFile, ImageFileKind, ImageSource, Layer, Listing, Platform, Reference, TarKind,
    TarReader,
};

/// An image that was looked into.
#[derive(Debug, Clone)]
pub struct Looked {
    /// Digest of its manifest, where it has one.
    pub digest: Option<Digest>,
    /// The platform that it is for.
    pub platform: Platform,
    /// Its configuration.
    pub config: Document,
    /// References that the file says it has.
    pub tags: Vec<String>,
    /// Bytes of all layers as they are stored.
    pub size: u64,
    /// The bytes of the file that was looked for.
    pub found: Option<Vec<u8>>,
}

/// All images of a file or folder, and in each the file at a path such as `/.groupage/manifest.json`, of at most so many
/// bytes. Layers are read from the highest on, until the file shows.
///
/// # Errors
/// [`EngineError::Image`]: nothing is there, or no image, or one that cannot be read.
pub fn looked(file: &ImageFile, root: &Utf8Path, path: &str, limit: u64) -> Result<Vec<Looked>, EngineError> {
    let look = || -> Result<Vec<Looked>, Fault> {
        let files = files(file, root)?;
        let images = match file.kind {
            ImageFileKind::Layout | ImageFileKind::Archive => {
                layout::all(&files, file.digest.as_ref())?.into_iter().map(|opened| (opened, Vec::new())).collect()
            }
            ImageFileKind::DockerArchive => docker_archive::all(&files, file.digest.as_ref())?,
        };
        let path = path.trim_start_matches('/');
        images.into_iter().map(|(opened, tags)| look_into(&files, opened, tags, path, limit)).collect::<Result<_, _>>()
    };
    look().map_err(|fault: Fault| fault.of(&ImageSource::File(file.clone())))
}

/// The kind of image file that is at a path; nothing when it is none.
///
/// # Errors
/// [`EngineError::Image`]: it cannot be read.
pub fn kind_of(path: &Utf8Path) -> Result<Option<ImageFileKind>, EngineError> {
    let look = || {
        if path.is_dir() {
            return Ok(layout::is_layout(&Files::folder(path)?)?.then_some(ImageFileKind::Layout));
        }
        let files = Files::archive(path)?;
        match (layout::is_layout(&files)?, docker_archive::is_archive(&files)?) {
            (true, _) => Ok(Some(ImageFileKind::Archive)),
            (false, true) => Ok(Some(ImageFileKind::DockerArchive)),
            (false, false) => Ok(None),
        }
    };
    look().map_err(|fault: Fault| fault.of(&path))
}

fn look_into(files: &Files, opened: Opened, tags: Vec<String>, path: &str, limit: u64) -> Result<Looked, Fault> {
    let (mut size, mut sought) = (0, Sought::Absent);
    for (named, name) in opened.layers.iter().rev() {
        // parts of a layout may be elsewhere
        let Some(part) = files.open(name)? else { continue };
        size += part.size;
        if matches!(sought, Sought::Absent) {
            let within = |fault: Fault| fault.within(&format!("layer {name}"));
            let mut part = std::io::BufReader::new(part);
            let start = std::io::BufRead::fill_buf(&mut part).map_err(Fault::from).map_err(within)?;
            let compression = named.compression.unwrap_or_else(|| scan::detect(start));
            sought = seek(scan::unpacked(part, compression)?, path, limit).map_err(within)?;
        }
    }
    let Opened { digest, platform, config, .. } = opened;
    let found = if let Sought::Found(bytes) = sought { Some(bytes) } else { None };
    Ok(Looked { digest, platform, config, tags, size, found })
}

/// What one layer of a registry's image says about a file, such as `/.groupage/manifest.json`, of at most so many bytes.
/// `stored` is the layer as it came.
///
/// # Errors
/// [`EngineError::Image`]: it is no layer, or the file has more bytes.
pub fn sought(
    reference: &Reference,
    layer: &Layer,
    stored: &[u8],
    path: &str,
    limit: u64,
) -> Result<Sought, EngineError> {
    let seek = || seek(scan::unpacked(stored, layer.compression)?, path.trim_start_matches('/'), limit);
    seek().map_err(|fault: Fault| fault.within(&format!("layer {}", layer.digest)).of(reference))
}

/// What a layer says about a path.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Sought {
    /// Here it is.
    Found(Vec<u8>),
    /// It is gone, or no file.
    Hidden,
    /// Nothing.
    Absent,
}

/// Looks for a file in a tar. Whiteouts hide only what is below, so that the file itself counts wherever it stands.
fn seek(tar: Box<dyn Read + '_>, path: &str, limit: u64) -> Result<Sought, Fault> {
    let mut tar = TarReader::new(tar);
    let mut sought = Sought::Absent;
    let is_above = |other: &str| other.is_empty() || path.strip_prefix(other).is_some_and(|rest| rest.starts_with('/'));
    while let Some(entry) = tar.next_entry()? {
        let mut listing = Listing::default();
        listing.push(&entry)?;
        let Some(listed) = listing.iter().next() else { continue };
        match listed.change {
            Change::File(_) if listed.path == path && entry.kind == TarKind::File => {
                let mut bytes = Vec::new();
                (&mut tar).take(limit + 1).read_to_end(&mut bytes)?;
                if bytes.len() as u64 > limit {
                    return Err(Fault::Refused(format!("/{path} has more than {limit} bytes")));
                }
                return Ok(Sought::Found(bytes));
            }
            Change::Nothing => {}
            Change::Folder(_) if listed.path != path => {}
            Change::Opaque if !is_above(&listed.path) => {}
            _ if listed.path != path && !is_above(&listed.path) => {}
            _ => sought = Sought::Hidden,
        }
    }
    Ok(sought)
}
