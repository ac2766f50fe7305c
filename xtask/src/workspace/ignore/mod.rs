//! Which files of a folder are part of a build: all but those that `.gitignore` and `.dockerignore` leave out.
//!
//! | rule | why |
//! |---|---|
//! | `.gitignore` of the workspace root, of every folder down to the one that is read, and of every folder in it | as git reads them; what is not under version control is in no other clone |
//! | `.dockerignore` of the workspace root, and of every folder with a `component.toml` | as Docker reads it for a build of that folder: patterns begin there, and `!` brings back what is below a left-out folder |
//! | the nearer file wins over the one above it, the later line over the earlier one | as in git |
//! | `.dockerignore` wins over `.gitignore` | it speaks of images: `!dist` brings back what git leaves out |
//! | a path that a manifest names is always taken; then the files above it that leave it out do not count in it, those in it do | programs that were built before are left out by git and wanted all the same |
//! | `.gitignore` and `.dockerignore` themselves are left out | they say what is in a build and are not in it; one that is wanted can be named |
//! | the context of an existing Dockerfile has its own `.dockerignore` and nothing else ([`ContextRules`]) | the same files as with `docker build` |
//!
//! Nothing of one machine counts (git's `core.excludesFile`, `.git/info/exclude`, ignore files above the workspace), and a
//! file does not count because it is tracked: every clone gives the same files, and so the same fingerprints. An ignore file
//! that is a link is not read, as in git.
//!
//! Patterns are matched here and not by the `ignore` crate: it knows git's lines and not Docker's, and one matcher of 80 lines
//! serves both. Tests hold it to what git itself says.

mod pattern;
#[cfg(test)]
mod tests;

use std::collections::BTreeMap;
use std::io;
use std::sync::{Arc, Mutex, PoisonError};

use camino::{Utf8Component, Utf8Path, Utf8PathBuf};

use super::tree::ContextRules;
use pattern::{Dialect, Pattern};

const GIT: &str = ".gitignore";
const DOCKER: &str = ".dockerignore";
/// What marks the folder of a component.
const COMPONENT: &str = "component.toml";
/// Largest ignore file that is read, in bytes.
const MAX_FILE: u64 = 1 << 20;

/// Names that are never listed.
pub(super) fn is_ignore_file(name: &str) -> bool {
    name == GIT || name == DOCKER
}

/// An ignore file.
#[derive(Debug)]
struct IgnoreFile {
    dialect: Dialect,
    /// Its folder, relative to the workspace; patterns are relative to it.
    folder: Utf8PathBuf,
    patterns: Vec<Pattern>,
}

impl IgnoreFile {
    fn parse(dialect: Dialect, folder: &Utf8Path, text: &str) -> Self {
        let lines = text.strip_prefix('\u{feff}').unwrap_or(text).lines();
        let patterns = lines.filter_map(|line| Pattern::parse(line, dialect)).collect();
        Self { dialect, folder: folder.to_owned(), patterns }
    }

    /// The path as its patterns see it.
    fn below<'p>(&self, path: &'p str) -> &'p str {
        let folder = self.folder.as_str();
        if folder.is_empty() { path } else { path.get(folder.len() + 1..).unwrap_or_default() }
    }

    /// Whether a path is left out; `None` when no line says anything of it.
    fn leaves_out(&self, path: &str, is_folder: bool) -> Option<bool> {
        let path = self.below(path);
        let last = self.patterns.iter().rev().find(|pattern| pattern.fits(path, is_folder, self.dialect))?;
        Some(!last.is_negated)
    }

    fn may_bring_back_below(&self, folder: &str) -> bool {
        let folder = self.below(folder);
        self.patterns.iter().any(|pattern| pattern.is_negated && pattern.fits_below(folder))
    }
}

/// What holds for the entries of a folder.
#[derive(Debug, Clone, Default)]
pub(super) struct Rules {
    /// The nearest last.
    files: Arc<Vec<Arc<IgnoreFile>>>,
    /// Whether git leaves out a folder above: it cannot bring anything back then.
    git_left_out: bool,
}

/// What happens to an entry.
#[derive(Debug, Clone)]
pub(super) enum Verdict {
    /// It is part of the build; below a folder, these rules hold.
    Taken(Rules),
    /// It is not, and neither is anything below it.
    LeftOut,
    /// A folder is not, but something below it may be brought back.
    LookedInto(Rules),
}

impl Rules {
    fn said(&self, dialect: Dialect, path: &str, is_folder: bool) -> Option<bool> {
        let files = self.files.iter().rev().filter(|file| file.dialect == dialect);
        files.filter_map(|file| file.leaves_out(path, is_folder)).next()
    }

    /// Whether nothing is left out.
    pub(super) fn take_all(&self) -> bool {
        self.files.is_empty() && !self.git_left_out
    }

    /// What happens to an entry of the folder; `path` is relative to the workspace.
    pub(super) fn verdict(&self, path: &str, is_folder: bool) -> Verdict {
        if self.take_all() {
            return Verdict::Taken(self.clone());
        }
        let git = self.git_left_out || self.said(Dialect::Git, path, is_folder) == Some(true);
        let left_out = self.said(Dialect::Docker, path, is_folder).unwrap_or(git);
        let below = || Self { files: Arc::clone(&self.files), git_left_out: git };
        let docker = || self.files.iter().filter(|file| file.dialect == Dialect::Docker);
        match left_out {
            false => Verdict::Taken(below()),
            true if is_folder && docker().any(|file| file.may_bring_back_below(path)) => Verdict::LookedInto(below()),
            true => Verdict::LeftOut,
        }
    }

    fn and(&self, own: &[Arc<IgnoreFile>]) -> Self {
        if own.is_empty() {
            return self.clone();
        }
        let files = self.files.iter().chain(own).cloned().collect();
        Self { files: Arc::new(files), git_left_out: self.git_left_out }
    }

    fn without(&self, dialect: Dialect) -> Self {
        let files = self.files.iter().filter(|file| file.dialect != dialect).cloned().collect();
        let git_left_out = self.git_left_out && dialect != Dialect::Git;
        Self { files: Arc::new(files), git_left_out }
    }
}

/// The ignore files of a workspace, each read once.
#[derive(Debug)]
pub(super) struct IgnoreFiles<'a> {
    root: &'a Utf8Path,
    read: Mutex<BTreeMap<Utf8PathBuf, Vec<Arc<IgnoreFile>>>>,
}

impl<'a> IgnoreFiles<'a> {
    pub(super) fn new(root: &'a Utf8Path) -> Self {
        Self { root, read: Mutex::default() }
    }

    /// The rules of a folder that a manifest names, without those of the folder itself.
    pub(super) fn rules_of_named(&self, folder: &Utf8Path) -> io::Result<Rules> {
        let mut rules = Rules::default();
        let (mut git, mut docker) = (false, None);
        let mut above = Utf8PathBuf::new();
        for part in folder.components().filter(|part| matches!(part, Utf8Component::Normal(_))) {
            rules = rules.and(&self.own(&above, None)?);
            above.push(part);
            git = git || rules.said(Dialect::Git, above.as_str(), true) == Some(true);
            docker = rules.said(Dialect::Docker, above.as_str(), true);
            rules.git_left_out = git;
        }
        if docker == Some(true) {
            rules = rules.without(Dialect::Docker);
        }
        Ok(if git && docker != Some(false) { rules.without(Dialect::Git) } else { rules })
    }

    /// The rules of a folder in a build context, by its one ignore file; `None` when that leaves the folder out.
    pub(super) fn rules_of_context(&self, context: &ContextRules, folder: &Utf8Path) -> io::Result<Option<Rules>> {
        let mut rules = Rules { files: Arc::new(self.of_context(context)?.into_iter().collect()), git_left_out: false };
        let below = folder.strip_prefix(&context.folder).unwrap_or(Utf8Path::new(""));
        let mut path = context.folder.clone();
        for part in below.components() {
            path.push(part);
            rules = match rules.verdict(path.as_str(), true) {
                Verdict::Taken(rules) | Verdict::LookedInto(rules) => rules,
                Verdict::LeftOut => return Ok(None),
            };
        }
        Ok(Some(rules))
    }

    /// Whether a file is not in a build context; one whose ignore file cannot be read has none.
    pub(super) fn leaves_out_of_context(&self, context: &ContextRules, file: &Utf8Path) -> bool {
        let rules = self.rules_of_context(context, file.parent().unwrap_or(Utf8Path::new("")));
        match rules {
            Ok(Some(rules)) => matches!(rules.verdict(file.as_str(), false), Verdict::LeftOut),
            Ok(None) => true,
            Err(_) => false,
        }
    }

    fn of_context(&self, context: &ContextRules) -> io::Result<Option<Arc<IgnoreFile>>> {
        let beside = Utf8PathBuf::from(format!("{}{DOCKER}", context.dockerfile));
        for path in [beside, context.folder.join(DOCKER)] {
            if let Some(text) = read(&self.root.join(&path))? {
                return Ok(Some(Arc::new(IgnoreFile::parse(Dialect::Docker, &context.folder, &text))));
            }
        }
        Ok(None)
    }

    /// The rules inside a folder, whose own ignore files are `names`.
    pub(super) fn rules_in(&self, above: &Rules, folder: &Utf8Path, names: &[&str]) -> io::Result<Rules> {
        if names.is_empty() { Ok(above.clone()) } else { Ok(above.and(&self.own(folder, Some(names))?)) }
    }

    fn own(&self, folder: &Utf8Path, names: Option<&[&str]>) -> io::Result<Vec<Arc<IgnoreFile>>> {
        let lock = || self.read.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(known) = lock().get(folder) {
            return Ok(known.clone());
        }
        let is_there = |name: &str| names.is_none_or(|names| names.contains(&name));
        let mut own = Vec::new();
        for (name, dialect) in [(GIT, Dialect::Git), (DOCKER, Dialect::Docker)] {
            let counts = dialect == Dialect::Git || folder.as_str().is_empty() || self.is_of_component(folder);
            if is_there(name)
                && counts
                && let Some(text) = read(&self.root.join(folder).join(name))?
            {
                own.push(Arc::new(IgnoreFile::parse(dialect, folder, &text)));
            }
        }
        lock().insert(folder.to_owned(), own.clone());
        Ok(own)
    }

    fn is_of_component(&self, folder: &Utf8Path) -> bool {
        self.root.join(folder).join(COMPONENT).symlink_metadata().is_ok()
    }
}

/// `None` when there is none, or something that is no file.
fn read(path: &Utf8Path) -> io::Result<Option<String>> {
    match path.symlink_metadata() {
        Ok(metadata) if !metadata.is_file() => Ok(None),
        Ok(metadata) if metadata.len() > MAX_FILE => {
            Err(io::Error::other(format!("{path} has {} bytes; at most {MAX_FILE} are allowed", metadata.len())))
        }
        Ok(_) => Ok(Some(String::from_utf8_lossy(&fs_err::read(path)?).into_owned())),
        Err(error) if matches!(error.kind(), io::ErrorKind::NotFound | io::ErrorKind::NotADirectory) => Ok(None),
        Err(error) => Err(error),
    }
}
