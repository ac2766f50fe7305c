//! The JSON Schemas in `schemas/` are what the code says: those of manifests come from the decoders, that of plans from the
//! types that are serialised, and what they say of each key from the documentation of these types. `UPDATE_EXPECT=1` writes
//! them anew.

#![allow(clippy::disallowed_methods, reason = "a test reads its own environment")]
#![allow(clippy::unwrap_used, reason = "a test may panic, its helpers too")]

#[path = "../support/mod.rs"]
mod support;

mod agreement;
mod corpus;
mod docs;
mod manifests;
mod plans;
mod rust_types;

use std::fs;
use std::path::{Path, PathBuf};

use groupage::manifest::{ComponentManifest, ImageDefinition, LedgerFile, Settings};
use serde_json::Value;

use docs::Docs;

/// Names of the schemas of manifests, the files that they are for, and the shapes that decoders have.
fn shapes() -> [(&'static str, &'static str, groupage::manifest::Shape); 4] {
    [
        ("component", "component.toml", ComponentManifest::shape()),
        ("image", "image.toml", ImageDefinition::shape()),
        ("settings", "groupage.toml", Settings::shape()),
        ("ledger", "a ledger file", LedgerFile::shape()),
    ]
}

fn repository() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("..").canonicalize().unwrap()
}

/// A schema that is checked in.
fn checked_in(name: &str) -> Value {
    serde_json::from_str(&fs::read_to_string(repository().join(format!("schemas/{name}.json"))).unwrap()).unwrap()
}

/// Compares a schema with the one that is checked in, or writes it.
fn check(name: &str, schema: &Value) {
    let path = repository().join(format!("schemas/{name}.json"));
    let text = format!("{schema:#}\n");
    if std::env::var_os("UPDATE_EXPECT").is_some() {
        return fs::write(path, text).unwrap();
    }
    let old = fs::read_to_string(path).unwrap_or_default();
    assert!(old == text, "schemas/{name}.json is not what the code says; UPDATE_EXPECT=1 writes it anew");
}

#[test]
fn schemas_are_what_the_code_says() {
    let docs = Docs::read(&["manifest", "workspace", "oci", "plan"]);
    let mut silent = Vec::new();
    for (name, file, shape) in shapes() {
        let schema = manifests::schema(name, file, &shape, &docs, &mut silent);
        check(name, &schema);
    }
    check("plan", &rust_types::schema("plan", "`plan --format json`", "Plan", &docs, &mut silent));
    assert!(silent.is_empty(), "no documentation of a field says what these are:\n{}", silent.join("\n"));
}

/// The program has the same texts in it.
#[test]
fn the_program_prints_them() {
    let sandbox = support::sandbox::Sandbox::new();
    for name in ["component", "image", "settings", "ledger", "plan"] {
        let ended = sandbox.groupage(["schema", name]);
        assert_eq!((ended.code, ended.stderr.as_str()), (Some(0), ""), "{name}");
        let printed: Value = serde_json::from_str(&ended.stdout).unwrap();
        assert!(printed == checked_in(name), "schema {name} prints another one than schemas/{name}.json");
    }
}
