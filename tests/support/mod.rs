//! What the black-box tests have in common.

#![allow(dead_code, reason = "no test program uses all of it")]

pub mod dockerfile;
pub mod dockerfiles;
pub mod hostile;
pub mod sandbox;
pub mod transcript;
