//! One component as it is in one image: its features, roles, files and version.

use std::collections::{BTreeMap, BTreeSet};

use super::ResolvedBase;
use super::go;
use super::graph::{Node, Reasons};
use super::package::{GoProgram, Package, Packages};
use super::value::Value;
use crate::diagnostic::{Diagnostic, Problems};
use crate::manifest::{
    BuildKind, BuilderName, CargoBuild, ComponentManifest, ComponentName, FeatureName, GoBuild, Install, Manifests,
    OutsideName, Port, Role, RoleName, VersionSource,
};
use crate::oci::{ImageSource, Platform, Reference};
use crate::source::Spanned;

/// The builder of cargo components that name none.
pub(super) const DEFAULT_CARGO_BUILDER: &str = "rust";
/// The builder of Go components that name none.
pub(super) const DEFAULT_GO_BUILDER: &str = "go";

/// One component as it is in one image.
#[derive(Debug, Clone)]
pub struct ResolvedComponent<'m> {
    /// What was written.
    pub manifest: &'m ComponentManifest,
    /// Its version; empty when nothing gives one (a rule refuses that).
    pub version: String,
    /// Features that are on.
    pub features: Vec<FeatureName>,
    /// Cargo features that are passed to the build.
    pub cargo_features: Vec<String>,
    /// Whether cargo's own default features are on.
    pub cargo_defaults: bool,
    /// The program that a `go` build gives; empty for other builds.
    pub go_program: String,
    /// Build tags that are passed to a `go` build.
    pub go_tags: Vec<String>,
    /// The source image of an `image` build, overrides applied.
    pub image: Option<Value<ImageSource>>,
    /// The images that a Dockerfile begins with or copies from, overrides applied.
    pub outside: BTreeMap<OutsideName, Value<Reference>>,
    /// The base that this image has, where all above it is taken and the manifest names it.
    pub source_base: Option<ResolvedBase<'m>>,
    /// Roles that are there with these features.
    pub roles: Vec<ResolvedRole<'m>>,
    /// Files that are there with these features.
    pub installs: Vec<&'m Install>,
    /// Platforms of the image on which it is left out, sorted.
    pub excluded: Vec<Platform>,
}

impl ResolvedComponent<'_> {
    /// Its name.
    pub fn name(&self) -> &ComponentName {
        &self.manifest.name.value
    }

    /// Whether it has a role of this name.
    pub fn has_role(&self, role: &RoleName) -> bool {
        self.roles.iter().any(|own| own.name == role)
    }
}

/// One role as it is in one image.
#[derive(Debug, Clone)]
pub struct ResolvedRole<'m> {
    /// Its name.
    pub name: &'m RoleName,
    /// What was written.
    pub role: &'m Role,
    /// Ports that are open with these features.
    pub ports: Vec<&'m Port>,
}

/// The images of a component: its source, the base of that, and those of its Dockerfile.
pub(super) type Images<'m> =
    (Option<Value<ImageSource>>, Option<ResolvedBase<'m>>, BTreeMap<OutsideName, Value<Reference>>);

/// The component that the manifest means with these features.
pub(super) fn resolved<'m>(
    manifest: &'m ComponentManifest,
    packages: &Packages,
    reasons: &Reasons,
    defaults: bool,
    (image, source_base, outside): Images<'m>,
    excluded: Vec<Platform>,
) -> ResolvedComponent<'m> {
    let features = features_of(reasons, Some(&manifest.name.value));
    let on = |when: &Option<Spanned<FeatureName>>| when.as_ref().is_none_or(|when| features.contains(&when.value));
    let role = |name: &'m RoleName, role: &'m Role| {
        let ports = role.ports.iter().filter(|port| on(&port.when)).collect();
        on(&role.when).then_some(ResolvedRole { name, role, ports })
    };
    let package = package_of(manifest, packages);
    let go = go_of(manifest, packages);
    ResolvedComponent {
        manifest,
        version: version(manifest, package),
        cargo_features: package.map(|package| cargo_features(manifest, package, &features)).unwrap_or_default(),
        cargo_defaults: defaults && manifest.features.features.is_empty(),
        go_program: go.map(|(build, program)| go::program_name(build, program)).unwrap_or_default(),
        go_tags: go.map(|(build, program)| go::tags(build, program, &features)).unwrap_or_default(),
        image,
        outside,
        source_base,
        roles: manifest.roles.iter().filter_map(|(name, own)| role(name, own)).collect(),
        installs: manifest.install.iter().filter(|install| on(&install.when)).collect(),
        excluded,
        features,
    }
}

/// The features of a component (or of the image) that are on, sorted.
pub(super) fn features_of(reasons: &Reasons, owner: Option<&ComponentName>) -> Vec<FeatureName> {
    let own = |node: &Node| match (node, owner) {
        (Node::ImageFeature(_, feature), None) => Some(feature.clone()),
        (Node::ComponentFeature(component, feature), Some(owner)) if component == owner => Some(feature.clone()),
        _ => None,
    };
    reasons.nodes().filter_map(own).collect()
}

fn version(manifest: &ComponentManifest, package: Option<&Package>) -> String {
    match &manifest.version.value {
        VersionSource::Literal(version) => version.clone(),
        VersionSource::Cargo => package.map(|package| package.version.clone()).unwrap_or_default(),
    }
}

fn cargo_build(manifest: &ComponentManifest) -> Option<&CargoBuild> {
    match &manifest.build.kind {
        BuildKind::Cargo(cargo) => Some(cargo),
        _ => None,
    }
}

fn package_of<'p>(manifest: &ComponentManifest, packages: &'p Packages) -> Option<&'p Package> {
    packages.cargo.get(&cargo_build(manifest)?.package.value)
}

fn go_of<'a>(manifest: &'a ComponentManifest, packages: &'a Packages) -> Option<(&'a GoBuild, &'a GoProgram)> {
    let BuildKind::Go(go) = &manifest.build.kind else { return None };
    Some((go, packages.go.get(&manifest.name.value)?.as_ref().ok()?))
}

/// Features of the component that the package has too, and those that `[build.cargo]` always asks for.
fn cargo_features(manifest: &ComponentManifest, package: &Package, features: &[FeatureName]) -> Vec<String> {
    let always =
        cargo_build(manifest).into_iter().flat_map(|cargo| &cargo.features).map(|feature| feature.value.as_str());
    let own =
        features.iter().map(FeatureName::as_str).filter(|name| *name != "default" && package.features.contains(*name));
    let all: BTreeSet<String> = always.chain(own).map(str::to_owned).collect();
    all.into_iter().collect()
}

/// All builders that components name.
pub(super) fn builders(manifests: &Manifests) -> impl Iterator<Item = BuilderName> {
    manifests.components.values().filter_map(builder_of)
}

/// The builder of a component, if its build kind needs one.
pub(crate) fn builder_of(component: &ComponentManifest) -> Option<BuilderName> {
    match &component.build.kind {
        BuildKind::Cargo(cargo) => {
            let default = || DEFAULT_CARGO_BUILDER.parse().ok();
            cargo.builder.as_ref().map(|builder| builder.value.clone()).or_else(default)
        }
        BuildKind::Go(go) => {
            let default = || DEFAULT_GO_BUILDER.parse().ok();
            go.builder.as_ref().map(|builder| builder.value.clone()).or_else(default)
        }
        BuildKind::Script(script) => Some(script.builder.value.clone()),
        BuildKind::Dockerfile(_) | BuildKind::Files | BuildKind::Image(_) => None,
    }
}

/// Checks every cargo component against the package that it names, and every Go component against its sources.
pub(super) fn check_packages(manifests: &Manifests, packages: &Packages, problems: &mut Problems) {
    for component in manifests.components.values() {
        if let BuildKind::Go(go) = &component.build.kind
            && let Some(program) = packages.go.get(&component.name.value)
        {
            go::check(component, go, program, problems);
        }
        let Some(cargo) = cargo_build(component) else {
            if component.version.value == VersionSource::Cargo {
                let message =
                    format!("component `{}` is not built by cargo and has no cargo version", component.name.value);
                problems.push(
                    Diagnostic::error("version", message)
                        .label(component.version.span, "")
                        .help(version_help(&component.build.kind)),
                );
            }
            continue;
        };
        match packages.cargo.get(&cargo.package.value) {
            Some(package) => check_package(component, cargo, package, problems),
            None => problems.push(unknown(
                "unknown-package",
                &format!("the cargo workspace has no package `{}`", cargo.package.value),
                &cargo.package,
                packages.cargo.keys().map(String::as_str),
            )),
        }
    }
}

fn version_help(kind: &BuildKind) -> &'static str {
    match kind {
        BuildKind::Go(_) => "no file of a Go module says its version: write `version = \"1.2.3\"`",
        _ => "write `version = \"1.2.3\"`",
    }
}

fn check_package(component: &ComponentManifest, cargo: &CargoBuild, package: &Package, problems: &mut Problems) {
    let name = &cargo.package.value;
    check_defaults(component, cargo, package, problems);
    if let Some(bin) = cargo.bin.as_ref().filter(|bin| !package.binaries.contains(&bin.value)) {
        let message = format!("package `{name}` has no program `{}`", bin.value);
        problems.push(unknown("unknown-program", &message, bin, package.binaries.iter().map(String::as_str)));
    }
    for feature in cargo.features.iter().filter(|feature| !package.features.contains(feature.value.as_str())) {
        let feature = feature.clone().map(String::from);
        let message = format!("package `{name}` has no feature `{}`", feature.value);
        problems.push(unknown(
            "unknown-cargo-feature",
            &message,
            &feature,
            package.features.iter().map(String::as_str),
        ));
    }
    for (feature, definition) in &component.features.features {
        let does_something = !definition.enables.is_empty()
            || package.features.contains(feature.as_str())
            || is_asked_for(component, feature);
        if !does_something && feature.as_str() != "default" {
            let message = format!("feature `{feature}` does nothing: package `{name}` has no feature of this name");
            let place = Spanned::new(feature.to_string(), definition.span);
            let features = package.features.iter().map(String::as_str).filter(|name| *name != "default");
            problems.push(unknown("unknown-cargo-feature", &message, &place, features));
        }
    }
}

/// A component that names features says itself which of them are the default ones: cargo's would otherwise be on without the
/// plan knowing. A component without features leaves them to cargo.
fn check_defaults(component: &ComponentManifest, cargo: &CargoBuild, package: &Package, problems: &mut Problems) {
    let features = &component.features.features;
    let own_default = super::activate::default_feature(&component.features).is_some();
    if features.is_empty() || package.defaults.is_empty() || own_default {
        return;
    }
    let (component, package_name) = (&component.name, &cargo.package.value);
    let message = format!(
        "package `{package_name}` has default features, and component `{}` does not say its own",
        component.value
    );
    let place = features.values().next().map_or(component.span, |feature| feature.span);
    let known = package.defaults.iter().map(|name| format!("\"{name}\"")).collect::<Vec<_>>().join(", ");
    let report = Diagnostic::error("cargo-defaults", message).label(place, "");
    problems.push(report.help(format!("add `default = [{known}]` to [features], or `default = []`")));
}

/// Whether a `when` of the manifest asks for a feature.
pub(super) fn is_asked_for(component: &ComponentManifest, feature: &FeatureName) -> bool {
    component.whens().any(|when| when.value == *feature)
}

pub(super) fn unknown<'a>(
    code: &'static str,
    message: &str,
    wrong: &Spanned<String>,
    known: impl Iterator<Item = &'a str>,
) -> Diagnostic {
    Diagnostic::error(code, message).label(wrong.span, "").suggest(&wrong.value, known, None)
}
