//! The shape of a file: the keys that its decoder asks for, and what it takes for each. Editors are told of it, as JSON Schema.
//!
//! Nobody writes a shape down. [`Document::shape`](super::decode::Document::shape) runs a decoder over a table in which every key
//! is there and no value is; what it asks for is the shape. So a key that a decoder reads is in the schema of its file, and no
//! other one is.
//!
//! Where a decoder looks at a value to decide what it is (a text or a table), it is told one thing in one run and another in the
//! next: see [`Run`]. What it decides by the text of a value, and what one key means for another, is not part of a shape.

use std::collections::BTreeMap;

use super::text::Texts;

/// What may stand in one place: one of several forms.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Shape {
    /// The forms, in the order in which the decoder asks for them.
    pub forms: Vec<Form>,
}

/// One form of a value.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Form {
    /// `true` or `false`.
    Boolean,
    /// A whole number.
    Integer {
        /// The lowest.
        least: i64,
        /// The highest.
        most: i64,
    },
    /// A text.
    Text {
        /// Path of the Rust type that parses it; a `String` when none does.
        parser: &'static str,
        /// Which texts that type takes.
        texts: Texts,
    },
    /// A day: a TOML date, or a text.
    Date,
    /// An array, and what stands in it.
    List(Box<Shape>),
    /// A table.
    Table(Keys),
    /// What stands at these steps from the root, again: the shape holds itself.
    Again(Vec<Step>),
}

/// The keys of a table.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Keys {
    /// Paths of the Rust types that hold what is read, the first one that of the table itself; their fields say what keys mean.
    pub types: Vec<&'static str>,
    /// Keys with fixed names.
    pub known: BTreeMap<&'static str, Key>,
    /// Keys that are names: which texts they may be, and what stands there.
    pub named: Option<(Texts, Box<Shape>)>,
    /// Exactly one of the keys must be there.
    pub one_of: bool,
}

/// A key with a fixed name.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Key {
    /// Whether it must be there.
    pub required: bool,
    /// What stands there.
    pub shape: Shape,
}

/// A step from a value to one below it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Step {
    /// To the value of a key.
    Key(&'static str),
    /// To the value of any key that is a name.
    Named,
    /// To an item of an array.
    Item,
}

/// What a decoder is told that all values are, where it looks.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Run {
    /// Neither array nor table.
    Plain,
    /// Arrays.
    Array,
    /// Tables.
    Table,
}

impl Run {
    pub(super) const ALL: [Self; 3] = [Self::Plain, Self::Array, Self::Table];
}

/// A shape while it is asked for.
#[derive(Debug)]
pub(super) struct Asking {
    pub(super) run: Run,
    pub(super) root: Shape,
    /// The tables that are open: what decodes them, and where they stand.
    pub(super) open: Vec<(&'static str, Vec<Step>)>,
}

impl Asking {
    /// The shape at some steps from the root, which is empty when nobody asked yet.
    pub(super) fn at(&mut self, steps: &[Step]) -> &mut Shape {
        steps.iter().fold(&mut self.root, |shape, step| match step {
            Step::Key(key) => &mut shape.keys().known.entry(key).or_default().shape,
            Step::Named => &mut shape.keys().named.get_or_insert_default().1,
            Step::Item => shape.items(),
        })
    }
}

impl Form {
    /// A text that `T` parses.
    pub(super) fn text<T>(texts: Texts) -> Self {
        Self::Text { parser: std::any::type_name::<T>(), texts }
    }
}

impl Shape {
    /// Adds a form, unless it is there.
    pub(super) fn add(&mut self, form: Form) {
        if !self.forms.contains(&form) {
            self.forms.push(form);
        }
    }

    /// The form that is a table.
    pub(super) fn keys(&mut self) -> &mut Keys {
        let at = self.forms.iter().position(|form| matches!(form, Form::Table(_))).unwrap_or_else(|| {
            self.forms.push(Form::Table(Keys::default()));
            self.forms.len() - 1
        });
        match &mut self.forms[at] {
            Form::Table(keys) => keys,
            _ => unreachable!("the position is that of a table"),
        }
    }

    /// What stands in the form that is an array.
    pub(super) fn items(&mut self) -> &mut Self {
        let at = self.forms.iter().position(|form| matches!(form, Form::List(_))).unwrap_or_else(|| {
            self.forms.push(Form::List(Box::default()));
            self.forms.len() - 1
        });
        match &mut self.forms[at] {
            Form::List(items) => items,
            _ => unreachable!("the position is that of an array"),
        }
    }
}
