//! What is written, and what is refused with a reason, one place each. The corpus of `tests/cases/migrate` has whole files.

use crate::diagnostic::Problems;
use crate::manifest::LedgerFile;
use crate::migrate::edit::apply;
use crate::migrate::ledger::{Builder, Ledger};
use crate::migrate::scan::{Finding, Scanner};
use crate::source::{SourceFile, SourceMap};

const LEDGER: &str = "
schema = 1
[[retired]]
image = 'old/tool'
kind = 'replaced'
since = '2.0.0'
replacement = 'new/tool'
tag = 'app-version'
floor = 'v2.0.0'
command = ['/tool', 'run']
old-command = ['/old']
[[retired]]
image = 'old/moved'
kind = 'moved'
since = '2.0.0'
replacement = 'r.io/new/moved'
tag = 'keep'
[[retired]]
image = 'old/floor'
kind = 'moved'
since = '2.0.0'
replacement = 'new/floor'
tag = 'keep'
floor = '1.5'
[[retired]]
image = 'old/anew'
kind = 'renamed'
since = '2.0.0'
replacement = 'new/anew'
";

fn ledger() -> Ledger {
    let mut map = SourceMap::default();
    let id = map.add(SourceFile::new("ledger.toml", LEDGER));
    let mut problems = Problems::default();
    let file = LedgerFile::parse(id, map.file(id), &mut problems).unwrap_or_else(|| panic!("{problems:?}"));
    Builder::default().file(&file).finish()
}

/// What a text becomes; after `!`, a part of the reason why it stays.
fn check(path: &str, text: &str, expect: &str) {
    let ledger = ledger();
    let findings = Scanner::new(&ledger, "2.1.0".parse().unwrap(), Vec::new()).scan(path, text.as_bytes()).unwrap();
    let new = apply(text.as_bytes(), findings.iter().flat_map(Finding::edits)).unwrap();
    let new = String::from_utf8(new).unwrap();
    match expect.strip_prefix('!') {
        Some(reason) => {
            let reasons: Vec<_> = findings.iter().filter_map(Finding::reason).collect();
            assert!(reasons.iter().any(|why| why.contains(reason)), "{text}: {reasons:?}");
            assert_eq!(new, text);
        }
        None => assert_eq!(new, expect, "{findings:#?}"),
    }
}

#[test]
fn commands_change_with_the_image_or_not_at_all() {
    let pod = |rest: &str| format!("containers:\n- image: old/tool:v1\n{rest}");
    let new = |rest: &str| format!("containers:\n- image: new/tool:v2.1.0\n{rest}");
    let wanted = "  command: [\"/tool\", \"run\"]\n";
    check("a.yaml", &pod(""), &new(wanted));
    check("a.yaml", &pod("  command: [/old, x]\n"), &new(wanted));
    check(
        "a.yaml",
        &pod("  command:\n  - /old\n  - x\n  name: a\n"),
        &new("  command: [\"/tool\", \"run\"]\n  name: a\n"),
    );
    check("a.yaml", &pod("  command: [\"/tool\", \"run\"]\n"), &new(wanted));
    check("a.yaml", &pod("  command: [sh]\n"), "!decide what is meant");
    check("a.yaml", "env:\n- name: IMAGE\n  value: old/tool:v1\n", "!the contract has changed");
    check("Dockerfile", "FROM old/tool:v1\n", "!the contract has changed");
}

#[test]
fn tags() {
    check("a.sh", "pull old/moved:main", "pull r.io/new/moved:main");
    check("a.sh", "pull old/moved:$TAG", "pull r.io/new/moved:$TAG");
    check("a.sh", "pull old/moved", "pull r.io/new/moved");
    check("a.sh", "pull old/floor:1.4", "pull new/floor:1.5");
    check("a.sh", "pull old/floor:1.10", "pull new/floor:1.10");
    check("a.sh", "pull old/floor:main", "!nobody can tell whether `main` is below the floor 1.5");
    check("a.sh", "pull old/floor:$TAG", "!its tag is computed");
    check("a.sh", "pull old/anew:1.0", "!its tags began anew");
    check("a.sh", "pull old/moved:1@sha256:00", "!cannot be mapped to a version");
}

#[test]
fn names() {
    check("a.sh", "pull reg.lan:5000/x/old/floor:1.9", "pull reg.lan:5000/x/new/floor:1.9");
    check("a.sh", "pull docker.io/old/floor:1.9", "pull docker.io/new/floor:1.9");
    check("a.sh", "pull $REG/old/floor:1.9", "pull $REG/new/floor:1.9");
    check(
        "a.yaml",
        "x: {registry: docker.io, repository: old/moved, tag: 1}",
        "x: {registry: r.io, repository: new/moved, tag: 1}",
    );
    check("a.yaml", "repository: old/floor\ntag: 1.2\n", "repository: new/floor\ntag: \"1.5\"\n");
}
