//! Every manifest of the repository.

use std::collections::BTreeSet;
use std::fs;

use groupage::diagnostic::Problems;
use groupage::manifest::{ComponentManifest, ImageDefinition, Settings};
use groupage::source::{SourceFile, SourceMap};
use serde_json::Value;

use crate::repository;
use crate::support::sandbox::snapshot;

/// A text to the codes of what its decoder finds wrong.
pub type Decode = fn(&str) -> BTreeSet<&'static str>;

/// The kinds of manifests: name of the schema, name of the file, its decoder.
pub const KINDS: [(&str, &str, Decode); 3] = [
    ("component", "component.toml", |text| problems(text, ComponentManifest::parse)),
    ("image", "image.toml", |text| problems(text, ImageDefinition::parse)),
    ("settings", "groupage.toml", |text| problems(text, Settings::parse)),
];

/// The codes of what a decoder finds wrong.
fn problems<T>(
    text: &str,
    parse: fn(groupage::source::FileId, &SourceFile, &mut Problems) -> Option<T>,
) -> BTreeSet<&'static str> {
    let mut sources = SourceMap::default();
    let id = sources.add(SourceFile::new("manifest.toml", text));
    let mut problems = Problems::default();
    parse(id, sources.file(id), &mut problems);
    problems.into_list().into_iter().map(|problem| problem.code).collect()
}

/// Every text of a file with this name that is TOML, without those that are the same.
pub fn texts(file: &str) -> BTreeSet<String> {
    let texts = texts_below(&["components", "images", "tests", "."], file);
    assert!(texts.len() > 20, "only {} files are called {file}", texts.len());
    texts
}

/// Those in some folders of the repository.
pub fn texts_below(folders: &[&str], file: &str) -> BTreeSet<String> {
    let found = folders.iter().flat_map(|top| snapshot_of(top));
    let texts = found.filter(|(name, _)| name == file).map(|(_, text)| text);
    texts.filter(|text| text.parse::<toml::Table>().is_ok()).collect()
}

fn snapshot_of(top: &str) -> Vec<(String, String)> {
    let folder = repository().join(top);
    if top == "." {
        let text = fs::read_to_string(folder.join("groupage.toml")).unwrap();
        return vec![("groupage.toml".to_owned(), text)];
    }
    let files = snapshot(&folder).into_iter().filter_map(|(path, seen)| {
        let crate::support::sandbox::Seen::File { bytes, .. } = seen else { return None };
        let name = path.file_name()?.to_str()?.to_owned();
        name.ends_with(".toml").then(|| Some((name, String::from_utf8(bytes).ok()?))).flatten()
    });
    files.collect()
}

/// A document as an editor has it before a schema: dates are texts.
pub fn json(document: &toml::Table) -> Value {
    fn value(written: &toml::Value) -> Value {
        match written {
            toml::Value::String(text) => text.as_str().into(),
            toml::Value::Integer(number) => (*number).into(),
            toml::Value::Float(number) => (*number).into(),
            toml::Value::Boolean(flag) => (*flag).into(),
            toml::Value::Datetime(time) => time.to_string().into(),
            toml::Value::Array(items) => items.iter().map(value).collect::<Vec<_>>().into(),
            toml::Value::Table(table) => json(table),
        }
    }
    Value::Object(document.iter().map(|(key, one)| (key.clone(), value(one))).collect())
}
