//! Times of commits, remembered: git walks its history for each of them, and as long as the newest commit is the same the
//! answers are too.
//!
//! `target/groupage/times.json` holds the answers for one commit, as [`super::remembered`] keeps them: one that is damaged, or of
//! another commit, counts as none.

use std::collections::BTreeMap;

use camino::{Utf8Path, Utf8PathBuf};
use serde::{Deserialize, Serialize};

use super::git::{self, History, commit_times};
use super::remembered::Remembered;

/// The file.
const FILE: Remembered = Remembered { name: "times.json", version: 2 };

#[derive(Debug, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Times {
    /// The commit, and whether history ends before its beginning.
    head: String,
    /// Seconds since 1970 by group of paths.
    times: BTreeMap<String, u64>,
}

/// [`commit_times`] and `git::history`, which ask git at most once when everything is known. `memory` is the
/// folder for what is kept between runs; when it cannot be written, nothing is remembered.
pub fn remembered_times(root: &Utf8Path, memory: &Utf8Path, groups: &[Vec<Utf8PathBuf>]) -> (Vec<u64>, History) {
    let (head, history) = git::head(root);
    let Some(head) = head else {
        let times = if history == History::None { vec![0; groups.len()] } else { commit_times(root, groups) };
        return (times, history);
    };
    let mut known = read(memory, &head).unwrap_or_default();
    let keys: Vec<String> = groups.iter().map(|group| key(group)).collect();
    let unknown: Vec<Vec<Utf8PathBuf>> =
        keys.iter().zip(groups).filter(|(key, _)| !known.contains_key(*key)).map(|(_, group)| group.clone()).collect();
    if !unknown.is_empty() {
        let asked = commit_times(root, &unknown);
        known.extend(unknown.iter().map(|group| key(group)).zip(asked));
        // whoever cannot remember asks again
        _ = FILE.write(memory, &Times { head, times: known.clone() });
    }
    (keys.iter().map(|key| known.get(key).copied().unwrap_or_default()).collect(), history)
}

fn read(memory: &Utf8Path, head: &str) -> Option<BTreeMap<String, u64>> {
    let known: Times = FILE.read(memory)?;
    (known.head == head).then_some(known.times)
}

/// Paths hold no NUL.
fn key(group: &[Utf8PathBuf]) -> String {
    group.iter().map(|path| path.as_str()).collect::<Vec<_>>().join("\0")
}

#[cfg(test)]
mod tests {
    use super::super::remembered::check_that_damage_is_noticed;
    use super::*;

    fn commit(root: &Utf8Path, name: &str, time: &str) {
        std::fs::write(root.join(name), time).unwrap();
        let run = |arguments: &[&str]| {
            let account = ["-c", "user.name=a", "-c", "user.email=a@example.com"];
            let mut command = std::process::Command::new("git");
            command.arg("-C").arg(root.as_str()).args(account).args(arguments);
            let ended = command.env("GIT_COMMITTER_DATE", format!("{time} +0000")).output().unwrap();
            assert!(ended.status.success(), "{ended:?}");
        };
        run(&["add", name]);
        run(&["commit", "--quiet", "-m", name]);
    }

    #[test]
    fn answers_hold_for_one_commit_and_damage_is_no_answer() {
        let folder = tempfile::tempdir().unwrap();
        let root = Utf8Path::from_path(folder.path()).unwrap();
        let memory = root.join("target/groupage");
        let groups = [vec!["a".into()], vec!["a".into(), "b".into()], vec!["none".into()]];
        let check = |expect: [u64; 3]| assert_eq!(remembered_times(root, &memory, &groups).0, expect);
        check([0, 0, 0]);
        assert!(!memory.exists(), "without a repository there is nothing to remember");
        assert!(
            std::process::Command::new("git").args(["-C", root.as_str(), "init", "-q"]).status().unwrap().success()
        );
        commit(root, "a", "1000000000");
        check([1_000_000_000, 1_000_000_000, 0]);
        check([1_000_000_000, 1_000_000_000, 0]);
        commit(root, "b", "1100000000");
        check([1_000_000_000, 1_100_000_000, 0]);
        let file = memory.join("times.json");
        let head = git::head(root).0.unwrap();
        check_that_damage_is_noticed(&file, || read(&memory, &head).is_none());
        let text = std::fs::read_to_string(&file).unwrap();
        for damaged in ["", "{", &text[..text.len() / 2], &text.replace("1100000000", "1200000000")] {
            std::fs::write(&file, damaged).unwrap();
            check([1_000_000_000, 1_100_000_000, 0]);
            assert_eq!(std::fs::read_to_string(&file).unwrap(), text, "remembered anew");
        }
        // it is believed as long as it is whole: that is what makes it quick
        let mut times = read(&memory, &head).unwrap();
        times.insert("none".to_owned(), 7);
        FILE.write(&memory, &Times { head, times }).unwrap();
        check([1_000_000_000, 1_100_000_000, 7]);
    }
}
