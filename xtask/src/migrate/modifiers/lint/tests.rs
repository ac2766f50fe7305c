//! Findings in small files; whole ones are in `tests/cases/modifiers`.
