//! Where retired names may stand: a search for all of their last parts at once, on raw bytes.

use std::collections::BTreeSet;

use aho_corasick::{AhoCorasick, MatchKind};

use crate::migrate::ledger::{At, Ledger};

/// A compiled search.
#[derive(Debug, Clone)]
pub(super) struct Index {
    /// None when there is nothing to search for.
    search: Option<AhoCorasick>,
    /// The first so many are names, the others keys of values.
    names: usize,
}

/// Something that was found.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Hit {
    /// First byte.
    pub start: usize,
    /// One past the last byte.
    pub end: usize,
    /// True for a key of values, false for a name.
    pub is_key: bool,
}

impl Index {
    pub(super) fn new(ledger: &Ledger, at: &At) -> Self {
        let entries = || ledger.entries.iter().filter(|entry| ledger.is_retired(entry, at));
        let names: BTreeSet<&str> = entries()
            .flat_map(|entry| &entry.names)
            .map(|name| literal(name.last()))
            .filter(|name| !name.is_empty())
            .collect();
        let keys: BTreeSet<&str> = entries().flat_map(|entry| &entry.keys).map(String::as_str).collect();
        let all: Vec<&str> = names.iter().chain(&keys).copied().collect();
        let search = AhoCorasick::builder().match_kind(MatchKind::LeftmostLongest).build(&all);
        Self { search: search.ok().filter(|_| !all.is_empty()), names: names.len() }
    }

    /// All hits, in order.
    pub(super) fn hits<'a>(&'a self, bytes: &'a [u8]) -> impl Iterator<Item = Hit> + 'a {
        let found = self.search.iter().flat_map(move |search| search.find_iter(bytes));
        found.map(|found| Hit {
            start: found.start(),
            end: found.end(),
            is_key: found.pattern().as_usize() >= self.names,
        })
    }
}

/// The longest piece of a name without `*`.
fn literal(name: &str) -> &str {
    name.split('*').max_by_key(|piece| piece.len()).unwrap_or_default()
}
