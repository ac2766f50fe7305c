//! `{a: b}` and `[a, b]`: JSON, flow collections of YAML, inline tables of TOML. Read around one place, as far as a few
//! kilobytes on either side: files of one line are common.

use std::ops::Range;

use super::place::{Insertion, Removal, Sibling, Words};

/// How far is looked on either side.
const MOST: usize = 2048;
/// How many collections above are named.
const LEVELS: usize = 6;

/// The collection around a place.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Flow {
    /// Its entries; keys are empty in a list.
    pub entries: Vec<Entry>,
    /// Which of them holds the place.
    pub own: usize,
    /// Keys that lead to it, from the outermost.
    pub above: Vec<String>,
    /// Whether keys are quoted.
    pub is_json: bool,
}

/// One entry.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Entry {
    /// Its key.
    pub key: String,
    /// Its value without quotes.
    pub value: Range<usize>,
    pub is_quoted: bool,
    /// Key and value.
    pub whole: Range<usize>,
}

/// The collection around a place, at most back to `low`.
pub(super) fn around(bytes: &[u8], low: usize, place: usize) -> Option<Flow> {
    let low = low.max(place.saturating_sub(MOST));
    let open = opens(bytes, low, place)?;
    let is_map = bytes[open] == b'{';
    let entries = entries(bytes, open + 1, is_map);
    let own =
        entries.iter().position(|entry| entry.whole.start <= place && place < entry.whole.end.max(entry.value.end))?;
    let is_json = is_map && bytes[entries[own].whole.start] == b'"';
    Some(Flow { own, above: above(bytes, low, open), entries, is_json })
}

/// The bracket that is open at a place.
fn opens(bytes: &[u8], low: usize, place: usize) -> Option<usize> {
    let mut depth = 0_usize;
    for at in (low..place).rev() {
        match bytes[at] {
            b'}' | b']' => depth += 1,
            b'{' | b'[' if depth == 0 => return Some(at),
            b'{' | b'[' => depth -= 1,
            _ => {}
        }
    }
    None
}

/// The keys of the collections around a bracket.
fn above(bytes: &[u8], low: usize, mut open: usize) -> Vec<String> {
    let mut keys = Vec::new();
    for _ in 0..LEVELS {
        keys.push(key_before(bytes, low, open));
        match opens(bytes, low, open) {
            Some(outer) => open = outer,
            None => break,
        }
    }
    keys.retain(|key| !key.is_empty());
    keys.reverse();
    keys
}

/// The key whose value begins here; empty in a list.
fn key_before(bytes: &[u8], low: usize, open: usize) -> String {
    let before = bytes[low..open].trim_ascii_end();
    let Some(before) = before.strip_suffix(b":").or_else(|| before.strip_suffix(b"=")) else { return String::new() };
    let before = before.trim_ascii_end();
    let word = |byte: &u8| byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'-' | b'.' | b'/');
    let inner = before.strip_suffix(b"\"").or_else(|| before.strip_suffix(b"'")).unwrap_or(before);
    let start = inner.iter().rposition(|byte| !word(byte)).map_or(0, |at| at + 1);
    String::from_utf8_lossy(&inner[start..]).into_owned()
}

/// All entries from behind a bracket to the one that closes it.
fn entries(bytes: &[u8], start: usize, is_map: bool) -> Vec<Entry> {
    let end = bytes.len().min(start + 2 * MOST);
    let mut entries = Vec::new();
    let mut at = start;
    while at < end {
        at = blank(bytes, at, end);
        let first = at;
        let (stop, colon) = until(bytes, at, end, is_map);
        let whole = first..trimmed(bytes, first, stop);
        if !whole.is_empty() {
            entries.push(entry(bytes, whole, colon));
        }
        if bytes.get(stop) != Some(&b',') {
            break;
        }
        at = stop + 1;
    }
    entries
}

fn blank(bytes: &[u8], at: usize, end: usize) -> usize {
    at + bytes[at..end].iter().take_while(|byte| byte.is_ascii_whitespace()).count()
}

fn trimmed(bytes: &[u8], start: usize, end: usize) -> usize {
    end - bytes[start..end].iter().rev().take_while(|byte| byte.is_ascii_whitespace()).count()
}

/// Where an entry ends, and where its separator is.
fn until(bytes: &[u8], start: usize, end: usize, is_map: bool) -> (usize, Option<usize>) {
    let (mut at, mut depth, mut colon) = (start, 0_usize, None);
    while at < end {
        match bytes[at] {
            quote @ (b'"' | b'\'') => at = closing(bytes, at, end, quote),
            b'{' | b'[' => depth += 1,
            b'}' | b']' if depth == 0 => return (at, colon),
            b'}' | b']' => depth -= 1,
            b',' if depth == 0 => return (at, colon),
            b':' | b'=' if is_map && depth == 0 && colon.is_none() => colon = Some(at),
            _ => {}
        }
        at += 1;
    }
    (end, colon)
}

fn closing(bytes: &[u8], open: usize, end: usize, quote: u8) -> usize {
    let mut at = open + 1;
    while at < end && bytes[at] != quote {
        at += if bytes[at] == b'\\' && quote == b'"' { 2 } else { 1 };
    }
    at.min(end)
}

fn entry(bytes: &[u8], whole: Range<usize>, colon: Option<usize>) -> Entry {
    let key = colon.map(|colon| &bytes[whole.start..colon]).unwrap_or_default().trim_ascii();
    let key = key.strip_prefix(b"\"").and_then(|key| key.strip_suffix(b"\"")).unwrap_or(key);
    let start = colon.map_or(whole.start, |colon| blank(bytes, (colon + 1).min(whole.end), whole.end));
    let text = &bytes[start..whole.end];
    let is_quoted = text.len() > 1 && matches!(text[0], b'"' | b'\'') && text[text.len() - 1] == text[0];
    let value = if is_quoted { start + 1..whole.end - 1 } else { start..whole.end };
    Entry { key: String::from_utf8_lossy(key).into_owned(), value, is_quoted, whole }
}

impl Flow {
    /// The entry that holds the place.
    pub(super) fn entry(&self) -> &Entry {
        &self.entries[self.own]
    }

    /// The keys beside it.
    pub(super) fn siblings(&self) -> Vec<Sibling> {
        let others =
            self.entries.iter().enumerate().filter(|(index, entry)| *index != self.own && !entry.key.is_empty());
        others
            .map(|(_, entry)| Sibling {
                key: entry.key.clone(),
                value: entry.value.clone(),
                is_quoted: entry.is_quoted,
            })
            .collect()
    }

    /// The other values of a list.
    pub(super) fn items(&self) -> Vec<Range<usize>> {
        let others = self.entries.iter().enumerate().filter(|(index, _)| *index != self.own);
        others.map(|(_, entry)| entry.value.clone()).collect()
    }

    /// What goes with the entry: a comma, and the blanks before its neighbour.
    pub(super) fn removal(&self) -> Removal {
        let own = &self.entry().whole;
        let range = match (self.own.checked_sub(1), self.entries.get(self.own + 1)) {
            (_, Some(next)) => own.start..next.whole.start,
            (Some(previous), None) => self.entries[previous].whole.end..own.end,
            (None, None) => own.clone(),
        };
        Removal { range, is_only: self.entries.len() == 1 }
    }

    /// Where another key can stand.
    pub(super) fn insertion(&self, bytes: &[u8]) -> Insertion {
        let own = &self.entry().whole;
        // in a collection over several lines, a line of its own
        let line = bytes[..own.start].iter().rposition(|byte| *byte == b'\n').map_or(0, |at| at + 1);
        let lead = &bytes[line..own.start];
        let own_line = line > 0 && !lead.is_empty() && lead.iter().all(|byte| matches!(byte, b' ' | b'\t'));
        let before = if own_line { format!(",\n{}", String::from_utf8_lossy(lead)) } else { ", ".to_owned() };
        Insertion { at: own.end, before, is_json: self.is_json }
    }
}

/// The words of a list in brackets; none when it goes on behind the range.
pub(super) fn list(bytes: &[u8], range: &Range<usize>) -> Words {
    let is_whole = bytes[range.clone()].starts_with(b"[") && bytes[range.clone()].ends_with(b"]");
    let text = |entry: &Entry| String::from_utf8_lossy(&bytes[entry.value.clone()]).into_owned();
    let words = if is_whole { entries(&bytes[..range.end], range.start + 1, false) } else { Vec::new() };
    Words { words: words.iter().map(text).collect(), range: range.clone(), is_block: false }
}
