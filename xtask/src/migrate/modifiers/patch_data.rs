//! The text of merge patches: YAML or JSON in, JSON out, as `yaml.YAMLToJSON` does it; and JSON as YAML for people.

use std::collections::BTreeMap;

use serde_json::{Map, Value as Json};

use super::print::text;
use super::scalar;
use crate::diagnostic::Diagnostic;
use crate::source::{FileId, Span};
use crate::yaml::{self, Node, Value};

/// Most values of one patch when its aliases are followed.
const MAX_VALUES: usize = 100_000;

/// What a patch says: that of its first document.
///
/// # Errors
/// When it is no YAML, or has no form in JSON. The places are those of the text alone.
pub fn read(file: FileId, text: &str) -> Result<Json, Diagnostic> {
    let documents = yaml::parse(file, text)?;
    let Some(root) = documents.first() else { return Ok(Json::Null) };
    let mut anchors = BTreeMap::new();
    let mut todo = vec![root];
    while let Some(node) = todo.pop() {
        anchors.insert(node.anchor, node);
        todo.extend(node.items());
        todo.extend(node.entries().iter().flat_map(|(key, value)| [key, value]));
    }
    Reader { anchors, left: MAX_VALUES }.json(root, 0)
}

struct Reader<'a> {
    anchors: BTreeMap<usize, &'a Node>,
    left: usize,
}

impl<'a> Reader<'a> {
    fn json(&mut self, node: &'a Node, depth: usize) -> Result<Json, Diagnostic> {
        self.left = self.left.checked_sub(1).filter(|_| depth < yaml::MAX_DEPTH).ok_or_else(|| too_large(node.span))?;
        match &node.value {
            Value::Scalar(text, style) => scalar::read(text, *style, node.tag.as_deref()).json().ok_or_else(|| {
                Diagnostic::error("bad-patch-data", format!("`{text}` has no form in JSON")).label(node.span, "")
            }),
            Value::Sequence(items) => {
                items.iter().map(|item| self.json(item, depth + 1)).collect::<Result<_, _>>().map(Json::Array)
            }
            Value::Mapping(entries) => {
                let mut map = Map::new();
                for (key, value) in entries {
                    let value = self.json(value, depth + 1)?;
                    match (key.text(), value) {
                        (Some("<<"), Json::Object(merged)) => {
                            merged.into_iter().for_each(|(key, value)| _ = map.entry(key).or_insert(value));
                        }
                        (_, value) => _ = map.insert(name(key), value),
                    }
                }
                Ok(Json::Object(map))
            }
            Value::Alias(anchor) => match self.anchors.get(anchor).copied() {
                Some(node) => self.json(node, depth + 1),
                None => Ok(Json::Null),
            },
        }
    }
}

fn name(key: &Node) -> String {
    match &key.value {
        Value::Scalar(text, style) => scalar::read(text, *style, key.tag.as_deref()).arrives(),
        _ => String::new(),
    }
}

fn too_large(span: Span) -> Diagnostic {
    let message = format!("more than {MAX_VALUES} values, or {} levels, when aliases are followed", yaml::MAX_DEPTH);
    Diagnostic::error("too-large", message).label(span, "")
}

/// JSON as YAML, with `name` first in a mapping, as people write containers.
///
/// ```
/// use groupage::migrate::modifiers::patch_data::print;
/// let patch = serde_json::json!({"spec": {"containers": [{"image": "a/b:1", "name": "app"}], "x": "1.16"}});
/// assert_eq!(print(&patch), "spec:\n  containers:\n  - name: app\n    image: \"a/b:1\"\n  x: \"1.16\"\n");
/// ```
pub fn print(value: &Json) -> String {
    let mut out = String::new();
    write(&mut out, value, 0);
    out
}

fn write(out: &mut String, value: &Json, indent: usize) {
    match value {
        Json::Object(map) if !map.is_empty() => {
            let mut entries: Vec<(&String, &Json)> = map.iter().collect();
            entries.sort_by_key(|(key, _)| (*key != "name", *key));
            for (index, (key, value)) in entries.into_iter().enumerate() {
                pad(out, if index == 0 { 0 } else { indent });
                out.push_str(&text(key));
                out.push(':');
                below(out, value, indent);
            }
        }
        Json::Array(items) if !items.is_empty() => {
            for (index, item) in items.iter().enumerate() {
                pad(out, if index == 0 { 0 } else { indent });
                out.push_str("- ");
                write(out, item, indent + 2);
            }
        }
        Json::String(word) => line(out, &text(word)),
        other => line(out, &other.to_string()),
    }
}

/// The value of a key: on its line, or on those below.
fn below(out: &mut String, value: &Json, indent: usize) {
    let inside = match value {
        Json::Object(map) if !map.is_empty() => indent + 2,
        Json::Array(items) if !items.is_empty() => indent,
        _ => {
            out.push(' ');
            return write(out, value, indent);
        }
    };
    out.push('\n');
    pad(out, inside);
    write(out, value, inside);
}

fn pad(out: &mut String, indent: usize) {
    out.extend(std::iter::repeat_n(' ', indent));
}

fn line(out: &mut String, text: &str) {
    out.push_str(text);
    out.push('\n');
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::source::{SourceFile, SourceMap};

    fn parse(text: &str) -> Result<Json, Diagnostic> {
        read(SourceMap::default().add(SourceFile::new("a.yaml", text)), text)
    }

    #[test]
    fn yaml_is_json() {
        assert_eq!(
            parse("a: 1.5\nb: [yes, ~, 'x']\n1: y\n").unwrap(),
            json!({"a": 1.5, "b": [true, null, "x"], "1": true})
        );
        assert_eq!(
            parse("a: &x {b: 1}\nc: *x\nd: {<<: *x, e: 2}\n").unwrap(),
            json!({"a": {"b": 1}, "c": {"b": 1}, "d": {"b": 1, "e": 2}})
        );
        assert_eq!(parse("{\"a\": null}").unwrap(), json!({"a": null}));
        assert_eq!(parse("a: .nan").unwrap_err().code, "bad-patch-data");
        assert_eq!(parse("a: [").unwrap_err().code, "syntax");
        assert_eq!(parse("a: &x [*x]").unwrap_err().code, "too-large");
    }

    #[test]
    fn printed_is_read_again() {
        for value in [
            json!({"a": [[1, [2]], {"b": [], "c": {}}, "x: y", "- z", "#", ""], "null": "null", "": {"1.10": true}}),
            json!([{"name": "a", "command": ["/a", "--b=c"]}, null, -1.5e300, "multi\nline\u{85}"]),
            json!("yes"),
        ] {
            assert_eq!(parse(&print(&value)).unwrap(), value, "{}", print(&value));
        }
    }
}
