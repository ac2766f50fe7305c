//! Patterns: of paths, of names, of tags.
//!
//! `*` is any text without `/`, `?` one character but `/`, `[0-9a-f]` one of these and `[!…]` none of them, `**` any text, and
//! `**/` any folders or none. A pattern of references is `registry/repository[:tag]`. It is matched against the canonical form,
//! in which `busybox` is `docker.io/library/busybox`; a pattern without a registry is completed in the same way.

use std::str::FromStr;

use crate::workspace::glob::{Fit, Token, fits};

/// One pattern of text.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Glob {
    /// What every match begins with.
    literal: String,
    rest: Vec<Token>,
}

impl Glob {
    /// What every match begins with.
    pub(super) fn literal(&self) -> &str {
        &self.literal
    }

    /// Whether all of a text fits.
    pub(super) fn fits(&self, text: &str) -> bool {
        let Some(text) = text.strip_prefix(self.literal.as_str()) else { return false };
        match self.rest.as_slice() {
            [] => text.is_empty(),
            [Token::All] => true,
            tokens => fits(tokens, text, Fit::Path),
        }
    }
}

impl FromStr for Glob {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let mut tokens = Vec::new();
        let mut rest = text;
        while let Some(first) = Token::first_of(rest) {
            let (token, length) = match first {
                (Token::Is('['), _) => class(rest)?,
                (Token::Is(c @ ('{' | '}')), _) => {
                    return Err(format!("`{text}` holds `{c}`, which stands in patterns of tags only"));
                }
                plain => plain,
            };
            tokens.push(token);
            rest = &rest[length..];
        }
        let plain = tokens.iter().map_while(|token| if let Token::Is(c) = token { Some(*c) } else { None });
        let literal: String = plain.collect();
        let rest = tokens.split_off(literal.chars().count());
        Ok(Self { literal, rest })
    }
}

/// `[…]` at the beginning of a text, and its length.
fn class(text: &str) -> Result<(Token, usize), String> {
    let end = text.find(']').ok_or_else(|| format!("`{text}` has no `]`"))?;
    let inner = &text[1..end];
    let negated = inner.starts_with(['!', '^']);
    let inner: Vec<char> = inner.chars().skip(usize::from(negated)).collect();
    let mut ranges = Vec::new();
    let mut rest = inner.as_slice();
    while let Some((&first, after)) = rest.split_first() {
        let (last, after) = match after {
            ['-', last, after @ ..] => (*last, after),
            _ => (first, after),
        };
        ranges.push((first, last));
        rest = after;
    }
    if ranges.is_empty() {
        Err(format!("`{text}` has nothing between `[` and `]`"))
    } else {
        Ok((Token::Class { negated, ranges }, end + 1))
    }
}

/// A pattern of tags: a glob, or one of `{major}`, `{major}.{minor}`, `{commit}`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum TagPattern {
    /// A text.
    Glob(Glob),
    /// So many numbers and nothing else but a variant: `1`, `1.24-full`.
    Series(usize),
    /// A commit: `f1ea649`.
    Commit,
}

impl FromStr for TagPattern {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        match text {
            "{major}" => Ok(Self::Series(1)),
            "{major}.{minor}" => Ok(Self::Series(2)),
            "{commit}" => Ok(Self::Commit),
            _ if text.contains(['{', '}']) => {
                Err(format!("`{text}` is no pattern of tags; names are {{major}}, {{major}}.{{minor}} and {{commit}}"))
            }
            _ => text.parse().map(Self::Glob),
        }
    }
}

/// A pattern of references.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct ReferencePattern {
    /// Of registry and repository.
    pub(super) name: Glob,
    /// Of the tag, if it is about tags.
    pub(super) tag: Option<TagPattern>,
}

impl FromStr for ReferencePattern {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        // a `:` before a `/` is of a port
        let last = text.rfind('/').map_or(0, |slash| slash + 1);
        let (name, tag) = match text[last..].find(':') {
            Some(colon) => (&text[..last + colon], Some(text[last + colon + 1..].parse()?)),
            None => (text, None),
        };
        Ok(Self { name: completed(name).parse()?, tag })
    }
}

/// A pattern of names with its registry.
fn completed(name: &str) -> String {
    let is_registry = |first: &str| first == "localhost" || first.contains(['.', ':', '*', '?', '[']);
    match name.split_once('/') {
        Some((first, _)) if is_registry(first) => name.to_owned(),
        Some(_) => format!("docker.io/{name}"),
        None if name.starts_with('*') => name.to_owned(),
        None => format!("docker.io/library/{name}"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn texts() {
        let check = |pattern: &str, text: &str, expect: bool| {
            assert_eq!(pattern.parse::<Glob>().unwrap().fits(text), expect, "{pattern} {text}");
        };
        check("tests/**", "tests/a/b.yaml", true);
        check("tests/**", "test/a", false);
        check("tests/*", "tests/a/b", false);
        check("**/golden/*.yaml", "a/b/golden/c.yaml", true);
        check("**/golden/*.yaml", "golden/c.yaml", true);
        check("**/golden/*.yaml", "nogolden/c.yaml", false);
        check("gcr.io/k8s-staging-*/**", "gcr.io/k8s-staging-etcdadm/etcd-manager", true);
        check("gcr.io/k8s-staging-*/**", "gcr.io/k8s-staging-etcdadm", false);
        check("*-g[0-9a-f]*", "v3.0.20220128-22-g09fbed34", true);
        check("*-g[0-9a-f]*", "1.2.3-gold", false);
        check("a[!0-9]", "ab", true);
        check("a[!0-9]", "a1", false);
        check("a?c", "abc", true);
        check("", "", true);
        check("*a*a*a*a*a*b", &"a".repeat(2000), false);
        for wrong in ["a[", "a[]", "{major}"] {
            assert!(wrong.parse::<Glob>().is_err(), "{wrong}");
        }
    }

    #[test]
    fn names_are_completed() {
        let check = |pattern: &str, name: &str| {
            let parsed = pattern.parse::<ReferencePattern>().unwrap();
            assert!(parsed.name.fits(name), "{pattern} {name}");
        };
        check("busybox", "docker.io/library/busybox");
        check("kopeio/**", "docker.io/kopeio/etcd-manager");
        check("localhost:*/**", "localhost:5000/a");
        check("**:latest", "ghcr.io/a/b");
        check("*.pkg.dev/**:v*", "us-central1-docker.pkg.dev/a/b");
        assert!("a/b:{mayor}".parse::<ReferencePattern>().is_err());
    }
}
