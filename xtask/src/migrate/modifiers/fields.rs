//! Reading a tree of YAML as Velero does: `sigs.k8s.io/yaml` with `UnmarshalStrict`.
//!
//! An unknown field and one that is there twice are errors. Names of fields match in any case (Go's `encoding/json`), `null`
//! is an absent value, a number or a boolean is a text where a text is wanted, aliases and `<<` are followed.

use std::collections::BTreeMap;

use super::scalar;
use super::written::{Listed, Text};
use crate::diagnostic::Diagnostic;
use crate::source::Span;
use crate::yaml::{Node, Style, Value};

/// Most values that one file may have when its aliases are followed.
const MAX_VALUES: usize = 200_000;

/// What all reading of one file shares.
pub(super) struct Fields<'a> {
    anchors: BTreeMap<usize, &'a Node>,
    pub(super) problems: Vec<Diagnostic>,
    left: usize,
    /// Whether an alias was followed: what it stands for has two places.
    pub(super) aliased: bool,
}

/// A field that a mapping may have: its name, and what to say to somebody who wrote another one.
pub(super) type Known = &'static str;

/// Entries of a mapping by the name of the field.
pub(super) type Entries<'a> = BTreeMap<Known, (&'a Node, &'a Node)>;

/// Names that people write instead of the right ones, and why.
const MISTAKEN: &[(&str, &str)] = &[
    ("op", "Velero calls it `operation`"),
    ("groupKind", "it was renamed before 1.12.0: write `groupResource` with the plural, such as `deployments.apps`"),
    ("namespace", "write a list: `namespaces: [NAME]`"),
    ("jsonPatches", "JSON patches are `patches`"),
    ("patch", "write `patchData` with the patch as text: `patchData: |`"),
];

impl<'a> Fields<'a> {
    pub(super) fn new(root: &'a Node) -> Self {
        let mut anchors = BTreeMap::new();
        let mut todo = vec![root];
        while let Some(node) = todo.pop() {
            if node.anchor > 0 {
                anchors.insert(node.anchor, node);
            }
            todo.extend(node.items());
            todo.extend(node.entries().iter().flat_map(|(key, value)| [key, value]));
        }
        Self { anchors, problems: Vec::new(), left: MAX_VALUES, aliased: false }
    }

    pub(super) fn report(&mut self, code: &'static str, message: impl Into<String>, span: Span, help: &str) {
        let problem = Diagnostic::error(code, message).label(span, "");
        self.problems.push(if help.is_empty() { problem } else { problem.help(help) });
    }

    /// The node itself, or what an alias stands for; nothing when there are too many.
    pub(super) fn follow(&mut self, node: &'a Node) -> Option<&'a Node> {
        let mut node = node;
        loop {
            match self.left.checked_sub(1) {
                Some(left) => self.left = left,
                None => {
                    if self.problems.iter().all(|problem| problem.code != "too-large") {
                        let message = format!("more than {MAX_VALUES} values when aliases are followed");
                        self.report("too-large", message, node.span, "");
                    }
                    return None;
                }
            }
            match &node.value {
                Value::Alias(anchor) => {
                    self.aliased = true;
                    node = self.anchors.get(anchor).copied()?;
                }
                _ => return Some(node),
            }
        }
    }

    /// The fields of a mapping. `known` are the names it may have.
    ///
    /// `elsewhere` are names that are told in another way.
    pub(super) fn mapping(&mut self, node: &'a Node, what: &str, known: &[Known], elsewhere: &[Known]) -> Entries<'a> {
        let mut entries = Entries::new();
        for (key, value) in self.all_entries(node, what) {
            let name = key.text().unwrap_or_default();
            match known.iter().find(|known| known.eq_ignore_ascii_case(name)) {
                None if elsewhere.contains(&name) => {}
                None => self.unknown(key, name, what, known),
                Some(known) => {
                    if let Some((first, _)) = entries.insert(known, (key, value)) {
                        let twice = Diagnostic::error("duplicate-field", format!("`{known}` is there twice in {what}"));
                        self.problems.push(
                            twice
                                .label(key.span, "")
                                .label(first.span, "first here")
                                .help("Velero refuses it; keep one"),
                        );
                    }
                }
            }
        }
        entries
    }

    fn unknown(&mut self, key: &Node, name: &str, what: &str, known: &[Known]) {
        let unknown = Diagnostic::error("unknown-field", format!("{what} has no field `{name}`")).label(key.span, "");
        let unknown = match MISTAKEN.iter().find(|(wrong, _)| *wrong == name) {
            Some((_, why)) => unknown.help(*why),
            None => {
                let all = format!("known fields: {}", known.join(", "));
                unknown.suggest(name, known.iter().copied(), Some(all))
            }
        };
        self.problems.push(unknown.note("Velero decodes strictly: the restore fails validation"));
    }

    /// The entries of a mapping, those of `<<` among them.
    fn all_entries(&mut self, node: &'a Node, what: &str) -> Vec<(&'a Node, &'a Node)> {
        let Some(node) = self.follow(node).filter(|node| !is_null(node)) else { return Vec::new() };
        let Value::Mapping(own) = &node.value else {
            self.wrong(node, what, "a mapping", "");
            return Vec::new();
        };
        let (merges, mut entries): (Vec<_>, Vec<_>) =
            own.iter().map(|(key, value)| (key, value)).partition(|(key, _)| key.text() == Some("<<"));
        let mut merged: Vec<(&Node, &Node)> = Vec::new();
        for (_, value) in merges {
            let Some(value) = self.follow(value) else { continue };
            let sources = if value.items().is_empty() { std::slice::from_ref(value) } else { value.items() };
            for source in sources {
                merged.extend(
                    self.follow(source).iter().flat_map(|node| node.entries()).map(|(key, value)| (key, value)),
                );
            }
        }
        for (key, value) in merged {
            if entries.iter().all(|(there, _)| there.text() != key.text()) {
                entries.push((key, value));
            }
        }
        entries
    }

    /// A text, or what becomes one; nothing for nothing, and an empty one for `null`.
    pub(super) fn text(&mut self, node: &'a Node, what: &str, help: &str) -> Option<Text> {
        let node = self.follow(node)?;
        match &node.value {
            Value::Scalar(text, Style::Plain) if text.is_empty() => None,
            Value::Scalar(text, style) => {
                let value = scalar::read(text, *style, node.tag.as_deref()).arrives();
                Some(Text { value, written: text.clone(), span: node.span })
            }
            _ => {
                self.wrong(node, what, "text", help);
                None
            }
        }
    }

    /// The values of a list with its key.
    pub(super) fn list<T>(
        &mut self,
        entry: Option<&(&'a Node, &'a Node)>,
        what: &str,
        mut item: impl FnMut(&mut Self, &'a Node) -> Option<T>,
    ) -> Option<Listed<T>> {
        let (key, value) = entry?;
        let end = Span { start: key.span.start, ..value.span };
        let node = self.follow(value).filter(|node| !is_null(node))?;
        let Value::Sequence(nodes) = &node.value else {
            self.wrong(node, what, "a list", "write a list: one line with `- ` for each item");
            return None;
        };
        let items: Vec<T> = nodes.iter().filter_map(|node| item(self, node)).collect();
        let is_whole = items.len() == nodes.len();
        Some(Listed { key: key.span, entry: end, items, is_whole })
    }

    fn wrong(&mut self, node: &Node, what: &str, wanted: &str, help: &str) {
        let found = match &node.value {
            Value::Scalar(..) => "text",
            Value::Sequence(_) => "a list",
            Value::Mapping(_) => "a mapping",
            Value::Alias(_) => "an alias",
        };
        self.report("wrong-type", format!("{what} must be {wanted}, found {found}"), node.span, help);
    }
}

/// Whether a node is `null`, `~` or nothing.
pub(super) fn is_null(node: &Node) -> bool {
    match &node.value {
        Value::Scalar(text, style) => scalar::read(text, *style, node.tag.as_deref()) == scalar::Scalar::Null,
        _ => false,
    }
}
