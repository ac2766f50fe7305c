//! What is known of an image that was built: the plan document with what it leaves out, or the summary that an image carries.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value, json};

use super::summary;
use crate::plan::model::{ComponentPlan, ImagePlan, Input, Plan};
use crate::plan::{SCHEMA, fingerprint};

/// Where the lock file of a cargo component is among its inputs.
pub(super) const LOCK: &str = "Cargo.lock";

/// Crates of a lock file: versions by name, checksums by version.
pub(super) type Locked = BTreeMap<String, BTreeMap<String, String>>;

/// What is known of an image that was built, or would be. It is JSON, so that a document of an older or newer tool can be
/// compared as far as it goes.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub struct Recorded {
    /// Version of the rules of fingerprints, where it is known; see [`fingerprint::VERSION`].
    #[serde(default)]
    pub(super) fingerprint_version: Option<u32>,
    /// Crates of the lock files of components, which stand in no plan document.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub(super) locks: BTreeMap<String, Locked>,
    /// The plan document of one image.
    pub(super) plan: Value,
    /// Whether it is a summary, in which things may be missing.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub(super) is_summary: bool,
}

/// Why a document says nothing.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum RecordError {
    /// It is damaged, or something else.
    #[error("it is no plan")]
    NoPlan,
    /// Another version of the tool wrote it.
    #[error("it has a schema that this program does not know")]
    OtherSchema,
}

impl Recorded {
    /// What a plan says of one of its images.
    pub fn of(plan: &ImagePlan) -> Self {
        let locks = plan.components.iter().filter_map(|part| Some((part.name.to_string(), lock_of(part)?)));
        Self {
            fingerprint_version: Some(fingerprint::VERSION),
            locks: locks.collect(),
            // a plan has string keys only, and no numbers that JSON does not have
            plan: serde_json::to_value(plan).unwrap_or_default(),
            is_summary: false,
        }
    }

    /// The record as a document.
    pub fn to_json(&self) -> Value {
        let mut document = serde_json::to_value(self).unwrap_or_default();
        document["schema"] = json!(SCHEMA);
        document
    }

    /// Reads what [`Recorded::to_json`] gave.
    ///
    /// # Errors
    /// [`RecordError`]: whatever is wrong with it, it counts as none.
    pub fn from_json(document: &Value) -> Result<Self, RecordError> {
        check_schema(document)?;
        let record: Self = Self::deserialize(document).map_err(|_| RecordError::NoPlan)?;
        if is_image(&record.plan) { Ok(record) } else { Err(RecordError::NoPlan) }
    }

    /// The images of a document that `plan --format json` gave.
    ///
    /// # Errors
    /// [`RecordError`]
    pub fn from_plan(document: &Value) -> Result<Vec<Self>, RecordError> {
        check_schema(document)?;
        let images = document["images"].as_array().ok_or(RecordError::NoPlan)?;
        if !images.iter().all(is_image) {
            return Err(RecordError::NoPlan);
        }
        let record = |image: &Value| Self {
            fingerprint_version: None,
            locks: BTreeMap::new(),
            plan: image.clone(),
            is_summary: false,
        };
        Ok(images.iter().map(record).collect())
    }

    /// What an image says of its inputs: its labels, and its own description where that was read.
    ///
    /// # Errors
    /// [`RecordError`]
    pub fn from_image(labels: &BTreeMap<String, String>, description: Option<&Value>) -> Result<Self, RecordError> {
        summary::read(labels, description)
    }

    /// `IMAGE` or `IMAGE=VARIANT`.
    pub fn id(&self) -> &str {
        self.plan["id"].as_str().unwrap_or_default()
    }

    /// The fingerprint.
    pub fn fingerprint(&self) -> &str {
        self.plan["fingerprint"].as_str().unwrap_or_default()
    }

    /// The platforms that it is for.
    pub fn platforms(&self) -> Vec<crate::oci::Platform> {
        let platforms = self.plan["platforms"].as_array().into_iter().flatten();
        platforms.filter_map(|platform| platform.as_str()?.parse().ok()).collect()
    }

    /// The document.
    pub fn document(&self) -> &Value {
        &self.plan
    }

    /// With other labels in its stamp: those decide nothing, and the same record serves them all.
    #[must_use]
    pub fn with_stamp(mut self, stamp: &BTreeMap<String, String>) -> Self {
        self.plan["stamp"] = json!(stamp);
        self
    }

    /// Whether it says anything of a key; what a whole document leaves out is empty.
    pub(super) fn says(&self, key: &str) -> bool {
        !self.is_summary || self.plan.get(key).is_some()
    }

    /// The labels that are no inputs, where it says so.
    pub fn stamp_keys(&self) -> Option<std::collections::BTreeSet<String>> {
        if self.is_summary {
            return None;
        }
        Some(self.plan["stamp"].as_object().into_iter().flatten().map(|(key, _)| key.clone()).collect())
    }

    /// What an engine had found when it was built.
    pub fn found(&self) -> crate::plan::Found {
        let found = &self.plan["found"];
        crate::plan::Found {
            toolchain: found["toolchain"].as_str().map(str::to_owned),
            go_toolchain: found["go_toolchain"].as_str().unwrap_or_default().to_owned(),
            images: found["images"].as_object().map(strings).unwrap_or_default(),
        }
    }
}

/// The strings of an object.
fn strings(object: &Map<String, Value>) -> BTreeMap<String, String> {
    object.iter().filter_map(|(key, value)| Some((key.clone(), value.as_str()?.to_owned()))).collect()
}

impl Plan {
    /// What the plan says of each of its images.
    pub fn recorded(&self) -> Vec<Recorded> {
        self.images.iter().map(Recorded::of).collect()
    }
}

pub(super) fn check_schema(document: &Value) -> Result<(), RecordError> {
    match document["schema"].as_u64() {
        Some(schema) if schema == u64::from(SCHEMA) => Ok(()),
        Some(_) => Err(RecordError::OtherSchema),
        None => Err(RecordError::NoPlan),
    }
}

fn is_image(image: &Value) -> bool {
    let parts = image["components"].as_array();
    image["fingerprint"].is_string() && parts.is_some_and(|parts| parts.iter().all(|part| part["name"].is_string()))
}

/// The crates that a component's lock file names.
fn lock_of(part: &ComponentPlan) -> Option<Locked> {
    let Some(Input::Text { text, .. }) = part.inputs.get(camino::Utf8Path::new(LOCK)) else { return None };
    locked(text)
}

/// Crates by name and version; a source that is no registry is part of the version.
fn locked(text: &str) -> Option<Locked> {
    let table: toml::Table = text.parse().ok()?;
    let mut locked = Locked::new();
    for package in table.get("package")?.as_array()? {
        let text = |key: &str| package.get(key).and_then(toml::Value::as_str);
        let version = match text("source").filter(|source| !source.starts_with("registry+")) {
            Some(source) => format!("{} ({source})", text("version")?),
            None => text("version")?.to_owned(),
        };
        let checksum = text("checksum").unwrap_or_default().to_owned();
        locked.entry(text("name")?.to_owned()).or_default().insert(version, checksum);
    }
    Some(locked)
}
