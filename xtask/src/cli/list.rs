//! `list`: components and images with features, versions and roles.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;

use serde::Serialize;

use super::args::{Format, ListArguments};
use super::session::{Loaded, Session};
use super::status::{ExitStatus, Stop};
use crate::manifest::{ArgsStyle, ComponentManifest, ImageDefinition, Manifests, Role, VersionSource};
use crate::oci::Platform;
use crate::resolve::{Packages, exclusions};
use crate::source::Spanned;

#[derive(Debug, Serialize)]
struct Listing<'a> {
    components: Vec<ComponentLine<'a>>,
    images: Vec<ImageLine<'a>>,
}

#[derive(Debug, Serialize)]
struct ComponentLine<'a> {
    name: &'a str,
    version: String,
    description: &'a str,
    owner: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    cadence: Option<&'a str>,
    build: &'a str,
    features: Vec<String>,
    roles: BTreeMap<&'a str, RoleLine<'a>>,
    replaces: Vec<String>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    exclude_platforms: Vec<String>,
}

/// How a role is started, whatever the image and its features.
#[derive(Debug, Serialize)]
struct RoleLine<'a> {
    command: Vec<&'a str>,
    args_style: ArgsStyle,
    user: String,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    probe: Vec<&'a str>,
    /// For each image that may hold it, the platforms on which it does.
    platforms: BTreeMap<&'a str, Vec<String>>,
}

#[derive(Debug, Serialize)]
struct ImageLine<'a> {
    name: &'a str,
    description: &'a str,
    base: &'a str,
    platforms: Vec<String>,
    default_role: Option<&'a str>,
    components: Vec<&'a str>,
    optional_components: Vec<&'a str>,
    features: Vec<String>,
    variants: Vec<&'a str>,
    /// Components that are left out on some platforms of the image.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    excluded: BTreeMap<&'a str, Vec<String>>,
}

pub(super) fn run(arguments: &ListArguments, session: &Session<'_>) -> Result<ExitStatus, Stop> {
    let loaded = session.load()?;
    let listing = listing(&loaded);
    match arguments.format {
        Format::Json => session.output.json(&listing)?,
        Format::Text => session.output.data(&text(&listing))?,
    }
    Ok(ExitStatus::Done)
}

fn listing(loaded: &Loaded) -> Listing<'_> {
    let manifests = &loaded.manifests;
    Listing {
        components: manifests.components.values().map(|part| component(part, loaded)).collect(),
        images: manifests.images.values().map(|definition| image(definition, manifests)).collect(),
    }
}

fn component<'a>(part: &'a ComponentManifest, loaded: &'a Loaded) -> ComponentLine<'a> {
    let platforms = platforms(part, &loaded.manifests);
    ComponentLine {
        name: part.name.value.as_str(),
        version: version(part, &loaded.packages),
        description: part.description.as_ref().map_or("", |text| &text.value),
        owner: &part.owner.value,
        cadence: part.cadence.as_ref().map(|cadence| cadence.value.as_str()),
        build: part.build.kind.name(),
        features: part.features.names().into_iter().map(String::from).collect(),
        roles: part.roles.iter().map(|(name, own)| (name.as_str(), role(own, &platforms))).collect(),
        replaces: part.replaces.iter().map(|entry| entry.image.value.to_string()).collect(),
        exclude_platforms: part.exclude_platforms.iter().map(|platform| platform.value.to_string()).collect(),
    }
}

fn role<'a>(role: &'a Role, platforms: &BTreeMap<&'a str, Vec<String>>) -> RoleLine<'a> {
    let words = |words: &'a [Spanned<String>]| words.iter().map(|word| word.value.as_str()).collect();
    RoleLine {
        command: words(&role.command),
        args_style: role.args_style(),
        user: role.user.value.to_string(),
        probe: words(role.probe.as_deref().unwrap_or_default()),
        platforms: platforms.clone(),
    }
}

/// The images whose definitions name a component, with the platforms on which they can hold it.
fn platforms<'a>(part: &'a ComponentManifest, manifests: &'a Manifests) -> BTreeMap<&'a str, Vec<String>> {
    let images = manifests.images.values();
    let holders = images.filter(|image| image.features.dependencies.contains_key(&part.name.value));
    let of_image = |image: &'a ImageDefinition| {
        let is_in = |own: &&Spanned<Platform>| exclusions(image, part).all(|excluded| excluded.value != own.value);
        let platforms: BTreeSet<&Platform> = image.platforms.iter().filter(is_in).map(|own| &own.value).collect();
        platforms.into_iter().map(Platform::to_string).collect()
    };
    holders.map(|image| (image.name.value.as_str(), of_image(image))).collect()
}

fn version(part: &ComponentManifest, packages: &Packages) -> String {
    match (&part.version.value, &part.build.kind) {
        (VersionSource::Literal(version), _) => version.clone(),
        (VersionSource::Cargo, crate::manifest::BuildKind::Cargo(cargo)) => {
            packages.cargo.get(&cargo.package.value).map(|package| package.version.clone()).unwrap_or_default()
        }
        (VersionSource::Cargo, _) => String::new(),
    }
}

fn image<'a>(image: &'a ImageDefinition, manifests: &'a Manifests) -> ImageLine<'a> {
    let components = |optional: bool| {
        let all = image.features.dependencies.iter();
        all.filter(|(_, dependency)| dependency.optional == optional).map(|(name, _)| name.as_str()).collect()
    };
    ImageLine {
        name: image.name.value.as_str(),
        description: image.description.as_ref().map_or("", |text| &text.value),
        base: image.base.value.as_str(),
        platforms: image.platforms.iter().map(|platform| platform.value.to_string()).collect(),
        default_role: image.default_role.as_ref().map(|role| role.value.as_str()),
        components: components(false),
        optional_components: components(true),
        features: image.features.names().into_iter().map(String::from).collect(),
        variants: image.variants.keys().map(|name| name.as_str()).collect(),
        excluded: excluded(image, manifests),
    }
}

/// Components that the definition names and some of its platforms lack.
fn excluded<'a>(image: &'a ImageDefinition, manifests: &'a Manifests) -> BTreeMap<&'a str, Vec<String>> {
    let components = image.features.dependencies.keys().filter_map(|name| manifests.components.get(name));
    let lacking = components.map(|component| {
        let is_excluded =
            |own: &&Spanned<Platform>| exclusions(image, component).any(|excluded| excluded.value == own.value);
        let platforms = image.platforms.iter().filter(is_excluded).map(|own| own.value.to_string()).collect();
        (component.name.value.as_str(), platforms)
    });
    lacking.filter(|(_, platforms): &(_, Vec<String>)| !platforms.is_empty()).collect()
}

fn text(listing: &Listing<'_>) -> String {
    let mut text = String::from("components\n");
    for part in &listing.components {
        _ = writeln!(text, "  {} {} ({}, {})", part.name, part.version, part.build, part.owner);
        lines(
            &mut text,
            &[
                ("", part.description.to_owned()),
                ("features: ", part.features.join(", ")),
                ("cadence: ", part.cadence.unwrap_or_default().to_owned()),
                ("replaces: ", part.replaces.join(", ")),
                ("not on: ", part.exclude_platforms.join(", ")),
            ],
        );
        for (name, role) in &part.roles {
            _ = writeln!(text, "      role {name}: {}", start(role));
        }
    }
    text.push_str("images\n");
    for image in &listing.images {
        _ = writeln!(text, "  {} on {} ({})", image.name, image.base, image.platforms.join(", "));
        let optional = image.optional_components.iter().map(|name| format!("{name} (optional)"));
        let without = image.excluded.iter().map(|(name, platforms)| format!("{name} on {}", platforms.join(" and ")));
        let without: Vec<String> = without.collect();
        let components: Vec<String> = image.components.iter().map(|name| (*name).to_owned()).chain(optional).collect();
        lines(
            &mut text,
            &[
                ("", image.description.to_owned()),
                ("components: ", components.join(", ")),
                ("features: ", image.features.join(", ")),
                ("variants: ", image.variants.join(", ")),
                ("without: ", without.join(", ")),
            ],
        );
    }
    text
}

/// How a role is started and where, in one line.
fn start(role: &RoleLine<'_>) -> String {
    let mut line = format!("{} as {}", role.command.join(" "), role.user);
    if !role.args_style.is_command() {
        line.push_str("; started with arguments only");
    }
    for (image, platforms) in &role.platforms {
        _ = write!(line, "; in {image} on {}", platforms.join(", "));
    }
    if !role.probe.is_empty() {
        _ = write!(line, "; probe {}", role.probe.join(" "));
    }
    line
}

fn lines(text: &mut String, lines: &[(&str, String)]) {
    for (name, value) in lines.iter().filter(|(_, value)| !value.is_empty()) {
        _ = writeln!(text, "      {name}{value}");
    }
}
