//! What an ELF file says of itself: the machine it is for, and what has to be there when it is started. Only the program
//! headers and the dynamic segment are read, as the kernel and the loaders do it: sections may be missing or wrong.
//! <https://refspecs.linuxfoundation.org/elf/gabi4+/ch5.dynamic.html>

use object::read::elf::{Dyn as _, FileHeader, ProgramHeader as _};
use object::{Endianness, FileKind, ReadRef, elf};
use serde::{Deserialize, Serialize};

/// Most entries of one kind that are kept, and the longest text: nothing that starts has more.
const MAX_ENTRIES: usize = 1024;
const MAX_TEXT: u64 = 4096;
/// Most program headers and entries of the dynamic segment that are looked at.
const MAX_HEADERS: usize = 65_536;

/// A program or library.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Elf {
    /// `e_machine`.
    pub machine: u16,
    /// Whether it is of the 64-bit class.
    pub is_64: bool,
    /// Whether its bytes are in little-endian order.
    pub is_little: bool,
    /// The program that loads it, such as `/lib64/ld-linux-x86-64.so.2`.
    pub interpreter: Option<String>,
    /// Libraries that it needs.
    pub needed: Vec<String>,
    /// Where they are looked for, for itself and what it loads.
    pub rpath: Vec<String>,
    /// Where they are looked for, for itself alone; then `rpath` does not count.
    pub runpath: Vec<String>,
    /// The name by which others need it.
    pub soname: Option<String>,
}

/// Machines of the image specification, whose names are those of Go: `e_machine`, 64 bits, little-endian.
const MACHINES: &[(&str, u16, bool, bool)] = &[
    ("386", elf::EM_386.0, false, true),
    ("amd64", elf::EM_X86_64.0, true, true),
    ("arm", elf::EM_ARM.0, false, true),
    ("arm64", elf::EM_AARCH64.0, true, true),
    ("loong64", elf::EM_LOONGARCH.0, true, true),
    ("mips64le", elf::EM_MIPS.0, true, true),
    ("ppc64le", elf::EM_PPC64.0, true, true),
    ("riscv64", elf::EM_RISCV.0, true, true),
    ("s390x", elf::EM_S390.0, true, false),
];

impl Elf {
    /// Reads a file.
    ///
    /// # Errors
    /// Why it cannot be started, in words.
    pub fn read<'d>(data: impl ReadRef<'d>) -> Result<Self, String> {
        let said = |error: object::Error| error.to_string();
        match FileKind::parse(data).map_err(said)? {
            FileKind::Elf32 => read::<elf::FileHeader32<Endianness>>(data).map_err(said),
            FileKind::Elf64 => read::<elf::FileHeader64<Endianness>>(data).map_err(said),
            _ => Err("it is no ELF file".to_owned()),
        }
    }

    /// Whether it is for an architecture. One that we do not know fits.
    pub fn fits(&self, architecture: &str) -> bool {
        let known = MACHINES.iter().find(|(name, ..)| *name == architecture);
        known.is_none_or(|known| (known.1, known.2, known.3) == (self.machine, self.is_64, self.is_little))
    }

    /// Whether a loader takes both into one process.
    pub fn goes_with(&self, other: &Self) -> bool {
        (self.machine, self.is_64, self.is_little) == (other.machine, other.is_64, other.is_little)
    }

    /// The architecture, by the name that images have for it.
    pub fn architecture(&self) -> String {
        let own = (self.machine, self.is_64, self.is_little);
        match MACHINES.iter().find(|known| (known.1, known.2, known.3) == own) {
            Some((name, ..)) => (*name).to_owned(),
            None => format!("ELF machine {} ({} bits)", self.machine, if self.is_64 { 64 } else { 32 }),
        }
    }
}

/// Where a text of the dynamic segment begins in the string table.
struct Text {
    tag: elf::DynamicTag,
    offset: u64,
}

fn read<'d, Header: FileHeader<Endian = Endianness>>(data: impl ReadRef<'d>) -> object::Result<Elf> {
    let header = Header::parse(data)?;
    let endian = header.endian()?;
    let mut found = Elf {
        machine: header.e_machine(endian).0,
        is_64: header.is_type_64(),
        is_little: header.is_little_endian(),
        ..Elf::default()
    };
    let headers = header.program_headers(endian, data)?;
    let (mut texts, mut table) = (Vec::new(), None);
    for header in headers.iter().take(MAX_HEADERS) {
        if let Some(path) = header.interpreter(endian, data)? {
            found.interpreter = Some(text(path));
        }
        let entries = header.dynamic(endian, data)?.unwrap_or_default();
        for entry in entries.iter().take(MAX_HEADERS) {
            let (tag, value): (_, u64) = (entry.d_tag(endian), entry.d_val(endian).into());
            match tag {
                elf::DT_NULL => break,
                elf::DT_STRTAB => table = Some(value),
                elf::DT_NEEDED | elf::DT_RPATH | elf::DT_RUNPATH | elf::DT_SONAME if texts.len() < MAX_ENTRIES => {
                    texts.push(Text { tag, offset: value });
                }
                _ => {}
            }
        }
    }
    let (Some(table), Ok(length)) = (table, data.len()) else { return Ok(found) };
    let in_file = |address: u64| {
        headers.iter().take(MAX_HEADERS).find_map(|header| {
            let begin: u64 = header.p_vaddr(endian).into();
            let (offset, size): (u64, u64) = (header.p_offset(endian).into(), header.p_filesz(endian).into());
            let inside = address.checked_sub(begin).filter(|inside| *inside < size)?;
            (header.p_type(endian) == elf::PT_LOAD).then(|| offset.checked_add(inside))?
        })
    };
    for Text { tag, offset } in texts {
        let begin = table.checked_add(offset).and_then(in_file);
        let end = |begin: u64| begin.saturating_add(MAX_TEXT).min(length);
        let bytes = begin.and_then(|begin| data.read_bytes_at_until(begin..end(begin), 0).ok());
        // what cannot be read is a name that nothing has
        let value = bytes.map_or_else(|| "?".to_owned(), text);
        match tag {
            elf::DT_NEEDED => found.needed.push(value),
            elf::DT_RPATH => found.rpath.extend(list(&value)),
            elf::DT_RUNPATH => found.runpath.extend(list(&value)),
            _ => found.soname = Some(value),
        }
    }
    Ok(found)
}

fn text(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).into_owned()
}

fn list(value: &str) -> Vec<String> {
    value.split(':').filter(|folder| !folder.is_empty()).take(MAX_ENTRIES).map(str::to_owned).collect()
}
