//! `init` on many Dockerfiles at once: whatever stands in them, what is written can be read.

#![allow(clippy::disallowed_methods, reason = "a test reads its own environment")]

mod support;

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

use serde_json::Value;
use support::sandbox::{Sandbox, Seen, snapshot};

/// Texts that people would rather not find in a manifest, for labels, variables, users and paths.
const HOSTILE: [&str; 9] = [
    "plain",
    "a \\\"quoted\\\" word",
    "]\\n[roles.other]",
    "'''",
    "${UNSET}",
    "größe",
    "\\\\\\\\",
    "# comment",
    "{ a = 1 }",
];

fn corpus() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../tests/dockerfiles")
}

/// What was written can be read by every command: nothing of a Dockerfile has become part of a manifest's grammar.
#[track_caller]
fn can_be_read(sandbox: &Sandbox) {
    let listed = sandbox.groupage(["list", "--format", "json"]);
    assert_eq!(listed.code, Some(0), "{}", listed.stderr);
}

#[test]
fn the_corpus_becomes_manifests_that_can_be_read() {
    let sandbox = Sandbox::copy_of(&corpus());
    let before = snapshot(sandbox.root());
    let analyzed = sandbox.groupage(["init", "--from-dockerfiles", ".", "--analyze"]);
    assert_eq!(analyzed.code, Some(0), "{}", analyzed.stderr);
    assert_eq!(snapshot(sandbox.root()), before, "an analysis writes nothing");
    let findings: Value = serde_json::from_str(&analyzed.stdout).expect("it is JSON");
    let count = |key: &str| findings[key].as_array().map_or(0, Vec::len);
    let files = before.keys().filter(|path| path.to_string_lossy().ends_with("ockerfile")).count();
    assert_eq!(count("components") + count("refused"), files, "each is taken, or refused with a reason");
    let again = sandbox.groupage(["init", "--from-dockerfiles", ".", "--analyze"]);
    assert_eq!(again.stdout, analyzed.stdout);

    let ended = sandbox.groupage(["init", "--from-dockerfiles", "."]);
    assert!(matches!(ended.code, Some(0 | 1)), "{}", ended.stderr);
    can_be_read(&sandbox);
    let written: Vec<PathBuf> =
        snapshot(sandbox.root()).into_keys().filter(|path| !before.contains_key(path)).collect();
    let manifests = written.iter().filter(|path| path.starts_with("components")).count();
    assert_eq!(manifests, count("components"), "each has a manifest, or one that waits for a decision");
    for (path, seen) in &before {
        assert_eq!(snapshot(sandbox.root()).get(path), Some(seen), "{} is left as it was", path.display());
    }
}

#[test]
fn hostile_texts_stay_texts() {
    let sandbox = Sandbox::new();
    for (index, text) in HOSTILE.iter().enumerate() {
        let dockerfile = format!(
            "FROM alpine:3.20\nARG VERSION=\"{text}\"\nLABEL org.opencontainers.image.description=\"{text}\" maintainer=\"{text}\"\n\
             ENV A=\"{text}\" B=b\nUSER \"{text}\"\nWORKDIR \"/srv/{text}\"\nRUN echo \"{text}\"\nVOLUME [\"/data {text}\"]\n\
             ENTRYPOINT [\"/bin/{text}\"]\nCMD [\"{text}\"]\nHEALTHCHECK CMD [\"/bin/{text}\", \"{text}\"]\n"
        );
        sandbox.write(&format!("t{index}/Dockerfile"), dockerfile);
    }
    let ended = sandbox.groupage(["init", "--from-dockerfiles", "."]);
    assert!(matches!(ended.code, Some(0 | 1)), "{}", ended.stderr);
    can_be_read(&sandbox);
    let files = snapshot(sandbox.root());
    let mut seen = BTreeMap::new();
    for (path, file) in &files {
        let name = path.file_name().unwrap_or_default().to_string_lossy().into_owned();
        if let Seen::File { bytes, .. } = file
            && (name.ends_with(".toml") || name.ends_with(".undecided"))
        {
            let text = String::from_utf8(bytes.clone()).expect("it is text");
            let table: toml::Table = text.parse().unwrap_or_else(|error| panic!("{}: {error}\n{text}", path.display()));
            seen.insert(path.clone(), table);
        }
    }
    // quotes that do not close are refused by the reader of Dockerfiles
    let count = seen.keys().filter(|path| path.starts_with("components")).count();
    assert!(count >= HOSTILE.len() - 2, "{count}: {}", ended.stderr);
    for (path, table) in &seen {
        let roles = table.get("roles").and_then(toml::Value::as_table);
        assert!(roles.is_none_or(|roles| roles.len() == 1), "{}: {table}", path.display());
    }
}

/// A tree with this many Dockerfiles of several kinds; see also `benches/adopt.rs`.
fn tree(sandbox: &Sandbox, count: usize) {
    support::dockerfiles::tree(count, |path, text| _ = sandbox.write(path, text));
}

#[test]
fn five_hundred_dockerfiles() {
    let sandbox = Sandbox::new();
    tree(&sandbox, 500);
    let ended = sandbox.groupage(["init", "--from-dockerfiles", ".", "--analyze"]);
    assert_eq!(ended.code, Some(0), "{}", ended.stderr);
    let findings: Value = serde_json::from_str(&ended.stdout).expect("it is JSON");
    assert_eq!(findings["components"].as_array().map_or(0, Vec::len), 500);
    let names: std::collections::BTreeSet<&str> =
        findings["components"].as_array().into_iter().flatten().filter_map(|own| own["name"].as_str()).collect();
    assert_eq!(names.len(), 500, "names are unique");
}

#[test]
fn nothing_is_half_written() {
    let sandbox = Sandbox::new();
    tree(&sandbox, 3);
    // a folder that nobody may write to stands where the last files go
    fs::create_dir(sandbox.root().join("images")).expect("a new folder");
    sandbox.write("images/workspace", "in the way of a folder");
    let before = snapshot(sandbox.root());
    let ended = sandbox.groupage(["init", "--from-dockerfiles", ".", "--image", "workspace"]);
    assert_eq!(ended.code, Some(2), "{}{}", ended.stdout, ended.stderr);
    assert_eq!(snapshot(sandbox.root()), before);
}
