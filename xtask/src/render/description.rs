//! `/.groupage/manifest.json`: what an image holds, for programs that want to know what is beside them.
//!
//! The fingerprint is not in it but in a label: it changes with every byte of every component, and the layer of this file
//! would be another one each time. Nor is the version of the image, which would cost a layer with every release: it is a label
//! too.

use std::collections::BTreeMap;

use serde::Serialize;

use crate::manifest::{ComponentName, FeatureName, ImageName, Mode, RoleName, VariantName};
use crate::plan::{ImagePlan, RolePlan};

#[derive(Debug, Serialize)]
struct Description<'a> {
    schema: u32,
    image: &'a ImageName,
    variant: Option<&'a VariantName>,
    /// The component that it is the image of.
    #[serde(skip_serializing_if = "Option::is_none")]
    part: Option<&'a ComponentName>,
    mode: Mode,
    /// The program that holds the cargo components.
    #[serde(skip_serializing_if = "Option::is_none")]
    multicall: Option<&'a str>,
    features: &'a [FeatureName],
    components: Vec<Part<'a>>,
}

#[derive(Debug, Serialize)]
struct Part<'a> {
    name: &'a ComponentName,
    version: &'a str,
    features: &'a [FeatureName],
    roles: &'a BTreeMap<RoleName, RolePlan>,
}

/// The text of the file, with a final newline.
pub(super) fn text(plan: &ImagePlan) -> String {
    let program = plan.components.iter().find(|part| part.is_multicall());
    let components = plan
        .components
        .iter()
        .filter(|part| !part.is_multicall())
        .map(|part| Part { name: &part.name, version: &part.version, features: &part.features, roles: &part.roles })
        .collect();
    let description = Description {
        schema: 1,
        image: &plan.name,
        variant: plan.variant.as_ref(),
        part: plan.part.as_ref(),
        mode: plan.mode,
        multicall: program.and_then(|part| part.installs.first()).map(|install| install.to.as_str()),
        features: &plan.features,
        components,
    };
    serde_json::to_string_pretty(&description).unwrap_or_default() + "\n"
}
