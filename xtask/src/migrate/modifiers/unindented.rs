//! Rules that stand as far left as the key that should hold them, as they are pasted from articles:
//!
//! ```text
//! data:
//!   rules.yaml: |
//!   - conditions:
//! ```
//!
//! The block is empty then, and what follows is no YAML.

use crate::source::{FileId, Span};
use crate::yaml::{self, Node, Value};

/// Rules that are to be indented.
#[derive(Debug)]
pub(super) struct Unindented {
    /// The key that should hold them.
    pub(super) key: String,
    /// What they are.
    pub(super) root: Node,
    /// Where their lines begin.
    pub(super) lines: Vec<usize>,
}

/// Looks for such rules in a text that is no YAML.
pub(super) fn rules(id: FileId, text: &str) -> Option<Unindented> {
    let mut header: Option<(usize, &str)> = None;
    let mut at = 0;
    for line in text.split_inclusive('\n') {
        let bare = line.trim_end();
        let indent = bare.len() - bare.trim_start_matches(' ').len();
        if let Some((key_indent, key)) = header
            && !bare.is_empty()
        {
            if indent == key_indent && bare[indent..].starts_with("- ") {
                return read(id, text, at, indent, key);
            }
            header = None;
        }
        let block =
            bare.trim_end_matches(['-', '+']).strip_suffix('|').and_then(|key| key.trim_end().strip_suffix(':'));
        if let Some(key) = block.filter(|key| !key.trim_start().starts_with(['-', '#'])) {
            header = Some((indent, key.trim_start()));
        }
        at += line.len();
    }
    None
}

/// The lines from a place on that belong to a list so far from the left.
fn read(id: FileId, text: &str, start: usize, indent: usize, key: &str) -> Option<Unindented> {
    let (mut lines, mut end) = (Vec::new(), start);
    for line in text.get(start..)?.split_inclusive('\n') {
        let bare = line.trim_end();
        let depth = bare.len() - bare.trim_start_matches(' ').len();
        let belongs = bare.is_empty() || depth > indent || (depth == indent && bare[depth..].starts_with('-'));
        if !belongs {
            break;
        }
        if !bare.is_empty() {
            lines.push(end);
        }
        end += line.len();
    }
    let mut root = yaml::parse(id, text.get(start..end)?).ok()?.into_iter().next()?;
    shift(&mut root, start);
    matches!(root.value, Value::Sequence(_)).then(|| Unindented { key: key.to_owned(), root, lines })
}

fn shift(node: &mut Node, by: usize) {
    let range = node.span.range();
    node.span = Span::new(node.span.file, range.start + by..range.end + by);
    match &mut node.value {
        Value::Sequence(items) => items.iter_mut().for_each(|item| shift(item, by)),
        Value::Mapping(entries) => entries.iter_mut().for_each(|(key, value)| {
            shift(key, by);
            shift(value, by);
        }),
        Value::Scalar(..) | Value::Alias(_) => {}
    }
}
