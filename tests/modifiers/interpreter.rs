//! What Velero does with resource modifiers and with change-image-name, as its documentation and code are described in the
//! project's notes. Nothing of the product is used but its YAML reader: rules are read, matched and applied here a second time.
//!
//! An object whose patch fails is restored as it was, and the failure is counted. A failing `test` skips the patches of its
//! rule without one. Conditions see the object of the backup, patches add up.

use std::collections::BTreeMap;

use groupage::source::{SourceFile, SourceMap};
use groupage::yaml::{Node, Style, Value as Yaml};
use serde_json::{Map, Value, json};

/// All documents of a text.
pub fn documents(text: &str) -> Vec<Value> {
    let file = SourceMap::default().add(SourceFile::new("text.yaml", text));
    groupage::yaml::parse(file, text).expect("YAML").iter().map(value).collect()
}

fn value(node: &Node) -> Value {
    match &node.value {
        Yaml::Scalar(text, Style::Plain) => match text.as_str() {
            "" | "null" | "~" => Value::Null,
            "true" => Value::Bool(true),
            "false" => Value::Bool(false),
            other => other
                .parse::<i64>()
                .map(Value::from)
                .or_else(|_| other.parse::<f64>().map(Value::from))
                .unwrap_or_else(|_| Value::from(other)),
        },
        Yaml::Scalar(text, _) => Value::from(text.as_str()),
        Yaml::Sequence(items) => items.iter().map(value).collect(),
        Yaml::Mapping(entries) => Value::Object(
            entries.iter().map(|(key, below)| (key.text().expect("a key").to_owned(), value(below))).collect(),
        ),
        Yaml::Alias(_) => panic!("rules of the tests have no aliases"),
    }
}

/// The rules of a ConfigMap, or of a text of their own. Panics at what Velero refuses.
pub fn rules(text: &str) -> Vec<Value> {
    let first = documents(text).into_iter().next().expect("a document");
    let whole = match first["kind"].as_str() {
        Some("ConfigMap") => {
            let data = first["data"].as_object().expect("data");
            assert_eq!(data.len(), 1, "one data key");
            documents(data.values().next().and_then(Value::as_str).expect("text")).remove(0)
        }
        _ => first,
    };
    assert_eq!(whole["version"], "v1");
    whole["resourceModifierRules"].as_array().expect("rules").clone()
}

/// What came of a restore.
pub struct Restored {
    pub object: Value,
    pub errors: Vec<String>,
}

/// One object through all rules.
pub fn restore(rules: &[Value], group_resource: &str, object: &Value) -> Restored {
    let mut restored = Restored { object: object.clone(), errors: Vec::new() };
    for rule in rules {
        match matches(&rule["conditions"], group_resource, object) {
            Err(error) => restored.errors.push(error),
            Ok(false) => {}
            Ok(true) => match patched(rule, group_resource, &restored.object) {
                Ok(object) => restored.object = object,
                Err(error) => restored.errors.push(error),
            },
        }
    }
    restored
}

fn strings(value: &Value) -> Vec<&str> {
    value.as_array().map(|items| items.iter().filter_map(Value::as_str).collect()).unwrap_or_default()
}

fn matches(conditions: &Value, group_resource: &str, object: &Value) -> Result<bool, String> {
    let metadata = &object["metadata"];
    let namespaces = strings(&conditions["namespaces"]);
    if let Some(namespace) = metadata["namespace"].as_str()
        && !namespaces.is_empty()
        && !namespaces.contains(&namespace)
    {
        return Ok(false);
    }
    if !glob(conditions["groupResource"].as_str().expect("a groupResource").as_bytes(), group_resource.as_bytes()) {
        return Ok(false);
    }
    if let Some(regex) = conditions["resourceNameRegex"].as_str() {
        let regex = regex::Regex::new(regex).map_err(|error| error.to_string())?;
        if !regex.is_match(metadata["name"].as_str().expect("a name")) {
            return Ok(false);
        }
    }
    for (label, wanted) in conditions["labelSelector"]["matchLabels"].as_object().into_iter().flatten() {
        if metadata["labels"][label] != *wanted {
            return Ok(false);
        }
    }
    for one in conditions["matches"].as_array().into_iter().flatten() {
        let path = one["path"].as_str().ok_or("path is required for match rule")?;
        let wanted: Value = serde_json::from_str(&quoted(&text(&one["value"]))).map_err(|error| error.to_string())?;
        if object.pointer(path) != Some(&wanted) {
            return Ok(false);
        }
    }
    Ok(true)
}

/// `*` and `**` are all that the rules of the tests use.
fn glob(pattern: &[u8], text: &[u8]) -> bool {
    match pattern {
        [] => text.is_empty(),
        [b'*', b'*', rest @ ..] => (0..=text.len()).any(|at| glob(rest, &text[at..])),
        [b'*', rest @ ..] => {
            let end = text.iter().position(|&byte| byte == b'.').unwrap_or(text.len());
            (0..=end).any(|at| glob(rest, &text[at..]))
        }
        [first, rest @ ..] => text.split_first().is_some_and(|(byte, text)| byte == first && glob(rest, text)),
    }
}

/// A field that is text to Velero.
fn text(value: &Value) -> String {
    match value {
        Value::Null => String::new(),
        Value::String(text) => text.clone(),
        other => other.to_string(),
    }
}

/// `ToString` of a value.
fn quoted(value: &str) -> String {
    if value.len() > 1 && value.starts_with('"') && value.ends_with('"') {
        return value.to_owned();
    }
    let word = value == "null" || value.eq_ignore_ascii_case("true") || value.eq_ignore_ascii_case("false");
    let number = value.trim_start_matches(['+', '-']).to_ascii_lowercase();
    let number = value.parse::<f64>().is_ok() || ["inf", "infinity", "nan"].contains(&number.as_str());
    if !value.is_empty() && (word || number || value.starts_with(['{', '['])) {
        value.to_owned()
    } else {
        format!("\"{value}\"")
    }
}

fn patched(rule: &Value, group_resource: &str, object: &Value) -> Result<Value, String> {
    let list = |key: &str| rule[key].as_array().filter(|items| !items.is_empty()).cloned();
    match (list("patches"), list("mergePatches"), list("strategicPatches")) {
        (Some(patches), None, None) => json_patch(&patches, object),
        (None, Some(patches), None) => {
            Ok(patches.iter().fold(object.clone(), |object, patch| merged(&object, &data(patch))))
        }
        (None, None, Some(patches)) => {
            if group_resource.split_once('.').is_some_and(|(_, group)| group != "apps" && group != "batch") {
                return Err(format!("no kind is registered for {group_resource}"));
            }
            Ok(patches.iter().fold(object.clone(), |object, patch| strategic(&object, &data(patch), "")))
        }
        (None, None, None) => Err("no patch data found".to_owned()),
        _ => panic!("more than one kind of patches"),
    }
}

fn data(patch: &Value) -> Value {
    documents(patch["patchData"].as_str().expect("text")).remove(0)
}

fn json_patch(patches: &[Value], object: &Value) -> Result<Value, String> {
    let one = |patch: &Value| {
        let (operation, from) = (text(&patch["operation"]), text(&patch["from"]));
        let (path, value) = (text(&patch["path"]), quoted(&text(&patch["value"])));
        format!(r#"{{"op": "{operation}", "from": "{from}", "path": "{path}", "value": {value}}}"#)
    };
    let document = format!("[{}]", patches.iter().map(one).collect::<Vec<_>>().join(","));
    let patch: json_patch::Patch = serde_json::from_str(&document).map_err(|error| format!("decoding: {error}"))?;
    let mut new = object.clone();
    match json_patch::patch(&mut new, &patch) {
        Ok(()) => Ok(new),
        Err(error) if matches!(error.kind, json_patch::PatchErrorKind::TestFailed) => Ok(object.clone()),
        Err(error) => Err(error.to_string()),
    }
}

/// RFC 7386.
fn merged(object: &Value, patch: &Value) -> Value {
    let Value::Object(patch) = patch else { return patch.clone() };
    let mut new = object.as_object().cloned().unwrap_or_default();
    for (key, value) in patch {
        match value {
            Value::Null => _ = new.remove(key),
            other => _ = new.insert(key.clone(), merged(object.get(key).unwrap_or(&Value::Null), other)),
        }
    }
    Value::Object(new)
}

/// The key by which items of a list are told apart, of the lists that pods have.
fn merge_key(list: &str) -> Option<&'static str> {
    match list {
        "containers" | "initContainers" | "ephemeralContainers" | "volumes" | "env" | "imagePullSecrets" => {
            Some("name")
        }
        "volumeMounts" => Some("mountPath"),
        "ports" => Some("containerPort"),
        _ => None,
    }
}

/// A strategic merge: lists with a key are merged item by item, others are replaced.
fn strategic(object: &Value, patch: &Value, at: &str) -> Value {
    match (object, patch) {
        (_, Value::Object(patch)) => {
            let mut new = object.as_object().cloned().unwrap_or_else(Map::new);
            for (key, value) in patch {
                match value {
                    Value::Null => _ = new.remove(key),
                    other => {
                        _ = new.insert(key.clone(), strategic(object.get(key).unwrap_or(&Value::Null), other, key))
                    }
                }
            }
            Value::Object(new)
        }
        (Value::Array(old), Value::Array(items)) if merge_key(at).is_some() => {
            let key = merge_key(at).expect("a key");
            let mut new = old.clone();
            for item in items {
                assert!(!item[key].is_null(), "map does not contain declared merge key: {key}");
                match new.iter_mut().find(|there| there[key] == item[key]) {
                    Some(there) => *there = strategic(there, item, ""),
                    None => new.push(item.clone()),
                }
            }
            Value::Array(new)
        }
        (_, other) => other.clone(),
    }
}

// ---- change-image-name

/// The rows of a ConfigMap of change-image-name.
pub fn rows(text: &str) -> BTreeMap<String, String> {
    let map = documents(text).remove(0);
    assert_eq!(
        map["metadata"]["labels"],
        json!({"velero.io/plugin-config": "", "velero.io/change-image-name": "RestoreItemAction"})
    );
    map["data"]
        .as_object()
        .expect("data")
        .iter()
        .map(|(key, row)| (key.clone(), row.as_str().expect("text").to_owned()))
        .collect()
}

/// Every image that Velero can make of one: rows have no order.
pub fn renamed(rows: &BTreeMap<String, String>, image: &str) -> Vec<String> {
    let rows = rows.values().filter_map(|row| row.split_once(','));
    let mut new: Vec<String> = rows
        .filter(|(old, new)| image.contains(old.trim()) && !new.is_empty())
        .map(|(old, new)| image.replace(old.trim(), new.trim()))
        .collect();
    if new.is_empty() {
        new.push(image.to_owned());
    }
    new
}

// ---- controllers

/// Whether a Deployment rolls out: its template is not that of the ReplicaSet that came with it.
pub fn rolls_out(deployment: &Value, replica_set: &Value) -> bool {
    let mut template = replica_set["spec"]["template"].clone();
    if let Some(labels) = template["metadata"]["labels"].as_object_mut() {
        labels.remove("pod-template-hash");
    }
    template != deployment["spec"]["template"]
}
