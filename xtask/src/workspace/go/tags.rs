//! Which build tags mean something without anybody setting them. <https://pkg.go.dev/cmd/go#hdr-Build_constraints>

/// Systems, by their names in Go. A file of one that is not here counts everywhere, so that nothing is missing.
pub const SYSTEMS: &[&str] = &[
    "aix",
    "android",
    "darwin",
    "dragonfly",
    "freebsd",
    "hurd",
    "illumos",
    "ios",
    "js",
    "linux",
    "nacl",
    "netbsd",
    "openbsd",
    "plan9",
    "solaris",
    "wasip1",
    "windows",
    "zos",
];
/// Architectures, by their names in Go.
pub const ARCHITECTURES: &[&str] = &[
    "386",
    "amd64",
    "amd64p32",
    "arm",
    "armbe",
    "arm64",
    "arm64be",
    "loong64",
    "mips",
    "mipsle",
    "mips64",
    "mips64le",
    "mips64p32",
    "mips64p32le",
    "ppc",
    "ppc64",
    "ppc64le",
    "riscv",
    "riscv64",
    "s390",
    "s390x",
    "sparc",
    "sparc64",
    "wasm",
];
/// Tags that Go itself sets, or a flag other than `-tags` does.
const OWN: &[&str] = &["asan", "boringcrypto", "cgo", "gc", "gccgo", "msan", "race", "unix"];
/// Tags of Go's own packages, which no file of a module has to name.
const STANDARD: &[&str] =
    &["faketime", "math_big_pure_go", "netcgo", "netgo", "nethttpomithttp2", "osusergo", "purego", "timetzdata"];

/// Whether a text can be a tag: letters, digits, `_` and `.`.
pub fn is_tag(text: &str) -> bool {
    !text.is_empty() && text.chars().all(is_tag_character)
}

pub(super) fn is_tag_character(character: char) -> bool {
    character.is_alphanumeric() || character == '_' || character == '.'
}

/// Whether somebody may set a tag with `-tags`: it names neither a system nor an architecture, nor what Go sets itself.
pub fn is_free(tag: &str) -> bool {
    let is_release = tag.strip_prefix("go1.").is_some_and(|minor| minor.parse::<u32>().is_ok());
    let of_architecture = tag.split_once('.').is_some_and(|(first, _)| ARCHITECTURES.contains(&first));
    let lists = [SYSTEMS, ARCHITECTURES, OWN];
    !is_release && !of_architecture && !tag.starts_with("goexperiment.") && !lists.iter().any(|own| own.contains(&tag))
}

/// Whether a tag is one of Go's own packages.
pub fn is_standard(tag: &str) -> bool {
    STANDARD.contains(&tag)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tags_that_somebody_may_set() {
        for tag in ["x", "ignore", "netgo", "go1"] {
            assert!(is_free(tag), "{tag}");
        }
        for tag in ["linux", "amd64", "unix", "cgo", "go1.18", "amd64.v2", "goexperiment.x"] {
            assert!(!is_free(tag), "{tag}");
        }
        assert!(is_standard("netgo") && !is_standard("x"));
    }
}
