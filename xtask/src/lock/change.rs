//! What a new lock file changes, as data: for `old → new` on the terminal, and for programs.

use std::collections::BTreeSet;
use std::fmt;

use serde::Serialize;

use super::{Entry, Key, LockFile};
use crate::oci::Reference;

/// One entry that was added, removed or moved.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Change {
    /// Who uses it; for a removed one, who did.
    pub used_by: BTreeSet<Key>,
    /// What was pinned.
    pub old: Option<Reference>,
    /// What is pinned.
    pub new: Option<Reference>,
}

/// The changes from one lock file to another, sorted by reference. An entry whose users moved to another reference is one
/// change, not a removed and an added one.
pub fn changes(old: &LockFile, new: &LockFile) -> Vec<Change> {
    let mut gone: Vec<&Entry> = old.entries().into_iter().filter(|entry| new.find(&entry.name).is_none()).collect();
    let mut changes = Vec::new();
    for entry in new.entries() {
        let before = match old.find(&entry.name) {
            Some(before) if before.digest == entry.digest => continue,
            Some(before) => Some(before),
            None => {
                let moved = gone.iter().position(|gone| !gone.used_by.is_disjoint(&entry.used_by));
                moved.map(|index| gone.remove(index))
            }
        };
        let used_by = entry.used_by.clone();
        changes.push(Change { used_by, old: before.map(Entry::pinned), new: Some(entry.pinned()) });
    }
    let removed = |entry: &Entry| Change { used_by: entry.used_by.clone(), old: Some(entry.pinned()), new: None };
    changes.extend(gone.into_iter().map(removed));
    changes
}

/// One line, with shortened digests.
impl fmt::Display for Change {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        let users: Vec<String> = self.used_by.iter().map(ToString::to_string).collect();
        let users = if users.is_empty() { String::new() } else { format!("{}: ", users.join(", ")) };
        match (&self.old, &self.new) {
            (None, None) => Ok(()),
            (None, Some(new)) => write!(out, "added {users}{}", short(new)),
            (Some(old), None) => write!(out, "removed {users}{}", short(old)),
            (Some(old), Some(new)) if old.without_digest() == new.without_digest() => {
                let name = new.without_digest();
                write!(out, "updated {users}{name} {} → {}", digest(old), digest(new))
            }
            (Some(old), Some(new)) => write!(out, "moved {users}{} → {}", short(old), short(new)),
        }
    }
}

/// As many digits as `docker images` shows.
const DIGITS: usize = "sha256:".len() + 12;

fn short(reference: &Reference) -> String {
    format!("{}@{}", reference.without_digest(), digest(reference))
}

fn digest(reference: &Reference) -> String {
    reference.digest().unwrap_or_default().chars().take(DIGITS).collect()
}
