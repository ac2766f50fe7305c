//! What a Go program is compiled from: the files of the packages that it imports, directly or not, and no others. Pure: what
//! [`crate::workspace::go`] has read goes in.
//!
//! The same files are found with and without a toolchain, so that a plan does not depend on the machine. `go list -deps` of
//! some version of Go gives a part of them: a file whose constraint depends on the version counts here with every version. Files
//! of several platforms are put together, so that there is one context and one fingerprint for all of them.
//!
//! **A version stamp** (`{version}` in `ldflags`) is an input of the component, because it is in the program: another version
//! is another fingerprint, and only programs that hold their version have it. What it costs is one run of the linker: Go's
//! build cache knows packages by their sources and the flags of the compiler, of which `-ldflags` is none (with `-trimpath` it is
//! not recorded in the main package either). So nothing has to be kept apart in the Dockerfile for it.

mod embed;
mod pruned;
mod target;
#[cfg(test)]
mod tests;

use std::collections::{BTreeMap, BTreeSet};

use camino::{Utf8Path, Utf8PathBuf};

pub use pruned::{go_program, go_request};
pub(super) use pruned::{platforms, prune};
pub use target::GoTarget;

use crate::manifest::ComponentName;
use crate::workspace::go::{GoFolder, GoPackage, Header};

/// The packages of Go components.
pub type GoPackages = BTreeMap<ComponentName, GoPackage>;

/// Files beside Go files that are compiled, or that those need.
const ASSEMBLY: &[&str] = &["s", "h", "hh", "hpp", "hxx", "syso"];

/// All files that a program needs on some platforms, relative to the workspace root; or the platforms that have no file of the
/// program itself, because constraints leave out all of them.
///
/// # Errors
/// The positions of such targets.
pub fn closure(package: &GoPackage, targets: &[GoTarget<'_>]) -> Result<BTreeSet<Utf8PathBuf>, Vec<usize>> {
    let mut files: BTreeSet<Utf8PathBuf> = package.modules.files.clone();
    let mut empty = Vec::new();
    for (position, target) in targets.iter().enumerate() {
        let closure = Closure { package, target };
        if closure.sources(&package.folder).next().is_none() {
            empty.push(position);
            continue;
        }
        closure.add(&mut files);
    }
    if empty.is_empty() { Ok(files) } else { Err(empty) }
}

struct Closure<'a> {
    package: &'a GoPackage,
    target: &'a GoTarget<'a>,
}

impl<'a> Closure<'a> {
    fn add(&self, files: &mut BTreeSet<Utf8PathBuf>) {
        let (mut seen, mut waiting) = (BTreeSet::new(), vec![self.package.folder.clone()]);
        while let Some(path) = waiting.pop() {
            if !seen.insert(path.clone()) {
                continue;
            }
            let Some(folder) = self.package.folders.get(&path) else { continue };
            let names: Vec<(&str, &Header)> = self.sources(&path).collect();
            let is_cgo = names.iter().any(|(_, header)| header.is_cgo());
            files.extend(names.iter().map(|(name, _)| path.join(name)));
            files.extend(self.others(folder, is_cgo).map(|name| path.join(name)));
            let embeds = names.iter().flat_map(|(_, header)| &header.embeds);
            files.extend(embed::matched(folder, embeds).into_iter().map(|below| path.join(below)));
            let imports: BTreeSet<&String> = names.iter().flat_map(|(_, header)| &header.imports).collect();
            let is_package = |folder: &Utf8Path| self.package.folders.contains_key(folder);
            waiting.extend(imports.into_iter().filter_map(|import| self.package.modules.locate(import, is_package)));
        }
    }

    /// Go files of a folder that may count.
    fn sources(&self, path: &Utf8Path) -> impl Iterator<Item = (&'a str, &'a Header)> {
        let sources = self.package.folders.get(path).into_iter().flat_map(|folder| &folder.sources);
        let minor = |minor| self.package.modules.is_at_least((1, minor));
        sources
            .filter(move |(name, header)| self.target.may_count(name, Some(header), minor))
            .map(|(name, header)| (name.as_str(), header))
    }

    /// Files beside them. Where C is compiled all of them count, and those below: any of them may be included.
    fn others(&self, folder: &'a GoFolder, is_cgo: bool) -> impl Iterator<Item = &'a Utf8Path> {
        let counts = move |name: &&Utf8Path| {
            let is_compiled = name.extension().is_some_and(|extension| ASSEMBLY.contains(&extension));
            is_cgo || (is_compiled && self.target.may_count(name.as_str(), None, |_| None))
        };
        let below = folder.below.iter().filter(move |path| is_cgo && path.extension() != Some("go"));
        let here = folder.others.iter().map(Utf8Path::new).filter(counts);
        here.chain(below.map(Utf8PathBuf::as_path))
    }
}
