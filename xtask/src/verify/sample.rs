//! Programs for tests: ELF files that hold what is read of them, and little that could run.

/// A program or library of 64 bits in little-endian order.
#[derive(Debug, Clone, Default)]
pub struct Program {
    /// `e_machine`; 62 is amd64, 183 is arm64.
    pub machine: u16,
    /// The program that loads it.
    pub interpreter: Option<String>,
    /// Libraries that it needs.
    pub needed: Vec<String>,
    /// Where they are looked for: `DT_RPATH`.
    pub rpath: Option<String>,
    /// Where they are looked for: `DT_RUNPATH`.
    pub runpath: Option<String>,
    /// What it does, in the words of its machine.
    pub code: Vec<u8>,
}

/// Sizes of the header, of a program header, and of an entry of the dynamic segment.
const HEADER: usize = 64;
const SEGMENT: usize = 56;
const ENTRY: usize = 16;
/// Where it is loaded.
const ADDRESS: usize = 0x40_0000;

impl Program {
    /// A program for amd64 that needs nothing.
    pub fn amd64() -> Self {
        Self { machine: 62, ..Self::default() }
    }

    /// A program for arm64 that needs nothing.
    pub fn arm64() -> Self {
        Self { machine: 183, ..Self::default() }
    }

    /// A program for amd64 that ends with a code.
    pub fn ending_with(code: u8) -> Self {
        // mov edi, CODE; mov eax, 60; syscall
        Self { code: vec![0xbf, code, 0, 0, 0, 0xb8, 60, 0, 0, 0, 0x0f, 0x05], ..Self::amd64() }
    }

    /// A program for amd64 that does not end.
    pub fn endless() -> Self {
        // jmp to itself
        Self { code: vec![0xeb, 0xfe], ..Self::amd64() }
    }

    /// With an interpreter.
    #[must_use]
    pub fn loaded_by(self, interpreter: &str) -> Self {
        Self { interpreter: Some(interpreter.to_owned()), ..self }
    }

    /// With a library that it needs.
    #[must_use]
    pub fn needing(mut self, library: &str) -> Self {
        self.needed.push(library.to_owned());
        self
    }

    /// The bytes.
    pub fn bytes(&self) -> Vec<u8> {
        let interpreter = self.interpreter.iter().map(|path| format!("{path}\0")).collect::<String>();
        let begin = HEADER + 3 * SEGMENT;
        let mut strings = vec![0];
        let mut dynamic: Vec<(u64, u64)> = Vec::new();
        let texts = self.needed.iter().map(|name| (1, name));
        for (tag, text) in
            texts.chain(self.rpath.iter().map(|text| (15, text))).chain(self.runpath.iter().map(|text| (29, text)))
        {
            dynamic.push((tag, strings.len() as u64));
            strings.extend_from_slice(text.as_bytes());
            strings.push(0);
        }
        let table = begin + interpreter.len();
        dynamic.extend([(5, (ADDRESS + table) as u64), (10, strings.len() as u64), (0, 0)]);
        let dynamic_at = (table + strings.len()).next_multiple_of(8);
        let code_at = dynamic_at + dynamic.len() * ENTRY;
        let end = code_at + self.code.len();
        let kind = |is_there: bool, kind: u32| if is_there { kind } else { 0 };
        let mut bytes = self.header(code_at);
        bytes.extend(segment(1, 0, end));
        bytes.extend(segment(kind(self.interpreter.is_some(), 3), begin, interpreter.len()));
        bytes.extend(segment(kind(dynamic.len() > 3, 2), dynamic_at, dynamic.len() * ENTRY));
        bytes.extend_from_slice(interpreter.as_bytes());
        bytes.extend(strings);
        bytes.resize(dynamic_at, 0);
        bytes.extend(dynamic.iter().flat_map(|(tag, value)| [tag.to_le_bytes(), value.to_le_bytes()].concat()));
        bytes.extend_from_slice(&self.code);
        bytes
    }

    fn header(&self, entry: usize) -> Vec<u8> {
        let mut bytes = b"\x7fELF\x02\x01\x01\0\0\0\0\0\0\0\0\0".to_vec();
        // an executable, of version 1, with program headers behind this one, and no sections
        bytes.extend([2_u16, self.machine].iter().flat_map(|number| number.to_le_bytes()));
        bytes.extend(1_u32.to_le_bytes());
        bytes.extend([(ADDRESS + entry) as u64, HEADER as u64, 0].iter().flat_map(|number| number.to_le_bytes()));
        bytes.extend(0_u32.to_le_bytes());
        bytes.extend([HEADER as u16, SEGMENT as u16, 3, 64, 0, 0].iter().flat_map(|number| number.to_le_bytes()));
        bytes
    }
}

/// A program header of a part of the file, which is loaded as it lies.
fn segment(kind: u32, offset: usize, size: usize) -> Vec<u8> {
    let (offset, address, size) = (offset as u64, (ADDRESS + offset) as u64, size as u64);
    let words = [offset, address, address, size, size, 0x1000];
    let head = [kind.to_le_bytes(), 5_u32.to_le_bytes()].concat();
    head.into_iter().chain(words.iter().flat_map(|word| word.to_le_bytes())).collect()
}
