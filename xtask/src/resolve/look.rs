//! Values that overrides can replace, looked up key by key.

use std::collections::BTreeMap;

use super::fields::{self, Said, Subject};
use super::value::{Candidate, Overrides, Value, ValueSource, at};
use super::{ResolvedBase, SCRATCH, component, moves, output, outside};
use crate::diagnostic::{Diagnostic, Problems};
use crate::manifest::{
    BaseName, BuildKind, BuilderName, ComponentManifest, ComponentName, ImageDefinition, ImageName, Manifests,
    RegistryPath, Replaces,
};
use crate::oci::{ImageSource, Mapping, MappingError, Reference, redacted};
use crate::source::Span;

/// Every key that an override can name.
///
/// | key | is |
/// |---|---|
/// | `bases.NAME`, `builders.NAME`, `components.NAME.image` | a reference; with `.registry`, `.repository`, `.tag`, `.digest` of it one by one (`components.NAME.tag`), and `.contract` for what it was made |
/// | `components.NAME.images.IMAGE` | a reference in a Dockerfile, with the same fields below it |
/// | `registry.default` | where images go |
/// | `registry.mirror`, `registry.mirror-mode` | where references are that name another registry |
/// | `images.NAME.registry`, `….repository`, `….tag` | where one image goes |
/// | `images.NAME.base`, `images.NAME.mode`, `build.network` | as in the files |
pub(super) fn known_keys(manifests: &Manifests) -> Vec<String> {
    let settings = &manifests.settings;
    let mut keys =
        ["build.network", "registry.default", "registry.mirror", "registry.mirror-mode"].map(str::to_owned).to_vec();
    let written = settings.bases.keys().map(|name| format!("bases.{name}"));
    let used = manifests.images.values().map(|image| format!("bases.{}", image.base.value));
    let used = used.filter(|key| key != "bases.scratch");
    let builders = settings.builders.keys().map(|name| format!("builders.{name}"));
    let asked = component::builders(manifests).map(|name| format!("builders.{name}"));
    keys.extend(written.chain(used).chain(builders).chain(asked).flat_map(|owner| fields::keys(&owner, None)));
    let of_image = |name: &ImageName| {
        let values = ["base", "mode"].into_iter().chain(output::KEYS);
        values.map(|value| format!("images.{name}.{value}")).collect::<Vec<_>>()
    };
    keys.extend(manifests.images.keys().flat_map(of_image));
    let of_component = |name: &ComponentName| {
        let owner = format!("components.{name}");
        fields::keys(&owner, Some(&format!("{owner}.image")))
    };
    let image_kind =
        manifests.components.values().filter(|component| matches!(component.build.kind, BuildKind::Image(_)));
    keys.extend(image_kind.flat_map(|component| of_component(&component.name.value)));
    keys.extend(outside::keys(manifests));
    keys.sort();
    keys.dedup();
    keys
}

/// The mirror that references of manifests are had from.
///
/// # Errors
/// Overrides that are wrong; references that would be one behind the mirror.
pub fn mirror(manifests: &Manifests, overrides: &Overrides) -> Result<Option<Mapping>, Vec<Diagnostic>> {
    let mut problems = Problems::default();
    let mapping = Look { overrides, problems: &mut problems }.mapping(manifests);
    problems.finish(mapping)
}

/// Looks values up, collecting what is wrong with overrides.
pub(super) struct Look<'a> {
    pub(super) overrides: &'a Overrides,
    pub(super) problems: &'a mut Problems,
}

impl Look<'_> {
    pub(super) fn parsed<T: std::str::FromStr<Err: std::fmt::Display>>(&mut self, key: &str) -> Option<Value<T>> {
        let overrides = self.overrides;
        let found = overrides.winner(key).map_err(|problem| self.problems.push(problem)).ok()??;
        match found.value.parse() {
            Ok(value) => Some(Value { value, source: found.source }),
            Err(error) => {
                let error: T::Err = error;
                self.problems.push(invalid(key, &found, &error.to_string()));
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

    pub(super) fn builders(
        &mut self,
        manifests: &Manifests,
        mapping: Option<&Mapping>,
    ) -> BTreeMap<BuilderName, Value<Reference>> {
        let settings = &manifests.settings.builders;
        let mut names: Vec<BuilderName> = settings.keys().cloned().chain(component::builders(manifests)).collect();
        names.sort();
        names.dedup();
        let find = |name: BuilderName| {
            let builder = settings.get(&name);
            let written = builder.map(|builder| ImageSource::Registry(builder.image.value.clone()));
            let key = format!("builders.{name}");
            let contract = builder.and_then(|builder| builder.contract.as_ref());
            let subject = Subject { key: &key, owner: &key, written: written.as_ref(), contract };
            let Value { value, source } = self.source(&subject, &[], mapping)?;
            match value {
                ImageSource::Registry(value) => Some((name, Value { value, source })),
                other => {
                    let message = format!("`{key}` from {source}: {other} is no reference, and a builder is one");
                    self.problems
                        .push(at(Diagnostic::error("invalid-value", message), self.overrides.place(&key, &source)));
                    None
                }
            }
        };
        names.into_iter().filter_map(find).collect()
    }

    /// A reference or file, by what sources say of it.
    pub(super) fn source(
        &mut self,
        subject: &Subject<'_>,
        replaces: &[Replaces],
        mapping: Option<&Mapping>,
    ) -> Option<Value<ImageSource>> {
        if self.overrides.is_empty() {
            return fields::written(subject);
        }
        let replaced = replaced(self.overrides, subject, replaces, mapping);
        replaced.map_err(|problem| self.problems.push(problem)).ok()?
    }

    pub(super) fn registry(&mut self, manifests: &Manifests) -> Option<Value<RegistryPath>> {
        let written = manifests.settings.registry.as_ref().map(|registry| &registry.value);
        self.or_manifest("registry.default", written)
    }

    /// The mirror, if there is one; every reference of the manifests must have a place of its own behind it.
    pub(super) fn mapping(&mut self, manifests: &Manifests) -> Option<Mapping> {
        let settings = &manifests.settings.mirror;
        let mirror = self.or_manifest("registry.mirror", settings.registry.as_ref().map(|mirror| &mirror.value))?;
        let mode = self.or_manifest("registry.mirror-mode", settings.mode.as_ref().map(|mode| &mode.value));
        let mode = mode.map(|mode| mode.value).unwrap_or_default();
        let mapping = Mapping::new(mode, mirror.value.as_str())
            .map_err(|error| self.problems.push(Diagnostic::error("invalid-value", error.to_string())))
            .ok()?;
        let written = references(manifests);
        if let Err(error) = mapping.map_all(written.iter().map(|(reference, _)| *reference)) {
            let named = |reference: &Reference| match &error {
                MappingError::Collision(two) => two.first == *reference || two.second == *reference,
                MappingError::Invalid { reference: one, .. } => **one == *reference,
            };
            let report = written.iter().filter(|(reference, _)| named(reference));
            let report = report.fold(
                Diagnostic::error("mirror", format!("behind the mirror {mapping}, {error}")),
                |report, (_, place)| report.label(*place, ""),
            );
            self.problems.push(report.help("use another `registry.mirror-mode`; `prepend` keeps registries apart"));
            return None;
        }
        Some(mapping)
    }

    pub(super) fn component_image(
        &mut self,
        manifest: &ComponentManifest,
        mapping: Option<&Mapping>,
    ) -> Option<Value<ImageSource>> {
        let BuildKind::Image(build) = &manifest.build.kind else { return None };
        let owner = format!("components.{}", manifest.name.value);
        let (key, contract) = (format!("{owner}.image"), build.contract.as_ref());
        let subject = Subject { key: &key, owner: &owner, written: Some(&build.image.value), contract };
        self.source(&subject, &manifest.replaces, mapping)
    }

    pub(super) fn base<'m>(
        &mut self,
        manifests: &'m Manifests,
        image: &ImageDefinition,
        mapping: Option<&Mapping>,
    ) -> ResolvedBase<'m> {
        let written = Value { value: image.base.value.clone(), source: ValueSource::Manifest };
        let name = self.parsed(&format!("images.{}.base", image.name.value)).unwrap_or(written);
        self.named_base(manifests, name, mapping)
    }

    /// The base of the image that a component is taken from, where its manifest names it.
    pub(super) fn source_base<'m>(
        &mut self,
        manifests: &'m Manifests,
        component: &ComponentManifest,
        mapping: Option<&Mapping>,
    ) -> Option<ResolvedBase<'m>> {
        let BuildKind::Image(build) = &component.build.kind else { return None };
        let name = build.above.as_ref()?.base.as_ref()?;
        let name = Value { value: name.value.clone(), source: ValueSource::Manifest };
        Some(self.named_base(manifests, name, mapping))
    }

    fn named_base<'m>(
        &mut self,
        manifests: &'m Manifests,
        name: Value<BaseName>,
        mapping: Option<&Mapping>,
    ) -> ResolvedBase<'m> {
        if name.value.as_str() == SCRATCH {
            return ResolvedBase { name, image: None, provides: &[], definition: None };
        }
        let definition = manifests.settings.bases.get(&name.value);
        let key = format!("bases.{}", name.value);
        let written = definition.map(|base| &base.image.value);
        let contract = definition.and_then(|base| base.contract.as_ref());
        let image = self.source(&Subject { key: &key, owner: &key, written, contract }, &[], mapping);
        ResolvedBase { name, image, provides: definition.map_or(&[], |base| &base.provides), definition }
    }
}

/// What becomes of a reference by all that is said of it.
fn replaced(
    overrides: &Overrides,
    subject: &Subject<'_>,
    replaces: &[Replaces],
    mapping: Option<&Mapping>,
) -> Result<Option<Value<ImageSource>>, Diagnostic> {
    let said = Said::of(overrides, subject)?;
    let Some(found) = fields::resolve(&said, subject, mapping)? else { return Ok(None) };
    if let ImageSource::Registry(result) = &found.value {
        moves::check(&said, subject, replaces, result)?;
    }
    moves::contract(overrides, &said, subject, &found.value)?;
    Ok(Some(found))
}

/// Every reference of the manifests, and where it stands.
fn references(manifests: &Manifests) -> Vec<(&Reference, Span)> {
    let settings = &manifests.settings;
    let bases = settings.bases.values().filter_map(|base| Some((base.image.value.reference()?, base.image.span)));
    let builders = settings.builders.values().map(|builder| (&builder.image.value, builder.image.span));
    let images = manifests.components.values().filter_map(|component| match &component.build.kind {
        BuildKind::Image(build) => Some((build.image.value.reference()?, build.image.span)),
        _ => None,
    });
    let of_dockerfiles = outside::all(manifests).map(|(_, _, image)| (&image.image.value, image.image.span));
    bases.chain(builders).chain(images).chain(of_dockerfiles).collect()
}

/// A value that cannot be used. It may hold a password, which is not shown.
pub(super) fn invalid(key: &str, found: &Candidate<'_>, error: &str) -> Diagnostic {
    let (source, shown) = (&found.source, redacted(found.value));
    let error = error.replace(found.value, &shown);
    let invalid = Diagnostic::error("invalid-value", format!("`{key}` from {source}: {error}"));
    // an excerpt of the file would show the password
    at(invalid, found.place.filter(|_| shown == found.value))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn passwords_are_not_shown() {
        let value = Candidate { value: "https://u:s3cret@r/a", source: ValueSource::Flag, place: None, rank: 0 };
        let invalid = invalid("registry.default", &value, "`https://u:s3cret@r/a` is wrong");
        assert_eq!(invalid.message, "`registry.default` from --set: `https://***@r/a` is wrong");
    }
}
