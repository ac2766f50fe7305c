//! Repairs of single words, each in the quotes that it had.

use super::super::escape;
use super::super::lint::wants_text;
use super::super::print;
use super::super::template::keys;
use super::super::written::{Text, WrittenRule};
use crate::migrate::edit::Edit;

/// Another text in the place of one.
pub(super) fn replace(text: &str, old: &Text, new: &str) -> Option<Edit> {
    if old.value == new {
        return None;
    }
    let written = text.get(old.span.range())?;
    let new = match written.as_bytes().first() {
        Some(b'\'') if !new.contains(['\'', '\n']) => format!("'{new}'"),
        Some(b'"' | b'\'') => print::quoted(new),
        _ => print::text(new),
    };
    Some(Edit { range: old.span.range(), text: new })
}

/// Repairs that change no meaning but what was a slip.
pub(super) fn edits(text: &str, rule: &WrittenRule) -> Vec<Edit> {
    let mut edits = Vec::new();
    for one in rule.conditions.matches.iter().flat_map(|list| &list.items) {
        if let (Some(value), Some(path)) = (&one.value, &one.path) {
            edits.extend(as_text(text, value, &path.value));
        }
    }
    for patch in rule.operations() {
        edits.extend(patch.operation.as_ref().and_then(|old| replace(text, old, &old.value.to_ascii_lowercase())));
        for path in [&patch.path, &patch.from].into_iter().flatten() {
            let new = path.value.trim_end_matches('/');
            if !new.is_empty() {
                edits.extend(replace(text, path, new));
            }
        }
        if let (Some(value), Some(path)) = (&patch.value, &patch.path) {
            edits.extend(as_text(text, value, &path.value));
        }
    }
    edits
}

/// A number or boolean for a field that takes text only: what was written, as text.
pub(super) fn as_text(text: &str, value: &Text, path: &str) -> Option<Edit> {
    let json = escape::to_json(&value.value).ok()?;
    let is_scalar = json.is_number() || json.is_boolean();
    let new = escape::of_text(&value.written);
    (is_scalar && wants_text(&keys(path)) && !value.span.range().is_empty()).then_some(())?;
    replace(text, value, &new)
}
