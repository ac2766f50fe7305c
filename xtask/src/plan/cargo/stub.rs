//! Stand-ins for packages that cargo must see and will not compile.

use std::collections::BTreeSet;

use toml::{Table, Value};

use crate::workspace::cargo::PackageKey;

/// Where the empty library of a stub lies.
pub(super) const STUB_LIBRARY: &str = "src/lib.rs";

/// A manifest that satisfies whoever depends on the package: its version, and the features that are asked of it, which do
/// nothing. It has no dependencies, so that nothing behind it is needed.
pub(super) fn stub_manifest(key: &PackageKey, features: &BTreeSet<String>) -> Table {
    let package = [("name", key.name.clone()), ("version", key.version.to_string()), ("edition", "2021".to_owned())];
    let library = [("path", STUB_LIBRARY.to_owned())];
    let features = features.iter().map(|feature| (feature.clone(), Value::Array(Vec::new()))).collect();
    let mut manifest = Table::new();
    manifest.insert("package".to_owned(), strings(package));
    manifest.insert("lib".to_owned(), strings(library));
    manifest.insert("features".to_owned(), Value::Table(features));
    manifest
}

fn strings<const N: usize>(entries: [(&str, String); N]) -> Value {
    Value::Table(entries.into_iter().map(|(key, value)| (key.to_owned(), Value::String(value))).collect())
}
