//! What is wrong with resource modifiers: what Velero refuses, what it takes and then fails at, what it passes over, and what
//! it does that nobody wants.
//!
//! An error is a rule that does not do what it says, for every object or for those that are known; a warning depends on
//! objects that are not known. Velero restores an object UNPATCHED when a patch of it fails, and only counts an error.

mod condition;
mod data;
mod operation;
mod pod_fields;
pub(super) mod rollout;
mod target;

use super::backups::Backups;
use super::document;
use super::version::Velero;
use super::written::{Text, Written, WrittenRule};
use crate::diagnostic::Diagnostic;
use crate::source::FileId;

pub(super) use self::operation::{WAITS, wants_text};
pub use super::document::Read;

/// What is known besides the file.
#[derive(Debug, Clone, Copy, Default)]
pub struct Options<'a> {
    /// The version that is to take the file; all since 1.13 when absent.
    pub velero: Option<Velero>,
    /// Pods with file-system backups, if they are known.
    pub backups: Option<&'a Backups>,
}

/// All codes, and what each means.
pub const CODES: &[(&str, &str)] = &[
    ("syntax", "the file, or the text in its data key, is no YAML"),
    ("too-deep", "more levels than anybody writes"),
    ("too-large", "more values than anybody writes"),
    ("data-keys", "the ConfigMap has not exactly one data key"),
    ("rules-not-indented", "rules, or fields of one, stand where fields of what is around them should"),
    ("no-version", "there is no `version: v1`"),
    ("no-rules", "there is no rule"),
    ("unknown-field", "a field that Velero does not know"),
    ("duplicate-field", "a field that is there twice"),
    ("wrong-type", "a list, a mapping or a text where something else is wanted"),
    ("no-group-resource", "a rule does not say which objects it changes"),
    ("several-patch-kinds", "a rule has more than one kind of patches"),
    ("bad-operation", "an operation of a JSON patch that does not exist"),
    ("no-path", "an operation of a JSON patch without a path"),
    ("second-document", "Velero reads the first document only"),
    ("velero-version", "something that the stated version of Velero does not have"),
    ("bad-glob", "`groupResource` is no valid glob: an error for every object"),
    ("never-matches", "no object can match `groupResource`"),
    ("dotted-groups", "`*` does not match group names with dots"),
    ("core-group-only", "`*` alone matches the core group only"),
    ("bad-regex", "`resourceNameRegex` is no valid expression: an error for every object"),
    ("bad-selector", "the label selector is none: an error for every object"),
    ("match-without-path", "an entry of `matches` has no path: an error for every object"),
    ("no-patch", "a rule changes nothing: an error for every object"),
    ("operation-case", "an operation that is not written small passes validation and then fails"),
    ("no-from", "`move` fails without `from`, and `copy` copies the whole object"),
    ("bad-pointer", "a path does not begin with `/`: its first key is passed over"),
    ("trailing-slash", "a path ends with `/`: its last key is an empty one"),
    ("bad-value", "a value makes the patch invalid JSON: all patches of the rule fail"),
    ("value-type", "a value arrives as a number or a boolean where text is wanted"),
    ("scalar-changes", "a value without quotes arrives otherwise than it is written"),
    ("add-overwrites", "`add` of an object takes away the one that is there"),
    ("positional-init-container", "init containers by position: Velero puts its own first"),
    ("wait-container", "the init container of Velero itself is changed"),
    ("bad-patch-data", "the text of a merge patch is no YAML, or no object"),
    ("strategic-custom-kind", "strategic patches need a kind of Kubernetes itself"),
    ("no-merge-key", "an item of a list in a strategic patch has no name"),
    ("unknown-patch-field", "a field in a strategic patch that is passed over without an error"),
    ("row-ignored", "a row of change-image-name that is no `old,new`"),
    ("rows-overlap", "two rows of change-image-name fit the same references"),
    ("rollout", "a change of a pod template replaces the pod that restores a file-system backup"),
];

/// Reads a file and finds all that is wrong with it, in order of place.
///
/// ```
/// use groupage::migrate::modifiers::lint::{Options, lint};
/// use groupage::source::{SourceFile, SourceMap};
/// let text = "version: v1\nresourceModifierRules:\n- conditions: {groupResource: deployments}\n";
/// let mut map = SourceMap::default();
/// let file = map.add(SourceFile::new("rules.yaml", text));
/// let codes: Vec<_> = lint(file, text, &Options::default()).findings.iter().map(|finding| finding.code).collect();
/// assert_eq!(codes, ["no-patch", "never-matches"]);
/// ```
pub fn lint(id: FileId, text: &str, options: &Options<'_>) -> Read {
    let mut read = document::read(id, text);
    let mut written = std::mem::take(&mut read.written);
    if read.findings.iter().any(|finding| finding.code == "too-large") {
        // what was read is a part of it, and other findings would be noise
        read.findings.retain(|finding| finding.code == "too-large");
        written.clear();
    }
    for one in &written {
        file(id, one, options, &mut read.findings);
    }
    let key = |finding: &Diagnostic| (finding.labels.first().map(|label| label.span), finding.code);
    read.findings.sort_by(|a, b| key(a).cmp(&key(b)).then_with(|| a.message.cmp(&b.message)));
    read.findings.dedup();
    Read { written, ..read }
}

fn file(id: FileId, written: &Written, options: &Options<'_>, findings: &mut Vec<Diagnostic>) {
    let rules = written.meant().rules;
    for (index, rule) in written.rules.iter().enumerate() {
        let mut found = Vec::new();
        target::check(rule, options, &mut found);
        condition::check(rule, options, &mut found);
        operation::check(rule, options, &mut found);
        data::check(rule, options, &mut found);
        no_patch(rule, &mut found);
        found.extend(rollout::finding(id, rule, index, &rules, options));
        findings.extend(found);
    }
}

fn no_patch(rule: &WrittenRule, findings: &mut Vec<Diagnostic>) {
    let is_broken = [&rule.merge_patches, &rule.strategic_patches].into_iter().flatten().any(|list| !list.is_whole);
    if !rule.meant().has_patch() && !is_broken {
        let none = Diagnostic::error("no-patch", "the rule changes nothing").label(rule.span, "");
        let none = none.note("Velero takes it, and then reports `no patch data found` for every object that matches");
        findings.push(none.help("give it `patches`, `mergePatches` or `strategicPatches`, or remove it"));
    }
}

/// A text that is there and holds something.
fn filled(text: &Option<Text>) -> Option<&Text> {
    text.as_ref().filter(|text| !text.value.is_empty())
}

/// Whether the stated version lacks what came with another one.
fn lacks(options: &Options<'_>, since: Velero) -> Option<Velero> {
    options.velero.filter(|stated| *stated < since)
}

fn too_new(what: &str, since: Velero, stated: Velero, place: crate::source::Span) -> Diagnostic {
    Diagnostic::error("velero-version", format!("{what} needs Velero {since}, and {stated} is stated")).label(place, "")
}
