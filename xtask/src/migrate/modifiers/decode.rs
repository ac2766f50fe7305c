//! From YAML to rules: everything that Velero's decoder and its validation refuse is found here, with its place.

use super::fields::{Entries, Fields, is_null};
use super::rule::{Expression, VERSION};
use super::written::{Listed, Text, Written, WrittenConditions, WrittenMatch, WrittenPatch, WrittenRule, selector};
use crate::diagnostic::Diagnostic;
use crate::yaml::{Node, Value};

const CONDITIONS: &[&str] = &["groupResource", "resourceNameRegex", "namespaces", "labelSelector", "matches"];
const FILE: &[&str] = &["version", "resourceModifierRules"];
const RULE: &[&str] = &["conditions", "patches", "mergePatches", "strategicPatches"];
/// Operations of a JSON patch.
pub(super) const OPERATIONS: &[&str] = &["add", "remove", "replace", "test", "move", "copy"];

/// Decodes one document.
pub(super) fn decode(root: &Node, editable: bool) -> (Written, Vec<Diagnostic>) {
    let mut fields = Fields::new(root);
    let mut written = whole(&mut fields, root);
    written.editable = editable && !fields.aliased;
    validate(&written, &mut fields.problems);
    (written, fields.problems)
}

fn whole<'a>(fields: &mut Fields<'a>, root: &'a Node) -> Written {
    let mut written = Written { span: root.span, version: None, rules: Vec::new(), is_list: false, editable: false };
    if let Value::Sequence(items) = &root.value {
        let message = "the rules are a list, where the fields of the file should be";
        let help = "put `version: v1` and `resourceModifierRules:` above it";
        fields.report("rules-not-indented", message, first_line(&written), help);
        written.is_list = true;
        written.rules = items.iter().map(|item| rule(fields, item)).collect();
        return written;
    }
    outdented(fields, root);
    let entries = fields.mapping(root, "the file", FILE, &of_rules());
    written.version = entries.get("version").and_then(|(_, value)| fields.text(value, "`version`", ""));
    let rules = fields
        .list(entries.get("resourceModifierRules"), "`resourceModifierRules`", |fields, node| Some(rule(fields, node)));
    written.rules = rules.map(|list| list.items).unwrap_or_default();
    written
}

/// Names of fields that belong into rules.
fn of_rules() -> Vec<&'static str> {
    [RULE, CONDITIONS].concat()
}

/// Fields of a rule that stand where those of the file should.
fn outdented(fields: &mut Fields<'_>, root: &Node) {
    let names = of_rules();
    for (key, _) in root.entries().iter().filter(|(key, _)| key.text().is_some_and(|name| names.contains(&name))) {
        let message = format!("`{}` belongs to a rule, and is not indented", key.text().unwrap_or_default());
        let help = "indent it as far as `conditions` of its rule, in a list below `resourceModifierRules:`";
        fields.report("rules-not-indented", message, key.span, help);
    }
}

fn rule<'a>(fields: &mut Fields<'a>, node: &'a Node) -> WrittenRule {
    let mut known = RULE.to_vec();
    // `- conditions:` with its fields on the same level
    let is_flat = node.get("conditions").is_some_and(is_null)
        && node.entries().iter().any(|(key, _)| key.text().is_some_and(|name| CONDITIONS.contains(&name)));
    if is_flat {
        let message = "the conditions are not indented below `conditions`";
        fields.report("rules-not-indented", message, node.span, "indent them by two more spaces");
        known.extend(CONDITIONS);
    }
    let entries = fields.mapping(node, "a rule", &known, &[]);
    let conditions = match entries.get("conditions") {
        _ if is_flat => conditions(fields, &entries, node),
        Some((_, below)) => {
            let entries = fields.mapping(below, "`conditions`", CONDITIONS, &[]);
            conditions(fields, &entries, if is_null(below) { node } else { below })
        }
        None => conditions(fields, &Entries::new(), node),
    };
    let mut data = |name: &'static str| {
        fields.list(entries.get(name), &format!("`{name}`"), |fields, node| {
            let entries = fields.mapping(node, "a patch", &["patchData"], &[]);
            let help = "Velero takes it as text; write `patchData: |` and the patch below";
            let none = Text { value: String::new(), written: String::new(), span: node.span };
            match entries.get("patchData") {
                Some((_, value)) if !is_null(value) => fields.text(value, "`patchData`", help),
                _ => Some(none),
            }
        })
    };
    let (merge_patches, strategic_patches) = (data("mergePatches"), data("strategicPatches"));
    let patches = fields.list(entries.get("patches"), "`patches`", |fields, node| Some(patch(fields, node)));
    WrittenRule { span: node.span, conditions, patches, merge_patches, strategic_patches }
}

fn conditions<'a>(fields: &mut Fields<'a>, entries: &Entries<'a>, node: &'a Node) -> WrittenConditions {
    let mut text =
        |name: &'static str| entries.get(name).and_then(|(_, value)| fields.text(value, &format!("`{name}`"), ""));
    let (group_resource, resource_name_regex) = (text("groupResource"), text("resourceNameRegex"));
    let namespaces =
        fields.list(entries.get("namespaces"), "`namespaces`", |fields, node| fields.text(node, "a namespace", ""));
    let label_selector = entries.get("labelSelector").and_then(|(_, below)| {
        let node = fields.follow(below).filter(|node| !is_null(node))?;
        let entries = fields.mapping(node, "`labelSelector`", &["matchLabels", "matchExpressions"], &[]);
        let labels = labels(fields, entries.get("matchLabels").map(|(_, value)| *value));
        let expressions = fields
            .list(entries.get("matchExpressions"), "`matchExpressions`", |fields, node| Some(expression(fields, node)));
        Some((selector(labels, expressions.map(|list| list.items).unwrap_or_default()), below.span))
    });
    let matches = fields.list(entries.get("matches"), "`matches`", |fields, node| {
        let entries = fields.mapping(node, "a match", &["path", "value"], &[]);
        let mut text = |name: &'static str| {
            entries.get(name).and_then(|(_, value)| fields.text(value, &format!("`{name}`"), AS_JSON))
        };
        Some(WrittenMatch { span: node.span, path: text("path"), value: text("value") })
    });
    let namespaces = namespaces.map(|list| list.items).unwrap_or_default();
    WrittenConditions { span: node.span, group_resource, resource_name_regex, namespaces, label_selector, matches }
}

fn labels<'a>(fields: &mut Fields<'a>, node: Option<&'a Node>) -> Vec<(String, Text)> {
    let Some(node) = node.and_then(|node| fields.follow(node)).filter(|node| !is_null(node)) else { return Vec::new() };
    if !matches!(node.value, Value::Mapping(_)) {
        fields.report("wrong-type", "`matchLabels` must be a mapping", node.span, "");
    }
    let mut labels = Vec::new();
    for (key, value) in node.entries() {
        let name = key.text().unwrap_or_default().to_owned();
        if labels.iter().any(|(there, _)| *there == name) {
            let message = format!("`{name}` is there twice in `matchLabels`");
            fields.report("duplicate-field", message, key.span, "Velero refuses it; keep one");
        }
        labels.extend(fields.text(value, "the value of a label", "").map(|text| (name, text)));
    }
    labels
}

fn expression<'a>(fields: &mut Fields<'a>, node: &'a Node) -> Expression {
    let entries = fields.mapping(node, "an expression", &["key", "operator", "values"], &[]);
    let mut text = |name: &'static str| {
        entries.get(name).and_then(|(_, value)| fields.text(value, &format!("`{name}`"), "")).map(|text| text.value)
    };
    let (key, operator) = (text("key").unwrap_or_default(), text("operator").unwrap_or_default());
    let values = fields.list(entries.get("values"), "`values`", |fields, node| fields.text(node, "a value", ""));
    let values = values.map(|list| list.items.into_iter().map(|text| text.value).collect()).unwrap_or_default();
    Expression { key, operator, values }
}

const AS_JSON: &str = "a value is text: write it as JSON between quotes, such as value: '{\"a\": 1}'";

fn patch<'a>(fields: &mut Fields<'a>, node: &'a Node) -> WrittenPatch {
    let entries = fields.mapping(node, "a patch", &["operation", "from", "path", "value"], &[]);
    let mut text =
        |name: &'static str| entries.get(name).and_then(|(_, value)| fields.text(value, &format!("`{name}`"), AS_JSON));
    let (operation, from, path, value) = (text("operation"), text("from"), text("path"), text("value"));
    WrittenPatch { span: node.span, operation, from, path, value }
}

/// What `Validate` refuses after decoding.
fn validate(written: &Written, problems: &mut Vec<Diagnostic>) {
    match &written.version {
        Some(text) if text.value.eq_ignore_ascii_case(VERSION) => {}
        Some(text) if !text.value.is_empty() => {
            let message = format!("`{}` is no version of resource modifiers", text.value);
            problems.push(Diagnostic::error("no-version", message).label(text.span, "").help("write `version: v1`"));
        }
        _ => problems.push(
            Diagnostic::error("no-version", "there is no `version: v1`")
                .label(first_line(written), "")
                .help("write `version: v1` above the rules"),
        ),
    }
    if written.is_list || written.rules.is_empty() {
        let message = if written.is_list { "there is no `resourceModifierRules:`" } else { "there are no rules" };
        let help = "write `resourceModifierRules:` and the list of rules below it";
        problems.push(Diagnostic::error("no-rules", message).label(first_line(written), "").help(help));
    }
    written.rules.iter().for_each(|rule| validate_rule(rule, problems));
}

fn first_line(written: &Written) -> crate::source::Span {
    crate::source::Span { end: written.span.end.min(written.span.start + 1), ..written.span }
}

fn validate_rule(rule: &WrittenRule, problems: &mut Vec<Diagnostic>) {
    if rule.conditions.group_resource.as_ref().is_none_or(|text| text.value.is_empty()) {
        let none = Diagnostic::error("no-group-resource", "the rule has no `groupResource`");
        problems.push(none.label(rule.target(), "").help("name the objects, such as `groupResource: pods`"));
    }
    let merges = |list: &Option<Listed<Text>>| list.as_ref().filter(|list| !list.items.is_empty()).map(|list| list.key);
    let json = rule.patches.as_ref().filter(|list| !list.items.is_empty()).map(|list| list.key);
    let kinds: Vec<_> =
        [json, merges(&rule.merge_patches), merges(&rule.strategic_patches)].into_iter().flatten().collect();
    if let [first, second, ..] = kinds.as_slice() {
        let several = Diagnostic::error("several-patch-kinds", "the rule has more than one kind of patches");
        let several = several.label(*second, "").label(*first, "the first");
        problems.push(several.help("write one rule for each kind, with the same conditions"));
    }
    rule.operations().for_each(|patch| validate_patch(patch, problems));
}

fn validate_patch(patch: &WrittenPatch, problems: &mut Vec<Diagnostic>) {
    let all = || format!("one of {}", OPERATIONS.join(", "));
    match &patch.operation {
        Some(text) if OPERATIONS.iter().any(|name| name.eq_ignore_ascii_case(&text.value)) => {}
        Some(text) if !text.value.is_empty() => {
            let unknown = Diagnostic::error("bad-operation", format!("there is no operation `{}`", text.value));
            problems.push(unknown.label(text.span, "").suggest(&text.value, OPERATIONS.iter().copied(), Some(all())));
        }
        _ => problems
            .push(Diagnostic::error("bad-operation", "the patch has no `operation`").label(patch.span, "").help(all())),
    }
    if patch.path.as_ref().is_none_or(|text| text.value.is_empty()) {
        let none = Diagnostic::error("no-path", "the patch has no `path`").label(patch.span, "");
        problems.push(none.help("write a JSON pointer, such as `path: /metadata/labels/app`"));
    }
}
