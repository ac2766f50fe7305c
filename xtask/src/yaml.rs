//! YAML 1.2 as a tree that knows where everything stands; for files that others wrote.
//!
//! Edits of such files go by span and never by printing the tree again: comments, order, quotes and line ends are theirs.
//! Aliases are not followed here, so that a few lines cannot become a billion nodes; depth and number of nodes are bounded.
//! Events come from `saphyr-parser`, which counts characters; spans here are bytes.

use std::ops::Range;

use saphyr_parser::{Event, Parser, ScalarStyle, ScanError};

use crate::diagnostic::Diagnostic;
use crate::source::{FileId, Span};

/// Deepest nesting that is read.
pub const MAX_DEPTH: usize = 100;
/// Most nodes of one file.
pub const MAX_NODES: usize = 2_000_000;

/// One node of a document.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Node {
    /// What it is.
    pub value: Value,
    /// Where it stands: a scalar with its quotes; a mapping or sequence from its first to its last child, or brackets.
    pub span: Span,
    /// The tag, as `!!str`, when one is written.
    pub tag: Option<String>,
    /// Number of its anchor, for [`Value::Alias`]; 0 is none.
    pub anchor: usize,
}

/// What a node is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Value {
    /// Text, unescaped.
    Scalar(String, Style),
    /// `- a`, `[a]`.
    Sequence(Vec<Node>),
    /// `a: b`, `{a: b}`; in order, and with duplicates where the file has them.
    Mapping(Vec<(Node, Node)>),
    /// `*name`, by the number of the anchor.
    Alias(usize),
}

/// How a scalar is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Style {
    /// Without quotes: `true`, `1` and nothing are not strings then.
    Plain,
    /// In single quotes.
    Single,
    /// In double quotes.
    Double,
    /// `|` or `>`.
    Block,
}

impl Node {
    /// The text of a scalar.
    pub fn text(&self) -> Option<&str> {
        match &self.value {
            Value::Scalar(text, _) => Some(text),
            _ => None,
        }
    }

    /// The children of a sequence, none of anything else.
    pub fn items(&self) -> &[Node] {
        match &self.value {
            Value::Sequence(items) => items,
            _ => &[],
        }
    }

    /// The entries of a mapping, none of anything else.
    pub fn entries(&self) -> &[(Node, Node)] {
        match &self.value {
            Value::Mapping(entries) => entries,
            _ => &[],
        }
    }

    /// The first value of a key.
    pub fn get(&self, key: &str) -> Option<&Node> {
        self.entries().iter().find(|(name, _)| name.text() == Some(key)).map(|(_, value)| value)
    }
}

/// The documents of a text; an empty one is a plain scalar without text.
///
/// # Errors
/// What is wrong, with the place.
///
/// ```
/// use groupage::source::{SourceFile, SourceMap};
/// let mut map = SourceMap::default();
/// let file = map.add(SourceFile::new("a.yaml", "image: 'a:1' # old\n---\n- ü\n- b\n"));
/// let documents = groupage::yaml::parse(file, &map.file(file).text)?;
/// assert_eq!(map.text(documents[0].get("image").unwrap().span), "'a:1'");
/// assert_eq!(map.text(documents[1].items()[1].span), "b");
/// # Ok::<(), groupage::diagnostic::Diagnostic>(())
/// ```
pub fn parse(id: FileId, text: &str) -> Result<Vec<Node>, Diagnostic> {
    let bom = if text.starts_with('\u{feff}') { '\u{feff}'.len_utf8() } else { 0 };
    let body = &text[bom..];
    let offsets = Offsets::new(body, bom);
    let mut tree = Tree { id, documents: Vec::new(), open: Vec::new(), nodes: 0 };
    for event in Parser::new_from_str(body) {
        let (event, at) = event.map_err(|error| syntax(id, &offsets, &error, text.len()))?;
        let mut place = offsets.byte(at.start.index())..offsets.byte(at.end.index());
        if let Event::Scalar(_, style, anchor, tag) = &event {
            if *anchor > 0 || tag.is_some() {
                place = without_properties(text, place);
            }
            place = without_what_follows(text, place, *style);
        }
        tree.take(event, Span::new(id, place))?;
    }
    Ok(tree.documents)
}

fn syntax(id: FileId, offsets: &Offsets<'_>, error: &ScanError, length: usize) -> Diagnostic {
    let start = offsets.byte(error.marker().index());
    let end = (start + 1).min(length).max(start);
    // the parser has a bound of its own for brackets
    if error.info().contains("recursion limit") {
        return Diagnostic::error("too-deep", format!("more than {MAX_DEPTH} levels"))
            .label(Span::new(id, start..end), "here");
    }
    Diagnostic::error("syntax", format!("invalid YAML: {}", error.info())).label(Span::new(id, start..end), "")
}

/// The place of a scalar without the anchor and the tag before it.
fn without_properties(text: &str, mut place: Range<usize>) -> Range<usize> {
    loop {
        let rest = text.get(place.clone()).unwrap_or_default();
        if !rest.starts_with(['&', '!']) {
            return place;
        }
        let after = rest.find(char::is_whitespace).map_or("", |end| rest[end..].trim_start());
        place.start = place.end - after.len();
    }
}

/// The place of a quoted scalar up to its last quote, and of a block up to its last letter: the parser's reaches to the next
/// thing, comments included.
fn without_what_follows(text: &str, place: Range<usize>, style: ScalarStyle) -> Range<usize> {
    let quote = match style {
        ScalarStyle::SingleQuoted => b'\'',
        ScalarStyle::DoubleQuoted => b'"',
        ScalarStyle::Plain => return place,
        ScalarStyle::Literal | ScalarStyle::Folded => {
            let end = text.get(place.clone()).map_or(place.end, |block| place.start + block.trim_end().len());
            return place.start..end.max(place.start);
        }
    };
    let bytes = text.get(place.clone()).unwrap_or_default().as_bytes();
    let Some(open) = bytes.iter().position(|&byte| byte == quote) else { return place };
    let mut at = open + 1;
    while at < bytes.len() {
        match bytes[at] {
            b'\\' if quote == b'"' => at += 1,
            byte if byte == quote && quote == b'\'' && bytes.get(at + 1) == Some(&quote) => at += 1,
            byte if byte == quote => return place.start..place.start + at + 1,
            _ => {}
        }
        at += 1;
    }
    place
}

/// A mapping or sequence whose end was not seen yet.
struct Open {
    span: Span,
    tag: Option<String>,
    anchor: usize,
    mapping: bool,
    children: Vec<Node>,
}

struct Tree {
    id: FileId,
    documents: Vec<Node>,
    open: Vec<Open>,
    nodes: usize,
}

impl Tree {
    fn take(&mut self, event: Event<'_>, span: Span) -> Result<(), Diagnostic> {
        let written = |tag: Option<std::borrow::Cow<'_, saphyr_parser::Tag>>| {
            tag.map(|tag| if tag.is_yaml_core_schema() { format!("!!{}", tag.suffix) } else { tag.to_string() })
        };
        match event {
            Event::Scalar(text, style, anchor, tag) => {
                let value = Value::Scalar(text.into_owned(), Style::from(style));
                self.add(Node { value, span, tag: written(tag), anchor })
            }
            Event::Alias(anchor) => self.add(Node { value: Value::Alias(anchor), span, tag: None, anchor: 0 }),
            Event::SequenceStart(anchor, tag) => self.open(span, written(tag), anchor, false),
            Event::MappingStart(anchor, tag) => self.open(span, written(tag), anchor, true),
            Event::SequenceEnd | Event::MappingEnd => match self.open.pop() {
                Some(open) => self.add(open.close(span)),
                None => Ok(()),
            },
            _ => Ok(()),
        }
    }

    fn open(&mut self, span: Span, tag: Option<String>, anchor: usize, mapping: bool) -> Result<(), Diagnostic> {
        if self.open.len() == MAX_DEPTH {
            return Err(Diagnostic::error("too-deep", format!("more than {MAX_DEPTH} levels")).label(span, "here"));
        }
        self.open.push(Open { span, tag, anchor, mapping, children: Vec::new() });
        Ok(())
    }

    fn add(&mut self, node: Node) -> Result<(), Diagnostic> {
        self.nodes += 1;
        if self.nodes > MAX_NODES {
            let place = Span::new(self.id, node.span.range());
            return Err(Diagnostic::error("too-large", format!("more than {MAX_NODES} nodes")).label(place, "here"));
        }
        match self.open.last_mut() {
            Some(open) => open.children.push(node),
            None => self.documents.push(node),
        }
        Ok(())
    }
}

impl Open {
    fn close(self, end: Span) -> Node {
        let last = self.children.last().map_or(self.span.end, |child| child.span.end);
        // the end of a block collection is where the next thing begins; that of `[]` is its bracket
        let end = if end.start == end.end { last } else { end.end };
        let span = Span { end: end.max(self.span.end), ..self.span };
        let value = if self.mapping {
            let mut children = self.children.into_iter();
            let pairs = std::iter::from_fn(|| children.next().zip(children.next()));
            Value::Mapping(pairs.collect())
        } else {
            Value::Sequence(self.children)
        };
        Node { value, span, tag: self.tag, anchor: self.anchor }
    }
}

impl From<ScalarStyle> for Style {
    fn from(style: ScalarStyle) -> Self {
        match style {
            ScalarStyle::Plain => Self::Plain,
            ScalarStyle::SingleQuoted => Self::Single,
            ScalarStyle::DoubleQuoted => Self::Double,
            ScalarStyle::Literal | ScalarStyle::Folded => Self::Block,
        }
    }
}

/// Bytes of characters, by steps of [`STEP`], so that a large file needs no table as large as itself.
struct Offsets<'a> {
    text: &'a str,
    /// Bytes before `text`.
    before: usize,
    /// Byte of each `STEP`th character; none when all characters are one byte.
    steps: Vec<usize>,
}

const STEP: usize = 128;

impl<'a> Offsets<'a> {
    fn new(text: &'a str, before: usize) -> Self {
        let steps = if text.is_ascii() {
            Vec::new()
        } else {
            text.char_indices().step_by(STEP).map(|(byte, _)| byte).collect()
        };
        Self { text, before, steps }
    }

    fn byte(&self, character: usize) -> usize {
        if self.steps.is_empty() {
            return self.before + character.min(self.text.len());
        }
        let Some(&start) = self.steps.get(character / STEP) else { return self.before + self.text.len() };
        let rest = &self.text[start..];
        self.before + start + rest.char_indices().nth(character % STEP).map_or(rest.len(), |(byte, _)| byte)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::source::{SourceFile, SourceMap};

    /// Every scalar with the text that its span covers.
    fn check(text: &str, expect: &[(&str, &str)]) {
        let mut map = SourceMap::default();
        let id = map.add(SourceFile::new("a.yaml", text));
        let mut todo = parse(id, text).unwrap();
        todo.reverse();
        let mut found = Vec::new();
        while let Some(node) = todo.pop() {
            match node.value {
                Value::Scalar(value, _) => found.push((value, map.text(node.span).to_owned())),
                Value::Sequence(items) => todo.extend(items.into_iter().rev()),
                Value::Mapping(entries) => todo.extend(entries.into_iter().rev().flat_map(|(key, value)| [value, key])),
                Value::Alias(_) => found.push(("*".to_owned(), map.text(node.span).to_owned())),
            }
        }
        let found: Vec<(&str, &str)> = found.iter().map(|(value, text)| (value.as_str(), text.as_str())).collect();
        assert_eq!(found, expect);
    }

    #[test]
    fn spans_are_bytes() {
        check("a: 'b''c' # x\n", &[("a", "a"), ("b'c", "'b''c'")]);
        check(
            "\u{feff}ä: \"\\u00fc\"\r\nb: [1, 2]\r\n",
            &[("ä", "ä"), ("ü", "\"\\u00fc\""), ("b", "b"), ("1", "1"), ("2", "2")],
        );
        check("a: &x 1\nb: *x\n", &[("a", "a"), ("1", "1"), ("b", "b"), ("*", "*x")]);
        let far = format!("{}: b\n", "ö".repeat(300));
        check(&far, &[(&"ö".repeat(300), &"ö".repeat(300)), ("b", "b")]);
    }

    #[test]
    fn what_is_too_much_has_a_place() {
        let refused = |text: &str| parse(SourceMap::default().add(SourceFile::new("a", "")), text).unwrap_err();
        assert_eq!(refused(&"[".repeat(5000)).code, "too-deep");
        assert_eq!(refused("a: [1\nb: 2\n").code, "syntax");
        assert_eq!(refused("a:\n\t- b\n").labels.len(), 1);
    }
}
