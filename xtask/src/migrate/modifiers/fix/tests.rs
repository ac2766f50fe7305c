//! Repairs of small files; whole ones are in `tests/modifiers`.
