//! What a rule does to the pod template of its objects, and the same thing done to pods.
//!
//! Pods are restored before what owns them. When a Deployment is then created with another template than that of its pods,
//! its controller replaces them, and with a pod goes the init container that restores its volumes: the PodVolumeRestore fails
//! (velero#8578). The same change on `pods` does not do that: the pod that is there is the one that was wanted.

use serde_json::{Map, Value};

use super::escape;
use super::lint::wants_text;
use super::owners;
use super::patch_data;
use super::pointer::{below, is_index, print, split};
use super::rule::{Conditions, Match, Patch, Rule};
use crate::source::FileId;

/// Where a pod template stands.
const TEMPLATE: [&str; 2] = ["spec", "template"];

/// Deepest path that becomes a merge patch.
const MAX_DEPTH: usize = 32;

/// A rule on pods, or two of them, that does what another one did to their template.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OnPods {
    /// For pods: merges first, then JSON patches.
    pub pods: Vec<Rule>,
    /// What the rule did besides.
    pub rest: Option<Rule>,
}

/// Keys of a pointer without empty ones at the end, which are slips of the pen.
pub fn keys(pointer: &str) -> Vec<String> {
    let mut keys = split(pointer);
    while keys.last().is_some_and(String::is_empty) {
        keys.pop();
    }
    keys
}

/// Whether a rule changes the pod template. `file` is where its texts come from.
pub fn is_touched(rule: &Rule, file: FileId) -> bool {
    let inside = |pointer: &str| {
        let keys = keys(pointer);
        below(&keys, &TEMPLATE).is_some() || TEMPLATE.starts_with(&keys.iter().map(String::as_str).collect::<Vec<_>>())
    };
    rule.patches.iter().any(|patch| match patch.operation.to_ascii_lowercase().as_str() {
        "test" => false,
        "move" => inside(&patch.path) || inside(&patch.from),
        _ => inside(&patch.path),
    }) || data(rule)
        .any(|text| patch_data::read(file, text).is_ok_and(|patch| patch.pointer("/spec/template").is_some()))
}

fn data(rule: &Rule) -> impl Iterator<Item = &String> {
    rule.merge_patches.iter().chain(&rule.strategic_patches)
}

/// The same change on pods.
///
/// # Errors
/// Why there is none.
pub fn on_pods(rule: &Rule, file: FileId) -> Result<OnPods, String> {
    let conditions = conditions(&rule.conditions)?;
    let mut done = if rule.patches.is_empty() { merges(rule, file)? } else { operations(rule)? };
    done.pods.iter_mut().for_each(|pods| pods.conditions = conditions.clone());
    if let Some(rest) = &mut done.rest {
        rest.conditions = rule.conditions.clone();
    }
    if done.pods.is_empty() {
        return Err("nothing of it is left to do on pods".to_owned());
    }
    Ok(done)
}

/// A rule on pods as one for what has a template: with `/spec/template` before everything.
pub fn on_owners(pods: &Rule, group_resource: &str, regex: &str, file: FileId) -> Rule {
    let lift = |pointer: &str| if pointer.is_empty() { String::new() } else { format!("/spec/template{pointer}") };
    let wrap = |text: &String| match patch_data::read(file, text) {
        Ok(patch) => patch_data::print(&serde_json::json!({"spec": {"template": patch}})),
        Err(_) => text.clone(),
    };
    let matches = pods.conditions.matches.iter().map(|one| Match { path: lift(&one.path), value: one.value.clone() });
    Rule {
        conditions: Conditions {
            group_resource: group_resource.to_owned(),
            resource_name_regex: regex.to_owned(),
            matches: matches.collect(),
            ..pods.conditions.clone()
        },
        patches: pods
            .patches
            .iter()
            .map(|patch| Patch { from: lift(&patch.from), path: lift(&patch.path), ..patch.clone() })
            .collect(),
        merge_patches: pods.merge_patches.iter().map(wrap).collect(),
        strategic_patches: pods.strategic_patches.iter().map(wrap).collect(),
    }
}

fn conditions(conditions: &Conditions) -> Result<Conditions, String> {
    let regex = owners::of_pods(&conditions.resource_name_regex)
        .map_err(|why| format!("its name expression cannot be turned into one for pods: {why}"))?;
    let matches = conditions.matches.iter().map(|one| match below(&keys(&one.path), &TEMPLATE) {
        Some(path) => Ok(Match { path: print(path), value: one.value.clone() }),
        None => Err(format!("it asks for {} of the owner, which is nothing of a pod", one.path)),
    });
    Ok(Conditions {
        group_resource: "pods".to_owned(),
        resource_name_regex: regex,
        matches: matches.collect::<Result<_, _>>()?,
        ..conditions.clone()
    })
}

/// Merge patches: what is below the template, and the rest.
fn merges(rule: &Rule, file: FileId) -> Result<OnPods, String> {
    let (mut pods, mut rest) = (Rule::default(), Rule::default());
    for (texts, pods, rest) in [
        (&rule.merge_patches, &mut pods.merge_patches, &mut rest.merge_patches),
        (&rule.strategic_patches, &mut pods.strategic_patches, &mut rest.strategic_patches),
    ] {
        for text in texts {
            let mut patch = patch_data::read(file, text).map_err(|problem| problem.message)?;
            let spec = patch.get_mut("spec").and_then(Value::as_object_mut);
            match spec.and_then(|spec| spec.remove(TEMPLATE[1])) {
                Some(template @ Value::Object(_)) => pods.push(patch_data::print(&template)),
                Some(_) => return Err("it replaces the whole template".to_owned()),
                None => {}
            }
            if patch.get("spec").and_then(Value::as_object).is_some_and(Map::is_empty) {
                patch.as_object_mut().map(|patch| patch.remove("spec"));
            }
            if patch.as_object().is_some_and(|patch| !patch.is_empty()) {
                rest.push(patch_data::print(&patch));
            }
        }
    }
    let keep = |rule: Rule| Some(rule).filter(Rule::has_patch);
    Ok(OnPods { pods: keep(pods).into_iter().collect(), rest: keep(rest) })
}

/// JSON patches: those that would overwrite an object become a strategic patch, which keeps what is there.
fn operations(rule: &Rule) -> Result<OnPods, String> {
    let (mut merge, mut json, mut rest) = (Merge::default(), Vec::<Patch>::new(), Vec::new());
    let has_test = rule.patches.iter().any(|patch| patch.operation.eq_ignore_ascii_case("test"));
    for patch in &rule.patches {
        let path = keys(&patch.path);
        let Some(path) = below(&path, &TEMPLATE) else {
            let from = keys(&patch.from);
            let moves =
                patch.operation.eq_ignore_ascii_case("move") && (below(&from, &TEMPLATE).is_some() || from.len() < 2);
            if path.len() < TEMPLATE.len() || moves {
                let whole = if moves { &patch.from } else { &patch.path };
                return Err(format!("{whole} is more than the template, or is moved out of it"));
            }
            rest.push(tidy(patch, print(&from), print(&path)));
            continue;
        };
        let operation = patch.operation.to_ascii_lowercase();
        // what is taken away and made anew is meant to be overwritten
        let is_anew = json.iter().any(|earlier: &Patch| overlap(&split(&earlier.path), path));
        if has_test || is_anew || !merge.take(&operation, path, &patch.value)? {
            let from = keys(&patch.from);
            let from = match (patch.from.as_str(), below(&from, &TEMPLATE)) {
                ("", _) => String::new(),
                (_, Some(from)) => print(from),
                (_, None) => return Err(format!("{} is outside of the template", patch.from)),
            };
            if path.is_empty() {
                return Err(format!("{} replaces the whole template", patch.path));
            }
            json.push(tidy(patch, from, print(path)));
        }
    }
    if has_test && !rest.is_empty() {
        return Err("a `test` guards patches of the template and of the rest together".to_owned());
    }
    let merge = merge
        .patch
        .as_object()
        .filter(|patch| !patch.is_empty())
        .map(|_| Rule { strategic_patches: vec![patch_data::print(&merge.patch)], ..Rule::default() });
    let json = Some(Rule { patches: json, ..Rule::default() }).filter(Rule::has_patch);
    let rest = Some(Rule { patches: rest, ..Rule::default() }).filter(Rule::has_patch);
    Ok(OnPods { pods: merge.into_iter().chain(json).collect(), rest })
}

/// An operation at another place, without the slips that [`super::fix`] repairs elsewhere.
fn tidy(patch: &Patch, from: String, path: String) -> Patch {
    let json = escape::to_json(&patch.value);
    let is_scalar = json.is_ok_and(|json| json.is_number() || json.is_boolean());
    let is_text = is_scalar && wants_text(&split(&path));
    let value = if is_text { escape::of_text(&patch.value) } else { patch.value.clone() };
    Patch { operation: patch.operation.to_ascii_lowercase(), from, path, value }
}

/// Whether one place holds the other.
fn overlap(one: &[String], other: &[String]) -> bool {
    one.starts_with(other) || other.starts_with(one)
}

/// A merge patch that grows.
struct Merge {
    patch: Value,
    /// What it has made: additions below are its own.
    objects: Vec<Vec<String>>,
}

impl Default for Merge {
    fn default() -> Self {
        Self { patch: Value::Object(Map::new()), objects: Vec::new() }
    }
}

impl Merge {
    /// Takes an operation on a pod; false when it stays what it is.
    fn take(&mut self, operation: &str, path: &[String], value: &str) -> Result<bool, String> {
        if path.len() > MAX_DEPTH {
            return Err(format!("a path has more than {MAX_DEPTH} keys"));
        }
        if operation != "add" || path.iter().any(|key| is_index(key)) {
            return Ok(false);
        }
        let value =
            escape::to_json(value).map_err(|error| format!("the value of {} is no JSON: {error}", print(path)))?;
        let is_below = self.objects.iter().any(|object| path.starts_with(object) && path.len() > object.len());
        match value.as_object() {
            // every pod has these
            Some(object) if object.is_empty() && path.len() < 2 && path != ["status"] => Ok(true),
            Some(_) => {
                self.objects.push(path.to_vec());
                self.set(path, value);
                Ok(true)
            }
            None if is_below => {
                self.set(path, value);
                Ok(true)
            }
            None => Ok(false),
        }
    }

    fn set(&mut self, path: &[String], value: Value) {
        let mut at = &mut self.patch;
        for key in path {
            if !at.is_object() {
                *at = Value::Object(Map::new());
            }
            let Some(object) = at.as_object_mut() else { return };
            at = object.entry(key.clone()).or_insert(Value::Null);
        }
        // an empty object says that there is to be one, and takes nothing away
        if !(at.is_object() && value.as_object().is_some_and(Map::is_empty)) {
            *at = value;
        }
    }
}
