//! From TOML to values with places: typed access that collects every problem instead of stopping at the first.
//!
//! serde's derive stops at the first error of a file and loses places under `flatten` and `untagged`. Here a [`Table`] is
//! consumed key by key; what is left at the end is unknown and gets a "did you mean" among the keys that were asked for.

use std::cell::RefCell;
use std::fmt;
use std::rc::Rc;
use std::str::FromStr;

use toml::de::{DeTable, DeValue};

use crate::diagnostic::{Diagnostic, Problems};
use crate::source::{FileId, Span, Spanned};

/// Longest text value, in bytes: a Dockerfile line ends at 64 KiB, and escaping may double a value.
pub const MAX_TEXT: usize = 16 * 1024;

/// What all decoding of one file shares.
#[derive(Debug)]
pub struct Document {
    file: FileId,
    problems: RefCell<Problems>,
}

impl Document {
    /// Decodes `text` with `decode`, which gets the root table. Problems are added to `problems`.
    pub fn read<T>(
        file: FileId,
        text: &str,
        problems: &mut Problems,
        decode: impl FnOnce(&mut Table<'_>) -> Option<T>,
    ) -> Option<T> {
        let document = Self { file, problems: RefCell::default() };
        let (root, errors) = DeTable::parse_recoverable(text);
        for error in &errors {
            let at = document.span(error.span().unwrap_or(0..0));
            document.report(Diagnostic::error("syntax", format!("invalid TOML: {}", error.message())).label(at, ""));
        }
        let span = document.span(0..0);
        let mut table = Table::new(&document, root.get_ref(), span, None);
        let value = decode(&mut table);
        // after a syntax error the rest of the file is a guess: unknown or missing keys would only be noise
        if errors.is_empty() {
            table.finish();
        }
        let mut found = document.problems.into_inner();
        if !errors.is_empty() {
            found.retain(|diagnostic| diagnostic.code == "syntax");
        }
        let failed = found.has_errors();
        problems.append(found);
        value.filter(|_| !failed)
    }

    fn span(&self, range: std::ops::Range<usize>) -> Span {
        Span::new(self.file, range)
    }

    fn report(&self, diagnostic: Diagnostic) {
        self.problems.borrow_mut().push(diagnostic);
    }
}

/// Where a value stands, as dotted keys. It is spelt out only in messages: nearly all values have none.
#[derive(Debug, Clone)]
struct KeyPath<'a> {
    above: Option<Rc<KeyPath<'a>>>,
    key: &'a str,
}

impl fmt::Display for KeyPath<'_> {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut keys: Vec<&str> =
            std::iter::successors(self.above.as_deref(), |path| path.above.as_deref()).map(|path| path.key).collect();
        keys.reverse();
        keys.into_iter().try_for_each(|key| write!(out, "{key}."))?;
        out.write_str(self.key)
    }
}

/// A table that is read key by key.
#[derive(Debug)]
pub struct Table<'a> {
    document: &'a Document,
    /// What was not taken yet, sorted by key.
    entries: Vec<(&'a str, Span, Item<'a>)>,
    asked: Vec<&'static str>,
    /// Where the table stands.
    pub span: Span,
    /// `None` for a whole file.
    path: Option<Rc<KeyPath<'a>>>,
}

impl<'a> Table<'a> {
    fn new(document: &'a Document, table: &'a DeTable<'a>, span: Span, path: Option<Rc<KeyPath<'a>>>) -> Self {
        let entries = table.iter().map(|(key, value)| {
            let name: &'a str = key.get_ref();
            let below = KeyPath { above: path.clone(), key: name };
            let item = Item { document, value: value.get_ref(), span: document.span(value.span()), path: below };
            (name, document.span(key.span()), item)
        });
        let mut entries: Vec<_> = entries.collect();
        entries.sort_unstable_by_key(|(name, ..)| *name);
        Self { document, entries, asked: Vec::new(), span, path }
    }

    /// Takes a key that may be absent.
    pub fn optional(&mut self, key: &'static str) -> Option<Item<'a>> {
        self.asked.push(key);
        let at = self.entries.binary_search_by_key(&key, |(name, ..)| *name).ok()?;
        Some(self.entries.remove(at).2)
    }

    /// Takes a key that must be there; its absence is a problem.
    pub fn required(&mut self, key: &'static str) -> Option<Item<'a>> {
        let item = self.optional(key);
        if item.is_none() {
            let place = self.path.as_ref().map_or_else(|| "this file".to_owned(), |path| format!("`{path}`"));
            self.report(Diagnostic::error("missing-key", format!("{place} has no `{key}`")).label(self.span, ""));
        }
        item
    }

    /// Takes all keys, for tables whose keys are names; a key that is no name is a problem.
    pub fn named<N: FromStr<Err: std::fmt::Display>>(&mut self) -> Vec<(Spanned<N>, Item<'a>)> {
        let mut named = Vec::new();
        for (key, span, item) in std::mem::take(&mut self.entries) {
            match key.parse() {
                Ok(name) => named.push((Spanned::new(name, span), item)),
                Err(error) => {
                    let error: N::Err = error;
                    self.report(Diagnostic::error("invalid-name", error.to_string()).label(span, ""));
                }
            }
        }
        named
    }

    /// How many keys were not taken yet.
    pub fn len(&self) -> usize {
        self.entries.len()
    }

    /// True when no key is left that nobody asked for: what is missing is then missing, not misspelt.
    pub fn is_empty_so_far(&self) -> bool {
        self.entries.is_empty()
    }

    /// Reports every key that nobody asked for.
    pub fn finish(&mut self) {
        for (key, span, _) in std::mem::take(&mut self.entries) {
            let place = self.path.as_ref().map(|path| format!(" in `{path}`")).unwrap_or_default();
            let unknown = Diagnostic::error("unknown-key", format!("unknown key `{key}`{place}")).label(span, "");
            let known = Some(format!("known keys: {}", self.asked.join(", ")));
            let unknown = unknown.suggest(key, self.asked.iter().copied(), known);
            self.report(unknown);
        }
    }

    /// Adds a problem.
    pub fn report(&self, diagnostic: Diagnostic) {
        self.document.report(diagnostic);
    }
}

/// One value of a table or an array.
#[derive(Debug, Clone)]
pub struct Item<'a> {
    document: &'a Document,
    value: &'a DeValue<'a>,
    /// Where the value stands.
    pub span: Span,
    path: KeyPath<'a>,
}

impl<'a> Item<'a> {
    /// Adds a problem at this value.
    pub fn report(&self, code: &'static str, message: impl Into<String>) {
        self.document.report(Diagnostic::error(code, message).label(self.span, ""));
    }

    /// Adds a problem at this value, with a next step.
    pub fn report_with_help(&self, code: &'static str, message: impl Into<String>, help: impl Into<String>) {
        self.document.report(Diagnostic::error(code, message).label(self.span, "").help(help));
    }

    /// Adds a problem with places of its own.
    pub fn diagnose(&self, diagnostic: Diagnostic) {
        self.document.report(diagnostic);
    }

    fn wrong_type<T>(&self, wanted: &str) -> Option<T> {
        let found = self.value.type_str();
        self.report("wrong-type", format!("`{}` must be {wanted}, found {found}", self.path));
        None
    }

    /// The raw string, whatever it holds.
    fn string(&self) -> Option<&'a str> {
        match self.value {
            DeValue::String(text) => Some(text),
            _ => self.wrong_type("a string"),
        }
    }

    /// True when the value is a table, for keys that may be a text or a table.
    pub fn is_table(&self) -> bool {
        matches!(self.value, DeValue::Table(_))
    }

    /// True when the value is an array, for keys that may be a text or a list.
    pub fn is_array(&self) -> bool {
        matches!(self.value, DeValue::Array(_))
    }

    /// One line of text: not empty, no control characters, at most [`MAX_TEXT`] bytes.
    pub fn line(&self) -> Option<Spanned<String>> {
        let text = self.text()?;
        if let Some(control) = text.value.chars().find(|c| c.is_control()) {
            let what = control.escape_default();
            self.report(
                "control-character",
                format!("`{}` must be one line without control characters, found `{what}`", self.path),
            );
            return None;
        }
        Some(text)
    }

    /// Text of one or several lines: not empty, no control characters but newline and tab.
    pub fn text(&self) -> Option<Spanned<String>> {
        let text = self.string()?;
        if text.trim().is_empty() {
            self.report_with_help(
                "empty-value",
                format!("`{}` is empty", self.path),
                "an empty value is not \"unset\": remove the key instead",
            );
            return None;
        }
        if text.len() > MAX_TEXT {
            self.report(
                "too-long",
                format!("`{}` has {} bytes; at most {MAX_TEXT} are allowed", self.path, text.len()),
            );
            return None;
        }
        if let Some(control) = text.chars().find(|&c| c.is_control() && c != '\n' && c != '\t') {
            self.report(
                "control-character",
                format!("`{}` holds the control character `{}`", self.path, control.escape_default()),
            );
            return None;
        }
        Some(Spanned::new(text.to_owned(), self.span))
    }

    /// Any one-line text, which may be empty: for values where empty is a value, such as an environment variable.
    pub fn line_or_empty(&self) -> Option<Spanned<String>> {
        if self.string()?.is_empty() { Some(Spanned::new(String::new(), self.span)) } else { self.line() }
    }

    /// A text that another type parses. The next step of an error is on a line of its own.
    pub fn parsed<T: FromStr<Err: std::fmt::Display>>(&self) -> Option<Spanned<T>> {
        let text = self.line()?;
        match text.value.parse() {
            Ok(value) => Some(Spanned::new(value, self.span)),
            Err(error) => {
                let error: T::Err = error;
                let text = format!("`{}`: {error}", self.path);
                match text.split_once("\nhint: ") {
                    Some((message, hint)) => self.report_with_help("invalid-value", message, hint),
                    None => self.report("invalid-value", text),
                }
                None
            }
        }
    }

    /// A boolean.
    pub fn boolean(&self) -> Option<bool> {
        match self.value {
            DeValue::Boolean(value) => Some(*value),
            _ => self.wrong_type("true or false"),
        }
    }

    /// A whole number in a range.
    pub fn integer(&self, range: std::ops::RangeInclusive<i64>) -> Option<Spanned<i64>> {
        let DeValue::Integer(number) = self.value else { return self.wrong_type("a whole number") };
        let value = i64::from_str_radix(number.as_str(), number.radix()).ok();
        match value.filter(|value| range.contains(value)) {
            Some(value) => Some(Spanned::new(value, self.span)),
            None => {
                self.report(
                    "out-of-range",
                    format!("`{}` must be between {} and {}", self.path, range.start(), range.end()),
                );
                None
            }
        }
    }

    /// The items of an array.
    pub fn array(&self) -> Option<Vec<Item<'a>>> {
        let DeValue::Array(items) = self.value else { return self.wrong_type("an array") };
        let items = items.iter().map(|value| Item {
            document: self.document,
            value: value.get_ref(),
            span: self.document.span(value.span()),
            path: self.path.clone(),
        });
        Some(items.collect())
    }

    /// Every item of an array through `each`; items with problems are left out.
    pub fn list<T>(&self, each: impl FnMut(&Item<'a>) -> Option<T>) -> Option<Vec<T>> {
        Some(self.array()?.iter().filter_map(each).collect())
    }

    /// A table, read by `decode`; keys that it does not ask for are problems.
    pub fn table<T>(&self, decode: impl FnOnce(&mut Table<'a>) -> Option<T>) -> Option<T> {
        let DeValue::Table(table) = self.value else { return self.wrong_type("a table") };
        let mut table = Table::new(self.document, table, self.span, Some(Rc::new(self.path.clone())));
        let value = decode(&mut table);
        table.finish();
        value
    }
}
