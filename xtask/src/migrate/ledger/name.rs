//! Which written names are which retired image.
//!
//! | a written name is | when |
//! |---|---|
//! | the image | registry and path are the same; `docker.io` and its `library/` may be left out |
//! | a mirror of it, by path | it ends with the whole path, below any registry and prefix |
//! | a mirror of it, by name | its last part is the same: for names that nobody else uses |
//!
//! An exact name wins over a mirror. What a ledger names as a replacement is never a mirror of something retired: a registry's
//! move would else retire its own goal.

use super::entry::{At, Entry, Ledger};
use crate::manifest::{Mirrors, NamePattern};

/// A name as it is written somewhere, in parts.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Written<'a> {
    /// The registry; `None` when something computed stands before the name (`$REGISTRY/…`).
    pub registry: Option<&'a str>,
    /// The path.
    pub parts: Vec<&'a str>,
}

/// An entry that a written name belongs to.
#[derive(Debug, Clone)]
pub struct Found<'l> {
    /// The entry.
    pub entry: &'l Entry,
    /// The retired name, as the ledger has it, without `*`.
    pub name: NamePattern,
    /// How many parts at the end are the retired name's own; `None` for the image itself.
    pub mirrored: Option<usize>,
}

impl<'a> Written<'a> {
    /// Parts of a name without tag and digest.
    ///
    /// ```
    /// use groupage::migrate::ledger::Written;
    /// assert_eq!(Written::parse("r.io:5000/a/b").registry, Some("r.io:5000"));
    /// assert_eq!(Written::parse("a/b").parts, ["a", "b"]);
    /// ```
    pub fn parse(name: &'a str) -> Self {
        match name.split_once('/') {
            Some((first, path)) if is_registry(first) => {
                Self { registry: Some(first), parts: path.split('/').collect() }
            }
            _ => Self { registry: Some("docker.io"), parts: name.split('/').collect() },
        }
    }

    /// The path below something computed.
    pub fn below(path: &'a str) -> Self {
        Self { registry: None, parts: path.split('/').collect() }
    }

    fn last(&self) -> &'a str {
        self.parts.last().copied().unwrap_or_default()
    }
}

/// Docker's own rule: what cannot be a part of a path on its hub.
fn is_registry(first: &str) -> bool {
    first == "localhost" || first.contains(['.', ':'])
}

impl Ledger {
    /// The entry that a written name belongs to. Of several, an exact one, then the one with the longest
    /// name.
    pub fn find(&self, written: &Written<'_>, at: &At) -> Option<Found<'_>> {
        self.find_all(written, at).into_iter().next()
    }

    /// All entries that a written name belongs to, the best first.
    pub fn find_all(&self, written: &Written<'_>, at: &At) -> Vec<Found<'_>> {
        let mut found: Vec<Found<'_>> = self.entries.iter().filter_map(|entry| matched(entry, written)).collect();
        let asked = |found: &Found<'_>| self.version_of(found.entry, at).is_some();
        // whoever asks about a product wants its answer, also when that is: not retired
        if found.iter().any(asked) {
            found.retain(asked);
        }
        found.retain(|found| self.is_retired(found.entry, at));
        if found.iter().any(|found| found.mirrored.is_some()) && self.is_replacement(written) {
            found.retain(|found| found.mirrored.is_none());
        }
        found.sort_by_key(|found| (found.mirrored.is_some(), usize::MAX - found.name.parts.len()));
        // a mirror is no second answer beside the image itself
        if found.first().is_some_and(|first| first.mirrored.is_none()) {
            found.retain(|found| found.mirrored.is_none());
        }
        found
    }

    fn is_replacement(&self, written: &Written<'_>) -> bool {
        let own = |entry: &Entry| entry.replacement_of(written.last()).is_some_and(|name| is_exact(&name, written));
        self.entries.iter().any(own)
    }
}

fn matched<'l>(entry: &'l Entry, written: &Written<'_>) -> Option<Found<'l>> {
    let exact = entry.names.iter().find(|name| is_exact(name, written));
    if let Some(name) = exact {
        return Some(Found { entry, name: concrete(name, written), mirrored: None });
    }
    let mirror = |name: &&NamePattern| match entry.mirrors {
        Mirrors::None => false,
        Mirrors::Path => ends_alike(&name.parts, &written.parts) == name.parts.len(),
        Mirrors::Name => ends_alike(&name.parts, &written.parts) > 0,
    };
    let name = entry.names.iter().filter(mirror).max_by_key(|name| ends_alike(&name.parts, &written.parts))?;
    let kept = ends_alike(&name.parts, &written.parts);
    Some(Found { entry, name: concrete(name, written), mirrored: Some(kept) })
}

/// A pattern with the text that its last part stands for.
fn concrete(name: &NamePattern, written: &Written<'_>) -> NamePattern {
    let alike = ends_alike(&name.parts, &written.parts);
    let mut name = name.clone();
    for back in 1..=alike {
        let (own, other) = (name.parts.len() - back, written.parts.len() - back);
        written.parts[other].clone_into(&mut name.parts[own]);
    }
    name
}

fn is_exact(name: &NamePattern, written: &Written<'_>) -> bool {
    let Some(registry) = written.registry else { return false };
    let registry = if registry == "index.docker.io" { "docker.io" } else { registry };
    let library = registry == "docker.io" && written.parts.len() == 2 && written.parts[0] == "library";
    let parts = if library { &written.parts[1..] } else { &written.parts[..] };
    registry == name.registry && parts.len() == name.parts.len() && ends_alike(&name.parts, parts) == parts.len()
}

/// How many parts at the end are the same.
fn ends_alike(own: &[String], written: &[&str]) -> usize {
    own.iter().rev().zip(written.iter().rev()).take_while(|(own, written)| fits(own, written)).count()
}

/// Whether a text fits a part of a pattern, in which `*` stands for any text.
fn fits(pattern: &str, text: &str) -> bool {
    let mut pieces = pattern.split('*');
    let Some(mut rest) = pieces.next().and_then(|first| text.strip_prefix(first)) else { return false };
    if !pattern.contains('*') {
        return rest.is_empty();
    }
    let pieces: Vec<&str> = pieces.collect();
    let Some((last, middle)) = pieces.split_last() else { return rest.is_empty() };
    for piece in middle {
        match rest.find(piece) {
            Some(at) => rest = &rest[at + piece.len()..],
            None => return false,
        }
    }
    rest.len() >= last.len() && rest.ends_with(last)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn stars() {
        for (pattern, text, expect) in [
            ("a", "a", true),
            ("a", "ab", false),
            ("*", "x", true),
            ("*-helper", "my-helper", true),
            ("*-helper", "my-helper-2", false),
            ("a*b*c", "a1b2c", true),
            ("a*a", "a", false),
        ] {
            assert_eq!(fits(pattern, text), expect, "{pattern} {text}");
        }
    }
}
