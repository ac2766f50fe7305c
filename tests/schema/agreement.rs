//! What a schema says of a document and what the decoder says of it: what the decoder takes, the schema takes; what it refuses
//! because of a key or a type, the schema refuses. (Of values the decoder knows more.) Documents are all manifests of the
//! repository, good and bad, then each of them with every single change, and with several by chance.

use std::collections::BTreeSet;

use boon::{Compiler, SchemaIndex, Schemas};
use proptest::prelude::*;
use proptest::test_runner::{Config, RngAlgorithm, TestRng, TestRunner};
use serde_json::Value;

use crate::checked_in;
use crate::corpus::{Decode, KINDS, json, texts, texts_below};

/// What a decoder says of keys and types, and not of values.
const STRUCTURE: [&str; 4] = ["unknown-key", "missing-key", "wrong-type", "build-kind"];

/// A schema that documents are held against.
pub struct Validator {
    schemas: Schemas,
    index: SchemaIndex,
}

impl Validator {
    pub fn new(schema: Value) -> Self {
        let (mut schemas, mut compiler) = (Schemas::new(), Compiler::new());
        compiler.add_resource("schema.json", schema).unwrap();
        let index = compiler.compile("schema.json", &mut schemas).unwrap();
        Self { schemas, index }
    }

    /// Why a document does not fit.
    pub fn refuses(&self, document: &Value) -> Option<String> {
        self.schemas.validate(document, self.index).err().map(|error| error.to_string())
    }
}

/// Compares both verdicts; true when the document is good.
fn check(document: &toml::Table, decode: Decode, schema: &Validator) -> bool {
    let text = toml::to_string(document).unwrap();
    let (found, refused) = (decode(&text), schema.refuses(&json(document)));
    match &refused {
        Some(why) => assert!(!found.is_empty(), "the schema refuses what the decoder takes:\n{text}\n{why}"),
        None => {
            let structure: Vec<_> = found.iter().filter(|code| STRUCTURE.contains(code)).collect();
            assert!(structure.is_empty(), "the schema takes what the decoder refuses as {structure:?}:\n{text}");
        }
    }
    found.is_empty()
}

#[test]
fn on_every_manifest() {
    for (name, file, decode) in KINDS {
        let schema = Validator::new(checked_in(name));
        let (mut good, mut bad) = (0, 0);
        for text in texts(file) {
            match check(&text.parse().unwrap(), decode, &schema) {
                true => good += 1,
                false => bad += 1,
            }
        }
        assert!(good >= 10 && bad >= 5, "{name}: {good} good and {bad} bad documents are not enough");
    }
}

/// The manifests in which every key stands, and those of this repository.
fn long(file: &str) -> BTreeSet<String> {
    texts_below(&["tests/hostile", "components", "images", "."], file)
}

#[test]
fn on_every_change_of_a_manifest() {
    for (name, file, decode) in KINDS {
        let schema = Validator::new(checked_in(name));
        let mut seen = BTreeSet::new();
        for text in long(file) {
            let document = toml::Value::Table(text.parse().unwrap());
            for place in places(&document) {
                for change in 0..CHANGES {
                    let mut document = document.clone();
                    changed(&mut document, &place, change);
                    let toml::Value::Table(table) = document else { continue };
                    if seen.insert(table.to_string()) {
                        check(&table, decode, &schema);
                    }
                }
            }
        }
    }
}

#[test]
fn on_documents_by_chance() {
    for (name, file, decode) in KINDS {
        let schema = Validator::new(checked_in(name));
        let texts: Vec<String> = texts(file).into_iter().collect();
        let changes = prop::collection::vec((any::<prop::sample::Index>(), 0..CHANGES), 2..6);
        let config = Config { cases: 500, failure_persistence: None, ..Config::default() };
        let mut runner = TestRunner::new_with_rng(config, TestRng::deterministic_rng(RngAlgorithm::ChaCha));
        let result = runner.run(&(prop::sample::select(texts), changes), |(text, changes)| {
            let mut document = toml::Value::Table(text.parse().unwrap());
            for (index, change) in changes {
                let places = places(&document);
                changed(&mut document, &places[index.index(places.len())], change);
            }
            if let toml::Value::Table(table) = document {
                check(&table, decode, &schema);
            }
            Ok(())
        });
        result.unwrap();
    }
}

/// A step into a document.
#[derive(Debug, Clone)]
enum Step {
    Key(String),
    Index(usize),
}

/// Every place of a document, the whole one too.
fn places(document: &toml::Value) -> Vec<Vec<Step>> {
    let mut all = vec![Vec::new()];
    let below: Vec<(Step, &toml::Value)> = match document {
        toml::Value::Table(table) => table.iter().map(|(key, value)| (Step::Key(key.clone()), value)).collect(),
        toml::Value::Array(items) => items.iter().enumerate().map(|(at, value)| (Step::Index(at), value)).collect(),
        _ => Vec::new(),
    };
    for (step, value) in below {
        all.extend(places(value).into_iter().map(|rest| [vec![step.clone()], rest].concat()));
    }
    all
}

/// How many changes there are of one place.
const CHANGES: usize = 10;

fn changed(document: &mut toml::Value, place: &[Step], change: usize) {
    let Some((last, above)) = place.split_last() else { return };
    let inside = above.iter().fold(document, |value, step| match step {
        Step::Key(key) => &mut value[key.as_str()],
        Step::Index(at) => &mut value[*at],
    });
    let new: Option<toml::Value> = match change {
        0 => None,
        1 => Some(true.into()),
        2 => Some(7.into()),
        3 => Some(1.5.into()),
        4 => Some("text".into()),
        5 => Some("".into()),
        6 => Some(toml::Value::Array(Vec::new())),
        7 => Some(toml::Value::Table(toml::Table::new())),
        8 => Some(vec![vec!["text"]].into()),
        _ => Some(toml::Value::Table([("other".to_owned(), "text".into())].into_iter().collect())),
    };
    match (inside, last, new) {
        (toml::Value::Table(table), Step::Key(key), Some(new)) => _ = table.insert(key.clone(), new),
        // to rename a key is to remove one and to add one
        (toml::Value::Table(table), Step::Key(key), None) => {
            let value = table.remove(key);
            if let Some(value) = value.filter(|_| key.len() % 2 == 0) {
                table.insert(format!("{key}-x"), value);
            }
        }
        (toml::Value::Array(items), Step::Index(at), Some(new)) => items[*at] = new,
        (toml::Value::Array(items), Step::Index(at), None) => _ = items.remove(*at),
        _ => {}
    }
}
