//! One file: from hits to findings.

use std::collections::BTreeMap;
use std::ops::Range;

use super::file_kind::{FileKind, is_binary};
use super::finding::{Finding, Fix, Severity};
use super::index::{Hit, Index};
use super::lines::Tree;
use super::mention::{self, Mention, Tag};
use super::place::{Place, PlaceKind};
use super::{MAX_FILE, history, keys, text, yaml};
use crate::migrate::edit::Edit;
use crate::migrate::fix::{self, Case, Fixed};
use crate::migrate::ledger::{At, Entry, Found, Ledger, Wanted, Written};

/// Most findings of one file: beyond that it is no file that people wrote, and time would have no bound.
const MOST_FINDINGS: usize = 50_000;

/// Parts of a path that lead to programs and sources, never to images.
const SOURCE_WORDS: [&str; 16] = [
    "_output", "bin", "build", "cmd", "dist", "go", "hack", "internal", "main", "output", "pkg", "sbin", "src", "tmp",
    "usr", "vendor",
];
/// Hosts of sources and packages.
const SOURCE_HOSTS: [&str; 7] =
    ["bitbucket.org", "codeberg.org", "github.com", "gitlab.com", "golang.org", "pkg.go.dev", "sigs.k8s.io"];

/// Finds retired references.
#[derive(Debug, Clone)]
pub struct Scanner<'l> {
    ledger: &'l Ledger,
    at: At,
    platforms: Vec<String>,
    index: Index,
}

/// A file while it is looked at.
#[derive(Debug)]
pub struct Context<'a> {
    /// Its path, for kinds and versions.
    pub path: &'a str,
    /// Its bytes.
    pub bytes: &'a [u8],
    /// How it is read.
    pub kind: FileKind,
    /// Its lines, for YAML.
    pub tree: Option<Tree<'a>>,
}

/// A file that is not looked into.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ScanError {
    /// It has more bytes than [`MAX_FILE`].
    #[error("it has {0} bytes; files above {MAX_FILE} are not looked into\nhint: split it")]
    TooLarge(u64),
    /// It has more than a file of people has.
    #[error("it names retired images more than {MOST_FINDINGS} times\nhint: split it")]
    TooMany,
}

impl<'l> Scanner<'l> {
    /// For a ledger, at some versions, for consumers on some platforms.
    pub fn new(ledger: &'l Ledger, at: At, platforms: Vec<String>) -> Self {
        let index = Index::new(ledger, &at);
        Self { ledger, at, platforms, index }
    }

    /// The ledger.
    pub fn ledger(&self) -> &'l Ledger {
        self.ledger
    }

    /// The versions that are asked about.
    pub fn at(&self) -> &At {
        &self.at
    }

    /// Whether a file needs to be looked into at all.
    pub fn has_hit(&self, bytes: &[u8]) -> bool {
        self.index.hits(bytes).next().is_some()
    }

    /// All findings of a file, in order.
    ///
    /// # Errors
    /// When the file is too large, or holds too many.
    pub fn scan(&self, path: &str, bytes: &[u8]) -> Result<Vec<Finding>, ScanError> {
        if bytes.len() as u64 > MAX_FILE {
            return Err(ScanError::TooLarge(bytes.len() as u64));
        }
        if !self.has_hit(bytes) || is_binary(bytes) {
            return Ok(Vec::new());
        }
        let kind = FileKind::of(path, bytes);
        let tree = (kind == FileKind::Yaml).then(|| Tree::read(bytes));
        let context = Context { path, bytes, kind, tree };
        let mut findings: Vec<Finding> = Vec::new();
        for hit in self.index.hits(bytes) {
            if findings.len() >= MOST_FINDINGS {
                return Err(ScanError::TooMany);
            }
            let seen = findings.last().is_some_and(|last| hit.start < last.range.end);
            let found = if hit.is_key { self.half(&context, hit) } else { self.whole(&context, hit) };
            findings.extend(found.filter(|_| !seen));
        }
        fix::fold(self.ledger, &context, &mut findings);
        one_edit_each(&mut findings);
        count_lines(bytes, &mut findings);
        Ok(findings)
    }

    fn wanted(&self) -> Wanted<'_> {
        Wanted { at: &self.at, platforms: &self.platforms }
    }

    /// A name that is retired, with its fix.
    fn whole(&self, context: &Context<'_>, hit: Hit) -> Option<Finding> {
        let mention = mention::around(context.bytes, hit.start..hit.end)?;
        let name = std::str::from_utf8(&context.bytes[mention.name.clone()]).ok()?;
        let mut written = if mention.is_below { Written::below(name) } else { Written::parse(name) };
        let place = context.place(mention.name.start)?;
        let registry = context.registry_beside(&place, name);
        if let Some(registry) = registry {
            written.registry = (!is_computed(registry)).then_some(registry);
        }
        let mut all = self.ledger.find_all(&written, &self.at);
        let found = if all.is_empty() { return None } else { all.remove(0) };
        if !is_reference(context, &mention, &place, &written) || history::is_about_before(context.path, found.entry) {
            return None;
        }
        if self.is_migrated(context, &place) {
            return None;
        }
        let tag = context.tag(&mention, &place);
        let answer = self.ledger.resolve(&found, tag.as_deref(), self.wanted());
        let case = Case { context, mention: &mention, place: &place, answer: &answer };
        let mut fixed = fix::fix(&case);
        // of two products only the reader knows which one is meant
        if let Some(other) = all.iter().find(|other| other.entry.product != found.entry.product) {
            let products = [found.entry.product_name(), other.entry.product_name()];
            let why = format!(
                "{} say different things of it: say which is meant with --at PRODUCT=VERSION",
                products.join(" and ")
            );
            fixed.fix = Fix::Explained(why);
        }
        Some(self.finding(found.entry, place, mention.range(), fixed))
    }

    /// A tag or registry under a key that belongs to a retired image.
    fn half(&self, context: &Context<'_>, hit: Hit) -> Option<Finding> {
        let (place, tag) = keys::half(context, hit)?;
        let entry = self
            .ledger
            .entries
            .iter()
            .find(|entry| entry.keys.contains(&place.key) && self.ledger.is_retired(entry, &self.at))?;
        if history::is_about_before(context.path, entry) {
            return None;
        }
        let found = Found { entry, name: entry.names.first()?.clone(), mirrored: None };
        let text = String::from_utf8_lossy(&context.bytes[tag.value.clone()]).into_owned();
        let answer = self.ledger.resolve(&found, Some(&text), self.wanted());
        let fixed = fix::half(&answer, &tag, &text)?;
        Some(self.finding(entry, place, tag.value, fixed))
    }

    /// A Kustomize entry whose new name is another image is how a retired name is migrated.
    fn is_migrated(&self, context: &Context<'_>, place: &Place) -> bool {
        if place.kind != PlaceKind::Kustomize || place.key != "name" {
            return false;
        }
        let Some(new_name) = place.sibling("newName") else { return false };
        let text = String::from_utf8_lossy(&context.bytes[new_name.value.clone()]);
        // when the new name is retired as well, it has a finding of its own
        !text.is_empty()
    }

    fn finding(&self, own: &Entry, place: Place, range: Range<usize>, fixed: Fixed) -> Finding {
        let entry = self.ledger.entries.iter().position(|entry| std::ptr::eq(entry, own)).unwrap_or_default();
        let Place { kind, path, object, document, .. } = place;
        let Fixed { written, expected, fix, notes } = fixed;
        let severity = self.severity(own);
        Finding {
            range,
            line: 0,
            column: 0,
            place: kind,
            path,
            written,
            entry,
            expected,
            fix,
            severity,
            notes,
            object,
            document,
        }
    }

    /// As long as the old name is published, nothing is broken.
    fn severity(&self, entry: &Entry) -> Severity {
        let published = match (&entry.until, self.ledger.version_of(entry, &self.at)) {
            (Some(until), Some(version)) => crate::migrate::ledger::is_below(version, until),
            _ => false,
        };
        if published { Severity::Warning } else { Severity::Error }
    }
}

impl Context<'_> {
    fn place(&self, at: usize) -> Option<Place> {
        match &self.tree {
            Some(tree) => Some(yaml::place(self.path, self.bytes, tree, at)),
            None => text::place(self.kind, self.bytes, at),
        }
    }

    /// The registry that stands beside a repository which names none.
    fn registry_beside(&self, place: &Place, name: &str) -> Option<&str> {
        let registry = place.sibling("registry").filter(|_| !matches!(place.kind, PlaceKind::Kustomize))?;
        let has_own = name.split_once('/').is_some_and(|(first, _)| first.contains(['.', ':']));
        let text = std::str::from_utf8(&self.bytes[registry.value.clone()]).ok()?;
        (!has_own && !text.is_empty()).then_some(text)
    }

    /// The tag that is written: in the reference, or beside it.
    fn tag(&self, mention: &Mention, place: &Place) -> Option<String> {
        let beside = match place.kind {
            PlaceKind::Kustomize => place.sibling("newTag"),
            _ if mention.tag == Tag::None => place.sibling("tag").or_else(|| place.sibling("version")),
            _ => None,
        };
        let range = match (&mention.tag, beside) {
            (_, Some(beside)) => beside.value.clone(),
            (Tag::Is(tag), None) => tag.clone(),
            _ => return None,
        };
        let text = String::from_utf8_lossy(&self.bytes[range]).into_owned();
        (!text.is_empty()).then_some(text)
    }
}

/// Whether a template or a variable stands in a text.
pub(crate) fn is_computed(text: &str) -> bool {
    text.contains(['{', '$', '%'])
}

fn is_reference(context: &Context<'_>, mention: &Mention, place: &Place, written: &Written<'_>) -> bool {
    if mention.is_bare(context.bytes) {
        return place.takes_bare;
    }
    let is_host = written.registry.is_some_and(|registry| SOURCE_HOSTS.contains(&registry));
    let (_, above) = written.parts.split_last().unwrap_or((&"", &[]));
    !is_host && !above.iter().any(|part| SOURCE_WORDS.contains(part) || part.starts_with('.'))
}

/// In broken files two findings may want the same bytes: the first one gets them.
fn one_edit_each(findings: &mut [Finding]) {
    let mut taken: BTreeMap<usize, Edit> = BTreeMap::new();
    for finding in findings.iter_mut() {
        let is_free = |edit: &Edit| {
            let end = edit.range.end.max(edit.range.start + 1);
            let before = taken.range(..end).next_back();
            before.is_none_or(|(_, other)| other == edit || !overlap(other, edit))
        };
        if finding.edits().iter().all(is_free) {
            taken.extend(finding.edits().iter().map(|edit| (edit.range.start, edit.clone())));
        } else {
            let why = "what would have to change here is changed for another reference already: run this again, or look at it";
            finding.fix = Fix::Explained(why.to_owned());
        }
    }
}

fn overlap(one: &Edit, other: &Edit) -> bool {
    let (a, b) = (&one.range, &other.range);
    a.start == b.start || (a.start < b.end && b.start < a.end)
}

/// Lines and columns of findings, which are in order.
fn count_lines(bytes: &[u8], findings: &mut [Finding]) {
    let (mut line, mut line_start, mut at) = (1, if bytes.starts_with(b"\xef\xbb\xbf") { 3 } else { 0 }, 0);
    for finding in findings.iter_mut() {
        for newline in memchr::memchr_iter(b'\n', &bytes[at..finding.range.start.max(at)]) {
            line += 1;
            line_start = at + newline + 1;
        }
        at = finding.range.start.max(at);
        let before = &bytes[line_start.min(at)..at];
        finding.line = line;
        finding.column = String::from_utf8_lossy(before).chars().count() + 1;
    }
}

/// Findings by entry and document, for entries whose values must agree.
pub(crate) fn by_document(ledger: &Ledger, findings: &[Finding]) -> BTreeMap<(usize, usize), Vec<usize>> {
    let mut groups: BTreeMap<(usize, usize), Vec<usize>> = BTreeMap::new();
    for (index, finding) in findings.iter().enumerate() {
        if ledger.entries[finding.entry].folds_several() {
            groups.entry((finding.entry, finding.document)).or_default().push(index);
        }
    }
    groups
}
