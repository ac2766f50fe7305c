//! What does not fit between manifests and lock file: one value, one reason, for exit codes, findings and JSON alike.

use std::collections::BTreeSet;
use std::fmt;

use serde::Serialize;

use super::{Key, LockFile, Want};
use crate::diagnostic::{Diagnostic, Level};
use crate::oci::Reference;
use crate::source::Span;
use crate::workspace::LOCK_FILE;

/// One thing that does not fit.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(tag = "kind", rename_all = "kebab-case")]
pub enum Difference {
    /// A reference has no entry, and its key never had one.
    Missing {
        /// What uses it.
        key: Key,
        /// The reference.
        wanted: Reference,
        /// Where it is written.
        #[serde(skip)]
        place: Option<Span>,
    },
    /// A reference has no entry, because its key named another one when the file was written.
    Stale {
        /// What uses it.
        key: Key,
        /// What the lock file has for it.
        locked: Reference,
        /// The reference.
        wanted: Reference,
        /// Where it is written.
        #[serde(skip)]
        place: Option<Span>,
    },
    /// An entry that nothing uses.
    Unused {
        /// The reference.
        locked: Reference,
        /// Where it stands in the lock file.
        #[serde(skip)]
        place: Option<Span>,
    },
    /// An entry that is used by others than it says.
    Users {
        /// The reference.
        locked: Reference,
        /// What the lock file says.
        old: BTreeSet<Key>,
        /// Who uses it.
        new: BTreeSet<Key>,
        /// Where it stands in the lock file.
        #[serde(skip)]
        place: Option<Span>,
    },
}

impl Difference {
    /// Why a wanted reference has no entry.
    pub(super) fn not_locked(key: &Key, want: &Want, file: &LockFile) -> Self {
        let (key, wanted, place) = (key.clone(), want.reference.clone(), want.place);
        match file.entries().into_iter().find(|entry| entry.used_by.contains(&key)) {
            Some(entry) => Self::Stale { key, locked: entry.name.clone(), wanted, place },
            None => Self::Missing { key, wanted, place },
        }
    }

    /// The key that it is about, if there is one.
    pub fn key(&self) -> Option<&Key> {
        match self {
            Self::Missing { key, .. } | Self::Stale { key, .. } => Some(key),
            Self::Unused { .. } | Self::Users { .. } => None,
        }
    }

    /// The entry that it is about, if there is one.
    pub fn locked(&self) -> Option<&Reference> {
        match self {
            Self::Missing { .. } => None,
            Self::Stale { locked, .. } | Self::Unused { locked, .. } | Self::Users { locked, .. } => Some(locked),
        }
    }

    /// The finding of a rule about it.
    pub fn finding(&self, code: &'static str) -> Diagnostic {
        let (place, message) = match self {
            Self::Missing { place, .. } => (place, self.to_string()),
            Self::Stale { key, locked, wanted, place } => {
                (place, format!("{LOCK_FILE} pins {locked} for {key}, which is {wanted} now"))
            }
            Self::Unused { locked, place } => {
                (place, format!("{LOCK_FILE} pins {locked}, which nothing uses any more"))
            }
            Self::Users { place, .. } => (place, format!("{LOCK_FILE}: {self}")),
        };
        let finding = Diagnostic::new(Level::Error, code, message);
        match place {
            Some(place) => finding.label(*place, ""),
            None => finding,
        }
    }
}

impl fmt::Display for Difference {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        let list = |keys: &BTreeSet<Key>| match keys.len() {
            0 => "nobody".to_owned(),
            _ => keys.iter().map(ToString::to_string).collect::<Vec<_>>().join(", "),
        };
        match self {
            Self::Missing { key, wanted, .. } => write!(out, "{key}: {wanted} is not in {LOCK_FILE}"),
            Self::Stale { key, locked, wanted, .. } => write!(out, "{key}: {locked} → {wanted}"),
            Self::Unused { locked, .. } => write!(out, "{locked} is not used any more"),
            Self::Users { locked, old, new, .. } => {
                write!(out, "{locked} is used by {}, not by {}", list(new), list(old))
            }
        }
    }
}
