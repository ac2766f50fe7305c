//! Resource modifiers that rewrite images on pods, by the names of containers.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::{Map, Value, json};

use super::super::patch_data;
use super::super::re2;
use super::super::rule::{Conditions, Modifiers, Rule, VERSION};
use super::{Container, Inventory, Wanted, Workload};
use crate::diagnostic::Diagnostic;

/// One rule for each namespace and patch; none when nothing is left to do.
pub(super) fn modifiers(
    inventory: &Inventory,
    wanted: &BTreeMap<String, Wanted>,
    findings: &mut Vec<Diagnostic>,
) -> Option<Modifiers> {
    let mut grouped: BTreeMap<(String, String), BTreeSet<String>> = BTreeMap::new();
    let mut by_pods: BTreeMap<(&str, String), Vec<&Workload>> = BTreeMap::new();
    for workload in &inventory.workloads {
        by_pods.entry((&workload.namespace, workload.regex())).or_default().push(workload);
    }
    for ((namespace, regex), workloads) in by_pods {
        match patch(&workloads, wanted) {
            Ok(None) => {}
            Ok(Some((patch, names))) => match stranger(inventory, namespace, &regex, &names) {
                None => _ = grouped.entry((namespace.to_owned(), patch)).or_default().insert(regex),
                Some(why) => findings.push(left(&workloads, wanted, &why)),
            },
            Err(why) => findings.push(left(&workloads, wanted, &why)),
        }
    }
    let rules: Vec<Rule> =
        grouped.into_iter().map(|((namespace, patch), names)| rule(namespace, patch, names)).collect();
    (!rules.is_empty()).then(|| Modifiers { version: VERSION.to_owned(), rules })
}

fn rule(namespace: String, patch: String, regexes: BTreeSet<String>) -> Rule {
    let regexes: Vec<String> = regexes.into_iter().collect();
    Rule {
        conditions: Conditions {
            group_resource: "pods".to_owned(),
            resource_name_regex: regexes.join("|"),
            namespaces: vec![namespace],
            ..Conditions::default()
        },
        strategic_patches: vec![patch],
        ..Rule::default()
    }
}

/// The patch for pods of one name, and the containers that it names.
fn patch<'a>(
    workloads: &[&'a Workload],
    wanted: &BTreeMap<String, Wanted>,
) -> Result<Option<(String, BTreeSet<&'a str>)>, String> {
    let mut images: BTreeMap<(bool, &str), &Wanted> = BTreeMap::new();
    let containers = || workloads.iter().flat_map(|workload| &workload.containers).filter(|one| !one.is_wait());
    for container in containers() {
        if let Some(wanted) = wanted.get(&container.image) {
            let before = images.insert((container.is_init, &container.name), wanted);
            if let Some(before) = before.filter(|before| before.rewrite != wanted.rewrite) {
                let (one, other) = (&before.rewrite.new, &wanted.rewrite.new);
                return Err(format!("pods of one name would get {one} and {other} for `{}`", container.name));
            }
        }
    }
    // a rule by name is for all pods of that name
    if let Some(current) = containers()
        .find(|one| !wanted.contains_key(&one.image) && images.contains_key(&(one.is_init, one.name.as_str())))
    {
        return Err(format!("another pod of that name already has {} in `{}`", current.image, current.name));
    }
    if images.is_empty() {
        return Ok(None);
    }
    // whoever names the command already keeps it
    let lacks = |init: bool, name: &str, wanted: &Wanted| {
        let mut own = workloads.iter().flat_map(|workload| &workload.containers);
        own.any(|one| one.is_init == init && one.name == name && one.lacks_words_of(&wanted.rewrite))
    };
    let list = |init: bool| -> Vec<Value> {
        let own = images.iter().filter(|((is_init, _), _)| *is_init == init);
        own.map(|((_, name), wanted)| container(name, wanted, lacks(init, name, wanted))).collect()
    };
    let mut spec = Map::new();
    for (key, items) in [("initContainers", list(true)), ("containers", list(false))] {
        if !items.is_empty() {
            spec.insert(key.to_owned(), Value::Array(items));
        }
    }
    let names = images.keys().map(|(_, name)| *name).collect();
    Ok(Some((patch_data::print(&json!({ "spec": spec })), names)))
}

fn container(name: &str, wanted: &Wanted, with_words: bool) -> Value {
    let mut container = Map::new();
    container.insert("name".to_owned(), Value::from(name));
    container.insert("image".to_owned(), Value::from(wanted.rewrite.new.to_string()));
    for (key, words) in [("command", &wanted.rewrite.command), ("args", &wanted.rewrite.args)] {
        if let Some(words) = words.as_ref().filter(|_| with_words) {
            container.insert(key.to_owned(), Value::from(words.clone()));
        }
    }
    Value::Object(container)
}

/// Why a rule must not be written: it matches a pod that lacks a container, which would then be added.
fn stranger(inventory: &Inventory, namespace: &str, regex: &str, names: &BTreeSet<&str>) -> Option<String> {
    let compiled = re2::compile(regex).ok()?;
    let pods = inventory.workloads.iter().filter(|workload| workload.namespace == namespace);
    pods.filter_map(|workload| workload.pod.as_ref().map(|pod| (pod, workload))).find_map(|(pod, workload)| {
        let has = |name: &&&str| workload.containers.iter().any(|container: &Container| container.name == **name);
        let missing = names.iter().find(|name| !has(name)).filter(|_| compiled.is_match(pod))?;
        Some(format!("a rule for it would also match {pod}, which has no container `{missing}` and would get one"))
    })
}

fn left(workloads: &[&Workload], wanted: &BTreeMap<String, Wanted>, why: &str) -> Diagnostic {
    let name =
        workloads.first().map(|workload| format!("{}/{}", workload.namespace, workload.name)).unwrap_or_default();
    let containers = workloads.iter().flat_map(|workload| &workload.containers);
    let places = containers.filter(|container| wanted.contains_key(&container.image)).map(|container| container.span);
    let left = Diagnostic::error("not-rewritten", format!("{name} cannot be rewritten: {why}"));
    let left = places.take(2).fold(left, |left, span| left.label(span, ""));
    left.help("write a rule for it by hand, with `labelSelector` to tell its pods")
}
