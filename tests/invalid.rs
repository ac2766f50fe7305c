//! Bad input of every kind: every folder of `tests/invalid` is a workspace that can be written down but is wrong, and all
//! that is said about it. Exit code 2 is bad input, 1 is a finding of a rule. See [`support::transcript`].

#![allow(clippy::disallowed_methods, reason = "a test reads its own environment")]

mod support;

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};

use groupage::diagnostic::Problems;
use groupage::lock::LockFile;
use groupage::manifest::{ComponentManifest, ImageDefinition, Settings, parse};
use groupage::source::{SourceFile, SourceMap};
use groupage::workspace::ManifestFiles;

#[test]
fn invalid() {
    support::transcript::check_shelf("invalid");
}

/// A folder that may not be read is an error, never an empty one. Root may read everything, and proves nothing here.
#[test]
fn an_unreadable_folder_is_not_an_empty_one() {
    for locked in ["components", "components/a", "components/a/data"] {
        let sandbox = support::sandbox::Sandbox::new();
        for (path, text) in SEEDS {
            sandbox.write(path, text);
        }
        sandbox.write("components/b/component.toml", include_str!("hostile/dependency.toml"));
        sandbox.write("components/a/data/file", "x").write("components/a/input", "x");
        let folder = sandbox.root().join(locked);
        let mode = |bits| fs::set_permissions(&folder, fs::Permissions::from_mode(bits)).expect("its owner may");
        mode(0o000);
        if fs::read_dir(&folder).is_err() {
            let ended = sandbox.groupage(["plan"]);
            assert_eq!(ended.code, Some(2), "{ended:?}");
            assert!(ended.stderr.contains("error[unreadable-file]: cannot read components"), "{ended:?}");
        }
        mode(0o755);
    }
}

/// Codes that no case can have, and why.
const WITHOUT_CASE: &[(&str, &str)] = &[
    ("dockerfile", "`tests/dockerfiles.rs` has every message"),
    ("cancelled", "an event of the engine, not a diagnostic"),
    ("written-in-one-line", "needs two registries; `release::record::tests` has it"),
];

/// Calls that take the code of a diagnostic as their first text.
const CALLS: &[&str] = &["::error(", "::warning(", "report(", "report_with_help(", "unknown(", "refuse(", "code: "];

#[test]
fn every_code_has_a_case() {
    if std::env::var_os("UPDATE_EXPECT").is_some() {
        return; // the cases are being written just now
    }
    let codes = codes_in_sources();
    let shown = transcripts();
    let exempt = |code: &str| WITHOUT_CASE.iter().any(|(exempt, _)| *exempt == code);
    let missing: Vec<&String> =
        codes.iter().filter(|code| !shown.contains(&format!("[{code}]")) && !exempt(code)).collect();
    assert!(missing.is_empty(), "no case of tests/invalid shows {missing:?}");
    for rule in groupage::check::RULES {
        assert!(codes.contains(rule.code), "the scan of the sources does not find {}", rule.code);
        assert!(shown.contains(&format!("error[{}]", rule.code)), "no case of tests/invalid shows rule {}", rule.code);
    }
}

/// Codes are an interface: scripts and `[rules]` name them. A changed one is a change of this file.
#[test]
fn codes_are_stable() {
    let path = shelf().join("codes.txt");
    let actual: String = codes_in_sources().iter().map(|code| format!("{code}\n")).collect();
    if std::env::var_os("UPDATE_EXPECT").is_some() {
        fs::write(&path, &actual).expect("a file");
    }
    assert_eq!(fs::read_to_string(&path).unwrap_or_default(), actual, "UPDATE_EXPECT=1 writes {}", path.display());
}

fn shelf() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../tests/invalid")
}

/// What users see of codes: transcripts, and the findings of files that are not of a workspace.
fn transcripts() -> String {
    let read = |case: PathBuf, file: &str| fs::read_to_string(case.join(file)).unwrap_or_default();
    let shelves = [("invalid", support::transcript::FILE), ("modifiers/cases", "findings.txt")];
    let cases = |(shelf, file): (&str, &'static str)| {
        support::transcript::cases(shelf).into_iter().map(move |case| read(case, file)).collect::<String>()
    };
    let release = Path::new(env!("CARGO_MANIFEST_DIR")).join("../tests/cases/release");
    let modifiers = Path::new(env!("CARGO_MANIFEST_DIR")).join("../tests/cases/velero-modifiers");
    let further = [release, modifiers].map(|case| read(case, support::transcript::FILE));
    shelves.into_iter().map(cases).chain(further).collect()
}

fn codes_in_sources() -> BTreeSet<String> {
    let sources = support::sandbox::snapshot(&Path::new(env!("CARGO_MANIFEST_DIR")).join("src"));
    let mut codes = BTreeSet::new();
    for (path, seen) in sources.iter().filter(|(path, _)| path.extension().is_some_and(|extension| extension == "rs")) {
        let support::sandbox::Seen::File { bytes, .. } = seen else { continue };
        let text = String::from_utf8_lossy(bytes);
        // fixtures of unit tests are not what users see
        let text = text.split("#[cfg(test)]").next().unwrap_or_default();
        // what the engine tells are events; what `verify` finds has tests of its own, one for each code
        if !path.components().any(|part| ["engine", "tests", "verify"].iter().any(|own| part.as_os_str() == *own)) {
            codes.extend(CALLS.iter().flat_map(|call| text.split(call).skip(1)).filter_map(first_code));
        }
    }
    codes
}

/// `"some-code"`, if a text begins with one.
fn first_code(text: &str) -> Option<String> {
    let (code, _) = text.trim_start().strip_prefix('"')?.split_once('"')?;
    let is_code = !code.is_empty() && code.bytes().all(|b| b.is_ascii_lowercase() || b == b'-');
    is_code.then(|| code.to_owned())
}

/// A good manifest of each kind that has every key.
const SEEDS: &[(&str, &str)] = &[
    ("groupage.toml", include_str!("hostile/groupage.toml")),
    ("components/a/component.toml", include_str!("hostile/component.toml")),
    ("images/app/image.toml", include_str!("hostile/image.toml")),
];

/// What damage puts into a text.
const TOKENS: &[&str] = &[
    "[",
    "]",
    "{",
    "}",
    "=",
    "\"",
    "'",
    "\"\"\"",
    "\n",
    "\r",
    ".",
    ",",
    "#",
    "\\",
    "\\u0000",
    "\u{feff}",
    "é",
    "0x",
    "-1",
    "1e9",
    "true",
    "1979-05-27",
    "dep:",
    "?/",
    "/",
    "..",
    "name",
    "features",
    "[[install]]",
    "[build.files]",
    "\u{2028}",
    "{{",
];

/// A small generator of its own: the same numbers on every machine, whatever the version of a crate.
struct Numbers(u64);

impl Numbers {
    fn below(&mut self, limit: usize) -> usize {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        usize::try_from(self.0 % (limit as u64)).expect("it is below a usize")
    }
}

#[test]
fn damaged_manifests_never_panic() {
    let mut numbers = Numbers(0x6772_6f75_7061_6765);
    for _ in 0..4000 {
        let mut map = SourceMap::default();
        let mut files = ManifestFiles::default();
        let wounded = numbers.below(SEEDS.len());
        for (index, (path, text)) in SEEDS.iter().enumerate() {
            let text = if index == wounded { damaged(text, &mut numbers) } else { (*text).to_owned() };
            let id = map.add(SourceFile::new(*path, text));
            match index {
                0 => files.settings = Some(id),
                1 => files.components.push(id),
                _ => files.images.push(id),
            }
        }
        // what it says about damage must be printable too
        let read = parse(&map, &files).and_then(|manifests| groupage::policy::Policy::new(&manifests).map(drop));
        for problem in read.err().into_iter().flatten() {
            groupage::diagnostic::to_text(&problem, &map, groupage::diagnostic::Style::Plain);
        }
    }
}

#[test]
fn damaged_lock_files_never_panic() {
    let mut numbers = Numbers(0x6c6f_636b);
    let digest = "0123456789abcdef".repeat(4);
    let entry = |name: &str| {
        format!("\n[[image]]\nused-by = [\"bases.{name}\"]\nreference = \"r.io/{name}:1@sha256:{digest}\"\n")
    };
    let contract =
        format!("\n[[contract]]\ncomponent = \"a\"\nimage = \"r.io/a\"\nid = \"1\"\nmeaning = \"sha256:{digest}\"\n");
    let good = format!("version = 2\n{}{}{contract}", entry("a"), entry("b"));
    for _ in 0..2000 {
        let (mut map, mut problems) = (SourceMap::default(), Problems::default());
        let id = map.add(SourceFile::new("groupage.lock", damaged(&good, &mut numbers)));
        LockFile::parse(id, map.file(id), &mut problems);
        for problem in problems.into_list() {
            groupage::diagnostic::to_text(&problem, &map, groupage::diagnostic::Style::Plain);
        }
    }
}

fn damaged(text: &str, numbers: &mut Numbers) -> String {
    let mut bytes = text.as_bytes().to_vec();
    for _ in 0..=numbers.below(4) {
        let at = numbers.below(bytes.len().max(1)).min(bytes.len());
        let end = (at + numbers.below(12)).min(bytes.len());
        match numbers.below(5) {
            0 => bytes.truncate(at),
            1 => bytes[at..end].iter_mut().for_each(|byte| *byte ^= 1 << (at % 7)),
            2 => drop(bytes.splice(at..end, [])),
            3 => drop(bytes.splice(at..end, TOKENS[numbers.below(TOKENS.len())].bytes())),
            _ => bytes.extend_from_within(at..end),
        }
    }
    String::from_utf8_lossy(&bytes).into_owned()
}

#[test]
fn seeds_are_good_and_hold_every_key() {
    let mut map = SourceMap::default();
    let ids: Vec<_> = SEEDS.iter().map(|(path, text)| map.add(SourceFile::new(*path, *text))).collect();
    let mut problems = Problems::default();
    Settings::parse(ids[0], map.file(ids[0]), &mut problems).expect("the settings are good");
    ComponentManifest::parse(ids[1], map.file(ids[1]), &mut problems).expect("the component is good");
    ImageDefinition::parse(ids[2], map.file(ids[2]), &mut problems).expect("the image is good");
    let known: BTreeMap<&str, &str> = SEEDS.iter().copied().collect();
    // `version = { cargo = true }` is the one key that needs another build kind
    for (path, key) in keys_in_sources().into_iter().filter(|(_, key)| key != "cargo") {
        let seed = known.iter().find(|(name, _)| name.ends_with(path)).map(|(_, text)| *text).unwrap_or_default();
        assert!(seed.contains(&key), "tests/hostile/{path} has no `{key}`");
    }
}

/// Keys that the decoders ask for, each with the manifest that it belongs to.
fn keys_in_sources() -> Vec<(&'static str, String)> {
    let homes = [
        ("component", "component.toml"),
        ("replaces", "component.toml"),
        ("role", "component.toml"),
        ("image", "image.toml"),
        ("settings", "groupage.toml"),
        ("retired", "groupage.toml"),
    ];
    let mut keys = Vec::new();
    for (file, manifest) in homes {
        let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("src/manifest").join(format!("{file}.rs"));
        let text = fs::read_to_string(path).expect("the decoder is there");
        for call in ["optional(\"", "required(\""] {
            let found = text.split(call).skip(1).filter_map(|rest| rest.split_once('"'));
            keys.extend(found.map(|(key, _)| (manifest, key.to_owned())));
        }
    }
    keys
}
