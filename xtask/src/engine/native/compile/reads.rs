//! Which files a program was compiled from, as cargo says it: the list that cargo writes beside each program, `a.d` beside `a`.
//!
//! It names the sources of the package and of all that it needs by path (libraries, procedural macros, build scripts), what
//! they include, and what their build scripts tell with `rerun-if-changed`. Crates of registries and git are not in it.
//! <https://doc.rust-lang.org/cargo/reference/build-cache.html#dep-info-files>
//!
//! What a build script, a procedural macro or a linker reads without telling is not in it: cargo does not know it either.

use std::io;

use camino::{Utf8Path, Utf8PathBuf};

/// Files and folders that cargo would look at to know whether a program is up to date.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Reads {
    /// The workspace that was compiled.
    pub(super) root: Utf8PathBuf,
    /// Folders that cargo writes and empties itself.
    pub(super) made: Vec<Utf8PathBuf>,
    /// Absolute.
    pub(super) paths: Vec<Utf8PathBuf>,
}

/// Cargo makes paths below this folder relative to it; a workspace may name one. Nothing lies below this one, so that all stay absolute.
pub(super) const BASE: (&str, &str) = ("CARGO_BUILD_DEP_INFO_BASEDIR", "/nonexistent");

/// Reads the list beside a program.
///
/// # Errors
/// There is none, or it has another form: without it nobody knows what the program was made of.
pub(super) fn listed(executable: &Utf8Path) -> io::Result<Vec<Utf8PathBuf>> {
    let path = executable.with_extension("d");
    let text = fs_err::read_to_string(&path)?;
    parse(&text, executable)
        .ok_or_else(|| io::Error::other(format!("{path} does not say what {executable} is made of")))
}

/// `PROGRAM: PATH PATH …`; of all bytes only spaces are written in another way.
fn parse(text: &str, executable: &Utf8Path) -> Option<Vec<Utf8PathBuf>> {
    let program = format!("{}:", executable.as_str().replace(' ', "\\ "));
    let line = text.lines().find_map(|line| line.strip_prefix(&program))?;
    let mut paths = vec![String::new()];
    let mut rest = line;
    while let Some(at) = rest.find(' ') {
        let (before, after) = (&rest[..at], &rest[at + 1..]);
        let path = paths.last_mut()?;
        match before.strip_suffix('\\') {
            Some(before) => path.extend([before, " "]),
            None => {
                path.push_str(before);
                paths.push(String::new());
            }
        }
        rest = after;
    }
    paths.last_mut()?.push_str(rest);
    Some(paths.into_iter().filter(|path| !path.is_empty()).map(Utf8PathBuf::from).collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(text: &str, expect: Option<&[&str]>) {
        let expect = expect.map(|paths| paths.iter().map(Into::into).collect::<Vec<Utf8PathBuf>>());
        assert_eq!(parse(text, Utf8Path::new("/t t/a")), expect);
    }

    #[test]
    fn lists_of_cargo() {
        check("/t\\ t/a: /w/a.rs /w/b\\ \\ c.rs /w/../d\\e\n", Some(&["/w/a.rs", "/w/b  c.rs", "/w/../d\\e"]));
        check("/t\\ t/a:\n", Some(&[]));
        check("/t\\ t/b: /w/a.rs\n", None);
        check("", None);
    }
}
