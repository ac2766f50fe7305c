//! What this program is called, for help texts, completions and hints: the one place that knows.

use std::ffi::OsStr;
use std::path::Path;

/// File name of the program in a cargo workspace, where an alias runs it.
const XTASK: &str = "xtask";
/// How that is called.
const CARGO_XTASK: &str = "cargo xtask";

/// How people call this process.
pub(super) fn name() -> String {
    called(std::env::args_os().next().as_deref())
}

/// The name for the first word of a command line: `cargo xtask` for a program of that name, else the file name.
fn called(first: Option<&OsStr>) -> String {
    let path = first.map(Path::new);
    let file = path.and_then(|path| path.file_name()?.to_str()).unwrap_or(XTASK);
    match file.strip_suffix(std::env::consts::EXE_SUFFIX).unwrap_or(file) {
        XTASK => CARGO_XTASK.to_owned(),
        other => other.to_owned(),
    }
}

/// The word that a shell completes: the last one of the name.
pub(super) fn completed(name: &str) -> &str {
    name.rsplit(' ').next().unwrap_or(name)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names() {
        let check = |first: Option<&str>, expect: &str| assert_eq!(called(first.map(OsStr::new)), expect);
        check(Some("target/debug/xtask"), "cargo xtask");
        check(Some("/usr/bin/groupage"), "groupage");
        check(Some("groupage"), "groupage");
        check(None, "cargo xtask");
        assert_eq!([completed("cargo xtask"), completed("groupage")], ["xtask", "groupage"]);
    }
}
