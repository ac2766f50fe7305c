//! What differs between the images of two releases, and what of it needs an explanation.
//!
//! | difference | needs one |
//! |---|---|
//! | an image is new | no |
//! | an image is gone, and nothing new has its name | yes |
//! | an image is in another repository: one is gone, and a new one has the last part of its name | yes |
//! | its tags are written in another way: a `v`, a date, a commit, another number of numbers | yes |
//!
//! Digests, versions and platforms may differ: that is what releases are for. An explanation is about the older name.

use std::collections::{BTreeMap, BTreeSet};

use serde::{Deserialize, Serialize};

use crate::oci::Reference;

/// The images of a release: by name, the tags that it has them under.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct ImageSet {
    images: BTreeMap<String, BTreeSet<String>>,
}

/// The document of `images --list --format json`, as far as it counts here.
#[derive(Deserialize)]
struct Document {
    schema: u32,
    images: Vec<Entry>,
}

#[derive(Deserialize)]
struct Entry {
    reference: String,
}

/// One difference.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(tag = "change", rename_all = "kebab-case")]
pub enum Change {
    /// There was none of this name.
    Added {
        /// Its name.
        image: String,
    },
    /// There is none of this name any more.
    Disappeared {
        /// Its name.
        image: String,
    },
    /// It has another registry or repository.
    Moved {
        /// Its older name.
        image: String,
        /// The newer ones.
        to: Vec<String>,
    },
    /// Its tags are written in another way.
    TagScheme {
        /// Its name.
        image: String,
        /// An older tag.
        old: String,
        /// A newer one.
        new: String,
    },
}

/// A difference, and what was said about it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Explained {
    /// The difference.
    #[serde(flatten)]
    pub change: Change,
    /// Why it is; absent when nobody said so.
    pub reason: Option<String>,
}

impl FromIterator<Reference> for ImageSet {
    fn from_iter<T: IntoIterator<Item = Reference>>(references: T) -> Self {
        let mut images: BTreeMap<String, BTreeSet<String>> = BTreeMap::new();
        for reference in references {
            images.entry(reference.name()).or_default().extend(reference.tag().map(str::to_owned));
        }
        Self { images }
    }
}

impl ImageSet {
    /// Reads what `images --list --format json` has written.
    ///
    /// # Errors
    /// Why it is no such document, in one line.
    pub fn parse(text: &str) -> Result<Self, String> {
        let document: Document = serde_json::from_str(text).map_err(|error| error.to_string())?;
        if document.schema != 1 {
            return Err(format!("its schema is {}, and this program knows 1", document.schema));
        }
        let references = document.images.into_iter().map(|entry| entry.reference.parse::<Reference>());
        references.collect::<Result<_, _>>().map_err(|error| error.to_string())
    }
}

impl Change {
    /// The name that an explanation is about; none where none is needed.
    pub fn subject(&self) -> Option<&str> {
        match self {
            Self::Added { .. } => None,
            Self::Disappeared { image } | Self::Moved { image, .. } | Self::TagScheme { image, .. } => Some(image),
        }
    }
}

impl std::fmt::Display for Change {
    fn fmt(&self, out: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Added { image } => write!(out, "new      {image}"),
            Self::Disappeared { image } => write!(out, "gone     {image}"),
            Self::Moved { image, to } => write!(out, "moved    {image} → {}", to.join(", ")),
            Self::TagScheme { image, old, new } => write!(out, "retagged {image}: {old} → {new}"),
        }
    }
}

/// What differs, sorted. `reasons` are explanations by older names.
///
/// ```
/// use std::collections::BTreeMap;
/// use groupage::oci::Reference;
/// use groupage::release::{ImageSet, differences};
/// let set = |text: &str| [text.parse::<Reference>().unwrap()].into_iter().collect::<ImageSet>();
/// let found = differences(&set("k8s.gcr.io/etcdadm/etcd-manager:3.0.20210430"), &set("registry.k8s.io/etcdadm/etcd-manager:v3.0.20211117"), &BTreeMap::new());
/// let found: Vec<String> = found.iter().map(|one| one.change.to_string()).collect();
/// assert_eq!(found[0], "moved    k8s.gcr.io/etcdadm/etcd-manager → registry.k8s.io/etcdadm/etcd-manager");
/// assert_eq!(found[1], "retagged k8s.gcr.io/etcdadm/etcd-manager: 3.0.20210430 → v3.0.20211117");
/// ```
pub fn differences(old: &ImageSet, new: &ImageSet, reasons: &BTreeMap<String, String>) -> Vec<Explained> {
    let (mut changes, mut taken) = (BTreeSet::new(), BTreeSet::new());
    for (image, tags) in &old.images {
        if let Some(now) = new.images.get(image) {
            changes.extend(retagged(image, tags, now));
            continue;
        }
        let appeared = new.images.keys().filter(|name| !old.images.contains_key(*name) && last(name) == last(image));
        let to: Vec<String> = appeared.cloned().collect();
        for name in &to {
            changes.extend(retagged(image, tags, &new.images[name]));
        }
        taken.extend(to.iter().cloned());
        changes.insert(match to.is_empty() {
            true => Change::Disappeared { image: image.clone() },
            false => Change::Moved { image: image.clone(), to },
        });
    }
    let appeared = new.images.keys().filter(|name| !old.images.contains_key(*name) && !taken.contains(*name));
    changes.extend(appeared.map(|image| Change::Added { image: image.clone() }));
    let reason = |change: &Change| reasons.get(change.subject()?).cloned();
    changes.into_iter().map(|change| Explained { reason: reason(&change), change }).collect()
}

fn last(name: &str) -> &str {
    name.rsplit('/').next().unwrap_or(name)
}

/// A tag that is written otherwise than every older one.
fn retagged(image: &str, old: &BTreeSet<String>, new: &BTreeSet<String>) -> Option<Change> {
    let known: BTreeSet<Vec<Part>> = old.iter().map(|tag| scheme(tag)).collect();
    let tag = new.iter().find(|tag| !known.contains(&scheme(tag)))?;
    // one that had no tag has none to compare with
    let before = old.iter().next_back()?;
    Some(Change::TagScheme { image: image.to_owned(), old: before.clone(), new: tag.clone() })
}

/// A part of a tag, as far as its form goes.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
enum Part {
    Number,
    /// Eight digits, or four that are a year.
    Date,
    Commit,
    Word(String),
}

/// How a tag is written. Pre-releases and what git appends are not part of it: they are of one version, not of all.
fn scheme(tag: &str) -> Vec<Part> {
    let mut parts = Vec::new();
    let (letter, rest) = match tag.strip_prefix('v').filter(|rest| rest.starts_with(|c: char| c.is_ascii_digit())) {
        Some(rest) => (Some(Part::Word("v".to_owned())), rest),
        None => (None, tag),
    };
    parts.extend(letter);
    let mut words = rest.split(['-', '_']).peekable();
    while let Some(word) = words.next() {
        let is_commit = |word: &str| (7..=40).contains(&word.len()) && word.bytes().all(|b| b.is_ascii_hexdigit());
        let describes = words.peek().and_then(|next| next.strip_prefix('g')).is_some_and(is_commit);
        let pre_release = ["alpha", "beta", "rc", "pre", "dev"].iter().any(|pre| word.starts_with(pre));
        if describes && !parts.is_empty() {
            words.next();
        } else if pre_release {
            // `beta.2`
        } else if is_commit(word) && word.bytes().any(|byte| byte.is_ascii_alphabetic()) {
            parts.push(Part::Commit);
        } else {
            parts.extend(word.split('.').map(part));
        }
    }
    parts
}

fn part(text: &str) -> Part {
    let is_number = !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
    match text.len() {
        8 if is_number => Part::Date,
        4 if is_number && text.starts_with("20") => Part::Date,
        _ if is_number => Part::Number,
        _ => Part::Word(text.to_owned()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn set(references: &str) -> ImageSet {
        references.split_whitespace().map(|text| text.parse::<Reference>().unwrap()).collect()
    }

    #[track_caller]
    fn check(old: &str, new: &str, expect: &[&str]) {
        let found = differences(&set(old), &set(new), &BTreeMap::new());
        let found: Vec<String> = found.iter().map(|one| one.change.to_string()).collect();
        assert_eq!(found, expect, "{old} and {new}");
    }

    #[test]
    fn images_come_and_go() {
        check("a.io/a:1.0 a.io/b:1.0", "a.io/b:1.1 a.io/c:1.1", &["new      a.io/c", "gone     a.io/a"]);
        check(
            "a.io/x/etcd-manager:v3.0.20241012 a.io/x/etcd-manager-slim:v3.0.20241012",
            "a.io/x/etcd-manager-ctl:v3.0.20250628 a.io/y/etcd-manager-slim:v3.0.20250628",
            &[
                "new      a.io/x/etcd-manager-ctl",
                "gone     a.io/x/etcd-manager",
                "moved    a.io/x/etcd-manager-slim → a.io/y/etcd-manager-slim",
            ],
        );
        check(
            "a.io/a:1.0 a.io/a@sha256:0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef",
            "a.io/a:1.1",
            &[],
        );
    }

    #[test]
    fn tags_have_a_scheme() {
        let same = |old: &str, new: &str| check(&format!("a.io/a:{old}"), &format!("a.io/a:{new}"), &[]);
        let other = |old: &str, new: &str| {
            check(&format!("a.io/a:{old}"), &format!("a.io/a:{new}"), &[&format!("retagged a.io/a: {old} → {new}")]);
        };
        same("1.2.3", "1.10.0-beta.2");
        same("v3.0.20220128", "v3.0.20220128-22-g09fbed34");
        same("5.3.0-full", "5.4.0-full");
        same("1.95-bookworm", "1.96-bookworm");
        other("3.0.20210430", "v3.0.20211117");
        other("v0.0.7", "5.3.0");
        other("v3.0.20241012", "f1ea649");
        other("1.2", "1.2.3");
        other("1.2.3", "1.2.3-slim");
        other("1.2.3", "latest");
    }

    #[test]
    fn reasons_are_about_older_names() {
        let reasons = BTreeMap::from([("a.io/a".to_owned(), "folded into b".to_owned())]);
        let found = differences(&set("a.io/a:1 a.io/c:1"), &set("a.io/b:1"), &reasons);
        let open: Vec<&str> =
            found.iter().filter(|one| one.reason.is_none()).filter_map(|one| one.change.subject()).collect();
        assert_eq!(open, ["a.io/c"]);
    }

    #[test]
    fn documents_are_read() {
        let text = r#"{"schema":1,"images":[{"reference":"a.io/a:1","class":"input"}]}"#;
        assert_eq!(ImageSet::parse(text).unwrap(), set("a.io/a:1"));
        for wrong in ["", "{}", r#"{"schema":2,"images":[]}"#, r#"{"schema":1,"images":[{"reference":"A"}]}"#] {
            assert!(ImageSet::parse(wrong).is_err(), "{wrong}");
        }
    }
}
