//! Rules as YAML. What is read from it is the same rule.

use super::rule::{Conditions, Modifiers, Patch, Rule, Selector};
use super::scalar::{self, Scalar};
use crate::yaml::Style;

/// A whole file of rules.
pub fn modifiers(modifiers: &Modifiers) -> String {
    let rules: String = modifiers.rules.iter().map(|rule| self::rule(rule, 0)).collect();
    format!("version: {}\nresourceModifierRules:\n{rules}", text(&modifiers.version))
}

/// One rule as an item of a list, so many columns from the left.
pub fn rule(rule: &Rule, indent: usize) -> String {
    let mut lines = Lines { out: String::new(), indent };
    lines.line(0, "- conditions:");
    conditions(&mut lines, &rule.conditions);
    patches(&mut lines, &rule.patches);
    merges(&mut lines, "mergePatches", &rule.merge_patches);
    merges(&mut lines, "strategicPatches", &rule.strategic_patches);
    lines.out
}

/// A ConfigMap with these rules.
pub fn config_map(namespace: &str, name: &str, key: &str, modifiers: &Modifiers) -> String {
    let mut lines = Lines { out: String::new(), indent: 0 };
    lines.line(0, "apiVersion: v1");
    lines.line(0, "kind: ConfigMap");
    lines.line(0, "metadata:");
    lines.line(2, &format!("name: {}", text(name)));
    lines.line(2, &format!("namespace: {}", text(namespace)));
    lines.line(0, "data:");
    lines.line(2, &format!("{}: {}", text(key), block(&self::modifiers(modifiers), 4)));
    lines.out
}

struct Lines {
    out: String,
    indent: usize,
}

impl Lines {
    fn line(&mut self, indent: usize, text: &str) {
        self.out.extend(std::iter::repeat_n(' ', self.indent + indent));
        self.out.push_str(text);
        if !text.ends_with('\n') {
            self.out.push('\n');
        }
    }

    fn field(&mut self, indent: usize, name: &str, value: &str) {
        if !value.is_empty() {
            self.line(indent, &format!("{name}: {}", text(value)));
        }
    }

    fn list(&mut self, indent: usize, name: &str, values: &[String]) {
        if !values.is_empty() {
            self.line(indent, &format!("{name}:"));
            values.iter().for_each(|value| self.line(indent, &format!("- {}", text(value))));
        }
    }
}

fn conditions(lines: &mut Lines, conditions: &Conditions) {
    // required, so that an empty one is there too
    lines.line(4, &format!("groupResource: {}", text(&conditions.group_resource)));
    lines.field(4, "resourceNameRegex", &conditions.resource_name_regex);
    lines.list(4, "namespaces", &conditions.namespaces);
    if let Some(selector) = &conditions.label_selector {
        self::selector(lines, selector);
    }
    if !conditions.matches.is_empty() {
        lines.line(4, "matches:");
    }
    for one in &conditions.matches {
        lines.line(4, &format!("- path: {}", text(&one.path)));
        lines.field(6, "value", &one.value);
    }
}

fn selector(lines: &mut Lines, selector: &Selector) {
    if selector.match_labels.is_empty() && selector.match_expressions.is_empty() {
        return lines.line(4, "labelSelector: {}");
    }
    lines.line(4, "labelSelector:");
    if !selector.match_labels.is_empty() {
        lines.line(6, "matchLabels:");
    }
    for (label, value) in &selector.match_labels {
        lines.line(8, &format!("{}: {}", text(label), text(value)));
    }
    if !selector.match_expressions.is_empty() {
        lines.line(6, "matchExpressions:");
    }
    for expression in &selector.match_expressions {
        lines.line(6, &format!("- key: {}", text(&expression.key)));
        lines.line(8, &format!("operator: {}", text(&expression.operator)));
        lines.list(8, "values", &expression.values);
    }
}

fn patches(lines: &mut Lines, patches: &[Patch]) {
    if !patches.is_empty() {
        lines.line(2, "patches:");
    }
    for patch in patches {
        lines.line(2, &format!("- operation: {}", text(&patch.operation)));
        lines.field(4, "from", &patch.from);
        lines.line(4, &format!("path: {}", text(&patch.path)));
        lines.field(4, "value", &patch.value);
    }
}

fn merges(lines: &mut Lines, name: &str, data: &[String]) {
    if !data.is_empty() {
        lines.line(2, &format!("{name}:"));
    }
    for patch in data {
        let indent = lines.indent + 6;
        lines.line(2, &format!("- patchData: {}", block(patch, indent)));
    }
}

/// A text as a value: plain where nobody can take it for anything else, else in double quotes.
pub fn text(value: &str) -> String {
    let plain = value.starts_with(|c: char| c.is_ascii_alphabetic() || c == '/')
        && value.bytes().all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'.' | b'/' | b'-' | b'~'))
        && matches!(scalar::read(value, Style::Plain, None), Scalar::Text(_));
    if plain { value.to_owned() } else { quoted(value) }
}

/// A text in double quotes: JSON, and escapes for what YAML 1.1 takes for a line break or does not take at all.
pub fn quoted(value: &str) -> String {
    let mut out = String::from("\"");
    for character in value.chars() {
        match character {
            '"' => out.push_str("\\\""),
            '\\' => out.push_str("\\\\"),
            '\n' => out.push_str("\\n"),
            '\t' => out.push_str("\\t"),
            '\r' => out.push_str("\\r"),
            other if is_special(other) => out.push_str(&format!("\\u{:04x}", u32::from(other))),
            other => out.push(other),
        }
    }
    out.push('"');
    out
}

/// Characters that cannot stand in a line of YAML: controls, line breaks of Unicode, the byte order mark, and what is none.
fn is_special(character: char) -> bool {
    character.is_control() || matches!(character, '\u{2028}' | '\u{2029}' | '\u{feff}' | '\u{fffe}' | '\u{ffff}')
}

/// A text of several lines as a literal block whose lines stand so many columns from the left; in quotes where a block would
/// read differently. The header stands on the line of the key.
fn block(value: &str, indent: usize) -> String {
    let (body, header) = match value.strip_suffix('\n') {
        Some(body) => (body, "|"),
        None => (value, "|-"),
    };
    let odd_line = |line: &str| line.starts_with('\t') || (line.trim().is_empty() && !line.is_empty());
    let odd = body.is_empty()
        || body.starts_with([' ', '\n'])
        || body.ends_with('\n')
        || body.contains(|c: char| c != '\n' && c != '\t' && is_special(c))
        || body.split('\n').any(odd_line);
    if odd {
        return quoted(value);
    }
    let mut out = header.to_owned();
    for line in body.split('\n') {
        out.push('\n');
        if !line.is_empty() {
            out.extend(std::iter::repeat_n(' ', indent));
        }
        out.push_str(line);
    }
    out.push('\n');
    out
}
