//! What a new lock file keeps, and what the registries have to be asked for.

use std::collections::BTreeSet;

use super::{Entry, Key, LockFile, Wanted};
use crate::oci::Reference;

/// A lock file that is being made.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Renewal {
    /// What is known already. Digests of [`Renewal::open`] are added to it.
    pub file: LockFile,
    /// What must be asked for, sorted by its first user.
    pub open: Vec<Open>,
}

/// A reference whose digest must be asked for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Open {
    /// The reference.
    pub name: Reference,
    /// Who uses it.
    pub used_by: BTreeSet<Key>,
}

/// The lock file that a workspace needs. Entries that fit are kept, but for those of the keys in `again`; entries that
/// nothing uses are left out. Contracts are written as they are: [`super::changed_contracts`] says which must not be.
pub fn renew(wanted: &Wanted, old: &LockFile, again: &BTreeSet<Key>) -> Renewal {
    let mut renewal = Renewal::default();
    for (contract, meaning) in wanted.contracts() {
        renewal.file.remember(contract.clone(), meaning.clone());
    }
    for (_, want) in wanted.iter() {
        let (name, used_by) = (want.reference.clone(), wanted.users(&want.reference));
        // two spellings of one image are one entry, which has the first one
        if renewal.file.find(&name).is_some() || renewal.open.iter().any(|open| open.used_by == used_by) {
            continue;
        }
        match old.find(&name).filter(|_| used_by.is_disjoint(again)) {
            Some(entry) => _ = renewal.file.insert(Entry { name, used_by, digest: entry.digest.clone(), place: None }),
            None => renewal.open.push(Open { name, used_by }),
        }
    }
    renewal
}
