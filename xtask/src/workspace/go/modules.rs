//! Which modules take part in a build, and which folder an import means.

use std::collections::BTreeSet;

use camino::{Utf8Component, Utf8Path, Utf8PathBuf};
use fs_err as fs;

use super::super::inside::inside;
use super::GoReadError;
use super::gomod::GoMod;

/// The modules of a build that begins in one of them. All paths are relative to the workspace root.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct GoModules {
    /// The folder of the module.
    pub folder: Utf8PathBuf,
    /// Its path, such as `example.com/tool`.
    pub path: String,
    /// The version of the language that it is written in; empty when it does not say.
    pub go: String,
    /// The folder of the `go.work` that it is part of.
    pub work: Option<Utf8PathBuf>,
    /// The folder that dependencies are copied into, when they are taken from there.
    pub vendor: Option<Utf8PathBuf>,
    /// Paths of modules and their folders, longest path first.
    places: Vec<(String, Utf8PathBuf)>,
    /// Files that describe modules.
    pub files: BTreeSet<Utf8PathBuf>,
    /// Modules that somebody must fetch.
    pub fetched: BTreeSet<String>,
}

/// Since then a `go.work` may have a vendor folder beside it.
const WORK_VENDOR: (u32, u32) = (1, 22);

impl GoModules {
    /// Reads the module of `folder`, and what it is built with.
    pub(super) fn read(root: &Utf8Path, folder: &Utf8Path) -> Result<Self, GoReadError> {
        let main = file(root, &folder.join("go.mod"))?.ok_or_else(|| GoReadError::NoModule(folder.to_owned()))?;
        let work = work_of(root, folder)?;
        let mut modules = Self {
            folder: folder.to_owned(),
            path: main.module.clone(),
            go: main.go.clone(),
            work: work.as_ref().map(|(folder, _)| folder.clone()),
            ..Self::default()
        };
        let mut members = vec![(folder.to_owned(), main)];
        if let Some((at, work)) = &work {
            modules.describe(root, at, &["go.work", "go.work.sum"]);
            for used in &work.uses {
                let used = below(at, used)?;
                if used != folder
                    && let Some(member) = file(root, &used.join("go.mod"))?
                {
                    members.push((used, member));
                }
            }
        }
        let top = modules.work.as_deref().unwrap_or(folder);
        let may_vendor = work.as_ref().is_none_or(|(_, work)| version(&work.go) >= WORK_VENDOR);
        let vendor = top.join("vendor");
        if may_vendor && root.join(&vendor).join("modules.txt").is_file() {
            modules.describe(root, &vendor, &["modules.txt"]);
            modules.vendor = Some(vendor);
        }
        modules.add(root, &members, work.as_ref())?;
        Ok(modules)
    }

    fn add(
        &mut self,
        root: &Utf8Path,
        members: &[(Utf8PathBuf, GoMod)],
        work: Option<&(Utf8PathBuf, GoMod)>,
    ) -> Result<(), GoReadError> {
        for (folder, member) in members {
            self.describe(root, folder, &["go.mod", "go.sum"]);
            self.places.push((member.module.clone(), folder.clone()));
        }
        if self.vendor.is_none() {
            for (folder, member) in members.iter().chain(work) {
                for (path, target) in &member.folders {
                    let target = below(folder, target)?;
                    inside(root, &target).map_err(|_| GoReadError::Outside(target.clone()))?;
                    self.describe(root, &target, &["go.mod"]);
                    self.places.push((path.clone(), target));
                }
            }
            let fetched = members.iter().flat_map(|(_, member)| member.fetched());
            let here = |path: &&str| self.places.iter().all(|(own, _)| own != path);
            self.fetched = fetched.filter(here).map(str::to_owned).collect();
        }
        // the longest path that fits wins
        self.places.sort_by(|(one, _), (other, _)| other.len().cmp(&one.len()).then_with(|| one.cmp(other)));
        self.places.dedup_by(|next, kept| next.0 == kept.0);
        Ok(())
    }

    fn describe(&mut self, root: &Utf8Path, folder: &Utf8Path, names: &[&str]) {
        let files = names.iter().map(|name| folder.join(name));
        self.files.extend(files.filter(|file| root.join(file).is_file()));
    }

    /// The folder of a package, where `is_package` knows which folders are packages; `None` for one of Go itself, and for one
    /// that is not in the workspace.
    pub fn locate(&self, import: &str, is_package: impl Fn(&Utf8Path) -> bool) -> Option<Utf8PathBuf> {
        let of_module = |(path, folder): &(String, Utf8PathBuf)| {
            let rest = import.strip_prefix(path.as_str())?;
            let rest = if rest.is_empty() { rest } else { rest.strip_prefix('/')? };
            joined(folder, rest)
        };
        let vendored = self.vendor.as_ref().and_then(|vendor| joined(vendor, import));
        let mut candidates = self.places.iter().filter_map(of_module).chain(vendored);
        candidates.find(|folder| is_package(folder))
    }

    /// The import path of a package in a folder of the module.
    pub(super) fn import_path(&self, folder: &Utf8Path) -> String {
        match folder.strip_prefix(&self.folder) {
            Ok(below) if !below.as_str().is_empty() => format!("{}/{below}", self.path),
            _ => self.path.clone(),
        }
    }

    /// Whether the language is at least of a version, such as `(1, 18)`; not known when the module does not say.
    pub fn is_at_least(&self, wanted: (u32, u32)) -> Option<bool> {
        (!self.go.is_empty()).then(|| version(&self.go) >= wanted)
    }
}

/// The nearest folder at or above another one, but not above the root, that has a `go.mod`.
pub(super) fn nearest(root: &Utf8Path, from: &Utf8Path) -> Option<Utf8PathBuf> {
    from.ancestors().find(|folder| root.join(folder).join("go.mod").is_file()).map(Utf8Path::to_owned)
}

/// A path as it is written in a file of `folder`, when it stays in the workspace.
pub(super) fn below(folder: &Utf8Path, written: &str) -> Result<Utf8PathBuf, GoReadError> {
    joined(folder, written).ok_or_else(|| GoReadError::Outside(folder.join(written)))
}

fn joined(folder: &Utf8Path, written: &str) -> Option<Utf8PathBuf> {
    let mut path = folder.to_owned();
    for part in Utf8Path::new(written).components() {
        match part {
            Utf8Component::CurDir => {}
            Utf8Component::Normal(name) => path.push(name),
            Utf8Component::ParentDir => {
                if !path.pop() {
                    return None;
                }
            }
            Utf8Component::RootDir | Utf8Component::Prefix(_) => return None,
        }
    }
    Some(path)
}

/// The `go.work` at or above a module that names it. One that does not is not for it.
fn work_of(root: &Utf8Path, module: &Utf8Path) -> Result<Option<(Utf8PathBuf, GoMod)>, GoReadError> {
    for folder in module.ancestors() {
        let Some(work) = file(root, &folder.join("go.work"))? else { continue };
        let names_it = work.uses.iter().any(|used| joined(folder, used).as_deref() == Some(module));
        return Ok(names_it.then(|| (folder.to_owned(), work)));
    }
    Ok(None)
}

fn file(root: &Utf8Path, path: &Utf8Path) -> Result<Option<GoMod>, GoReadError> {
    if inside(root, path).is_err() {
        return Err(GoReadError::Outside(path.to_owned()));
    }
    let text = match fs::read_to_string(root.join(path)) {
        Ok(text) => text,
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(None),
        Err(error) => return Err(GoReadError::Unreadable(path.to_owned(), error.kind())),
    };
    let parsed = GoMod::parse(&text).map_err(|(line, what)| GoReadError::Bad { file: path.to_owned(), line, what })?;
    if path.file_name() == Some("go.mod") && parsed.module.is_empty() {
        return Err(GoReadError::Bad { file: path.to_owned(), line: 1, what: "there is no `module`".to_owned() });
    }
    Ok(Some(parsed))
}

/// `1.19`, `1.21.3` and `1.22rc1` by their first two numbers.
fn version(text: &str) -> (u32, u32) {
    let mut parts = text.split('.').map(|part| {
        let end = part.find(|character: char| !character.is_ascii_digit()).unwrap_or(part.len());
        part[..end].parse().unwrap_or_default()
    });
    (parts.next().unwrap_or_default(), parts.next().unwrap_or_default())
}
