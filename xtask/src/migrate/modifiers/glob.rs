//! The globs of `groupResource`: those of `github.com/gobwas/glob` with the separator `.`, as Velero compiles them.
//!
//! | pattern | matches |
//! |---|---|
//! | `*` | any characters but `.` |
//! | `**` | any characters |
//! | `?` | one character but `.` |
//! | `[abc]`, `[!abc]`, `[a-c]`, `[!a-c]` | one character of a list or a range, or none of it |
//! | `{a,b}` | one of several patterns |
//! | `\` and a character | that character |
//!
//! A list and a range cannot be mixed: `[a-cx]` is an error there, and here.

use std::str::Chars;

use regex::Regex;

/// A glob that was read.
#[derive(Debug, Clone)]
pub struct Glob {
    matcher: Matcher,
}

#[derive(Debug, Clone)]
enum Matcher {
    /// Most of them are names, and need no automaton.
    Literal(String),
    Regex(Regex),
}

/// Why a glob cannot be read.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub struct GlobError(&'static str);

impl Glob {
    /// Reads a glob.
    ///
    /// ```
    /// use groupage::migrate::modifiers::glob::Glob;
    /// let glob = Glob::new("*.*")?;
    /// assert!(glob.is_match("deployments.apps"));
    /// assert!(!glob.is_match("ingresses.networking.k8s.io"));
    /// # Ok::<(), groupage::migrate::modifiers::glob::GlobError>(())
    /// ```
    ///
    /// # Errors
    /// When a bracket is open or holds nothing that can be meant.
    pub fn new(pattern: &str) -> Result<Self, GlobError> {
        let mut reader = Reader { rest: pattern.chars(), open: 0, regex: String::from(r"(?s)\A"), literal: true };
        reader.read()?;
        if reader.literal {
            return Ok(Self { matcher: Matcher::Literal(pattern.to_owned()) });
        }
        reader.regex.push_str(r"\z");
        let regex = Regex::new(&reader.regex).map_err(|_| GlobError("it is too large"))?;
        Ok(Self { matcher: Matcher::Regex(regex) })
    }

    /// Whether the whole of a text matches.
    pub fn is_match(&self, text: &str) -> bool {
        match &self.matcher {
            Matcher::Literal(literal) => literal == text,
            Matcher::Regex(regex) => regex.is_match(text),
        }
    }

    /// Whether it matches nothing but itself.
    pub fn is_literal(&self) -> bool {
        matches!(self.matcher, Matcher::Literal(_))
    }
}

struct Reader<'a> {
    rest: Chars<'a>,
    /// How many `{` are open.
    open: usize,
    regex: String,
    literal: bool,
}

impl Reader<'_> {
    fn read(&mut self) -> Result<(), GlobError> {
        while let Some(character) = self.rest.next() {
            self.literal &= !matches!(character, '*' | '?' | '[' | '{' | '\\');
            match character {
                '*' if self.rest.as_str().starts_with('*') => {
                    self.rest.next();
                    self.regex.push_str(".*");
                }
                '*' => self.regex.push_str(r"[^.]*"),
                '?' => self.regex.push_str(r"[^.]"),
                '\\' => match self.rest.next() {
                    Some(escaped) => self.literal(escaped),
                    None => return Err(GlobError("nothing follows its `\\`")),
                },
                '[' => self.range()?,
                '{' => {
                    self.open += 1;
                    self.regex.push_str("(?:");
                }
                ',' if self.open > 0 => self.regex.push('|'),
                '}' if self.open > 0 => {
                    self.open -= 1;
                    self.regex.push(')');
                }
                other => self.literal(other),
            }
        }
        if self.open > 0 { Err(GlobError("a `{` is not closed")) } else { Ok(()) }
    }

    fn literal(&mut self, character: char) {
        self.regex.push_str(&regex::escape(character.encode_utf8(&mut [0; 4])));
    }

    /// What stands in brackets: a range of two characters, or a list of them.
    fn range(&mut self) -> Result<(), GlobError> {
        let not = self.rest.as_str().starts_with('!');
        if not {
            self.rest.next();
        }
        let mut characters = Vec::new();
        loop {
            match self.rest.next() {
                Some(']') => break,
                Some('\\') => characters.extend(self.rest.next().map(|escaped| (escaped, true))),
                Some(character) => characters.push((character, false)),
                None => return Err(GlobError("a `[` is not closed")),
            }
        }
        self.regex.push_str(if not { "[^" } else { "[" });
        match characters.as_slice() {
            [] => return Err(GlobError("its `[]` is empty")),
            [(low, _), ('-', false), (high, _)] if low <= high => {
                self.literal(*low);
                self.regex.push('-');
                self.literal(*high);
            }
            [_, ('-', false), _] => return Err(GlobError("a range goes from high to low")),
            [_, ('-', false), ..] => return Err(GlobError("a range and a list are mixed in one pair of brackets")),
            list => list.iter().for_each(|(character, _)| self.literal(*character)),
        }
        self.regex.push(']');
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(pattern: &str, fits: &[&str], others: &[&str]) {
        let glob = Glob::new(pattern).unwrap();
        for text in fits {
            assert!(glob.is_match(text), "{pattern} {text}");
        }
        for text in others {
            assert!(!glob.is_match(text), "{pattern} {text}");
        }
    }

    #[test]
    fn what_matches() {
        check("pods", &["pods"], &["pod", "pods.metrics.k8s.io"]);
        check("deployments", &["deployments"], &["deployments.apps"]);
        check("*", &["pods", ""], &["deployments.apps"]);
        check("*.apps", &["deployments.apps"], &["pods", "deploymentconfigs.apps.openshift.io"]);
        check("*.*", &["deployments.apps"], &["pods", "ingresses.networking.k8s.io"]);
        check("**", &["pods", "ingresses.networking.k8s.io"], &[]);
        check("*.**", &["ingresses.networking.k8s.io"], &["pods"]);
        check("{deployments,*sets}.apps", &["deployments.apps", "daemonsets.apps"], &["deployments"]);
        check("pod?", &["pods"], &["pod", "pod."]);
        check("[!a-o]ods", &["pods"], &["mods"]);
        check("[pm]ods", &["pods", "mods"], &["gods"]);
        check(r"a\*b", &["a*b"], &["axb"]);
        check("a,b}", &["a,b}"], &["a"]);
        check("[\\]^]x", &["]x", "^x"], &["x"]);
        check("[^&&-]x", &["^x", "&x", "-x"], &["x"]);
    }

    #[test]
    fn what_is_refused() {
        for pattern in ["[a", "[]", "[z-a]", "{a,b", "a\\", "[a-cx]"] {
            assert!(Glob::new(pattern).is_err(), "{pattern}");
        }
    }
}
