//! Whether a compiled program is one for Windows: the beginning of a portable executable.
//! <https://learn.microsoft.com/en-us/windows/win32/debug/pe-format>

use super::elf::Misfit;
use crate::oci::Platform;
use crate::verify::pe_machine;

/// Compares a program with what was asked for.
pub(super) fn check(bin: &str, platform: &Platform, bytes: &[u8]) -> Result<(), Misfit> {
    let hint = || "a linker that an `ldflags` entry names may be for another system".to_owned();
    match pe_machine(bytes) {
        None => Err(Misfit { message: format!("program `{bin}` is no program for {platform}"), hint: hint() }),
        Some(found) if found != platform.architecture() => {
            Err(Misfit { message: format!("program `{bin}` is for {found}, not for {platform}"), hint: hint() })
        }
        Some(_) => Ok(()),
    }
}
