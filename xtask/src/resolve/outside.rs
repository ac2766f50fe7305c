//! Images that an existing Dockerfile begins with or copies from. Each can be replaced as every other reference can, by
//! `components.NAME.images.IMAGE`, where IMAGE is the last part of its repository.

use std::collections::BTreeMap;

use super::fields::{self, Subject};
use super::look::Look;
use super::value::{Value, at};
use crate::diagnostic::Diagnostic;
use crate::manifest::{BuildKind, ComponentManifest, ComponentName, Manifests, Outside, OutsideName};
use crate::oci::{ImageSource, Mapping, Reference};

/// Every image of every Dockerfile.
pub(super) fn all(manifests: &Manifests) -> impl Iterator<Item = (&ComponentName, &OutsideName, &Outside)> {
    manifests.components.values().flat_map(|component| {
        let build = match &component.build.kind {
            BuildKind::Dockerfile(build) => Some(build),
            _ => None,
        };
        let images = build.into_iter().flat_map(|build| build.outside());
        images.map(|(name, image)| (&component.name.value, name, image))
    })
}

/// The key of one.
pub(super) fn key(component: &ComponentName, name: &OutsideName) -> String {
    format!("components.{component}.images.{name}")
}

/// All keys of all.
pub(super) fn keys(manifests: &Manifests) -> Vec<String> {
    all(manifests).flat_map(|(component, name, _)| fields::keys(&key(component, name), None)).collect()
}

/// The one of a key, without fields.
pub(super) fn find<'m>(manifests: &'m Manifests, wanted: &str) -> Option<&'m Outside> {
    all(manifests).find(|(component, name, _)| key(component, name) == wanted).map(|(_, _, image)| image)
}

impl Look<'_> {
    /// The images of a component's Dockerfile.
    pub(super) fn outside(
        &mut self,
        manifest: &ComponentManifest,
        mapping: Option<&Mapping>,
    ) -> BTreeMap<OutsideName, Value<Reference>> {
        let BuildKind::Dockerfile(build) = &manifest.build.kind else { return BTreeMap::new() };
        let mut images = BTreeMap::new();
        for (name, image) in build.outside() {
            let key = key(&manifest.name.value, name);
            let written = ImageSource::Registry(image.image.value.clone());
            let subject = Subject { key: &key, owner: &key, written: Some(&written), contract: None };
            match self.source(&subject, &[], mapping) {
                Some(Value { value: ImageSource::Registry(value), source }) => {
                    images.insert(name.clone(), Value { value, source });
                }
                Some(Value { value: other, source }) => {
                    let message = format!("`{key}` from {source}: {other} is no reference, and a Dockerfile needs one");
                    let place = self.overrides.place(&key, &source);
                    self.problems.push(at(Diagnostic::error("invalid-value", message), place));
                }
                None => {}
            }
        }
        images
    }
}
