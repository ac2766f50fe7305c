//! Variables that an operator drops: `RELATED_IMAGE_*` of retired images, in its deployment, in `relatedImages` of its
//! ClusterServiceVersion, and in scripts for disconnected clusters.

use std::collections::BTreeSet;

use super::rows;
use crate::migrate::ledger::{Ledger, Wanted};

/// The list, as YAML; names are those that operators give to the last part of an image's path.
pub fn openshift(ledger: &Ledger, wanted: Wanted<'_>) -> String {
    let name = |last: &str| {
        let word: String =
            last.chars().map(|c| if c.is_ascii_alphanumeric() { c.to_ascii_uppercase() } else { '_' }).collect();
        format!("RELATED_IMAGE_{word}")
    };
    let dropped =
        rows(ledger, wanted).into_iter().filter(|row| row.answer.is_consumer_default() || row.answer.name.is_none());
    let names: BTreeSet<String> = dropped.map(|row| name(row.name.last())).collect();
    let mut text =
        "# Remove these from env of the operator, relatedImages of its ClusterServiceVersion, and mirror lists.\n"
            .to_owned();
    if names.is_empty() {
        return text + "[]\n";
    }
    names.iter().for_each(|name| text.push_str(&format!("- name: {name}\n")));
    text
}
