//! YAML as nodes that know their line.
//!
//! A subset on purpose: no anchors, aliases or tags. Documents of a few lines do not need them, and without them no
//! small input can grow into a large one. Depth is limited for the same reason.

use saphyr_parser::{Event, Parser, ScanError, Span};

const DEPTH_LIMIT: usize = 16;

/// A value and the line where it starts.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Node {
    pub(crate) line: usize,
    pub(crate) value: Value,
}

/// What a node holds. Scalars stay text: only their reader knows what they are meant to be.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Value {
    Scalar(String),
    List(Vec<Node>),
    /// In the order of the file; the keys are distinct.
    Map(Vec<(Key, Node)>),
}

/// The key of a map and its line.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Key {
    pub(crate) line: usize,
    pub(crate) name: String,
}

/// A reason why a text is not accepted as YAML.
#[derive(Debug, PartialEq)]
pub(crate) struct Error {
    pub(crate) line: usize,
    pub(crate) message: String,
}

/// The documents of a file; one without content (just comments) is left out.
///
/// # Errors
/// At the first place where the text is not YAML, or uses what is left out here.
pub(crate) fn parse(text: &str) -> Result<Vec<Node>, Error> {
    let mut documents = Vec::new();
    let mut open: Vec<Open> = Vec::new();
    for event in Parser::new_from_str(text) {
        let (event, span) = event.map_err(|error| not_yaml(&error))?;
        if let Some(node) = step(event, span, &mut open)? {
            match open.last_mut() {
                Some(parent) => parent.take(node)?,
                None if is_empty(&node) => {}
                None => documents.push(node),
            }
        }
    }
    Ok(documents)
}

/// A list or map whose end has not come yet.
struct Open {
    node: Node,
    key: Option<Key>,
}

/// Handles one event; returns the node that it completes.
fn step(event: Event<'_>, span: Span, open: &mut Vec<Open>) -> Result<Option<Node>, Error> {
    let line = span.start.line();
    let refuse = |message: &str| Err(Error { line, message: message.to_owned() });
    let value = match event {
        Event::Alias(_) => return refuse("aliases (*name) are not supported; write the value out"),
        Event::Scalar(_, _, 1.., _) | Event::SequenceStart(1.., _) | Event::MappingStart(1.., _) => {
            return refuse("anchors (&name) are not supported; write the value out where it is used");
        }
        Event::Scalar(_, _, _, Some(_)) | Event::SequenceStart(_, Some(_)) | Event::MappingStart(_, Some(_)) => {
            return refuse("tags (!name) are not supported; leave it out");
        }
        Event::SequenceStart(..) | Event::MappingStart(..) if open.len() == DEPTH_LIMIT => {
            return refuse("this is nested too deeply");
        }
        Event::Scalar(text, ..) => return Ok(Some(Node { line, value: Value::Scalar(text.into_owned()) })),
        Event::SequenceStart(..) => Value::List(Vec::new()),
        Event::MappingStart(..) => Value::Map(Vec::new()),
        Event::SequenceEnd | Event::MappingEnd => return Ok(open.pop().map(|open| open.node)),
        _ => return Ok(None),
    };
    open.push(Open { node: Node { line, value }, key: None });
    Ok(None)
}

impl Open {
    /// Adds a completed node as the next item, key or value.
    fn take(&mut self, node: Node) -> Result<(), Error> {
        match (&mut self.node.value, self.key.take()) {
            (Value::List(items), _) => items.push(node),
            (Value::Map(entries), Some(key)) => entries.push((key, node)),
            (Value::Map(entries), None) => {
                let key = key(node)?;
                if let Some((first, _)) = entries.iter().find(|(other, _)| other.name == key.name) {
                    let message = format!("`{}` is given twice, first in line {}", key.name, first.line);
                    return Err(Error { line: key.line, message });
                }
                self.key = Some(key);
            }
            (Value::Scalar(_), _) => {}
        }
        Ok(())
    }
}

fn key(node: Node) -> Result<Key, Error> {
    match node.value {
        Value::Scalar(name) => Ok(Key { line: node.line, name }),
        _ => Err(Error { line: node.line, message: "a key must be a plain name".to_owned() }),
    }
}

fn is_empty(node: &Node) -> bool {
    matches!(&node.value, Value::Scalar(text) if text.is_empty() || text == "~" || text == "null")
}

fn not_yaml(error: &ScanError) -> Error {
    Error { line: error.marker().line(), message: format!("this is not YAML: {}", error.info()) }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Nodes as `line:value`, for comparison.
    fn shown(node: &Node) -> String {
        let value = match &node.value {
            Value::Scalar(text) => format!("{text:?}"),
            Value::List(items) => format!("[{}]", items.iter().map(shown).collect::<Vec<_>>().join(" ")),
            Value::Map(entries) => {
                let entry = |(key, node): &(Key, Node)| format!("{}:{}={}", key.line, key.name, shown(node));
                format!("{{{}}}", entries.iter().map(entry).collect::<Vec<_>>().join(" "))
            }
        };
        format!("{}:{value}", node.line)
    }

    fn check(text: &str, expected: Result<&[&str], (usize, &str)>) {
        match (parse(text), expected) {
            (Ok(nodes), Ok(expected)) => assert_eq!(nodes.iter().map(shown).collect::<Vec<_>>(), expected, "{text}"),
            (Err(error), Err((line, part))) => {
                assert!(error.line == line && error.message.contains(part), "{text}: {error:?}");
            }
            (result, expected) => panic!("{text}: {result:?} is not {expected:?}"),
        }
    }

    #[test]
    fn nodes_know_their_lines() {
        check("a: 1\nb:\n  - x\n  - 'y z'\n", Ok(&["1:{1:a=1:\"1\" 2:b=3:[3:\"x\" 4:\"y z\"]}"]));
        check("a: {b: c}\n---\nd: e\n", Ok(&["1:{1:a=1:{1:b=1:\"c\"}}", "3:{3:d=3:\"e\"}"]));
        check("# nothing\n", Ok(&[]));
        check("", Ok(&[]));
        check("---\n---\na: b\n", Ok(&["3:{3:a=3:\"b\"}"]));
    }

    #[test]
    fn what_is_not_accepted_is_located() {
        check("a: b\nc: [d\n", Err((3, "not YAML")));
        check("a: b\n\na: c\n", Err((3, "`a` is given twice, first in line 1")));
        check("a: &x b\nc: *x\n", Err((1, "anchors")));
        check("a: !!str b\n", Err((1, "tags")));
        check("? [a]\n: b\n", Err((1, "a key must be a plain name")));
        check(&"[".repeat(DEPTH_LIMIT + 1), Err((1, "nested too deeply")));
    }
}
