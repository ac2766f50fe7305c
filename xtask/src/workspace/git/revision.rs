//! The files of a git revision, written beside the work tree: below `target/groupage/revisions`, never into it.
//!
//! ```text
//! target/groupage/revisions/
//! ├── <tree>/        all files of a tree, by its ID; whoever asks for the same tree again finds them
//! ├── <tree>.seal    how many files and bytes they are; its time is that of the last use
//! ├── .part-*/       on its way; whatever a killed run left there goes with the next run
//! └── lock           held by every run, shared; who gets it alone removes what is old
//! ```
//!
//! **`git read-tree` and `git checkout-index` write them, with an index and a folder of their own**, and not `git archive`:
//! that one leaves out what `export-ignore` says, and such files would seem to be new. Line ends and filters (git-lfs among
//! them, which fetches what it lacks) are those of a checkout, so that a file that did not change is the same. Hooks do not
//! run. A submodule is written from its own repository when that has the commit; otherwise it is named in
//! [`RevisionTree::absent`], and the tree is not kept.
//!
//! **A kept tree is trusted only as it was left**: its files have a fixed time, and number and size are those of the seal.

use std::io::{self, Write as _};
use std::process::{Command, Stdio};

use camino::{Utf8Path, Utf8PathBuf};
use filetime::FileTime;

use super::super::state::{self, MEMORY_FOLDER};
use super::super::write;
use super::git;

/// Where they are, in the state folder.
const FOLDER: &str = "revisions";
/// How many trees are kept.
const KEPT: usize = 4;
/// A longer seal is not ours, in bytes.
const MAX_SEAL: u64 = 1 << 10;
/// Counted up when trees are written otherwise.
const VERSION: u32 = 1;
/// The time of modification of every file of a kept tree.
const MARK: FileTime = FileTime::from_unix_time(1, 0);

/// A revision that exists.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Revision {
    /// As it was named.
    pub name: String,
    /// The ID of its tree.
    tree: String,
    /// The repository.
    git_dir: Utf8PathBuf,
    /// The top of the work tree.
    top: Utf8PathBuf,
    /// The workspace below it.
    prefix: Utf8PathBuf,
    /// Whether the work tree lacks files on purpose.
    pub is_sparse: bool,
}

/// The files of a revision; they stay as long as this lives.
#[derive(Debug)]
pub struct RevisionTree {
    /// The folder of the workspace in it. What was not there then is not there now.
    pub root: Utf8PathBuf,
    /// Submodules whose files cannot be had.
    pub absent: Vec<Utf8PathBuf>,
    _part: Option<tempfile::TempDir>,
    _lock: std::fs::File,
}

/// Why there are no files of a revision.
#[derive(Debug, thiserror::Error)]
pub enum RevisionError {
    /// The program is not there.
    #[error("git cannot be started: {0}\nhint: install git; it knows what has changed")]
    NoGit(io::Error),
    /// The workspace is in no repository.
    #[error(
        "{0} is in no git repository, so that there is no revision to compare with\nhint: run this in a clone of the workspace"
    )]
    NoRepository(Utf8PathBuf),
    /// Git refuses.
    #[error("git does not work in {root}: {detail}\nhint: `git status` in that folder says more")]
    Refused {
        /// Where.
        root: Utf8PathBuf,
        /// What git says.
        detail: String,
    },
    /// It would be an option of git.
    #[error("`{0}` is no revision\nhint: name a commit, a branch or a tag, such as origin/main")]
    NotAName(String),
    /// Nothing has this name.
    #[error(
        "there is no revision `{0}` in this repository\nhint: `git fetch` may bring it; `git branch --all` and `git tag` list names"
    )]
    Unknown(String),
    /// The clone may lack it.
    #[error(
        "there is no revision `{0}` in this clone, which is shallow\nhint: run `git fetch --unshallow`; in CI, let the checkout fetch the whole history"
    )]
    Shallow(String),
    /// Git cannot write the files.
    #[error("git cannot write the files of `{name}`: {detail}")]
    Checkout {
        /// The revision.
        name: String,
        /// What git says.
        detail: String,
    },
    /// The disk refuses.
    #[error("cannot write the files of `{name}`: {error}")]
    Disk {
        /// The revision.
        name: String,
        /// Why.
        error: io::Error,
    },
}

impl Revision {
    /// Looks a revision up.
    ///
    /// # Errors
    /// No git, no repository, no such revision.
    pub fn find(root: &Utf8Path, name: &str) -> Result<Self, RevisionError> {
        if name.is_empty() || name.starts_with('-') {
            return Err(RevisionError::NotAName(name.to_owned()));
        }
        let mut about = git(root);
        about.args(["rev-parse", "--is-shallow-repository", "--absolute-git-dir", "--show-toplevel", "--show-prefix"]);
        let answer = about.stderr(Stdio::piped()).output().map_err(RevisionError::NoGit)?;
        let lines = String::from_utf8_lossy(&answer.stdout).into_owned();
        let mut lines = lines.lines();
        let (Some(shallow), Some(git_dir), Some(top), true) =
            (lines.next(), lines.next(), lines.next(), answer.status.success())
        else {
            return Err(refusal(root, &answer.stderr));
        };
        let unknown = if shallow == "true" { RevisionError::Shallow } else { RevisionError::Unknown };
        let known = one(git(root).args(["rev-parse", "--verify", "--quiet", name]));
        let tree = known.and_then(|id| one(git(root).args(["rev-parse", "--verify", "--quiet", &tree_of(&id)])));
        let sparse = one(git(root).args(["config", "--type=bool", "core.sparseCheckout"]));
        Ok(Self {
            tree: tree.ok_or_else(|| unknown(name.to_owned()))?,
            name: name.to_owned(),
            git_dir: git_dir.into(),
            top: top.into(),
            prefix: lines.next().unwrap_or_default().into(),
            is_sparse: sparse.as_deref() == Some("true"),
        })
    }

    /// The files of the revision, below the state folder of the workspace. Those of the last few trees are kept.
    ///
    /// # Errors
    /// Git or the disk refuses.
    pub fn write(&self, state: &Utf8Path) -> Result<RevisionTree, RevisionError> {
        let disk = |error| RevisionError::Disk { name: self.name.clone(), error };
        let folder = &state::folder(state, FOLDER).map_err(disk)?;
        let lock = open(folder, &self.tree).map_err(disk)?;
        let (path, seal) = (folder.join(&self.tree), folder.join(format!("{}.seal", self.tree)));
        if path.is_dir() && !path.is_symlink() {
            let text = seal_of(&path, &self.prefix);
            if state::read_plain(&seal, MAX_SEAL).is_ok_and(|old| old == text.as_bytes()) {
                // the time of the seal is that of the last use
                write::anew(&seal, text.as_bytes(), 0o644).map_err(disk)?;
                return Ok(RevisionTree { root: path.join(&self.prefix), absent: vec![], _part: None, _lock: lock });
            }
        }
        let part = tempfile::Builder::new().prefix(".part-").tempdir_in(folder).map_err(disk)?;
        let top =
            Utf8PathBuf::from_path_buf(part.path().to_owned()).map_err(|_| disk(io::Error::other("not UTF-8")))?;
        let tree = top.join("tree");
        let mut absent = Vec::new();
        let repository = Repository { name: &self.name, git_dir: &self.git_dir, top: &self.top };
        repository.write(&self.tree, &top.join("index"), &tree, &mut absent)?;
        if !absent.is_empty() {
            return Ok(RevisionTree { root: tree.join(&self.prefix), absent, _part: Some(part), _lock: lock });
        }
        keep(&tree, &path, &seal, &self.prefix).map_err(disk)?;
        Ok(RevisionTree { root: path.join(&self.prefix), absent, _part: None, _lock: lock })
    }
}

/// The tree of an object.
fn tree_of(id: &str) -> String {
    format!("{id}^{{tree}}")
}

fn refusal(root: &Utf8Path, stderr: &[u8]) -> RevisionError {
    let words = String::from_utf8_lossy(stderr);
    if words.contains("not a git repository") {
        return RevisionError::NoRepository(root.to_owned());
    }
    RevisionError::Refused { root: root.to_owned(), detail: first_line(&words) }
}

pub(super) fn first_line(words: &str) -> String {
    words.lines().next().unwrap_or("it fails without a word").to_owned()
}

/// What a command says, if it succeeds.
fn one(command: &mut Command) -> Option<String> {
    let output = command.output().ok().filter(|output| output.status.success())?;
    Some(String::from_utf8_lossy(&output.stdout).trim().to_owned()).filter(|text| !text.is_empty())
}

/// Takes the lock; whoever is alone removes what was left behind, and the oldest trees but for `wanted`.
fn open(folder: &Utf8Path, wanted: &str) -> io::Result<std::fs::File> {
    let lock = state::lock_file(folder, "lock")?;
    if lock.try_lock().is_ok() {
        tidy_up(folder, wanted)?;
        lock.unlock()?;
    }
    lock.lock_shared()?;
    Ok(lock)
}

fn tidy_up(folder: &Utf8Path, wanted: &str) -> io::Result<()> {
    let mut trees = Vec::new();
    for entry in folder.read_dir_utf8()?.filter_map(Result::ok) {
        let (name, path) = (entry.file_name(), entry.path());
        if name.starts_with(".part-") {
            fs_err::remove_dir_all(path)?;
        } else if path.is_dir() && name != wanted {
            let used = folder.join(format!("{name}.seal")).metadata().ok();
            trees.push((used.map(|seal| FileTime::from_last_modification_time(&seal)), name.to_owned()));
        }
    }
    trees.sort();
    let surplus = trees.len().saturating_sub(KEPT - 1);
    for (_, name) in trees.drain(..surplus) {
        // the seal first: what is half removed is not trusted
        _ = fs_err::remove_file(folder.join(format!("{name}.seal")));
        fs_err::remove_dir_all(folder.join(name))?;
    }
    Ok(())
}

/// A tree that was written gets its name, and its seal.
fn keep(tree: &Utf8Path, path: &Utf8Path, seal: &Utf8Path, prefix: &Utf8Path) -> io::Result<()> {
    for entry in walkdir::WalkDir::new(tree) {
        let entry = entry.map_err(io::Error::from)?;
        if entry.file_type().is_file() {
            filetime::set_file_mtime(entry.path(), MARK)?;
        }
    }
    let text = seal_of(tree, prefix);
    if path.symlink_metadata().is_ok() {
        // it was changed by somebody, or another run was faster
        if !path.is_symlink() && seal_of(path, prefix) == text {
            return write::anew(seal, text.as_bytes(), 0o644);
        }
        fs_err::remove_dir_all(path)?;
    }
    match fs_err::rename(tree, path) {
        Err(_) if path.is_dir() && seal_of(path, prefix) == text => {}
        other => other?,
    }
    write::anew(seal, text.as_bytes(), 0o644)
}

/// What the files of a tree are known by: number, bytes, and whether somebody wrote into one of them.
fn seal_of(tree: &Utf8Path, prefix: &Utf8Path) -> String {
    let state = tree.join(prefix).join(MEMORY_FOLDER);
    let walk = walkdir::WalkDir::new(tree).into_iter().filter_entry(|entry| entry.path() != state.as_std_path());
    let (mut files, mut links, mut bytes, mut foreign) = (0u64, 0u64, 0u64, 0u64);
    for entry in walk {
        match entry.as_ref().map(walkdir::DirEntry::file_type) {
            Ok(kind) if kind.is_dir() => {}
            Ok(kind) if kind.is_symlink() => links += 1,
            Ok(_) => {
                let metadata = entry.ok().and_then(|entry| entry.metadata().ok());
                let metadata = metadata.filter(|metadata| FileTime::from_last_modification_time(metadata) == MARK);
                files += 1;
                bytes += metadata.as_ref().map_or(0, std::fs::Metadata::len);
                foreign += u64::from(metadata.is_none());
            }
            Err(_) => foreign += 1,
        }
    }
    format!("{VERSION} files={files} links={links} bytes={bytes} foreign={foreign}\n")
}

/// A repository that files are taken from.
struct Repository<'a> {
    name: &'a str,
    git_dir: &'a Utf8Path,
    top: &'a Utf8Path,
}

impl Repository<'_> {
    fn write(
        &self,
        tree: &str,
        index: &Utf8Path,
        to: &Utf8Path,
        absent: &mut Vec<Utf8PathBuf>,
    ) -> Result<(), RevisionError> {
        fs_err::create_dir_all(to).map_err(|error| RevisionError::Disk { name: self.name.to_owned(), error })?;
        self.run(index, to, &["read-tree", tree])?;
        self.run(index, to, &["checkout-index", "--all", "--force", "--quiet"])?;
        let listed = self.run(index, to, &["ls-tree", "-r", "-z", "--full-tree", tree])?;
        for line in listed.split('\0').filter(|line| line.starts_with("160000 ")) {
            let Some((entry, path)) = line.split_once('\t') else { continue };
            let commit = entry.rsplit(' ').next().unwrap_or_default();
            let below = self.top.join(path);
            let tree = below.join(".git").exists().then_some(["rev-parse", "--verify", "--quiet"]);
            let tree = tree.and_then(|words| one(git(&below).args(words).arg(tree_of(commit))));
            let git_dir = one(git(&below).args(["rev-parse", "--absolute-git-dir"]));
            let (Some(tree), Some(git_dir)) = (tree, git_dir) else {
                absent.push(path.into());
                continue;
            };
            let own = Repository { name: self.name, git_dir: Utf8Path::new(&git_dir), top: &below };
            let before = absent.len();
            own.write(&tree, &index.with_extension(format!("{before}-{commit}")), &to.join(path), absent)?;
            absent[before..].iter_mut().for_each(|inner| *inner = Utf8Path::new(path).join(&*inner));
        }
        Ok(())
    }

    fn run(&self, index: &Utf8Path, work_tree: &Utf8Path, words: &[&str]) -> Result<String, RevisionError> {
        let mut command = git(work_tree);
        command.args([
            "-c",
            "core.hooksPath=/dev/null",
            "-c",
            "core.fsmonitor=false",
            "-c",
            "core.sparseCheckout=false",
        ]);
        command.env("GIT_DIR", self.git_dir).env("GIT_WORK_TREE", work_tree).env("GIT_INDEX_FILE", index);
        let output = command.args(words).stderr(Stdio::piped()).output().map_err(RevisionError::NoGit)?;
        if output.status.success() {
            return Ok(String::from_utf8_lossy(&output.stdout).into_owned());
        }
        let detail = first_line(&String::from_utf8_lossy(&output.stderr));
        Err(RevisionError::Checkout { name: self.name.to_owned(), detail })
    }
}

/// Those of some paths below `root` that git ignores and does not track.
pub fn ignored(root: &Utf8Path, paths: &[Utf8PathBuf]) -> Vec<Utf8PathBuf> {
    if paths.is_empty() {
        return Vec::new();
    }
    if let Some(answer) = check_ignore(root, paths) {
        return answer;
    }
    if one(git(root).args(["rev-parse", "--git-dir"])).is_none() {
        return Vec::new();
    }
    // one of them makes git refuse all of them, such as one that lies in a submodule: each is asked for where it lies
    let alone = |path: &&Utf8PathBuf| {
        let (folder, name) = (root.join(path.parent().unwrap_or(Utf8Path::new(""))), path.file_name());
        name.is_some_and(|name| check_ignore(&folder, &[name.into()]).is_some_and(|answer| !answer.is_empty()))
    };
    paths.iter().filter(alone).cloned().collect()
}

fn check_ignore(root: &Utf8Path, paths: &[Utf8PathBuf]) -> Option<Vec<Utf8PathBuf>> {
    let mut command = git(root);
    // this one takes paths as they are, and no word for it
    command
        .args(["--no-literal-pathspecs", "check-ignore", "-z", "--stdin"])
        .stdin(Stdio::piped())
        .stdout(Stdio::piped());
    let mut child = command.spawn().ok()?;
    let mut stdin = child.stdin.take()?;
    let output = std::thread::scope(|scope| {
        // it answers while it is asked
        scope.spawn(move || paths.iter().try_for_each(|path| write!(stdin, "./{path}\0")));
        child.wait_with_output().ok()
    })?;
    // 1: none of them
    matches!(output.status.code(), Some(0 | 1)).then_some(())?;
    let words = String::from_utf8(output.stdout).ok()?;
    let paths = words.split_terminator('\0').map(|path| path.strip_prefix("./").unwrap_or(path));
    Some(paths.map(Utf8PathBuf::from).collect())
}

#[cfg(test)]
mod tests;
