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
    mode: Mode,
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
    let components = plan
        .components
        .iter()
        .map(|part| Part { name: &part.name, version: &part.version, features: &part.features, roles: &part.roles })
        .collect();
    let description = Description {
        schema: 1,
        image: &plan.name,
        variant: plan.variant.as_ref(),
        mode: plan.mode,
        features: &plan.features,
        components,
    };
    serde_json::to_string_pretty(&description).unwrap_or_default() + "\n"
}
