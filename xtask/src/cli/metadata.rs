//! `--metadata-file`: what was built, for programs; the keys are those of `docker buildx bake --metadata-file`.

use std::collections::BTreeMap;

use camino::Utf8Path;
use serde::Serialize;

use super::status::Stop;
use crate::engine::{Built, Outcome};
use crate::plan::Plan;
use crate::workspace::write;

/// What is said of one image.
#[derive(Debug, Serialize)]
struct Entry<'a> {
    /// Digest of the manifest. As with bake, it is the image ID where the engine knows no manifest before a push.
    #[serde(rename = "containerimage.digest")]
    digest: &'a str,
    #[serde(rename = "containerimage.config.digest", skip_serializing_if = "str::is_empty")]
    config_digest: &'a str,
    #[serde(rename = "image.name")]
    name: String,
    #[serde(rename = "groupage.fingerprint")]
    fingerprint: &'a str,
}

/// Writes the file; images that were not built are not in it.
pub(super) fn write(path: &Utf8Path, plan: &Plan, outcome: &Outcome) -> Result<(), Stop> {
    let entries: BTreeMap<&str, Entry<'_>> =
        outcome.built().map(|built| (built.image.as_str(), entry(built, plan))).collect();
    let text = serde_json::to_string_pretty(&entries).map_err(Stop::input)? + "\n";
    write::file(path, text.as_bytes(), 0o644).map_err(Stop::input)?;
    Ok(())
}

fn entry<'a>(built: &'a Built, plan: &'a Plan) -> Entry<'a> {
    let planned = plan.images.iter().find(|image| image.id == built.image);
    Entry {
        digest: built.pin(),
        config_digest: &built.image_id,
        name: built.tags.join(","),
        fingerprint: planned.map_or("", |image| &image.fingerprint),
    }
}
