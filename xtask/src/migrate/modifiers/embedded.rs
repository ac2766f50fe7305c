//! A text inside of a scalar of another file, and where its bytes stand there.
//!
//! The rules are the value of a data key of a ConfigMap, most often a literal block (`|`): every line of the one is a line of
//! the other without its indentation. Places of a value that is written otherwise (`>`, escapes) are that of the whole value,
//! and nothing can be edited there.

use std::ops::Range;

use crate::source::Span;
use crate::yaml::{Node, Value};

/// A text inside of another one.
#[derive(Debug)]
pub struct Embedded {
    /// The text.
    pub text: String,
    /// Whether every byte has a place of its own.
    pub exact: bool,
    whole: Range<usize>,
    /// Bytes of the other text, which may end without the line break that this one has.
    length: usize,
    /// Where lines begin, in the text and outside; in order.
    lines: Vec<(usize, usize)>,
}

impl Embedded {
    /// The text of a scalar.
    pub fn new(outer: &str, node: &Node) -> Self {
        let text = node.text().unwrap_or_default().to_owned();
        let whole = node.span.range();
        let lines = match &node.value {
            Value::Scalar(_, crate::yaml::Style::Block) => block(outer, &text, whole.start),
            _ => one_line(outer, &text, &whole),
        };
        Self { text, exact: lines.is_some(), whole, length: outer.len(), lines: lines.unwrap_or_default() }
    }

    /// A place of the text, outside.
    pub fn outer(&self, inner: Range<usize>) -> Range<usize> {
        if !self.exact {
            return self.whole.clone();
        }
        let start = self.byte(inner.start);
        // the byte after the last one, which may be on a line of its own
        let end = if inner.end > inner.start { self.byte(inner.end - 1) + 1 } else { start };
        start..end.min(self.length).max(start)
    }

    fn byte(&self, inner: usize) -> usize {
        let at = self.lines.partition_point(|(begin, _)| *begin <= inner);
        let (begin, outer) = self.lines.get(at.wrapping_sub(1)).copied().unwrap_or((0, self.whole.start));
        (outer + (inner - begin)).min(self.length)
    }

    /// Gives all nodes of the text their place outside.
    pub fn place(&self, node: &mut Node) {
        node.span = Span::new(node.span.file, self.outer(node.span.range()));
        match &mut node.value {
            Value::Sequence(items) => items.iter_mut().for_each(|item| self.place(item)),
            Value::Mapping(entries) => entries.iter_mut().for_each(|(key, value)| {
                self.place(key);
                self.place(value);
            }),
            Value::Scalar(..) | Value::Alias(_) => {}
        }
    }
}

/// A scalar of one line without escapes.
fn one_line(outer: &str, text: &str, whole: &Range<usize>) -> Option<Vec<(usize, usize)>> {
    let written = outer.get(whole.clone())?;
    let quotes = usize::from(written.starts_with(['\'', '"']));
    let inside = written.get(quotes..written.len() - quotes)?;
    (inside == text).then(|| vec![(0, whole.start + quotes)])
}

/// A literal block, whose content begins near a place.
fn block(outer: &str, text: &str, near: usize) -> Option<Vec<(usize, usize)>> {
    let mut start = line_start(outer, near);
    // the place is that of the first letter, or of the header
    let blank = text.len() - text.trim_start_matches('\n').len();
    let mut starts = vec![outer[near..].find('\n').map_or(outer.len(), |end| near + end + 1), start];
    for _ in 0..blank.min(1000) {
        start = line_start(outer, start.saturating_sub(1));
        starts.push(start);
    }
    starts.into_iter().rev().find_map(|start| lines_from(outer, text, start))
}

fn line_start(text: &str, at: usize) -> usize {
    text.get(..at).and_then(|before| before.rfind('\n')).map_or(0, |end| end + 1)
}

/// Pairs the lines of a text with those from a place on, if they are the same but for one indentation.
fn lines_from(outer: &str, text: &str, start: usize) -> Option<Vec<(usize, usize)>> {
    let (mut pairs, mut indent, mut inner, mut place) = (Vec::new(), None, 0, start);
    for line in text.split_inclusive('\n') {
        let rest = outer.get(place..)?;
        let written = rest.split_inclusive('\n').next().unwrap_or_default();
        let (bare, content) = (line.trim_end_matches('\n'), written.trim_end_matches(['\n', '\r']));
        let before = if bare.is_empty() {
            content.len().min(indent.unwrap_or(0))
        } else {
            content.len().checked_sub(bare.len())?
        };
        let fits = if bare.is_empty() {
            content.trim_start_matches(' ').is_empty()
        } else {
            content.ends_with(bare)
                && content[..before].bytes().all(|byte| byte == b' ')
                && *indent.get_or_insert(before) == before
        };
        if !fits {
            return None;
        }
        pairs.push((inner, place + before));
        inner += line.len();
        place += written.len();
    }
    Some(pairs)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::source::{SourceFile, SourceMap};

    /// The place of a word of the text.
    fn check(outer: &str, word: &str, exact: bool) {
        let mut map = SourceMap::default();
        let id = map.add(SourceFile::new("a.yaml", outer));
        let documents = crate::yaml::parse(id, outer).unwrap();
        let embedded = Embedded::new(outer, documents[0].get("a").unwrap());
        assert_eq!(embedded.exact, exact, "{outer}");
        let at = embedded.text.find(word).unwrap();
        let place = embedded.outer(at..at + word.len());
        assert_eq!(outer[place] == *word, exact, "{outer}");
    }

    #[test]
    fn places() {
        check("a: |\n  x: 1\n  y:\n    - z\nb: 1\n", "z", true);
        check("a: |-\r\n  x: 1\r\n  y: z\r\n", "z", true);
        check("a: |  # why\n\n\n  x\n\n  z\n", "z", true);
        check("a: &b |2\n    x\n   z\n", "z", true);
        check("a: | \n  | x\n  z\n", "z", true);
        check("a: 'x z'\n", "z", true);
        check("a: \"x\\nz\"\n", "z", false);
        check("a: >\n  x\n  z\n", "x z", false);
    }
}
