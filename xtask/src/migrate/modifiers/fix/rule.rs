//! A rule that replaces pods, as one on pods or as three.

use super::super::kinds::{Kind, Names};
use super::super::lint::Options;
use super::super::lint::rollout::{of_replica_sets, rollouts};
use super::super::print;
use super::super::rule::Rule;
use super::super::template::{self, OnPods};
use super::super::version::MERGES;
use super::super::written::{WrittenPatch, WrittenRule};
use super::{How, line_end, word};
use crate::diagnostic::{Diagnostic, Level};
use crate::migrate::edit::Edit;
use crate::source::Span;

/// What becomes of one rule.
pub(super) struct Converted {
    pub(super) edits: Vec<Edit>,
    pub(super) notes: Vec<Diagnostic>,
}

/// Turns a rule into one on pods, or into three.
pub(super) fn convert(text: &str, written: &WrittenRule, how: How, options: &Options<'_>) -> Result<Converted, String> {
    let rule = written.meant();
    let file = written.span.file;
    let done = template::on_pods(&rule, file)?;
    if options.velero.is_some_and(|stated| stated < MERGES)
        && done.pods.iter().any(|pods| !pods.strategic_patches.is_empty())
    {
        return Err(format!("only a strategic patch keeps what is there, and that needs Velero {MERGES}"));
    }
    let rollouts = rollouts(&rule);
    let place = written.target();
    let is_deployment = matches!(rollouts.as_slice(), [(kind, Names::Hashed)] if kind.name == "deployments.apps");
    let mut notes = Vec::new();
    let edits = match how {
        How::Triple if is_deployment => {
            notes.push(note(
                "triple",
                "pods, ReplicaSets and Deployments get the same template: nothing is rolled out",
                place,
            ));
            vec![anew(text, written, &triple(&rule, &done, file)).ok_or(NO_ITEM)?]
        }
        _ => {
            notes.push(kept_template(&rollouts, place));
            if how == How::Triple {
                let message = "only a Deployment has a consistent triple: the rule became one on pods";
                notes.push(
                    note("triple", message, place)
                        .note("other controllers tell their pods by a hash of the old template"),
                );
            }
            match in_place(text, written, &rule, &done) {
                Some(edits) => edits,
                None => vec![anew(text, written, &all(&done)).ok_or(NO_ITEM)?],
            }
        }
    };
    if rule.conditions.label_selector.is_some() {
        notes.push(note("labels-of-pods", "the label selector now looks at the labels of pods", place));
    }
    if rule.conditions.resource_name_regex.contains('$') {
        let message = "`NAME-` also begins the names of pods of others, such as those of `NAME-other`";
        notes.push(note("pod-names", message, place));
    }
    Ok(Converted { edits, notes })
}

const NO_ITEM: &str = "it is no item of a list with `- `";

fn note(code: &'static str, message: &str, place: Span) -> Diagnostic {
    Diagnostic::new(Level::Note, code, message).label(place, "")
}

fn kept_template(rollouts: &[(&Kind, Names)], place: Span) -> Diagnostic {
    let names = rollouts.iter().map(|(kind, _)| kind.name.as_str()).collect::<Vec<_>>().join("`, `");
    let message = format!("the pods are restored with the change, and `{names}` with the old template");
    let help = "change the template once the restore is complete: the pods are then replaced, with their data restored";
    note("old-template", &message, place).help(help)
}

/// All rules that take the place of the old one.
fn all(done: &OnPods) -> Vec<Rule> {
    done.pods.iter().chain(&done.rest).cloned().collect()
}

fn triple(rule: &Rule, done: &OnPods, file: crate::source::FileId) -> Vec<Rule> {
    let mut rules = Vec::new();
    for pods in &done.pods {
        rules.push(pods.clone());
        rules.push(of_replica_sets(pods, file));
        rules.push(template::on_owners(pods, "deployments.apps", &rule.conditions.resource_name_regex, file));
    }
    rules.extend(done.rest.clone());
    rules
}

/// Edits of words, if the rule keeps its shape.
fn in_place(text: &str, written: &WrittenRule, rule: &Rule, done: &OnPods) -> Option<Vec<Edit>> {
    let [new] = done.pods.as_slice() else { return None };
    if done.rest.is_some() || new.patches.is_empty() || new.patches.len() != rule.patches.len() {
        return None;
    }
    let conditions = &written.conditions;
    let mut edits = Vec::new();
    edits.extend(conditions.group_resource.as_ref().and_then(|old| word::replace(text, old, "pods")));
    let regex = conditions.resource_name_regex.as_ref();
    edits.extend(regex.and_then(|old| word::replace(text, old, &new.conditions.resource_name_regex)));
    let matches = conditions.matches.iter().flat_map(|list| &list.items).zip(&new.conditions.matches);
    edits.extend(matches.filter_map(|(old, new)| word::replace(text, old.path.as_ref()?, &new.path)));
    for (old, new) in written.operations().zip(&new.patches) {
        let WrittenPatch { operation, from, path, value, .. } = old;
        for (old, new) in [(operation, &new.operation), (from, &new.from), (path, &new.path)] {
            edits.extend(old.as_ref().and_then(|old| word::replace(text, old, new)));
        }
        edits.extend(value.as_ref().and_then(|value| word::as_text(text, value, &new.path)));
    }
    Some(edits)
}

/// The rule written anew as some others, from its `- ` on.
fn anew(text: &str, written: &WrittenRule, rules: &[Rule]) -> Option<Edit> {
    let range = written.span.range();
    let line = text.get(..range.start)?.rfind('\n').map_or(0, |end| end + 1);
    let before = text.get(line..range.start)?;
    let dash = line + before.rfind('-')?;
    let indent = before.trim_start_matches('\u{feff}').find('-')?;
    let is_alone = text.get(dash + 1..range.start)?.bytes().chain(before.bytes().take(indent)).all(|byte| byte == b' ');
    if !is_alone || text.get(range.start..)?.starts_with('{') {
        return None;
    }
    let pad = " ".repeat(indent);
    let old = text.get(range.clone())?.trim_end();
    // what may stand in a block is no comment
    let is_block = |line: &str| line.trim_end().ends_with(['|', '>', '-', '+']) && line.contains(": ");
    let comments: String = if written.patch_data().next().is_none() && !old.lines().any(is_block) {
        let lines = old.lines().map(str::trim).filter(|line| line.starts_with('#'));
        lines.map(|line| format!("{line}\n{pad}")).collect()
    } else {
        String::new()
    };
    let printed: String = rules.iter().map(|rule| print::rule(rule, indent)).collect();
    let new = format!("{comments}{}", printed.trim_start_matches(' ').trim_end());
    let new = if line_end(text) == "\r\n" { new.replace('\n', "\r\n") } else { new };
    Some(Edit { range: dash..range.start + old.len(), text: new })
}
