//! Reports.

pub mod advice;
pub mod bytes;
pub mod consolidation;
pub mod progress;
pub mod table;
