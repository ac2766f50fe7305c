//! The text of merge patches.

use serde_json::Value;

use super::super::glob::Glob;
use super::super::kinds::{self, Pods};
use super::super::patch_data;
use super::super::written::{Text, WrittenRule};
use super::operation::{WAITS, wait};
use super::pod_fields::{self, POD};
use super::{Options, filled};
use crate::diagnostic::Diagnostic;

pub(super) fn check(rule: &WrittenRule, _options: &Options<'_>, findings: &mut Vec<Diagnostic>) {
    for (text, is_strategic) in rule.patch_data() {
        let patch = match patch_data::read(text.span.file, &text.value) {
            Ok(patch @ Value::Object(_)) => patch,
            Ok(_) => {
                let bad = Diagnostic::error("bad-patch-data", "the patch is no object").label(text.span, "");
                findings.push(bad.note(FAILS).help("write the fields of the object that are to change"));
                continue;
            }
            Err(problem) => {
                let message = format!("the patch cannot be read: {}", problem.message);
                findings.push(Diagnostic::error("bad-patch-data", message).label(text.span, "").note(FAILS));
                continue;
            }
        };
        waits(&patch, text, findings);
        if is_strategic {
            strategic(rule, &patch, text, findings);
        }
    }
}

const FAILS: &str = "Velero does not look at it before it restores an object, which then stays as it was";

/// A container of Velero's, wherever it is named.
fn waits(patch: &Value, text: &Text, findings: &mut Vec<Diagnostic>) {
    let mut todo = vec![patch];
    while let Some(value) = todo.pop() {
        match value {
            Value::Object(map) => {
                let name = map.get("name").and_then(Value::as_str).filter(|name| WAITS.contains(name));
                findings.extend(name.map(|name| wait(name, text.span)));
                todo.extend(map.values());
            }
            Value::Array(items) => todo.extend(items),
            _ => {}
        }
    }
}

/// Fields that nothing takes, and items without a name, in patches of pods and of their templates.
fn strategic(rule: &WrittenRule, patch: &Value, text: &Text, findings: &mut Vec<Diagnostic>) {
    let Some(target) = filled(&rule.conditions.group_resource) else { return };
    let Ok(glob) = Glob::new(&target.value) else { return };
    let kinds: Vec<Pods> = kinds::matching(&glob).map(|kind| kind.pods).collect();
    let pod = match kinds.as_slice() {
        [Pods::Itself] => Some(patch),
        [Pods::Rollout(_) | Pods::Template, ..] => patch.pointer("/spec/template"),
        _ => None,
    };
    let Some(pod) = pod else { return };
    let mut slips = Vec::new();
    pod_fields::check(pod, &POD, "", &mut slips);
    for slip in slips {
        let finding = match slip {
            pod_fields::Slip::Unknown { at, field, known } => {
                let unknown = Diagnostic::error("unknown-patch-field", format!("{at} has no field `{field}`"));
                let unknown = unknown.label(text.span, "").note("Velero passes over it without an error");
                unknown.suggest(&field, known.iter().copied(), Some("see `kubectl explain pod.spec`".to_owned()))
            }
            pod_fields::Slip::NoKey { at, key } => {
                let none = Diagnostic::error("no-merge-key", format!("an item of {at} has no `{key}`"));
                let none = none.label(text.span, "").note(FAILS);
                none.help(format!("items are matched by `{key}`: write the one that is meant"))
            }
        };
        findings.push(finding);
    }
}
