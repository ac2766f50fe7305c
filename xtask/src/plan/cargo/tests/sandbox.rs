//! A folder with a cargo workspace in it, and cargo to judge what becomes of it.

use std::collections::BTreeSet;
use std::process::{Command, Output};

use camino::{Utf8Path, Utf8PathBuf};
use fs_err as fs;
use walkdir::WalkDir;

use crate::manifest::BuildNetwork;
use crate::plan::cargo::{Closure, PrunedEntry, Request, closure, entries};
use crate::workspace::cargo::{Cargo, CargoWorkspace, read};

pub(super) const CARGO: &str = env!("CARGO");

/// A folder that goes when the test ends.
pub(super) struct Sandbox {
    _folder: tempfile::TempDir,
    pub(super) root: Utf8PathBuf,
}

impl Sandbox {
    pub(super) fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let root = Utf8PathBuf::from_path_buf(folder.path().canonicalize().unwrap()).unwrap();
        Self { _folder: folder, root }
    }

    pub(super) fn write(&self, path: &Utf8Path, text: &str) {
        let path = self.root.join(path);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, text).unwrap();
    }

    /// A workspace whose lock file has the versions of this repository.
    pub(super) fn workspace(files: &[(&str, &str)]) -> Self {
        let sandbox = Self::new();
        files.iter().for_each(|(path, text)| sandbox.write(Utf8Path::new(path), text));
        let lock = concat!(env!("CARGO_MANIFEST_DIR"), "/../Cargo.lock");
        sandbox.write(Utf8Path::new("Cargo.lock"), &fs::read_to_string(lock).unwrap());
        sandbox.update(&["--workspace"]);
        sandbox
    }

    /// Runs `cargo update` with what is on this machine.
    pub(super) fn update(&self, what: &[&str]) {
        let update = Command::new(CARGO).args(["update", "--offline"]).args(what).current_dir(&self.root).output();
        assert_success(&update.unwrap());
    }

    pub(super) fn read(&self) -> CargoWorkspace {
        read(
            Cargo { program: CARGO, offline: true },
            &self.root,
            &["x86_64-unknown-linux-gnu", "aarch64-unknown-linux-gnu"],
        )
        .unwrap()
    }

    pub(super) fn unpack(entries: &[PrunedEntry]) -> Self {
        let sandbox = Self::new();
        for entry in entries {
            match entry {
                PrunedEntry::File { path } => panic!("cargo names folders, not {path}"),
                PrunedEntry::Text { path, text } => sandbox.write(path, text),
                PrunedEntry::Folder { path, from, exclude } => sandbox.copy(path, from, exclude),
            }
        }
        sandbox
    }

    fn copy(&self, path: &Utf8Path, from: &Utf8Path, exclude: &BTreeSet<Utf8PathBuf>) {
        let inside = |file: &Utf8Path| file.strip_prefix(from).unwrap().to_owned();
        let walk = WalkDir::new(from)
            .into_iter()
            .filter_entry(|entry| !exclude.contains(&inside(Utf8Path::from_path(entry.path()).unwrap())));
        for entry in walk.map(Result::unwrap).filter(|entry| entry.file_type().is_file()) {
            let file = Utf8Path::from_path(entry.path()).unwrap();
            let to = self.root.join(path).join(inside(file));
            assert!(!to.exists(), "{to} is there twice");
            fs::create_dir_all(to.parent().unwrap()).unwrap();
            fs::copy(file, to).unwrap();
        }
    }

    /// Cargo as in a stage without network: its home is empty.
    pub(super) fn cargo(&self, arguments: &[&str]) -> Output {
        self.cargo_into(&self.root.join("target"), arguments)
    }

    pub(super) fn cargo_into(&self, target: &Utf8Path, arguments: &[&str]) -> Output {
        let mut command = Command::new(CARGO);
        command.args(arguments).current_dir(&self.root).env("CARGO_HOME", self.root.join(".home"));
        command.env("CARGO_TARGET_DIR", target).output().unwrap()
    }

    pub(super) fn files(&self) -> BTreeSet<String> {
        let files =
            WalkDir::new(&self.root).into_iter().map(Result::unwrap).filter(|entry| entry.file_type().is_file());
        files.map(|entry| entry.path().strip_prefix(&self.root).unwrap().to_str().unwrap().to_owned()).collect()
    }
}

pub(super) fn assert_success(output: &Output) -> String {
    let stderr = String::from_utf8_lossy(&output.stderr).into_owned();
    assert!(output.status.success(), "{stderr}");
    stderr
}

pub(super) fn features(names: &[&str]) -> BTreeSet<String> {
    names.iter().map(|name| (*name).to_owned()).collect()
}

pub(super) fn prune(workspace: &CargoWorkspace, package: &str, names: &[&str]) -> (Closure, Sandbox) {
    let request = Request { package, features: &features(names), network: BuildNetwork::None };
    let closure = closure(workspace, &request).unwrap();
    let entries = entries(workspace, &closure).unwrap();
    for entry in &entries {
        if let PrunedEntry::Text { path, text } = entry {
            assert!(!text.contains(workspace.root.as_str()), "{path} names a path of this machine");
        }
    }
    let sandbox = Sandbox::unpack(&entries);
    (closure, sandbox)
}

/// The lock file is what cargo itself writes for the pruned workspace: not a byte more or less.
pub(super) fn check_lock(sandbox: &Sandbox) {
    let ours = fs::read_to_string(sandbox.root.join("Cargo.lock")).unwrap();
    let stderr = assert_success(&sandbox.cargo(&["metadata", "--format-version", "1", "--offline", "--locked"]));
    assert!(!stderr.contains("warning"), "{stderr}");
    assert_success(&sandbox.cargo(&["update", "--workspace", "--offline"]));
    assert_eq!(ours, fs::read_to_string(sandbox.root.join("Cargo.lock")).unwrap());
}
