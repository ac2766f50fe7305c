//! The libraries that a loader looks for when a program is started, and where it looks: <https://man7.org/linux/man-pages/man8/ld.so.8.html>,
//! and for musl `ldso/dynlink.c`.
//!
//! `ld.so.cache` is made from `ld.so.conf`, which is read in its place. Versions of symbols are not compared.

use std::collections::{BTreeSet, VecDeque};
use std::sync::Arc;

use super::elf::Elf;
use super::facts::{Contents, Facts, Nature};
use super::follow;
use super::libc::Libc;
use crate::oci::Rootfs;

/// Most libraries that one program may load.
const MAX_LOADED: usize = 2048;
/// Most folders that configuration may name.
const MAX_FOLDERS: usize = 1024;
/// Most files of `ld.so.conf.d`, by the bytes of their names.
const MAX_CONF_NAMES: u64 = 1 << 20;

/// Folders of glibc, and of Debian's.
const GLIBC: &[&str] = &["/lib64", "/usr/lib64", "/lib", "/usr/lib"];
/// Folders of musl, where nothing else is configured.
const MUSL: &[&str] = &["/lib", "/usr/local/lib", "/usr/lib"];
/// How Debian names folders by architecture.
const TRIPLETS: &[(&str, &str)] = &[
    ("386", "i386-linux-gnu"),
    ("amd64", "x86_64-linux-gnu"),
    ("arm", "arm-linux-gnueabihf"),
    ("arm64", "aarch64-linux-gnu"),
    ("loong64", "loongarch64-linux-gnu"),
    ("mips64le", "mips64el-linux-gnuabi64"),
    ("ppc64le", "powerpc64le-linux-gnu"),
    ("riscv64", "riscv64-linux-gnu"),
    ("s390x", "s390x-linux-gnu"),
];

/// Where libraries are looked for.
pub(super) struct Loader<'i> {
    pub(super) rootfs: &'i Rootfs,
    pub(super) contents: &'i dyn Contents,
    /// The C library that the loader belongs to.
    pub(super) libc: Option<Libc>,
    /// `LD_LIBRARY_PATH`.
    pub(super) preferred: Vec<String>,
}

/// A library that is not there.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Missing {
    pub(super) library: String,
    /// Who needs it, by its path.
    pub(super) by: String,
}

/// Something that was loaded, with the folders that those above it name for all.
struct Loaded {
    path: String,
    facts: Arc<Facts>,
    inherited: Vec<String>,
}

impl Loader<'_> {
    /// The libraries that a program needs and that are nowhere; `path` has no links.
    pub(super) fn missing(&self, path: &str, facts: &Arc<Facts>) -> Vec<Missing> {
        let Nature::Elf(program) = &facts.nature else { return Vec::new() };
        let common = self.common(&program.architecture());
        let mut todo = VecDeque::from([Loaded { path: path.to_owned(), facts: facts.clone(), inherited: Vec::new() }]);
        let (mut known, mut missing) = (BTreeSet::new(), Vec::new());
        while let Some(Loaded { path, facts, inherited }) = todo.pop_front() {
            let Nature::Elf(elf) = &facts.nature else { continue };
            known.extend(elf.soname.clone());
            let (own, for_all) = self.folders(&path, elf, inherited);
            for library in &elf.needed {
                let is_new = known.len() < MAX_LOADED && known.insert(library.clone());
                if !is_new || self.libc.is_some_and(|libc| libc.brings(library)) {
                    continue;
                }
                let folders = own.iter().chain(&common).map(String::as_str);
                match self.find(library, folders, program) {
                    Some((path, facts)) => todo.push_back(Loaded { path, facts, inherited: for_all.clone() }),
                    None => missing.push(Missing { library: library.clone(), by: path.clone() }),
                }
            }
        }
        missing
    }

    /// The folders for what an object needs itself, and those for all that it loads.
    fn folders(&self, path: &str, elf: &Elf, inherited: Vec<String>) -> (Vec<String>, Vec<String>) {
        let expand = |folders: &[String]| folders.iter().map(|folder| expanded(folder, path)).collect::<Vec<_>>();
        let mut for_all = inherited;
        if elf.runpath.is_empty() {
            for_all.extend(expand(&elf.rpath));
            for_all.truncate(MAX_FOLDERS);
        }
        // with a RUNPATH of its own, those above it do not count
        let rpath = if elf.runpath.is_empty() { for_all.clone() } else { Vec::new() };
        let own = rpath.into_iter().chain(self.preferred.iter().cloned()).chain(expand(&elf.runpath)).collect();
        (own, for_all)
    }

    fn find<'f>(
        &self,
        library: &str,
        folders: impl Iterator<Item = &'f str>,
        program: &Elf,
    ) -> Option<(String, Arc<Facts>)> {
        if library.contains('/') {
            return self.fitting(library, program);
        }
        let mut places = folders.filter(|folder| folder.starts_with('/')).map(|folder| format!("{folder}/{library}"));
        places.find_map(|place| self.fitting(&place, program))
    }

    /// The library at a path, if the loader takes it: one for another machine is passed over.
    fn fitting(&self, path: &str, program: &Elf) -> Option<(String, Arc<Facts>)> {
        let (real, _, source) = follow::file(self.rootfs, path).ok()?;
        let facts = self.contents.facts(source).ok()?;
        let fits = matches!(&facts.nature, Nature::Elf(elf) if elf.goes_with(program));
        fits.then_some((real, facts))
    }

    /// Where all libraries are looked for.
    fn common(&self, architecture: &str) -> Vec<String> {
        let of_musl = || {
            let known = TRIPLETS.iter().find(|(name, _)| *name == architecture);
            let machine = known.and_then(|(_, triplet)| triplet.split('-').next()).unwrap_or(architecture);
            let machine = if machine == "arm" { "armhf" } else { machine };
            let text = self.text(&format!("/etc/ld-musl-{machine}.path"));
            let configured = text.map(|text| split(&text, &[':', '\n']));
            configured.unwrap_or_else(|| MUSL.iter().map(ToString::to_string).collect())
        };
        let of_glibc = || {
            let mut folders = self.configured("/etc/ld.so.conf");
            let triplets = TRIPLETS.iter().filter(|(name, _)| *name == architecture);
            folders
                .extend(triplets.flat_map(|(_, triplet)| [format!("/lib/{triplet}"), format!("/usr/lib/{triplet}")]));
            folders.extend(GLIBC.iter().map(ToString::to_string));
            folders
        };
        match self.libc {
            Some(Libc::Musl) => of_musl(),
            Some(Libc::Glibc) => of_glibc(),
            None => of_glibc().into_iter().chain(of_musl()).collect(),
        }
    }

    /// The folders that `ld.so.conf` names, with what it includes.
    fn configured(&self, top: &str) -> Vec<String> {
        let (mut folders, mut seen) = (Vec::new(), BTreeSet::new());
        let mut todo = vec![top.to_owned()];
        while let Some(path) = todo.pop() {
            if folders.len() > MAX_FOLDERS || !seen.insert(path.clone()) {
                continue;
            }
            for line in self.text(&path).unwrap_or_default().lines() {
                let line = line.split('#').next().unwrap_or_default().trim();
                match line.strip_prefix("include").filter(|rest| rest.starts_with([' ', '\t'])) {
                    Some(patterns) => todo.extend(patterns.split_whitespace().flat_map(|glob| self.included(glob))),
                    None if line.starts_with("hwcap") => {}
                    None => folders.extend(split(line, &[' ', '\t', ':', ','])),
                }
            }
        }
        folders.truncate(MAX_FOLDERS);
        folders
    }

    /// The files that a pattern means: `*` stands for a part of the name.
    fn included(&self, pattern: &str) -> Vec<String> {
        let pattern = if pattern.starts_with('/') { pattern.to_owned() } else { format!("/etc/{pattern}") };
        let Some((folder, name)) = pattern.rsplit_once('/') else { return Vec::new() };
        let Some((begin, end)) = name.split_once('*') else { return vec![pattern] };
        if self.rootfs.bytes_below(folder) > MAX_CONF_NAMES {
            return Vec::new();
        }
        let names = self.rootfs.below(folder).into_iter().map(|(name, _)| name);
        let fits = |name: &String| name.starts_with(begin) && name.ends_with(end) && !name.contains('/');
        names.filter(fits).map(|name| format!("{folder}/{name}")).collect()
    }

    fn text(&self, path: &str) -> Option<String> {
        let (_, _, source) = follow::file(self.rootfs, path).ok()?;
        let facts = self.contents.facts(source).ok()?;
        facts.text.as_deref().map(|text| String::from_utf8_lossy(text).into_owned())
    }
}

/// A folder of RPATH or RUNPATH, for an object at a path without links.
fn expanded(folder: &str, path: &str) -> String {
    let origin = path.rsplit_once('/').map_or("", |(origin, _)| origin);
    folder.replace("${ORIGIN}", origin).replace("$ORIGIN", origin)
}

fn split(text: &str, at: &[char]) -> Vec<String> {
    let words = text.split(|c| at.contains(&c)).map(str::trim).filter(|word| !word.is_empty());
    words.take(MAX_FOLDERS).map(str::to_owned).collect()
}
