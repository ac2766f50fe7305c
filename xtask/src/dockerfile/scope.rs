//! Which variables a word sees. `ARG`s before the first `FROM` are seen by `FROM`, and in a stage once it declares them
//! again; a stage begins with what its parent stage had.
//!
//! Of an `ENV` and an `ARG` of one name, the later one counts in the lines that follow, as in every BuildKit; an `ARG`
//! without a value changes nothing.

use std::collections::BTreeMap;

use super::{Extent, Reason, Value};
use crate::oci::DEFAULT_PATH;

/// Arguments that BuildKit sets itself: in `FROM` without a declaration, in stages once they are declared.
pub(super) const AUTOMATIC: [&str; 8] = [
    "BUILDARCH",
    "BUILDOS",
    "BUILDPLATFORM",
    "BUILDVARIANT",
    "TARGETARCH",
    "TARGETOS",
    "TARGETPLATFORM",
    "TARGETVARIANT",
];

/// Who else may have set a variable.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Outside {
    /// Nobody: this is the scope of `FROM`.
    Global,
    /// Nobody: the stage begins with `scratch`.
    Nobody,
    /// The image that the stage or its parent begins with.
    Image,
}

/// What a name stands for.
pub(super) enum Found<'s> {
    /// A value.
    Value(&'s Value),
    /// Nothing; `sure` when nobody else can have set it.
    Nothing { reason: Reason, sure: bool },
}

/// The variables that a word sees.
#[derive(Debug, Clone)]
pub(super) struct Scope {
    values: BTreeMap<String, Value>,
    /// Arguments without a value, and where they were declared.
    unset: BTreeMap<String, Extent>,
    outside: Outside,
}

impl Scope {
    /// The scope of `FROM`: the automatic arguments, if they are among those given, and nothing else yet.
    pub fn global(given: &BTreeMap<String, String>) -> Self {
        let automatic = |name: &&str| given.get(*name).map(|value| ((*name).to_owned(), Value::Known(value.clone())));
        let values = AUTOMATIC.iter().filter_map(automatic).collect();
        Self { values, unset: BTreeMap::new(), outside: Outside::Global }
    }

    /// The scope of a stage without a parent.
    pub fn stage(outside: Outside) -> Self {
        let mut scope = Self { values: BTreeMap::new(), unset: BTreeMap::new(), outside };
        if outside == Outside::Nobody {
            scope.set("PATH", Value::Known(DEFAULT_PATH.to_owned()));
        }
        scope
    }

    /// Sets a variable.
    pub fn set(&mut self, name: &str, value: Value) {
        self.values.insert(name.to_owned(), value);
    }

    /// Notes that an argument was declared without a value; one that it had before stays.
    pub fn declare(&mut self, name: &str, at: Extent) {
        self.unset.insert(name.to_owned(), at);
    }

    /// The value of a variable, if it has one.
    pub fn value(&self, name: &str) -> Option<&Value> {
        self.values.get(name)
    }

    /// What a name stands for.
    pub fn find(&self, name: &str) -> Found<'_> {
        if let Some(value) = self.values.get(name) {
            return Found::Value(value);
        }
        match self.unset.get(name) {
            Some(_) if AUTOMATIC.contains(&name) => Found::Nothing { reason: Reason::Platform, sure: false },
            Some(declared) => Found::Nothing { reason: Reason::NotSet { declared: *declared }, sure: true },
            None if self.outside == Outside::Global && AUTOMATIC.contains(&name) => {
                Found::Nothing { reason: Reason::Platform, sure: false }
            }
            // an automatic one that no ARG of the stage declares is empty there
            None if AUTOMATIC.contains(&name) => Found::Nothing { reason: Reason::Undeclared, sure: false },
            None if self.outside == Outside::Image => Found::Nothing { reason: Reason::Base, sure: false },
            None => Found::Nothing { reason: Reason::Undeclared, sure: true },
        }
    }
}
