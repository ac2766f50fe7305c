//! Phase 3: what is pinned. Pure: a resolution and the lock file's text in, [`Pins`] and [`Difference`]s out.
//!
//! `groupage.lock` holds, for every base, builder and `image` source that any image of the workspace can use (every variant,
//! every feature), the digest that its tag had when `lock` or `update` asked the registry. [`of_workspace`] says which
//! references those are, [`of_resolution`] which of them a run really uses, [`require`] whether the file fits.
//!
//! | what | is locked |
//! |---|---|
//! | a reference of a manifest or of `groupage.toml` | yes |
//! | one that has a digest | no: it is pinned by itself, and has no entry |
//! | `scratch` | no |
//! | a value of `--set`, the environment or the override file | no: it is what its user said, digest or not |
//! | a local stand-in for a builder | no |
//! | a base that only `images.NAME.base` of an override names | its entry is used if there is one, and not asked for |
//!
//! It also remembers what the ids of contracts mean, those in `[[replaces]]` of components: see [`ContractKey`]. A contract that
//! means something else under the same id is a difference that `lock` refuses to write.
//!
//! **Invariants**: nothing here asks a registry or writes the file; a build uses the entries that fit and never changes
//! one; equal manifests and digests give equal bytes.

mod change;
mod contract;
mod difference;
mod file;
mod key;
mod parse;
mod renew;
mod wanted;

use std::collections::BTreeMap;

pub use change::{Change, changes};
pub use contract::{ContractChange, ContractKey, Contracts, Meaning, contract_changes};
pub use difference::Difference;
pub use file::{Entry, LockFile};
pub use key::{Key, KeyError};
pub use renew::{Open, Renewal, renew};
pub use wanted::{Builders, Want, Wanted, of_resolution, of_workspace};

use crate::oci::{Digest, ImageSource, Mapping, Reference};
use crate::resolve::{Value, ValueSource};

/// What a lock file that does not fit does.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Mode {
    /// Entries that fit are used. Without a lock file nothing is pinned, and nothing is different.
    Prefer,
    /// Every wanted reference must have an entry that fits; so there must be a lock file.
    Require,
}

/// What is used in place of a reference: its digest, and where it is had.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Pins {
    /// Digests of references, by what they name.
    digests: BTreeMap<String, Digest>,
    /// The mirror. It holds the same bytes, so that a pin is good on either side of it.
    mapping: Option<Mapping>,
}

impl Pins {
    /// The reference that is used for a value that comes from a manifest: with its digest when the lock file has one, behind
    /// the mirror when there is one. What an override says stays as it is: there the mapping is done already, if it is wanted.
    pub fn pin(&self, value: &Value<Reference>) -> Reference {
        let digest = self.digests.get(&identity(&value.value));
        let pinned = match digest.filter(|_| is_locked(&value.value, &value.source)) {
            Some(digest) => value.value.with_digest(digest),
            None => value.value.clone(),
        };
        match self.mapping.as_ref().filter(|_| value.source == ValueSource::Manifest) {
            // that every reference has a place there was found out when the mirror was resolved
            Some(mapping) => mapping.map(&pinned).unwrap_or(pinned),
            None => pinned,
        }
    }

    /// As [`Pins::pin`]; only what comes from a registry has a pin.
    pub fn pin_source(&self, value: &Value<ImageSource>) -> ImageSource {
        match &value.value {
            ImageSource::Registry(reference) => {
                let value = Value { value: reference.clone(), source: value.source.clone() };
                ImageSource::Registry(self.pin(&value))
            }
            other => other.clone(),
        }
    }

    /// True when nothing is pinned.
    pub fn is_empty(&self) -> bool {
        self.digests.is_empty()
    }
}

/// Pins that fit, and what does not.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Locked {
    /// What is pinned.
    pub pins: Pins,
    /// What is not, and why. Empty when there is no lock file.
    pub differences: Vec<Difference>,
}

/// Compares what is wanted with the lock file.
///
/// # Errors
/// In [`Mode::Require`], every wanted reference that has no entry, and every contract that is not as the file has it: a run
/// without `--locked` does not depend on those.
pub fn require(wanted: &Wanted, lock: Option<&LockFile>, mode: Mode) -> Result<Locked, Vec<Difference>> {
    let none = LockFile::default();
    let pins = Pins { mapping: wanted.mapping().cloned(), ..Pins::default() };
    let mut locked = Locked { pins, ..Locked::default() };
    let file = match (lock, mode) {
        (None, Mode::Prefer) => return Ok(locked),
        (lock, _) => lock.unwrap_or(&none),
    };
    for (key, want) in wanted.iter() {
        match file.find(&want.reference) {
            Some(entry) => _ = locked.pins.digests.insert(identity(&want.reference), entry.digest.clone()),
            None if want.required => locked.differences.push(Difference::not_locked(key, want, file)),
            None => {}
        }
    }
    if mode == Mode::Require {
        locked.differences.extend(contract::differences(wanted.contracts(), file));
    }
    if mode == Mode::Require && !locked.differences.is_empty() { Err(locked.differences) } else { Ok(locked) }
}

/// Everything that differs between a whole workspace and its lock file, so that `lock` would write another one: references
/// without an entry, entries that nothing uses, entries that name other users, contracts.
pub fn drift(workspace: &Wanted, file: &LockFile) -> Vec<Difference> {
    let not_locked = workspace.iter().filter(|(_, want)| file.find(&want.reference).is_none());
    let mut differences: Vec<Difference> =
        not_locked.map(|(key, want)| Difference::not_locked(key, want, file)).collect();
    let moved: Vec<Reference> = differences.iter().filter_map(|difference| difference.locked().cloned()).collect();
    for entry in file.entries() {
        let users = workspace.users(&entry.name);
        if users.is_empty() && !moved.contains(&entry.name) {
            differences.push(Difference::Unused { locked: entry.name.clone(), place: entry.place });
        } else if !users.is_empty() && users != entry.used_by {
            let (old, new) = (entry.used_by.clone(), users);
            differences.push(Difference::Users { locked: entry.name.clone(), old, new, place: entry.place });
        }
    }
    differences.extend(contract::differences(workspace.contracts(), file));
    differences.extend(contract::unused(workspace.contracts(), file));
    differences
}

/// Contracts that mean something else under the id that they had: `lock` must not write these down.
pub fn changed_contracts(workspace: &Wanted, file: &LockFile) -> Vec<Difference> {
    let mut changed = contract::differences(workspace.contracts(), file);
    changed.retain(Difference::is_changed_contract);
    changed
}

/// Whether a value is subject to the lock file: it is what a manifest says, and has no digest of its own.
fn is_locked(reference: &Reference, source: &ValueSource) -> bool {
    *source == ValueSource::Manifest && reference.digest().is_none()
}

/// What a reference names, digest aside: two spellings of one image (`rust:1`, `docker.io/library/rust:1`) are one entry.
fn identity(reference: &Reference) -> String {
    let name = reference.without_digest().canonical();
    if reference.tag().is_some() { name } else { format!("{name}:latest") }
}

#[cfg(test)]
mod tests;
