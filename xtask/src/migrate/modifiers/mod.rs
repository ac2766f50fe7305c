//! Velero's resource modifiers.
pub mod decode;
pub mod document;
pub mod embedded;
pub mod escape;
pub(self) mod fields;
pub mod glob;
pub mod kinds;
pub mod patch_data;
pub mod pointer;
pub mod print;
pub mod re2;
pub mod rule;
pub mod scalar;
pub mod version;
pub mod written;
