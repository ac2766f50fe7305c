//! Velero's resource modifiers: what is found in files of all kinds, what repairs make of them, and what rules do to real
//! objects, by an interpreter that shares no code with the product.

#![allow(clippy::disallowed_methods, reason = "a test reads its own environment")]

#[path = "modifiers/cases.rs"]
mod cases;
#[path = "modifiers/interpreter.rs"]
mod interpreter;
#[path = "modifiers/properties.rs"]
mod properties;
#[path = "modifiers/restores.rs"]
mod restores;
