//! ConfigMaps of change-image-name: rows of `old,new`, of which Velero takes any that fits a reference, and no other.

use crate::diagnostic::Diagnostic;
use crate::yaml::Node;

/// The label of such a ConfigMap.
const LABEL: &str = "velero.io/change-image-name";

/// Whether a ConfigMap is one.
pub(super) fn is_one(map: &Node) -> bool {
    map.get("metadata").and_then(|metadata| metadata.get("labels")).is_some_and(|labels| labels.get(LABEL).is_some())
}

/// What is wrong with its rows.
pub(super) fn check(map: &Node) -> Vec<Diagnostic> {
    let rows = map.get("data").map(Node::entries).unwrap_or_default();
    let mut findings = Vec::new();
    let mut split: Vec<(&str, &Node)> = Vec::new();
    for (_, row) in rows {
        match row.text().unwrap_or_default().split_once(',') {
            Some((old, new)) if !old.trim().is_empty() && !new.is_empty() => split.push((old.trim(), row)),
            _ => {
                let ignored = Diagnostic::error("row-ignored", "the row is no `old,new`: Velero passes over it");
                findings
                    .push(ignored.label(row.span, "").help("write what is replaced, a comma, and what comes there"));
            }
        }
    }
    for (at, (old, row)) in split.iter().enumerate() {
        for (other, second) in &split[at + 1..] {
            if old.contains(other) || other.contains(old) {
                let message =
                    format!("`{old}` and `{other}` fit the same references, and Velero takes any of the two rows");
                let overlap =
                    Diagnostic::error("rows-overlap", message).label(second.span, "").label(row.span, "the other one");
                let overlap = overlap.note("rows have no order (velero#6344)");
                findings.push(overlap.help("end both with a delimiter, such as `:`, or name whole references"));
            }
        }
    }
    findings
}
