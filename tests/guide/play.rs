//! A page, played: its files are written, its commands are run.

use std::fs;
use std::os::unix::fs::{PermissionsExt as _, symlink};
use std::path::Path;

use crate::page::{Block, Page, matches};
use crate::repository;
use crate::support::sandbox::Sandbox;

/// A socket that nobody listens on.
const NOBODY: &str = "unix:///nonexistent.sock";

/// Does all that a page says, but for what needs a daemon where none is to be had.
pub fn play(page: &Page, with_engine: bool) {
    let Some(sandbox) = begin(page) else {
        assert!(page.blocks.iter().all(|block| !block.is("console")), "{} names no workspace", page.name);
        return;
    };
    for block in &page.blocks {
        let place = format!("docs/{}:{}", page.name, block.line);
        edit(&sandbox, block, &place);
        if block.is("console") && (with_engine || !block.needs_engine()) {
            run(&sandbox, block, &place);
        }
    }
    if with_engine {
        remove_images(&sandbox);
    }
}

/// The daemon is everybody's: what a page has built in it goes.
fn remove_images(sandbox: &Sandbox) {
    for image in ["sidecars:2.0.0", "site:2026.1"] {
        sandbox.shell(&format!("DOCKER_HOST='{}' docker image rm ghcr.io/example/{image}", host()));
    }
}

/// The workspace that a page begins with.
fn begin(page: &Page) -> Option<Sandbox> {
    if let Some(before) = page.says("after") {
        let before = Page::read(before);
        let sandbox = begin(&before)?;
        for block in &before.blocks {
            edit(&sandbox, block, &format!("docs/{}:{}", before.name, block.line));
        }
        return Some(sandbox);
    }
    let sandbox = Sandbox::copy_of(&repository().join(page.says("workspace")?));
    let programs = sandbox.root().parent().unwrap().join("programs");
    // a workspace of its own, whose `cargo xtask` is this program
    symlink(env!("CARGO_BIN_EXE_xtask"), programs.join("xtask")).unwrap();
    let path = std::env::var_os("PATH").unwrap_or_default();
    let cargo = std::env::split_paths(&path).map(|folder| folder.join("cargo")).find(|file| file.is_file()).unwrap();
    let alias = format!(
        "#!/bin/sh\nif [ \"$1\" = xtask ]; then shift; exec '{}' \"$@\"; fi\nexec '{}' \"$@\"\n",
        programs.join("xtask").display(),
        cargo.display(),
    );
    fs::write(programs.join("cargo"), alias).unwrap();
    fs::set_permissions(programs.join("cargo"), fs::Permissions::from_mode(0o755)).unwrap();
    Some(sandbox)
}

/// Writes or changes the file of a block.
fn edit(sandbox: &Sandbox, block: &Block, place: &str) {
    if let Some(path) = block.file() {
        sandbox.write(path, format!("{}\n", block.lines.join("\n")));
    }
    if block.is("diff") {
        let path = block.lines[0].strip_prefix("--- ").unwrap_or_else(|| panic!("{place}: it begins with `--- PATH`"));
        let file = sandbox.root().join(path);
        let text = fs::read_to_string(&file).unwrap_or_else(|error| panic!("{place}: {path}: {error}"));
        fs::write(&file, changed(&text, &block.lines[2..], place)).unwrap();
    }
}

/// A text with the lines of one hunk: those with ` ` and `-` are in it, and become those with ` ` and `+`.
fn changed(text: &str, hunk: &[String], place: &str) -> String {
    let side = |skip: char| {
        let kept = hunk.iter().filter(|line| !line.starts_with(skip));
        kept.map(|line| format!("{}\n", line.get(1..).unwrap_or_default())).collect::<String>()
    };
    let old = side('+');
    assert_eq!(text.matches(&old).count(), 1, "{place}: this is not in the file exactly once:\n{old}");
    text.replacen(&old, &side('-'), 1)
}

fn run(sandbox: &Sandbox, block: &Block, place: &str) {
    let commands = block.commands();
    for (index, command) in commands.iter().enumerate() {
        let host = if block.needs_engine() { host() } else { NOBODY.to_owned() };
        // what is printed is in the order of a terminal
        let ended = sandbox.shell(&format!("exec 2>&1; export DOCKER_HOST='{host}'; {}", command.line));
        let exit = if index + 1 == commands.len() { block.exit() } else { 0 };
        let actual: Vec<&str> = ended.stdout.lines().collect();
        let shown = format!("{place}: $ {}\n{}", command.line, ended.stdout);
        assert_eq!(ended.code, Some(exit), "{shown}");
        assert!(matches(&command.prints, &actual), "what it prints is not what the page says\n{shown}");
    }
}

/// The daemon of this machine.
fn host() -> String {
    let socket = Path::new("/var/run/docker.sock");
    std::env::var("DOCKER_HOST").unwrap_or_else(|_| format!("unix://{}", socket.display()))
}
