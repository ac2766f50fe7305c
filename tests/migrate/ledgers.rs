//! Ledgers for tests.

use groupage::diagnostic::Problems;
use groupage::manifest::LedgerFile;
use groupage::migrate::ledger::{At, Builder, Ledger};
use groupage::source::{SourceFile, SourceMap};

/// The one that is shipped.
pub fn five_systems() -> Ledger {
    ledger(include_str!("../../examples/ledgers/five-systems.toml"))
}

/// From its text.
pub fn ledger(text: &str) -> Ledger {
    let mut map = SourceMap::default();
    let id = map.add(SourceFile::new("ledger.toml", text));
    let mut problems = Problems::default();
    let file = LedgerFile::parse(id, map.file(id), &mut problems);
    let shown = problems.into_list();
    Builder::default().file(&file.unwrap_or_else(|| panic!("{shown:#?}"))).finish()
}

/// Versions, as on a command line.
pub fn at(words: &str) -> At {
    At::all(&words.split_whitespace().map(|word| word.parse().expect("a version")).collect::<Vec<_>>())
}
