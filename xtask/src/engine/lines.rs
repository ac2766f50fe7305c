//! Bytes, cut anywhere, into whole lines that are safe to show; the last of them, for the failure.

use std::collections::VecDeque;

use super::LOG_TAIL;

/// A line longer than this is cut, so that a step that writes no line ends cannot fill the memory.
const LONGEST: usize = 16 * 1024;

/// Collects the bytes of one step.
#[derive(Debug, Default)]
pub(super) struct Lines {
    rest: Vec<u8>,
}

impl Lines {
    /// Takes bytes, gives the lines that are now complete.
    pub(super) fn push(&mut self, bytes: &[u8]) -> Vec<String> {
        let mut lines = Vec::new();
        for part in bytes.split_inclusive(|byte| *byte == b'\n') {
            self.rest.extend_from_slice(part);
            if part.ends_with(b"\n") || self.rest.len() >= LONGEST {
                lines.push(clean(&self.rest));
                self.rest.clear();
            }
        }
        lines
    }

    /// The last line, when it has no end.
    pub(super) fn finish(&mut self) -> Option<String> {
        let rest = std::mem::take(&mut self.rest);
        (!rest.is_empty()).then(|| clean(&rest))
    }
}

/// The last [`LOG_TAIL`] lines of a step.
#[derive(Debug, Clone, Default)]
pub(super) struct Tail(VecDeque<String>);

impl Tail {
    /// Takes a line; the oldest makes room for it.
    pub(super) fn push(&mut self, line: String) {
        if self.0.len() == LOG_TAIL {
            self.0.pop_front();
        }
        self.0.push_back(line);
    }

    /// The lines, oldest first.
    pub(super) fn iter(&self) -> impl Iterator<Item = &String> {
        self.0.iter()
    }
}

impl From<Tail> for Vec<String> {
    fn from(tail: Tail) -> Self {
        tail.0.into()
    }
}

/// What a terminal would show of a line: the text after the last return, without escape sequences and other control
/// characters. A build must not be able to repaint the terminal of whoever reads its log.
fn clean(line: &[u8]) -> String {
    let text = String::from_utf8_lossy(line);
    let text = text.trim_end_matches(['\n', '\r']);
    let shown = text.rsplit('\r').next().unwrap_or_default();
    let mut out = String::with_capacity(shown.len());
    let mut chars = shown.chars().peekable();
    while let Some(character) = chars.next() {
        match character {
            '\u{1b}' => skip_escape(&mut chars),
            '\t' => out.push('\t'),
            _ if character.is_control() => {}
            _ => out.push(character),
        }
    }
    out
}

/// Skips the rest of an escape sequence: `[ … letter` (CSI), `] … BEL` (OSC), or a single character.
fn skip_escape(chars: &mut std::iter::Peekable<std::str::Chars<'_>>) {
    match chars.next() {
        Some('[') => while chars.next().is_some_and(|character| !('@'..='~').contains(&character)) {},
        Some(']') => while chars.next().is_some_and(|character| character != '\u{7}' && character != '\\') {},
        _ => {}
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(pieces: &[&[u8]], expect: &[&str]) {
        let mut lines = Lines::default();
        let mut all: Vec<String> = pieces.iter().flat_map(|piece| lines.push(piece)).collect();
        all.extend(lines.finish());
        assert_eq!(all, expect);
    }

    #[test]
    fn a_tail_is_short() {
        let mut tail = Tail::default();
        (0..LOG_TAIL + 2).for_each(|number| tail.push(number.to_string()));
        let expect: Vec<String> = (2..LOG_TAIL + 2).map(|number| number.to_string()).collect();
        assert!(tail.iter().eq(&expect));
        assert_eq!(Vec::from(tail), expect);
    }

    #[test]
    fn lines_are_whole() {
        check(&[b"a\nb\n"], &["a", "b"]);
        check(&[b"a", b"b\nc"], &["ab", "c"]);
        check(&[b"\n\n"], &["", ""]);
        check(&[b""], &[]);
        check(&["gr".as_bytes(), &[0xc3], &[0xb6, b'\n']], &["grö"]);
        check(&[&[0xff, b'\n']], &["\u{fffd}"]);
    }

    #[test]
    fn terminals_are_safe() {
        check(&[b"10%\r50%\r100%\r\n"], &["100%"]);
        check(&[b"\x1b[1;31merror\x1b[0m: x\x07\n"], &["error: x"]);
        check(&[b"\x1b]0;title\x07text\n"], &["text"]);
        check(&[b"a\tb\n"], &["a\tb"]);
    }

    #[test]
    fn endless_lines_are_cut() {
        let mut lines = Lines::default();
        let count: usize = (0..100).map(|_| lines.push(&[b'x'; 1024]).len()).sum();
        assert_eq!(count, 100 * 1024 / LONGEST);
    }
}
