//! The schema of a manifest, from the shape that its decoder has.

use groupage::manifest::{Form, Keys, Shape, Step, Texts};
use serde_json::{Map, Value, json};

use crate::docs::{Docs, kebab};

/// The dialect of all schemas: <https://json-schema.org/draft/2020-12>
pub const DIALECT: &str = "https://json-schema.org/draft/2020-12/schema";

/// A table on the way from the root, its types and the key that is taken in it.
type Way<'a> = Vec<(&'a [&'static str], &'a str)>;

struct Writer<'a> {
    docs: &'a Docs,
    root: &'a Shape,
    silent: &'a mut Vec<String>,
}

/// The schema of a file; keys of which no documentation says anything are added to `silent`.
pub fn schema(name: &str, file: &str, shape: &Shape, docs: &Docs, silent: &mut Vec<String>) -> Value {
    let mut writer = Writer { docs, root: shape, silent };
    let mut schema = writer.shape(shape, &Way::new());
    let Form::Table(keys) = &shape.forms[0] else { panic!("a file is a table") };
    let described = keys.types.first().and_then(|held| docs.of(held)).map(|held| held.text.clone());
    let map = schema.as_object_mut().unwrap();
    map.insert("$schema".into(), DIALECT.into());
    map.insert("title".into(), format!("groupage: {file}").into());
    map.insert("description".into(), described.unwrap_or_else(|| panic!("{name} has no type")).into());
    schema
}

impl Writer<'_> {
    fn shape<'a>(&mut self, shape: &'a Shape, way: &Way<'a>) -> Value {
        let forms: Vec<Value> = shape.forms.iter().map(|form| self.form(form, way)).collect();
        match <[Value; 1]>::try_from(forms) {
            Ok([form]) => form,
            Err(forms) => json!({ "anyOf": forms }),
        }
    }

    fn form<'a>(&mut self, form: &'a Form, way: &Way<'a>) -> Value {
        match form {
            Form::Boolean => json!({ "type": "boolean" }),
            Form::Integer { least, most } if least == most => json!({ "const": least }),
            Form::Integer { least, most } => json!({ "type": "integer", "minimum": least, "maximum": most }),
            Form::Text { texts, .. } => text(texts),
            Form::Date => json!({ "type": "string", "pattern": "^[0-9]{4}-[0-9]{2}-[0-9]{2}$" }),
            Form::List(items) => json!({ "type": "array", "items": self.shape(items, way) }),
            Form::Table(keys) => self.table(keys, way),
            Form::Again(steps) => json!({ "$ref": pointer(self.root, steps) }),
        }
    }

    fn table<'a>(&mut self, keys: &'a Keys, way: &Way<'a>) -> Value {
        let mut map = Map::new();
        map.insert("type".into(), "object".into());
        let mut properties = Map::new();
        for (name, key) in &keys.known {
            let mut below = way.clone();
            below.push((&keys.types, name));
            let mut schema = self.shape(&key.shape, &below);
            match self.say(&below, &key.shape) {
                Some(text) => _ = schema.as_object_mut().unwrap().insert("description".into(), text.into()),
                None => {
                    let path: Vec<&str> = below.iter().map(|(_, key)| *key).collect();
                    self.silent.push(format!("{} in {:?}", path.join("."), keys.types));
                }
            }
            properties.insert((*name).to_owned(), schema);
        }
        let required: Vec<&str> = keys.known.iter().filter(|(_, key)| key.required).map(|(name, _)| *name).collect();
        if !properties.is_empty() {
            map.insert("properties".into(), properties.into());
        }
        if !required.is_empty() {
            map.insert("required".into(), required.into());
        }
        if keys.one_of {
            map.insert("minProperties".into(), 1.into());
            map.insert("maxProperties".into(), 1.into());
        }
        let others = match &keys.named {
            Some((names, shape)) => {
                if *names != Texts::Any {
                    let mut names = text(names);
                    names.as_object_mut().unwrap().remove("type");
                    map.insert("propertyNames".into(), names);
                }
                let mut below = way.clone();
                below.push((&keys.types, "NAME"));
                self.shape(shape, &below)
            }
            None => false.into(),
        };
        map.insert("additionalProperties".into(), others);
        map.into()
    }

    /// What is said of a key, by the type that holds its table or one that holds a table above.
    fn say(&self, way: &Way<'_>, shape: &Shape) -> Option<String> {
        if let [Form::Integer { least, most }] = shape.forms.as_slice()
            && least == most
        {
            return Some(format!("The format of this file, which is {least}."));
        }
        let levels = (0..way.len()).rev();
        let text = levels.into_iter().find_map(|level| {
            let path: Vec<&str> = way[level..].iter().map(|(_, key)| *key).collect();
            way[level].0.iter().rev().find_map(|held| self.said(held, &path))
        })?;
        let words = self.words(shape);
        Some(if words.is_empty() { text } else { format!("{text}\n\n{}", words.join("\n")) })
    }

    fn said(&self, held: &str, path: &[&str]) -> Option<String> {
        let parts = &self.docs.of(held)?.parts;
        let (last, above) = path.split_last()?;
        let above = above.join(".");
        let written = match above.as_str() {
            "" => vec![format!("`{last}`"), format!("`[{last}]`"), format!("`[[{last}]]`")],
            above => vec![format!("`[{above}] {last}`"), format!("`{above}.{last}`")],
        };
        let named = |text: &str| {
            let start = written.iter().find(|start| text.starts_with(start.as_str()))?;
            Some(text[start.len()..].trim_start_matches([':', '.']).trim().to_owned())
        };
        let by_text = parts.values().flat_map(|text| text.split("\n\n")).find_map(named);
        let of_name = |(part, text): (&String, &String)| {
            (above.is_empty() && kebab(part) == *last).then(|| text.split("\n\n").next().unwrap_or_default().to_owned())
        };
        let by_name = || parts.iter().find_map(of_name);
        by_text.or_else(by_name).filter(|text| !text.is_empty()).map(|text| capital(&text))
    }

    /// The words that a text may be, each with what it means.
    fn words(&self, shape: &Shape) -> Vec<String> {
        let mut lines = Vec::new();
        for form in &shape.forms {
            match form {
                Form::Text { parser, texts: Texts::Words(words) } => {
                    let Some(held) = self.docs.of(parser) else { continue };
                    for word in words {
                        let variant = held.parts.iter().find(|(part, _)| kebab(part) == *word);
                        let (_, text) = variant.unwrap_or_else(|| panic!("{parser} has no variant for `{word}`"));
                        // what a word means may be said at the key
                        lines.extend((!text.is_empty()).then(|| format!("- `{word}`: {text}")));
                    }
                }
                Form::List(items) => lines.extend(self.words(items)),
                _ => {}
            }
        }
        lines
    }
}

fn text(texts: &Texts) -> Value {
    match texts {
        Texts::Any => json!({ "type": "string", "minLength": 1 }),
        Texts::OrEmpty => json!({ "type": "string" }),
        Texts::Words(words) => json!({ "type": "string", "enum": words }),
        Texts::Pattern(pattern) => json!({ "type": "string", "pattern": pattern }),
    }
}

/// Where the schema of a shape stands, for a shape on whose way no key has several forms.
fn pointer(root: &Shape, steps: &[Step]) -> String {
    let (mut at, mut path) = (root, "#".to_owned());
    for step in steps {
        assert_eq!(at.forms.len(), 1, "a `$ref` through one of several forms");
        at = match (&at.forms[0], step) {
            (Form::Table(keys), Step::Key(key)) => {
                path.push_str(&format!("/properties/{key}"));
                &keys.known[key].shape
            }
            (Form::Table(keys), Step::Named) => {
                path.push_str("/additionalProperties");
                &keys.named.as_ref().unwrap().1
            }
            (Form::List(items), Step::Item) => {
                path.push_str("/items");
                items
            }
            _ => panic!("{steps:?} leads nowhere"),
        };
    }
    path
}

fn capital(text: &str) -> String {
    let mut letters = text.chars();
    letters.next().map(|first| first.to_uppercase().chain(letters).collect()).unwrap_or_default()
}
