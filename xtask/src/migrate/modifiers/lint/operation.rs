//! Operations of JSON patches: what passes validation, and then fails or does something else.

use serde_json::Value;

use super::super::decode::OPERATIONS;
use super::super::escape;
use super::super::glob::Glob;
use super::super::pointer::{is_index, split};
use super::super::print;
use super::super::template::keys;
use super::super::written::{Text, WrittenPatch, WrittenRule};
use super::{Options, filled};
use crate::diagnostic::{Diagnostic, Level};

/// Init containers that Velero adds and removes itself.
pub(in super::super) const WAITS: [&str; 2] = ["restore-wait", "restic-wait"];

/// What a value is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Use {
    /// It is written.
    Patch,
    /// It is compared with.
    Match,
}

pub(super) fn check(rule: &WrittenRule, _options: &Options<'_>, findings: &mut Vec<Diagnostic>) {
    let is_for_pods = filled(&rule.conditions.group_resource)
        .is_some_and(|text| Glob::new(&text.value).is_ok_and(|glob| glob.is_match("pods")));
    let mut made: Vec<Vec<String>> = Vec::new();
    for patch in rule.operations() {
        case(patch, findings);
        from(patch, findings);
        for path in [&patch.path, &patch.from].into_iter().filter_map(filled) {
            pointer(path, findings);
            if is_for_pods {
                positional(path, findings);
            }
        }
        let Some(operation) = filled(&patch.operation).map(|text| text.value.to_ascii_lowercase()) else { continue };
        if let Some(text) = &patch.value {
            // the value of the others is passed over, but it stands in the document
            let used = if operation == "test" { Use::Match } else { Use::Patch };
            value(text, filled(&patch.path), used, findings);
        }
        if let Some(path) = filled(&patch.path).filter(|_| operation == "add") {
            overwrites(path, patch, &mut made, findings);
        }
    }
}

fn case(patch: &WrittenPatch, findings: &mut Vec<Diagnostic>) {
    let Some(text) = filled(&patch.operation) else { return };
    let small = text.value.to_ascii_lowercase();
    if small != text.value && OPERATIONS.contains(&small.as_str()) {
        let message = format!("`operation: {}` passes validation, and then fails", text.value);
        let case = Diagnostic::error("operation-case", message).label(text.span, "");
        findings.push(case.help(format!("write `{small}`")));
    }
}

fn from(patch: &WrittenPatch, findings: &mut Vec<Diagnostic>) {
    let Some(operation) = filled(&patch.operation) else { return };
    let why = match operation.value.to_ascii_lowercase().as_str() {
        "move" => "`move` without `from` fails",
        "copy" => "`copy` without `from` copies the whole object into itself",
        _ => return,
    };
    if filled(&patch.from).is_none() {
        let none = Diagnostic::error("no-from", why).label(patch.span, "");
        findings.push(none.note("Velero does not look for it").help("say where from: `from: /a/b`"));
    }
}

/// What is wrong with a pointer.
pub(super) fn pointer(path: &Text, findings: &mut Vec<Diagnostic>) {
    if !path.value.starts_with('/') {
        let message = format!("the path `{}` does not begin with `/`", path.value);
        let bad = Diagnostic::error("bad-pointer", message).label(path.span, "");
        findings.push(bad.note("its first key is passed over").help(format!("write `/{}`", path.value)));
    } else if path.value.ends_with('/') && path.value.len() > 1 {
        let message = format!("the path `{}` ends with `/`", path.value);
        let slash = Diagnostic::error("trailing-slash", message).label(path.span, "");
        let slash =
            slash.note("it names a field whose name is empty: the patch fails, or adds one that is thrown away");
        findings.push(slash.help(format!("write `{}`", path.value.trim_end_matches('/'))));
    }
}

fn positional(path: &Text, findings: &mut Vec<Diagnostic>) {
    let keys = split(&path.value);
    let by_number = |pair: &[String]| pair[0] == "initContainers" && is_index(&pair[1]) && pair[1] != "-";
    if keys.windows(2).any(by_number) {
        let message = "the init container is named by position, and on pods with file-system backups Velero puts \
                       `restore-wait` first";
        let positional = Diagnostic::warning("positional-init-container", message).label(path.span, "");
        findings.push(positional.help("name it: `strategicPatches` with `initContainers: [{name: …}]`"));
    }
}

/// What is wrong with a value.
pub(super) fn value(text: &Text, path: Option<&Text>, used: Use, findings: &mut Vec<Diagnostic>) {
    if text.value != text.written {
        let arrives = if text.value.is_empty() { "an empty text".to_owned() } else { format!("`{}`", text.value) };
        let message = format!("without quotes, `{}` arrives as {arrives}", text.written);
        let changes = Diagnostic::warning("scalar-changes", message).label(text.span, "");
        findings.push(changes.help(format!("write {}", print::quoted(&text.written))));
    }
    if WAITS.contains(&text.value.trim_matches('"')) {
        findings.push(wait(&text.value, text.span));
    }
    match escape::to_json(&text.value) {
        Err(error) => {
            let why = format!("{}: {error}", escape::to_json_text(&text.value).escape_debug());
            let bad = Diagnostic::error("bad-value", "the value makes the patch invalid JSON").label(text.span, "");
            let bad = bad.note(format!("Velero puts it into the patch as {why}"));
            findings.push(bad.help(format!("for a text, write {}", print::quoted(&escape::of_text(&text.value)))));
        }
        Ok(json) if !json.is_string() && path.is_some_and(|path| wants_text(&keys(&path.value))) => {
            let what = what(&json);
            let message = format!("`{}` arrives as {what}, and the field takes text", text.written);
            let level = if used == Use::Match || json.is_object() { Level::Warning } else { Level::Error };
            let kind = Diagnostic::new(level, "value-type", message).label(text.span, "");
            let kind = if used == Use::Match { kind.note("it never matches") } else { kind };
            if !(json.is_null() && used == Use::Patch) {
                findings.push(kind.help(format!("write {}", print::quoted(&escape::of_text(&text.written)))));
            }
        }
        Ok(json) if json.is_number() && looks_like_a_version(&text.written) => {
            let message = format!("`{}` arrives as a number", text.written);
            let kind = Diagnostic::warning("value-type", message).label(text.span, "");
            findings.push(kind.help(format!("for a text, write {}", print::quoted(&escape::of_text(&text.written)))));
        }
        Ok(_) => {}
    }
}

pub(super) fn wait(name: &str, span: crate::source::Span) -> Diagnostic {
    let message = format!("`{}` is the init container of Velero itself", name.trim_matches('"'));
    let wait = Diagnostic::error("wait-container", message).label(span, "");
    let wait = wait.note("Velero adds it to every pod that it restores volumes of, with an image of its own");
    wait.help("leave it out; its image is set in the ConfigMap `fs-restore-action-config`, or not at all")
}

fn what(json: &Value) -> &'static str {
    match json {
        Value::Null => "null",
        Value::Bool(_) => "a boolean",
        Value::Number(_) => "a number",
        Value::String(_) => "text",
        Value::Array(_) => "a list",
        Value::Object(_) => "an object",
    }
}

fn looks_like_a_version(value: &str) -> bool {
    value.contains('.') && value.bytes().all(|byte| byte.is_ascii_digit() || byte == b'.')
}

/// Whether a field takes text whatever object it is of: labels, annotations, data, environment, images and the like.
pub(in super::super) fn wants_text(keys: &[String]) -> bool {
    let [.., above, last] = keys else { return false };
    let maps = ["labels", "annotations", "matchLabels", "nodeSelector", "data", "stringData"];
    let fields = ["image", "storageClassName", "volumeName", "nodeName", "serviceAccountName", "schedulerName"];
    maps.contains(&above.as_str())
        || fields.contains(&last.as_str())
        || (last == "value" && keys.iter().any(|key| key == "env"))
        || ["args", "command"].contains(&above.as_str())
}

/// An object that is added where there may be one.
fn overwrites(path: &Text, patch: &WrittenPatch, made: &mut Vec<Vec<String>>, findings: &mut Vec<Diagnostic>) {
    let keys = keys(&path.value);
    let Some(value) = patch.value.as_ref().filter(|value| value.value.starts_with('{')) else { return };
    if keys.last().is_none_or(|key| is_index(key)) {
        return;
    }
    // what is below something that was made here is new
    let is_new = made.iter().any(|top| keys.starts_with(top) && keys.len() > top.len());
    made.push(keys.clone());
    if is_new {
        return;
    }
    let message = format!("`add` of an object at `{}` takes away all that is there", path.value);
    let overwrites = Diagnostic::warning("add-overwrites", message).label(path.span, "").label(value.span, "");
    findings.push(overwrites.help("write it as `mergePatches` or `strategicPatches`, which keep what is there"));
}
