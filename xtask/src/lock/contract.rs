//! Contracts of retired images in the lock file: what an id meant when it was written.
//!
//! Consumers rely on a promise that they have read once. So the file remembers a digest of each contract's meaning beside its id,
//! and nothing replaces the digest of an id: another meaning needs another id, which everybody sees in a diff.

use std::collections::BTreeMap;
use std::fmt;

use serde::Serialize;

use super::{Difference, LockFile};
use crate::manifest::{ComponentManifest, ComponentName, Contract, ContractId};
use crate::oci::Digest;
use crate::source::Span;

/// Whose contract it is: of a component, about an image that it replaces.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize)]
pub struct ContractKey {
    /// The component that replaces the image.
    pub component: ComponentName,
    /// The retired image.
    pub image: String,
}

impl fmt::Display for ContractKey {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(out, "components.{} for {}", self.component, self.image)
    }
}

/// What an id means.
#[derive(Debug, Clone)]
pub struct Meaning {
    /// The id.
    pub id: ContractId,
    /// Digest of [`Contract::meaning`].
    pub digest: Digest,
    /// Where it stands: in a manifest, or in the lock file if it was read from one.
    pub place: Option<Span>,
}

/// Where it stands does not matter.
impl PartialEq for Meaning {
    fn eq(&self, other: &Self) -> bool {
        (&self.id, &self.digest) == (&other.id, &other.digest)
    }
}

impl Eq for Meaning {}

impl Meaning {
    fn of(contract: &Contract) -> Self {
        let digest = Digest::of(contract.meaning().as_bytes());
        Self { id: contract.id.value.clone(), digest, place: Some(contract.id.span) }
    }
}

/// Contracts by whose they are.
pub type Contracts = BTreeMap<ContractKey, Meaning>;

/// The contracts of a component.
pub(super) fn of_component(component: &ComponentManifest) -> impl Iterator<Item = (ContractKey, Meaning)> {
    let contracts = component.replaces.iter().filter_map(|entry| Some((entry, entry.contract.as_ref()?)));
    contracts.map(|(entry, contract)| {
        let (component, image) = (component.name.value.clone(), entry.image.value.to_string());
        (ContractKey { component, image }, Meaning::of(contract))
    })
}

/// Contracts that the file does not have as they are; a difference where the id is the same is what nothing may write.
pub(super) fn differences(wanted: &Contracts, file: &LockFile) -> Vec<Difference> {
    let difference = |(key, want): (&ContractKey, &Meaning)| {
        let (contract, new, place) = (key.clone(), want.id.clone(), want.place);
        match file.contracts().get(key) {
            Some(known) if known == want => None,
            Some(known) if known.id == want.id => {
                Some(Difference::ChangedContract { contract, id: new, place, locked_at: known.place })
            }
            known => Some(Difference::Contract { contract, old: known.map(|known| known.id.clone()), new, place }),
        }
    };
    wanted.iter().filter_map(difference).collect()
}

/// Contracts of the file that no component has any more.
pub(super) fn unused(wanted: &Contracts, file: &LockFile) -> Vec<Difference> {
    let gone = file.contracts().iter().filter(|(key, _)| !wanted.contains_key(key));
    gone.map(|(key, known)| Difference::UnusedContract { contract: key.clone(), place: known.place }).collect()
}

/// A contract that a new lock file remembers otherwise.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct ContractChange {
    /// Whose it is.
    #[serde(flatten)]
    pub contract: ContractKey,
    /// The id that was remembered.
    pub old: Option<ContractId>,
    /// The id that is.
    pub new: Option<ContractId>,
}

/// What is remembered from one lock file to another, sorted.
pub fn contract_changes(old: &LockFile, new: &LockFile) -> Vec<ContractChange> {
    let id = |file: &LockFile, key: &ContractKey| file.contracts().get(key).map(|known| known.id.clone());
    let mut keys: Vec<&ContractKey> = old.contracts().keys().chain(new.contracts().keys()).collect();
    keys.sort();
    keys.dedup();
    let change = |key: &ContractKey| ContractChange { contract: key.clone(), old: id(old, key), new: id(new, key) };
    keys.into_iter().map(change).filter(|change| change.old != change.new).collect()
}

/// One line.
impl fmt::Display for ContractChange {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        let contract = &self.contract;
        match (&self.old, &self.new) {
            (None, None) => Ok(()),
            (None, Some(new)) => write!(out, "added contract {new} of {contract}"),
            (Some(old), None) => write!(out, "removed contract {old} of {contract}"),
            (Some(old), Some(new)) => write!(out, "renamed contract of {contract}: {old} → {new}"),
        }
    }
}
