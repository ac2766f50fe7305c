//! Outputs for consumers: what they can use without this tool. Pure texts from the ledger.
//!
//! | file | is |
//! |---|---|
//! | `kustomize.rs` | `images:` as a Kustomize component; a post-renderer for Helm that applies it |
//! | `note.rs` | an upgrade note |
//! | `guard.rs` | a chart guard that fails on exactly the retired names |
//! | `openshift.rs` | `RELATED_IMAGE_*` variables that operators drop |

mod guard;
mod kustomize;
mod note;
mod openshift;
#[cfg(test)]
mod tests;

pub use guard::{guard, pattern};
pub use kustomize::{helm_post_render, kustomize};
pub use note::note;
pub use openshift::openshift;

use super::ledger::{Answer, Entry, Found, Ledger, Wanted};
use crate::manifest::NamePattern;

/// One retired name with its answer.
#[derive(Debug)]
struct Row<'l> {
    name: &'l NamePattern,
    entry: &'l Entry,
    answer: Answer<'l>,
}

/// Every retired name, without patterns: what consumers could write.
fn rows<'l>(ledger: &'l Ledger, wanted: Wanted<'_>) -> Vec<Row<'l>> {
    let mut rows: Vec<Row<'l>> = Vec::new();
    for entry in ledger.entries.iter().filter(|entry| ledger.is_retired(entry, wanted.at)) {
        for name in entry.names.iter().filter(|name| !name.is_pattern()) {
            // one name has one row: that of the first entry, as elsewhere
            if rows.iter().any(|row| row.name == name) {
                continue;
            }
            let found = Found { entry, name: name.clone(), mirrored: None };
            rows.push(Row { name, entry, answer: ledger.resolve(&found, None, wanted) });
        }
    }
    rows
}
