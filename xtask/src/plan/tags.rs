//! The references of an image: `REGISTRY/NAME:TAG` for each of its templates, with the component below the name for its own image,
//! and the mode behind the tag for one that is built beside the image's own. A `+` of the version becomes `_`, as Helm has it; an
//! empty version gives no tag at all, and a rule refuses it.

use crate::diagnostic::{Diagnostic, Problems};
use crate::manifest::{TagName, TagTemplate};
use crate::oci::Reference;
use crate::policy::Grammar;
use crate::resolve::{Resolution, ResolvedImage};
use crate::source::Span;

/// How many digits of a fingerprint stand in a tag.
const DIGITS: usize = 12;

/// The references that need no plan: those of templates without `{fingerprint}`, as far as they can be put together.
pub fn tags(resolution: &Resolution<'_>, image: &ResolvedImage<'_>) -> Vec<String> {
    all(resolution, image, None, &mut Problems::default())
}

/// All references of an image with this fingerprint. Whatever is no reference is a problem.
pub(super) fn all(
    resolution: &Resolution<'_>,
    image: &ResolvedImage<'_>,
    fingerprint: Option<&str>,
    problems: &mut Problems,
) -> Vec<String> {
    if image.version.is_empty() {
        return Vec::new();
    }
    let (usual, definition) = (TagTemplate::usual(), image.definition);
    let place = definition.version.as_ref().map_or(definition.name.span, |version| version.span);
    let templates: Vec<(&TagTemplate, Span, &str)> = match (&image.output.tag, &definition.tags) {
        (Some(replaced), _) => vec![(&replaced.value, place, "")],
        (None, None) => vec![(&usual, place, "the version is part of it")],
        (None, Some(written)) => written.iter().map(|template| (&template.value, template.span, "")).collect(),
    };
    let mut tags: Vec<String> = Vec::new();
    for (template, span, label) in templates {
        let tag = match template.expand(|name| value(name, resolution, image, fingerprint)) {
            Ok(tag) => tag,
            Err(TagName::Fingerprint) => continue,
            Err(name) => {
                problems.push(without_value(name, &image.version).label(span, ""));
                continue;
            }
        };
        let reference = named(image, &tag);
        match reference.parse::<Reference>() {
            Err(error) => problems.push(Diagnostic::error("invalid-tag", error.to_string()).label(span, label)),
            Ok(_) if tags.contains(&reference) => {}
            Ok(_) => tags.push(reference),
        }
    }
    tags
}

fn named(image: &ResolvedImage<'_>, tag: &str) -> String {
    let part = image.part.as_ref().map(|part| format!("/{part}")).unwrap_or_default();
    let mode = if image.beside { format!("-{}", image.mode) } else { String::new() };
    format!("{}{part}:{tag}{mode}", image.output.name())
}

fn value(
    name: TagName,
    resolution: &Resolution<'_>,
    image: &ResolvedImage<'_>,
    fingerprint: Option<&str>,
) -> Option<String> {
    let version = || Grammar::default().parse(&image.version.replace('+', "-"));
    match name {
        TagName::Version => Some(image.version.replace('+', "_")),
        TagName::Variant => Some(image.tag_suffix.to_owned()),
        TagName::Fingerprint => {
            let hex = fingerprint.map(|fingerprint| fingerprint.rsplit(':').next().unwrap_or_default());
            hex.map(|hex| hex.chars().take(DIGITS).collect())
        }
        TagName::Branch => resolution.branch.as_ref().map(|branch| branch.replace('/', "-")),
        TagName::Major => version().map(|version| version.major().to_string()),
        TagName::Minor => version().and_then(|version| version.minor()).map(|minor| minor.to_string()),
    }
}

fn without_value(name: TagName, version: &str) -> Diagnostic {
    let (message, help) = match name {
        TagName::Branch => (
            "`{branch}` has no value: no branch is checked out here".to_owned(),
            "check a branch out, or give the image another tag",
        ),
        _ => (
            format!("`{{{}}}` has no value: the version `{version}` has no such number", name.as_str()),
            "use {version}",
        ),
    };
    Diagnostic::error("invalid-tag", message).help(help)
}
