//! Cargo workspaces that lie nowhere but in a plan, such as that of a multi-call program, written out so that cargo can compile
//! them.
//!
//! What is written is what the container of the Docker engine gets at `/src`, the vendored crates included, because cargo hashes
//! places relative to the workspace into symbol names: only the same places give the same bytes. Crates are links to where cargo
//! has extracted them. Each workspace has a target folder of its own beside its sources: two of them have the same packages at
//! the same places, and would compile each other's anew.

use std::collections::{BTreeMap, BTreeSet};
use std::io;

use camino::{Utf8Path, Utf8PathBuf};
use fs_err as fs;

use super::CompileOptions;
use super::program::Program;
use crate::plan::Input;
use crate::workspace::cargo::{CargoBinary, CargoPackage, CargoWorkspace, PackageKey};
use crate::workspace::{state, write};

/// What workspaces are written from: inputs by path in the workspace, by the folder that the workspace gets.
pub type Generated = BTreeMap<Utf8PathBuf, BTreeMap<Utf8PathBuf, Input>>;

/// Folder of the workspace below its own.
const SOURCES: &str = "src";
/// Cargo's target folder, beside it.
const TARGET: &str = "cargo";

/// The options with which a program of such a workspace is compiled.
pub(super) fn options(folder: &Utf8Path, options: &CompileOptions) -> CompileOptions {
    CompileOptions { target_dir: folder.join(TARGET), ..options.clone() }
}

/// The workspace as cargo will see it, as far as compiling one program of it needs to know.
pub(super) fn workspace(folder: &Utf8Path, program: &Program) -> CargoWorkspace {
    let root = folder.join(SOURCES);
    let key = PackageKey { name: program.package.clone(), version: semver::Version::new(0, 0, 0), source: None };
    let package = CargoPackage {
        folder: root.join(crate::plan::multicall::FOLDER),
        binaries: vec![CargoBinary { name: program.bin.clone(), required_features: Vec::new() }],
        ..CargoPackage::default()
    };
    CargoWorkspace {
        root,
        packages: BTreeMap::from([(key.clone(), package)]),
        members: BTreeSet::from([key]),
        ..CargoWorkspace::default()
    }
}

/// Writes the inputs of a workspace, and removes what is there besides. Files that have their bytes already keep their times,
/// by which cargo knows what changed.
///
/// # Errors
/// Whatever the disk says.
pub(super) fn write(folder: &Utf8Path, inputs: &BTreeMap<Utf8PathBuf, Input>, root: &Utf8Path) -> io::Result<()> {
    state::folder(folder, TARGET)?;
    let sources = state::folder(folder, SOURCES)?;
    let mut made: BTreeMap<Utf8PathBuf, Made<'_>> = BTreeMap::new();
    for (path, input) in inputs {
        let path = sources.join(path);
        match input {
            Input::File { source, mode, .. } => _ = made.insert(path, Made::Copy(root.join(source), *mode)),
            Input::Text { text, .. } => _ = made.insert(path, Made::Text(text)),
            Input::Link { target } => _ = made.insert(path, Made::Link(target.into())),
            Input::Crate { folder, exclude, .. } => made.extend(links_of_crate(folder, exclude, &path)?),
        }
    }
    // first: a link of before may stand where a folder is to be, and leads to the sources of a crate
    remove_others(&sources, &made)?;
    for (path, made) in &made {
        let above = path.parent().and_then(|above| above.strip_prefix(&sources).ok());
        state::folder(&sources, above.unwrap_or(Utf8Path::new("")))?;
        match made {
            Made::Copy(from, mode) => _ = write::replace(path, &fs::read(from)?, *mode)?,
            Made::Text(text) => _ = write::replace(path, text.as_bytes(), 0o644)?,
            Made::Link(target) => link(target, path)?,
        }
    }
    Ok(())
}

/// What stands at a path.
enum Made<'a> {
    Copy(Utf8PathBuf, u32),
    Text(&'a str),
    Link(Utf8PathBuf),
}

/// A crate as a folder of links, because its checksum file lies beside them.
fn links_of_crate<'a>(
    folder: &Utf8Path,
    exclude: &[String],
    to: &Utf8Path,
) -> io::Result<Vec<(Utf8PathBuf, Made<'a>)>> {
    let mut links = Vec::new();
    for entry in folder.read_dir_utf8()? {
        let entry = entry?;
        if exclude.iter().all(|name| name != entry.file_name()) {
            links.push((to.join(entry.file_name()), Made::Link(entry.path().to_owned())));
        }
    }
    Ok(links)
}

fn link(target: &Utf8Path, path: &Utf8Path) -> io::Result<()> {
    if path.read_link_utf8().is_ok_and(|known| known == target) {
        return Ok(());
    }
    if path.symlink_metadata().is_ok() {
        fs::remove_file(path)?;
    }
    fs_err::os::unix::fs::symlink(target, path)
}

/// Removes files, links and empty folders that nobody wants. Links are not followed.
fn remove_others(folder: &Utf8Path, wanted: &BTreeMap<Utf8PathBuf, Made<'_>>) -> io::Result<()> {
    for entry in folder.read_dir_utf8()? {
        let entry = entry?;
        let path = entry.path();
        match entry.file_type()?.is_dir() {
            true => {
                remove_others(path, wanted)?;
                // one that is not empty stays
                _ = fs::remove_dir(path);
            }
            false if !wanted.contains_key(path) => fs::remove_file(path)?,
            false => {}
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn listed(folder: &Utf8Path) -> Vec<String> {
        let mut all = Vec::new();
        let mut queue = vec![folder.to_owned()];
        while let Some(next) = queue.pop() {
            for entry in next.read_dir_utf8().unwrap().map(Result::unwrap) {
                let name = entry.path().strip_prefix(folder).unwrap().to_string();
                match (entry.file_type().unwrap().is_dir(), entry.path().read_link_utf8()) {
                    (true, _) => queue.push(entry.path().to_owned()),
                    (false, Ok(_)) => all.push(format!("{name} ->")),
                    (false, Err(_)) => all.push(format!("{name} {}", fs::read_to_string(entry.path()).unwrap())),
                }
            }
        }
        all.sort();
        all
    }

    #[test]
    fn the_folder_holds_what_is_wanted_and_nothing_else() {
        let folder = tempfile::tempdir().unwrap();
        let root = Utf8Path::from_path(folder.path()).unwrap();
        write::file(&root.join("a.rs"), b"a", 0o644).unwrap();
        write::file(&root.join("crate/src/lib.rs"), b"l", 0o644).unwrap();
        write::file(&root.join("crate/.cargo-ok"), b"", 0o644).unwrap();
        let text = |text: &str| Input::Text { digest: String::new(), text: text.to_owned() };
        let file = Input::File { source: "a.rs".into(), digest: String::new(), mode: 0o644, seen: Default::default() };
        let vendored =
            Input::Crate { package: "c-1".into(), folder: root.join("crate"), exclude: vec![".cargo-ok".into()] };
        let to = root.join("out");
        let check = |inputs: &[(&str, &Input)], expect: &[&str]| {
            let inputs = inputs.iter().map(|(path, input)| ((*path).into(), (*input).clone())).collect();
            write(&to, &inputs, root).unwrap();
            assert_eq!(listed(&to), expect);
        };
        let sum = text("{}");
        check(
            &[("p/a.rs", &file), ("v/c-1", &vendored), ("v/c-1/sum", &sum)],
            &["src/p/a.rs a", "src/v/c-1/src ->", "src/v/c-1/sum {}"],
        );
        let other = text("b");
        check(&[("p/b.rs", &other)], &["src/p/b.rs b"]);
        // what stands at a path may become a folder, a folder a file, and a link a file
        check(&[("v/c-1", &vendored), ("p/b.rs/c", &other)], &["src/p/b.rs/c b", "src/v/c-1/src ->"]);
        check(&[("v/c-1/src/lib.rs", &other), ("p", &other)], &["src/p b", "src/v/c-1/src/lib.rs b"]);
        check(&[("v/c-1", &vendored)], &["src/v/c-1/src ->"]);
        check(&[("v/c-1/src", &other)], &["src/v/c-1/src b"]);
        // a crate's own files are behind links, which are removed and not followed
        assert_eq!(fs::read_to_string(root.join("crate/src/lib.rs")).unwrap(), "l");
    }
}
