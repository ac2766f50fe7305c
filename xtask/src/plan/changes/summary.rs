//! What an image says of its inputs in one label, so that whoever has the image alone can tell which part of it would be
//! another one. It is compact JSON:
//!
//! | key | is |
//! |---|---|
//! | `schema`, `version` | of this label; of the rules of fingerprints |
//! | `base`, `found` | the base as it is referred to; what the engine had found |
//! | `network`, `link` | how stages are built |
//! | `templates` | hashes of templates, where there are stages |
//! | `config` | the planned configuration without labels; `config-hash` where it is long, since engines pass labels in addresses |
//! | `labels` | a hash of the labels that follow from nothing else |
//! | `components` | fingerprint by name |
//!
//! Hashes have 16 digits here: enough to tell two apart, while a label of a hundred components stays small. Versions, features
//! and roles are in `/.groupage/manifest.json`. Nothing here is secret that is not in the image anyway: references, the
//! configuration, hashes.

use std::collections::BTreeMap;

use serde_json::{Value, json};

use super::recorded::{RecordError, Recorded};
use crate::plan::fingerprint;
use crate::plan::model::ImagePlan;

/// The label.
pub const LABEL: &str = "dev.groupage.inputs";

/// Version of the form.
const SCHEMA: u32 = 1;
/// Longest configuration that is written out, in bytes of JSON.
const MAX_CONFIG: usize = 2048;
/// Digits of hashes.
const DIGITS: usize = 16;
/// Labels that follow from other inputs.
const DERIVED: [&str; 4] = [
    "org.opencontainers.image.base.name",
    "org.opencontainers.image.base.digest",
    "dev.groupage.features",
    "dev.groupage.components",
];

/// The label of an image of one platform.
pub fn label(plan: &ImagePlan) -> String {
    let mut summary = json!({
        "schema": SCHEMA,
        "version": fingerprint::VERSION,
        "base": plan.base.image,
        "components": plan.components.iter().map(|part| (part.name.as_str(), short(&part.fingerprint))).collect::<BTreeMap<_, _>>(),
        "labels": hash(own_labels(&plan.config.labels)),
    });
    let config = config(&json!({ "config": plan.config }));
    if config.to_string().len() > MAX_CONFIG {
        summary["config-hash"] = json!(config_hash(&config));
    } else {
        summary["config"] = config;
    }
    if !plan.found.is_nothing() {
        summary["found"] = json!(plan.found);
    }
    if !plan.found.is_host() {
        summary["network"] = json!(plan.network);
        summary["link"] = json!(plan.link);
        let stages =
            plan.components.iter().map(|part| (format!("stages/{}", part.build.kind()), short(&part.template)));
        let own = ("Dockerfile".to_owned(), short(&plan.template));
        summary["templates"] = json!(stages.chain([own]).collect::<BTreeMap<_, _>>());
    }
    summary.to_string()
}

fn short(hash: &str) -> &str {
    hash.get(..DIGITS).unwrap_or(hash)
}

/// What is configured besides labels.
fn config(plan: &Value) -> Value {
    let always = ["user", "entrypoint", "workdir", "env", "ports"].map(|key| Some((key, plan["config"][key].clone())));
    // not there in most images, and then not in their hash either
    let some =
        ["cmd", "volumes", "stop_signal", "healthcheck"].map(|key| Some((key, plan["config"].get(key)?.clone())));
    let all = always.into_iter().chain(some).flatten().map(|(key, value)| (key.to_owned(), value));
    all.collect::<serde_json::Map<_, _>>().into()
}

fn config_hash(config: &Value) -> String {
    short(&fingerprint::text(&config.to_string())).to_owned()
}

/// The hash that stands for a long configuration.
pub(super) fn hash_of_config(plan: &Value) -> String {
    plan["config-hash"].as_str().map_or_else(|| config_hash(&config(plan)), str::to_owned)
}

/// A hash of the labels that follow from nothing else.
pub(super) fn labels(plan: &Value) -> String {
    let all = plan["config"]["labels"].as_object().into_iter().flatten();
    let all: BTreeMap<String, String> =
        all.filter_map(|(key, value)| Some((key.clone(), value.as_str()?.to_owned()))).collect();
    hash(own_labels(&all))
}

fn own_labels(labels: &BTreeMap<String, String>) -> BTreeMap<&str, &str> {
    let all = labels.iter().map(|(key, value)| (key.as_str(), value.as_str()));
    all.filter(|(key, _)| !DERIVED.contains(key)).collect()
}

fn hash(labels: BTreeMap<&str, &str>) -> String {
    short(&fingerprint::text(&json!(labels).to_string())).to_owned()
}

/// What the labels of an image and its own description say.
pub(super) fn read(labels: &BTreeMap<String, String>, description: Option<&Value>) -> Result<Recorded, RecordError> {
    let summary = labels.get(LABEL).ok_or(RecordError::NoPlan)?;
    let summary: Value = serde_json::from_str(summary).map_err(|_| RecordError::NoPlan)?;
    match summary["schema"].as_u64() {
        Some(schema) if schema == u64::from(SCHEMA) => {}
        Some(_) => return Err(RecordError::OtherSchema),
        None => return Err(RecordError::NoPlan),
    }
    let fingerprint = labels.get(fingerprint::LABEL).ok_or(RecordError::NoPlan)?;
    let described = |name: &str| {
        let parts = description.and_then(|description| description["components"].as_array());
        parts.into_iter().flatten().find(|part| part["name"] == name)
    };
    let part = |(name, hash): (&String, &Value)| {
        let mut part = json!({ "name": name, "fingerprint": hash });
        for key in ["version", "features", "roles"] {
            if let Some(value) = described(name).and_then(|own| own.get(key)) {
                part[key] = value.clone();
            }
        }
        part
    };
    let parts = summary["components"].as_object().ok_or(RecordError::NoPlan)?;
    let mut plan = json!({
        "fingerprint": fingerprint,
        "base": { "image": summary["base"] },
        "components": parts.iter().map(part).collect::<Vec<_>>(),
    });
    for key in ["network", "link", "found", "templates", "config", "config-hash", "labels"] {
        if let Some(value) = summary.get(key) {
            plan[key] = value.clone();
        }
    }
    for key in ["mode", "features"] {
        if let Some(value) = description.and_then(|description| description.get(key)) {
            plan[key] = value.clone();
        }
    }
    let version = summary["version"].as_u64().and_then(|version| u32::try_from(version).ok());
    Ok(Recorded { fingerprint_version: version, locks: BTreeMap::new(), plan, is_summary: true })
}
