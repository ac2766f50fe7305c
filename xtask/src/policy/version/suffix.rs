//! What follows the numbers of a version: the table of [`super`], read from the end.

use std::cmp::Ordering;

/// Words that a pre-release begins with. Anything else after the numbers is a variant.
const PRE_RELEASE: &[&str] = &[
    "alpha",
    "beta",
    "rc",
    "pre",
    "preview",
    "prerelease",
    "dev",
    "snapshot",
    "nightly",
    "canary",
    "next",
    "unstable",
    "milestone",
    "ea",
];

/// All suffixes of one tag.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Suffixes {
    /// Empty when it is none.
    pre_release: Vec<Identifier>,
    /// Commits since the tag.
    since: Option<u64>,
    /// The commit, for readers, and for a total order.
    pub(super) commit: String,
    dirty: bool,
    revision: Option<u64>,
    pub(super) build: Option<u64>,
    /// With its `-`.
    pub(super) variant: String,
}

/// A part of a pre-release: numbers stand before words.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
enum Identifier {
    Number(u64),
    Word(String),
}

impl Suffixes {
    /// Reads `rest`, which is empty or begins with `-`; `variants` are listed suffixes with their `-`, longest first.
    pub(super) fn parse(rest: &str, variants: &[String]) -> Option<Self> {
        let mut found = Self::default();
        if rest.is_empty() {
            return Some(found);
        }
        let rest = found.take_variant(rest, variants);
        let rest = found.take_build(rest);
        let rest = found.take_variant(rest, variants);
        let rest = found.take_description(rest);
        let mut words = Vec::new();
        if !rest.is_empty() {
            words = rest.strip_prefix('-')?.split('-').collect();
        }
        if words.iter().any(|word| word.is_empty()) {
            return None;
        }
        let mut words = words.into_iter().peekable();
        found.revision = words.next_if(|word| is_number(word)).map(|word| word.parse()).transpose().ok()?;
        if let Some(first) = words.next_if(|word| is_pre_release(word)) {
            found.pre_release.extend(identifiers(first));
            // `-alpha-3`, as some write it
            found.pre_release.extend(words.next_if(|word| is_number(word)).into_iter().flat_map(identifiers));
        }
        let unlisted: String = words.map(|word| format!("-{word}")).collect();
        found.variant.insert_str(0, &unlisted);
        Some(found)
    }

    fn take_variant<'a>(&mut self, rest: &'a str, variants: &[String]) -> &'a str {
        if !self.variant.is_empty() {
            return rest;
        }
        let listed = variants.iter().find_map(|variant| Some((variant, rest.strip_suffix(variant.as_str())?)));
        let Some((variant, before)) = listed else { return rest };
        self.variant.clone_from(variant);
        before
    }

    fn take_build<'a>(&mut self, rest: &'a str) -> &'a str {
        let build = rest.rsplit_once("-build.").and_then(|(before, number)| Some((before, number.parse().ok()?)));
        let Some((before, number)) = build else { return rest };
        self.build = Some(number);
        before
    }

    /// `-22-g09fbed34`, or a commit alone, and `-dirty` after either.
    fn take_description<'a>(&mut self, rest: &'a str) -> &'a str {
        let clean = rest.strip_suffix("-dirty");
        self.dirty = clean.is_some();
        let rest = clean.unwrap_or(rest);
        let Some((before, last)) = rest.rsplit_once('-') else { return rest };
        if let Some((before, count)) = before.rsplit_once('-').filter(|(_, count)| is_number(count))
            && last.strip_prefix('g').is_some_and(|commit| commit.len() >= 4 && is_hex(commit))
        {
            self.since = count.parse().ok();
            last.clone_into(&mut self.commit);
            return before;
        }
        if is_commit(last) {
            self.since = Some(0);
            last.clone_into(&mut self.commit);
            return before;
        }
        rest
    }

    pub(super) fn is_release(&self) -> bool {
        self.pre_release.is_empty() && self.since.is_none() && !self.dirty
    }

    /// Nothing but a variant.
    pub(super) fn is_plain(&self) -> bool {
        self.is_release() && self.revision.is_none() && self.build.is_none()
    }

    /// The order, without variant and commit.
    pub(super) fn compare(&self, other: &Self) -> Ordering {
        // a version with a pre-release stands before the one without
        let released = |suffixes: &Self| suffixes.pre_release.is_empty();
        released(self)
            .cmp(&released(other))
            .then_with(|| self.pre_release.cmp(&other.pre_release))
            .then_with(|| (self.since, self.dirty).cmp(&(other.since, other.dirty)))
            .then_with(|| (self.build, self.revision).cmp(&(other.build, other.revision)))
    }
}

/// True for a commit's short or full name, with `g` before it or not: hex with a digit and a letter, so that neither a word such
/// as `facade` nor a number is one.
pub(crate) fn is_commit(word: &str) -> bool {
    let hex = word.strip_prefix('g').unwrap_or(word);
    (7..=40).contains(&hex.len())
        && is_hex(hex)
        && hex.bytes().any(|byte| byte.is_ascii_digit())
        && hex.bytes().any(|byte| byte.is_ascii_lowercase())
}

fn is_hex(text: &str) -> bool {
    text.bytes().all(|byte| byte.is_ascii_digit() || (b'a'..=b'f').contains(&byte))
}

fn is_number(text: &str) -> bool {
    !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit())
}

fn is_pre_release(word: &str) -> bool {
    let letters = word.split(|c: char| !c.is_ascii_alphabetic()).next().unwrap_or_default();
    PRE_RELEASE.iter().any(|known| letters.eq_ignore_ascii_case(known))
}

/// `rc.10`, `rc10` and `RC-10` are the same: a word, then a number that counts.
fn identifiers(text: &str) -> Vec<Identifier> {
    let mut found = Vec::new();
    for part in text.split(['.', '_']).filter(|part| !part.is_empty()) {
        let letters = part.find(|c: char| c.is_ascii_digit()).unwrap_or(part.len());
        let pieces = match part.split_at(letters) {
            (word, number) if is_number(number) => vec![word, number],
            _ => vec![part],
        };
        found.extend(pieces.into_iter().filter(|piece| !piece.is_empty()).map(|piece| match piece.parse() {
            Ok(number) => Identifier::Number(number),
            Err(_) => Identifier::Word(piece.to_ascii_lowercase()),
        }));
    }
    found
}
