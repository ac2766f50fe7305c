//! A page of the guide as a list of blocks.

use std::fs;

use crate::repository;

/// A page.
pub struct Page {
    pub name: String,
    pub text: String,
    pub blocks: Vec<Block>,
}

/// A fenced block.
pub struct Block {
    /// Line of its fence, from 1.
    pub line: usize,
    /// Language, then further words.
    pub info: Vec<String>,
    pub lines: Vec<String>,
}

/// A command, and what it prints.
pub struct Command {
    pub line: String,
    pub prints: Vec<String>,
}

impl Page {
    pub fn read(name: &str) -> Self {
        let text = fs::read_to_string(repository().join("docs").join(name)).unwrap();
        let mut blocks: Vec<Block> = Vec::new();
        let mut is_open = false;
        for (index, line) in text.lines().enumerate() {
            match line.strip_prefix("```") {
                Some(info) if !is_open => {
                    let info = info.split_whitespace().map(ToOwned::to_owned).collect();
                    blocks.push(Block { line: index + 1, info, lines: Vec::new() });
                    is_open = true;
                }
                Some(_) => is_open = false,
                None if is_open => blocks.last_mut().unwrap().lines.push(line.to_owned()),
                None => {}
            }
        }
        assert!(!is_open, "{name}: a block has no end");
        let page = Self { name: name.to_owned(), text, blocks };
        page.blocks.iter().for_each(|block| block.check(&page.name));
        page
    }

    /// What a comment of the page says, such as `workspace`.
    pub fn says(&self, key: &str) -> Option<&str> {
        let start = format!("<!-- {key}: ");
        self.text.lines().find_map(|line| line.strip_prefix(&start)?.strip_suffix(" -->"))
    }

    /// Links to other files of the repository.
    pub fn links(&self) -> Vec<&str> {
        let targets = self.text.split("](").skip(1).filter_map(|rest| rest.split(')').next());
        targets.filter(|target| !target.contains("://") && !target.starts_with('#')).collect()
    }
}

impl Block {
    pub fn is(&self, language: &str) -> bool {
        self.info.first().is_some_and(|first| first == language)
    }

    pub fn needs_engine(&self) -> bool {
        self.info.iter().any(|word| word == "engine")
    }

    /// How its last command ends.
    pub fn exit(&self) -> i32 {
        self.info.iter().find_map(|word| word.strip_prefix("exit=")?.parse().ok()).unwrap_or(0)
    }

    /// The file that it is.
    pub fn file(&self) -> Option<&str> {
        self.lines.first()?.strip_prefix("# ").filter(|_| self.is("toml"))
    }

    /// A block that looks like something that is tested, and is not, would be worse than none.
    fn check(&self, page: &str) {
        let known = ["console", "toml", "diff", "dockerfile", "yaml", "rust", "json", "text"];
        let place = format!("docs/{page}:{}", self.line);
        assert!(known.iter().any(|language| self.is(language)), "{place}: {:?} is no language of the guide", self.info);
        if self.is("console") {
            assert!(!self.commands().is_empty(), "{place}: no command");
            assert!(self.lines[0].starts_with("$ "), "{place}: it begins with `$ COMMAND`");
        } else {
            let command = self.lines.iter().find(|line| line.starts_with("$ ") || line.contains("cargo xtask "));
            assert!(command.is_none(), "{place}: {command:?} is not run");
        }
        if self.is("toml") {
            assert!(self.file().is_some(), "{place}: it begins with `# PATH`");
        }
    }

    pub fn commands(&self) -> Vec<Command> {
        let mut commands: Vec<Command> = Vec::new();
        for line in &self.lines {
            match (line.strip_prefix("$ "), commands.last_mut()) {
                (Some(typed), _) => commands.push(Command { line: typed.to_owned(), prints: Vec::new() }),
                (None, Some(command)) => command.prints.push(line.clone()),
                (None, None) => {}
            }
        }
        commands
    }
}

/// Whether a text is what a page says: `...` on a line of its own is any lines, `…` any text within a line.
pub fn matches(expected: &[String], actual: &[&str]) -> bool {
    match (expected.split_first(), actual.split_first()) {
        (None, None) => true,
        (Some((first, rest)), _) if first.trim() == "..." => {
            (0..=actual.len()).any(|skipped| matches(rest, &actual[skipped..]))
        }
        (Some((first, rest)), Some((line, others))) => fits(first, line) && matches(rest, others),
        _ => false,
    }
}

fn fits(expected: &str, actual: &str) -> bool {
    let mut parts = expected.split('…');
    let Some(mut rest) = actual.strip_prefix(parts.next().unwrap_or_default()) else { return false };
    let parts: Vec<&str> = parts.collect();
    let Some((last, middle)) = parts.split_last() else { return rest.is_empty() };
    for part in middle {
        let Some(at) = rest.find(part) else { return false };
        rest = &rest[at + part.len()..];
    }
    rest.ends_with(last)
}

#[test]
fn what_is_left_out_may_be_anything() {
    let check = |expected: &str, actual: &str, expect: bool| {
        let lines: Vec<String> = expected.lines().map(ToOwned::to_owned).collect();
        assert_eq!(matches(&lines, &actual.lines().collect::<Vec<_>>()), expect, "{expected:?} {actual:?}");
    };
    check("a\nb", "a\nb", true);
    check("a\nb", "a", false);
    check("a", "a\nb", false);
    check("...\nb", "a\nb", true);
    check("...\nb", "b", true);
    check("a\n...", "a\nb\nc", true);
    check("...\nb", "b\nc", false);
    check("a … c", "a b c", true);
    check("a … c", "a b d", false);
    check("a…", "b", false);
    check("a…b…c", "a1b2c", true);
    check("aa…aa", "aaa", false);
}
