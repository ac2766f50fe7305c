//! YAML read leniently, by lines and indentation: enough to know the keys above a line and the keys beside it.
//!
//! Templates are no YAML and still have keys and indentation; so have commented examples, which are read as trees of their own
//! (`#   image: a/b:1`), and the texts of ConfigMaps. Nothing is unescaped, nothing is refused, and any bytes will do. Work and
//! memory are linear in the file; depth costs nothing.

use std::ops::Range;

/// No line.
const NONE: u32 = u32::MAX;
/// Most lines of comment between a key and what is below it.
const MOST_COMMENTS: usize = 1000;

/// What a line, or a part of one, is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Form {
    /// The beginning of a document.
    Document,
    /// `- `.
    Item,
    /// `key:`; the place of its colon.
    Key(u32),
    /// Anything else.
    Text,
}

/// A line, or a part of one: `- a: b` has two.
#[derive(Debug, Clone)]
pub struct Node {
    /// First byte: that of the dash, the key, the text.
    pub start: u32,
    /// One past the last byte of the line, without its end.
    pub end: u32,
    /// Column.
    pub indent: u32,
    parent: u32,
    previous: u32,
    next: u32,
    /// What it is.
    pub form: Form,
    /// Whether it stands in a comment.
    pub is_comment: bool,
}

/// All lines of a file.
#[derive(Debug)]
pub struct Tree<'a> {
    bytes: &'a [u8],
    nodes: Vec<Node>,
}

/// Lines that are open, the outermost first.
#[derive(Debug, Default)]
struct Open {
    stack: Vec<u32>,
    /// The child that came last, of each open line; beside the stack, with one for the top.
    last: Vec<u32>,
}

impl<'a> Tree<'a> {
    /// Reads a file.
    pub fn read(bytes: &'a [u8]) -> Self {
        let mut tree = Self { bytes, nodes: Vec::new() };
        let (mut code, mut comment) = (Open::default(), Open::default());
        tree.document(0, &mut code);
        let mut start = if bytes.starts_with(b"\xef\xbb\xbf") { 3 } else { 0 };
        while start < bytes.len() {
            let line_end = memchr::memchr(b'\n', &bytes[start..]).map_or(bytes.len(), |at| start + at);
            let end = if bytes[start..line_end].ends_with(b"\r") { line_end - 1 } else { line_end };
            tree.line(start, end, &mut code, &mut comment);
            start = line_end + 1;
        }
        tree
    }

    fn line(&mut self, start: usize, end: usize, code: &mut Open, comment: &mut Open) {
        let text = &self.bytes[start..end];
        let indent = text.iter().take_while(|byte| matches!(byte, b' ' | b'\t')).count();
        let content = &text[indent..];
        if content.is_empty() || content.starts_with(b"{{") {
            return;
        }
        if indent == 0 && (content == b"---" || content.starts_with(b"--- ") || content == b"...") {
            *comment = Open::default();
            self.document(start, code);
            return;
        }
        if content.starts_with(b"#") {
            let marks = content.iter().take_while(|byte| **byte == b'#').count();
            let rest = &content[marks..];
            let spaces = rest.iter().take_while(|byte| matches!(byte, b' ' | b'\t')).count();
            if spaces < rest.len() {
                if comment.stack.is_empty() {
                    comment.stack.push(code.stack[0]);
                    comment.last.extend([NONE, NONE]);
                }
                self.parts(start + indent + marks + spaces, end, indent + marks + spaces, true, comment);
            }
            return;
        }
        // a comment belongs together as long as nothing else comes between
        *comment = Open::default();
        self.parts(start + indent, end, indent, false, code);
    }

    /// All parts of a line: dashes, then a key or text.
    fn parts(&mut self, mut at: usize, end: usize, mut indent: usize, is_comment: bool, open: &mut Open) {
        loop {
            let rest = &self.bytes[at..end];
            let is_item = rest == b"-" || rest.starts_with(b"- ");
            let form = if is_item { Form::Item } else { self.key(at, end).map_or(Form::Text, Form::Key) };
            self.push(at, end, indent, form, is_comment, open);
            if !is_item {
                return;
            }
            let spaces = rest[1..].iter().take_while(|byte| matches!(byte, b' ' | b'\t')).count();
            if 1 + spaces >= rest.len() || rest[1 + spaces] == b'#' {
                return;
            }
            (at, indent) = (at + 1 + spaces, indent + 1 + spaces);
        }
    }

    fn document(&mut self, start: usize, open: &mut Open) {
        let at = u32::try_from(start).unwrap_or(NONE);
        *open = Open { stack: vec![self.count()], last: vec![NONE, NONE] };
        let form = Form::Document;
        self.nodes.push(Node {
            start: at,
            end: at,
            indent: 0,
            parent: NONE,
            previous: NONE,
            next: NONE,
            form,
            is_comment: false,
        });
    }

    fn count(&self) -> u32 {
        u32::try_from(self.nodes.len()).unwrap_or(NONE)
    }

    fn push(&mut self, start: usize, end: usize, indent: usize, form: Form, is_comment: bool, open: &mut Open) {
        let narrow = |number: usize| u32::try_from(number).unwrap_or(NONE);
        let indent = narrow(indent);
        while let [_, .., top] = open.stack[..] {
            let top = &self.nodes[top as usize];
            // `key:` and its list may begin in the same column
            let is_list_of_key = matches!(top.form, Form::Key(_)) && form == Form::Item;
            if top.indent < indent || (top.indent == indent && is_list_of_key) {
                break;
            }
            open.stack.pop();
            open.last.pop();
        }
        let own = self.count();
        let parent = open.stack.last().copied().unwrap_or(0);
        let depth = open.stack.len();
        let previous = open.last.get(depth).copied().unwrap_or(NONE);
        if let Some(node) = self.nodes.get_mut(previous as usize) {
            node.next = own;
        }
        open.last.truncate(depth);
        open.last.extend([own, NONE]);
        open.stack.push(own);
        let (start, end) = (narrow(start), narrow(end));
        self.nodes.push(Node { start, end, indent, parent, previous, next: NONE, form, is_comment });
    }

    /// The colon behind a key.
    fn key(&self, at: usize, end: usize) -> Option<u32> {
        let text = &self.bytes[at..end];
        let colon = match text.first()? {
            quote @ (b'"' | b'\'') => 2 + memchr::memchr(*quote, &text[1..])?,
            b'{' | b'[' | b'|' | b'>' | b'&' | b'*' | b'!' | b'%' | b'@' | b'`' | b'$' => return None,
            _ => text.iter().position(|byte| matches!(byte, b':' | b' ' | b'\t'))?,
        };
        let ends = |byte: &u8| matches!(byte, b' ' | b'\t');
        let is_key = text.get(colon) == Some(&b':') && text.get(colon + 1).is_none_or(ends);
        is_key.then(|| u32::try_from(at + colon).unwrap_or(NONE))
    }
}

impl<'a> Tree<'a> {
    /// The innermost node that a byte belongs to; none in lines that are skipped.
    pub fn at(&self, byte: usize) -> Option<usize> {
        let after = self.nodes.partition_point(|node| node.start as usize <= byte);
        let index = after.checked_sub(1)?;
        (byte <= self.nodes[index].end as usize && self.nodes[index].form != Form::Document).then_some(index)
    }

    /// A node.
    pub fn node(&self, index: usize) -> &Node {
        &self.nodes[index]
    }

    /// The node above, but not a document.
    pub fn parent(&self, index: usize) -> Option<usize> {
        let parent = self.nodes[index].parent as usize;
        self.nodes.get(parent).filter(|node| node.form != Form::Document).map(|_| parent)
    }

    /// The nodes above, from the innermost.
    pub fn above(&self, index: usize) -> impl Iterator<Item = usize> + '_ {
        std::iter::successors(self.parent(index), |index| self.parent(*index))
    }

    /// The nodes beside one, itself included, in order; at most so many on either side.
    pub fn beside(&self, index: usize, most: usize) -> Vec<usize> {
        let walk = |step: fn(&Node) -> u32| {
            let next = move |index: &usize| {
                let next = step(&self.nodes[*index]) as usize;
                (next < self.nodes.len()).then_some(next)
            };
            std::iter::successors(next(&index), next).take(most)
        };
        let mut all: Vec<usize> = walk(|node| node.previous).collect();
        all.reverse();
        all.push(index);
        all.extend(walk(|node| node.next));
        // comments between lines are trees of their own
        let is_comment = self.nodes[index].is_comment;
        all.retain(|other| self.nodes[*other].is_comment == is_comment);
        all
    }

    /// The first node below one; further ones are beside it.
    pub fn first_child(&self, index: usize) -> Option<usize> {
        let is_comment = self.nodes[index].is_comment;
        // comments between a key and what is below it are trees of their own
        let own = |other: &usize| self.nodes[*other].is_comment == is_comment;
        let child = (index + 1..self.nodes.len()).take(MOST_COMMENTS).find(own)?;
        (self.nodes[child].parent as usize == index).then_some(child)
    }

    /// The document that a node belongs to.
    pub fn document_of(&self, index: usize) -> usize {
        let top = self.above(index).last().unwrap_or(index);
        self.nodes[top].parent as usize
    }

    /// The key of a node, without quotes.
    pub fn key_of(&self, index: usize) -> Option<&'a [u8]> {
        let node = &self.nodes[index];
        let Form::Key(colon) = node.form else { return None };
        Some(unquoted(&self.bytes[node.start as usize..colon as usize]))
    }

    /// The value beside a key or dash, or the text itself, without quotes and comment.
    pub fn value_of(&self, index: usize) -> Range<usize> {
        let node = &self.nodes[index];
        let start = match node.form {
            Form::Key(colon) => colon as usize + 1,
            Form::Item => node.start as usize + 1,
            Form::Text | Form::Document => node.start as usize,
        };
        scalar(self.bytes, start.min(node.end as usize)..node.end as usize)
    }

    /// All whole lines of a node and what is below it.
    pub fn block(&self, index: usize) -> Range<usize> {
        let node = &self.nodes[index];
        let below = self.nodes[index + 1..].iter().take_while(|other| {
            let is_between = other.is_comment && !node.is_comment;
            other.form != Form::Document
                && (is_between || (other.is_comment == node.is_comment && is_below(node, other)))
        });
        let last = below.filter(|other| other.is_comment == node.is_comment).last().unwrap_or(node);
        self.lines(node.start as usize..last.end as usize)
    }

    /// The whole lines that a range touches, with the end of the last one.
    pub fn lines(&self, range: Range<usize>) -> Range<usize> {
        let start = memchr::memrchr(b'\n', &self.bytes[..range.start]).map_or(0, |at| at + 1);
        // a byte order mark is of the file, not of its first line
        let start = if start == 0 && self.bytes.starts_with(b"\xef\xbb\xbf") { 3 } else { start };
        let end = memchr::memchr(b'\n', &self.bytes[range.end..]).map_or(self.bytes.len(), |at| range.end + at + 1);
        start..end
    }

    /// The line end that the line of a byte has.
    pub fn line_end(&self, byte: usize) -> &'static str {
        match memchr::memchr(b'\n', &self.bytes[byte..]) {
            Some(at) if at > 0 && self.bytes[byte + at - 1] == b'\r' => "\r\n",
            Some(_) => "\n",
            None if self.bytes[..byte].ends_with(b"\r\n") => "\r\n",
            None => "\n",
        }
    }
}

fn is_below(node: &Node, other: &Node) -> bool {
    let is_list_of_key = matches!(node.form, Form::Key(_)) && other.form == Form::Item;
    other.indent > node.indent || (other.indent == node.indent && is_list_of_key)
}

/// A scalar on a line: without anchor, tag, quotes and comment.
pub(super) fn scalar(bytes: &[u8], range: Range<usize>) -> Range<usize> {
    let blank = |byte: &u8| matches!(byte, b' ' | b'\t');
    let mut start = range.start;
    loop {
        start += bytes[start..range.end].iter().take_while(|byte| blank(byte)).count();
        let rest = &bytes[start..range.end];
        if !rest.starts_with(b"&") && !rest.starts_with(b"!") {
            break;
        }
        start += rest.iter().position(blank).unwrap_or(rest.len());
    }
    let rest = &bytes[start..range.end];
    if let Some(quote @ (b'"' | b'\'')) = rest.first() {
        let close = memchr::memchr(*quote, &rest[1..]).map_or(range.end, |at| start + 1 + at);
        return start + 1..close.max(start + 1).min(range.end);
    }
    let comment = rest.windows(2).position(|pair| blank(&pair[0]) && pair[1] == b'#');
    let end = start + comment.unwrap_or(rest.len());
    start..end - bytes[start..end].iter().rev().take_while(|byte| blank(byte)).count()
}

fn unquoted(text: &[u8]) -> &[u8] {
    match text {
        [b'"', inner @ .., b'"'] | [b'\'', inner @ .., b'\''] => inner,
        _ => text,
    }
}
