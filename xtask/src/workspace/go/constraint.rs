//! Build constraints: `//go:build` expressions and the older `// +build` lines.
//! <https://pkg.go.dev/cmd/go#hdr-Build_constraints>

use std::collections::BTreeSet;
use std::fmt;

use super::tags::{is_tag, is_tag_character};

/// When a file counts.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub enum Constraint {
    /// A tag is on.
    Tag(String),
    /// It does not hold.
    Not(Box<Constraint>),
    /// Both hold.
    And(Box<Constraint>, Box<Constraint>),
    /// One of them holds.
    Or(Box<Constraint>, Box<Constraint>),
}

/// Why a text is no constraint.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("`{text}` is no build constraint: {reason} at character {at}")]
pub struct ConstraintError {
    /// The text, shortened.
    text: String,
    /// What is wrong.
    reason: &'static str,
    /// Where, counted from 1.
    at: usize,
}

/// Deepest nesting that is read. Go itself has a limit of 1000 operators.
const MAX_DEPTH: usize = 100;
/// Longest expression, in bytes.
const MAX_LENGTH: usize = 10_000;

impl Constraint {
    /// Reads what stands behind `//go:build`.
    ///
    /// # Errors
    /// It is no expression.
    pub fn parse(text: &str) -> Result<Self, ConstraintError> {
        let mut parser = Parser { text, at: 0, depth: 0 };
        if text.len() > MAX_LENGTH {
            return Err(parser.error("it is too long"));
        }
        let expression = parser.or()?;
        parser.skip_blanks();
        if parser.at < text.len() { Err(parser.error("an operator is missing")) } else { Ok(expression) }
    }

    /// Reads what stands behind `// +build`: blanks part alternatives, commas part what has to hold together. Go ignores what
    /// it does not understand there, and so does this.
    pub fn parse_plus_build(text: &str) -> Option<Self> {
        let term = |term: &str| {
            let (name, negated) = term.strip_prefix('!').map_or((term, false), |name| (name, true));
            let tag = Self::Tag(Some(name).filter(|name| is_tag(name))?.to_owned());
            Some(if negated { Self::Not(Box::new(tag)) } else { tag })
        };
        let all = |option: &str| {
            let mut terms = option.split(',').map(term).collect::<Option<Vec<_>>>()?.into_iter();
            let first = terms.next()?;
            Some(terms.fold(first, Self::and))
        };
        let mut options = text.split_whitespace().map(all).collect::<Option<Vec<_>>>()?.into_iter();
        let first = options.next()?;
        Some(options.fold(first, |one, other| Self::Or(Box::new(one), Box::new(other))))
    }

    /// Both of them.
    pub fn and(self, other: Self) -> Self {
        Self::And(Box::new(self), Box::new(other))
    }

    /// Whether it holds, where `known` says which tags are on; `None` when that depends on tags of which it says nothing.
    pub fn holds(&self, known: &impl Fn(&str) -> Option<bool>) -> Option<bool> {
        match self {
            Self::Tag(tag) => known(tag),
            Self::Not(inner) => inner.holds(known).map(|holds| !holds),
            Self::And(one, other) => match (one.holds(known), other.holds(known)) {
                (Some(false), _) | (_, Some(false)) => Some(false),
                (Some(true), Some(true)) => Some(true),
                _ => None,
            },
            Self::Or(one, other) => match (one.holds(known), other.holds(known)) {
                (Some(true), _) | (_, Some(true)) => Some(true),
                (Some(false), Some(false)) => Some(false),
                _ => None,
            },
        }
    }

    /// Every tag that it names.
    pub fn tags(&self) -> BTreeSet<&str> {
        match self {
            Self::Tag(tag) => BTreeSet::from([tag.as_str()]),
            Self::Not(inner) => inner.tags(),
            Self::And(one, other) | Self::Or(one, other) => one.tags().into_iter().chain(other.tags()).collect(),
        }
    }
}

impl fmt::Display for Constraint {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Tag(tag) => out.write_str(tag),
            Self::Not(inner) => match **inner {
                Self::Tag(_) => write!(out, "!{inner}"),
                _ => write!(out, "!({inner})"),
            },
            Self::And(one, other) => {
                let side = |side: &Self| match side {
                    Self::Or(..) => format!("({side})"),
                    _ => side.to_string(),
                };
                let right = if matches!(**other, Self::And(..)) { format!("({other})") } else { side(other) };
                write!(out, "{} && {right}", side(one))
            }
            Self::Or(one, other) => {
                let right = if matches!(**other, Self::Or(..)) { format!("({other})") } else { other.to_string() };
                write!(out, "{one} || {right}")
            }
        }
    }
}

struct Parser<'t> {
    text: &'t str,
    at: usize,
    depth: usize,
}

impl Parser<'_> {
    fn error(&self, reason: &'static str) -> ConstraintError {
        let before = self.text.get(..self.at).unwrap_or_default();
        ConstraintError { text: self.text.trim().chars().take(80).collect(), reason, at: before.chars().count() + 1 }
    }

    fn rest(&self) -> &str {
        self.text.get(self.at..).unwrap_or_default()
    }

    fn skip_blanks(&mut self) {
        let rest = self.rest();
        self.at += rest.len() - rest.trim_start_matches([' ', '\t']).len();
    }

    fn eat(&mut self, word: &str) -> bool {
        self.skip_blanks();
        let is_there = self.rest().starts_with(word);
        if is_there {
            self.at += word.len();
        }
        is_there
    }

    fn or(&mut self) -> Result<Constraint, ConstraintError> {
        let mut one = self.and()?;
        while self.eat("||") {
            one = Constraint::Or(Box::new(one), Box::new(self.and()?));
        }
        Ok(one)
    }

    fn and(&mut self) -> Result<Constraint, ConstraintError> {
        let mut one = self.not()?;
        while self.eat("&&") {
            one = one.and(self.not()?);
        }
        Ok(one)
    }

    fn not(&mut self) -> Result<Constraint, ConstraintError> {
        if !self.eat("!") {
            return self.atom();
        }
        // as Go has it
        if self.eat("!") {
            return Err(self.error("a double negation is not allowed"));
        }
        Ok(Constraint::Not(Box::new(self.atom()?)))
    }

    fn atom(&mut self) -> Result<Constraint, ConstraintError> {
        if self.eat("(") {
            self.depth += 1;
            if self.depth > MAX_DEPTH {
                return Err(self.error("it is nested too deeply"));
            }
            let inner = self.or()?;
            self.depth -= 1;
            return if self.eat(")") { Ok(inner) } else { Err(self.error("a `)` is missing")) };
        }
        self.skip_blanks();
        let rest = self.rest();
        let end = rest.find(|character| !is_tag_character(character)).unwrap_or(rest.len());
        if end == 0 {
            return Err(self.error("a tag is missing"));
        }
        let tag = rest[..end].to_owned();
        self.at += end;
        Ok(Constraint::Tag(tag))
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn check(text: &str, expect: Result<&str, &str>) {
        let seen = Constraint::parse(text).map(|parsed| parsed.to_string()).map_err(|error| error.to_string());
        assert_eq!(seen.as_deref().map_err(String::as_str), expect, "{text:?}");
    }

    #[test]
    fn expressions() {
        check("linux", Ok("linux"));
        check(" a&&b||c ", Ok("a && b || c"));
        check("a && (b || !c.1)", Ok("a && (b || !c.1)"));
        check("!(a || b)", Ok("!(a || b)"));
        check("((a))", Ok("a"));
        check("", Err("`` is no build constraint: a tag is missing at character 1"));
        check("a b", Err("`a b` is no build constraint: an operator is missing at character 3"));
        check("!!a", Err("`!!a` is no build constraint: a double negation is not allowed at character 3"));
        check("(a", Err("`(a` is no build constraint: a `)` is missing at character 3"));
        check("a &", Err("`a &` is no build constraint: an operator is missing at character 3"));
        check("a-b", Err("`a-b` is no build constraint: an operator is missing at character 2"));
        assert!(Constraint::parse(&"(".repeat(5000)).is_err());
        assert!(Constraint::parse(&"a||".repeat(5000)).is_err());
    }

    #[test]
    fn older_lines() {
        let check = |text: &str, expect: Option<&str>| {
            let seen = Constraint::parse_plus_build(text).map(|parsed| parsed.to_string());
            assert_eq!(seen.as_deref(), expect, "{text:?}");
        };
        check("linux,!cgo darwin", Some("linux && !cgo || darwin"));
        check("ignore", Some("ignore"));
        check("", None);
        check("!!a", None);
        check("a-b", None);
    }

    #[test]
    fn what_is_not_known_does_not_decide() {
        let check = |text: &str, expect: Option<bool>| {
            let known = |tag: &str| match tag {
                "on" => Some(true),
                "off" => Some(false),
                _ => None,
            };
            assert_eq!(Constraint::parse(text).unwrap().holds(&known), expect, "{text}");
        };
        check("on && !off", Some(true));
        check("off && unknown", Some(false));
        check("on || unknown", Some(true));
        check("on && unknown", None);
        check("!unknown", None);
    }

    fn any_constraint() -> impl Strategy<Value = Constraint> {
        let tag = "[a-z][a-z0-9_.]{0,4}".prop_map(Constraint::Tag);
        tag.prop_recursive(5, 32, 2, |inner| {
            prop_oneof![
                inner.clone().prop_filter_map("no double negation", |one| match one {
                    Constraint::Not(_) => None,
                    one => Some(Constraint::Not(Box::new(one))),
                }),
                (inner.clone(), inner.clone()).prop_map(|(one, other)| one.and(other)),
                (inner.clone(), inner).prop_map(|(one, other)| Constraint::Or(Box::new(one), Box::new(other))),
            ]
        })
    }

    proptest! {
        #[test]
        fn what_is_printed_is_read_back(constraint in any_constraint()) {
            prop_assert_eq!(Constraint::parse(&constraint.to_string()).unwrap(), constraint);
        }

        #[test]
        fn no_text_is_too_odd(text in "[()!&| a.é\t\\n\"-]{0,40}") {
            _ = Constraint::parse(&text);
            _ = Constraint::parse_plus_build(&text);
        }
    }
}
