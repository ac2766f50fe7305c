//! What a program was compiled from and the plan does not know. It could change, and its image would be called up to date; the
//! Docker engine has no such file at all. So it is refused, by name.
//!
//! | a path that cargo looks at | is |
//! |---|---|
//! | a file of the workspace | known when it is an input of the component; links on the way must be inputs, too |
//! | a folder of a package | known when it is the package's own, or all files below it are inputs (`.name` and `name~` are editors') |
//! | what cargo makes itself, crates of registries and git, the compiler's own files | known: the lock file and the identity of the toolchain name them |
//! | headers and libraries of this machine | not looked at, as the linker's are not: see [`super::flags`] |
//! | what is not there | known: nothing was read |
//! | everything else | unknown |

use std::collections::{BTreeMap, BTreeSet};

use camino::{Utf8Component, Utf8Path, Utf8PathBuf};

use super::flags::{cargo_home, environment};
use super::reads::Reads;
use super::{CompileOptions, Toolchain};
use crate::plan::Input;
use crate::workspace::cargo::CargoWorkspace;

/// Where systems have headers and libraries.
const MACHINE: &[&str] = &[
    "/lib",
    "/lib32",
    "/lib64",
    "/nix/store",
    "/opt/homebrew",
    "/usr/include",
    "/usr/lib",
    "/usr/lib32",
    "/usr/lib64",
    "/usr/local/include",
    "/usr/local/lib",
    "/usr/share",
];

/// How many files of one folder are named.
const SHOWN: usize = 5;
/// Links on the way to one file; Linux follows as many.
const LINKS: usize = 40;

/// A file that is no input, as its user would name it.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Unknown {
    /// In a package that is compiled: an ignore file leaves it out, or no build reads it.
    LeftOut { path: Utf8PathBuf, is_ignored: bool },
    /// In the workspace, and in no package that is compiled.
    Beside(Utf8PathBuf),
    /// What git remembers.
    Git(Utf8PathBuf),
    /// Outside of the workspace.
    Outside(Utf8PathBuf),
}

impl Unknown {
    pub(super) fn path(&self) -> &Utf8Path {
        match self {
            Self::LeftOut { path, .. } | Self::Beside(path) | Self::Git(path) | Self::Outside(path) => path,
        }
    }

    /// The next step.
    pub(super) fn hint(&self) -> String {
        match self {
            Self::LeftOut { path, is_ignored: true } => {
                format!(
                    "an ignore file leaves it out of builds: bring it back with `!{path}` in .dockerignore, or let build.rs \
                     make it in OUT_DIR"
                )
            }
            Self::LeftOut { .. } => "builds do not get it: put it into another folder of the package".to_owned(),
            Self::Beside(_) => {
                "put it into the package, or into one that the package depends on: no build gets what lies beside them"
                    .to_owned()
            }
            Self::Git(_) => {
                "builds do not get it: an image says its commit in labels, with `[build] stamp = [\"revision\"]`"
                    .to_owned()
            }
            Self::Outside(_) => "put it into the package".to_owned(),
        }
    }
}

/// The places by which paths are judged.
#[derive(Debug)]
pub(super) struct Places {
    /// Folders whose files other inputs name.
    named: Vec<Utf8PathBuf>,
    /// Packages of the workspace, relative to its root.
    packages: BTreeSet<Utf8PathBuf>,
}

impl Places {
    pub(super) fn new(workspace: &CargoWorkspace, toolchain: &Toolchain, options: &CompileOptions) -> Self {
        let (own, crates): (Vec<_>, Vec<_>) = workspace.packages.iter().partition(|(key, _)| key.is_path());
        let home = cargo_home(&environment(&options.environment));
        let mut named: Vec<Utf8PathBuf> = crates.into_iter().map(|(_, package)| package.folder.clone()).collect();
        named.extend(home.iter().flat_map(|home| ["registry", "git"].map(|name| home.join(name))));
        named.push(toolchain.sysroot.join("lib/rustlib"));
        let relative = own.into_iter().filter_map(|(_, package)| package.folder.strip_prefix(&workspace.root).ok());
        Self { named, packages: relative.map(ToOwned::to_owned).collect() }
    }

    /// What of these paths no input of a component names.
    pub(super) fn unknown(&self, reads: &Reads, inputs: &BTreeMap<Utf8PathBuf, Input>) -> BTreeSet<Unknown> {
        let has = |path: &Utf8Path| matches!(inputs.get(path), Some(Input::File { .. } | Input::Text { .. }));
        let is_plain = |path: &Utf8Path| path.components().all(|part| part != Utf8Component::ParentDir);
        // most paths are those of inputs, letter by letter: then no link is on the way, and the disk need not be asked
        let known = |path: &Utf8Path| is_plain(path) && path.strip_prefix(&reads.root).is_ok_and(has);
        let mut others = reads.paths.iter().filter(|path| !known(path)).peekable();
        if others.peek().is_none() {
            return BTreeSet::new();
        }
        let real = |path: &Utf8PathBuf| path.canonicalize_utf8().unwrap_or_else(|_| path.clone());
        let made = reads.made.iter().chain(&self.named);
        let judge = Judge {
            places: self,
            root: real(&reads.root),
            made: made.flat_map(|path| [path.clone(), real(path)]).collect(),
            inputs,
        };
        others.flat_map(|path| judge.path(path)).collect()
    }
}

/// Judges paths with the disk's help.
struct Judge<'a> {
    places: &'a Places,
    /// Without links.
    root: Utf8PathBuf,
    /// Folders whose files are known, as they are named and without links.
    made: Vec<Utf8PathBuf>,
    inputs: &'a BTreeMap<Utf8PathBuf, Input>,
}

impl Judge<'_> {
    fn path(&self, path: &Utf8Path) -> Vec<Unknown> {
        let is_made = |path: &Utf8Path| self.made.iter().any(|folder| path.starts_with(folder));
        let Some((real, links)) = follow(path) else { return Vec::new() };
        if is_made(path) || is_made(&real) {
            return Vec::new();
        }
        let Ok(metadata) = real.metadata() else { return Vec::new() };
        if !metadata.is_file() && !metadata.is_dir() {
            return Vec::new();
        }
        let is_unknown = |link: &&Utf8Path| !matches!(self.inputs.get(*link), Some(Input::Link { .. }));
        let links = links.iter().filter_map(|link| link.strip_prefix(&self.root).ok()).filter(is_unknown);
        let mut unknown: Vec<Unknown> = links.map(|link| self.unknown(link)).collect();
        unknown.extend(match real.strip_prefix(&self.root) {
            Ok(own) if metadata.is_dir() => self.folder(own),
            Ok(own) => self.file(own),
            Err(_) if MACHINE.iter().any(|folder| real.starts_with(folder)) => Vec::new(),
            Err(_) => vec![Unknown::Outside(real)],
        });
        unknown
    }

    fn file(&self, path: &Utf8Path) -> Vec<Unknown> {
        if self.inputs.contains_key(path) { Vec::new() } else { vec![self.unknown(path)] }
    }

    /// What a build script reads of a folder that it names, it does not say.
    fn folder(&self, path: &Utf8Path) -> Vec<Unknown> {
        match self.package(path) {
            Some(package) if package == path => Vec::new(),
            Some(_) if !is_of_git(path) => self.below(path),
            _ => vec![self.unknown(path)],
        }
    }

    fn below(&self, folder: &Utf8Path) -> Vec<Unknown> {
        let walk = walkdir::WalkDir::new(self.root.join(folder)).sort_by_file_name().into_iter();
        let is_edited = |name: &str| name.starts_with('.') || name.ends_with('~');
        let walk = walk.filter_entry(|entry| entry.depth() == 0 || !entry.file_name().to_str().is_some_and(is_edited));
        let files = walk.flatten().filter(|entry| !entry.file_type().is_dir());
        let files = files.filter_map(|entry| Utf8PathBuf::from_path_buf(entry.into_path()).ok());
        let own = files.filter_map(|path| Some(path.strip_prefix(&self.root).ok()?.to_owned()));
        own.flat_map(|path| self.file(&path)).take(SHOWN).collect()
    }

    fn unknown(&self, path: &Utf8Path) -> Unknown {
        let own = path.to_owned();
        if is_of_git(path) {
            return Unknown::Git(own);
        }
        let Some(package) = self.package(path) else { return Unknown::Beside(own) };
        let first = path.strip_prefix(package).ok().and_then(|below| below.components().next());
        let never = ["Cargo.toml", "Cargo.lock", ".cargo", "target", "component.toml", "tests", "benches", "examples"];
        let is_ignored = !first.is_some_and(|first| never.contains(&first.as_str()));
        Unknown::LeftOut { path: own, is_ignored }
    }

    /// The package that a path belongs to, if the component is compiled from it.
    fn package(&self, path: &Utf8Path) -> Option<&Utf8Path> {
        let nearest = |path: &Utf8Path| path.ancestors().find_map(|folder| self.places.packages.get(folder));
        let package = nearest(path)?;
        let is_file = |input: &Input| matches!(input, Input::File { .. });
        let mut own = self.inputs.iter().filter(|(_, input)| is_file(input));
        own.any(|(path, _)| nearest(path) == Some(package)).then_some(package)
    }
}

fn is_of_git(path: &Utf8Path) -> bool {
    path.components().any(|part| part.as_str() == ".git")
}

/// Where a path leads, as the system goes it, and the links on the way; `None` when nothing is there.
fn follow(path: &Utf8Path) -> Option<(Utf8PathBuf, Vec<Utf8PathBuf>)> {
    let (mut real, mut links) = (Utf8PathBuf::new(), Vec::new());
    let names = |path: &Utf8Path| path.components().rev().map(|part| part.as_str().to_owned()).collect::<Vec<_>>();
    let mut rest = names(path);
    while let Some(name) = rest.pop() {
        match name.as_str() {
            ".." => _ = real.pop(),
            // the root replaces all that is before it
            name => real.push(name),
        }
        if real.symlink_metadata().ok()?.is_symlink() {
            let target = real.read_link_utf8().ok()?;
            links.push(real.clone());
            real.pop();
            rest.extend(names(&target));
        }
        if links.len() > LINKS {
            return None;
        }
    }
    Some((real, links))
}
