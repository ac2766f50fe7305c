//! C libraries, told by their loaders.

use super::follow;
use crate::oci::{Node, Rootfs};

/// A C library.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Libc {
    Glibc,
    Musl,
}

/// Loaders by architecture: that of glibc, and that of musl.
/// <https://sourceware.org/glibc/wiki/ABIList>
const LOADERS: &[(&str, &[&str], &[&str])] = &[
    ("386", &["/lib/ld-linux.so.2"], &["/lib/ld-musl-i386.so.1"]),
    ("amd64", &["/lib64/ld-linux-x86-64.so.2"], &["/lib/ld-musl-x86_64.so.1"]),
    ("arm", &["/lib/ld-linux-armhf.so.3", "/lib/ld-linux.so.3"], &["/lib/ld-musl-armhf.so.1", "/lib/ld-musl-arm.so.1"]),
    ("arm64", &["/lib/ld-linux-aarch64.so.1"], &["/lib/ld-musl-aarch64.so.1"]),
    ("ppc64le", &["/lib64/ld64.so.2"], &["/lib/ld-musl-powerpc64le.so.1"]),
    ("riscv64", &["/lib/ld-linux-riscv64-lp64d.so.1"], &["/lib/ld-musl-riscv64.so.1"]),
    ("s390x", &["/lib/ld64.so.1"], &["/lib/ld-musl-s390x.so.1"]),
];

impl Libc {
    pub(super) fn name(self) -> &'static str {
        match self {
            Self::Glibc => "glibc",
            Self::Musl => "musl",
        }
    }

    /// The library that an interpreter belongs to, where it is known.
    pub(super) fn of(interpreter: &str) -> Option<Self> {
        let name = interpreter.rsplit('/').next().unwrap_or(interpreter);
        match () {
            () if name.starts_with("ld-musl-") => Some(Self::Musl),
            () if name.starts_with("ld-linux") || name.starts_with("ld64.so") => Some(Self::Glibc),
            () => None,
        }
    }

    /// The library that an image has for an architecture, and its loader.
    pub(super) fn in_image(rootfs: &Rootfs, architecture: &str) -> Vec<(Self, &'static str)> {
        let known = LOADERS.iter().filter(|(name, ..)| *name == architecture);
        let all = known.flat_map(|(_, glibc, musl)| {
            glibc.iter().map(|path| (Self::Glibc, *path)).chain(musl.iter().map(|path| (Self::Musl, *path)))
        });
        all.filter(|(_, path)| is_file(rootfs, path)).collect()
    }

    /// Whether the loader itself is what a name means: musl has all of it in one file, and takes the names of glibc for it.
    /// <https://git.musl-libc.org/cgit/musl/tree/ldso/dynlink.c> (`load_library`)
    pub(super) fn brings(self, library: &str) -> bool {
        let reserved = ["c.", "pthread.", "rt.", "m.", "dl.", "util.", "xnet."];
        self == Self::Musl
            && library.strip_prefix("lib").is_some_and(|rest| reserved.iter().any(|name| rest.starts_with(name)))
    }
}

fn is_file(rootfs: &Rootfs, path: &str) -> bool {
    follow::real(rootfs, path).is_ok_and(|real| matches!(rootfs.get(&real), Some(Node::File(..))))
}

/// The C libraries of an image, in words.
pub(super) fn in_words(rootfs: &Rootfs, architecture: &str) -> String {
    let all = Libc::in_image(rootfs, architecture);
    match all.is_empty() {
        true => "has no C library".to_owned(),
        false => {
            let names: Vec<String> = all.iter().map(|(libc, path)| format!("{} ({path})", libc.name())).collect();
            format!("has {}", names.join(" and "))
        }
    }
}
