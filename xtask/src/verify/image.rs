//! An image of one platform as it is looked at: configuration and file tree, without the bytes of files.

use std::collections::BTreeMap;

use serde_json::Value;

use crate::oci::{Platform, Rootfs};

/// An image of one platform.
#[derive(Debug, Clone)]
pub struct Image {
    /// The platform.
    pub platform: Platform,
    /// What it is told to do.
    pub config: Config,
    /// All that is in it.
    pub rootfs: Rootfs,
    /// How many of its layers, from the lowest on, are those of its base; unknown where nobody says it.
    pub base_layers: Option<u16>,
}

/// What the configuration of an image says. <https://github.com/opencontainers/image-spec/blob/main/config.md>
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Config {
    /// The user; empty is root.
    pub user: String,
    /// What is started, in the exec form.
    pub entrypoint: Vec<String>,
    /// Its arguments, or all of it.
    pub cmd: Vec<String>,
    /// Environment, by name.
    pub env: BTreeMap<String, String>,
    /// Working folder.
    pub workdir: String,
    /// `80/tcp`.
    pub ports: Vec<String>,
    /// Paths that are volumes, sorted.
    pub volumes: Vec<String>,
    /// The signal that ends it; empty is SIGTERM.
    pub stop_signal: String,
    /// How Docker asks whether it is well, as the configuration has it.
    pub healthcheck: Option<Value>,
    /// Labels.
    pub labels: BTreeMap<String, String>,
    /// Diff IDs of all layers, lowest first.
    pub diff_ids: Vec<String>,
}

impl Config {
    /// The configuration of a document; what is not there, or is something else, is empty.
    pub fn of(document: &Value) -> Self {
        let config = &document["config"];
        let text = |key: &str| config[key].as_str().unwrap_or_default().to_owned();
        let list = |key: &str| -> Vec<String> {
            config[key].as_array().into_iter().flatten().filter_map(|word| word.as_str().map(str::to_owned)).collect()
        };
        let pair = |text: String| {
            text.split_once('=').map_or((text.clone(), String::new()), |(name, value)| (name.into(), value.into()))
        };
        let labels = config["Labels"].as_object().into_iter().flatten();
        Self {
            user: text("User"),
            entrypoint: list("Entrypoint"),
            cmd: list("Cmd"),
            env: list("Env").into_iter().map(pair).collect(),
            workdir: text("WorkingDir"),
            ports: config["ExposedPorts"].as_object().into_iter().flatten().map(|(port, _)| port.clone()).collect(),
            volumes: config["Volumes"].as_object().into_iter().flatten().map(|(path, _)| path.clone()).collect(),
            stop_signal: text("StopSignal"),
            healthcheck: Some(&config["Healthcheck"]).filter(|check| check["Test"].is_array()).cloned(),
            diff_ids: document["rootfs"]["diff_ids"]
                .as_array()
                .into_iter()
                .flatten()
                .filter_map(|id| id.as_str().map(str::to_owned))
                .collect(),
            labels: labels.filter_map(|(key, value)| Some((key.clone(), value.as_str()?.to_owned()))).collect(),
        }
    }

    /// A label; empty where there is none.
    pub fn label(&self, key: &str) -> &str {
        self.labels.get(key).map_or("", String::as_str)
    }
}
