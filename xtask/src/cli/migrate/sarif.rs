//! Findings as [SARIF 2.1.0](https://docs.oasis-open.org/sarif/sarif/v2.1.0/sarif-v2.1.0.html): one rule for each kind of
//! retirement.

use std::collections::BTreeSet;

use serde_json::{Value, json};

use super::read::Scanned;
use super::scan::sentence;
use crate::migrate::ledger::Ledger;
use crate::migrate::scan::{Finding, Severity};

/// The log of one run.
pub(super) fn log(scanned: &Scanned, ledger: &Ledger) -> Value {
    let kinds: BTreeSet<&str> =
        scanned.findings().map(|(_, finding)| ledger.entries[finding.entry].kind.as_str()).collect();
    let rule = |kind: &&str| {
        json!({
            "id": format!("retired-image/{kind}"),
            "shortDescription": { "text": format!("a reference to an image that is {kind}") },
        })
    };
    let results: Vec<Value> =
        scanned.findings().map(|(path, finding)| result(path.as_str(), finding, ledger)).collect();
    document(kinds.iter().map(rule).collect(), results)
}

/// A log of one run of this program.
pub(super) fn document(rules: Vec<Value>, results: Vec<Value>) -> Value {
    json!({
        "$schema": "https://json.schemastore.org/sarif-2.1.0.json",
        "version": "2.1.0",
        "runs": [{
            "tool": { "driver": {
                "name": "groupage",
                "version": env!("CARGO_PKG_VERSION"),
                "rules": rules,
            }},
            "columnKind": "unicodeCodePoints",
            "results": results,
        }],
    })
}

fn result(path: &str, finding: &Finding, ledger: &Ledger) -> Value {
    let entry = &ledger.entries[finding.entry];
    let level = if finding.severity == Severity::Error { "error" } else { "warning" };
    let reason = finding.reason().map(|why| format!("; not fixed: {why}")).unwrap_or_default();
    json!({
        "ruleId": format!("retired-image/{}", entry.kind.as_str()),
        "level": level,
        "message": { "text": format!("{}{reason}", sentence(finding, entry)) },
        "locations": [{ "physicalLocation": {
            "artifactLocation": { "uri": uri(path) },
            "region": {
                "startLine": finding.line,
                "startColumn": finding.column,
                "byteOffset": finding.range.start,
                "byteLength": finding.range.len(),
            },
        }}],
        "properties": { "place": finding.place.as_str(), "fixable": finding.is_fixable() },
    })
}

/// A path as a relative reference: what has a meaning in one is escaped.
pub(super) fn uri(path: &str) -> String {
    let mut text = String::new();
    for byte in path.bytes() {
        match byte {
            b'/' | b'-' | b'.' | b'_' | b'~' => text.push(char::from(byte)),
            byte if byte.is_ascii_alphanumeric() => text.push(char::from(byte)),
            byte => text.push_str(&format!("%{byte:02X}")),
        }
    }
    text
}
