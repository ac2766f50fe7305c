//! A folder of its own for each test, and the real binary in it, with an environment that holds nothing of this machine.

use std::collections::BTreeMap;
use std::ffi::OsStr;
use std::fs;
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

/// What stands for the folder of the test in everything that is compared.
pub const ROOT: &str = "[ROOT]";

/// What stands for the folder above it.
pub const ABOVE: &str = "[ABOVE]";

/// Variables that cargo and rustup need to find themselves; nothing else is passed on (`CI` would change what is refused).
const PASSED_ON: &[&str] = &["HOME", "CARGO_HOME", "RUSTUP_HOME", "RUSTUP_TOOLCHAIN"];

/// A temporary folder with a workspace, and a folder beside it that holds `groupage`.
pub struct Sandbox {
    _folder: tempfile::TempDir,
    root: PathBuf,
    programs: PathBuf,
}

/// How a command ended, the path of the sandbox replaced by [`ROOT`].
#[derive(Debug)]
pub struct Ended {
    pub code: Option<i32>,
    pub stdout: String,
    pub stderr: String,
}

/// A file as it is compared.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Seen {
    File { bytes: Vec<u8>, executable: bool },
    Link(PathBuf),
}

impl Sandbox {
    /// An empty workspace.
    pub fn new() -> Self {
        let folder = tempfile::tempdir().expect("a temporary folder");
        let top = folder.path().canonicalize().expect("it exists");
        let (root, programs) = (top.join("workspace"), top.join("programs"));
        fs::create_dir(&root).expect("a new folder");
        fs::create_dir(&programs).expect("a new folder");
        std::os::unix::fs::symlink(env!("CARGO_BIN_EXE_xtask"), programs.join("groupage")).expect("a new link");
        Self { _folder: folder, root, programs }
    }

    /// A copy of a folder, without what says what is expected of it.
    pub fn copy_of(case: &Path) -> Self {
        let sandbox = Self::new();
        for (path, seen) in snapshot(case) {
            if path != Path::new(super::transcript::FILE) {
                sandbox.put(&path, &seen);
            }
        }
        sandbox
    }

    /// The folder of the workspace.
    pub fn root(&self) -> &Path {
        &self.root
    }

    /// Writes a file.
    pub fn write(&self, path: &str, text: impl AsRef<[u8]>) -> &Self {
        self.put(Path::new(path), &Seen::File { bytes: text.as_ref().to_vec(), executable: false });
        self
    }

    fn put(&self, path: &Path, seen: &Seen) {
        let path = self.root.join(path);
        fs::create_dir_all(path.parent().expect("it is below the root")).expect("a folder");
        match seen {
            Seen::Link(target) => std::os::unix::fs::symlink(target, path).expect("a link"),
            Seen::File { bytes, executable } => {
                fs::write(&path, bytes).expect("a file");
                let mode = if *executable { 0o755 } else { 0o644 };
                fs::set_permissions(&path, fs::Permissions::from_mode(mode)).expect("its mode");
            }
        }
    }

    /// Runs a line of shell in the workspace; `groupage` is the binary under test.
    pub fn shell(&self, line: &str) -> Ended {
        self.run("/bin/sh", ["-c", line])
    }

    /// Runs the binary with arguments.
    pub fn groupage<A: AsRef<OsStr>>(&self, arguments: impl IntoIterator<Item = A>) -> Ended {
        self.run(env!("CARGO_BIN_EXE_xtask"), arguments)
    }

    fn run<A: AsRef<OsStr>>(&self, program: &str, arguments: impl IntoIterator<Item = A>) -> Ended {
        let path = std::env::var("PATH").unwrap_or_default();
        let mut command = Command::new(program);
        command.args(arguments).current_dir(&self.root).stdin(Stdio::null()).env_clear();
        command.envs(PASSED_ON.iter().filter_map(|name| Some((name, std::env::var_os(name)?))));
        command.env("PATH", format!("{}:{path}", self.programs.display())).env("LC_ALL", "C").env("COLUMNS", "100");
        let output = command.output().expect("it starts");
        let text = |bytes: &[u8]| {
            let root = self.root.to_str().expect("temporary folders are UTF-8");
            let above = self.root.parent().and_then(Path::to_str).expect("temporary folders are UTF-8");
            String::from_utf8_lossy(bytes).replace(root, ROOT).replace(above, ABOVE)
        };
        Ended { code: output.status.code(), stdout: text(&output.stdout), stderr: text(&output.stderr) }
    }
}

/// Everything below a folder, sorted by path. Folders that cannot be read are left out.
pub fn snapshot(top: &Path) -> BTreeMap<PathBuf, Seen> {
    let mut all = BTreeMap::new();
    let mut folders = vec![PathBuf::new()];
    while let Some(folder) = folders.pop() {
        let Ok(entries) = fs::read_dir(top.join(&folder)) else { continue };
        for entry in entries.flatten() {
            let (path, absolute) = (folder.join(entry.file_name()), entry.path());
            let kind = entry.file_type().expect("it was listed");
            if kind.is_symlink() {
                all.insert(path, Seen::Link(fs::read_link(absolute).expect("it is a link")));
            } else if kind.is_dir() {
                folders.push(path);
            } else if kind.is_file()
                && let Ok(bytes) = fs::read(&absolute)
            {
                let mode = fs::metadata(&absolute).expect("it was listed").permissions().mode();
                all.insert(path, Seen::File { bytes, executable: mode & 0o111 != 0 });
            }
        }
    }
    all
}
