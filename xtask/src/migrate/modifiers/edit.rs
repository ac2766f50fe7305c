//! Edits of a text by place: every other byte stays as it is.

use std::ops::Range;

/// One edit.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Edit {
    /// What is replaced; empty to insert.
    pub range: Range<usize>,
    /// What comes there.
    pub text: String,
}

/// The text with all edits. Of two that overlap the first one counts; a second run makes the other one.
///
/// ```
/// use groupage::migrate::modifiers::edit::{Edit, apply};
/// let edits = [Edit { range: 3..4, text: "x".into() }, Edit { range: 0..0, text: "> ".into() }];
/// assert_eq!(apply("a: b\n", &edits), "> a: x\n");
/// ```
pub fn apply(text: &str, edits: &[Edit]) -> String {
    let mut edits: Vec<&Edit> = edits.iter().collect();
    edits.sort_by_key(|edit| (edit.range.start, edit.range.end));
    let (mut out, mut at) = (String::with_capacity(text.len()), 0);
    for edit in edits {
        let (Some(before), true) = (text.get(at..edit.range.start), text.is_char_boundary(edit.range.end)) else {
            continue;
        };
        out.push_str(before);
        out.push_str(&edit.text);
        at = edit.range.end;
    }
    out.push_str(text.get(at..).unwrap_or_default());
    out
}
