//! The lock file against manifests, as data.

use std::collections::BTreeSet;

use super::*;
use crate::diagnostic::Problems;
use crate::source::{SourceFile, SourceMap};

/// A digest that is easy to tell from others.
fn digest(name: &str) -> Digest {
    Digest::of(name.as_bytes())
}

fn reference(text: &str) -> Reference {
    text.parse().unwrap()
}

fn keys(words: &str) -> BTreeSet<Key> {
    words.split_whitespace().map(|word| word.parse().unwrap()).collect()
}

/// `KEY… = REFERENCE` a line; the digest is that of the reference's text, or of what stands after `#`.
fn lock_file(lines: &str) -> LockFile {
    let mut file = LockFile::default();
    for line in lines.lines().filter(|line| !line.trim().is_empty()) {
        let (used_by, name) = line.split_once('=').unwrap();
        let (name, content) = name.split_once('#').unwrap_or((name, name));
        let digest = digest(content.trim());
        let entry = Entry { name: reference(name.trim()), digest, used_by: keys(used_by), place: None };
        assert_eq!(file.insert(entry), None);
    }
    file
}

/// `KEY = REFERENCE` a line; a `?` after the key makes it optional.
fn wanted(lines: &str) -> Wanted {
    let mut wanted = Wanted::default();
    for line in lines.lines().filter(|line| !line.trim().is_empty()) {
        let (key, name) = line.split_once('=').unwrap();
        let (key, required) = key.trim().strip_suffix('?').map_or((key.trim(), true), |key| (key, false));
        wanted.insert(key.parse().unwrap(), &reference(name.trim()), None, required);
    }
    wanted
}

fn shown(differences: &[Difference]) -> Vec<String> {
    differences.iter().map(ToString::to_string).collect()
}

const LOCK: &str = "
    bases.a bases.b = r.example/a:1
    builders.rust = rust:1
    components.c.image = r.example/c";

fn check_required(want: &str, expect: &[&str]) {
    let (lock, want) = (lock_file(LOCK), wanted(want));
    let preferred = require(&want, Some(&lock), Mode::Prefer).unwrap();
    assert_eq!(shown(&preferred.differences), expect, "preferred");
    match require(&want, Some(&lock), Mode::Require) {
        Ok(locked) => assert_eq!((locked, 0), (preferred, expect.len())),
        Err(differences) => assert_eq!(shown(&differences), expect, "required"),
    }
}

#[test]
fn what_is_wanted_must_be_there() {
    check_required("", &[]);
    check_required("bases.a = r.example/a:1", &[]);
    // two spellings of one image; another key than the entry says
    check_required("builders.rust = docker.io/library/rust:1\nbases.z = rust:1\nbases.y = r.example/c:latest", &[]);
    check_required("bases.a = r.example/a:2", &["bases.a: r.example/a:1 → r.example/a:2"]);
    check_required("bases.a = q.example/a:1", &["bases.a: r.example/a:1 → q.example/a:1"]);
    check_required("bases.new = r.example/new:1", &["bases.new: r.example/new:1 is not in groupage.lock"]);
    check_required("bases.new? = r.example/new:1\nbases.a? = r.example/a:2", &[]);
}

#[test]
fn without_a_lock_file_nothing_is_pinned() {
    let want = wanted("bases.a = r.example/a:1\nbases.b? = r.example/b:1");
    assert_eq!(require(&want, None, Mode::Prefer), Ok(Locked::default()));
    let missing = require(&want, None, Mode::Require).unwrap_err();
    assert_eq!(shown(&missing), ["bases.a: r.example/a:1 is not in groupage.lock"]);
}

#[test]
fn only_values_of_manifests_are_pinned() {
    let want = wanted("bases.a = r.example/a:1\nbuilders.rust = rust:1");
    let pins = require(&want, Some(&lock_file(LOCK)), Mode::Require).unwrap().pins;
    let check = |text: &str, source: ValueSource, expect: &str| {
        let value = Value { value: reference(text), source };
        assert_eq!(pins.pin(&value).to_string(), expect);
    };
    let (a, rust, own) = (digest("r.example/a:1"), digest("rust:1"), digest("own"));
    check("r.example/a:1", ValueSource::Manifest, &format!("r.example/a:1@{a}"));
    check("docker.io/rust:1", ValueSource::Manifest, &format!("docker.io/rust:1@{rust}"));
    check("r.example/a:2", ValueSource::Manifest, "r.example/a:2");
    check(&format!("r.example/a:1@{own}"), ValueSource::Manifest, &format!("r.example/a:1@{own}"));
    for source in [ValueSource::Flag, ValueSource::OverrideFile, ValueSource::Bootstrap] {
        check("r.example/a:1", source, "r.example/a:1");
    }
}

fn check_drift(want: &str, expect: &[&str]) {
    assert_eq!(shown(&drift(&wanted(want), &lock_file(LOCK))), expect);
}

#[test]
fn drift_is_everything_that_lock_would_change() {
    let same =
        "bases.a = r.example/a:1\nbases.b = r.example/a:1\nbuilders.rust = rust:1\ncomponents.c.image = r.example/c";
    check_drift(same, &[]);
    check_drift(
        &same.replace("a:1", "a:2"),
        &["bases.a: r.example/a:1 → r.example/a:2", "bases.b: r.example/a:1 → r.example/a:2"],
    );
    check_drift(&same.replace("builders.rust = rust:1", ""), &["rust:1 is not used any more"]);
    check_drift(
        &same.replace("bases.b", "bases.z"),
        &["r.example/a:1 is used by bases.a, bases.z, not by bases.a, bases.b"],
    );
    check_drift(
        &same.replace("bases.b = r.example/a:1", "bases.b = r.example/b:1"),
        &["bases.b: r.example/a:1 → r.example/b:1", "r.example/a:1 is used by bases.a, not by bases.a, bases.b"],
    );
}

fn check_renewal(want: &str, again: &str, kept: &[&str], open: &[&str]) {
    let renewal = renew(&wanted(want), &lock_file(LOCK), &keys(again));
    let names: Vec<String> = renewal.file.entries().iter().map(|entry| entry.name.to_string()).collect();
    let asked: Vec<String> = renewal.open.iter().map(|open| open.name.to_string()).collect();
    assert_eq!(
        (names, asked),
        (kept.iter().map(ToString::to_string).collect(), open.iter().map(ToString::to_string).collect())
    );
}

#[test]
fn what_fits_is_kept() {
    let want = "bases.a = r.example/a:1\nbases.b = r.example/a:1\nbuilders.rust = rust:1";
    check_renewal(want, "", &["r.example/a:1", "rust:1"], &[]);
    check_renewal(want, "bases.b", &["rust:1"], &["r.example/a:1"]);
    check_renewal("bases.a = r.example/a:2\nbases.b = r.example/a:2", "", &[], &["r.example/a:2"]);
    // the first spelling is written
    check_renewal("bases.a = docker.io/library/rust:1\nbases.b = rust:1", "", &["docker.io/library/rust:1"], &[]);
}

#[test]
fn words_name_keys() {
    let want = wanted("bases.static = r.example/a/static:1\nbuilders.rust = rust:1\ncomponents.rust.image = q:5000/c");
    let check = |word: &str, expect: Result<&str, Option<&str>>| {
        assert_eq!(want.named(word), expect.map(keys).map_err(|close| close.map(str::to_owned)), "{word}");
    };
    check("bases.static", Ok("bases.static"));
    check("static", Ok("bases.static"));
    check("r.example/a/static", Ok("bases.static"));
    check("r.example/a/static:1", Ok("bases.static"));
    check("docker.io/library/rust", Ok("builders.rust"));
    check("rust", Ok("builders.rust components.rust.image"));
    check("q:5000/c", Ok("components.rust.image"));
    check("elsewhere", Err(None));
    check("statc", Err(Some("static")));
    check("r.example/a/static:2", Err(Some("r.example/a/static:1")));
}

#[test]
fn changes_say_old_and_new() {
    let (old, new) =
        (lock_file(LOCK), "bases.a = r.example/a:1 # moved\nbuilders.rust = rust:2\nbases.d = r.example/d:1");
    let short = |text: &str| digest(text).to_string()[..19].to_owned();
    let [a, a2, rust, rust2, c, d] =
        ["r.example/a:1", "moved", "rust:1", "rust:2", "r.example/c", "r.example/d:1"].map(short);
    let lines: Vec<String> = changes(&old, &lock_file(new)).iter().map(ToString::to_string).collect();
    assert_eq!(
        lines,
        [
            format!("updated bases.a: r.example/a:1 {a} → {a2}"),
            format!("added bases.d: r.example/d:1@{d}"),
            format!("moved builders.rust: rust:1@{rust} → rust:2@{rust2}"),
            format!("removed components.c.image: r.example/c@{c}"),
        ]
    );
    assert_eq!(changes(&old, &old), []);
}

#[test]
fn the_file_is_what_it_says() {
    let text = format!(
        "# This file is generated by `groupage lock`. Do not edit it by hand.\nversion = 1\n\n\
         [[image]]\nused-by = [\"bases.b\", \"builders.a\"]\nreference = \"r.example:5000/a:1@{}\"\n\n\
         [[image]]\nused-by = [\"components.c.image\"]\nreference = \"rust@{}\"\n",
        digest("x"),
        digest("y")
    );
    let file = lock_file("components.c.image = rust # y\nbuilders.a bases.b = r.example:5000/a:1 # x");
    assert_eq!(file.to_string(), text);
    let mut map = SourceMap::default();
    let id = map.add(SourceFile::new("groupage.lock", text.as_str()));
    let mut problems = Problems::default();
    let parsed = LockFile::parse(id, map.file(id), &mut problems).unwrap();
    assert_eq!(parsed, file);
    let place = parsed.find(&reference("rust")).and_then(|entry| entry.place).unwrap();
    assert_eq!(map.position(place).line, 10);
}

/// `COMPONENT ID MEANING` a line, about the image `r.example/COMPONENT`.
fn contracts(lines: &str) -> Contracts {
    let contract = |line: &str| {
        let [component, id, meaning] = line.split_whitespace().collect::<Vec<_>>().try_into().unwrap();
        let key = ContractKey { component: component.parse().unwrap(), image: format!("r.example/{component}") };
        (key, Meaning { id: id.parse().unwrap(), digest: digest(meaning), place: None })
    };
    lines.lines().map(contract).collect()
}

fn promised(contracts: Contracts) -> Wanted {
    let mut wanted = Wanted::default();
    wanted.promise(contracts);
    wanted
}

fn with_contracts(file: &str, lines: &str) -> LockFile {
    let mut file = lock_file(file);
    contracts(lines).into_iter().for_each(|(key, meaning)| assert_eq!(file.remember(key, meaning), None));
    file
}

#[test]
fn an_id_keeps_its_meaning() {
    let file = with_contracts("", "a 1 x\nb 1 x\nd 1 x");
    let wanted = promised(contracts("a 1 x\nb 1 y\nc 1 x\nd 2 y"));
    let all = [
        "contract 1 of components.b for r.example/b means something else than before",
        "contract 1 of components.c for r.example/c is not in groupage.lock",
        "contract of components.d for r.example/d: 1 → 2",
    ];
    assert_eq!(shown(&drift(&wanted, &file)), all);
    assert_eq!(shown(&require(&wanted, Some(&file), Mode::Require).unwrap_err()), all);
    // a run that does not ask for it does not depend on it
    assert_eq!(require(&wanted, Some(&file), Mode::Prefer), Ok(Locked::default()));
    assert_eq!(shown(&changed_contracts(&wanted, &file)), all[..1]);
    let unused = drift(&Wanted::default(), &with_contracts("", "a 1 x"));
    assert_eq!(shown(&unused), ["the contract of components.a for r.example/a is not in any manifest any more"]);
}

#[test]
fn a_new_file_remembers_what_is_promised_now() {
    let file = with_contracts("bases.a = r.example/a:1", "a 1 x\nb 1 x");
    let wanted = promised(contracts("a 1 x\nc 1 x"));
    let new = renew(&wanted, &file, &BTreeSet::new()).file;
    assert_eq!(new, with_contracts("", "a 1 x\nc 1 x"));
    let lines: Vec<String> = contract_changes(&file, &new).iter().map(ToString::to_string).collect();
    let expect =
        ["removed contract 1 of components.b for r.example/b", "added contract 1 of components.c for r.example/c"];
    assert_eq!(lines, expect);
}

#[test]
fn contracts_need_the_second_version() {
    let parse = |text: &str| {
        let (mut map, mut problems) = (SourceMap::default(), Problems::default());
        let id = map.add(SourceFile::new("groupage.lock", text));
        let file = LockFile::parse(id, map.file(id), &mut problems);
        (file, problems.into_list().iter().map(|problem| problem.code).collect::<Vec<_>>())
    };
    let file = with_contracts("bases.a = r.example/a:1", "b 2026.1 x");
    let text = file.to_string();
    assert!(text.contains("version = 2\n"), "{text}");
    assert_eq!(parse(&text), (Some(file), Vec::new()));
    assert_eq!(parse(&text.replace("version = 2", "version = 1")), (None, vec!["unknown-key"]));
    assert_eq!(parse(&text.replace("version = 2", "version = 3")), (None, vec!["lock-version"]));
    let contract = text.split_once("[[contract]]").unwrap().1;
    assert_eq!(parse(&format!("{text}\n[[contract]]{contract}")), (None, vec!["duplicate-pin"]));
}
