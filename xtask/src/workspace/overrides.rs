//! `groupage.override.toml`: local replacements, with the keys of `--set` written as tables.

use std::collections::BTreeMap;

use crate::diagnostic::{Diagnostic, Problems};
use crate::source::{FileId, SourceFile, Span, Spanned};

/// One replacement, and where it is written.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OverrideEntry {
    /// Where the last part of the key stands.
    pub key: Span,
    /// The value.
    pub value: Spanned<String>,
}

/// The file as dotted keys. What a key may be is checked with the flags, by `resolve`.
pub(super) fn parse(id: FileId, source: &SourceFile, problems: &mut Problems) -> BTreeMap<String, OverrideEntry> {
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
    keys: &mut BTreeMap<String, OverrideEntry>,
    problems: &mut Problems,
) {
    for (key, value) in table {
        let (name, key) = (format!("{above}{}", key.get_ref()), Span::new(id, key.span()));
        let place = Span::new(id, value.span());
        match value.get_ref() {
            toml::de::DeValue::Table(below) => flatten(below, &format!("{name}."), id, keys, problems),
            toml::de::DeValue::String(text) => {
                keys.insert(name, OverrideEntry { key, value: Spanned::new(text.to_string(), place) });
            }
            other => {
                let message = format!("`{name}` must be a string, found {}", other.type_str());
                problems.push(Diagnostic::error("wrong-type", message).label(place, ""));
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::source::SourceMap;

    #[test]
    fn keys_and_values_have_places() {
        let mut map = SourceMap::default();
        let id = map.add(SourceFile::new("o.toml", "[bases]\nstatic = 'a:1'\nbad = 1\n"));
        let mut problems = Problems::default();
        let keys = parse(id, map.file(id), &mut problems);
        let entry = &keys["bases.static"];
        assert_eq!((entry.value.value.as_str(), map.text(entry.key)), ("a:1", "static"));
        assert_eq!(map.text(entry.value.span), "'a:1'");
        assert_eq!(problems.into_list()[0].message, "`bases.bad` must be a string, found integer");
    }
}
