//! Tar streams as layers have them: ustar, GNU and PAX. <https://pubs.opengroup.org/onlinepubs/9699919799/utilities/pax.html>
//!
//! A reader of our own, because bytes of strangers come through it: long names, PAX records and names are bounded, PAX
//! values may hold line breaks (file capabilities do), and nothing but the current entry is in memory. Global PAX headers are
//! skipped, as Docker and containerd do. The end is two empty blocks, one, or the end of the stream, even where zeros are still missing behind the last file.

use std::collections::BTreeMap;
use std::io::{self, Read};

const BLOCK: usize = 512;
/// Most bytes of all PAX headers and long names of one entry: what Go's `archive/tar`, which writes and reads most layers,
/// takes for one of them.
const MAX_EXTENSION: u64 = 1 << 20;
/// How PAX names extended attributes.
const XATTR: &str = "SCHILY.xattr.";

/// What an entry is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum TarKind {
    /// A regular file, whose bytes follow.
    File,
    /// Another name of a file that came before.
    HardLink,
    /// A symbolic link.
    Link,
    /// A folder.
    Folder,
    /// A device or a named pipe.
    Special,
}

/// One entry, without its bytes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TarEntry {
    /// Its name, as it was written.
    pub name: Vec<u8>,
    /// Where a link points to.
    pub target: Vec<u8>,
    /// What it is.
    pub kind: TarKind,
    /// How many bytes follow.
    pub size: u64,
    /// Permission bits, with those for setuid, setgid and sticky.
    pub mode: u32,
    /// Owner.
    pub uid: u64,
    /// Group.
    pub gid: u64,
    /// Extended attributes, such as `security.capability`.
    pub xattrs: BTreeMap<String, Vec<u8>>,
    /// The bytes are those of a sparse file, without its holes.
    pub sparse: bool,
}

/// A source that may know a faster way over bytes than reading them.
pub trait Skip: Read {
    /// Leaves bytes out.
    ///
    /// # Errors
    /// Whatever the source says; it may also say so at the next read.
    fn skip(&mut self, bytes: u64) -> io::Result<()> {
        let skipped = io::copy(&mut Read::take(&mut *self, bytes), &mut io::sink())?;
        if skipped == bytes { Ok(()) } else { Err(io::ErrorKind::UnexpectedEof.into()) }
    }
}

impl Skip for &[u8] {}
impl Skip for Box<dyn Read + '_> {}

/// Entries, one after the other. Reading from it gives the bytes of the entry that [`TarReader::next_entry`] gave last.
#[derive(Debug)]
pub struct TarReader<R> {
    source: R,
    /// Bytes of the current entry that were not read yet.
    left: u64,
    /// Zeros after them.
    padding: u64,
    ended: bool,
}

/// What PAX and GNU headers say about the entry after them.
#[derive(Debug, Default)]
struct Extension {
    name: Option<Vec<u8>>,
    target: Option<Vec<u8>>,
    size: Option<u64>,
    uid: Option<u64>,
    gid: Option<u64>,
    xattrs: BTreeMap<String, Vec<u8>>,
    sparse_name: Option<Vec<u8>>,
    sparse: bool,
}

impl<R: Skip> TarReader<R> {
    /// Reads from a source.
    pub fn new(source: R) -> Self {
        Self { source, left: 0, padding: 0, ended: false }
    }

    /// The source, behind what was read of it.
    pub fn into_inner(self) -> R {
        self.source
    }

    /// The source.
    pub fn source(&self) -> &R {
        &self.source
    }

    /// The next entry; bytes of the last one that were not read are left out.
    ///
    /// # Errors
    /// What comes is no tar, is cut short, or has headers that are too large; whatever the source says.
    pub fn next_entry(&mut self) -> io::Result<Option<TarEntry>> {
        let (mut extension, mut room) = (Extension::default(), MAX_EXTENSION);
        loop {
            self.skip_rest()?;
            let Some(header) = self.header()? else { return Ok(None) };
            let size = number(&header[124..136])?;
            match header[156] {
                b'x' => extension.pax(&self.extension(size, &mut room)?)?,
                b'L' => extension.name = Some(until_zero(&self.extension(size, &mut room)?).to_vec()),
                b'K' => extension.target = Some(until_zero(&self.extension(size, &mut room)?).to_vec()),
                b'g' => self.expect(size)?,
                _ => return self.entry(&header, size, extension).map(Some),
            }
        }
    }

    fn entry(&mut self, header: &[u8; BLOCK], size: u64, extension: Extension) -> io::Result<TarEntry> {
        let name = extension.sparse_name.or(extension.name).unwrap_or_else(|| name(header));
        let flag = header[156];
        let (kind, sparse) = match flag {
            // the old format has no type for folders
            0 if name.ends_with(b"/") => (TarKind::Folder, false),
            0 | b'0' | b'7' => (TarKind::File, extension.sparse),
            b'S' => (TarKind::File, true),
            b'1' => (TarKind::HardLink, false),
            b'2' => (TarKind::Link, false),
            b'3' | b'4' | b'6' => (TarKind::Special, false),
            b'5' => (TarKind::Folder, false),
            _ => return Err(invalid(format!("an entry has the unknown type {:?}", char::from(flag)))),
        };
        if flag == b'S' {
            self.skip_sparse_map(header)?;
        }
        // only files have bytes; some writers say the size of the file for its other names too
        let size = if kind == TarKind::File { extension.size.unwrap_or(size) } else { 0 };
        self.expect(size)?;
        Ok(TarEntry {
            name,
            target: extension.target.unwrap_or_else(|| until_zero(&header[157..257]).to_vec()),
            kind,
            size,
            mode: (number(&header[100..108])? & 0o7777) as u32,
            uid: extension.uid.map_or_else(|| number(&header[108..116]), Ok)?,
            gid: extension.gid.map_or_else(|| number(&header[116..124]), Ok)?,
            xattrs: extension.xattrs,
            sparse,
        })
    }

    /// The next header; none at the end.
    fn header(&mut self) -> io::Result<Option<[u8; BLOCK]>> {
        let mut block = [0; BLOCK];
        if self.ended || !self.block(&mut block)? || block.iter().all(|byte| *byte == 0) {
            self.ended = true;
            return Ok(None);
        }
        let sum = |range: &[u8]| range.iter().map(|byte| u64::from(*byte)).sum::<u64>();
        let expected = sum(&block[..148]) + 8 * u64::from(b' ') + sum(&block[156..]);
        if number(&block[148..156]).ok() == Some(expected) {
            Ok(Some(block))
        } else {
            Err(invalid("it is no tar: the checksum of a header is wrong"))
        }
    }

    /// Fills a block; false when the stream is at its end.
    fn block(&mut self, block: &mut [u8; BLOCK]) -> io::Result<bool> {
        let mut filled = 0;
        while filled < BLOCK {
            match self.source.read(&mut block[filled..]) {
                Ok(0) if filled == 0 => return Ok(false),
                Ok(0) => return Err(cut()),
                Ok(read) => filled += read,
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(error) => return Err(error),
            }
        }
        Ok(true)
    }

    /// So many bytes and their padding come next.
    fn expect(&mut self, size: u64) -> io::Result<()> {
        if size > i64::MAX as u64 {
            return Err(invalid("an entry is larger than any file can be"));
        }
        self.left = size;
        self.padding = size.next_multiple_of(BLOCK as u64) - size;
        Ok(())
    }

    fn skip_rest(&mut self) -> io::Result<()> {
        let (left, mut padding) = (std::mem::take(&mut self.left), std::mem::take(&mut self.padding) as usize);
        if left > 0 {
            let cut_short = |error: io::Error| if error.kind() == io::ErrorKind::UnexpectedEof { cut() } else { error };
            self.source.skip(left).map_err(cut_short)?;
        }
        let mut zeros = [0; BLOCK];
        while padding > 0 && !self.ended {
            match self.source.read(&mut zeros[..padding]) {
                // umoci leaves the zeros after the last file out, and Go does not mind
                Ok(0) => self.ended = true,
                Ok(read) => padding -= read,
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(error) => return Err(error),
            }
        }
        Ok(())
    }

    /// The bytes of a header that describes the next entry, which takes them from the `room` of all of its headers.
    fn extension(&mut self, size: u64, room: &mut u64) -> io::Result<Vec<u8>> {
        *room = room.checked_sub(size).ok_or_else(|| {
            let all = (MAX_EXTENSION - *room).saturating_add(size);
            invalid(format!("an entry has headers of {all} bytes; at most {MAX_EXTENSION} are read"))
        })?;
        self.expect(size)?;
        let mut bytes = Vec::new();
        Read::take(&mut *self, size).read_to_end(&mut bytes)?;
        Ok(bytes)
    }

    /// The map of an old GNU sparse file may go on in blocks after the header.
    fn skip_sparse_map(&mut self, header: &[u8; BLOCK]) -> io::Result<()> {
        let mut more = header[482] != 0;
        let mut block = [0; BLOCK];
        while more {
            if !self.block(&mut block)? {
                return Err(cut());
            }
            more = block[504] != 0;
        }
        Ok(())
    }
}

impl<R: Read> Read for TarReader<R> {
    fn read(&mut self, into: &mut [u8]) -> io::Result<usize> {
        let most = into.len().min(usize::try_from(self.left).unwrap_or(usize::MAX));
        let read = self.source.read(&mut into[..most])?;
        if read == 0 && most > 0 {
            return Err(cut());
        }
        self.left -= read as u64;
        Ok(read)
    }
}

impl Extension {
    /// Takes records of the form `LENGTH KEY=VALUE\n`, where the length counts the whole record.
    fn pax(&mut self, mut bytes: &[u8]) -> io::Result<()> {
        let malformed = || invalid("a PAX header is malformed");
        while !bytes.is_empty() {
            let blank = bytes.iter().position(|byte| *byte == b' ').ok_or_else(malformed)?;
            let length: usize = parse(&bytes[..blank]).ok_or_else(malformed)?;
            let record = bytes.get(blank + 1..length).and_then(|record| record.strip_suffix(b"\n"));
            let record = record.ok_or_else(malformed)?;
            let equals = record.iter().position(|byte| *byte == b'=').ok_or_else(malformed)?;
            self.record(&record[..equals], &record[equals + 1..]).ok_or_else(malformed)?;
            bytes = &bytes[length..];
        }
        Ok(())
    }

    fn record(&mut self, key: &[u8], value: &[u8]) -> Option<()> {
        let key = std::str::from_utf8(key).ok()?;
        // an empty value takes an earlier one back
        let some = (!value.is_empty()).then_some(value);
        match key {
            "path" => self.name = some.map(<[u8]>::to_vec),
            "linkpath" => self.target = some.map(<[u8]>::to_vec),
            "size" => self.size = some.map(|value| parse(value).ok_or(())).transpose().ok()?,
            "uid" => self.uid = some.map(|value| parse(value).ok_or(())).transpose().ok()?,
            "gid" => self.gid = some.map(|value| parse(value).ok_or(())).transpose().ok()?,
            "GNU.sparse.name" => self.sparse_name = some.map(<[u8]>::to_vec),
            _ if key.starts_with("GNU.sparse.") => self.sparse = true,
            _ => {
                if let Some(name) = key.strip_prefix(XATTR).filter(|name| !name.is_empty()) {
                    self.xattrs.insert(name.to_owned(), value.to_vec());
                }
            }
        }
        Some(())
    }
}

fn invalid(message: impl Into<String>) -> io::Error {
    io::Error::new(io::ErrorKind::InvalidData, message.into())
}

fn cut() -> io::Error {
    invalid("the tar is cut short")
}

fn until_zero(bytes: &[u8]) -> &[u8] {
    bytes.split(|byte| *byte == 0).next().unwrap_or_default()
}

fn parse<T: std::str::FromStr>(digits: &[u8]) -> Option<T> {
    let plain = digits.iter().all(u8::is_ascii_digit);
    std::str::from_utf8(digits).ok().filter(|_| plain)?.parse().ok()
}

/// The name in the header; ustar has the folders of a long one in a second field, where GNU keeps times.
fn name(header: &[u8; BLOCK]) -> Vec<u8> {
    let (name, prefix) = (until_zero(&header[..100]), until_zero(&header[345..500]));
    if header[257..263] == *b"ustar\0" && !prefix.is_empty() { [prefix, b"/", name].concat() } else { name.to_vec() }
}

/// A number in octal digits, or in binary when its first bit is set.
fn number(field: &[u8]) -> io::Result<u64> {
    if field[0] & 0x80 != 0 {
        let (high, low) = field.split_at(field.len().saturating_sub(8));
        let first = high.first().is_none_or(|byte| *byte == 0x80);
        if !first || high.iter().skip(1).any(|byte| *byte != 0) {
            return Err(invalid("a number in a header is negative or too large"));
        }
        // a field of eight bytes has the flag in the number itself
        let mask = if high.is_empty() { u64::MAX >> 1 } else { u64::MAX };
        return Ok(low.iter().fold(0, |number, byte| number << 8 | u64::from(*byte)) & mask);
    }
    let text = until_zero(field).trim_ascii();
    let digit = |number: u64, byte: &u8| match byte {
        b'0'..=b'7' => number.checked_mul(8)?.checked_add(u64::from(byte - b'0')),
        _ => None,
    };
    text.iter().try_fold(0, digit).ok_or_else(|| invalid("a number in a header is none"))
}

#[cfg(test)]
mod tests;
