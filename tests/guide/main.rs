//! The guide in `docs/`: every page is played like a reader would do it, in a copy of the workspace that it names.
//!
//! | in a page | does |
//! |---|---|
//! | `<!-- workspace: FOLDER -->` | the page begins with a copy of this folder of the repository |
//! | `<!-- after: PAGE -->` | the page begins with the files that this page ends with |
//! | a `toml` block with `# PATH` as its first line | the file |
//! | a `diff` block | changes of a file; what it removes must be there, once |
//! | a `console` block | each `$ COMMAND` is run, and what follows is what it prints; `...` is any lines, `…` any text |
//! | `console exit=1` | the last command ends like this; all others end with 0 |
//! | `console engine` | needs a Docker daemon; the other blocks are run where none answers |
//!
//! No other block may hold a command. `rules.md` and `formats.md` are generated; `UPDATE_EXPECT=1` writes them anew.

#![allow(clippy::disallowed_methods, reason = "a test reads its own environment")]
#![allow(clippy::unwrap_used, reason = "a test may panic, its helpers too")]

#[path = "../support/mod.rs"]
mod support;

mod generated;
mod page;
mod play;

use std::fs;
use std::path::{Path, PathBuf};

use page::Page;

fn repository() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("..").canonicalize().unwrap()
}

/// Every page, by its file name.
fn pages() -> Vec<Page> {
    let entries = fs::read_dir(repository().join("docs")).unwrap();
    let mut names: Vec<String> = entries.map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect();
    names.sort();
    names.iter().map(|name| Page::read(name)).collect()
}

#[test]
fn every_command_does_what_the_page_says() {
    play_all(&pages(), false);
}

/// Plays pages beside each other; whatever is wrong in one of them is shown by its thread.
fn play_all(pages: &[Page], with_engine: bool) {
    let wrong: Vec<&str> = std::thread::scope(|scope| {
        let played: Vec<_> =
            pages.iter().map(|page| (page, scope.spawn(move || play::play(page, with_engine)))).collect();
        played.into_iter().filter_map(|(page, done)| done.join().err().map(|_| page.name.as_str())).collect()
    });
    assert!(wrong.is_empty(), "these pages say what is not so: {wrong:?}");
}

#[test]
fn needs_engine_for_the_other_commands() {
    let with_engine: Vec<Page> =
        pages().into_iter().filter(|page| page.blocks.iter().any(page::Block::needs_engine)).collect();
    assert!(!with_engine.is_empty(), "no page uses a daemon");
    play_all(&with_engine, true);
}

#[test]
fn pages_name_each_other() {
    let pages = pages();
    let index = pages.iter().find(|page| page.name == "README.md").unwrap();
    for page in &pages {
        let listed = page.name == "README.md" || index.text.contains(&format!("]({})", page.name));
        assert!(listed, "docs/README.md does not list {}", page.name);
        for link in page.links() {
            let target = repository().join("docs").join(link.split('#').next().unwrap());
            assert!(target.exists(), "{} links to {link}, which is not there", page.name);
        }
    }
}
