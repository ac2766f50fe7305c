//! One value, read as one of a few forms; whatever else stands there is a problem.

use std::rc::Rc;

use toml::de::DeValue;

use super::{Document, KeyPath, MAX_TEXT, Table};
use crate::diagnostic::Diagnostic;
use crate::manifest::policy::{Date, DateError};
use crate::manifest::shape::{Form, Run, Step};
use crate::manifest::text::{Text, Texts};
use crate::source::{Span, Spanned};

/// One value of a table or an array.
#[derive(Debug, Clone)]
pub struct Item<'a> {
    pub(super) document: &'a Document,
    pub(super) value: &'a DeValue<'a>,
    /// Where the value stands.
    pub span: Span,
    pub(super) path: KeyPath<'a>,
    /// Where it would stand, when there is nothing to read.
    pub(super) steps: Option<Vec<Step>>,
}

impl<'a> Item<'a> {
    /// Where there is nothing to read, writes down what is asked for, and says so.
    fn is_nothing(&self, form: impl FnOnce() -> Form) -> bool {
        let (Some(asking), Some(steps)) = (&self.document.asking, &self.steps) else { return false };
        asking.borrow_mut().at(steps).add(form());
        true
    }

    fn is_run(&self, run: Run) -> bool {
        self.document.asking.as_ref().is_some_and(|asking| asking.borrow().run == run)
    }

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
        if self.is_nothing(|| Form::text::<String>(Texts::Any)) {
            return None;
        }
        match self.value {
            DeValue::String(text) => Some(text),
            _ => self.wrong_type("a string"),
        }
    }

    /// True when the value is a table, for keys that may be a text or a table.
    pub fn is_table(&self) -> bool {
        self.is_run(Run::Table) || matches!(self.value, DeValue::Table(_))
    }

    /// True when the value is an array, for keys that may be a text or a list.
    pub fn is_array(&self) -> bool {
        self.is_run(Run::Array) || matches!(self.value, DeValue::Array(_))
    }

    /// One line of text: not empty, no control characters, at most [`MAX_TEXT`] bytes.
    pub fn line(&self) -> Option<Spanned<String>> {
        Some(Spanned::new(self.line_str()?.to_owned(), self.span))
    }

    /// [`Item::line`], where it stands.
    fn line_str(&self) -> Option<&'a str> {
        let text = self.text_str()?;
        if let Some(control) = text.chars().find(|c| c.is_control()) {
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
        Some(Spanned::new(self.text_str()?.to_owned(), self.span))
    }

    /// [`Item::text`], where it stands.
    fn text_str(&self) -> Option<&'a str> {
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
        Some(text)
    }

    /// Any one-line text, which may be empty: for values where empty is a value, such as an environment variable.
    pub fn line_or_empty(&self) -> Option<Spanned<String>> {
        if self.is_nothing(|| Form::text::<String>(Texts::OrEmpty)) {
            return None;
        }
        if self.string()?.is_empty() { Some(Spanned::new(String::new(), self.span)) } else { self.line() }
    }

    /// A text that another type parses. The next step of an error is on a line of its own.
    pub fn parsed<T: Text>(&self) -> Option<Spanned<T>> {
        if self.is_nothing(|| Form::text::<T>(T::texts())) {
            return None;
        }
        let text = self.line_str()?;
        match text.parse() {
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

    /// A day: a TOML date, or a text that says one.
    pub fn date(&self) -> Option<Spanned<Date>> {
        if self.is_nothing(|| Form::Date) {
            return None;
        }
        let DeValue::Datetime(written) = self.value else { return self.parsed() };
        match written.to_string().parse() {
            Ok(date) => Some(Spanned::new(date, self.span)),
            Err(error) => {
                let error: DateError = error;
                self.report("invalid-value", format!("`{}`: {error}", self.path));
                None
            }
        }
    }

    /// A boolean.
    pub fn boolean(&self) -> Option<bool> {
        if self.is_nothing(|| Form::Boolean) {
            return None;
        }
        match self.value {
            DeValue::Boolean(value) => Some(*value),
            _ => self.wrong_type("true or false"),
        }
    }

    /// A whole number in a range.
    pub fn integer(&self, range: std::ops::RangeInclusive<i64>) -> Option<Spanned<i64>> {
        if self.is_nothing(|| Form::Integer { least: *range.start(), most: *range.end() }) {
            return None;
        }
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

    /// The number of a format, 1 or more. The shape has the known one only; to refuse another is the caller's business.
    pub fn format(&self, known: i64) -> Option<Spanned<i64>> {
        if self.is_nothing(|| Form::Integer { least: known, most: known }) {
            return None;
        }
        self.integer(1..=i64::MAX)
    }

    /// The items of an array.
    pub fn array(&self) -> Option<Vec<Item<'a>>> {
        if let (Some(asking), Some(steps)) = (&self.document.asking, &self.steps) {
            asking.borrow_mut().at(steps).items();
            let steps = Some(steps.iter().copied().chain([Step::Item]).collect());
            return Some(vec![Item { steps, ..self.clone() }]);
        }
        let DeValue::Array(items) = self.value else { return self.wrong_type("an array") };
        let items = items.iter().map(|value| Item {
            document: self.document,
            value: value.get_ref(),
            span: self.document.span(value.span()),
            path: self.path.clone(),
            steps: None,
        });
        Some(items.collect())
    }

    /// Every item of an array through `each`; items with problems are left out.
    pub fn list<T>(&self, each: impl FnMut(&Item<'a>) -> Option<T>) -> Option<Vec<T>> {
        Some(self.array()?.iter().filter_map(each).collect())
    }

    /// A table, read by `decode`; keys that it does not ask for are problems.
    pub fn table<T>(&self, decode: impl FnOnce(&mut Table<'a>) -> Option<T>) -> Option<T> {
        if let (Some(asking), Some(steps)) = (&self.document.asking, &self.steps) {
            let decoder = std::any::type_name_of_val(&decode);
            let outer = asking.borrow().open.iter().find(|(open, _)| *open == decoder).map(|(_, steps)| steps.clone());
            if let Some(outer) = outer {
                asking.borrow_mut().at(steps).add(Form::Again(outer));
                return None;
            }
            asking.borrow_mut().open.push((decoder, steps.clone()));
            let path = Some(Rc::new(self.path.clone()));
            let value = decode(&mut Table::asked(self.document, steps.clone(), path, std::any::type_name::<T>()));
            asking.borrow_mut().open.pop();
            return value;
        }
        let DeValue::Table(table) = self.value else { return self.wrong_type("a table") };
        let mut table = Table::new(self.document, table, self.span, Some(Rc::new(self.path.clone())));
        let value = decode(&mut table);
        table.finish();
        value
    }
}
