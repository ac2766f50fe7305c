//! What `target/groupage` holds, and how many bytes that is.
//!
//! A file with several names counts once, for the first of them: layouts are hard links into the store, so that their layers
//! count as blobs. Links are not followed: one in place of a folder is all that there is of it. What goes away while it is
//! counted, because a build runs, does not count.

use std::collections::{BTreeMap, BTreeSet};
use std::io;

use camino::{Utf8Path, Utf8PathBuf};
use serde_json::Value;

use crate::plan::multicall;
use crate::workspace::state;

/// What something is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, serde::Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Part {
    /// Layers of images that were pulled or copied.
    BaseLayers,
    /// Layers that were made of components.
    MadeLayers,
    /// The same, compressed.
    CompressedLayers,
    /// Other blobs: files taken out of images, manifests, configurations.
    OtherBlobs,
    /// Facts about blobs.
    Records,
    /// OCI layouts of images: the results.
    Layouts,
    /// Compiled programs.
    Programs,
    /// Cargo's target folders: that of the workspace, and those of workspaces that are written for multi-call programs.
    Cargo,
    /// What Go has compiled and fetched.
    Go,
    /// Trees of git revisions.
    Revisions,
    /// Whatever else there is; nothing of it is removed.
    Other,
}

/// One thing that is kept or removed as a whole.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Holding {
    /// What it is for.
    pub part: Part,
    /// Where it is.
    pub path: Utf8PathBuf,
    /// Bytes of its files, but for those that were counted before under another name.
    pub bytes: u64,
    /// Bytes that were counted before.
    pub shared: u64,
    /// When it was last used: seconds and nanoseconds since 1970, where the system knows it.
    pub used: Option<(i64, i64)>,
    /// Its files: what they are known by, whatever their names, and their bytes.
    pub(super) files: Vec<(FileIdentity, u64)>,
}

/// Device and inode, or where there are none the place in the count.
pub(super) type FileIdentity = (u64, u64);

impl Holding {
    /// The last part of its path.
    pub fn name(&self) -> &str {
        self.path.file_name().unwrap_or_default()
    }
}

/// Folders that hold several things of a part.
const SEVERAL: [(Part, &str); 4] = [
    (Part::Layouts, "oci"),
    (Part::Programs, "programs"),
    (Part::Revisions, "revisions"),
    (Part::Cargo, multicall::NAME),
];
/// Folders that are one thing.
const WHOLE: [(Part, &str); 3] = [(Part::Records, "cache/records"), (Part::Cargo, "cargo"), (Part::Go, "go")];

/// Everything below `folder` (`target/groupage`), sorted by part and path; nothing when there is no such folder.
///
/// # Errors
/// The folder cannot be read.
pub fn holdings(folder: &Utf8Path) -> io::Result<Vec<Holding>> {
    let mut all = Scale::default();
    let kinds = Kinds::read(folder);
    for path in entries(folder, "cache/blobs/sha256")? {
        let part = kinds.of(path.file_name().unwrap_or_default());
        all.weigh(part, path);
    }
    for (part, below) in SEVERAL {
        for path in entries(folder, below)? {
            all.weigh(part, path);
        }
    }
    for (part, below) in WHOLE {
        if let Some(path) = state::plain(folder, below).filter(|path| path.exists()) {
            all.weigh(part, path);
        }
    }
    let is_known = |path: &Utf8Path| {
        let known = SEVERAL.iter().chain(&WHOLE).map(|(_, below)| *below).chain(["cache"]);
        !path.is_symlink() && known.into_iter().any(|known| Some(known) == path.file_name())
    };
    for path in entries(folder, "")?.into_iter().filter(|path| !is_known(path)) {
        all.weigh(Part::Other, path);
    }
    all.holdings.sort_by(|a, b| (a.part, &a.path).cmp(&(b.part, &b.path)));
    Ok(all.holdings)
}

/// Names of the blobs that layouts have.
pub(super) fn in_layouts(holdings: &[Holding]) -> io::Result<BTreeSet<String>> {
    let mut names = BTreeSet::new();
    for layout in holdings.iter().filter(|holding| holding.part == Part::Layouts) {
        let blobs = entries(&layout.path, "blobs/sha256")?;
        names.extend(blobs.iter().filter_map(|path| path.file_name()).map(str::to_owned));
    }
    Ok(names)
}

/// What is in the folder `below` another one, sorted; nothing when it is not there, no folder, or behind a link.
pub(super) fn entries(folder: &Utf8Path, below: impl AsRef<Utf8Path>) -> io::Result<Vec<Utf8PathBuf>> {
    let Some(folder) = state::plain(folder, below) else { return Ok(vec![]) };
    let entries = match folder.read_dir_utf8() {
        Ok(entries) => entries,
        Err(error) if matches!(error.kind(), io::ErrorKind::NotFound | io::ErrorKind::NotADirectory) => {
            return Ok(vec![]);
        }
        Err(error) => return Err(io::Error::new(error.kind(), format!("failed to read {folder}: {error}"))),
    };
    let mut paths: Vec<Utf8PathBuf> = entries.filter_map(|entry| Some(entry.ok()?.path().to_owned())).collect();
    paths.sort();
    Ok(paths)
}

/// When anything of a file was last changed, its permission bits included.
#[cfg(unix)]
pub(super) fn changed_at(metadata: &std::fs::Metadata) -> Option<(i64, i64)> {
    use std::os::unix::fs::MetadataExt as _;
    Some((metadata.ctime(), metadata.ctime_nsec()))
}

#[cfg(not(unix))]
pub(super) fn changed_at(_metadata: &std::fs::Metadata) -> Option<(i64, i64)> {
    None
}

#[cfg(unix)]
fn identity(metadata: &std::fs::Metadata) -> Option<FileIdentity> {
    use std::os::unix::fs::MetadataExt as _;
    Some((metadata.dev(), metadata.ino()))
}

#[cfg(not(unix))]
fn identity(_metadata: &std::fs::Metadata) -> Option<FileIdentity> {
    None
}

/// Counts every file once.
#[derive(Default)]
struct Scale {
    seen: BTreeSet<FileIdentity>,
    count: u64,
    holdings: Vec<Holding>,
}

impl Scale {
    fn weigh(&mut self, part: Part, path: Utf8PathBuf) {
        let mut holding = Holding { part, path, bytes: 0, shared: 0, used: None, files: Vec::new() };
        let walk = walkdir::WalkDir::new(&holding.path).follow_root_links(false);
        for metadata in walk.into_iter().filter_map(|entry| entry.ok()?.metadata().ok()) {
            holding.used = holding.used.max(changed_at(&metadata));
            if metadata.is_dir() {
                continue;
            }
            let size = metadata.len();
            self.count += 1;
            let identity = identity(&metadata).unwrap_or((u64::MAX, self.count));
            holding.files.push((identity, size));
            if self.seen.insert(identity) {
                holding.bytes += size;
            } else {
                holding.shared += size;
            }
        }
        // the seal of a tree belongs to it, and knows when it was last used
        let tree = holding.path.extension().filter(|ending| *ending == "seal").and_then(|_| self.holdings.last_mut());
        match tree.filter(|tree| part == Part::Revisions && tree.path == holding.path.with_extension("")) {
            Some(tree) => {
                tree.bytes += holding.bytes;
                tree.used = holding.used;
                tree.files.extend(holding.files);
            }
            None => self.holdings.push(holding),
        }
    }
}

/// What blobs are, as the records of the store have it. A record that cannot be read says nothing.
#[derive(Default)]
struct Kinds(BTreeMap<String, Part>);

impl Kinds {
    fn read(folder: &Utf8Path) -> Self {
        let mut kinds = BTreeMap::new();
        let names = |kind: &str| entries(folder, Utf8Path::new("cache/records").join(kind)).unwrap_or_default();
        for kind in ["unpacked", "rootfs"] {
            let keys =
                names(kind).into_iter().filter_map(|path| Some((path.file_name()?.to_owned(), Part::BaseLayers)));
            kinds.extend(keys);
        }
        for (kind, field, part) in [
            ("layers", "diff_id", Part::MadeLayers),
            ("gzip", "digest", Part::CompressedLayers),
            ("zstd", "digest", Part::CompressedLayers),
        ] {
            kinds.extend(names(kind).iter().filter_map(|path| Some((named(path, field)?, part))));
        }
        Self(kinds)
    }

    fn of(&self, blob: &str) -> Part {
        self.0.get(blob).copied().unwrap_or(Part::OtherBlobs)
    }
}

/// The digest in a field of a record, without its algorithm.
pub(super) fn named(record: &Utf8Path, field: &str) -> Option<String> {
    let value: Value = serde_json::from_slice(&state::read_plain(record, super::RECORD_LIMIT).ok()?).ok()?;
    Some(value[field].as_str()?.strip_prefix("sha256:")?.to_owned())
}
