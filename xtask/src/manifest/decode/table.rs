//! A table that is read key by key: what is left at the end is unknown.

use std::rc::Rc;

use toml::de::DeTable;

use super::item::Item;
use super::{Document, KeyPath, NOTHING};
use crate::diagnostic::Diagnostic;
use crate::manifest::shape::{Shape, Step};
use crate::manifest::text::Text;
use crate::source::{Span, Spanned};

/// Keys that most tables ask for, at most.
const ASKED: usize = 16;

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
    /// Where it would stand, when there is nothing to read.
    steps: Option<Vec<Step>>,
}

impl<'a> Table<'a> {
    pub(super) fn new(
        document: &'a Document,
        table: &'a DeTable<'a>,
        span: Span,
        path: Option<Rc<KeyPath<'a>>>,
    ) -> Self {
        let entries = table.iter().map(|(key, value)| {
            let name: &'a str = key.get_ref();
            let below = KeyPath { above: path.clone(), key: name };
            let (value, span) = (value.get_ref(), document.span(value.span()));
            let item = Item { document, value, span, path: below, steps: None };
            (name, document.span(key.span()), item)
        });
        let mut entries: Vec<_> = entries.collect();
        entries.sort_unstable_by_key(|(name, ..)| *name);
        Self { document, entries, asked: Vec::with_capacity(ASKED), span, path, steps: None }
    }

    /// A table that holds every key that is asked for, and nothing in it.
    pub(super) fn asked(
        document: &'a Document,
        steps: Vec<Step>,
        path: Option<Rc<KeyPath<'a>>>,
        holder: &'static str,
    ) -> Self {
        let (entries, span) = (Vec::new(), document.span(0..0));
        let table = Self { document, entries, asked: Vec::new(), span, path, steps: Some(steps) };
        table.holds(holder);
        table
    }

    /// Says which type holds what is read next: the documentation of its fields is that of the keys.
    pub fn held_by<T>(&mut self) -> &mut Self {
        self.holds(std::any::type_name::<T>());
        self
    }

    fn holds(&self, holder: &'static str) {
        self.describe(|shape| {
            let types = &mut shape.keys().types;
            if !types.contains(&holder) {
                types.push(holder);
            }
        });
    }

    /// Says that exactly one of the keys must be there; the caller sees to it.
    pub fn one_of(&self) {
        self.describe(|shape| shape.keys().one_of = true);
    }

    fn describe(&self, change: impl FnOnce(&mut Shape)) {
        if let (Some(asking), Some(steps)) = (&self.document.asking, &self.steps) {
            change(asking.borrow_mut().at(steps));
        }
    }

    /// What stands below, where there is nothing to read.
    fn below(&self, step: Step, key: &'a str) -> Option<Item<'a>> {
        let steps = self.steps.as_ref()?.iter().copied().chain([step]).collect();
        let path = KeyPath { above: self.path.clone(), key };
        Some(Item { document: self.document, value: &NOTHING, span: self.span, path, steps: Some(steps) })
    }

    /// Takes a key; for a shape it is required when nobody asks for it otherwise.
    fn take(&mut self, key: &'static str, required: bool) -> Option<Item<'a>> {
        self.asked.push(key);
        self.describe(|shape| {
            let known = &mut shape.keys().known;
            let asked_before = known.contains_key(key);
            let entry = known.entry(key).or_default();
            entry.required = required && (entry.required || !asked_before);
        });
        let found = self.entries.binary_search_by_key(&key, |(name, ..)| *name).ok();
        found.map(|at| self.entries.remove(at).2).or_else(|| self.below(Step::Key(key), key))
    }

    /// Takes a key that may be absent.
    pub fn optional(&mut self, key: &'static str) -> Option<Item<'a>> {
        self.take(key, false)
    }

    /// Takes a key that must be there; its absence is a problem.
    pub fn required(&mut self, key: &'static str) -> Option<Item<'a>> {
        let item = self.take(key, true);
        if item.is_none() {
            let place = self.path.as_ref().map_or_else(|| "this file".to_owned(), |path| format!("`{path}`"));
            self.report(Diagnostic::error("missing-key", format!("{place} has no `{key}`")).label(self.span, ""));
        }
        item
    }

    /// Takes all keys, for tables whose keys are names; a key that is no name is a problem.
    pub fn named<N: Text>(&mut self) -> Vec<(Spanned<N>, Item<'a>)> {
        if self.steps.is_some() {
            self.describe(|shape| shape.keys().named.get_or_insert_default().0 = N::texts());
            let name = N::texts().sample();
            let item = self.below(Step::Named, name);
            return name
                .parse()
                .ok()
                .zip(item)
                .map(|(name, item)| (Spanned::new(name, self.span), item))
                .into_iter()
                .collect();
        }
        let entries = std::mem::take(&mut self.entries);
        let mut named = Vec::with_capacity(entries.len());
        for (key, span, item) in entries {
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
