//! What the black-box tests have in common.

pub mod sandbox;
pub mod transcript;
