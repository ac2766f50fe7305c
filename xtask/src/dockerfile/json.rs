//! Arrays of texts in JSON, with the place of each: the exec form.

use super::Word;
use super::place::{Quoting, Traced};

/// What a text that might be an array is.
pub(super) enum Array {
    /// An array of texts.
    Texts(Vec<Word>),
    /// An array with something else in it, which Docker refuses.
    Mixed,
    /// Not an array: the shell form.
    Other,
}

/// Reads a text that might be an array. As in Docker, whatever is no valid JSON is the shell form.
pub(super) fn array(line: &Traced) -> Array {
    let text = line.text.trim_start();
    if !text.starts_with('[') {
        return Array::Other;
    }
    let skipped = line.text.len() - text.len();
    match (Reader { line, at: skipped }).array() {
        Some(words) => Array::Texts(words),
        None if serde_json::from_str::<Vec<serde::de::IgnoredAny>>(text).is_ok() => Array::Mixed,
        None => Array::Other,
    }
}

struct Reader<'l> {
    line: &'l Traced,
    at: usize,
}

impl Reader<'_> {
    fn rest(&self) -> &str {
        &self.line.text[self.at..]
    }

    /// Goes past blanks and a byte, if that is the next one.
    fn take(&mut self, wanted: char) -> bool {
        let rest = self.rest().trim_start_matches([' ', '\t', '\r', '\n']);
        let found = rest.starts_with(wanted);
        self.at = self.line.text.len() - rest.len() + usize::from(found);
        found
    }

    fn array(&mut self) -> Option<Vec<Word>> {
        let mut words = Vec::new();
        if !self.take('[') {
            return None;
        }
        if !self.take(']') {
            loop {
                if !self.take('"') {
                    return None;
                }
                words.push(self.string()?);
                if self.take(']') {
                    break;
                }
                if !self.take(',') {
                    return None;
                }
            }
        }
        self.rest().trim_matches([' ', '\t', '\r', '\n']).is_empty().then_some(words)
    }

    /// After the opening quote.
    fn string(&mut self) -> Option<Word> {
        let opening = self.at - 1;
        let mut traced = Traced::default();
        traced.push("", self.line.locate(self.at));
        loop {
            let rest = self.rest();
            let plain = rest.find(|c: char| c == '"' || c == '\\' || c < ' ')?;
            self.push(&mut traced, plain);
            match self.rest().as_bytes()[0] {
                b'"' => break,
                b'\\' => {
                    let source = self.line.locate(self.at);
                    let decoded = self.escaped()?;
                    traced.push(decoded.encode_utf8(&mut [0; 4]), source);
                }
                _ => return None,
            }
        }
        self.at += 1;
        Some(Word::new(traced, self.line.extent(opening..self.at), Quoting::Json))
    }

    /// The next so many bytes, as they are; they may have been written on several lines.
    fn push(&mut self, traced: &mut Traced, bytes: usize) {
        if bytes > 0 {
            traced.append(self.line, self.at..self.at + bytes);
            self.at += bytes;
        }
    }

    fn escaped(&mut self) -> Option<char> {
        let letter = self.rest()[1..].chars().next()?;
        self.at += 2;
        Some(match letter {
            '"' | '\\' | '/' => letter,
            'b' => '\u{8}',
            'f' => '\u{c}',
            'n' => '\n',
            'r' => '\r',
            't' => '\t',
            'u' => self.unit()?,
            _ => return None,
        })
    }

    /// `XXXX`, or a pair of them; half a pair is the replacement character, as in Go.
    fn unit(&mut self) -> Option<char> {
        let high = self.digits()?;
        if let Some(c) = char::from_u32(high) {
            return Some(c);
        }
        let before = self.at;
        if self.rest().starts_with("\\u") {
            self.at += 2;
            let low = self.digits()?;
            if high < 0xdc00 && (0xdc00..0xe000).contains(&low) {
                return char::from_u32(0x10000 + ((high - 0xd800) << 10) + (low - 0xdc00));
            }
            self.at = before;
        }
        Some(char::REPLACEMENT_CHARACTER)
    }

    fn digits(&mut self) -> Option<u32> {
        let digits = self.rest().get(..4).filter(|digits| digits.bytes().all(|b| b.is_ascii_hexdigit()))?;
        let unit = u32::from_str_radix(digits, 16).ok()?;
        self.at += 4;
        Some(unit)
    }
}
