//! Lines of ignore files: what git and Docker each mean by them.
//!
//! | | `.gitignore` | `.dockerignore` |
//! |---|---|---|
//! | defined by | <https://git-scm.com/docs/gitignore> | <https://docs.docker.com/build/concepts/context/#dockerignore-files> |
//! | without a `/` in it | fits a name at any depth | fits below the file's own folder only |
//! | with a `/` at the end | fits folders only | the `/` means nothing |
//! | blanks around it | those at the end go, unless escaped | all go |
//! | `**` | stands for folders as a whole segment, else it is `*` | also within a segment |
//! | `[!a]` | not `a` | `!` or `a`; `[^a]` is not `a`, in both |
//! | `!` below a left-out folder | cannot bring anything back | brings it back |

use crate::workspace::glob::{Fit, Token, fits};

/// Whose rules a line follows.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Dialect {
    /// `.gitignore`
    Git,
    /// `.dockerignore`
    Docker,
}

/// A line that says something.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Pattern {
    /// `!`: what it fits is taken after all.
    pub(super) is_negated: bool,
    only_folders: bool,
    /// It is compared with the name alone.
    only_name: bool,
    shape: Shape,
}

/// Most patterns need no search.
#[derive(Debug, Clone, PartialEq, Eq)]
enum Shape {
    Literal(String),
    /// `*.o`
    Ending(String),
    Glob(Vec<Token>),
}

impl Pattern {
    /// Reads a line; `None` when it says nothing.
    pub(super) fn parse(line: &str, dialect: Dialect) -> Option<Self> {
        match dialect {
            Dialect::Git => Self::parse_git(line),
            Dialect::Docker => Self::parse_docker(line),
        }
    }

    fn parse_git(line: &str) -> Option<Self> {
        let line = trim_end(line.strip_suffix('\r').unwrap_or(line));
        if line.starts_with('#') {
            return None;
        }
        let (is_negated, line) = line.strip_prefix('!').map_or((false, line), |rest| (true, rest));
        let (only_folders, line) = line.strip_suffix('/').map_or((false, line), |rest| (true, rest));
        let only_name = !line.contains('/');
        let line = line.strip_prefix('/').unwrap_or(line);
        if line.is_empty() {
            return None;
        }
        Some(Self { is_negated, only_folders, only_name, shape: shape(line, Dialect::Git, only_name) })
    }

    fn parse_docker(line: &str) -> Option<Self> {
        if line.starts_with('#') {
            return None;
        }
        let line = line.trim();
        let (is_negated, line) = line.strip_prefix('!').map_or((false, line), |rest| (true, rest.trim()));
        let line = clean(line)?;
        Some(Self { is_negated, only_folders: false, only_name: false, shape: shape(&line, Dialect::Docker, false) })
    }

    /// Whether it fits a path relative to the folder of its file.
    pub(super) fn fits(&self, path: &str, is_folder: bool, dialect: Dialect) -> bool {
        if self.only_folders && !is_folder {
            return false;
        }
        let text = if self.only_name { path.rsplit('/').next().unwrap_or(path) } else { path };
        let fit = if dialect == Dialect::Docker { Fit::PathOrFolder } else { Fit::Path };
        match &self.shape {
            Shape::Ending(end) => text.ends_with(end.as_str()),
            Shape::Literal(literal) if fit == Fit::Path => text == literal,
            Shape::Literal(literal) => {
                text.strip_prefix(literal.as_str()).is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
            }
            Shape::Glob(tokens) => fits(tokens, text, fit),
        }
    }

    /// Whether it can fit something below a folder.
    pub(super) fn fits_below(&self, folder: &str) -> bool {
        match &self.shape {
            Shape::Literal(literal) => {
                let (short, long) =
                    if literal.len() < folder.len() { (literal.as_str(), folder) } else { (folder, literal.as_str()) };
                long.strip_prefix(short).is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
            }
            Shape::Ending(_) => true,
            Shape::Glob(tokens) => fits(tokens, folder, Fit::Below),
        }
    }
}

/// git: blanks at the end go, unless one is escaped.
fn trim_end(line: &str) -> &str {
    let trimmed = line.trim_end_matches(' ');
    let escapes = trimmed.len() - trimmed.trim_end_matches('\\').len();
    if escapes % 2 == 1 && trimmed.len() < line.len() { &line[..=trimmed.len()] } else { trimmed }
}

/// Docker: as Go's `filepath.Clean`, without a `/` at the start; `None` when nothing is left, or it leads out.
fn clean(line: &str) -> Option<String> {
    let mut parts: Vec<&str> = Vec::new();
    for part in line.split('/') {
        match part {
            "" | "." => {}
            ".." => _ = parts.pop()?,
            part => parts.push(part),
        }
    }
    (!parts.is_empty()).then(|| parts.join("/"))
}

fn shape(line: &str, dialect: Dialect, only_name: bool) -> Shape {
    let special = |text: &str| text.contains(['*', '?', '[', '\\']);
    match line.strip_prefix('*') {
        _ if !special(line) => Shape::Literal(line.to_owned()),
        Some(end) if only_name && !special(end) => Shape::Ending(end.to_owned()),
        _ => Shape::Glob(tokens(line, dialect)),
    }
}

fn tokens(line: &str, dialect: Dialect) -> Vec<Token> {
    let mut tokens = Vec::new();
    let mut rest = line;
    while let Some(c) = rest.chars().next() {
        let is_start = rest.len() == line.len() || line[..line.len() - rest.len()].ends_with('/');
        let after = &rest[c.len_utf8()..];
        let (token, left) = match c {
            '*' if after.starts_with('*') => stars(after.trim_start_matches('*'), is_start, dialect),
            '*' => (Token::Some, after),
            '?' => (Token::Any, after),
            '\\' => match after.chars().next() {
                Some(escaped) => (Token::Is(escaped), &after[escaped.len_utf8()..]),
                None => (Token::Is('\\'), after),
            },
            '[' => class(after, dialect).unwrap_or((Token::Is('['), after)),
            c => (Token::Is(c), after),
        };
        tokens.push(token);
        rest = left;
    }
    tokens
}

/// Two stars or more.
fn stars(after: &str, is_start: bool, dialect: Dialect) -> (Token, &str) {
    let below = after.strip_prefix('/');
    match (dialect, below) {
        (Dialect::Git, Some(below)) if is_start => (Token::Folders, below),
        (Dialect::Git, None) if is_start && after.is_empty() => (Token::All, after),
        (Dialect::Git, _) => (Token::Some, after),
        (Dialect::Docker, _) if after.is_empty() => (Token::All, after),
        (Dialect::Docker, below) => (Token::Folders, below.unwrap_or(after)),
    }
}

/// What stands behind `[`; `None` when it is never closed.
fn class(text: &str, dialect: Dialect) -> Option<(Token, &str)> {
    let negation = |c: char| c == '^' || (c == '!' && dialect == Dialect::Git);
    let negated = text.starts_with(negation);
    let mut rest = if negated { &text[1..] } else { text };
    let mut ranges = Vec::new();
    loop {
        let (first, after) = match rest.strip_prefix(']') {
            Some(after) if !ranges.is_empty() => return Some((Token::Class { negated, ranges }, after)),
            _ => character(rest)?,
        };
        let range = after.strip_prefix('-').filter(|last| !last.starts_with(']')).and_then(character);
        let (last, after) = range.unwrap_or((first, after));
        ranges.push((first, last));
        rest = after;
    }
}

fn character(text: &str) -> Option<(char, &str)> {
    let text = text.strip_prefix('\\').unwrap_or(text);
    let c = text.chars().next()?;
    Some((c, &text[c.len_utf8()..]))
}
