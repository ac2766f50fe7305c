//! What is to be compiled, as plain data.

use camino::Utf8PathBuf;
use sha2::{Digest as _, Sha256};

use super::super::elf::{self, Misfit, Wanted};
use super::super::pe;
use crate::manifest::{ComponentName, EXE};
use crate::oci::{Platform, hex};
use crate::plan::{BuildPlan, ComponentPlan};

/// A program of a Go module, with everything that decides its bytes besides the sources.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct GoProgram {
    /// The component that wants it.
    pub component: ComponentName,
    /// The folder of the module, relative to the workspace.
    pub module: Utf8PathBuf,
    /// The package, relative to the module.
    pub package: String,
    /// The program, without `.exe`.
    pub bin: String,
    /// Build tags that are on.
    pub tags: Vec<String>,
    /// Flags of the linker.
    pub ldflags: Vec<String>,
    /// Whether C is compiled and linked.
    pub cgo: bool,
    /// Whether dependencies are those of a vendor folder.
    pub vendored: bool,
    /// The `go.work` that the module is part of, relative to the workspace.
    pub work: Option<Utf8PathBuf>,
    /// What it runs on.
    pub platform: Platform,
}

impl GoProgram {
    /// The program of a component, if Go builds it.
    pub fn of(component: &ComponentPlan, platform: &Platform) -> Option<Self> {
        let BuildPlan::Go { module, package, bin, tags, ldflags, cgo, vendored, work, .. } = &component.build else {
            return None;
        };
        Some(Self {
            component: component.name.clone(),
            module: module.clone(),
            package: package.clone(),
            bin: bin.clone(),
            tags: tags.clone(),
            ldflags: ldflags.clone(),
            cgo: *cgo,
            vendored: *vendored,
            work: work.clone(),
            platform: platform.clone(),
        })
    }

    /// The name of its file.
    pub(super) fn file_name(&self) -> String {
        if self.platform.is_windows() { format!("{}{EXE}", self.bin) } else { self.bin.clone() }
    }

    /// `[linux/amd64 comp-a] go build ./cmd/a`.
    pub(super) fn step_name(&self) -> String {
        format!("[{} comp-{}] go build {}", self.platform, self.component, self.package)
    }

    /// A short name for where its bytes are kept. Flags of the linker have no part in it: a version takes the place of the last.
    pub(super) fn key(&self) -> String {
        let work = self.work.as_ref().map(|work| work.as_str()).unwrap_or_default();
        let (platform, tags, cgo) = (self.platform.to_string(), self.tags.join(","), self.cgo.to_string());
        let words = [
            platform.as_str(),
            self.module.as_str(),
            &self.package,
            self.component.as_str(),
            &self.bin,
            &tags,
            work,
            &cgo,
        ];
        let mut hasher = Sha256::new();
        words.iter().for_each(|word| hasher.update(format!("{word}\0")));
        hex(&hasher.finalize()[..8])
    }

    /// Whether an executable is what was asked for.
    pub(super) fn check(&self, bytes: &[u8]) -> Result<(), Misfit> {
        match self.platform.os() {
            "linux" => elf::check(&self.wanted(), bytes),
            "windows" => pe::check(&self.bin, &self.platform, bytes),
            _ => Ok(()),
        }
    }

    fn wanted(&self) -> Wanted<'_> {
        Wanted {
            bin: &self.bin,
            platform: &self.platform,
            is_static: !self.cgo,
            hint: format!(
                "leave out the flag in `ldflags` of component `{}` that asks for it, or set `cgo = true` in [build.go] and put \
                 it on a base that provides libc:glibc",
                self.component
            ),
        }
    }
}
