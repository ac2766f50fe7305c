//! restores
