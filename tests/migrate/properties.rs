//! What holds for every edit, on random files in every language: pieces that are references, look-alikes and junk, in any order.

use groupage::migrate::edit::{apply, in_order};
use groupage::migrate::ledger::{Ledger, compare};
use groupage::migrate::scan::{Finding, Scanner};
use proptest::prelude::*;
use proptest::test_runner::{RngAlgorithm, TestRng, TestRunner};

use super::ledgers;

const CASES: u32 = 1500;
const NAMES: [&str; 13] = [
    "a.yaml",
    "kustomization.yaml",
    "a.json",
    "a.toml",
    "Dockerfile",
    "a.sh",
    "a.md",
    "a.go",
    "a.txt",
    "docs/v1.15/a.md",
    "values.yml",
    "a.env",
    "x",
];
const PIECES: [&str; 52] = [
    "image: ",
    "- ",
    "  ",
    "    ",
    "\n",
    "\r\n",
    "\t",
    "#",
    "\u{feff}",
    "\"",
    "'",
    "{",
    "}",
    "[",
    "]",
    ",",
    ": ",
    "data:\n",
    "kind: ConfigMap\n",
    "---\n",
    "containers:\n",
    "command: [\"/x\"]\n",
    "command:\n",
    "args: [a]\n",
    "env:\n",
    "name: ",
    "value: ",
    "repository: ",
    "tag: ",
    "registry: ",
    "digest: ",
    "images:\n",
    "newName: ",
    "newTag: ",
    "matrix:\n",
    "FROM ",
    "$REG/",
    "${REG}/",
    "{{ .X }}/",
    "k8s.gcr.io/",
    "velero/velero-restore-helper",
    "velero-restore-helper",
    "ghcr.io/kube-logging/fluentd",
    "bitnami/kubectl",
    "kopeio/etcd-manager",
    "registry.k8s.io/kube-apiserver",
    "configReloaderImage: ",
    ":v1.15.2",
    ":$V",
    "@sha256:00",
    "velero/velero",
    "v1.9.0-full",
];

fn check<S: Strategy>(strategy: &S, property: impl Fn(S::Value) -> Result<(), TestCaseError>) {
    let config = ProptestConfig { cases: CASES, failure_persistence: None, ..ProptestConfig::default() };
    let rng = TestRng::from_seed(RngAlgorithm::ChaCha, b"groupage: the same on every box.");
    if let Err(error) = TestRunner::new_with_rng(config, rng).run(strategy, property) {
        panic!("{error}");
    }
}

/// A path and a file: pieces, with a few bytes that are no text.
fn files() -> impl Strategy<Value = (usize, Vec<u8>)> {
    let piece = prop_oneof![
        20 => (0..PIECES.len()).prop_map(|index| PIECES[index].as_bytes().to_vec()),
        1 => proptest::collection::vec(1_u8..=255, 0..4),
    ];
    (0..NAMES.len(), proptest::collection::vec(piece, 0..40).prop_map(|pieces| pieces.concat()))
}

fn scanner(ledger: &Ledger) -> Scanner<'_> {
    let at =
        ledgers::at("velero=1.16.0 logging-operator=5.3.0 kops=1.31.0 vcluster=0.26.0 oadp=1.5.0 velero-chart=11.0.0");
    Scanner::new(ledger, at, Vec::new())
}

#[test]
fn edits_do_what_they_say_and_nothing_else() {
    let ledger = ledgers::five_systems();
    let scanner = scanner(&ledger);
    check(&files(), |(name, bytes)| {
        let name = NAMES[name];
        let findings = scanner.scan(name, &bytes).expect("it is small");
        let edits: Vec<_> = findings.iter().flat_map(Finding::edits).collect();
        let new = apply(&bytes, edits.iter().copied()).map_err(|error| TestCaseError::fail(error.to_string()))?;
        only_edits(&bytes, &new, &edits)?;
        for finding in &findings {
            prop_assert!(finding.is_fixable() || finding.reason().is_some_and(|why| !why.is_empty()), "{finding:?}");
            prop_assert!(!finding.is_fixable() || !finding.edits().is_empty(), "{finding:?}");
            prop_assert!(finding.line >= 1 && finding.column >= 1 && finding.range.end <= bytes.len());
            floor(&ledger, finding)?;
        }
        let again = scanner.scan(name, &new).expect("it is small");
        let twice = apply(&new, again.iter().flat_map(Finding::edits))
            .map_err(|error| TestCaseError::fail(error.to_string()))?;
        prop_assert_eq!(String::from_utf8_lossy(&twice), String::from_utf8_lossy(&new), "twice: {:?}", again);
        Ok(())
    });
}

/// Between the edits, byte by byte, the new file is the old one.
fn only_edits(old: &[u8], new: &[u8], edits: &[&groupage::migrate::edit::Edit]) -> Result<(), TestCaseError> {
    let (mut a, mut b) = (0, 0);
    for edit in in_order(edits.iter().copied()).map_err(|error| TestCaseError::fail(error.to_string()))? {
        let kept = edit.range.start - a;
        prop_assert_eq!(&old[a..edit.range.start], &new[b..b + kept]);
        a = edit.range.end;
        b += kept + edit.text.len();
    }
    prop_assert_eq!(&old[a..], &new[b..]);
    Ok(())
}

/// No tag that is written is below its floor.
fn floor(ledger: &Ledger, finding: &Finding) -> Result<(), TestCaseError> {
    let entry = &ledger.entries[finding.entry];
    if !finding.is_fixable() || finding.expected.contains('{') || finding.expected.contains('$') {
        return Ok(());
    }
    let Some(floor) = entry.floor.as_deref() else { return Ok(()) };
    let tag = finding.expected.rsplit_once(':').map(|(_, tag)| tag).filter(|tag| !tag.contains('/'));
    if let Some(tag) = tag {
        prop_assert!(compare(tag, floor).is_some_and(std::cmp::Ordering::is_ge), "{} below {floor}", finding.expected);
    }
    Ok(())
}

#[test]
fn a_ledger_resolves_in_one_step() {
    let ledger = ledgers::five_systems();
    let at = ledgers::at("velero=1.16.0");
    for entry in &ledger.entries {
        for name in &entry.names {
            let found = groupage::migrate::ledger::Found { entry, name: name.clone(), mirrored: None };
            let wanted = groupage::migrate::ledger::Wanted { at: &at, platforms: &[] };
            let answer = ledger.resolve(&found, Some("v0.0.1"), wanted);
            let Some(goal) = &answer.name else { continue };
            let written = groupage::migrate::ledger::Written {
                registry: Some(&goal.registry),
                parts: goal.parts.iter().map(String::as_str).collect(),
            };
            // what a chain ends at is not retired, as far as its product goes
            let next = ledger.find(&written, &at).filter(|next| next.entry.product == entry.product);
            assert!(next.is_none(), "{name} became {goal}, which is retired");
        }
    }
}
