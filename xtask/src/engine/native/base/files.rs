//! Folders and archives alike: files by name.

use std::collections::BTreeMap;
use std::fs::File;
use std::io::{self, BufReader, Read, Seek as _, SeekFrom, Take};

use camino::{Utf8Path, Utf8PathBuf};

use super::fault::Fault;
use crate::oci::{Skip, TarKind, TarReader};

/// Largest document (manifest, index, configuration) that is read, in bytes: the limit that registries have, four times.
pub(super) const MAX_DOCUMENT: u64 = 16 << 20;
/// Most files that an archive may have.
const MAX_FILES: usize = 100_000;
/// Most links from one name to another.
const MAX_LINKS: usize = 8;

/// Files by name.
#[derive(Debug)]
pub(super) enum Files {
    /// Those of a folder.
    Folder(Utf8PathBuf),
    /// Those of a tar, where each begins and how long it is.
    Archive(Utf8PathBuf, BTreeMap<String, Place>),
}

/// Where a file is in an archive.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Place {
    /// Here.
    At { offset: u64, size: u64 },
    /// Where that name is.
    Link(String),
}

/// The bytes of one file.
#[derive(Debug)]
pub(super) struct Part {
    /// How many they are.
    pub(super) size: u64,
    reader: Take<BufReader<File>>,
}

impl Read for Part {
    fn read(&mut self, into: &mut [u8]) -> io::Result<usize> {
        self.reader.read(into)
    }
}

impl Files {
    /// Those of a folder.
    pub(super) fn folder(path: &Utf8Path) -> Result<Self, Fault> {
        match path.metadata() {
            Ok(metadata) if metadata.is_dir() => Ok(Self::Folder(path.to_owned())),
            Ok(_) => Err(Fault::Choice(format!(
                "{path} is not a folder\nhint: a file is an `oci-archive:` or `docker-archive:`"
            ))),
            Err(error) => Err(missing(path, error)),
        }
    }

    /// Those of an archive, whose bytes are passed over, not read.
    pub(super) fn archive(path: &Utf8Path) -> Result<Self, Fault> {
        let file = regular(path)?.ok_or_else(|| missing(path, io::ErrorKind::NotFound.into()))?;
        let length = file.metadata().map_err(Fault::Io)?.len();
        let mut source = Seeking { file: BufReader::new(file), position: 0 };
        refuse_compressed(&mut source, path)?;
        let mut tar = TarReader::new(source);
        let mut places = BTreeMap::new();
        while let Some(entry) = tar.next_entry().map_err(|error| Fault::from(error).within(path.as_str()))? {
            let name = clean(&entry.name);
            let place = match entry.kind {
                TarKind::File => Place::At { offset: tar.source().position, size: entry.size },
                TarKind::Link | TarKind::HardLink => {
                    let folder = name.rsplit_once('/').map_or("", |(folder, _)| folder);
                    let from = if entry.kind == TarKind::Link { folder } else { "" };
                    Place::Link(clean(format!("{from}/{}", String::from_utf8_lossy(&entry.target)).as_bytes()))
                }
                TarKind::Folder | TarKind::Special => continue,
            };
            if matches!(place, Place::At { offset, size } if size > length.saturating_sub(offset)) {
                return Err(Fault::Refused(format!("{path} is cut short")));
            }
            places.insert(name, place);
            if places.len() > MAX_FILES {
                return Err(Fault::Refused(format!("{path} has more than {MAX_FILES} files")));
            }
        }
        Ok(Self::Archive(path.to_owned(), places))
    }

    /// Where they are.
    pub(super) fn path(&self) -> &Utf8Path {
        match self {
            Self::Folder(path) | Self::Archive(path, _) => path,
        }
    }

    /// The bytes of a file, if it is there. `name` never comes from an image when the files are those of a folder.
    pub(super) fn open(&self, name: &str) -> Result<Option<Part>, Fault> {
        let (file, size) = match self {
            Self::Folder(folder) => {
                let Some(file) = regular(&folder.join(name))? else { return Ok(None) };
                let size = file.metadata().map_err(Fault::Io)?.len();
                (file, size)
            }
            Self::Archive(path, places) => {
                let Some((offset, size)) = find(places, name) else { return Ok(None) };
                let mut file = regular(path)?.ok_or_else(|| missing(path, io::ErrorKind::NotFound.into()))?;
                file.seek(SeekFrom::Start(offset)).map_err(Fault::Io)?;
                (file, size)
            }
        };
        Ok(Some(Part { size, reader: BufReader::with_capacity(1 << 18, file).take(size) }))
    }

    /// The bytes of a document, if it is there.
    pub(super) fn document(&self, name: &str) -> Result<Option<Vec<u8>>, Fault> {
        let Some(mut part) = self.open(name)? else { return Ok(None) };
        if part.size > MAX_DOCUMENT {
            return Err(Fault::Refused(format!("{name} has {} bytes; at most {MAX_DOCUMENT} are read", part.size)));
        }
        let mut bytes = Vec::new();
        part.read_to_end(&mut bytes).map_err(Fault::Io)?;
        Ok(Some(bytes))
    }
}

/// Where a name leads to.
fn find(places: &BTreeMap<String, Place>, name: &str) -> Option<(u64, u64)> {
    let mut name = name;
    for _ in 0..MAX_LINKS {
        match places.get(name)? {
            Place::At { offset, size } => return Some((*offset, *size)),
            Place::Link(target) => name = target,
        }
    }
    None
}

/// The name of a file as it is looked up: `./a//b/../c` is `a/c`. What leads out of the archive is found by nobody.
pub(super) fn clean(name: &[u8]) -> String {
    let name = String::from_utf8_lossy(name);
    let mut segments: Vec<&str> = Vec::new();
    for segment in name.split('/') {
        match segment {
            "" | "." => {}
            ".." => _ = segments.pop(),
            _ => segments.push(segment),
        }
    }
    segments.join("/")
}

fn missing(path: &Utf8Path, error: io::Error) -> Fault {
    match error.kind() {
        io::ErrorKind::NotFound => Fault::Missing(format!(
            "{path} does not exist\nhint: make it, or name another image with `--set`; relative paths begin at the workspace root"
        )),
        _ => Fault::Io(io::Error::new(error.kind(), format!("{path}: {error}"))),
    }
}

/// Opens a file, and nothing that would wait for somebody else, such as a pipe.
fn regular(path: &Utf8Path) -> Result<Option<File>, Fault> {
    let metadata = match path.metadata() {
        Ok(metadata) => metadata,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
        Err(error) => return Err(missing(path, error)),
    };
    if metadata.is_dir() {
        return Err(Fault::Choice(format!("{path} is a folder\nhint: a folder with an OCI layout is `oci:{path}`")));
    }
    if !metadata.is_file() {
        return Err(Fault::Choice(format!("{path} is not a regular file")));
    }
    File::open(path).map(Some).map_err(|error| missing(path, error))
}

/// Compressed archives have no places to begin at: every layer would need all that stands before it.
fn refuse_compressed(source: &mut Seeking, path: &Utf8Path) -> Result<(), Fault> {
    let mut start = [0; 6];
    let mut read = 0;
    while read < start.len() {
        match source.file.read(&mut start[read..]).map_err(Fault::Io)? {
            0 => break,
            more => read += more,
        }
    }
    source.file.seek(SeekFrom::Start(0)).map_err(Fault::Io)?;
    let program = match start {
        [0x1f, 0x8b, ..] => "gzip",
        [0x28, 0xb5, 0x2f, 0xfd, ..] => "zstd",
        [b'B', b'Z', b'h', ..] => "bzip2",
        [0xfd, b'7', b'z', b'X', b'Z', 0] => "xz",
        _ => return Ok(()),
    };
    Err(Fault::Choice(format!("{path} is compressed\nhint: unpack it first, with `{program} -d`")))
}

/// A file whose bytes are passed over by seeking.
#[derive(Debug)]
struct Seeking {
    file: BufReader<File>,
    position: u64,
}

impl Read for Seeking {
    fn read(&mut self, into: &mut [u8]) -> io::Result<usize> {
        let read = self.file.read(into)?;
        self.position += read as u64;
        Ok(read)
    }
}

impl Skip for Seeking {
    fn skip(&mut self, bytes: u64) -> io::Result<()> {
        let by = i64::try_from(bytes).map_err(|_| io::ErrorKind::UnexpectedEof)?;
        self.file.seek_relative(by)?;
        self.position += bytes;
        Ok(())
    }
}
