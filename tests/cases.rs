//! Whole interactions with good workspaces: every folder of `tests/cases` is one. See [`support::transcript`].

#![allow(clippy::disallowed_methods, reason = "a test reads its own environment")]

mod support;

#[test]
fn cases() {
    support::transcript::check_shelf("cases");
}
