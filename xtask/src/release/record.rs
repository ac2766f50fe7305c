//! Promotions written down: lines added to a promoter manifest, and no other byte of it touched.
//!
//! | what is there | what is added |
//! |---|---|
//! | the digest under the name, in any block | the tag, into its list |
//! | the name | a line in the last block of the name |
//! | neither | a block at the end of the file |
//!
//! Lists of tags that are sorted stay so; so do blocks, whether by tag or by digest, as other tools have them. What is not
//! sorted gets the new at its end. Comments stand above what they are about: nothing is put between the two. Line ends,
//! indentation and the form of lists are those of the file; texts that are added are quoted.

use super::promotions::{Block, Entry, Promotion, Promotions, blocks, document, twice};
use crate::diagnostic::{Diagnostic, Problems};
use crate::oci::Digest;
use crate::source::FileId;
use crate::yaml::{Node, Style, Value};

/// A change of a promoter manifest. Nothing is taken away by it.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Recording {
    /// The text afterwards.
    after: String,
    /// What was not there before.
    added: Vec<Promotion>,
}

impl Recording {
    /// What is written down so that a file also has some promotions; those that it has already change nothing.
    ///
    /// # Errors
    /// The file is wrong, has a tag at another digest, or is written in one line where a block would have to go.
    pub fn new(id: FileId, text: &str, promotions: &[Promotion]) -> Result<Self, Vec<Diagnostic>> {
        let known = Promotions::parse(id, text)?;
        let mut wanted: Vec<&Promotion> = promotions.iter().collect();
        wanted.sort();
        wanted.dedup();
        let mut problems = Problems::default();
        let mut recording = Self { after: text.to_owned(), added: Vec::new() };
        for promotion in wanted {
            let name = format!("{}:{}", promotion.name, promotion.tag);
            match known.find(&promotion.name, &promotion.tag) {
                Some((digest, _)) if *digest == promotion.digest => {}
                Some((digest, place)) => {
                    let other = twice(&name, place, digest, place, &promotion.digest);
                    problems.push(other);
                }
                None => {
                    recording.after = with(id, &recording.after, promotion).map_err(|problem| vec![problem])?;
                    recording.added.push(promotion.clone());
                }
            }
        }
        problems.finish(recording)
    }

    /// True when the file has it all.
    pub fn is_empty(&self) -> bool {
        self.added.is_empty()
    }

    /// What is added.
    pub fn added(&self) -> &[Promotion] {
        &self.added
    }

    /// The text afterwards.
    pub fn apply(&self) -> &str {
        &self.after
    }
}

/// One line for each promotion that is added.
impl std::fmt::Display for Recording {
    fn fmt(&self, out: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        self.added.iter().try_for_each(|one| writeln!(out, "+ {}:{} {}", one.name, one.tag, one.digest))
    }
}

/// A text with one promotion more.
fn with(id: FileId, text: &str, promotion: &Promotion) -> Result<String, Diagnostic> {
    let document = document(id, text)?;
    let mut problems = Problems::default();
    let blocks = blocks(document.as_ref(), &mut problems);
    if let Some(problem) = problems.into_list().into_iter().next() {
        return Err(problem);
    }
    let own = || blocks.iter().filter(|block| block.name.text() == Some(&promotion.name));
    let same = own().flat_map(|block| &block.entries).find(|entry| entry.digest == promotion.digest);
    let page = Page { text, end: if text.contains("\r\n") { "\r\n" } else { "\n" } };
    let (at, new) = match (same, own().next_back()) {
        (Some(entry), _) => page.tag(entry, &promotion.tag),
        (None, Some(block)) => page.entry(block, promotion),
        (None, None) => page.block(document.as_ref(), &blocks, promotion)?,
    };
    Ok(format!("{}{new}{}", &text[..at], &text[at..]))
}

/// A text that something is added to.
struct Page<'a> {
    text: &'a str,
    /// How its lines end.
    end: &'static str,
}

/// Where, and what.
type Insertion = (usize, String);

impl Page<'_> {
    /// A tag in a list.
    fn tag(&self, entry: &Entry<'_>, tag: &str) -> Insertion {
        let items = entry.tags.items();
        let Some(last) = items.last() else { return (entry.tags.span.range().start + 1, format!("\"{tag}\"")) };
        let texts: Vec<&str> = items.iter().filter_map(Node::text).collect();
        let next = if texts.is_sorted() { items.iter().find(|item| item.text() > Some(tag)) } else { None };
        let is_flow = self.text[entry.tags.span.range()].starts_with('[');
        match (is_flow, next) {
            (true, Some(next)) => (next.span.range().start, format!("\"{tag}\", ")),
            (true, None) => (last.span.range().end, format!(", \"{tag}\"")),
            (false, Some(next)) => (self.above(next), self.line(self.before(next), &format!("\"{tag}\""))),
            (false, None) => self.below(last, self.before(last), &format!("\"{tag}\"")),
        }
    }

    /// A digest in a block.
    fn entry(&self, block: &Block<'_>, promotion: &Promotion) -> Insertion {
        let new = format!("\"{}\": [\"{}\"]", promotion.digest, promotion.tag);
        let span = block.dmap.span.range();
        let is_flow = self.text[span.clone()].starts_with('{');
        let Some(last) = block.entries.last() else { return (span.start + 1, new) };
        if is_flow {
            return (last.tags.span.range().end.max(last.key.span.range().end), format!(", {new}"));
        }
        let next = next(&block.entries, promotion);
        match next {
            Some(next) => (self.above(next.key), self.line(self.before(next.key), &new)),
            None => self.below(self.later(last), self.before(last.key), &new),
        }
    }

    /// A block of its own.
    fn block(
        &self,
        document: Option<&Node>,
        blocks: &[Block<'_>],
        promotion: &Promotion,
    ) -> Result<Insertion, Diagnostic> {
        if let Some(document) = document
            && self.text[document.span.range()].starts_with('[')
        {
            let flat = Diagnostic::error("written-in-one-line", "nothing can be added to a list that is in one line");
            return Err(flat.label(document.span, "").help("write one entry per line, or leave the file empty"));
        }
        let dash = blocks.last().map(|block| self.dash(block)).unwrap_or_default();
        let Promotion { name, tag, digest } = promotion;
        let lines =
            [format!("{dash}- name: {name}"), format!("{dash}  dmap:"), format!("{dash}    \"{digest}\": [\"{tag}\"]")];
        let mut new =
            if self.text.is_empty() || self.text.ends_with('\n') { String::new() } else { self.end.to_owned() };
        lines.iter().for_each(|line| new.extend([line, self.end]));
        Ok((self.text.len(), new))
    }

    /// What stands before the `-` of a block.
    fn dash(&self, block: &Block<'_>) -> String {
        let start = self.start_of_line(block.name.span.range().start);
        let line = &self.text[start..];
        let indent = &line[..line.len() - line.trim_start_matches(' ').len()];
        if line.trim_start().starts_with('-') { indent.to_owned() } else { String::new() }
    }

    fn start_of_line(&self, at: usize) -> usize {
        self.text[..at].rfind('\n').map_or(0, |index| index + 1)
    }

    /// What stands before a node in its line, such as `    - `.
    fn before(&self, node: &Node) -> &str {
        let at = node.span.range().start;
        &self.text[self.start_of_line(at)..at]
    }

    /// The start of the line of a node, or of the comments above it.
    fn above(&self, node: &Node) -> usize {
        let mut start = self.start_of_line(node.span.range().start);
        while start > 0 {
            let above = self.start_of_line(start - 1);
            if !self.text[above..start].trim_start().starts_with('#') {
                break;
            }
            start = above;
        }
        start
    }

    fn line(&self, before: &str, new: &str) -> String {
        format!("{before}{new}{}", self.end)
    }

    /// A line below that of a node.
    fn below(&self, node: &Node, before: &str, new: &str) -> Insertion {
        // a block of text ends where the next thing begins
        let at = node.span.range().end.saturating_sub(usize::from(is_block(node)));
        match self.text[at..].find('\n') {
            Some(length) => (at + length + 1, self.line(before, new)),
            None => (self.text.len(), format!("{}{before}{new}{}", self.end, self.end)),
        }
    }

    /// The last node of an entry.
    fn later<'n>(&self, entry: &Entry<'n>) -> &'n Node {
        match entry.tags.items().last() {
            Some(last) if !self.text[entry.tags.span.range()].starts_with('[') => last,
            _ => entry.tags,
        }
    }
}

fn is_block(node: &Node) -> bool {
    matches!(node.value, Value::Scalar(_, Style::Block))
}

/// The entry that a new one stands before, in a block that is sorted by its tags, or else by its digests.
fn next<'b, 'n>(entries: &'b [Entry<'n>], promotion: &Promotion) -> Option<&'b Entry<'n>> {
    fn by_tag<'n>(entry: &Entry<'n>) -> (&'n str, Digest) {
        (entry.tags.items().first().and_then(Node::text).unwrap_or_default(), entry.digest.clone())
    }
    if entries.is_sorted_by_key(by_tag) {
        return entries.iter().find(|entry| by_tag(entry) > (promotion.tag.as_str(), promotion.digest.clone()));
    }
    let by_digest = entries.is_sorted_by_key(|entry| entry.digest.clone());
    entries.iter().find(|entry| by_digest && entry.digest > promotion.digest)
}

#[cfg(test)]
mod tests;
