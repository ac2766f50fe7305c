//! The corpus of hostile values, `tests/hostile/values.json`, and the manifests that it is put into.

use std::fs;
use std::path::{Path, PathBuf};

/// A value that somebody might write to make a build do something else.
#[derive(Debug, Clone, serde::Deserialize)]
pub struct Hostile {
    /// What is hostile about it.
    pub name: String,
    /// The value, or a part of it.
    text: String,
    /// How often the text is repeated.
    #[serde(default = "once")]
    times: usize,
}

fn once() -> usize {
    1
}

impl Hostile {
    /// The whole value.
    pub fn text(&self) -> String {
        self.text.repeat(self.times)
    }
}

/// The folder of the corpus.
pub fn folder() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../tests/hostile")
}

/// All values.
pub fn values() -> Vec<Hostile> {
    let text = fs::read_to_string(folder().join("values.json")).expect("the corpus is there");
    serde_json::from_str(&text).expect("the corpus is a list of values")
}

/// A good manifest: where it is in a workspace, and its text.
pub fn manifest(name: &str) -> (&'static str, String) {
    let path = match name {
        "groupage.toml" => "groupage.toml",
        "component.toml" => "components/a/component.toml",
        "dependency.toml" => "components/b/component.toml",
        "existing.toml" => "components/c/component.toml",
        "image.toml" => "images/app/image.toml",
        other => panic!("there is no manifest {other}"),
    };
    (path, fs::read_to_string(folder().join(name)).expect("the manifest is there"))
}

/// A value as a TOML string.
pub fn toml_string(text: &str) -> String {
    let mut quoted = String::from("\"");
    for character in text.chars() {
        match character {
            '"' | '\\' => quoted.extend(['\\', character]),
            c if c.is_control() => quoted.push_str(&format!("\\u{:04X}", u32::from(c))),
            c => quoted.push(c),
        }
    }
    quoted.push('"');
    quoted
}
