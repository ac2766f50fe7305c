//! Phase 2: what the manifests mean for a selection. Pure; every active feature and every component knows who asked for it.
//!
//! [`resolve`] turns [`Manifests`] and a [`Selection`] into a [`Resolution`]: per image the components that are in, their
//! features, roles, versions, and the base; overrides applied, with the source of each value.
//!
//! **Invariants**: nothing here touches the disk, cargo or a network; the order of files and keys cannot be seen in the
//! result; more features never remove a component, unless a conflict is reported.

mod activate;
mod component;
mod cycle;
mod explained;
mod fields;
mod go;
mod graph;
mod look;
mod mode;
mod moves;
mod names;
mod output;
mod outside;
mod package;
mod platform;
mod selection;
mod value;

pub(crate) use component::builder_of;
pub use component::{ResolvedComponent, ResolvedRole};
pub use explained::{Explained, Saying, explain_value};
pub use fields::Field;
pub use graph::{Node, Reasons};
pub use look::mirror;
pub use output::Output;
pub use package::{GoProblem, GoProgram, Package, Packages};
pub use platform::exclusions;
pub use selection::{ImageSelector, Selection, VariantSelector};
pub use value::{Candidate, Overrides, Profile, Value, ValueSource, variable_name};

use std::collections::BTreeMap;

use crate::diagnostic::{Diagnostic, Problems};
use crate::manifest::{
    Base, BaseName, BuildNetwork, BuilderName, ComponentName, FeatureName, ImageDefinition, Manifests, Mode, Need,
    RegistryPath, RoleName, VariantName, VersionSource,
};
use crate::oci::{ImageSource, Mapping, Platform, Reference};
use crate::source::Spanned;
use crate::workspace::in_parallel;
use activate::Activation;
use look::{Look, known_keys};
use selection::Target;

/// What the manifests mean for a selection.
#[derive(Debug, Clone)]
pub struct Resolution<'m> {
    /// The manifests that were resolved.
    pub manifests: &'m Manifests,
    /// The selected images, sorted by name, variant, mode and component.
    pub images: Vec<ResolvedImage<'m>>,
    /// Builder images by name, overrides applied.
    pub builders: BTreeMap<BuilderName, Value<Reference>>,
    /// Registry and path of the images that are built, if one is set.
    pub registry: Option<Value<RegistryPath>>,
    /// Whether builds may use a network.
    pub network: Value<BuildNetwork>,
    /// The mirror that references of manifests are had from.
    pub mapping: Option<Mapping>,
    /// The branch that is checked out, for tags that name it. Whoever resolves adds it; git is not asked otherwise.
    pub branch: Option<String>,
}

/// One image in one variant.
#[derive(Debug, Clone)]
pub struct ResolvedImage<'m> {
    /// The definition.
    pub definition: &'m ImageDefinition,
    /// The variant, if it is not the plain image.
    pub variant: Option<&'m VariantName>,
    /// How components are put together.
    pub mode: Mode,
    /// Whether it is built beside the image in its own mode, to be compared with it: it then has another name and other tags.
    pub beside: bool,
    /// The component that it is the image of, where the image is split.
    pub part: Option<ComponentName>,
    /// What the variant appends to the tag.
    pub tag_suffix: &'m str,
    /// Version of the image; empty when nothing gives one (a rule refuses that).
    pub version: String,
    /// Where it goes.
    pub output: Output,
    /// The base.
    pub base: ResolvedBase<'m>,
    /// Platforms to build for.
    pub platforms: Vec<Platform>,
    /// Platforms of the definition that lack components which others have: their Dockerfiles are not the image's usual one.
    pub deviating: Vec<Platform>,
    /// Features that are on.
    pub features: Vec<FeatureName>,
    /// Components that are in, sorted.
    pub components: Vec<ResolvedComponent<'m>>,
    /// The role that the image starts without further words.
    pub default_role: Option<&'m RoleName>,
    /// Why each of them is on.
    pub reasons: Reasons,
}

impl<'m> ResolvedImage<'m> {
    /// `IMAGE[/COMPONENT][=VARIANT]`, as on the command line; with `+MODE` when it is built beside the image's own mode.
    pub fn id(&self) -> String {
        let name = &self.definition.name.value;
        let part = self.part.as_ref().map(|part| format!("/{part}")).unwrap_or_default();
        let variant = self.variant.map(|variant| format!("={variant}")).unwrap_or_default();
        let mode = if self.beside { format!("+{}", self.mode) } else { String::new() };
        format!("{name}{part}{variant}{mode}")
    }

    /// The image on one platform, without the components that are excluded there.
    pub fn for_platform(&self, platform: &Platform) -> Self {
        let mut image = self.clone();
        image.platforms.retain(|own| own == platform);
        image.components.retain(|component| !component.excluded.contains(platform));
        image.components.iter_mut().for_each(|component| component.excluded.clear());
        image
    }

    /// All roles of all components, sorted by component.
    pub fn roles(&self) -> impl Iterator<Item = (&ResolvedComponent<'m>, &ResolvedRole<'m>)> {
        self.components.iter().flat_map(|component| component.roles.iter().map(move |role| (component, role)))
    }
}

/// The base of an image.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ResolvedBase<'m> {
    /// Its name; `scratch` is the empty one.
    pub name: Value<BaseName>,
    /// The image; `None` for `scratch` and for a name that nothing defines (a rule refuses that).
    pub image: Option<Value<ImageSource>>,
    /// What it gives.
    pub provides: &'m [Spanned<Need>],
    /// Where it is defined.
    pub definition: Option<&'m Base>,
}

/// Name of the empty base.
pub const SCRATCH: &str = "scratch";

/// Resolves a selection.
///
/// # Errors
/// Every problem: unknown images, features and components, cycles, conflicts, cargo features and build tags that do not exist, bad overrides.
pub fn resolve<'m>(
    manifests: &'m Manifests,
    packages: &Packages,
    selection: &Selection,
    overrides: &Overrides,
) -> Result<Resolution<'m>, Vec<Diagnostic>> {
    let mut problems = Problems::default();
    cycle::check(manifests, &mut problems);
    names::check(manifests, &mut problems);
    component::check_packages(manifests, packages, &mut problems);
    overrides.unused(|| known_keys(manifests)).into_iter().for_each(|problem| problems.push(problem));
    let profiles = manifests.settings.policy.environments.iter().filter(|(_, own)| !own.values.is_empty());
    for (name, environment) in profiles {
        // a key that does not exist is wrong in every environment, not only in the one that is chosen
        let profile = Some(Profile::of(name, environment));
        let wrong = Overrides { profile, ..Overrides::default() }.unused(|| known_keys(manifests));
        wrong.into_iter().for_each(|problem| problems.push(problem));
    }
    if problems.has_errors() {
        return Err(problems.into_list());
    }
    let mut look_up = Look { overrides, problems: &mut problems };
    let mapping = look_up.mapping(manifests);
    let builders = look_up.builders(manifests, mapping.as_ref());
    let registry = look_up.registry(manifests);
    let network = look_up
        .parsed("build.network")
        .unwrap_or(Value { value: manifests.settings.network(), source: ValueSource::Manifest });
    output::check_patterns(&overrides.flags, manifests.images.len(), &mut problems);
    let targets = selection::targets(manifests, selection, &mut problems);
    let shared =
        Shared { manifests, packages, selection, overrides, mapping: mapping.as_ref(), registry: registry.as_ref() };
    let resolved = in_parallel(&targets, |target| {
        let mut found = Problems::default();
        let image = image(&shared, target, &mut found);
        let mut look_up = Look { overrides, problems: &mut found };
        (mode::images(image, target, selection, &mut look_up), found)
    });
    let mut images = Vec::with_capacity(resolved.len());
    for (own, found) in resolved {
        problems.append(found);
        images.extend(own);
    }
    problems.finish(Resolution { manifests, images, builders, registry, network, mapping, branch: None })
}

/// What all images of a selection share.
struct Shared<'a, 'm> {
    manifests: &'m Manifests,
    packages: &'a Packages,
    selection: &'a Selection,
    overrides: &'a Overrides,
    mapping: Option<&'a Mapping>,
    registry: Option<&'a Value<RegistryPath>>,
}

fn image<'m>(shared: &Shared<'_, 'm>, target: &Target<'m>, problems: &mut Problems) -> ResolvedImage<'m> {
    let &Shared { manifests, packages, selection, overrides, mapping, registry } = shared;
    let definition = target.image;
    let activation = Activation::run(manifests, definition, &target.requests);
    let (reasons, defaults) = (activation.reasons, activation.defaults);
    let names = reasons.nodes().filter_map(|node| match node {
        Node::Component(name) => manifests.components.get(name),
        _ => None,
    });
    let mut look_up = Look { overrides, problems };
    let components: Vec<ResolvedComponent<'m>> = names
        .map(|manifest| {
            let image = look_up.component_image(manifest, mapping);
            let outside = look_up.outside(manifest, mapping);
            let source_base = look_up.source_base(manifests, manifest, mapping);
            let defaults = defaults.contains(&manifest.name.value);
            let excluded = platform::excluded(definition, manifest);
            component::resolved(manifest, packages, &reasons, defaults, (image, source_base, outside), excluded)
        })
        .collect();
    let base = look_up.base(manifests, definition, mapping);
    let output = output::output(definition, registry, &mut look_up);
    check_conflicts(manifests, definition, &reasons, problems);
    check_pods(manifests, definition, problems);
    let default_role = default_role(definition, &components, problems);
    platform::check(definition, &components, default_role, problems);
    ResolvedImage {
        definition,
        variant: target.variant.map(|(name, _)| name),
        mode: definition.mode.value,
        beside: false,
        part: None,
        tag_suffix: target.variant.map_or("", |(_, variant)| variant.tag_suffix.value.as_str()),
        version: version(definition, default_role, &components),
        output,
        base,
        platforms: platform::selected(definition, selection, problems),
        deviating: platform::deviating(definition, &components),
        features: component::features_of(&reasons, None),
        components,
        default_role: default_role.map(|role| &role.value),
        reasons,
    }
}

/// A pod that names a role which nobody has would let two roles collide unseen.
fn check_pods(manifests: &Manifests, definition: &ImageDefinition, problems: &mut Problems) {
    let roles = manifests.components.values().flat_map(|component| component.roles.keys()).map(RoleName::as_str);
    let named = definition.pods.iter().flatten().flatten();
    for role in named.filter(|role| !roles.clone().any(|known| known == role.value.as_str())) {
        let unknown = Diagnostic::error("unknown-role", format!("no component has the role `{}`", role.value));
        let unknown = unknown.label(role.span, "");
        problems.push(match crate::diagnostic::closest(role.value.as_str(), roles.clone()) {
            Some(close) => unknown.help(format!("did you mean `{close}`?")),
            None => unknown.help("`list` shows all roles"),
        });
    }
}

/// The default role must be one of a component that is in.
fn default_role<'m>(
    definition: &'m ImageDefinition,
    components: &[ResolvedComponent<'m>],
    problems: &mut Problems,
) -> Option<&'m Spanned<RoleName>> {
    let wanted = definition.default_role.as_ref()?;
    let roles: Vec<&str> =
        components.iter().flat_map(|component| &component.roles).map(|role| role.name.as_str()).collect();
    if !roles.contains(&wanted.value.as_str()) {
        let message = format!("no component of image `{}` has the role `{}`", definition.name.value, wanted.value);
        let unknown = Diagnostic::error("unknown-role", message).label(wanted.span, "");
        problems.push(unknown.suggest(wanted.value.as_str(), roles, None));
    }
    Some(wanted)
}

/// The image's own version, or that of the component that it starts.
fn version(
    definition: &ImageDefinition,
    default_role: Option<&Spanned<RoleName>>,
    components: &[ResolvedComponent<'_>],
) -> String {
    let mut sorted = components.iter();
    let started = match default_role {
        Some(role) => sorted.find(|component| component.has_role(&role.value)),
        None => None,
    };
    match definition.version.as_ref().map(|version| &version.value) {
        Some(VersionSource::Literal(version)) => version.clone(),
        Some(VersionSource::Cargo) | None => started.map(|component| component.version.clone()).unwrap_or_default(),
    }
}

/// Features that exclude each other, with the reason of each.
fn check_conflicts(manifests: &Manifests, definition: &ImageDefinition, reasons: &Reasons, problems: &mut Problems) {
    let image = (None, &definition.features);
    let on = reasons.nodes().filter_map(|node| match node {
        Node::Component(name) => manifests.components.get_key_value(name),
        _ => None,
    });
    let components = on.map(|(name, component)| (Some(name), &component.features));
    for (owner, table) in std::iter::once(image).chain(components) {
        let node = |feature: &FeatureName| match owner {
            None => Node::ImageFeature(definition.name.value.clone(), feature.clone()),
            Some(component) => Node::ComponentFeature(ComponentName::clone(component), feature.clone()),
        };
        for conflict in &table.conflicts {
            let on: Vec<Node> = conflict.value.iter().map(node).filter(|node| reasons.is_on(node)).collect();
            if on.len() > 1 {
                problems.push(conflict_report(definition, conflict, &on, reasons));
            }
        }
    }
}

fn conflict_report(
    definition: &ImageDefinition,
    conflict: &Spanned<Vec<FeatureName>>,
    on: &[Node],
    reasons: &Reasons,
) -> Diagnostic {
    let names: Vec<String> = on.iter().map(Node::to_string).collect();
    let message =
        format!("features that exclude each other are on in image `{}`: {}", definition.name.value, names.join(", "));
    let mut report = Diagnostic::error("feature-conflict", message).label(conflict.span, "declared here");
    for node in on {
        let chain: Vec<String> = reasons.chain(node).iter().map(Node::to_string).collect();
        report = report.note(chain.join(" ← "));
    }
    report.help("turn one of them off, for example with --no-default-features")
}
