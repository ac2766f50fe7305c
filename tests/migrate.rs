//! Consumers of retired images: the corpus of `tests/cases/migrate`, properties of edits, and hostile files.

#![allow(clippy::disallowed_methods, reason = "a test reads its own environment")]

#[path = "migrate/corpus.rs"]
mod corpus;
#[path = "migrate/facts.rs"]
mod facts;
#[path = "migrate/hostile.rs"]
mod hostile;
#[path = "migrate/kubectl.rs"]
mod kubectl;
#[path = "migrate/ledgers.rs"]
mod ledgers;
#[path = "migrate/properties.rs"]
mod properties;
