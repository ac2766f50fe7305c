//! What a compiled program is, read from its bytes: the machine it is for, and what it must find where it runs.

use object::read::elf::{ElfFile, FileHeader, ProgramHeader as _};
use object::read::{File, Object as _};
use object::{Architecture, Endianness};

use crate::engine::{EngineError, StepFailure};
use crate::oci::Platform;

/// What a program needs of its surroundings.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Linkage {
    architecture: Architecture,
    little_endian: bool,
    /// The program that loads it, such as `/lib64/ld-linux-x86-64.so.2`.
    interpreter: Option<String>,
    /// Shared libraries.
    libraries: Vec<String>,
}

/// What a program has to be.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Wanted<'a> {
    /// Its name.
    pub bin: &'a str,
    /// What it runs on.
    pub platform: &'a Platform,
    /// Whether it must need nothing where it runs.
    pub is_static: bool,
    /// What to do when it needs something.
    pub hint: String,
}

/// Why a program is not what was asked for, with the next step.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Misfit {
    pub message: String,
    pub hint: String,
}

impl Misfit {
    /// The failure of the step that compiled it.
    pub(super) fn refusal(self, job: &str, step: String) -> EngineError {
        EngineError::BuildFailed(Box::new(StepFailure {
            image: job.to_owned(),
            step: Some(step),
            message: self.message,
            hint: Some(self.hint),
            ..StepFailure::default()
        }))
    }
}

/// Compares a program with what was asked for.
pub(super) fn check(program: &Wanted<'_>, bytes: &[u8]) -> Result<(), Misfit> {
    let bin = program.bin;
    let linkage = read(bytes).map_err(|error| Misfit {
        message: format!("program `{bin}` is no program for {}: {error}", program.platform),
        hint: "a linker that a configuration names may be for another system".to_owned(),
    })?;
    if !linkage.fits(program.platform.architecture()) {
        let found = format!("{:?}", linkage.architecture).to_ascii_lowercase();
        return Err(Misfit {
            message: format!("program `{bin}` is for {found}, not for {}", program.platform),
            hint: "a linker that a configuration names may be for another platform".to_owned(),
        });
    }
    let needs = linkage.needs();
    if program.is_static && !needs.is_empty() {
        return Err(Misfit {
            message: format!("program `{bin}` is not linked statically: it needs {}", needs.join(", ")),
            hint: program.hint.clone(),
        });
    }
    Ok(())
}

fn read(bytes: &[u8]) -> Result<Linkage, object::Error> {
    let file = File::parse(bytes)?;
    let interpreter = match &file {
        File::Elf32(elf) => interpreter(elf)?,
        File::Elf64(elf) => interpreter(elf)?,
        _ => None,
    };
    let libraries = file.import_libraries()?.map(|library| Ok(text(library?.name()))).collect::<Result<_, _>>()?;
    Ok(Linkage { architecture: file.architecture(), little_endian: file.is_little_endian(), interpreter, libraries })
}

fn interpreter<Elf: FileHeader<Endian = Endianness>>(elf: &ElfFile<'_, Elf>) -> Result<Option<String>, object::Error> {
    for header in elf.elf_program_headers() {
        if let Some(path) = header.interpreter(elf.endian(), elf.data())? {
            return Ok(Some(text(path)));
        }
    }
    Ok(None)
}

fn text(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).into_owned()
}

impl Linkage {
    /// By the names of the image specification, which are those of Go. An architecture that we do not know fits.
    fn fits(&self, architecture: &str) -> bool {
        let expected = match architecture {
            "386" => Architecture::I386,
            "amd64" => Architecture::X86_64,
            "arm" => Architecture::Arm,
            "arm64" => Architecture::Aarch64,
            "ppc64le" => Architecture::PowerPc64,
            "riscv64" => Architecture::Riscv64,
            "s390x" => Architecture::S390x,
            _ => return true,
        };
        self.architecture == expected && self.little_endian == (architecture != "s390x")
    }

    fn needs(&self) -> Vec<String> {
        let interpreter = self.interpreter.iter().map(|path| format!("the interpreter {path}"));
        interpreter.chain(self.libraries.iter().cloned()).collect()
    }
}
