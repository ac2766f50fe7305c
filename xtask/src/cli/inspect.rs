//! `inspect`: what is inside an image, by its own description and configuration.

use std::fmt::Write as _;

use serde::Serialize;
use serde_json::Value;

use super::args::{Format, InspectArguments};
use super::daemon;
use super::session::Session;
use super::status::{ExitStatus, Stop};
use crate::engine::docker::{Docker, ImageConfig};
use crate::resolve::{ImageSelector, Selection};

/// Where an image describes itself.
const DESCRIPTION: &str = "/.groupage/manifest.json";
/// Label that names the base.
const BASE: &str = "org.opencontainers.image.base.name";
/// Largest description that is read, in bytes.
const LIMIT: usize = 4 * 1024 * 1024;

#[derive(Debug, Serialize)]
struct Inspection {
    reference: String,
    config: ImageConfig,
    /// The image's own description; absent when it was not built by groupage.
    groupage: Option<Value>,
}

pub(super) fn run(arguments: &InspectArguments, session: &Session<'_>) -> Result<ExitStatus, Stop> {
    let reference = reference(&arguments.reference, session)?;
    let inspection = daemon::wait(async {
        let docker = daemon::connect(session, arguments.host.as_deref()).await?;
        inspect(&docker, &reference, &session.program).await
    })?;
    match arguments.format {
        Format::Json => session.output.json(&inspection)?,
        Format::Text => session.output.data(&text(&inspection))?,
    }
    Ok(ExitStatus::Done)
}

/// A word that is an image of this workspace means the reference that it would get; every other word is a reference.
fn reference(word: &str, session: &Session<'_>) -> Result<String, Stop> {
    Ok(planned(word, session)?.unwrap_or_else(|| word.to_owned()))
}

fn planned(word: &str, session: &Session<'_>) -> Result<Option<String>, Stop> {
    let Ok(selector) = word.parse::<ImageSelector>() else { return Ok(None) };
    let Some(loaded) = session.load_if_any()? else { return Ok(None) };
    if !loaded.manifests.images.contains_key(&selector.image) {
        return Ok(None);
    }
    let selection = Selection { images: vec![selector], ..Selection::default() };
    let resolution = session.resolve(&loaded, &selection)?;
    Ok(resolution.images.first().and_then(|image| crate::plan::tags(&resolution, image).pop()))
}

async fn inspect(docker: &Docker, reference: &str, program: &str) -> Result<Inspection, Stop> {
    let Some(config) = docker.inspect(reference).await.map_err(daemon::stop)? else {
        let message = format!("the daemon has no image {reference}\nhint: build it with `{program} build`, or pull it");
        return Err(Stop::refused(anyhow::anyhow!(message)));
    };
    let text = docker.read_file(reference, DESCRIPTION, LIMIT).await.map_err(daemon::stop)?;
    let groupage = match text {
        Some(bytes) => Some(
            serde_json::from_slice(&bytes)
                .map_err(|error| Stop::refused(anyhow::anyhow!("{DESCRIPTION} of {reference} is not JSON: {error}")))?,
        ),
        None => None,
    };
    Ok(Inspection { reference: reference.to_owned(), config, groupage })
}

fn text(inspection: &Inspection) -> String {
    let config = &inspection.config;
    let mut text = format!("{}\n", inspection.reference);
    for (name, value) in [
        ("image ID", config.id.clone()),
        ("base", config.labels.get(BASE).cloned().unwrap_or_default()),
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
        Some(description) => text.push_str(&described(description)),
        None => text.push_str("  not built by groupage: there is no /.groupage/manifest.json in it\n"),
    }
    text
}

fn described(description: &Value) -> String {
    let mut text = String::new();
    let string = |value: &Value| value.as_str().unwrap_or_default().to_owned();
    let list = |value: &Value| value.as_array().into_iter().flatten().map(string).collect::<Vec<_>>().join(", ");
    let facts = [
        ("version", string(&description["version"])),
        ("mode", string(&description["mode"])),
        ("features", list(&description["features"])),
        ("fingerprint", string(&description["fingerprint"])),
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
        let labels = [(BASE.to_owned(), "r.example/base:1".to_owned())].into();
        let config = ImageConfig { labels, ..ImageConfig::default() };
        let groupage = Some(serde_json::json!({ "version": "1.0.0", "fingerprint": "abc" }));
        let inspection = Inspection { reference: "a:1".to_owned(), config, groupage };
        check(&inspection, &["  base        r.example/base:1", "  version     1.0.0", "  fingerprint abc"]);
        let inspection = Inspection { config: ImageConfig::default(), groupage: None, ..inspection };
        check(&inspection, &["  not built by groupage: there is no /.groupage/manifest.json in it"]);
    }
}
