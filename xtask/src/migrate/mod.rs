//! Moving the consumers of retired images: text in, findings and edits out.

pub mod modifiers;
