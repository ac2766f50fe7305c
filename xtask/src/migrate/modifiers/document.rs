//! Where the rules are: in the one data key of a ConfigMap, or a file of their own, as `kubectl create configmap
//! --from-file` takes it.

use super::decode::decode;
use super::embedded::Embedded;
use super::rows;
use super::unindented;
use super::written::Written;
use crate::diagnostic::Diagnostic;
use crate::source::{FileId, Span};
use crate::yaml::{self, Node};

/// What a file holds.
#[derive(Debug, Default)]
pub struct Read {
    /// Rules, once for each ConfigMap.
    pub written: Vec<Written>,
    /// What Velero refuses, or passes over.
    pub findings: Vec<Diagnostic>,
    /// Where lines begin that have to be indented before the file is any YAML.
    pub lines: Vec<usize>,
}

const NO_YAML: &str = "Velero cannot read it either: the restore fails validation";

impl Read {
    /// Takes rules that stand as far left as the key that should hold them.
    fn unindented(&mut self, found: unindented::Unindented) {
        let (written, mut problems) = decode(&found.root, false);
        problems.retain(|problem| problem.code != "rules-not-indented" || !written.is_list);
        let message = format!("the rules are not indented below `{}`, which is then empty", found.key);
        let wrong = Diagnostic::error("rules-not-indented", message)
            .label(Span { end: found.root.span.start + 1, ..found.root.span }, "");
        self.findings.push(wrong.note(NO_YAML).help("indent all lines of them by two more spaces"));
        self.findings.extend(problems);
        self.lines = found.lines;
        self.written.push(written);
    }
}

/// Reads a file: any number of ConfigMaps (other objects are passed over), or rules alone.
pub fn read(id: FileId, text: &str) -> Read {
    let mut read = Read::default();
    let documents = match yaml::parse(id, text) {
        Ok(documents) => documents,
        Err(problem) => {
            match unindented::rules(id, text) {
                Some(found) => read.unindented(found),
                None => read.findings.push(problem.note(NO_YAML)),
            }
            return read;
        }
    };
    let mut objects: Vec<&Node> = Vec::new();
    for document in &documents {
        match document.get("items") {
            Some(items) if document.get("kind").is_some() => objects.extend(items.items()),
            _ => objects.push(document),
        }
    }
    let maps: Vec<&Node> = objects.into_iter().filter(|object| is_config_map(object)).collect();
    for map in maps.iter().filter(|map| maps.len() == 1 || mentions_rules(map)) {
        config_map(&mut read, text, map);
    }
    if maps.is_empty() {
        rules(&mut read, documents, Span::new(id, 0..0), true);
    }
    read
}

fn is_config_map(node: &Node) -> bool {
    node.get("kind").and_then(Node::text) == Some("ConfigMap")
}

/// Whether a ConfigMap among others may be meant.
fn mentions_rules(map: &Node) -> bool {
    if rows::is_one(map) {
        return true;
    }
    let values = map.get("data").map(Node::entries).unwrap_or_default();
    values.iter().any(|(_, value)| value.text().is_some_and(|text| text.contains("groupResource")))
}

fn config_map(read: &mut Read, text: &str, map: &Node) {
    if rows::is_one(map) {
        return read.findings.extend(rows::check(map));
    }
    let keys = map.get("data").map(Node::entries).unwrap_or_default();
    let [(_, value)] = keys else {
        let name = map.get("metadata").and_then(|metadata| metadata.get("name")).and_then(Node::text).unwrap_or("");
        let message = format!("the ConfigMap {name} has {} data keys, and must have exactly one", keys.len());
        let place = keys.get(1).map_or(map.span, |(key, _)| key.span);
        let wrong = Diagnostic::error("data-keys", message).label(place, "");
        read.findings.push(wrong.help("keep one key, of any name, that holds the rules"));
        return;
    };
    let embedded = Embedded::new(text, value);
    match yaml::parse(value.span.file, &embedded.text) {
        Ok(mut documents) => {
            documents.iter_mut().for_each(|document| embedded.place(document));
            rules(read, documents, value.span, embedded.exact);
        }
        Err(mut problem) => {
            for label in &mut problem.labels {
                label.span = Span::new(label.span.file, embedded.outer(label.span.range()));
            }
            read.findings.push(problem.note(NO_YAML));
        }
    }
}

/// The first document holds the rules.
fn rules(read: &mut Read, documents: Vec<Node>, place: Span, editable: bool) {
    let Some((first, more)) = documents.split_first() else {
        let none = Diagnostic::error("no-rules", "there are no rules").label(place, "");
        read.findings.push(none.help("write `version: v1` and a list `resourceModifierRules`"));
        return;
    };
    let (written, problems) = decode(first, editable);
    read.findings.extend(problems);
    for document in more {
        let second = Diagnostic::error("second-document", "Velero reads the first document only");
        let second = second.label(document.span, "this one is ignored");
        read.findings.push(second.help("put its rules into the list of the first one"));
    }
    read.written.push(written);
}
