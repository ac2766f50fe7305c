//! What does not fit between manifests and lock file: one value, one reason, for exit codes, findings and JSON alike.

use std::collections::BTreeSet;
use std::fmt;

use serde::Serialize;

use super::{ContractKey, Key, LockFile, Want};
use crate::diagnostic::{Diagnostic, Level};
use crate::manifest::ContractId;
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
    /// A contract that is not in the file, or has another id there.
    Contract {
        /// Whose it is.
        contract: ContractKey,
        /// The id that the lock file has.
        old: Option<ContractId>,
        /// The id.
        new: ContractId,
        /// Where it is written.
        #[serde(skip)]
        place: Option<Span>,
    },
    /// A contract that means something else under the id that it had. Nothing writes that down.
    ChangedContract {
        /// Whose it is.
        contract: ContractKey,
        /// The id that both have.
        id: ContractId,
        /// Where it is written.
        #[serde(skip)]
        place: Option<Span>,
        /// Where it stands in the lock file.
        #[serde(skip)]
        locked_at: Option<Span>,
    },
    /// A contract of the file that no component has.
    UnusedContract {
        /// Whose it was.
        contract: ContractKey,
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
            _ => None,
        }
    }

    /// Whether a contract has changed its meaning and not its id: nothing but an edit of the manifest mends that.
    pub fn is_changed_contract(&self) -> bool {
        matches!(self, Self::ChangedContract { .. })
    }

    /// The entry that it is about, if there is one.
    pub fn locked(&self) -> Option<&Reference> {
        match self {
            Self::Stale { locked, .. } | Self::Unused { locked, .. } | Self::Users { locked, .. } => Some(locked),
            _ => None,
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
            Self::Users { place, .. } | Self::UnusedContract { place, .. } => (place, format!("{LOCK_FILE}: {self}")),
            Self::Contract { place, .. } => (place, self.to_string()),
            Self::ChangedContract { place, locked_at, .. } => return changed(code, self, *place, *locked_at),
        };
        let finding = Diagnostic::new(Level::Error, code, message);
        match place {
            Some(place) => finding.label(*place, ""),
            None => finding,
        }
    }
}

/// The finding about a contract that means something else; unlike the others it says what to do.
fn changed(code: &'static str, difference: &Difference, place: Option<Span>, locked: Option<Span>) -> Diagnostic {
    let finding = Diagnostic::new(Level::Error, code, difference.to_string());
    let places = [(place, "the id is still the same"), (locked, "what it meant is remembered here")];
    let finding = places.into_iter().fold(finding, |finding, (place, text)| match place {
        Some(place) => finding.label(place, text),
        None => finding,
    });
    finding.help("give the contract a new id if it is to mean something else, or take the change back; then run `lock`")
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
            Self::Contract { contract, old: Some(old), new, .. } => {
                write!(out, "contract of {contract}: {old} → {new}")
            }
            Self::Contract { contract, old: None, new, .. } => {
                write!(out, "contract {new} of {contract} is not in {LOCK_FILE}")
            }
            Self::ChangedContract { contract, id, .. } => {
                write!(out, "contract {id} of {contract} means something else than before")
            }
            Self::UnusedContract { contract, .. } => {
                write!(out, "the contract of {contract} is not in any manifest any more")
            }
        }
    }
}
