//! Every folder of `tests/modifiers/cases`: `input.yaml`, perhaps `backups` and `options` (lines of `velero VERSION`, `triple`),
//! and what is expected: `findings.txt`, and `fixed.yaml` where repairs change something.
//!
//! `UPDATE_EXPECT=1` writes what is expected; `CASE=name` runs one of them.

use std::fs;
use std::path::{Path, PathBuf};

use groupage::diagnostic::{Diagnostic, Style, to_text};
use groupage::migrate::modifiers::backups::Backups;
use groupage::migrate::modifiers::fix::{How, fix};
use groupage::migrate::modifiers::lint::{CODES, Options, Read, lint};
use groupage::migrate::modifiers::version::Velero;
use groupage::source::{FileId, SourceFile, SourceMap};

/// A case, and what was found in it.
struct Case {
    map: SourceMap,
    file: FileId,
    backups: Option<Backups>,
    velero: Option<Velero>,
    how: How,
}

impl Case {
    fn new(folder: &Path) -> Self {
        let mut map = SourceMap::default();
        let file = map.add(SourceFile::new("input.yaml", read(&folder.join("input.yaml"))));
        let backups = fs::read_to_string(folder.join("backups")).ok().map(|text| {
            let id = map.add(SourceFile::new("backups", text.as_str()));
            Backups::read(id, &text).expect("backups")
        });
        let options = fs::read_to_string(folder.join("options")).unwrap_or_default();
        let velero =
            options.lines().find_map(|line| line.strip_prefix("velero ")).map(|text| text.parse().expect("a version"));
        let how = if options.contains("triple") { How::Triple } else { How::Pods };
        Self { map, file, backups, velero, how }
    }

    fn options(&self) -> Options<'_> {
        Options { velero: self.velero, backups: self.backups.as_ref() }
    }

    fn lint(&self, text: &str) -> Read {
        lint(self.file, text, &self.options())
    }

    fn show(&self, diagnostics: &[Diagnostic]) -> String {
        diagnostics.iter().map(|one| format!("{}\n\n", to_text(one, &self.map, Style::Plain))).collect()
    }
}

fn read(path: &Path) -> String {
    fs::read_to_string(path).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
}

pub fn folders() -> Vec<PathBuf> {
    let top = Path::new(env!("CARGO_MANIFEST_DIR")).join("../tests/modifiers/cases");
    let mut folders: Vec<PathBuf> =
        fs::read_dir(top).expect("a folder").map(|entry| entry.expect("it is listed").path()).collect();
    folders.sort();
    folders
}

/// Compares with a file, or writes it.
fn expect(path: &Path, text: &str, wrong: &mut Vec<String>) {
    if std::env::var("UPDATE_EXPECT").is_ok() {
        if text.is_empty() {
            _ = fs::remove_file(path);
        } else {
            fs::write(path, text).expect("it can be written");
        }
    } else if fs::read_to_string(path).unwrap_or_default() != text {
        wrong.push(format!("{} is not as expected; it is now\n{text}", path.display()));
    }
}

#[test]
fn cases() {
    let only = std::env::var("CASE").ok();
    let (mut wrong, mut codes) = (Vec::new(), Vec::new());
    for folder in folders() {
        let name = folder.file_name().expect("a name").to_string_lossy().into_owned();
        if only.as_ref().is_some_and(|only| *only != name) {
            continue;
        }
        let case = Case::new(&folder);
        let text = case.map.file(case.file).text.clone();
        let found = case.lint(&text);
        codes.extend(found.findings.iter().map(|finding| finding.code));
        let fix = fix(case.file, &text, &found, case.how, &case.options());
        let shown = case.show(&found.findings) + &case.show(&fix.notes);
        expect(&folder.join("findings.txt"), if shown.is_empty() { "none\n" } else { &shown }, &mut wrong);
        let fixed = fix.apply(&text).expect("no overlap");
        expect(&folder.join("fixed.yaml"), if fixed == *text { "" } else { &fixed }, &mut wrong);
        // a repair is whole: the same one finds nothing more to do, and no rule that it turned still replaces pods
        let again = case.lint(&fixed);
        let second = groupage::migrate::modifiers::fix::fix(case.file, &fixed, &again, case.how, &case.options());
        assert_eq!(second.apply(&fixed).expect("no overlap"), fixed, "{name}: a second repair changes something");
        let left = |read: &Read| read.findings.iter().filter(|finding| finding.code == "rollout").count();
        let refused = fix.notes.iter().filter(|note| ["not-converted", "not-editable"].contains(&note.code)).count();
        assert!(left(&again) <= refused, "{name}: {} rules still replace pods", left(&again));
    }
    assert!(wrong.is_empty(), "\n{}", wrong.join("\n"));
    if only.is_none() {
        let never: Vec<_> = CODES.iter().filter(|(code, _)| !codes.contains(code)).collect();
        assert!(never.is_empty(), "no case has {never:?}");
        let unknown: Vec<_> = codes.iter().filter(|code| CODES.iter().all(|(known, _)| known != *code)).collect();
        assert!(unknown.is_empty(), "CODES lacks {unknown:?}");
    }
}
