//! Writes a pipeline as text.
//!
//! ```text
//! [output "archive"]              # sections: outputs first, then flows, each sorted by name
//!     type = "file"               # one setting per line; every value is quoted
//!     format = "json"
//!     path = "/var/log/archive.log"
//!
//! [flow "shop"]
//!     match = "app" "shop"        # every label must be equal; no match line is every record
//!     filter = "drop" "password"  # filters apply in the order of their lines
//!     output = "archive"
//! ```
//!
//! Quoted text escapes as JSON strings do: `\"`, `\\`, `\n`, `\r`, `\t`, and `\u001b` for other control characters. So a
//! value can hold anything and still cannot end its line, let alone begin a section.

use std::fmt::Write as _;

use crate::document::{Filter, Flow, Output, Target};
use crate::pipeline::Pipeline;

const HEADER: &str = "# Rendered by log-controller; changes made here are lost.\n";

/// The whole file.
pub(crate) fn render(pipeline: &Pipeline) -> String {
    let mut text = HEADER.to_owned();
    for output in pipeline.outputs.values() {
        section(&mut text, "output", &output.name);
        render_output(&mut text, output);
    }
    for flow in pipeline.flows.values() {
        section(&mut text, "flow", &flow.name);
        render_flow(&mut text, flow);
    }
    text
}

fn render_output(text: &mut String, output: &Output) {
    let kind = match output.target {
        Target::File { .. } => "file",
        Target::Http { .. } => "http",
        Target::Stdout => "stdout",
    };
    setting(text, "type", &[kind]);
    setting(text, "format", &[&output.format]);
    match &output.target {
        Target::File { path } => setting(text, "path", &[path]),
        Target::Http { url, headers } => {
            setting(text, "url", &[url]);
            for (name, value) in headers {
                setting(text, "header", &[name, value]);
            }
        }
        Target::Stdout => {}
    }
}

fn render_flow(text: &mut String, flow: &Flow) {
    for (label, value) in &flow.labels {
        setting(text, "match", &[label, value]);
    }
    for filter in &flow.filters {
        match filter {
            Filter::Grep { key, pattern } => setting(text, "filter", &["grep", key, pattern]),
            Filter::Add { key, value } => setting(text, "filter", &["add", key, value]),
            Filter::Drop { key } => setting(text, "filter", &["drop", key]),
        }
    }
    for (name, _) in &flow.outputs {
        setting(text, "output", &[name]);
    }
}

fn section(text: &mut String, kind: &str, name: &str) {
    text.push_str(&format!("\n[{kind} {}]\n", quoted(name)));
}

fn setting(text: &mut String, name: &str, values: &[&str]) {
    let values: Vec<_> = values.iter().map(|value| quoted(value)).collect();
    text.push_str(&format!("    {name} = {}\n", values.join(" ")));
}

fn quoted(value: &str) -> String {
    let mut quoted = String::from('"');
    for character in value.chars() {
        match character {
            '"' | '\\' => quoted.extend(['\\', character]),
            '\n' => quoted.push_str("\\n"),
            '\r' => quoted.push_str("\\r"),
            '\t' => quoted.push_str("\\t"),
            // Line separators are no control characters, but some readers end a line at them.
            other if other.is_control() || matches!(other, '\u{2028}' | '\u{2029}') => {
                write!(quoted, "\\u{:04x}", u32::from(other)).expect("writing to a String cannot fail");
            }
            other => quoted.push(other),
        }
    }
    quoted.push('"');
    quoted
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{document, pipeline, yaml};

    fn check(text: &str, expected: &str) {
        let (documents, problems) = document::read("a.yaml", yaml::parse(text).expect("this is YAML"));
        assert_eq!(problems, []);
        assert_eq!(render(&pipeline::join(documents).0), format!("{HEADER}{expected}"));
    }

    #[test]
    fn sections_are_sorted_and_filters_are_not() {
        check("", "");
        check(
            "kind: flow\nname: b\nmatch: {z: '1', a: '2'}\noutputs: [y, x]\n\
             filters: [{type: drop, key: k}, {type: add, key: k, value: v}, {type: grep, key: g, pattern: p}]\n---\n\
             {kind: flow, name: a, match: {}, outputs: [x]}\n---\n\
             {kind: output, name: y, type: http, url: 'http://h/', headers: {B: '1', A: '2'}}\n---\n\
             {kind: output, name: x, type: file, path: /x, format: text}\n",
            "\n[output \"x\"]\n    type = \"file\"\n    format = \"text\"\n    path = \"/x\"\n\
             \n[output \"y\"]\n    type = \"http\"\n    format = \"json\"\n    url = \"http://h/\"\n    \
             header = \"A\" \"2\"\n    header = \"B\" \"1\"\n\
             \n[flow \"a\"]\n    output = \"x\"\n\
             \n[flow \"b\"]\n    match = \"a\" \"2\"\n    match = \"z\" \"1\"\n    filter = \"drop\" \"k\"\n    \
             filter = \"add\" \"k\" \"v\"\n    filter = \"grep\" \"g\" \"p\"\n    output = \"x\"\n    output = \"y\"\n",
        );
    }

    #[test]
    fn no_value_can_leave_its_quotes() {
        for (value, expected) in [
            ("plain # [x]", "\"plain # [x]\""),
            ("a\"b\\", "\"a\\\"b\\\\\""),
            ("a\n[output \"evil\"]\r\t", "\"a\\n[output \\\"evil\\\"]\\r\\t\""),
            ("\u{1b}\u{85}\u{2028}\u{fc}", "\"\\u001b\\u0085\\u2028\u{fc}\""),
        ] {
            assert_eq!(quoted(value), expected);
        }
    }
}
