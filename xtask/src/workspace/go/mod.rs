//! What the sources of Go programs say: modules, packages, imports, build constraints and embedded files. No `go` is run to read
//! them, so that a plan is the same on machines with and without a toolchain, of whatever version, and needs no network and
//! no answers that are remembered. Tests compare what comes of it with `go list -deps`.
//!
//! | file | is |
//! |---|---|
//! | `modules.rs` | [`GoModules`]: the modules of a build, `go.work` and `vendor`; which folder an import means |
//! | `gomod.rs` | `go.mod` and `go.work`, parsed |
//! | `header.rs` | [`Header`]: what a Go file says before its code |
//! | `constraint.rs` | [`Constraint`]: `//go:build` expressions |
//! | `tags.rs` | tags that mean something without anybody setting them |
//!
//! What is read is all that some platform and some tags could want: whatever is imported by any file of a package, whether or
//! not the file counts. Which of it a build needs is decided by [`crate::plan`], from the result alone.

mod constraint;
mod gomod;
mod header;
mod modules;
mod tags;
#[cfg(test)]
mod tests;

use std::collections::{BTreeMap, BTreeSet};

use camino::{Utf8Path, Utf8PathBuf};
use fs_err as fs;

pub use constraint::{Constraint, ConstraintError};
pub use header::Header;
pub use modules::GoModules;
pub use tags::{ARCHITECTURES, SYSTEMS, is_free, is_standard, is_tag};

use super::in_parallel;
use super::inside::inside;

/// A program that is asked for.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct GoRequest {
    /// The folder that `module` is relative to; the module is searched from there upwards when none is named.
    pub from: Utf8PathBuf,
    /// The folder of the module, as written.
    pub module: Option<String>,
    /// The package, as written: `.`, `./cmd/tool` or an import path.
    pub package: String,
}

/// The package of a program, and all that it can be built from.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct GoPackage {
    /// The modules of the build.
    pub modules: GoModules,
    /// The folder of the package, relative to the workspace root.
    pub folder: Utf8PathBuf,
    /// Its import path.
    pub path: String,
    /// Folders with packages, by path, that are reached from it.
    pub folders: BTreeMap<Utf8PathBuf, GoFolder>,
}

/// One folder with a package.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct GoFolder {
    /// Go files by name, without tests.
    pub sources: BTreeMap<String, Header>,
    /// Other files of the folder by name.
    pub others: BTreeSet<String>,
    /// Files in folders below it, relative to it; only where some file embeds files, or C is compiled.
    pub below: BTreeSet<Utf8PathBuf>,
}

/// Why a Go program cannot be read.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum GoReadError {
    /// There is no module.
    #[error("there is no go.mod in {0}\nhint: name the folder of go.mod with `module` in [build.go]")]
    NoModule(Utf8PathBuf),
    /// There is none at or above a folder.
    #[error(
        "there is no go.mod in {0} or in a folder above it\nhint: name the folder of go.mod with `module` in [build.go]"
    )]
    NoModuleAbove(Utf8PathBuf),
    /// A path leaves the workspace.
    #[error(
        "{0} is outside of the workspace\nhint: files of a build must be inside the folder of groupage.toml: move it, or run `go mod vendor`"
    )]
    Outside(Utf8PathBuf),
    /// A file is damaged.
    #[error("{file}:{line}: {what}\nhint: `go mod edit -fmt` shows what Go thinks of it")]
    Bad {
        /// The file.
        file: Utf8PathBuf,
        /// The line, from 1.
        line: usize,
        /// What is wrong.
        what: String,
    },
    /// There is no such package.
    #[error("module {module} has no package `{package}`\nhint: write it as `./FOLDER`, relative to go.mod")]
    NoPackage {
        /// As written.
        package: String,
        /// Path of the module.
        module: String,
    },
    /// The package is a library.
    #[error(
        "{folder} is package `{name}`, and a program is package `main`\nhint: name the folder of the program with `package` in [build.go]"
    )]
    NotMain {
        /// Its folder.
        folder: Utf8PathBuf,
        /// Its name.
        name: String,
    },
    /// A file cannot be read.
    #[error("cannot read {0}: {1}")]
    Unreadable(Utf8PathBuf, std::io::ErrorKind),
}

impl GoPackage {
    /// Every tag that some file names, with the file and line of the first one. Names of systems and architectures, and those
    /// that only Go itself sets, are among them.
    pub fn tags(&self) -> BTreeMap<&str, (Utf8PathBuf, u32)> {
        let mut tags = BTreeMap::new();
        for (folder, read) in &self.folders {
            for (name, header) in &read.sources {
                for (tag, line) in &header.tags {
                    tags.entry(tag.as_str()).or_insert_with(|| (folder.join(name), *line));
                }
            }
        }
        tags
    }

    /// The name that `go build` gives the program: the last part of the import path that is no version.
    pub fn program(&self) -> &str {
        let mut parts = self.path.rsplit('/');
        let last = parts.next().unwrap_or_default();
        let is_version = last.strip_prefix('v').is_some_and(|number| {
            number.parse::<u32>().is_ok_and(|number| number > 1) && !number.starts_with(['0', '+'])
        });
        if is_version { parts.next().unwrap_or(last) } else { last }
    }
}

/// Reads the packages of programs; those of one module are read once.
pub fn read(root: &Utf8Path, requests: &[GoRequest]) -> Vec<Result<GoPackage, GoReadError>> {
    let mut known = Known { root, folders: BTreeMap::new() };
    requests.iter().map(|request| known.read(request)).collect()
}

/// What was read already; `None` for what is no package.
struct Known<'a> {
    root: &'a Utf8Path,
    folders: BTreeMap<Utf8PathBuf, Option<GoFolder>>,
}

impl Known<'_> {
    fn read(&mut self, request: &GoRequest) -> Result<GoPackage, GoReadError> {
        let module = match &request.module {
            Some(written) => modules::below(&request.from, written)?,
            None => modules::nearest(self.root, &request.from)
                .ok_or_else(|| GoReadError::NoModuleAbove(request.from.clone()))?,
        };
        let modules = GoModules::read(self.root, &module)?;
        let folder = self.package_folder(&modules, &request.package)?;
        let folders = self.reached(&modules, &folder)?;
        let names = folders.get(&folder).into_iter().flat_map(|read| read.sources.values());
        let names: BTreeSet<&str> = names.map(|header| header.package.as_str()).collect();
        if !names.contains("main") {
            let name = names.first().copied().unwrap_or_default().to_owned();
            return Err(GoReadError::NotMain { folder, name });
        }
        Ok(GoPackage { path: modules.import_path(&folder), modules, folder, folders })
    }

    fn package_folder(&mut self, modules: &GoModules, package: &str) -> Result<Utf8PathBuf, GoReadError> {
        let none = || GoReadError::NoPackage { package: package.to_owned(), module: modules.path.clone() };
        let folder = match package == "." || package.starts_with("./") {
            true => modules::below(&modules.folder, package)?,
            false => modules.locate(package, |folder| self.root.join(folder).is_dir()).ok_or_else(none)?,
        };
        let is_own = folder.starts_with(&modules.folder);
        if is_own && self.folder(&folder)?.is_some() { Ok(folder) } else { Err(none()) }
    }

    /// All folders that are imported, directly or not, by any file.
    fn reached(
        &mut self,
        modules: &GoModules,
        first: &Utf8Path,
    ) -> Result<BTreeMap<Utf8PathBuf, GoFolder>, GoReadError> {
        let (mut reached, mut level) = (BTreeMap::new(), BTreeSet::from([first.to_owned()]));
        while !level.is_empty() {
            self.read_folders(&level)?;
            let here: Vec<(Utf8PathBuf, GoFolder)> =
                level.into_iter().filter_map(|path| Some((path.clone(), self.folders.get(&path)?.clone()?))).collect();
            let imports: BTreeSet<&str> = here
                .iter()
                .flat_map(|(_, folder)| folder.sources.values())
                .flat_map(|header| header.imports.iter().map(String::as_str))
                .collect();
            let located = imports.iter().filter_map(|import| modules.locate(import, |at| self.root.join(at).is_dir()));
            let next: BTreeSet<Utf8PathBuf> = located.collect();
            reached.extend(here);
            level = next.into_iter().filter(|path| !reached.contains_key(path)).collect();
        }
        Ok(reached)
    }

    fn read_folders(&mut self, wanted: &BTreeSet<Utf8PathBuf>) -> Result<(), GoReadError> {
        let unknown: Vec<&Utf8PathBuf> = wanted.iter().filter(|path| !self.folders.contains_key(*path)).collect();
        for (path, read) in unknown.iter().zip(in_parallel(&unknown, |path| read_folder(self.root, path))) {
            self.folders.insert((*path).clone(), read?);
        }
        Ok(())
    }

    fn folder(&mut self, path: &Utf8Path) -> Result<Option<&GoFolder>, GoReadError> {
        self.read_folders(&BTreeSet::from([path.to_owned()]))?;
        Ok(self.folders.get(path).and_then(Option::as_ref))
    }
}

/// What is in a folder; `None` when it is no package, or not there.
fn read_folder(root: &Utf8Path, path: &Utf8Path) -> Result<Option<GoFolder>, GoReadError> {
    let unreadable = |error: std::io::Error| GoReadError::Unreadable(path.to_owned(), error.kind());
    if inside(root, path).is_err() {
        return Err(GoReadError::Outside(path.to_owned()));
    }
    let names = match names(&root.join(path)) {
        Ok(names) => names,
        Err(error) if is_missing(&error) => return Ok(None),
        Err(error) => return Err(unreadable(error)),
    };
    let mut folder = GoFolder::default();
    for name in names {
        let is_source = name.ends_with(".go") && !name.starts_with(['_', '.']);
        if name.ends_with("_test.go") {
            continue;
        }
        if !is_source {
            folder.others.insert(name);
            continue;
        }
        let file = path.join(&name);
        if inside(root, &file).is_err() {
            return Err(GoReadError::Outside(file));
        }
        let bytes = fs::read(root.join(&file)).map_err(|error| GoReadError::Unreadable(file, error.kind()))?;
        folder.sources.insert(name, Header::read(&String::from_utf8_lossy(&bytes)));
    }
    if folder.sources.values().any(|header| header.is_cgo() || !header.embeds.is_empty()) {
        below(&root.join(path), Utf8Path::new(""), &mut folder.below).map_err(unreadable)?;
    }
    Ok((!folder.sources.is_empty()).then_some(folder))
}

/// Names of the files of a folder; of links too, wherever they lead.
fn names(folder: &Utf8Path) -> std::io::Result<BTreeSet<String>> {
    let mut names = BTreeSet::new();
    for entry in folder.read_dir_utf8()? {
        let entry = entry?;
        if !entry.file_type()?.is_dir() {
            names.insert(entry.file_name().to_owned());
        }
    }
    Ok(names)
}

/// Files in folders below one, but not those of other modules, which Go does not embed.
fn below(top: &Utf8Path, at: &Utf8Path, files: &mut BTreeSet<Utf8PathBuf>) -> std::io::Result<()> {
    for entry in top.join(at).read_dir_utf8()? {
        let entry = entry?;
        let path = at.join(entry.file_name());
        if !entry.file_type()?.is_dir() {
            if at != "" {
                files.insert(path);
            }
        } else if entry.file_name() != ".git" && !entry.path().join("go.mod").exists() {
            below(top, &path, files)?;
        }
    }
    Ok(())
}

fn is_missing(error: &std::io::Error) -> bool {
    matches!(error.kind(), std::io::ErrorKind::NotFound | std::io::ErrorKind::NotADirectory)
}
