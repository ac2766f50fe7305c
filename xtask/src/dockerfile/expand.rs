//! Variables in words: what BuildKit's `shell/lex.go` does with quotes, escapes, `$x` and `${x…}`.

use regex::{NoExpand, Regex};

use super::error::DockerfileError;
use super::scope::{Found, Scope};
use super::words::MAX_DEPTH;
use super::{Extent, Unknown, Value, Word};

/// The longest value that a word may grow to. Real ones are thousands of times shorter.
const MAX_VALUE: usize = 1 << 20;

/// What a word becomes.
pub(super) struct Expanded {
    pub value: Value,
    /// The same, fallen into words at blanks that are not quoted; only `EXPOSE` does that.
    pub words: Vec<String>,
    /// Every variable in it: its name, and where the name stands.
    pub variables: Vec<(String, Extent)>,
}

/// Replaces variables and takes quotes and escapes away.
///
/// # Errors
/// Open quotes and braces, unknown modifiers, and what `${x?message}` says.
pub(super) fn expand(word: &Word, scope: &Scope, escape: char) -> Result<Expanded, DockerfileError> {
    Expander::new(word, scope, escape, true).finish()
}

/// The same for the text of a heredoc, in which quotes are nothing special and `\` escapes, whatever the directive says.
pub(super) fn expand_text(word: &Word, scope: &Scope) -> Result<Expanded, DockerfileError> {
    Expander::new(word, scope, '\\', false).finish()
}

struct Expander<'a> {
    word: &'a Word,
    text: &'a str,
    at: usize,
    scope: &'a Scope,
    escape: char,
    quotes: bool,
    depth: usize,
    because: Vec<Unknown>,
    variables: Vec<(String, Extent)>,
}

/// A text on its way.
#[derive(Default)]
struct Output {
    text: String,
    words: Vec<String>,
    last: String,
}

impl Output {
    /// Adds what may part words.
    fn push(&mut self, c: char) {
        self.text.push(c);
        if !c.is_whitespace() {
            self.last.push(c);
        } else if !self.last.is_empty() {
            self.words.push(std::mem::take(&mut self.last));
        }
    }

    /// Adds what is quoted.
    fn push_quoted(&mut self, text: &str) {
        self.text.push_str(text);
        self.last.push_str(text);
    }
}

impl<'a> Expander<'a> {
    fn new(word: &'a Word, scope: &'a Scope, escape: char, quotes: bool) -> Self {
        let (because, variables) = (Vec::new(), Vec::new());
        Self { word, text: word.text(), at: 0, scope, escape, quotes, depth: 0, because, variables }
    }

    fn finish(mut self) -> Result<Expanded, DockerfileError> {
        // most words are plain
        if !self.text.contains(['$', '"', '\'', self.escape]) {
            let words = self.text.split_whitespace().map(str::to_owned).collect();
            return Ok(Expanded { value: Value::Known(self.text.to_owned()), words, variables: Vec::new() });
        }
        let mut output = self.until(None, false)?;
        if !output.last.is_empty() {
            output.words.push(output.last);
        }
        let value = Value::new(output.text, self.because);
        Ok(Expanded { value, words: output.words, variables: self.variables })
    }

    fn peek(&self) -> Option<char> {
        self.text[self.at..].chars().next()
    }

    fn next(&mut self) -> Option<char> {
        let c = self.peek()?;
        self.at += c.len_utf8();
        Some(c)
    }

    fn wrong(&self, start: usize, message: impl Into<String>) -> DockerfileError {
        DockerfileError::new(self.word.extent(start..self.at.max(start)), message)
    }

    /// Everything up to `stop`, which is passed over, or to the end.
    fn until(&mut self, stop: Option<char>, raw: bool) -> Result<Output, DockerfileError> {
        let mut output = Output::default();
        let start = self.at;
        while let Some(c) = self.peek() {
            if output.text.len() > MAX_VALUE {
                return Err(self.wrong(start, "this value grows beyond a megabyte").help("write it shorter"));
            }
            match c {
                _ if Some(c) == stop => {
                    self.next();
                    return Ok(output);
                }
                '\'' if self.quotes => output.push_quoted(self.single_quotes()?),
                '"' if self.quotes => output.push_quoted(&self.double_quotes(raw)?),
                '$' => self.dollar()?.chars().for_each(|c| output.push(c)),
                _ => {
                    self.next();
                    if c == self.escape {
                        if raw {
                            output.push_quoted(self.escape.encode_utf8(&mut [0; 4]));
                        }
                        if let Some(escaped) = self.next() {
                            output.push_quoted(escaped.encode_utf8(&mut [0; 4]));
                        }
                    } else {
                        output.push(c);
                    }
                }
            }
        }
        match stop {
            Some(stop) => Err(self.wrong(start.saturating_sub(1), format!("a `{stop}` is missing")).help("add it")),
            None => Ok(output),
        }
    }

    fn single_quotes(&mut self) -> Result<&'a str, DockerfileError> {
        let start = self.at;
        self.next();
        let Some(length) = self.text[self.at..].find('\'') else {
            self.at = self.text.len();
            return Err(self.wrong(start, "this quote is not closed").help("add a `'`"));
        };
        let inside = &self.text[self.at..self.at + length];
        self.at += length + 1;
        Ok(inside)
    }

    fn double_quotes(&mut self, raw: bool) -> Result<String, DockerfileError> {
        let start = self.at;
        self.next();
        let mut inside = String::new();
        while let Some(c) = self.peek() {
            if inside.len() > MAX_VALUE {
                return Err(self.wrong(start, "this value grows beyond a megabyte").help("write it shorter"));
            }
            if c == '$' {
                inside.push_str(&self.dollar()?);
                continue;
            }
            self.next();
            if c == '"' {
                return Ok(inside);
            }
            if c != self.escape {
                inside.push(c);
                continue;
            }
            inside.extend(Some(c).filter(|_| raw));
            match self.peek() {
                // one at the end is passed over
                None => {}
                Some(escaped) if escaped == '"' || escaped == '$' || escaped == self.escape => {
                    self.next();
                    inside.push(escaped);
                }
                Some(_) => inside.push(c),
            }
        }
        Err(self.wrong(start, "this quote is not closed").help("add a `\"`"))
    }

    /// A name; one that begins with a digit has only digits, and some marks are names of their own.
    fn name(&mut self) -> (String, Extent) {
        let rest = &self.text[self.at..];
        let is_name = |c: char| c.is_alphanumeric() || c == '_';
        let length = match rest.chars().next() {
            Some(c) if c.is_numeric() => rest.find(|c: char| !c.is_numeric()).unwrap_or(rest.len()),
            Some('@' | '*' | '#' | '?' | '-' | '$' | '!') => 1,
            _ => rest.find(|c| !is_name(c)).unwrap_or(rest.len()),
        };
        let range = self.at..self.at + length;
        self.at = range.end;
        (self.text[range.clone()].to_owned(), self.word.extent(range))
    }

    fn dollar(&mut self) -> Result<String, DockerfileError> {
        let start = self.at;
        self.next();
        if self.peek() != Some('{') {
            let (name, place) = self.name();
            if name.is_empty() {
                return Ok("$".to_owned());
            }
            return Ok(self.plain(name, place));
        }
        self.next();
        self.depth += 1;
        if self.depth > MAX_DEPTH {
            return Err(self.wrong(start, "variables are nested too deep").help("use an ARG for a part of it"));
        }
        let value = self.braces(start);
        self.depth -= 1;
        value
    }

    /// After `${`.
    fn braces(&mut self, start: usize) -> Result<String, DockerfileError> {
        const BAD: &str = "this is no variable";
        const HELP: &str = "write `${name}`, or a `\\` before the `$`";
        if matches!(self.peek(), None | Some('{' | '}' | ':')) {
            return Err(self.wrong(start, BAD).help(HELP));
        }
        let (name, place) = self.name();
        let mut modifier = self.next();
        let is_colon = modifier == Some(':');
        if is_colon {
            modifier = self.next();
        }
        match modifier {
            None => Err(self.wrong(start, "a `}` is missing").help("add it")),
            Some('}') if !is_colon => Ok(self.plain(name, place)),
            Some(c @ ('-' | '+' | '?')) => self.conditional(start, c, is_colon, name, place),
            Some(c @ ('#' | '%')) if !is_colon => {
                let pattern = self.until(Some('}'), true)?.text;
                let value = self.plain(name, place);
                let (greedy, pattern) = pattern.strip_prefix(c).map_or((false, pattern.as_str()), |rest| (true, rest));
                let trimmed =
                    if c == '#' { trim_start(pattern, &value, greedy) } else { trim_end(pattern, &value, greedy) };
                trimmed.ok_or_else(|| self.wrong(start, "this is no pattern").help("`*` and `?` may stand in it"))
            }
            Some('/') if !is_colon => {
                let all = self.peek() == Some('/');
                if all {
                    self.next();
                }
                let pattern = self.until(Some('/'), true)?.text;
                let new = self.until(Some('}'), true)?.text;
                let value = self.plain(name, place);
                let pattern = regex(&pattern, true, "")
                    .ok_or_else(|| self.wrong(start, "this is no pattern").help("`*` and `?` may stand in it"))?;
                let limit = usize::from(!all);
                Ok(pattern.replacen(&value, limit, NoExpand(&new)).into_owned())
            }
            Some(c) => Err(self.wrong(start, format!("`{c}` is no modifier of a variable")).help(HELP)),
        }
    }

    /// The value of a variable; noted when it has none.
    fn plain(&mut self, name: String, span: Extent) -> String {
        let text = match self.scope.find(&name) {
            Found::Value(value) => {
                self.because.extend_from_slice(value.because());
                value.otherwise().to_owned()
            }
            Found::Nothing { reason, .. } => {
                self.because.push(Unknown { name: name.clone(), span, reason });
                String::new()
            }
        };
        self.variables.push((name, span));
        text
    }

    /// `${x:-word}` and its kin.
    fn conditional(
        &mut self,
        start: usize,
        modifier: char,
        is_colon: bool,
        name: String,
        span: Extent,
    ) -> Result<String, DockerfileError> {
        self.variables.push((name.clone(), span));
        let reasons = self.because.len();
        let word = self.until(Some('}'), false)?.text;
        let of_word = self.because.split_off(reasons);
        let (value, unknown) = match self.scope.find(&name) {
            Found::Value(value) => (Some(value.otherwise().to_owned()), value.because().to_vec()),
            Found::Nothing { sure: true, .. } => (None, Vec::new()),
            Found::Nothing { reason, .. } => (None, vec![Unknown { name: name.clone(), span, reason }]),
        };
        let value = value.filter(|value| !(is_colon && value.is_empty()));
        self.because.extend(unknown);
        match (modifier, value) {
            ('-', None) | ('+', Some(_)) => {
                self.because.extend(of_word);
                Ok(word)
            }
            ('-' | '?', Some(value)) => Ok(value),
            ('+', None) => Ok(String::new()),
            // whoever gives the value of an unknown one satisfies it
            _ if self.because.len() > reasons => Ok(String::new()),
            _ => {
                let said = if word.is_empty() { "must be set".to_owned() } else { word };
                Err(self.wrong(start, format!("{name}: {said}")).help(format!("give the argument `{name}` a value")))
            }
        }
    }
}

/// A shell pattern as a regular expression that begins with `anchor`.
fn regex(pattern: &str, greedy: bool, anchor: &str) -> Option<Regex> {
    let mut source = anchor.to_owned();
    let mut chars = pattern.chars().peekable();
    while let Some(mut c) = chars.next() {
        match c {
            '*' => source.push_str(if greedy { ".*" } else { ".*?" }),
            '?' => source.push('.'),
            _ => {
                if c == '\\' {
                    c = chars.next()?;
                    if !['}', '/', '*', '?', '\\'].contains(&c) {
                        return None;
                    }
                }
                source.push_str(&regex::escape(c.encode_utf8(&mut [0; 4])));
            }
        }
    }
    Regex::new(&source).ok()
}

fn trim_start(pattern: &str, value: &str, greedy: bool) -> Option<String> {
    let found = regex(pattern, greedy, "^")?.find(value).map_or(0, |found| found.end());
    Some(value[found..].to_owned())
}

/// The shortest or longest end is the start of the text read backwards.
fn trim_end(pattern: &str, value: &str, greedy: bool) -> Option<String> {
    let mut pieces = Vec::new();
    let mut chars = pattern.chars();
    while let Some(c) = chars.next() {
        let escaped = if c == '\\' { chars.next() } else { None };
        pieces.push([Some(c), escaped].into_iter().flatten().collect::<String>());
    }
    pieces.reverse();
    let backwards: String = value.chars().rev().collect();
    trim_start(&pieces.concat(), &backwards, greedy).map(|rest| rest.chars().rev().collect())
}
