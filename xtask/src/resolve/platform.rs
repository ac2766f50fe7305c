//! Platforms of an image, and the components that are not in it on some of them.
//!
//! A component is left out where its manifest or the image's table says so with `exclude-platforms`, and nowhere else: whatever
//! lacks a component without saying so is an error. All platforms of the definition count, also when only some are built.

use super::component::ResolvedComponent;
use super::selection::Selection;
use crate::diagnostic::{Diagnostic, Problems};
use crate::manifest::{BuildKind, ComponentManifest, ImageDefinition, RoleName};
use crate::oci::Platform;
use crate::source::{Span, Spanned};

/// The platforms of a definition, sorted, each once.
fn own(definition: &ImageDefinition) -> Vec<Platform> {
    let mut own: Vec<Platform> = definition.platforms.iter().map(|platform| platform.value.clone()).collect();
    own.sort();
    own.dedup();
    own
}

/// Each image's own platforms, or those of `--platform`, which the image must name.
pub(super) fn selected(definition: &ImageDefinition, selection: &Selection, problems: &mut Problems) -> Vec<Platform> {
    let own = own(definition);
    for wanted in selection.platforms.iter().filter(|wanted| !own.contains(wanted)) {
        let message = format!("image `{}` is not made for {wanted}", definition.name.value);
        let names: Vec<String> = own.iter().map(Platform::to_string).collect();
        problems
            .push(Diagnostic::error("unknown-platform", message).help(format!("its platforms: {}", names.join(", "))));
    }
    if selection.platforms.is_empty() {
        own
    } else {
        own.into_iter().filter(|own| selection.platforms.contains(own)).collect()
    }
}

/// Every entry of `exclude-platforms` that keeps a component out of an image: its own, then those of the image.
pub fn exclusions<'m>(
    definition: &'m ImageDefinition,
    component: &'m ComponentManifest,
) -> impl Iterator<Item = &'m Spanned<Platform>> {
    let of_image = definition.features.dependencies.get(&component.name.value);
    component.exclude_platforms.iter().chain(of_image.into_iter().flat_map(|here| &here.exclude_platforms))
}

/// The platforms of an image on which a component is not in it, sorted.
pub(super) fn excluded(definition: &ImageDefinition, component: &ComponentManifest) -> Vec<Platform> {
    let excluded = |platform: &Platform| exclusions(definition, component).any(|entry| entry.value == *platform);
    own(definition).into_iter().filter(excluded).collect()
}

/// The platforms of an image whose content is not that of the first complete one: their Dockerfiles differ from it. The first
/// complete one is that on which fewest components are left out. On Windows programs of Go have other names, too.
pub(super) fn deviating(definition: &ImageDefinition, components: &[ResolvedComponent<'_>]) -> Vec<Platform> {
    let left_out = |platform: &Platform| -> Vec<bool> {
        components.iter().map(|component| component.excluded.contains(platform)).collect()
    };
    let platforms = own(definition);
    let has_go = components.iter().any(|component| matches!(component.manifest.build.kind, BuildKind::Go(_)));
    let content = |platform: &Platform| (left_out(platform), has_go && platform.is_windows());
    let fewest = platforms.iter().map(content).min_by_key(|(left_out, _)| left_out.iter().filter(|out| **out).count());
    platforms.into_iter().filter(|platform| Some(content(platform)) != fewest).collect()
}

/// What an image cannot do without: on every platform a component, and the default role.
pub(super) fn check(
    definition: &ImageDefinition,
    components: &[ResolvedComponent<'_>],
    default_role: Option<&Spanned<RoleName>>,
    problems: &mut Problems,
) {
    for platform in own(definition) {
        let is_in = |component: &&ResolvedComponent<'_>| !component.excluded.contains(&platform);
        let name = &definition.name.value;
        if !components.is_empty() && components.iter().find(is_in).is_none() {
            let message = format!("every component of image `{name}` is excluded on {platform}");
            let place = definition.platforms.iter().find(|own| own.value == platform).map(|own| own.span);
            let nothing =
                Diagnostic::error("nothing-on-platform", message).label(place.unwrap_or(definition.name.span), "");
            problems.push(nothing.help("remove the platform, or an exclusion"));
            continue;
        }
        let Some(wanted) = default_role else { continue };
        let has_role = |component: &&ResolvedComponent<'_>| component.has_role(&wanted.value);
        let Some(component) = components.iter().find(has_role) else { continue };
        if components.iter().filter(is_in).find(has_role).is_none() {
            let message = format!(
                "component `{}`, which has the default role `{}` of image `{name}`, is excluded on {platform}",
                component.name(),
                wanted.value
            );
            let excluded = Diagnostic::error("default-role-excluded", message);
            let excluded = excluded.label(place(definition, component.manifest, &platform), "excluded here");
            problems.push(
                excluded
                    .label(wanted.span, "the default role")
                    .help(format!("remove {platform} from the platforms of the image, or from what is excluded")),
            );
        }
    }
}

/// Where a component is excluded on a platform.
fn place(definition: &ImageDefinition, component: &ComponentManifest, platform: &Platform) -> Span {
    let entry = exclusions(definition, component).find(|entry| entry.value == *platform);
    entry.map_or(component.name.span, |entry| entry.span)
}
