//! What has to be known of the bytes of a file, so that nobody has to hold all of them.

use std::sync::Arc;

use object::ReadRef;
use serde::{Deserialize, Serialize};

use super::elf::Elf;
use super::pe::pe_machine;
use crate::oci::{Digest, Source};

/// How many bytes of a script the kernel looks at (`BINPRM_BUF_SIZE`).
pub const HEAD: usize = 256;
/// What an ELF file begins with.
const ELF: &[u8] = b"\x7fELF";
/// The extended attribute of file capabilities.
pub const CAPABILITY: &str = "security.capability";
/// Largest text that is kept.
pub const MAX_TEXT: u64 = 16 << 20;

/// What is known of a file.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Facts {
    /// Number of its bytes.
    pub size: u64,
    /// Digest of its bytes, where somebody has read all of them.
    pub digest: Option<Digest>,
    /// Whether it has capabilities of its own: they give rights as setuid does.
    pub has_capability: bool,
    /// What the kernel makes of it.
    pub nature: Nature,
    /// Its bytes, where [`is_text`].
    #[serde(with = "super::text_form")]
    pub text: Option<Vec<u8>>,
}

/// What the kernel makes of a file that is started.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub enum Nature {
    /// A program or library.
    Elf(Elf),
    /// An ELF file that cannot be read, and why.
    Broken(String),
    /// A script.
    Script(Script),
    /// A program of Windows, with the architecture that it is for by its name in Go; empty where it is not known.
    Windows(String),
    /// Nothing that it starts.
    Data,
}

/// The first line of a script.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Script {
    /// The program that reads it.
    pub interpreter: String,
    /// All that stands behind it, which is one argument.
    pub argument: Option<String>,
}

/// Who knows the bytes of an image.
pub trait Contents {
    /// What is known of the file of an entry.
    ///
    /// # Errors
    /// Why nothing is, in words.
    fn facts(&self, source: Source) -> Result<Arc<Facts>, String>;

    /// The digest of that file, where somebody has read all of it. Nothing else has to be known for it.
    ///
    /// # Errors
    /// As [`Contents::facts`].
    fn digest(&self, source: Source) -> Result<Option<Digest>, String> {
        self.facts(source).map(|facts| facts.digest.clone())
    }

    /// Whether that file has capabilities of its own. Nothing else has to be known for it.
    fn has_capability(&self, source: Source) -> bool {
        self.facts(source).is_ok_and(|facts| facts.has_capability)
    }
}

impl Nature {
    /// By all bytes of a file, or by what can read them.
    pub fn of<'d>(head: &[u8], data: impl ReadRef<'d>) -> Self {
        if head.starts_with(ELF) {
            return Elf::read(data).map_or_else(Self::Broken, Self::Elf);
        }
        if let Some(machine) = pe_machine(head) {
            return Self::Windows(machine.to_owned());
        }
        Script::of(head).map_or(Self::Data, Self::Script)
    }

    /// Whether more than the first [`HEAD`] bytes decide.
    pub fn needs_all(head: &[u8]) -> bool {
        head.starts_with(ELF)
    }
}

impl Script {
    /// As Linux reads it: blanks around both parts do not count. A first line that is longer than [`HEAD`] is cut.
    fn of(head: &[u8]) -> Option<Self> {
        let line = head.get(..head.len().min(HEAD))?.strip_prefix(b"#!")?;
        let line = line.split(|byte| *byte == b'\n').next().unwrap_or_default();
        let line = String::from_utf8_lossy(line);
        let line = line.trim_matches([' ', '\t']);
        let (interpreter, argument) = line.split_once([' ', '\t']).unwrap_or((line, ""));
        let argument = Some(argument.trim_matches([' ', '\t']).to_owned()).filter(|text| !text.is_empty());
        Some(Self { interpreter: interpreter.to_owned(), argument })
    }

    /// The program that `env` looks for in `PATH`, where it is the interpreter.
    pub fn by_env(&self) -> Option<&str> {
        let is_env = self.interpreter.rsplit('/').next() == Some("env");
        let words = self.argument.as_deref().filter(|_| is_env)?.split_whitespace();
        let mut words = words.skip_while(|word| word.starts_with('-') || word.contains('='));
        words.next().filter(|word| !word.contains('/'))
    }
}

/// Files whose text matters, beside those of loaders: the description, users, the distribution and its packages.
const TEXTS: &[&str] = &[
    ".groupage/manifest.json",
    "etc/group",
    "etc/ld.so.conf",
    "etc/os-release",
    "etc/passwd",
    "lib/apk/db/installed",
    "usr/lib/apk/db/installed",
    "usr/lib/os-release",
    "var/lib/dpkg/status",
];

/// Whether a file is one whose text matters: see [`TEXTS`], and where loaders look for libraries. `path` is relative.
pub fn is_text(path: &str) -> bool {
    let in_folder = |folder: &str, end: &str| {
        path.strip_prefix(folder).is_some_and(|name| name.ends_with(end) && !name.contains('/'))
    };
    TEXTS.contains(&path)
        || in_folder("var/lib/dpkg/status.d/", "")
        || in_folder("etc/ld.so.conf.d/", ".conf")
        || in_folder("etc/ld-musl-", ".path")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn first_lines() {
        let check = |head: &str, expect: Option<(&str, Option<&str>)>| {
            let script = Script::of(head.as_bytes());
            let seen = script.as_ref().map(|script| (script.interpreter.as_str(), script.argument.as_deref()));
            assert_eq!(seen, expect, "{head:?}");
        };
        check("#!/bin/sh\necho", Some(("/bin/sh", None)));
        check("#! \t/bin/sh -eu  \n", Some(("/bin/sh", Some("-eu"))));
        check("#!/usr/bin/env python3 -u", Some(("/usr/bin/env", Some("python3 -u"))));
        check("#!", Some(("", None)));
        check("#!\r\n", Some(("\r", None)));
        check("#", None);
        check("echo", None);
        check("", None);
    }

    #[test]
    fn what_env_looks_for() {
        let check = |line: &str, expect: Option<&str>| {
            assert_eq!(Script::of(line.as_bytes()).unwrap().by_env(), expect, "{line}");
        };
        check("#!/usr/bin/env python3", Some("python3"));
        check("#!/usr/bin/env -S A=b node --x", Some("node"));
        check("#!/usr/bin/env", None);
        check("#!/usr/bin/env /opt/x", None);
        check("#!/bin/sh -e", None);
    }

    #[test]
    fn texts() {
        for path in [
            "etc/ld.so.conf",
            "etc/ld.so.conf.d/x.conf",
            "etc/ld-musl-x86_64.path",
            ".groupage/manifest.json",
            "etc/passwd",
            "var/lib/dpkg/status.d/tzdata",
        ] {
            assert!(is_text(path), "{path}");
        }
        for path in ["etc/shadow", "etc/ld.so.conf.d/x/y.conf", "etc/ld.so.conf.d/x", "var/lib/dpkg/status.d/x/y"] {
            assert!(!is_text(path), "{path}");
        }
    }
}
