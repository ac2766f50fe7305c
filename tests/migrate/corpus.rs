//! `tests/cases/migrate/<place>/`: files as they are found, and `expected.txt`: findings, then the edits as a diff. `at` holds the
//! versions. Files whose path holds `lookalikes` hold nothing that is retired.
//!
//! `UPDATE_EXPECT=1` writes what is expected anew; read it.

use std::fmt::Write as _;
use std::fs;
use std::path::{Path, PathBuf};

use groupage::migrate::edit::{apply, diff};
use groupage::migrate::scan::{Finding, Scanner};

use super::ledgers;

const EXPECTED: &str = "expected.txt";

fn files(top: &Path, found: &mut Vec<PathBuf>) {
    let mut entries: Vec<PathBuf> =
        fs::read_dir(top).expect("a folder").map(|entry| entry.expect("listed").path()).collect();
    entries.sort();
    for path in entries {
        if path.is_dir() { files(&path, found) } else { found.push(path) }
    }
}

/// One finding, as a line.
pub fn line(path: &str, finding: &Finding) -> String {
    let what = match finding.reason() {
        None if finding.expected.is_empty() => "removed".to_owned(),
        None => format!("-> {}", finding.expected),
        Some(why) => format!("NOT FIXED: {why}"),
    };
    let at = if finding.path.is_empty() { String::new() } else { format!(" {}", finding.path) };
    format!("{path}:{}:{}: {}{at}: {} {what}", finding.line, finding.column, finding.place, finding.written)
}

/// Plays one folder: scans, applies, scans again.
fn play(folder: &Path) -> String {
    let ledger = ledgers::five_systems();
    let at = ledgers::at(&fs::read_to_string(folder.join("at")).expect("each folder has its versions"));
    let scanner = Scanner::new(&ledger, at, Vec::new());
    let mut all = Vec::new();
    files(folder, &mut all);
    let (mut text, mut diffs) = (String::new(), String::new());
    let (mut real, mut look_alike) = (0, 0);
    for path in all.iter().filter(|path| path.parent() != Some(folder) || !is_own(path)) {
        let bytes = fs::read(path).expect("it can be read");
        let name = path.strip_prefix(folder).expect("it is below").to_string_lossy().into_owned();
        let findings = scanner.scan(&name, &bytes).expect("it is small");
        if name.contains("lookalikes") {
            let shown: Vec<String> = findings.iter().map(|finding| line(&name, finding)).collect();
            assert_eq!(shown, [""; 0], "look-alikes");
            look_alike += String::from_utf8_lossy(&bytes).lines().filter(|line| looks_alike(line)).count();
            continue;
        }
        real += findings.len();
        findings.iter().for_each(|finding| _ = writeln!(text, "{}", line(&name, finding)));
        let new = apply(&bytes, findings.iter().flat_map(Finding::edits)).expect("edits fit together");
        diffs.push_str(&diff(&name, &bytes, &new));
        let again = scanner.scan(&name, &new).expect("it is small");
        let twice: Vec<String> = again.iter().filter(|it| it.is_fixable()).map(|it| line(&name, it)).collect();
        assert_eq!(twice, [""; 0], "applying twice changes {name} again");
    }
    assert!(look_alike >= real, "{folder:?}: {real} findings and only {look_alike} look-alikes");
    format!("{text}\n{diffs}")
}

fn is_own(path: &Path) -> bool {
    path.file_name().is_some_and(|name| name == EXPECTED || name == "at")
}

fn looks_alike(line: &str) -> bool {
    ["helper", "reloader", "exporter", "kubectl", "pause", "syslog", "kube", "image", "custom"]
        .iter()
        .any(|word| line.contains(word))
}

#[test]
fn corpus() {
    let top = Path::new(env!("CARGO_MANIFEST_DIR")).join("../tests/cases/migrate");
    let mut folders: Vec<PathBuf> =
        fs::read_dir(&top).expect("the corpus is there").map(|entry| entry.expect("listed").path()).collect();
    folders.retain(|path| path.join("at").is_file());
    folders.sort();
    assert!(folders.len() >= 10);
    let mut wrong = String::new();
    for folder in folders {
        let actual = play(&folder);
        let path = folder.join(EXPECTED);
        let expected = fs::read_to_string(&path).unwrap_or_default();
        if actual == expected {
            continue;
        }
        if std::env::var_os("UPDATE_EXPECT").is_some() {
            fs::write(&path, actual).expect("it can be written");
        } else {
            _ = writeln!(wrong, "== {}\n{actual}", folder.display());
        }
    }
    assert!(wrong.is_empty(), "{wrong}\nUPDATE_EXPECT=1 writes what is expected anew");
}
