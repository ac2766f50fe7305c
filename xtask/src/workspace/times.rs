//! Times of commits, remembered: git walks its history for each of them, and as long as the newest commit is the same the
//! answers are too.
//!
//! `target/groupage/times.json` holds the answers for one commit. A file that cannot be read, or is of another commit or
//! another form, counts as none.

use std::collections::BTreeMap;

use camino::{Utf8Path, Utf8PathBuf};
use serde::{Deserialize, Serialize};

use super::git::{self, History, commit_times};
use super::state;

/// The file.
const FILE: &str = "times.json";
/// A larger one is not ours, in bytes.
const MAX_FILE: u64 = 1 << 28;
/// Format of the file.
const SCHEMA: u32 = 1;

#[derive(Debug, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Remembered {
    schema: u32,
    /// The commit, and whether history ends before its beginning.
    head: String,
    /// Seconds since 1970 by group of paths.
    times: BTreeMap<String, u64>,
}

/// [`commit_times`] and `git::history`, which ask git at most once when everything is known. `memory` is the folder
/// for what is kept between runs; when it cannot be written, nothing is remembered.
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
        let remembered = Remembered { schema: SCHEMA, head, times: known.clone() };
        let text = serde_json::to_vec(&remembered).unwrap_or_default();
        _ = state::write(memory, FILE, &text);
    }
    (keys.iter().map(|key| known.get(key).copied().unwrap_or_default()).collect(), history)
}

fn read(memory: &Utf8Path, head: &str) -> Option<BTreeMap<String, u64>> {
    let remembered: Remembered = serde_json::from_slice(&state::read(memory, FILE, MAX_FILE)?).ok()?;
    (remembered.schema == SCHEMA && remembered.head == head).then_some(remembered.times)
}

/// Paths hold no NUL.
fn key(group: &[Utf8PathBuf]) -> String {
    group.iter().map(|path| path.as_str()).collect::<Vec<_>>().join("\0")
}

#[cfg(test)]
mod tests {
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
        let text = std::fs::read_to_string(&file).unwrap();
        for damaged in ["", "{", &text[..text.len() / 2], &text.replace("\"schema\":1", "\"schema\":9")] {
            std::fs::write(&file, damaged).unwrap();
            check([1_000_000_000, 1_100_000_000, 0]);
        }
        // it is believed as long as it is whole: that is what makes it quick
        std::fs::write(&file, text.replace("1100000000", "1200000000")).unwrap();
        check([1_000_000_000, 1_200_000_000, 0]);
    }
}
