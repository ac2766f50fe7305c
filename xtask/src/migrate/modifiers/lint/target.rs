//! `groupResource`: whether anything can match it.

use super::super::glob::Glob;
use super::super::kinds::{self, Kind};
use super::super::version::{ESCAPES, FIRST, MERGES};
use super::super::written::{Text, WrittenRule};
use super::{Options, filled, lacks, too_new};
use crate::diagnostic::{Diagnostic, Level, closest};

pub(super) fn check(rule: &WrittenRule, options: &Options<'_>, findings: &mut Vec<Diagnostic>) {
    features(rule, options, findings);
    let Some(text) = filled(&rule.conditions.group_resource) else { return };
    match Glob::new(&text.value) {
        Err(why) => {
            let bad = Diagnostic::error("bad-glob", format!("`{}` is no valid glob: {why}", text.value));
            let bad = bad.label(text.span, "").note("Velero takes it, and then reports an error for every object");
            findings.push(bad.help("write `resource` or `resource.group`, such as `deployments.apps`"));
        }
        Ok(glob) => {
            if !glob.is_literal()
                && let Some(stated) = lacks(options, MERGES)
            {
                findings.push(too_new("a glob", MERGES, stated, text.span).help("write the name of the resource"));
            }
            findings.extend(reach(text, &glob));
            strategic(rule, text, &glob, findings);
        }
    }
}

/// What the stated version does not have.
fn features(rule: &WrittenRule, options: &Options<'_>, findings: &mut Vec<Diagnostic>) {
    if let Some(stated) = lacks(options, FIRST) {
        findings.push(
            too_new("a resource modifier", FIRST, stated, rule.target()).help("use a ConfigMap of change-image-name"),
        );
        return;
    }
    let Some(stated) = lacks(options, MERGES) else { return };
    let merges = [("mergePatches", &rule.merge_patches), ("strategicPatches", &rule.strategic_patches)];
    for (name, list) in merges {
        if let Some(list) = list {
            findings.push(too_new(&format!("`{name}`"), MERGES, stated, list.key).help("write JSON `patches`"));
        }
    }
    if let Some(list) = &rule.conditions.matches {
        findings.push(too_new("`matches`", MERGES, stated, list.key).help("write a patch with `operation: test`"));
    }
    if stated < ESCAPES {
        for value in rule.operations().filter_map(|patch| patch.value.as_ref()) {
            if value.value.len() > 1 && value.value.starts_with('"') && value.value.ends_with('"') {
                findings
                    .push(too_new("a value in quotes of its own", ESCAPES, stated, value.span).help("update Velero"));
            }
        }
    }
}

/// Whether a glob reaches anything.
fn reach(text: &Text, glob: &Glob) -> Option<Diagnostic> {
    let known = kinds::all();
    let name = text.value.as_str();
    let at = |level, code, message: String| Diagnostic::new(level, code, message).label(text.span, "");
    match name {
        "*" => {
            let message = "`*` matches the core group only: pods, configmaps, services …".to_owned();
            let only = at(Level::Note, "core-group-only", message);
            return Some(only.help("write `**` for all resources of all groups"));
        }
        "*.*" => {
            let message = "`*.*` does not match groups with dots, such as `networking.k8s.io`".to_owned();
            let dots = at(Level::Warning, "dotted-groups", message);
            return Some(dots.help("write `*.**` for all resources of all groups but the core group"));
        }
        _ => {}
    }
    if kinds::matching(glob).next().is_some() {
        return None;
    }
    if !glob.is_literal() {
        // only the core group has no dot, and all of it is known
        let never = !name.contains('.') && !name.contains("**") && !name.contains(['[', '{']);
        let message = || format!("no resource can match `{name}`");
        return never.then(|| {
            at(Level::Error, "never-matches", message()).help(format!("write `{name}.**`, or name the group"))
        });
    }
    let (resource, group) = name.split_once('.').unwrap_or((name, ""));
    if !kinds::is_built_in_group(group) {
        // a custom resource, unless it is a slip
        return slip(text, known).map(|right| {
            at(Level::Error, "never-matches", format!("no resource is called `{name}`"))
                .help(format!("did you mean `{right}`?"))
        });
    }
    let place = if group.is_empty() { "the core group".to_owned() } else { format!("the group `{group}`") };
    let never = at(Level::Error, "never-matches", format!("{place} has no `{resource}`: the rule can never match"));
    Some(match right_name(resource, known).or_else(|| slip(text, known)) {
        Some(right) => never.help(format!("write `{right}`")),
        None => never.help("name resources by their plural and group, as `kubectl api-resources` does"),
    })
}

/// The resource with its right group, also from the name of its kind.
fn right_name(resource: &str, known: &[Kind]) -> Option<String> {
    let lower = resource.to_ascii_lowercase();
    let forms = [lower.clone(), format!("{lower}s"), format!("{lower}es")];
    let fits = |kind: &&Kind| forms.iter().any(|form| form == kind.resource);
    // `extensions` is what these once were, and third parties take the names of others
    let first = known.iter().filter(|kind| kind.group != "extensions" && kind.is_built_in());
    first.chain(known).find(fits).map(|kind| kind.name.clone())
}

/// `apps/v1/deployments`, `deployments.v1.apps`, `deployment.apps`, and names with one wrong letter.
fn slip(text: &Text, known: &[Kind]) -> Option<String> {
    let name = text.value.to_ascii_lowercase();
    let words: Vec<&str> = name.split(['/', '.']).collect();
    if name.contains('/') || words.get(1).is_some_and(|word| is_version(word)) {
        return words.iter().find_map(|word| right_name(word, known));
    }
    closest(&name, known.iter().map(|kind| kind.name.as_str()))
        .filter(|right| name.len() > 4 && group_fits(right, &name))
        .map(str::to_owned)
}

fn is_version(word: &str) -> bool {
    word.strip_prefix('v').is_some_and(|rest| rest.starts_with(|c: char| c.is_ascii_digit()))
}

/// Whether the groups are the same: a custom resource may be called almost like a known one of another group.
fn group_fits(right: &str, name: &str) -> bool {
    let group = |name: &str| name.split_once('.').map(|(_, group)| group.to_owned());
    group(right) == group(name)
}

/// Strategic patches need a kind whose lists Velero knows.
fn strategic(rule: &WrittenRule, text: &Text, glob: &Glob, findings: &mut Vec<Diagnostic>) {
    let Some(list) = &rule.strategic_patches else { return };
    let kinds: Vec<&Kind> = kinds::matching(glob).collect();
    let custom = kinds.iter().find(|kind| !kind.is_built_in()).map(|kind| kind.name.clone());
    let unknown = (kinds.is_empty() && glob.is_literal() && text.value.contains('.')).then(|| text.value.clone());
    if let Some(name) = custom
        .or(unknown)
        .filter(|_| text.value.split_once('.').is_none_or(|(_, group)| !kinds::is_built_in_group(group)))
    {
        let message = format!("`{name}` is no kind of Kubernetes itself: strategic patches fail for it");
        let custom = Diagnostic::error("strategic-custom-kind", message).label(list.key, "").label(text.span, "");
        let custom = custom.note("Velero takes the rule, reports an error for every object, and restores it as it was");
        findings.push(custom.help("write `mergePatches`, or JSON `patches`"));
    }
}
