//! What git knows: when files were last changed, a time that is the same in every clone, and what they were at a revision.

mod revision;

use std::process::{Command, Stdio};
use std::thread;

use camino::{Utf8Path, Utf8PathBuf};

pub use revision::{Revision, RevisionError, RevisionTree, ignored};

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

/// Whether times of commits can be had, and are those of every other clone.
pub fn history(root: &Utf8Path) -> History {
    let answer = git(root).args(["rev-parse", "--is-shallow-repository"]).stderr(Stdio::piped()).output();
    let output = match answer {
        Ok(output) => output,
        Err(_) if !root.ancestors().any(|folder| folder.join(".git").exists()) => return History::None,
        Err(error) => return History::Silent(format!("git cannot be started: {error}")),
    };
    let words = String::from_utf8_lossy(&output.stderr);
    match (output.status.success(), output.stdout.starts_with(b"true")) {
        (true, true) => History::Shallow,
        (true, false) => History::Whole,
        (false, _) if words.contains("not a git repository") => History::None,
        (false, _) => History::Silent(words.lines().next().unwrap_or("git fails").to_owned()),
    }
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
        assert_eq!(history(root), History::Whole);
        assert_eq!(history(Utf8Path::new("/")), History::None);
        std::fs::write(root.join(".git/config"), "[broken").unwrap();
        assert!(matches!(history(root), History::Silent(_)));
        assert_eq!(commit_times(Utf8Path::new("/nonexistent"), &groups[..1]), [0]);
    }
}
