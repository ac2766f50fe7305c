//! Programs of Windows, as far as one is told from something else: the machine that a portable executable is for.
//! <https://learn.microsoft.com/en-us/windows/win32/debug/pe-format>

/// Where the place of the header is said.
const PLACE: usize = 0x3c;
/// What the header begins with; the machine follows.
const SIGNATURE: &[u8] = b"PE\0\0";

/// The architecture of a program by its name in Go; `None` when it is no program, `other` when the machine is not known here.
pub fn pe_machine(bytes: &[u8]) -> Option<&'static str> {
    if !bytes.starts_with(b"MZ") {
        return None;
    }
    let place: [u8; 4] = bytes.get(PLACE..PLACE + 4)?.try_into().ok()?;
    let header = bytes.get(usize::try_from(u32::from_le_bytes(place)).ok()?..)?.strip_prefix(SIGNATURE)?;
    let machine: [u8; 2] = header.get(..2)?.try_into().ok()?;
    Some(match u16::from_le_bytes(machine) {
        0x014c => "386",
        0x01c4 => "arm",
        0x8664 => "amd64",
        0xaa64 => "arm64",
        _ => "other",
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn machines() {
        let program = |machine: u16| {
            let mut bytes = vec![0; 0x80];
            bytes[..2].copy_from_slice(b"MZ");
            bytes[PLACE] = 0x40;
            bytes[0x40..0x44].copy_from_slice(SIGNATURE);
            bytes[0x44..0x46].copy_from_slice(&machine.to_le_bytes());
            bytes
        };
        assert_eq!(pe_machine(&program(0x8664)), Some("amd64"));
        assert_eq!(pe_machine(&program(0xaa64)), Some("arm64"));
        assert_eq!(pe_machine(&program(1)), Some("other"));
        assert_eq!(pe_machine(b"\x7fELF"), None);
        for end in 0..0x46 {
            assert_eq!(pe_machine(&program(0x8664)[..end]), None, "{end}");
        }
    }
}
