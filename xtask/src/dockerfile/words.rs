//! How an instruction falls into words. Docker has several ways: at blanks (`COPY`, `FROM`), at blanks outside of quotes
//! (`ENV`, `LABEL`, `ARG`), and flags, in which quotes and escapes are taken away at once.

use std::ops::Range;

use super::place::{Quoting, Traced};
use super::{Flag, Word};

/// The blanks between words; others, as the no-break space, part only `ENV`, `LABEL` and `ARG`.
pub(super) const BLANKS: [char; 5] = ['\t', '\u{b}', '\u{c}', '\r', ' '];

/// A range without the blanks at both ends.
pub(super) fn trim(text: &str, range: Range<usize>) -> Range<usize> {
    let start = range.end - text[range.clone()].trim_start().len();
    let end = start + text[start..range.end].trim_end().len();
    start..end
}

/// The first word, and what follows it and the blanks after it.
pub(super) fn first(text: &str, range: Range<usize>) -> (Range<usize>, Range<usize>) {
    let line = &text[range.clone()];
    let end = line.find(BLANKS).unwrap_or(line.len());
    let next = line.len() - line[end..].trim_start_matches(BLANKS).len();
    (range.start..range.start + end, range.start + next..range.end)
}

/// Words between blanks.
pub(super) fn between_blanks(line: &Traced, range: Range<usize>) -> Vec<Word> {
    let mut words = Vec::new();
    let mut rest = range;
    while !rest.is_empty() {
        let (word, after) = first(&line.text, rest);
        if !word.is_empty() {
            words.push(plain(line, word));
        }
        rest = after;
    }
    words
}

/// A range as one word.
pub(super) fn plain(line: &Traced, range: Range<usize>) -> Word {
    Word::new(line.part(range.clone()), line.extent(range), Quoting::Plain)
}

/// A text as one word in double quotes, which is read as it is wherever quotes count (`ENV`, `LABEL`, `ARG`) and `\` escapes:
/// quotes, backslashes and `$` lose their meaning. A line break cannot be quoted.
pub(crate) fn double_quoted(text: &str) -> String {
    let mut quoted = String::with_capacity(text.len() + 2);
    quoted.push('"');
    for character in text.chars() {
        if matches!(character, '"' | '\\' | '$') {
            quoted.push('\\');
        }
        quoted.push(character);
    }
    quoted.push('"');
    quoted
}

/// Words between blanks outside of quotes; quotes and escapes stay.
pub(super) fn quoted(line: &Traced, range: Range<usize>, escape: char) -> Vec<Word> {
    let mut words = Vec::new();
    let (mut start, mut quote) = (None, None);
    let mut chars = line.text[range.clone()].char_indices();
    while let Some((at, c)) = chars.next() {
        let at = range.start + at;
        match quote {
            None if c.is_whitespace() => {
                words.extend(start.take().map(|start| plain(line, start..at)));
                continue;
            }
            None if c == '\'' || c == '"' => quote = Some(c),
            Some(open) if c == open => quote = None,
            // what follows an escape is no quote and no blank; in single quotes nothing escapes
            _ if c == escape && quote != Some('\'') => _ = chars.next(),
            _ => {}
        }
        start = start.or(Some(at));
    }
    words.extend(start.map(|start| plain(line, start..range.end)));
    words
}

/// The flags at the start of a range, and what follows them.
pub(super) fn flags(line: &Traced, mut rest: Range<usize>) -> (Vec<Flag>, Range<usize>) {
    let mut flags = Vec::new();
    loop {
        rest = trim(&line.text, rest);
        if !line.text[rest.clone()].starts_with("--") {
            return (flags, rest);
        }
        let (flag, end) = flag(line, rest.clone());
        rest.start = end;
        match flag {
            // a bare `--` ends them
            None => return (flags, trim(&line.text, rest)),
            Some(flag) => flags.push(flag),
        }
    }
}

/// The flag at the start of a range, and its end.
fn flag(line: &Traced, range: Range<usize>) -> (Option<Flag>, usize) {
    let mut word = Traced::default();
    let (mut end, mut quote, mut equals) = (range.end, None, None);
    let mut chars = line.text[range.clone()].char_indices();
    while let Some((at, mut c)) = chars.next() {
        let mut at = range.start + at;
        match quote {
            None if c.is_whitespace() => {
                end = at;
                break;
            }
            None if c == '\'' || c == '"' => {
                quote = Some(c);
                continue;
            }
            Some(open) if c == open => {
                quote = None;
                continue;
            }
            // here it is always this one
            _ if c == '\\' => match chars.next() {
                Some((next, escaped)) => (at, c) = (range.start + next, escaped),
                None => break,
            },
            None if c == '=' && equals.is_none() => equals = Some((word.text.len(), at + 1)),
            _ => {}
        }
        word.append(line, at..at + c.len_utf8());
    }
    if word.text == "--" {
        return (None, end);
    }
    let name_end = equals.map_or(word.text.len(), |(name_end, _)| name_end);
    let value = equals.map(|(name_end, start)| {
        let span = line.extent(start..end);
        let mut value = Traced::default();
        value.push("", span.start);
        value.append(&word, name_end + 1..word.text.len());
        Word::new(value, span, Quoting::Flag)
    });
    let name = word.text.get(2..name_end).unwrap_or_default().to_owned();
    (Some(Flag { span: line.extent(range.start..end), name, value }), end)
}

/// Where a mark such as `<<EOF` may stand: words as the shell has them, quotes and escapes kept. `None` when quotes or
/// braces do not fit together; Docker then sees no heredoc.
pub(super) fn shell(text: &str) -> Option<Vec<Range<usize>>> {
    let mut lexer = Shell { text, chars: text.char_indices().peekable(), words: Vec::new(), start: None };
    lexer.until(None, 0)?;
    lexer.end_word(text.len());
    Some(lexer.words)
}

/// Deepest nesting of `${…}`; what is deeper is no Dockerfile that somebody wrote.
pub(super) const MAX_DEPTH: usize = 100;

struct Shell<'t> {
    text: &'t str,
    chars: std::iter::Peekable<std::str::CharIndices<'t>>,
    words: Vec<Range<usize>>,
    start: Option<usize>,
}

impl Shell<'_> {
    fn end_word(&mut self, at: usize) {
        self.words.extend(self.start.take().map(|start| start..at));
    }

    /// Goes past everything up to and with `stop`.
    fn until(&mut self, stop: Option<char>, depth: usize) -> Option<()> {
        while let Some((at, c)) = self.chars.next() {
            if Some(c) == stop {
                return Some(());
            }
            if c.is_whitespace() {
                self.end_word(at);
                continue;
            }
            self.start = self.start.or(Some(at));
            match c {
                '\'' => self.chars.by_ref().find(|(_, c)| *c == '\'').map(drop)?,
                '"' => self.double_quotes(depth)?,
                '$' => self.dollar(depth)?,
                '\\' => _ = self.chars.next(),
                _ => {}
            }
        }
        stop.is_none().then_some(())
    }

    fn double_quotes(&mut self, depth: usize) -> Option<()> {
        loop {
            match self.chars.next()?.1 {
                '"' => return Some(()),
                '$' => self.dollar(depth)?,
                '\\' if self.chars.peek().is_some_and(|(_, c)| ['"', '$', '\\'].contains(c)) => _ = self.chars.next(),
                _ => {}
            }
        }
    }

    fn dollar(&mut self, depth: usize) -> Option<()> {
        let open = self.chars.next_if(|(_, c)| *c == '{');
        let Some((at, _)) = open else { return Some(()) };
        if depth > MAX_DEPTH {
            return None;
        }
        let rest = &self.text[at + 1..];
        let name = rest.len() - rest.trim_start_matches(|c: char| c.is_alphanumeric() || c == '_').len();
        let special = usize::from(name == 0 && rest.starts_with(['@', '*', '#', '?', '-', '$', '!']));
        let end = at + 1 + name + special;
        while self.chars.next_if(|(at, _)| *at < end).is_some() {}
        match self.chars.next()?.1 {
            '}' => Some(()).filter(|()| end > at + 1),
            ':' if ['+', '-', '?'].contains(&self.chars.next()?.1) => self.until(Some('}'), depth + 1),
            '+' | '-' | '?' | '#' | '%' => self.until(Some('}'), depth + 1),
            '/' => {
                self.until(Some('/'), depth + 1)?;
                self.until(Some('}'), depth + 1)
            }
            _ => None,
        }
    }
}

/// A mark of a heredoc.
pub(super) struct Mark {
    pub name: String,
    pub expand: bool,
    pub strip_tabs: bool,
}

/// The mark that a word is, if it is one: `<<NAME`, `<<-NAME`, `3<<NAME`, with or without quotes.
pub(super) fn mark(word: &str) -> Option<Mark> {
    let rest = word.trim_start_matches(|c: char| c.is_ascii_digit()).strip_prefix("<<")?;
    let (rest, strip_tabs) = rest.strip_prefix('-').map_or((rest, false), |rest| (rest, true));
    if rest.contains('<') {
        return None;
    }
    let (mut name, mut quote, mut expand) = (String::new(), None, true);
    let mut chars = rest.chars().peekable();
    while let Some(c) = chars.next() {
        match quote {
            None if c == '\'' || c == '"' => (quote, expand) = (Some(c), false),
            Some(open) if c == open => quote = None,
            None if c == '\\' => name.extend(chars.next()),
            Some('"') if c == '\\' => name.push(chars.next_if(|c| ['"', '$', '\\'].contains(c)).unwrap_or(c)),
            None if c.is_whitespace() => return None,
            _ => name.push(c),
        }
    }
    (quote.is_none() && !name.is_empty()).then_some(Mark { name, expand, strip_tabs })
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use proptest::prelude::*;

    use super::super::{Dockerfile, evaluate};
    use super::double_quoted;

    /// The value of a label that is written so.
    fn read(written: &str) -> Option<String> {
        let file = Dockerfile::parse(&format!("FROM scratch\nLABEL a={written}\n")).ok()?;
        let facts = evaluate(&file, None, &BTreeMap::new()).ok()?;
        facts.labels.get("a")?.value.known().map(str::to_owned)
    }

    #[test]
    fn double_quotes() {
        for (text, expect) in [
            ("plain", r#""plain""#),
            ("", r#""""#),
            ("a b", r#""a b""#),
            (r#"say "hi""#, r#""say \"hi\"""#),
            ("${HOME} $(id)", r#""\${HOME} \$(id)""#),
            (r"back\slash\", r#""back\\slash\\""#),
            ("# no comment", r##""# no comment""##),
            ("it's", r#""it's""#),
        ] {
            assert_eq!(double_quoted(text), expect);
            assert_eq!(read(expect).as_deref(), Some(text));
        }
    }

    proptest! {
        #[test]
        fn what_is_quoted_is_read_as_it_was(text in r#"([ -~]|["\\$'`{}#]|\t|\PC){0,12}"#) {
            prop_assert_eq!(read(&double_quoted(&text)), Some(text));
        }
    }
}
