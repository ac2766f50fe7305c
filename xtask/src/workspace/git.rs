//! What git knows: when files were last changed, a time that is the same in every clone, and what they were at a revision.

mod revision;
mod tree;

use std::process::{Command, Stdio};
use std::thread;

use camino::{Utf8Path, Utf8PathBuf};

pub use revision::{Revision, RevisionError, RevisionTree, ignored};
pub(super) use tree::work_files;
pub use tree::{BlobFile, branch, head_time, read_blobs, revision_files, tags};

/// How many questions are asked at once.
const AT_ONCE: usize = 8;

/// For each group of paths below `root` the time of the newest commit that changed any of them, in seconds since 1970; 0
/// where there is none, such as without git or for files that were never committed.
pub fn commit_times(root: &Utf8Path, groups: &[Vec<Utf8PathBuf>]) -> Vec<u64> {
    let mut times = Vec::new();
    for some in groups.chunks(AT_ONCE) {
        thread::scope(|scope| {
            let asked: Vec<_> = some.iter().map(|group| scope.spawn(|| commit_time(root, group))).collect();
            times.extend(asked.into_iter().map(|answer| answer.join().unwrap_or_default()));
        });
    }
    times
}

fn commit_time(root: &Utf8Path, paths: &[Utf8PathBuf]) -> u64 {
    if paths.is_empty() {
        return 0;
    }
    let paths = paths.iter().map(|path| if path.as_str().is_empty() { "." } else { path.as_str() });
    let answer = git(root).args(["log", "-1", "--no-show-signature", "--format=%ct", "--"]).args(paths).output();
    let answer = answer.map(|output| String::from_utf8_lossy(&output.stdout).into_owned()).unwrap_or_default();
    answer.trim().parse().unwrap_or_default()
}

/// What git knows of a workspace.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum History {
    /// All of it.
    Whole,
    /// Its newest part: commits seem to be younger than they are.
    Shallow,
    /// The workspace is in no repository.
    None,
    /// There is a repository, and git does not tell: why.
    Silent(String),
}

/// The newest commit, if there is one, and whether times of commits can be had, and are those of every other clone.
pub(super) fn head(root: &Utf8Path) -> (Option<String>, History) {
    // the usual case outside of a repository costs no process
    if !root.ancestors().any(|folder| folder.join(".git").exists()) {
        return (None, History::None);
    }
    let question = ["rev-parse", "--is-shallow-repository", "--verify", "--quiet", "HEAD"];
    let output = match git(root).args(question).stderr(Stdio::piped()).output() {
        Ok(output) => output,
        Err(error) => return (None, History::Silent(format!("git cannot be started: {error}"))),
    };
    let (said, words) = (String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr));
    let mut lines = said.lines();
    match lines.next() {
        Some(shallow @ ("true" | "false")) => {
            let history = if shallow == "true" { History::Shallow } else { History::Whole };
            (lines.next().map(|commit| format!("{commit} {shallow}")), history)
        }
        _ if words.contains("not a git repository") => (None, History::None),
        _ => (None, History::Silent(words.lines().next().unwrap_or("git fails").to_owned())),
    }
}

/// The newest commit, with `-dirty` when files that git knows have changed since, and its time; `None` without one.
pub fn revision(root: &Utf8Path) -> Option<(String, u64)> {
    let answer = git(root).args(["log", "-1", "--no-show-signature", "--format=%H %ct"]).output().ok()?;
    let said = String::from_utf8_lossy(&answer.stdout).into_owned();
    let (commit, time) = said.trim().split_once(' ')?;
    let status = git(root).args(["status", "--porcelain", "--untracked-files=no", "."]).output().ok()?;
    let dirty = if status.stdout.is_empty() { "" } else { "-dirty" };
    Some((format!("{commit}{dirty}"), time.parse().ok()?))
}

fn git(root: &Utf8Path) -> Command {
    let mut command = Command::new("git");
    // a hook runs with variables that name another repository, and messages are read
    ["GIT_DIR", "GIT_WORK_TREE", "GIT_INDEX_FILE"].iter().for_each(|name| _ = command.env_remove(name));
    command.env("LC_ALL", "C");
    command.arg("--literal-pathspecs").arg("-C").arg(root.as_str()).stdin(Stdio::null()).stderr(Stdio::null());
    command
}

/// Paths without those that lie below another one of them.
pub fn topmost(mut paths: Vec<Utf8PathBuf>) -> Vec<Utf8PathBuf> {
    paths.sort();
    let mut kept: Vec<Utf8PathBuf> = Vec::new();
    for path in paths {
        if !kept.iter().any(|top| path.starts_with(top)) {
            kept.push(path);
        }
    }
    kept
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_the_topmost_are_kept() {
        let check = |paths: &[&str], expect: &[&str]| {
            assert_eq!(topmost(paths.iter().map(Utf8PathBuf::from).collect()), expect);
        };
        check(&["b/c", "a", "a/b", "b/c/d", "a-b"], &["a", "a-b", "b/c"]);
        check(&[], &[]);
    }

    #[test]
    fn the_newest_commit_counts() {
        let folder = tempfile::tempdir().unwrap();
        let root = Utf8Path::from_path(folder.path()).unwrap();
        let run = |arguments: &[&str], time: &str| {
            let account = ["-c", "user.name=a", "-c", "user.email=a@example.com"];
            let status = git(root).args(account).args(arguments).env("GIT_COMMITTER_DATE", time).status().unwrap();
            assert!(status.success(), "{arguments:?}");
        };
        run(&["init", "--quiet"], "");
        for (name, time) in [("a", "1000000000 +0000"), ("b", "1100000000 +0000")] {
            std::fs::write(root.join(name), name).unwrap();
            run(&["add", "."], "");
            run(&["commit", "--quiet", "-m", name], time);
        }
        std::fs::write(root.join("new"), "").unwrap();
        let groups: Vec<Vec<Utf8PathBuf>> = [&["a"] as &[&str], &["a", "b"], &["new"], &[]]
            .iter()
            .map(|group| group.iter().map(Utf8PathBuf::from).collect())
            .collect();
        assert_eq!(commit_times(root, &groups), [1_000_000_000, 1_100_000_000, 0, 0]);
        assert_eq!(head(root).1, History::Whole);
        assert_eq!(head(Utf8Path::new("/")), (None, History::None));
        std::fs::write(root.join(".git/config"), "[broken").unwrap();
        assert!(matches!(head(root), (None, History::Silent(_))));
        assert_eq!(commit_times(Utf8Path::new("/nonexistent"), &groups[..1]), [0]);
    }
}
