//! Values that overrides can replace, looked up key by key.

use std::collections::BTreeMap;

use super::value::{Overrides, Value, ValueSource, at};
use super::{ResolvedBase, SCRATCH, component};
use crate::diagnostic::{Diagnostic, Problems};
use crate::manifest::{BuildKind, BuilderName, ImageDefinition, ImageName, Manifests, RegistryPath};
use crate::oci::{ImageSource, Reference, redacted};

/// Every key that an override can name.
pub(super) fn known_keys(manifests: &Manifests) -> Vec<String> {
    let settings = &manifests.settings;
    let mut keys = vec!["build.network".to_owned(), "registry.default".to_owned()];
    keys.extend(settings.bases.keys().map(|name| format!("bases.{name}")));
    keys.extend(
        manifests
            .images
            .values()
            .map(|image| format!("bases.{}", image.base.value))
            .filter(|key| key != "bases.scratch"),
    );
    keys.extend(settings.builders.keys().map(|name| format!("builders.{name}")));
    keys.extend(component::builders(manifests).map(|name| format!("builders.{name}")));
    let of_image = |name: &ImageName| ["base", "mode"].map(|value| format!("images.{name}.{value}"));
    keys.extend(manifests.images.keys().flat_map(of_image));
    let image_kind =
        manifests.components.values().filter(|component| matches!(component.build.kind, BuildKind::Image(_)));
    keys.extend(image_kind.map(|component| format!("components.{}.image", component.name.value)));
    keys.sort();
    keys.dedup();
    keys
}

/// Looks values up, collecting what is wrong with overrides.
pub(super) struct Look<'a> {
    pub(super) overrides: &'a Overrides,
    pub(super) problems: &'a mut Problems,
}

impl Look<'_> {
    pub(super) fn parsed<T: std::str::FromStr<Err: std::fmt::Display>>(&mut self, key: &str) -> Option<Value<T>> {
        let overrides = self.overrides;
        let found = overrides.find(key).map_err(|problem| self.problems.push(problem)).ok()??;
        match found.value.parse() {
            Ok(value) => Some(Value { value, source: found.source }),
            Err(error) => {
                let error: T::Err = error;
                self.problems.push(invalid(overrides, key, &found, &error.to_string()));
                None
            }
        }
    }

    fn or_manifest<T: Clone + std::str::FromStr<Err: std::fmt::Display>>(
        &mut self,
        key: &str,
        written: Option<&T>,
    ) -> Option<Value<T>> {
        let written = || written.map(|value| Value { value: value.clone(), source: ValueSource::Manifest });
        self.parsed(key).or_else(written)
    }

    pub(super) fn builders(&mut self, manifests: &Manifests) -> BTreeMap<BuilderName, Value<Reference>> {
        let settings = &manifests.settings.builders;
        let mut names: Vec<BuilderName> = settings.keys().cloned().chain(component::builders(manifests)).collect();
        names.sort();
        names.dedup();
        let find = |name: BuilderName| {
            let written = settings.get(&name).map(|builder| &builder.image.value);
            let image = self.or_manifest(&format!("builders.{name}"), written)?;
            Some((name, image))
        };
        names.into_iter().filter_map(find).collect()
    }

    pub(super) fn registry(&mut self, manifests: &Manifests) -> Option<Value<RegistryPath>> {
        let written = manifests.settings.registry.as_ref().map(|registry| &registry.value);
        self.or_manifest("registry.default", written)
    }

    pub(super) fn component_image(
        &mut self,
        manifest: &crate::manifest::ComponentManifest,
    ) -> Option<Value<ImageSource>> {
        let BuildKind::Image(build) = &manifest.build.kind else { return None };
        self.or_manifest(&format!("components.{}.image", manifest.name.value), Some(&build.image.value))
    }

    pub(super) fn base<'m>(&mut self, manifests: &'m Manifests, image: &ImageDefinition) -> ResolvedBase<'m> {
        let written = Value { value: image.base.value.clone(), source: ValueSource::Manifest };
        let name = self.parsed(&format!("images.{}.base", image.name.value)).unwrap_or(written);
        if name.value.as_str() == SCRATCH {
            return ResolvedBase { name, image: None, provides: &[], definition: None };
        }
        let definition = manifests.settings.bases.get(&name.value);
        let image = self.or_manifest(&format!("bases.{}", name.value), definition.map(|base| &base.image.value));
        ResolvedBase { name, image, provides: definition.map_or(&[], |base| &base.provides), definition }
    }
}

/// A value that cannot be parsed. It may hold a password, which is not shown.
fn invalid(overrides: &Overrides, key: &str, found: &Value<&str>, error: &str) -> Diagnostic {
    let (source, shown) = (&found.source, redacted(found.value));
    let error = error.replace(found.value, &shown);
    let invalid = Diagnostic::error("invalid-value", format!("`{key}` from {source}: {error}"));
    // an excerpt of the file would show the password
    let place = overrides.place(key, source).filter(|_| shown == found.value);
    at(invalid, place)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn passwords_are_not_shown() {
        let value = Value { value: "https://u:s3cret@r/a", source: ValueSource::Flag };
        let invalid = invalid(&Overrides::default(), "registry.default", &value, "`https://u:s3cret@r/a` is wrong");
        assert_eq!(invalid.message, "`registry.default` from --set: `https://***@r/a` is wrong");
    }
}
