//! Edits as values: ranges of a file and what goes there. Everything else stays, byte by byte.

use std::fmt::Write as _;
use std::ops::Range;

/// Lines around a change in a diff.
const CONTEXT: usize = 3;

/// One change of a file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Edit {
    /// The bytes that go.
    pub range: Range<usize>,
    /// What comes instead.
    pub text: String,
}

/// Two changes want the same bytes.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("two edits overlap at byte {0}")]
pub struct Overlap(pub usize);

impl Edit {
    /// Other text for some bytes.
    pub fn replace(range: Range<usize>, text: impl Into<String>) -> Self {
        Self { range, text: text.into() }
    }

    /// Some bytes go.
    pub fn remove(range: Range<usize>) -> Self {
        Self { range, text: String::new() }
    }

    /// Text before a byte.
    pub fn insert(at: usize, text: impl Into<String>) -> Self {
        Self { range: at..at, text: text.into() }
    }
}

/// Edits in order, each once; those that are the same are one.
///
/// # Errors
/// When two of them want the same bytes.
pub fn in_order<'a>(edits: impl IntoIterator<Item = &'a Edit>) -> Result<Vec<&'a Edit>, Overlap> {
    let mut sorted: Vec<&Edit> = edits.into_iter().collect();
    sorted.sort_by(|one, other| {
        (one.range.start, one.range.end, &one.text).cmp(&(other.range.start, other.range.end, &other.text))
    });
    sorted.dedup();
    match sorted.windows(2).find(|pair| pair[1].range.start < pair[0].range.end) {
        Some(pair) => Err(Overlap(pair[1].range.start)),
        None => Ok(sorted),
    }
}

/// The file with its edits.
///
/// # Errors
/// When two of them want the same bytes, or one is outside of the file.
pub fn apply<'a>(bytes: &[u8], edits: impl IntoIterator<Item = &'a Edit>) -> Result<Vec<u8>, Overlap> {
    let mut out = Vec::with_capacity(bytes.len());
    let mut at = 0;
    for edit in in_order(edits)? {
        out.extend_from_slice(bytes.get(at..edit.range.start).ok_or(Overlap(edit.range.start))?);
        out.extend_from_slice(edit.text.as_bytes());
        at = edit.range.end;
    }
    out.extend_from_slice(bytes.get(at..).ok_or(Overlap(at))?);
    Ok(out)
}

/// A unified diff of one file, as `git apply` and `patch` take it; empty when nothing changes. Bytes that are no UTF-8 show as `�`.
pub fn diff(path: &str, old: &[u8], new: &[u8]) -> String {
    if old == new {
        return String::new();
    }
    let (old, new) = (lines(old), lines(new));
    let mut text = format!("--- a/{path}\n+++ b/{path}\n");
    for hunk in hunks(&changes(&old, &new)) {
        write_hunk(&mut text, &hunk, &old, &new);
    }
    text
}

fn lines(bytes: &[u8]) -> Vec<&[u8]> {
    bytes.split_inclusive(|byte| *byte == b'\n').collect()
}

/// Lines of the old and of the new file that differ.
#[derive(Debug, Clone)]
struct Changed {
    old: Range<usize>,
    new: Range<usize>,
}

/// How far a line is searched for after a change: edits are short, and what is not found is shown as changed.
const WINDOW: usize = 64;

/// What changed, from the top: each time the nearest lines are found that are the same again.
fn changes(old: &[&[u8]], new: &[&[u8]]) -> Vec<Changed> {
    let mut changes = Vec::new();
    let (mut a, mut b) = (0, 0);
    while a < old.len() || b < new.len() {
        if a < old.len() && b < new.len() && old[a] == new[b] {
            (a, b) = (a + 1, b + 1);
            continue;
        }
        let (c, d) = same_again(&old[a..], &new[b..]);
        changes.push(Changed { old: a..a + c, new: b..b + d });
        (a, b) = (a + c, b + d);
    }
    changes
}

fn same_again(old: &[&[u8]], new: &[&[u8]]) -> (usize, usize) {
    for distance in 1..=WINDOW * 2 {
        for skipped in 0..=distance.min(WINDOW) {
            let (a, b) = (skipped, distance - skipped);
            let is_end = a == old.len() && b == new.len();
            if is_end || (a < old.len() && b < new.len() && old[a] == new[b]) {
                return (a, b);
            }
        }
    }
    (old.len(), new.len())
}

/// Changes that are near each other, with the lines around them.
fn hunks(changes: &[Changed]) -> Vec<Vec<Changed>> {
    let mut hunks: Vec<Vec<Changed>> = Vec::new();
    for change in changes {
        match hunks.last_mut() {
            Some(hunk) if hunk.last().is_some_and(|last| change.old.start - last.old.end <= 2 * CONTEXT) => {
                hunk.push(change.clone());
            }
            _ => hunks.push(vec![change.clone()]),
        }
    }
    hunks
}

fn write_hunk(text: &mut String, hunk: &[Changed], old: &[&[u8]], new: &[&[u8]]) {
    let (Some(first), Some(last)) = (hunk.first(), hunk.last()) else { return };
    let before = CONTEXT.min(first.old.start);
    let after = CONTEXT.min(old.len() - last.old.end);
    let (a, b) = (first.old.start - before..last.old.end + after, first.new.start - before..last.new.end + after);
    _ = writeln!(text, "@@ -{} +{} @@", counted(&a), counted(&b));
    let mut at = a.start;
    for change in hunk {
        old[at..change.old.start].iter().for_each(|line| write_line(text, ' ', line));
        old[change.old.clone()].iter().for_each(|line| write_line(text, '-', line));
        new[change.new.clone()].iter().for_each(|line| write_line(text, '+', line));
        at = change.old.end;
    }
    old[at..a.end].iter().for_each(|line| write_line(text, ' ', line));
}

fn counted(range: &Range<usize>) -> String {
    let first = if range.is_empty() { range.start } else { range.start + 1 };
    if range.len() == 1 { first.to_string() } else { format!("{first},{}", range.len()) }
}

fn write_line(text: &mut String, mark: char, line: &[u8]) {
    text.push(mark);
    text.push_str(&String::from_utf8_lossy(line));
    if !line.ends_with(b"\n") {
        text.push_str("\n\\ No newline at end of file\n");
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn edits() {
        let all = [Edit::replace(4..7, "two"), Edit::insert(0, "x"), Edit::remove(7..8), Edit::insert(0, "x")];
        assert_eq!(apply(b"one 222 3", &all).unwrap(), b"xone two3");
        assert_eq!(apply(b"abc", &[Edit::remove(0..2), Edit::remove(1..3)]), Err(Overlap(1)));
        assert_eq!(apply(b"abc", &[Edit::remove(0..9)]), Err(Overlap(9)));
    }

    #[test]
    fn diffs() {
        assert_eq!(diff("f", b"a\n", b"a\n"), "");
        let (old, new) = ("1\n2\n3\n4\n5\n6\n7\n8\n9\n", "1\n2\n3\n4\nfive\n6\n7\n8\n");
        let expect = "--- a/f\n+++ b/f\n@@ -2,8 +2,7 @@\n 2\n 3\n 4\n-5\n+five\n 6\n 7\n 8\n-9\n";
        assert_eq!(diff("f", old.as_bytes(), new.as_bytes()), expect);
        let expect =
            "--- a/f\n+++ b/f\n@@ -1 +1 @@\n-a\n\\ No newline at end of file\n+b\n\\ No newline at end of file\n";
        assert_eq!(diff("f", b"a", b"b"), expect);
    }
}
