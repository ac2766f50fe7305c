//! The ledger: all retired images, and what became of them.
//!
//! What components say in `[[replaces]]` and what `[[retired]]` says become one list of [`Entry`]s. A written name is looked up
//! with [`Ledger::find`], and [`Ledger::resolve`] follows the chain of entries to its end in one step: a name that was moved,
//! renamed and folded has one answer, at a version.
//!
//! | file | is |
//! |---|---|
//! | `entry.rs` | one retirement, as meant; [`At`], the versions that are asked about |
//! | `build.rs` | from manifests and ledger files to entries |
//! | `name.rs` | which written names are which retired image: exact, or a mirror |
//! | `chain.rs` | the end of a chain, its tag, floor and command |
//! | `version.rs` | release lines, and the order of versions and tags |
//! | `findings.rs` | what is wrong with a ledger itself |
//! | `show.rs` | the ledger as a table |

mod build;
mod chain;
mod entry;
mod findings;
mod name;
mod show;
#[cfg(test)]
mod tests;
mod version;

pub use build::Builder;
pub use chain::{Answer, NewTag, Wanted};
pub use entry::{At, AtError, Entry, Ledger};
pub use findings::findings;
pub use name::{Found, Written};
pub use show::{EntryJson, Table, to_json, to_table};
pub(crate) use version::has_happened_in_line;
pub use version::{compare, is_below};
