//! One pattern against one path or name, in time that grows with both and not faster: every place of the pattern that fits what
//! was read so far is kept at once, so that no pattern takes long.
//!
//! [`Token::first_of`] reads patterns of manifests and of the policy of references, which agree on wildcards. Ignore files,
//! `COPY` and Go's `embed` have dialects of their own, and read them where they are.

/// One step of a pattern.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Token {
    /// This character.
    Is(char),
    /// Any character but `/`.
    Any,
    /// Any number of characters but `/`.
    Some,
    /// Nothing, or any text that ends with `/`.
    Folders,
    /// Any text.
    All,
    /// One character of these ranges, or of none of them; never `/`.
    Class { negated: bool, ranges: Vec<(char, char)> },
}

impl Token {
    /// What a pattern begins with, and how many bytes of it that is: a wildcard, or a character that stands for itself.
    pub(crate) fn first_of(pattern: &str) -> Option<(Self, usize)> {
        let first = pattern.chars().next()?;
        Some(match first {
            '*' if pattern.starts_with("**/") => (Self::Folders, 3),
            '*' if pattern.starts_with("**") => (Self::All, 2),
            '*' => (Self::Some, 1),
            '?' => (Self::Any, 1),
            c => (Self::Is(c), c.len_utf8()),
        })
    }
}

/// How much of a path has to fit.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Fit {
    /// All of it.
    Path,
    /// All of it, or all of a folder above it.
    PathOrFolder,
    /// All of it and more: whether something below it can fit.
    Below,
}

/// Whether a pattern fits a path.
pub(crate) fn fits(tokens: &[Token], path: &str, fit: Fit) -> bool {
    let mut now = vec![false; tokens.len() + 1];
    enter(tokens, &mut now, 0);
    for c in path.chars() {
        if fit != Fit::Path && c == '/' && now[tokens.len()] {
            return true;
        }
        now = step(tokens, &now, c);
    }
    match fit {
        Fit::Path | Fit::PathOrFolder => now[tokens.len()],
        Fit::Below => now[tokens.len()] || step(tokens, &now, '/').contains(&true),
    }
}

fn step(tokens: &[Token], now: &[bool], c: char) -> Vec<bool> {
    let mut next = vec![false; now.len()];
    for (at, token) in tokens.iter().enumerate().filter(|(at, _)| now[*at]) {
        match token {
            Token::Is(wanted) if *wanted == c => enter(tokens, &mut next, at + 1),
            Token::Any if c != '/' => enter(tokens, &mut next, at + 1),
            Token::Class { negated, ranges } if c != '/' && is_in(ranges, c) != *negated => {
                enter(tokens, &mut next, at + 1);
            }
            Token::Some if c != '/' => enter(tokens, &mut next, at),
            Token::All => enter(tokens, &mut next, at),
            Token::Folders => {
                // it goes on, and ends only behind a `/`
                next[at] = true;
                if c == '/' {
                    enter(tokens, &mut next, at + 1);
                }
            }
            _ => {}
        }
    }
    next
}

fn is_in(ranges: &[(char, char)], c: char) -> bool {
    ranges.iter().any(|(first, last)| (*first..=*last).contains(&c))
}

/// Reaches a place of the pattern, and those behind it that need no character.
fn enter(tokens: &[Token], places: &mut [bool], at: usize) {
    places[at] = true;
    if matches!(tokens.get(at), Some(Token::Some | Token::All | Token::Folders)) {
        enter(tokens, places, at + 1);
    }
}
