//! `--metadata-file`: what was built, for programs; the keys are those of `docker buildx bake --metadata-file`.

use std::collections::BTreeMap;

use camino::Utf8Path;
use serde::Serialize;

use super::status::Stop;
use crate::engine::{Built, Outcome};
use crate::manifest::{ArgsStyle, RoleName};
use crate::oci::Platform;
use crate::plan::{ComponentPlan, ImagePlan, Plan, RolePlan};
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
    /// How consumers start what is inside.
    #[serde(rename = "groupage.roles", skip_serializing_if = "BTreeMap::is_empty")]
    roles: BTreeMap<&'a RoleName, Role<'a>>,
}

/// How a role is started, and where.
#[derive(Debug, Serialize)]
struct Role<'a> {
    command: &'a [String],
    args_style: ArgsStyle,
    user: &'a str,
    #[serde(skip_serializing_if = "<[String]>::is_empty")]
    probe: &'a [String],
    platforms: Vec<&'a Platform>,
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
        roles: planned.map(roles).unwrap_or_default(),
    }
}

fn roles(image: &ImagePlan) -> BTreeMap<&RoleName, Role<'_>> {
    let own = |part: &ComponentPlan| {
        image.platforms.iter().filter(|own| !part.excluded.contains(own)).collect::<Vec<&Platform>>()
    };
    let parts = image.components.iter().flat_map(|part| part.roles.iter().map(move |role| (part, role)));
    parts.map(|(part, (name, role))| (name, Role::of(role, own(part)))).collect()
}

impl<'a> Role<'a> {
    fn of(role: &'a RolePlan, platforms: Vec<&'a Platform>) -> Self {
        Self { command: &role.command, args_style: role.args_style, user: &role.user, probe: &role.probe, platforms }
    }
}
