//! `groupage.override.toml`: local replacements, with the keys of `--set` written as tables.

use std::collections::BTreeMap;

use crate::diagnostic::{Diagnostic, Problems};
use crate::source::{FileId, SourceFile, Span};

/// The file as dotted keys. What a key may be is checked with the flags, by `resolve`.
pub(super) fn parse(id: FileId, source: &SourceFile, problems: &mut Problems) -> BTreeMap<String, String> {
    let mut keys = BTreeMap::new();
    match toml::de::DeTable::parse(&source.text) {
        Ok(table) => flatten(table.get_ref(), "", id, &mut keys, problems),
        Err(error) => {
            let place = Span::new(id, error.span().unwrap_or(0..0));
            problems.push(Diagnostic::error("syntax", format!("invalid TOML: {}", error.message())).label(place, ""));
        }
    }
    keys
}

fn flatten(
    table: &toml::de::DeTable<'_>,
    above: &str,
    id: FileId,
    keys: &mut BTreeMap<String, String>,
    problems: &mut Problems,
) {
    for (key, value) in table {
        let key = format!("{above}{}", key.get_ref());
        match value.get_ref() {
            toml::de::DeValue::Table(below) => flatten(below, &format!("{key}."), id, keys, problems),
            toml::de::DeValue::String(text) => {
                keys.insert(key, text.to_string());
            }
            other => {
                let message = format!("`{key}` must be a string, found {}", other.type_str());
                problems.push(Diagnostic::error("wrong-type", message).label(Span::new(id, value.span()), ""));
            }
        }
    }
}
