//! What `inspect` shows, wherever the image is. Pure.

use std::fmt::Write as _;

use serde::Serialize;
use serde_json::Value;

use crate::engine::docker::ImageConfig;
use crate::oci::{Digest, Document, ImageConfiguration, Platform};
use crate::plan::fingerprint;

/// Label that names the base.
const BASE: &str = "org.opencontainers.image.base.name";
/// Label with the version of the image; earlier descriptions have it too.
const VERSION: &str = "org.opencontainers.image.version";
/// Label with the digest of the base.
const BASE_DIGEST: &str = "org.opencontainers.image.base.digest";

/// One image.
#[derive(Debug, Serialize)]
pub(super) struct Inspection {
    /// As it was asked for.
    pub(super) reference: String,
    /// What stands in its configuration.
    pub(super) config: ImageConfig,
    /// The image's own description; absent when it was not built by groupage.
    pub(super) groupage: Option<Value>,
    /// Digest of the index that it stands in.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) index: Option<String>,
    /// Whether the description was looked for in every layer.
    #[serde(skip)]
    pub(super) is_searched: bool,
}

impl Inspection {
    /// An image, all of which was looked into.
    pub(super) fn new(reference: &str, config: ImageConfig, groupage: Option<Value>) -> Self {
        Self { reference: reference.to_owned(), config, groupage, index: None, is_searched: true }
    }

    /// The fingerprint of what it was built from, if it says one.
    pub(super) fn fingerprint(&self) -> Option<&str> {
        self.config.labels.get(fingerprint::LABEL).map(String::as_str)
    }
}

/// Images of an index, or of an archive that has several.
#[derive(Debug, Serialize)]
pub(super) struct Several<'i> {
    /// As it was asked for.
    pub(super) reference: &'i str,
    /// The images.
    pub(super) images: &'i [Inspection],
}

/// What a configuration says, in the words of a daemon. `size` is what the layers have as they are stored.
///
/// # Errors
/// It is no configuration.
pub(super) fn facts(
    document: &Document,
    digest: Option<&Digest>,
    platform: &Platform,
    tags: Vec<String>,
    size: u64,
) -> serde_json::Result<ImageConfig> {
    let image: ImageConfiguration = serde_json::from_slice(&document.bytes)?;
    let config = image.config().clone().unwrap_or_default();
    let mut ports = config.exposed_ports().clone().unwrap_or_default();
    ports.sort();
    Ok(ImageConfig {
        id: document.digest.to_string(),
        digest: digest.map(ToString::to_string),
        tags,
        repo_digests: Vec::new(),
        platform: platform.to_string(),
        labels: config.labels().clone().unwrap_or_default().into_iter().collect(),
        env: config.env().clone().unwrap_or_default(),
        entrypoint: config.entrypoint().clone().unwrap_or_default(),
        cmd: config.cmd().clone().unwrap_or_default(),
        user: config.user().clone().unwrap_or_default(),
        working_dir: config.working_dir().clone().unwrap_or_default(),
        ports,
        size,
        layers: image.rootfs().diff_ids().clone(),
    })
}

/// For people.
pub(super) fn text(inspection: &Inspection) -> String {
    let config = &inspection.config;
    let label = |name: &str| config.labels.get(name).cloned().unwrap_or_default();
    let mut text = format!("{}\n", inspection.reference);
    for (name, value) in [
        ("image ID", config.id.clone()),
        ("digest", config.digest.clone().unwrap_or_default()),
        ("index", inspection.index.clone().unwrap_or_default()),
        ("fingerprint", label(fingerprint::LABEL)),
        ("base", label(BASE)),
        ("base digest", label(BASE_DIGEST)),
        ("platform", config.platform.clone()),
        ("size", format!("{} bytes in {} layers", config.size, config.layers.len())),
        ("user", config.user.clone()),
        ("entrypoint", config.entrypoint.join(" ")),
        ("ports", config.ports.join(", ")),
        ("env", config.env.join(" ")),
    ] {
        if !value.is_empty() {
            _ = writeln!(text, "  {name:<12}{value}");
        }
    }
    match &inspection.groupage {
        Some(description) => text.push_str(&described(description, &label(VERSION))),
        None if inspection.is_searched => {
            text.push_str("  not built by groupage: there is no /.groupage/manifest.json in it\n");
        }
        None => {
            text.push_str("  no /.groupage/manifest.json in its smaller layers; the larger ones were not fetched\n")
        }
    }
    text
}

fn described(description: &Value, version: &str) -> String {
    let mut text = String::new();
    let string = |value: &Value| value.as_str().unwrap_or_default().to_owned();
    let list = |value: &Value| value.as_array().into_iter().flatten().map(string).collect::<Vec<_>>().join(", ");
    let facts = [
        ("version", if version.is_empty() { string(&description["version"]) } else { version.to_owned() }),
        ("mode", string(&description["mode"])),
        ("features", list(&description["features"])),
    ];
    for (name, value) in facts.iter().filter(|(_, value)| !value.is_empty()) {
        _ = writeln!(text, "  {name:<12}{value}");
    }
    for component in description["components"].as_array().into_iter().flatten() {
        let features = list(&component["features"]);
        let features = if features.is_empty() { String::new() } else { format!(" [{features}]") };
        _ = writeln!(text, "  + {} {}{features}", string(&component["name"]), string(&component["version"]));
        for (role, how) in component["roles"].as_object().into_iter().flatten() {
            let command: Vec<String> = how["command"].as_array().into_iter().flatten().map(string).collect();
            _ = writeln!(text, "      role {role}: {} as {}", command.join(" "), string(&how["user"]));
        }
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(inspection: &Inspection, expect: &[&str]) {
        let text = text(inspection);
        expect.iter().for_each(|line| assert!(text.lines().any(|own| own == *line), "{line:?} is not in {text}"));
    }

    #[test]
    fn base_and_fingerprint_are_shown() {
        let labels = [(BASE, "r.example/base:1"), (BASE_DIGEST, "sha256:0"), (fingerprint::LABEL, "abc")];
        let labels = labels.map(|(name, value)| (name.to_owned(), value.to_owned())).into();
        let config = ImageConfig { labels, ..ImageConfig::default() };
        let inspection = Inspection::new("a:1", config, Some(serde_json::json!({ "version": "1.0.0" })));
        let lines =
            ["  base        r.example/base:1", "  base digest sha256:0", "  fingerprint abc", "  version     1.0.0"];
        check(&inspection, &lines);
        assert_eq!(inspection.fingerprint(), Some("abc"));
    }

    #[test]
    fn what_has_no_description_is_said() {
        let inspection = Inspection::new("a:1", ImageConfig::default(), None);
        check(&inspection, &["  not built by groupage: there is no /.groupage/manifest.json in it"]);
        let inspection = Inspection { is_searched: false, index: Some("sha256:1".to_owned()), ..inspection };
        let lines = [
            "  index       sha256:1",
            "  no /.groupage/manifest.json in its smaller layers; the larger ones were not fetched",
        ];
        check(&inspection, &lines);
    }

    #[test]
    fn a_configuration_says_what_a_daemon_would() {
        let config = serde_json::json!({
            "os": "linux", "architecture": "arm", "variant": "v7", "rootfs": { "type": "layers", "diff_ids": [] },
            "config": { "User": "1", "ExposedPorts": { "80/tcp": {}, "53/udp": {} }, "Entrypoint": ["/a", "b"], "Env": ["X=y"] },
        });
        let document = Document::new(crate::oci::media::CONFIG, &config);
        let digest = Digest::of(b"");
        let config = facts(&document, Some(&digest), &"linux/arm/v7".parse().unwrap(), Vec::new(), 7).unwrap();
        let inspection = Inspection::new("oci:a", config, None);
        let lines = [
            "  platform    linux/arm/v7",
            "  size        7 bytes in 0 layers",
            "  ports       53/udp, 80/tcp",
            "  entrypoint  /a b",
        ];
        check(&inspection, &lines);
        check(&inspection, &[&format!("  digest      {digest}"), &format!("  image ID    {}", document.digest)]);
    }
}
