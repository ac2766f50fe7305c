//! The ledger of retired images, and moving their consumers: text in, edits out. Pure: `cli` reads and writes.
//!
//! | module | is |
//! |---|---|
//! | [`ledger`] | all retirements in one model: what a reference became, at a version |
//! | [`modifiers`] | Velero's resource modifiers: what is wrong with them, and new ones |
//! | [`scan`] | retired references in files of any kind, and what should be there |
//! | `fix` | the edits that put it there, or why there are none |
//! | [`edit`] | edits as values: applied, shown as a diff |
//! | [`consumers`] | outputs for consumers: Kustomize, Helm, an upgrade note, a chart guard, OpenShift |
//! | [`velero`] | how Velero reads the image of its restore helper |
//!
//! **Invariants**: nothing here touches the disk; every byte outside of the edits stays; a tag that is written is never below the
//! floor; every finding has edits or a reason why not.

pub mod consumers;
pub mod edit;
mod fix;
pub mod ledger;
pub mod modifiers;
pub mod scan;
pub mod velero;
