//! Places in a Dockerfile: ranges of bytes, and texts that remember where each of their bytes was written.

use std::ops::Range;

use crate::source::{FileId, Span};

/// A range of bytes of the Dockerfile. It knows no file, so that a text can be read before it has an identity.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Extent {
    /// First byte.
    pub start: usize,
    /// One past the last byte.
    pub end: usize,
}

impl Extent {
    /// From one byte to before another.
    pub fn new(start: usize, end: usize) -> Self {
        Self { start, end: end.max(start) }
    }

    /// The same as a range.
    pub fn range(self) -> Range<usize> {
        self.start..self.end
    }

    /// The text there; empty when it is not inside of `text`.
    pub fn of(self, text: &str) -> &str {
        text.get(self.range()).unwrap_or_default()
    }

    /// The place in a file of a [`crate::source::SourceMap`].
    pub fn span(self, file: FileId) -> Span {
        Span::new(file, self.range())
    }
}

/// From this byte of a text on, bytes come from that byte of the file.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Joint {
    text: usize,
    source: usize,
}

/// A text made of pieces of the file, such as the lines of one instruction without the escape characters at their ends.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Traced {
    pub text: String,
    joints: Vec<Joint>,
}

impl Traced {
    /// Adds a piece that begins at a byte of the file.
    pub fn push(&mut self, piece: &str, source: usize) {
        let text = self.text.len();
        if self.joints.last().is_none_or(|last| last.source + (text - last.text) != source) {
            self.joints.push(Joint { text, source });
        }
        self.text.push_str(piece);
    }

    /// Where a byte was written; for the end, one past the last byte.
    pub fn locate(&self, at: usize) -> usize {
        let after = self.joints.partition_point(|joint| joint.text <= at);
        self.joints.get(after.wrapping_sub(1)).map_or(0, |joint| joint.source + (at - joint.text))
    }

    /// Where a range was written, with all that was between.
    pub fn extent(&self, range: Range<usize>) -> Extent {
        let start = self.locate(range.start);
        Extent::new(start, if range.is_empty() { start } else { self.locate(range.end - 1) + 1 })
    }

    /// Adds a part of another text.
    pub fn append(&mut self, other: &Self, range: Range<usize>) {
        let mut at = range.start;
        while at < range.end {
            let next = other.joints.partition_point(|joint| joint.text <= at);
            let end = other.joints.get(next).map_or(range.end, |joint| joint.text.min(range.end));
            self.push(&other.text[at..end], other.locate(at));
            at = end;
        }
    }

    /// A part, which still knows where it was written.
    pub fn part(&self, range: Range<usize>) -> Self {
        let first = self.joints.partition_point(|joint| joint.text <= range.start).saturating_sub(1);
        let last = self.joints.partition_point(|joint| joint.text < range.end.max(range.start + 1));
        let joints = self.joints.get(first..last).unwrap_or_default().iter().map(|joint| {
            let skipped = range.start.saturating_sub(joint.text);
            Joint { text: joint.text.saturating_sub(range.start), source: joint.source + skipped }
        });
        Self { joints: joints.collect(), text: self.text[range].to_owned() }
    }
}

/// How a word is written, which decides how another one is written in its place.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Quoting {
    /// As it stands; quotes and escapes, if any, are part of the text and are taken away by expansion.
    Plain,
    /// The value of a flag: quotes have been taken away.
    Flag,
    /// An element of a JSON array, decoded.
    Json,
}

/// One word of an instruction, before expansion.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Word {
    /// Where it stands, with its quotes and all lines that it crosses: what to replace.
    pub span: Extent,
    /// How it is written there.
    pub quoting: Quoting,
    traced: Traced,
}

impl Word {
    pub(super) fn new(traced: Traced, span: Extent, quoting: Quoting) -> Self {
        Self { span, quoting, traced }
    }

    /// The text as the builder reads it: lines joined, JSON decoded, variables and plain quotes as they are.
    pub fn text(&self) -> &str {
        &self.traced.text
    }

    /// Where a part of [`Word::text`] stands in the file.
    pub fn extent(&self, part: Range<usize>) -> Extent {
        self.traced.extent(part)
    }

    /// The part of the word after so many bytes of its text.
    pub(super) fn part(&self, range: Range<usize>) -> Self {
        let traced = self.traced.part(range.clone());
        Self { span: self.extent(range), quoting: self.quoting, traced }
    }

    /// Another text, written so that it can replace this word at [`Word::span`] and is read as it is: no variable, no
    /// quote in it means anything. `None` when it cannot be written there, as a blank in a plain `COPY`.
    pub fn written(&self, text: &str, escape: char) -> Option<String> {
        let special = |c: char| c == '$' || c == '"' || c == '\'' || c == escape;
        let mut plain = String::with_capacity(text.len());
        for c in text.chars() {
            if special(c) {
                plain.push(escape);
            }
            plain.push(c);
        }
        match self.quoting {
            Quoting::Json => Some(serde_json::Value::from(plain).to_string()),
            _ if text.is_empty() || text.contains(|c: char| c.is_whitespace() || c.is_control()) => None,
            Quoting::Plain => Some(plain),
            // one more round of escapes is taken away, always by `\`
            Quoting::Flag => Some(plain.replace('\\', "\\\\").replace('"', "\\\"").replace('\'', "\\'")),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_joined_text_knows_where_it_was_written() {
        let mut traced = Traced::default();
        traced.push("ab", 10);
        traced.push("cd", 20);
        assert_eq!((traced.extent(0..2), traced.extent(1..3)), (Extent::new(10, 12), Extent::new(11, 21)));
        assert_eq!((traced.extent(2..3), traced.extent(4..4)), (Extent::new(20, 21), Extent::new(22, 22)));
        let part = traced.part(1..4);
        assert_eq!(
            (part.text.as_str(), part.extent(0..1), part.extent(1..3)),
            ("bcd", Extent::new(11, 12), Extent::new(20, 22))
        );
        assert_eq!(traced.part(2..2).locate(0), 20);
    }
}
