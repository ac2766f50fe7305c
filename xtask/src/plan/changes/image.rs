//! What is the image's own.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::Value;

use super::recorded::Recorded;
use super::{Change, Changes, What, keys, summary, text};

/// Adds what differs besides components.
pub(super) fn compare(before: &Recorded, after: &Recorded, all: &mut Changes) {
    let (old, new) = (&before.plan, &after.plan);
    let known = |key: &str| before.says(key) && after.says(key);
    if known("mode") {
        all.value(None, What::Mode, "", old.get("mode"), new.get("mode"));
    }
    if known("features") {
        all.members(None, What::Feature, old.get("features"), new.get("features"));
    }
    base(old, new, all);
    found(before, after, all);
    if !is_host(old) && !is_host(new) {
        all.value(None, What::Network, "", old.get("network"), new.get("network"));
        all.value(None, What::CopyLink, "", old.get("link"), new.get("link"));
        templates(before, after, all);
    }
    if depends_on_platform(old) || depends_on_platform(new) {
        all.members(None, What::Platform, old.get("platforms"), new.get("platforms"));
    }
    config(before, after, all);
}

fn base(old: &Value, new: &Value, all: &mut Changes) {
    let name = |plan: &Value| text(plan["base"].get("image")).unwrap_or_else(|| "scratch".to_owned());
    all.push(None, What::Base, "", Some(name(old)), Some(name(new)));
}

/// Whether programs are compiled on this machine.
pub(super) fn is_host(plan: &Value) -> bool {
    plan["found"]["toolchain"].is_string()
}

/// What only an engine knows. An image behind a reference counts where both name it, and where it is looked at: the builder
/// of a program that is compiled on this machine is not.
fn found(before: &Recorded, after: &Recorded, all: &mut Changes) {
    let (old, new) = (&before.plan, &after.plan);
    let place = |plan: &Value| if is_host(plan) { "on this machine" } else { "in builder images" };
    all.push(None, What::Engine, "", Some(place(old).to_owned()), Some(place(new).to_owned()));
    // a compiler that one of both does not need has come or gone with a component, which is named
    let needed = |side: &Value, compiler: &str| text(side["found"].get(compiler)).filter(|name| !name.is_empty());
    for compiler in ["toolchain", "go_toolchain"] {
        if let (Some(old), Some(new)) = (needed(old, compiler), needed(new, compiler)) {
            all.push(None, What::Toolchain, "", Some(old), Some(new));
        }
    }
    let counted: BTreeSet<String> = match (before.is_summary, after.is_summary) {
        (true, true) => keys(old["found"].get("images"), new["found"].get("images")),
        (true, false) => references(new),
        _ => references(old).intersection(&references(new)).cloned().collect(),
    };
    for name in counted {
        let (old, new) = (&old["found"]["images"][&name], &new["found"]["images"][&name]);
        all.value(None, What::Behind, &name, Some(old), Some(new));
    }
}

fn parts(plan: &Value) -> impl Iterator<Item = &Value> {
    plan["components"].as_array().into_iter().flatten()
}

/// References that are inputs.
fn references(plan: &Value) -> BTreeSet<String> {
    let host = is_host(plan);
    let of_build = |part: &Value| {
        let build = &part["build"];
        text(build.get("image")).or_else(|| text(build.get("builder")).filter(|_| !host))
    };
    text(plan["base"].get("image")).into_iter().chain(parts(plan).filter_map(of_build)).collect()
}

/// Hashes of templates by name. That of a stage counts where both have such stages.
fn templates(before: &Recorded, after: &Recorded, all: &mut Changes) {
    let (old, new) = (hashes(before), hashes(after));
    for (name, before_hash) in old {
        let Some(after_hash) = new.get(&name) else { continue };
        let shortened = after_hash.starts_with(&before_hash);
        if !shortened {
            all.push(None, What::Template, &name, Some(before_hash), Some(after_hash.clone()));
        }
    }
}

fn hashes(recorded: &Recorded) -> BTreeMap<String, String> {
    let plan = &recorded.plan;
    if recorded.is_summary {
        let own = plan["templates"].as_object().into_iter().flatten();
        return own.filter_map(|(name, hash)| Some((name.clone(), text(Some(hash))?))).collect();
    }
    let own = text(plan.get("template")).map(|hash| ("Dockerfile".to_owned(), hash));
    let stage = |part: &Value| {
        let kind = part["build"]["kind"].as_str().unwrap_or_default();
        Some((format!("stages/{kind}"), text(part.get("template"))?))
    };
    own.into_iter().chain(parts(plan).filter_map(stage)).collect()
}

fn depends_on_platform(plan: &Value) -> bool {
    let has = |part: &Value, key: &str| match &part[key] {
        Value::Array(list) => !list.is_empty(),
        Value::Object(map) => !map.is_empty(),
        _ => false,
    };
    parts(plan).any(|part| ["excluded", "platform_files", "exe"].iter().any(|key| has(part, key)))
}

fn config(before: &Recorded, after: &Recorded, all: &mut Changes) {
    let (old, new) = (before.plan.get("config"), after.plan.get("config"));
    if before.plan.get("config-hash").is_some() || after.plan.get("config-hash").is_some() {
        let hash = |side: &Recorded| Some(summary::hash_of_config(&side.plan));
        all.push(None, What::Config, "", hash(before), hash(after));
        labels_of_summary(before, after, all);
        return;
    }
    if !before.says("config") || !after.says("config") {
        return;
    }
    all.map(old, new, |all, key, old, new| match key {
        "labels" if before.is_summary => {}
        "labels" => all.map(old, new, |all, name, old, new| {
            all.push(None, What::Label, name, text(old), text(new));
        }),
        "env" => all.map(old, new, |all, name, old, new| {
            all.push(None, What::Config, &format!("env {name}"), text(old), text(new));
        }),
        _ => all.value(None, What::Config, key, old, new),
    });
    labels_of_summary(before, after, all);
}

/// Labels of which only a hash is known.
fn labels_of_summary(before: &Recorded, after: &Recorded, all: &mut Changes) {
    if let (true, Some(hash)) = (before.is_summary, before.plan["labels"].as_str()) {
        let own = after.plan["labels"].as_str().map_or_else(|| summary::labels(&after.plan), str::to_owned);
        if own != hash {
            all.0.insert(Change::of(What::Label, "of the image definition changed"));
        }
    }
}
