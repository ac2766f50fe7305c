//! Names that lead from one file to another: every one must exist, also where no active feature asks for it.

use super::SCRATCH;
use crate::diagnostic::{Diagnostic, Problems};
use crate::manifest::{
    BaseName, BuildKind, ComponentManifest, ComponentName, FeatureName, FeatureTable, FeatureValue, ImageDefinition,
    Manifests, RoleName,
};
use crate::source::{Span, Spanned};

/// Reports every name that leads nowhere.
pub(super) fn check(manifests: &Manifests, problems: &mut Problems) {
    let components = manifests.components.values().map(|component| &component.features);
    let images = manifests.images.values().map(|image| &image.features);
    components.chain(images).for_each(|table| check_table(manifests, table, problems));
    manifests.images.values().for_each(|image| check_image(manifests, image, problems));
    manifests.components.values().for_each(|component| check_source_base(manifests, component, problems));
}

/// The base of the image that a component is taken from.
fn check_source_base(manifests: &Manifests, component: &ComponentManifest, problems: &mut Problems) {
    let BuildKind::Image(build) = &component.build.kind else { return };
    let Some(base) = build.above.as_ref().and_then(|above| above.base.as_ref()) else { return };
    if base.value.as_str() != SCRATCH && !manifests.settings.bases.contains_key(&base.value) {
        let known = manifests.settings.bases.keys().map(BaseName::as_str).chain([SCRATCH]);
        let message = format!("[bases] has no base `{}`", base.value);
        let otherwise = format!("add `{} = \"registry/repository:tag\"` to [bases] in groupage.toml", base.value);
        let unknown = Diagnostic::error("unknown-base", message).label(base.span, "");
        problems.push(unknown.suggest(base.value.as_str(), known, Some(otherwise)));
    }
}

fn check_table(manifests: &Manifests, table: &FeatureTable, problems: &mut Problems) {
    for (name, dependency) in &table.dependencies {
        check_component(manifests, name, dependency.span, problems);
        for feature in &dependency.features {
            check_feature(manifests, name, &feature.value, feature.span, problems);
        }
    }
    for value in table.features.values().flat_map(|feature| &feature.enables) {
        if let FeatureValue::ComponentFeature { component, feature, .. } = &value.value {
            check_feature(manifests, component, feature, value.span, problems);
        }
    }
}

fn check_component(manifests: &Manifests, name: &ComponentName, place: Span, problems: &mut Problems) {
    if !manifests.components.contains_key(name) {
        let known = manifests.components.keys().map(ComponentName::as_str);
        let unknown =
            Diagnostic::error("unknown-component", format!("there is no component `{name}`")).label(place, "");
        problems.push(unknown.suggest(name.as_str(), known, Some(format!("create components/{name}/component.toml"))));
    }
}

/// A component that is not there is reported where it is named as a dependency.
fn check_feature(
    manifests: &Manifests,
    component: &ComponentName,
    feature: &FeatureName,
    place: Span,
    problems: &mut Problems,
) {
    let Some(table) = manifests.components.get(component).map(|component| &component.features) else { return };
    if !table.has(feature) {
        problems.push(unknown_feature(component, table, feature).label(place, ""));
    }
}

/// A feature that a component does not have.
pub(super) fn unknown_feature(component: &ComponentName, table: &FeatureTable, feature: &FeatureName) -> Diagnostic {
    let names = table.names();
    Diagnostic::error("unknown-feature", format!("component `{component}` has no feature `{feature}`")).suggest(
        feature.as_str(),
        names.iter().map(FeatureName::as_str),
        None,
    )
}

fn check_image(manifests: &Manifests, image: &ImageDefinition, problems: &mut Problems) {
    for allowed in image.allow.iter().flat_map(|allow| &allow.components) {
        check_component(manifests, &allowed.value, allowed.span, problems);
    }
    for role in image.pods.iter().flatten().flatten() {
        check_role(manifests, role, problems);
    }
}

fn check_role(manifests: &Manifests, role: &Spanned<RoleName>, problems: &mut Problems) {
    let mut roles = manifests.components.values().flat_map(|component| component.roles.keys());
    if !roles.any(|name| *name == role.value) {
        let known = manifests.components.values().flat_map(|component| component.roles.keys()).map(RoleName::as_str);
        let unknown = Diagnostic::error("unknown-role", format!("no component has the role `{}`", role.value));
        problems.push(unknown.label(role.span, "").suggest(role.value.as_str(), known, None));
    }
}
