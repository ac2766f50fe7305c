//! The trap that file-system restore and resource modifiers set together: see [`super::super::template`].

use super::super::backups::{Backups, Pod};
use super::super::glob::Glob;
use super::super::kinds::{self, Kind, Names, Pods};
use super::super::owners;
use super::super::patch_data;
use super::super::re2;
use super::super::rule::Rule;
use super::super::template::{is_touched, on_owners, on_pods};
use super::super::written::WrittenRule;
use super::Options;
use crate::diagnostic::{Diagnostic, Level};
use crate::source::FileId;

/// What replaces pods among what a rule matches.
pub(in super::super) fn rollouts(rule: &Rule) -> Vec<(&'static Kind, Names)> {
    let Ok(glob) = Glob::new(&rule.conditions.group_resource) else { return Vec::new() };
    kinds::matching(&glob)
        .filter_map(|kind| match kind.pods {
            Pods::Rollout(names) => Some((kind, names)),
            _ => None,
        })
        .collect()
}

/// What is wrong with one of the rules of a file.
pub(in super::super) fn finding(
    file: FileId,
    written: &WrittenRule,
    index: usize,
    rules: &[Rule],
    options: &Options<'_>,
) -> Option<Diagnostic> {
    let rule = rules.get(index)?;
    let rollouts = rollouts(rule);
    if rollouts.is_empty() || !is_touched(rule, file) || is_consistent(file, rule, rules) {
        return None;
    }
    let names = rollouts.iter().map(|(kind, _)| kind.name.as_str()).collect::<Vec<_>>().join("`, `");
    let hint = match names.as_str() {
        "deployments.apps" => {
            "`migrate lint --fix` makes it the same change on `pods`, `--fix=triple` on pods, replicasets.apps and \
             deployments.apps alike"
        }
        _ => "`migrate lint --fix` makes it the same change on `pods`",
    };
    let finding = match options.backups {
        Some(backups) => {
            let hit = hit(rule, &rollouts, backups);
            let prefixes = prefixes(&hit);
            let pods: Vec<&str> = hit.iter().map(|(pod, _)| pod.name.as_str()).collect();
            (!hit.is_empty()).then(|| {
                let message = format!("the rule replaces pods that restore file-system backups: {prefixes}");
                Diagnostic::error("rollout", message)
                    .label(written.target(), "")
                    .note(format!("with a file-system backup: {}", pods.join(", ")))
            })?
        }
        None => {
            let message = "the rule replaces pods, and with them what restores their file-system backups";
            let warning = Diagnostic::warning("rollout", message).label(written.target(), "");
            match owners::literals(&rule.conditions.resource_name_regex) {
                Some(names) => warning.note(format!("pods whose names begin with {}", listed(names))),
                None => warning,
            }
        }
    };
    let why =
        format!("a changed template of `{names}` is a rollout; PodVolumeRestores of the old pods fail (velero#8578)");
    Some(finding.note(why).help(hint)).inspect(|finding| debug_assert!(finding.level >= Level::Warning))
}

fn listed(names: Vec<String>) -> String {
    names.iter().map(|name| format!("`{name}-`")).collect::<Vec<_>>().join(", ")
}

/// Pods with backups that belong to what a rule changes, with the name of their owner.
fn hit<'a>(rule: &Rule, rollouts: &[(&Kind, Names)], backups: &'a Backups) -> Vec<(&'a Pod, &'a str)> {
    let namespaces = &rule.conditions.namespaces;
    let regex = re2::compile(&rule.conditions.resource_name_regex).ok();
    let mut hit = Vec::new();
    for pod in &backups.pods {
        let is_meant = namespaces.is_empty() || pod.namespace.as_ref().is_none_or(|name| namespaces.contains(name));
        let mut owners = rollouts.iter().filter_map(|(_, names)| owners::owner(&pod.name, *names));
        // an expression that is none matches nothing, and is told elsewhere
        let owner = owners.find(|owner| regex.as_ref().is_some_and(|regex| regex.is_match(owner)));
        hit.extend(owner.filter(|_| is_meant).map(|owner| (pod, owner)));
    }
    hit
}

fn prefixes(hit: &[(&Pod, &str)]) -> String {
    let mut names: Vec<String> = hit.iter().map(|(_, owner)| (*owner).to_owned()).collect();
    names.sort();
    names.dedup();
    listed(names)
}

/// Whether the file makes the same change on pods, ReplicaSets and Deployments: their templates are then equal, and nothing
/// is rolled out.
pub(in super::super) fn is_consistent(file: FileId, rule: &Rule, rules: &[Rule]) -> bool {
    let has = |wanted: &Rule| rules.iter().any(|rule| normal(rule, file) == normal(wanted, file));
    let is_whole = |deployments: &Rule| {
        let Ok(done) = on_pods(deployments, file) else { return false };
        let [pods] = done.pods.as_slice() else { return false };
        done.rest.is_none() && has(pods) && has(&of_replica_sets(pods, file))
    };
    match rule.conditions.group_resource.as_str() {
        "deployments.apps" => is_whole(rule),
        "replicasets.apps" => rules.iter().any(|other| {
            let same = |pods: &Rule| normal(&of_replica_sets(pods, file), file) == normal(rule, file);
            other.conditions.group_resource == "deployments.apps"
                && on_pods(other, file).is_ok_and(|done| done.pods.iter().any(same))
                && is_whole(other)
        }),
        _ => false,
    }
}

/// A rule on pods as one on their ReplicaSets, whose names begin in the same way.
pub(in super::super) fn of_replica_sets(pods: &Rule, file: FileId) -> Rule {
    on_owners(pods, "replicasets.apps", &pods.conditions.resource_name_regex, file)
}

/// A rule whose merge patches are written in one way.
fn normal(rule: &Rule, file: FileId) -> Rule {
    let one = |texts: &[String]| {
        let print = |text: &String| {
            patch_data::read(file, text).map_or_else(|_| text.clone(), |patch| patch_data::print(&patch))
        };
        texts.iter().map(print).collect()
    };
    Rule { merge_patches: one(&rule.merge_patches), strategic_patches: one(&rule.strategic_patches), ..rule.clone() }
}
