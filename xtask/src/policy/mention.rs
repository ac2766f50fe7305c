//! References in texts of any kind.
//!
//! A word of a text counts as a reference when one of these holds:
//!
//! - it begins as a pattern of a class or a known registry does, or holds that;
//! - it stands where images are named: behind `image:`, `image =` and the like, `FROM` or `syntax=`; a short name then needs a
//!   tag or digest;
//! - it has a registry and a tag or digest, and either a class or nearly a known registry: `gghcr.io/a/b:1`.
//!
//! URLs and comments (see `comment.rs`) do not count, and neither does a name of no class, or of this machine, without tag and
//! digest. A
//! tag that a template goes on with is not known and left out.
//!
//! All beginnings are looked for at once, so that a text is read once however many patterns there are. Hits that overlap are in
//! one word, so that one of them is enough.

use std::collections::BTreeMap;
use std::ops::Range;

use aho_corasick::{AhoCorasick, BuildError};

use super::Policy;
use super::comment::Comments;
use crate::diagnostic::closest;
use crate::manifest::ReferenceClass;
use crate::oci::{Reference, mention_around};

/// What stands before a reference.
const STATED: [&str; 8] = ["image:", "Image:", "image\":", "Image\":", "image =", "image=", "FROM ", "syntax="];

/// Words before `://` that an image follows; what follows others is an address.
const TRANSPORTS: [&str; 3] = ["docker", "oci", "docker-image"];

/// A search for references, ready for many texts.
#[derive(Debug)]
pub struct Search<'a> {
    policy: &'a Policy,
    /// [`STATED`], then what references begin with.
    beginnings: AhoCorasick,
}

/// A reference in a text.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Found {
    /// What it says.
    pub reference: Reference,
    /// Its line, from 1.
    pub line: usize,
    /// Its column in characters, from 1.
    pub column: usize,
}

impl<'a> Search<'a> {
    /// Gets ready for the patterns of a policy.
    ///
    /// # Errors
    /// There are too many patterns for any machine.
    pub fn new(policy: &'a Policy) -> Result<Self, BuildError> {
        let registries = policy.known_registries.iter().flatten().map(|registry| format!("{registry}/"));
        let records = policy.temporary.iter().map(|record| record.reference.value.name());
        let literals = policy.classes.literals().map(str::to_owned).chain(registries).chain(records);
        let mut beginnings: Vec<String> =
            literals.flat_map(|literal| [short(&literal), Some(literal)]).flatten().collect();
        beginnings.sort();
        beginnings.dedup();
        let all = STATED.into_iter().map(str::to_owned).chain(beginnings);
        Ok(Self { policy, beginnings: AhoCorasick::new(all)? })
    }

    /// The references of a text, in order; `path` says what is a comment.
    pub fn find(&self, path: &str, text: &str) -> Vec<Found> {
        let mut found = BTreeMap::new();
        for hit in self.beginnings.find_iter(text) {
            let is_stated = hit.pattern().as_usize() < STATED.len();
            let place = if is_stated { stated(text, hit.end()) } else { hit.start() };
            self.look(text, place, if is_stated { Some(place) } else { None }, &mut found);
        }
        let bytes = text.as_bytes();
        for (colon, _) in text.match_indices(':') {
            let is_inner = colon > 0 && bytes[colon - 1].is_ascii_alphanumeric();
            if is_inner && bytes.get(colon + 1).is_some_and(|byte| byte.is_ascii_alphanumeric() || *byte == b'_') {
                self.look_at_tag(text, colon, &mut found);
            }
        }
        let comments = Comments::of(path);
        found.retain(|place, _| !comments.hold(text, *place));
        placed(text, found)
    }

    /// A word that begins as references do, or stands where they do.
    fn look(&self, text: &str, place: usize, start: Option<usize>, found: &mut BTreeMap<usize, Reference>) {
        let Some((range, reference)) = word(text, place) else { return };
        if start.is_some_and(|start| start != range.start) || is_url(text, &range) {
            return;
        }
        let is_version_known = reference.tag().is_some() || reference.digest().is_some();
        // `localhost:8080` is a host, and a path of this machine is no image as long as it has no tag
        let is_name = reference.is_with_registry() || reference.repository().contains('/');
        let class = || self.policy.classes.class(&reference).filter(|class| *class != ReferenceClass::Local);
        let is_meant = match start {
            Some(_) => is_version_known,
            None => is_name && (is_version_known || class().is_some()),
        };
        if is_meant {
            found.insert(range.start, reference);
        }
    }

    /// A word with a tag or digest that begins as nothing that is known.
    fn look_at_tag(&self, text: &str, colon: usize, found: &mut BTreeMap<usize, Reference>) {
        let Some((range, reference)) = word(text, colon) else { return };
        if found.contains_key(&range.start) || is_url(text, &range) || !reference.is_with_registry() {
            return;
        }
        let is_near = || {
            let known = self.policy.known_registries.iter().flatten().map(String::as_str);
            closest(reference.registry(), known).is_some()
        };
        if self.policy.classes.class(&reference).is_some() || is_near() {
            found.insert(range.start, reference);
        }
    }
}

/// The reference around a place. When a template goes on with it, its tag is not known.
fn word(text: &str, place: usize) -> Option<(Range<usize>, Reference)> {
    let mention = mention_around(text, place)?;
    let is_cut = text[mention.range.end..].trim_start_matches([':', '@', '-', '.', '/']).starts_with(['{', '$']);
    let reference = match mention.reference.tag() {
        Some(_) if is_cut => {
            let parts = mention.reference;
            let registry = parts.is_with_registry().then(|| parts.registry());
            Reference::from_parts(registry, parts.repository(), None, None).ok()?
        }
        _ => mention.reference,
    };
    Some((mention.range, reference))
}

fn is_url(text: &str, range: &Range<usize>) -> bool {
    let Some(before) = text[..range.start].strip_suffix("://") else { return false };
    !TRANSPORTS.iter().any(|transport| before.ends_with(transport))
}

/// Where a reference would begin behind a word that announces one.
fn stated(text: &str, end: usize) -> usize {
    let rest = &text[end..];
    let quiet = |text: &str| text.trim_start_matches([' ', '\t', '"', '\'']).len();
    let mut length = quiet(rest);
    while rest[rest.len() - length..].starts_with("--") {
        let option = &rest[rest.len() - length..];
        let after = option.find([' ', '\n']).map_or("", |space| &option[space..]);
        length = quiet(after);
    }
    text.len() - length
}

/// How a name of Docker Hub is written mostly; only with a repository's folder, because one word may be anything.
fn short(literal: &str) -> Option<String> {
    let rest = literal.strip_prefix("docker.io/")?;
    (rest.contains('/') && !rest.starts_with("library/")).then(|| rest.to_owned())
}

/// Lines and columns, counted once.
fn placed(text: &str, found: BTreeMap<usize, Reference>) -> Vec<Found> {
    let (mut line, mut start, mut seen) = (1, 0, 0);
    let mut places = Vec::with_capacity(found.len());
    for (place, reference) in found {
        for (newline, _) in text[seen..place].match_indices('\n') {
            line += 1;
            start = seen + newline + 1;
        }
        seen = place;
        places.push(Found { reference, line, column: text[start..place].chars().count() + 1 });
    }
    places
}
