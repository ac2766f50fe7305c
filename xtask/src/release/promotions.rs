//! The promoter manifest: what was promoted, as a file that a reviewer reads in a pull request.
//! <https://github.com/kubernetes-sigs/promo-tools/blob/main/docs/image-promotion.md>
//!
//! ```yaml
//! - name: etcd-manager-slim
//!   dmap:
//!     "sha256:2e2d…": ["v3.0.20220717", "v3.0.20220727"]
//! ```
//!
//! The digest is the key; a digest may have several tags, or none. Real files have one block for each release, so that a name
//! stands there many times: all of its blocks count together. A tag of a name is at one digest; at two, the file is refused
//! with both places. Names are repositories below the registry that is promoted from and to; they hold no registry.

use std::collections::BTreeMap;

use crate::diagnostic::{Diagnostic, Problems};
use crate::oci::{Digest, Reference};
use crate::source::{FileId, Span};
use crate::yaml::{self, Node, Value};

/// What a promoter manifest says.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Promotions {
    /// By name, digest and tag, each tag with its place. A digest may have no tag.
    names: BTreeMap<String, BTreeMap<Digest, BTreeMap<String, Span>>>,
}

/// One image that was promoted under one tag.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, serde::Serialize)]
pub struct Promotion {
    /// The repository, below its registry.
    pub name: String,
    /// Its tag.
    pub tag: String,
    /// Its digest.
    pub digest: Digest,
}

/// One entry of a `dmap`, where it stands.
pub(super) struct Entry<'n> {
    pub digest: Digest,
    pub key: &'n Node,
    pub tags: &'n Node,
}

/// One block of the file: a name and its `dmap`.
pub(super) struct Block<'n> {
    pub name: &'n Node,
    pub dmap: &'n Node,
    pub entries: Vec<Entry<'n>>,
}

impl Promotions {
    /// Reads a file. Empty, it promotes nothing.
    ///
    /// # Errors
    /// All that is wrong with it, each with its place: YAML, unknown or missing keys, names that are no repositories, digests
    /// that are none, a tag at two digests.
    ///
    /// ```
    /// use groupage::release::Promotions;
    /// use groupage::source::{SourceFile, SourceMap};
    /// let text = format!("- name: app\n  dmap:\n    \"sha256:{}\": [\"1.0\", \"1.0.0\"]\n", "0".repeat(64));
    /// let file = SourceMap::default().add(SourceFile::new("images.yaml", text.as_str()));
    /// let promotions = Promotions::parse(file, &text).unwrap();
    /// assert_eq!(promotions.iter().map(|one| one.2).collect::<Vec<_>>(), [vec!["1.0", "1.0.0"]]);
    /// ```
    pub fn parse(id: FileId, text: &str) -> Result<Self, Vec<Diagnostic>> {
        let document = document(id, text).map_err(|problem| vec![problem])?;
        let mut problems = Problems::default();
        let mut promotions = Self::default();
        for block in blocks(document.as_ref(), &mut problems) {
            promotions.add(&block, &mut problems);
        }
        problems.finish(promotions)
    }

    fn add(&mut self, block: &Block<'_>, problems: &mut Problems) {
        let digests = self.names.entry(block.name.text().unwrap_or_default().to_owned()).or_default();
        for entry in &block.entries {
            for tag in entry.tags.items() {
                let Some(text) = tag.text() else { continue };
                let others = digests.iter().filter(|(digest, _)| **digest != entry.digest);
                let other = others.filter_map(|(digest, tags)| Some((digest, tags.get(text)?))).next();
                if let Some((digest, place)) = other {
                    let (digest, place) = (digest.clone(), *place);
                    problems.push(twice(&block.name_of(text), tag.span, &entry.digest, place, &digest));
                    continue;
                }
                digests.entry(entry.digest.clone()).or_default().insert(text.to_owned(), tag.span);
            }
            digests.entry(entry.digest.clone()).or_default();
        }
    }

    /// All entries: name, digest and tags; sorted.
    pub fn iter(&self) -> impl Iterator<Item = (&str, &Digest, Vec<&str>)> {
        self.names.iter().flat_map(|(name, digests)| {
            digests.iter().map(|(digest, tags)| (name.as_str(), digest, tags.keys().map(String::as_str).collect()))
        })
    }

    /// True when it promotes nothing.
    pub fn is_empty(&self) -> bool {
        self.names.is_empty()
    }

    /// Where a tag of a name is, and at which digest.
    pub fn find(&self, name: &str, tag: &str) -> Option<(&Digest, Span)> {
        let digests = self.names.get(name)?.iter();
        digests.filter_map(|(digest, tags)| Some((digest, *tags.get(tag)?))).next()
    }
}

impl Block<'_> {
    fn name_of(&self, tag: &str) -> String {
        format!("{}:{tag}", self.name.text().unwrap_or_default())
    }
}

/// A tag at two digests.
pub(super) fn twice(name: &str, span: Span, digest: &Digest, other_span: Span, other: &Digest) -> Diagnostic {
    Diagnostic::error("tag-at-two-digests", format!("`{name}` is promoted at two digests"))
        .label(span, format!("at {digest}"))
        .label(other_span, format!("and at {other}"))
        .help("a tag that was published stays at its digest; give the other image another tag")
}

/// The one document of a file, nothing when it is empty.
pub(super) fn document(id: FileId, text: &str) -> Result<Option<Node>, Diagnostic> {
    let mut documents = yaml::parse(id, text)?;
    if let Some(second) = documents.get(1) {
        return Err(
            Diagnostic::error("invalid-value", "a promoter manifest is one YAML document").label(second.span, "")
        );
    }
    Ok(documents.pop().filter(|document| document.text() != Some("")))
}

/// The blocks of a file that are as they should be.
pub(super) fn blocks<'n>(document: Option<&'n Node>, problems: &mut Problems) -> Vec<Block<'n>> {
    let Some(document) = document else { return Vec::new() };
    if !matches!(document.value, Value::Sequence(_)) {
        let wrong = Diagnostic::error("invalid-value", "a promoter manifest is a list of `name` and `dmap`");
        problems.push(wrong.label(document.span, "").help("write `- name: REPOSITORY` and, below it, `dmap:`"));
    }
    document.items().iter().filter_map(|node| block(node, problems)).collect()
}

fn block<'n>(node: &'n Node, problems: &mut Problems) -> Option<Block<'n>> {
    let known = ["name", "dmap"];
    let mut found: [Option<&'n Node>; 2] = [None, None];
    for (key, value) in node.entries() {
        let word = key.text().unwrap_or_default();
        match known.iter().position(|known| *known == word) {
            Some(index) if found[index].is_some() => {
                problems.push(
                    Diagnostic::error("duplicate-key", format!("`{word}` stands here twice")).label(key.span, ""),
                );
            }
            Some(index) => found[index] = Some(value),
            None => {
                let unknown = Diagnostic::error("unknown-key", format!("unknown key `{word}`")).label(key.span, "");
                problems.push(unknown.suggest(word, known, None));
            }
        }
    }
    let [Some(name), Some(dmap)] = found else {
        let missing = if found[0].is_none() { "name" } else { "dmap" };
        problems.push(Diagnostic::error("missing-key", format!("an entry lacks `{missing}`")).label(node.span, ""));
        return None;
    };
    is_name(name, problems).then_some(())?;
    Some(Block { name, dmap, entries: entries(dmap, problems)? })
}

fn is_name(name: &Node, problems: &mut Problems) -> bool {
    let text = name.text().unwrap_or_default();
    // any registry will do: what is looked at is the rest
    let is_name = Reference::from_parts(Some("registry.invalid"), text, None, None).is_ok();
    if !is_name {
        let wrong = Diagnostic::error("invalid-value", "a name is a repository, without registry and tag");
        problems.push(wrong.label(name.span, ""));
    }
    is_name
}

fn entries<'n>(dmap: &'n Node, problems: &mut Problems) -> Option<Vec<Entry<'n>>> {
    if !matches!(dmap.value, Value::Mapping(_)) {
        let wrong = Diagnostic::error("invalid-value", "a `dmap` maps digests to lists of tags");
        problems.push(wrong.label(dmap.span, "").help("write `\"sha256:…\": [\"TAG\"]`"));
        return None;
    }
    let mut entries: Vec<Entry<'n>> = Vec::new();
    for (key, tags) in dmap.entries() {
        let digest = match key.text().unwrap_or_default().parse::<Digest>() {
            Ok(digest) => digest,
            Err(error) => {
                problems.push(Diagnostic::error("invalid-value", error.to_string()).label(key.span, ""));
                continue;
            }
        };
        if let Some(other) = entries.iter().find(|other| other.digest == digest) {
            let twice = Diagnostic::error("duplicate-key", "one `dmap` has a digest twice").label(key.span, "");
            problems.push(twice.label(other.key.span, "also here").help("put the tags into one list"));
        }
        if are_tags(tags, problems) {
            entries.push(Entry { digest, key, tags });
        }
    }
    Some(entries)
}

fn are_tags(tags: &Node, problems: &mut Problems) -> bool {
    let Value::Sequence(items) = &tags.value else {
        let wrong = Diagnostic::error("invalid-value", "tags are a list").label(tags.span, "");
        problems.push(wrong.help("write `[\"TAG\"]`, or `[]` for a digest without a tag"));
        return false;
    };
    let is_tag = |tag: &&Node| {
        let text = tag.text().unwrap_or_default();
        Reference::from_parts(Some("registry.invalid"), "x", Some(text), None).is_ok()
    };
    for wrong in items.iter().filter(|tag| !is_tag(tag)) {
        let what = "a tag has 1 to 128 letters, digits, `_`, `.` or `-` and begins with none of `.-`";
        problems.push(Diagnostic::error("invalid-value", what).label(wrong.span, ""));
    }
    items.iter().all(|tag| is_tag(&tag))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::source::{SourceFile, SourceMap};

    fn digest(number: u8) -> Digest {
        Digest::of(&[number])
    }

    /// `D1` and the like in a text become digests.
    fn with_digests(text: &str) -> String {
        (1..=9).fold(text.to_owned(), |text, number| text.replace(&format!("D{number}"), &digest(number).to_string()))
    }

    fn parse(text: &str) -> Result<Promotions, Vec<Diagnostic>> {
        let text = with_digests(text);
        let id = SourceMap::default().add(SourceFile::new("images.yaml", text.as_str()));
        Promotions::parse(id, &text)
    }

    /// What the Kubernetes file for etcd-manager really looks like: blocks by release, names that repeat, a digest under two
    /// tags, a variant that was a tag first and a repository later, a comment that names the tag without its `v`.
    const REAL: &str = "\
# 3.0.20211117
- name: etcd-manager
  dmap:
    \"D1\": [\"v3.0.20211117\"]
- name: etcd-backup
  dmap:
    \"D2\": [\"v3.0.20220128\", \"v3.0.20220203\"]
- name: etcd-manager
  dmap:
    \"D3\": [\"v3.0.20230119\"]
    \"D4\": [\"v3.0.20230119-slim\"]
- name: etcd-manager-slim
  dmap:
    \"D5\":
    - v3.0.20230201
";

    #[test]
    fn a_real_file() {
        let promotions = parse(REAL).unwrap();
        let all: Vec<String> =
            promotions.iter().map(|(name, digest, tags)| format!("{name} {digest} {}", tags.join(","))).collect();
        let mut expect = [
            ("etcd-backup", 2, "v3.0.20220128,v3.0.20220203"),
            ("etcd-manager", 1, "v3.0.20211117"),
            ("etcd-manager", 3, "v3.0.20230119"),
            ("etcd-manager", 4, "v3.0.20230119-slim"),
            ("etcd-manager-slim", 5, "v3.0.20230201"),
        ]
        .map(|(name, number, tags)| format!("{name} {} {tags}", digest(number)));
        expect.sort();
        let mut sorted = all.clone();
        sorted.sort();
        assert_eq!(sorted, expect);
        assert_eq!(promotions.find("etcd-backup", "v3.0.20220203").unwrap().0, &digest(2));
        assert!(promotions.find("etcd-manager", "v3.0.20230201").is_none());
    }

    #[test]
    fn what_is_wrong_has_a_place() {
        let check = |text: &str, code: &str, labels: usize| {
            let problems = parse(text).unwrap_err();
            let found: Vec<(&str, usize)> = problems.iter().map(|one| (one.code, one.labels.len())).collect();
            assert_eq!(found, [(code, labels)], "{text}");
        };
        check("- name: a\n  dmap: {D1: [x]}\n- name: a\n  dmap: {D2: [x]}\n", "tag-at-two-digests", 2);
        check("- name: a\n  dmap: {D1: [x], D2: [x]}\n", "tag-at-two-digests", 2);
        check("- name: a\n  dmap: {D1: [x], D1: [y]}\n", "duplicate-key", 2);
        check("- name: a\n  dmap: {D1: [x]}\n  name: b\n", "duplicate-key", 1);
        check("- name: a\n  dmaps: {D1: [x]}\n  dmap: {}\n", "unknown-key", 1);
        check("- name: a\n", "missing-key", 1);
        check("- dmap: {}\n", "missing-key", 1);
        check("- name: r.io/a:1\n  dmap: {}\n", "invalid-value", 1);
        check("- name: a\n  dmap: {sha256:12: [x]}\n", "invalid-value", 1);
        check("- name: a\n  dmap: {D1: x}\n", "invalid-value", 1);
        check("- name: a\n  dmap: {D1: [\"-x\"]}\n", "invalid-value", 1);
        check("- name: a\n  dmap:\n", "invalid-value", 1);
        check("name: a\ndmap: {}\n", "invalid-value", 1);
        check("--- []\n--- []\n", "invalid-value", 1);
        check("- [", "syntax", 1);
    }

    #[test]
    fn nothing_is_promoted_by_nothing() {
        for text in ["", "# a comment\n", "[]\n", "---\n"] {
            assert!(parse(text).unwrap().is_empty(), "{text:?}");
        }
        assert_eq!(parse("- name: a/b\n  dmap: {D1: []}\n").unwrap().iter().count(), 1);
    }
}
