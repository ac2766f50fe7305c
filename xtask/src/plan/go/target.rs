//! Which files of a package count on a platform. <https://pkg.go.dev/cmd/go#hdr-Build_constraints>

use crate::oci::Platform;
use crate::workspace::go::{ARCHITECTURES, Header, SYSTEMS, is_free};

/// Systems that are another one too.
const ALSO: &[(&str, &str)] = &[("android", "linux"), ("illumos", "solaris"), ("ios", "darwin")];
/// Systems that are no Unix.
const NO_UNIX: &[&str] = &["js", "nacl", "plan9", "wasip1", "windows", "zos"];
/// What a program is compiled for.
#[derive(Debug, Clone, Copy)]
pub struct GoTarget<'a> {
    /// The platform.
    pub platform: &'a Platform,
    /// Tags of `-tags`.
    pub tags: &'a [String],
    /// Whether C is compiled too.
    pub cgo: bool,
}

impl GoTarget<'_> {
    /// Whether a file may count. What depends on the version of Go counts, because no version is known.
    pub(super) fn may_count(&self, name: &str, header: Option<&Header>, minor: impl Fn(u32) -> Option<bool>) -> bool {
        let known = |tag: &str| self.is_on(tag, &minor);
        let excluded = header.is_some_and(|header| {
            let constraint = header.constraint.as_ref();
            constraint.and_then(|constraint| constraint.holds(&known)) == Some(false) || (header.is_cgo() && !self.cgo)
        });
        !excluded && self.fits_name(name)
    }

    /// Whether a tag is on. `minor` says whether the language is at least `1.N`.
    fn is_on(&self, tag: &str, minor: &impl Fn(u32) -> Option<bool>) -> Option<bool> {
        let system = self.platform.os();
        if let Some(release) = tag.strip_prefix("go1.").and_then(|minor| minor.parse().ok()) {
            // a newer Go can compile an older language
            return minor(release).filter(|is_at_least| *is_at_least);
        }
        match tag {
            "gc" => Some(true),
            "cgo" => Some(self.cgo),
            // since Go 1.19
            "unix" => Some(false).filter(|_| NO_UNIX.contains(&system)),
            "boringcrypto" => None,
            _ if self.tags.iter().any(|own| own == tag) => Some(true),
            _ if SYSTEMS.contains(&tag) => Some(tag == system || ALSO.contains(&(system, tag))),
            _ if ARCHITECTURES.contains(&tag) => Some(tag == self.platform.architecture()),
            _ if is_free(tag) => Some(false),
            "gccgo" | "race" | "msan" | "asan" => Some(false),
            // experiments and levels of architectures are up to the compiler
            _ => None,
        }
    }

    /// `NAME_linux.go`, `NAME_arm64.s` and `NAME_linux_arm64.go`.
    fn fits_name(&self, name: &str) -> bool {
        let stem = name.split('.').next().unwrap_or_default();
        let Some((_, rest)) = stem.split_once('_') else { return true };
        let mut words = rest.rsplit('_');
        let (last, before) = (words.next().unwrap_or_default(), words.next().unwrap_or_default());
        let own = |word: &str| self.is_on(word, &|_| None) == Some(true);
        match () {
            () if ARCHITECTURES.contains(&last) && SYSTEMS.contains(&before) => own(last) && own(before),
            () if ARCHITECTURES.contains(&last) || SYSTEMS.contains(&last) => own(last),
            () => true,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(platform: &str, tags: &[&str], name: &str, text: &str, expect: bool) {
        let platform = platform.parse().unwrap();
        let tags: Vec<String> = tags.iter().map(|tag| (*tag).to_owned()).collect();
        let target = GoTarget { platform: &platform, tags: &tags, cgo: false };
        let header = Header::read(text);
        let counts = target.may_count(name, Some(&header), |minor| Some(minor <= 18));
        assert_eq!(counts, expect, "{platform} {tags:?} {name} {text:?}");
    }

    #[test]
    fn files_of_platforms() {
        let plain = "package a\n";
        for (name, expect) in [
            ("a.go", true),
            ("a_linux.go", true),
            ("a_windows.go", false),
            ("a_linux_amd64.go", true),
            ("a_linux_arm64.go", false),
            ("a_windows_amd64.go", false),
            ("a_amd64.s", true),
            // the whole name is no suffix
            ("windows.go", true),
            ("a_b_windows.go", false),
            ("a_windows_b.go", true),
        ] {
            check("linux/amd64", &[], name, plain, expect);
        }
        check("android/arm64", &[], "a_linux.go", plain, true);
        check("windows/amd64", &[], "a_windows.go", plain, true);
    }

    #[test]
    fn constraints() {
        let with = |constraint: &str| format!("//go:build {constraint}\n\npackage a\n");
        for (constraint, tags, expect) in [
            ("linux", &[][..], true),
            ("!linux", &[], false),
            ("x", &[], false),
            ("x && linux", &["x"], true),
            ("!x", &["x"], false),
            ("ignore", &[], false),
            ("gc && !gccgo && !cgo && !race", &[], true),
            ("go1.18", &[], true),
            ("!go1.18", &[], false),
            // the compiler may be newer than the language
            ("go1.20", &[], true),
            ("!go1.20", &[], true),
            ("unix", &[], true),
            ("amd64.v3", &[], true),
        ] {
            check("linux/amd64", tags, "a.go", &with(constraint), expect);
        }
        check("windows/amd64", &[], "a.go", &with("unix"), false);
        check("linux/amd64", &[], "a.go", "package a\nimport \"C\"\n", false);
    }
}
