//! Files that nobody wrote to be read: time and memory stay bounded, nothing panics, nothing is half edited.

use std::time::{Duration, Instant};

use groupage::migrate::edit::apply;
use groupage::migrate::scan::{Finding, MAX_FILE, ScanError, Scanner};

use super::ledgers;

/// For one file of 100 MB without optimisation on a busy machine.
const LONGEST: Duration = Duration::from_secs(120);

fn scan(path: &str, bytes: &[u8]) -> Result<Vec<Finding>, ScanError> {
    let ledger = ledgers::five_systems();
    let before = Instant::now();
    let result = Scanner::new(&ledger, ledgers::at("velero=1.16.0"), Vec::new()).scan(path, bytes);
    assert!(before.elapsed() < LONGEST, "{path}: {:?}", before.elapsed());
    result
}

fn count(path: &str, bytes: &[u8]) -> usize {
    let findings = scan(path, bytes).expect("it is looked into");
    let new = apply(bytes, findings.iter().flat_map(Finding::edits)).expect("edits fit together");
    let again = scan(path, &new).expect("it is looked into");
    assert_eq!(again.iter().filter(|finding| finding.is_fixable()).count(), 0, "{path}");
    findings.len()
}

const IMAGE: &str = "image: velero/velero-restore-helper:v1.15.2";

#[test]
fn a_hundred_megabytes_of_yaml() {
    let line = "  key: some value that is of no interest to anybody # and a comment\n";
    let mut text = String::with_capacity(101 << 20);
    text.push_str("spec:\n");
    while text.len() < 50 << 20 {
        text.push_str(line);
    }
    text.push_str(&format!("  {IMAGE}\n"));
    while text.len() < 100 << 20 {
        text.push_str(line);
    }
    assert_eq!(scan("a.yaml", text.as_bytes()).expect("it is looked into").len(), 1);
}

#[test]
fn many_documents_and_many_findings() {
    let text = format!(
        "---\nkind: Pod\nspec:\n  containers:\n  - name: a\n    {IMAGE}\n    command: [/velero-restore-helper]\n"
    )
    .repeat(10_000);
    assert_eq!(count("a.yaml", text.as_bytes()), 10_000);
    let text = format!("- {IMAGE}\n").repeat(5_000);
    assert_eq!(count("a.yaml", text.as_bytes()), 5_000);
    let text = format!(
        "{}[\"velero/velero-restore-helper:v1\"{}]",
        "{\"a\":".repeat(10),
        ",\"velero/velero-restore-helper:v1\"".repeat(2_000)
    );
    assert_eq!(count("a.json", text.as_bytes()), 2_001);
    let text = format!("{IMAGE}\n").repeat(50_001);
    assert_eq!(scan("a.sh", text.as_bytes()), Err(ScanError::TooMany));
}

#[test]
fn deep_and_wide() {
    for (path, text) in [
        ("a.yaml", format!("{}{IMAGE}\n", "- ".repeat(1_000_000))),
        (
            "a.yaml",
            (0..3_000).map(|depth| format!("{}k:\n", " ".repeat(depth))).collect::<String>()
                + &format!("{}{IMAGE}\n", " ".repeat(3_000)),
        ),
        ("a.yaml", format!("a: {}{IMAGE}{}\n", "[".repeat(1_000_000), "]".repeat(1_000_000))),
        ("a.json", format!("{}\"{IMAGE}\"{}", "[".repeat(1_000_000), "]".repeat(1_000_000))),
        ("a.yaml", format!("a: &a [x]\nb: &b [*a, *a]\nc: [*b, *b]\n{IMAGE}\n")),
        ("a.yaml", format!("{{{{{{{{ if }}}}\n{IMAGE}\n{{{{ end\n")),
        ("a.yaml", format!("{}{IMAGE}", "# ".repeat(1_000_000))),
        ("a.md", format!("{}{IMAGE}{}", "x".repeat(5 << 20), "y".repeat(5 << 20))),
    ] {
        count(path, text.as_bytes());
    }
}

#[test]
fn bytes_that_are_no_text_stay() {
    for end in ["\n", "\r\n", ""] {
        for start in ["", "\u{feff}"] {
            let mut bytes = format!("{start}kind: ConfigMap{end}").into_bytes();
            bytes.extend_from_slice(b"# \xff\xfe \x80\n\tkey:\tvalue\t\r\n");
            bytes.extend_from_slice(format!("data:\r\n  other: 1\r\n  {IMAGE}{end}").as_bytes());
            let findings = scan("a.yaml", &bytes).expect("it is small");
            assert_eq!(findings.len(), 1, "{bytes:?}");
            let new = apply(&bytes, findings.iter().flat_map(Finding::edits)).expect("edits fit together");
            let line = format!("  {IMAGE}{end}");
            assert_eq!(new, bytes[..bytes.len() - line.len()], "the line goes and nothing else");
        }
    }
    assert_eq!(scan("a.bin", &[b"\0\0", IMAGE.as_bytes()].concat()), Ok(Vec::new()));
}

#[test]
fn what_is_too_large_says_so() {
    let error = ScanError::TooLarge(MAX_FILE + 1).to_string();
    assert!(error.contains("hint: split it"), "{error}");
}
