//! From TOML to values with places: typed access that collects every problem instead of stopping at the first.
//!
//! serde's derive stops at the first error of a file and loses places under `flatten` and `untagged`. Here a [`Table`] is
//! consumed key by key; what is left at the end is unknown and gets a "did you mean" among the keys that were asked for.
//!
//! The same code says what a file may hold: [`Document::shape`] runs a decoder over nothing, and writes down what it asks for.

mod item;
mod table;

use std::cell::RefCell;
use std::fmt;
use std::rc::Rc;

use toml::de::{DeTable, DeValue};

pub use item::Item;
pub use table::Table;

use super::shape::{Asking, Run, Shape};
use crate::diagnostic::{Diagnostic, Problems};
use crate::source::{FileId, Span};

/// Longest text value, in bytes: a Dockerfile line ends at 64 KiB, and escaping may double a value.
pub const MAX_TEXT: usize = 16 * 1024;

/// What all decoding of one file shares.
#[derive(Debug)]
pub struct Document {
    file: FileId,
    problems: RefCell<Problems>,
    /// What was asked for, where there is nothing to read.
    asking: Option<RefCell<Asking>>,
}

/// The value of every key, where there is nothing to read.
static NOTHING: DeValue<'static> = DeValue::Boolean(false);

impl Document {
    /// Decodes `text` with `decode`, which gets the root table. Problems are added to `problems`.
    pub fn read<T>(
        file: FileId,
        text: &str,
        problems: &mut Problems,
        decode: impl FnOnce(&mut Table<'_>) -> Option<T>,
    ) -> Option<T> {
        let document = Self { file, problems: RefCell::default(), asking: None };
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

    /// What a file may hold that `decode` reads.
    pub fn shape<T>(decode: impl Fn(&mut Table<'_>) -> Option<T>) -> Shape {
        let mut root = Shape::default();
        for run in Run::ALL {
            let asking = Asking { run, root, open: Vec::new() };
            let file = FileId::default();
            let document = Self { file, problems: RefCell::default(), asking: Some(RefCell::new(asking)) };
            decode(&mut Table::asked(&document, Vec::new(), None, std::any::type_name::<T>()));
            root = document.asking.map(|asking| asking.into_inner().root).unwrap_or_default();
        }
        root
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
