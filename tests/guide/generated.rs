//! The pages that are generated: the rules, from the files of the rules; the formats, from the schemas.

use std::fmt::Write as _;
use std::fs;

use groupage::check::RULES;
use groupage::manifest::RuleLevel;
use serde_json::Value;

use crate::repository;

const NOTICE: &str = "<!-- Generated; `UPDATE_EXPECT=1 cargo nextest run --test guide` writes it anew. -->";

fn check(name: &str, text: &str) {
    let path = repository().join("docs").join(name);
    if std::env::var_os("UPDATE_EXPECT").is_some() {
        return fs::write(path, text).unwrap();
    }
    let old = fs::read_to_string(path).unwrap_or_default();
    assert!(old == text, "docs/{name} is not what the code says; UPDATE_EXPECT=1 writes it anew");
}

#[test]
fn rules_are_those_of_the_rule_files() {
    let mut text = format!(
        "# Rules\n\n{NOTICE}\n\n\
        `check` asks every rule about every image, on every platform. A finding of a rule with the level *deny* stops the work, *warn* \
        prints it, *allow* says nothing. `[rules]` in `groupage.toml` sets another level, except for those that are marked as fixed; a \
        finding that is meant is accepted in `image.toml`, with a reason that stays there: `[[allow]]`.\n\n\
        A rule is here because somebody's merge went wrong without it: that is its reason.\n"
    );
    for rule in RULES {
        let level = match rule.level {
            RuleLevel::Allow => "allow",
            RuleLevel::Warn => "warn",
            RuleLevel::Deny => "deny",
        };
        let fixed = if rule.fixed { ", fixed" } else { "" };
        _ = write!(text, "\n## {}\n\n*{level}{fixed}*: {}.\n\n**Why**: {}.\n", rule.code, rule.summary, rule.reason);
        let more = details(rule.code);
        if !more.is_empty() {
            _ = write!(text, "\n{more}\n");
        }
    }
    check("rules.md", &text);
}

/// What the documentation of a rule's file says after its first paragraph.
fn details(code: &str) -> String {
    let folder = repository().join("xtask/src/check/rules");
    let begins = format!("//! `{code}`");
    let files = fs::read_dir(folder).unwrap().map(|entry| fs::read_to_string(entry.unwrap().path()).unwrap());
    let text = files
        .into_iter()
        .find(|text| text.starts_with(&begins))
        .unwrap_or_else(|| panic!("no file begins with {begins}"));
    let lines = text.lines().map_while(|line| line.strip_prefix("//!")).map(str::trim);
    let text = lines.collect::<Vec<_>>().join("\n");
    let more = text.split_once("\n\n").map(|(_, more)| more.trim()).unwrap_or_default();
    more.replace("[`", "`").replace("`]", "`")
}

#[test]
fn formats_are_those_of_the_schemas() {
    let mut text = format!(
        "# Formats\n\n{NOTICE}\n\n\
        Every key of every file that people write. `NAME` stands for a name that you choose; keys in **bold** must be there. `cargo xtask \
        schema` prints the same as JSON Schema, for editors.\n"
    );
    for (schema, file) in [
        ("component", "component.toml"),
        ("image", "image.toml"),
        ("settings", "groupage.toml"),
        ("ledger", "Ledger files"),
    ] {
        let schema: Value =
            serde_json::from_str(&fs::read_to_string(repository().join(format!("schemas/{schema}.json"))).unwrap())
                .unwrap();
        _ = write!(
            text,
            "\n## {file}\n\n{}\n\n| key | is | says |\n|---|---|---|\n",
            schema["description"].as_str().unwrap()
        );
        rows(&schema, "", &mut text);
    }
    check("formats.md", &text);
}

fn rows(table: &Value, above: &str, text: &mut String) {
    let none = serde_json::Map::new();
    let keys = table["properties"].as_object().unwrap_or(&none);
    for (key, below) in keys {
        let required = table["required"].as_array().is_some_and(|keys| keys.iter().any(|one| one == key.as_str()));
        let path = if above.is_empty() { key.clone() } else { format!("{above}.{key}") };
        let shown = if required { format!("**`{path}`**") } else { format!("`{path}`") };
        let says = below["description"].as_str().unwrap_or_default();
        let says = says.replace("\n- ", "<br>· ").replace("\n\n", "<br>").replace('\n', " ").replace('|', "\\|");
        _ = writeln!(text, "| {shown} | {} | {} |", kind(below), says.replace("<br><br>", "<br>"));
        inside(below, &path, text);
    }
    if table["additionalProperties"].is_object() && table["additionalProperties"].get("$ref").is_none() {
        inside(&table["additionalProperties"], &format!("{above}.NAME"), text);
    }
}

/// The keys of what stands at a key: of the table, of each table of a list, of the table that it may be.
fn inside(schema: &Value, path: &str, text: &mut String) {
    for form in schema["anyOf"].as_array().unwrap_or(&vec![schema.clone()]) {
        match form["type"].as_str() {
            Some("object") => rows(form, path, text),
            Some("array") => inside(&form["items"], path, text),
            _ => {}
        }
    }
}

/// What may stand there, in a few words.
fn kind(schema: &Value) -> String {
    if let Some(forms) = schema["anyOf"].as_array() {
        return forms.iter().map(kind).collect::<Vec<_>>().join(" or ");
    }
    if let Some(only) = schema.get("const") {
        return format!("`{only}`");
    }
    if let Some(words) = schema["enum"].as_array() {
        let words: Vec<String> = words.iter().map(|word| format!("`{}`", word.as_str().unwrap())).collect();
        return words.join(", ");
    }
    match schema["type"].as_str() {
        Some("boolean") => "`true` or `false`".to_owned(),
        Some("integer") => "number".to_owned(),
        Some("string") => "text".to_owned(),
        Some("array") => format!("list of {}", kind(&schema["items"])),
        _ => "table".to_owned(),
    }
}
