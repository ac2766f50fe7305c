//! Every image that some features and variants need or give: one table, of which lists, notes and matrices are views.
//!
//! | class | is |
//! |---|---|
//! | input | a base, a builder, the source of an `image` component, with its digest where the lock file has one |
//! | output | the reference of an image that is built |
//!
//! A reference stands there once for each class, with all that asks for it. Folders, archives and daemons of this machine are
//! no references and are left out.

use std::collections::{BTreeMap, BTreeSet};

use serde::Serialize;

use crate::lock::Pins;
use crate::manifest::FeatureName;
use crate::oci::{ImageSource, Platform, Reference};
use crate::plan;
use crate::resolve::{Node, Resolution, ResolvedComponent, ResolvedImage, Value, builder_of};

/// Whether an image is needed or made.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Class {
    /// Something is built from it.
    Input,
    /// It is built.
    Output,
}

impl Class {
    /// The word, as in JSON.
    pub fn name(self) -> &'static str {
        match self {
            Self::Input => "input",
            Self::Output => "output",
        }
    }
}

/// Why an image is in the table. Sorted, and read, from left to right.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize)]
pub struct Why {
    /// The image that is built, as `IMAGE` or `IMAGE=VARIANT`.
    pub image: String,
    /// What it is there: `base NAME`, `builder NAME`, `component`; empty for an image itself.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub part: String,
    /// The component that needs it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub component: Option<String>,
    /// The feature that brings the component; absent when it is always in.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub feature: Option<FeatureName>,
}

/// One image.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Row {
    /// The reference as written, without a digest.
    pub reference: Reference,
    /// The digest that it is pinned at.
    pub digest: Option<String>,
    /// Whether it is needed or made.
    pub class: Class,
    /// Platforms that it is needed or made for, sorted.
    pub platforms: BTreeSet<Platform>,
    /// All that asks for it, sorted.
    pub why: BTreeSet<Why>,
}

impl Row {
    /// The reference with its digest, if it has one.
    pub fn pinned(&self) -> Reference {
        match self.digest.as_deref().and_then(|digest| digest.parse().ok()) {
            Some(digest) => self.reference.with_digest(&digest),
            None => self.reference.clone(),
        }
    }
}

impl std::fmt::Display for Why {
    fn fmt(&self, out: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let Self { image, part, component, feature } = self;
        match (part.as_str(), component) {
            ("", _) => write!(out, "image {image}"),
            (part, None) => write!(out, "{part} of {image}"),
            ("component", Some(component)) => write!(out, "component {component} of {image}"),
            (part, Some(component)) => write!(out, "{part} of {component} in {image}"),
        }?;
        feature.iter().try_for_each(|feature| write!(out, " (feature {feature})"))
    }
}

/// The table of a resolution, sorted by class and reference.
pub fn closure(resolution: &Resolution<'_>, pins: &Pins) -> Vec<Row> {
    let mut table = Table::default();
    for image in &resolution.images {
        let id = image.id();
        if let Some(base) = &image.base.image {
            let part = format!("base {}", image.base.name.value);
            table.source(pins.pin_source(base), image, why(&id, part, None, image));
        }
        for component in &image.components {
            if let Some(source) = &component.image {
                table.source(pins.pin_source(source), image, why(&id, "component".to_owned(), Some(component), image));
            }
            for (name, outside) in &component.outside {
                let part = format!("image {name} of the Dockerfile");
                table.add(pins.pin(outside), Class::Input, image, why(&id, part, Some(component), image));
            }
            if let Some((name, builder)) = builder(resolution, component) {
                let why = why(&id, format!("builder {name}"), Some(component), image);
                table.add(pins.pin(builder), Class::Input, image, why);
            }
        }
        for tag in plan::tags(resolution, image).iter().filter_map(|tag| tag.parse().ok()) {
            table.add(tag, Class::Output, image, why(&id, String::new(), None, image));
        }
    }
    table.rows.into_values().collect()
}

fn builder<'r>(
    resolution: &'r Resolution<'_>,
    component: &ResolvedComponent<'_>,
) -> Option<(String, &'r Value<Reference>)> {
    let name = builder_of(component.manifest)?;
    Some((name.to_string(), resolution.builders.get(&name)?))
}

fn why(id: &str, part: String, component: Option<&ResolvedComponent<'_>>, image: &ResolvedImage<'_>) -> Why {
    let feature = component.and_then(|component| feature(component, image));
    let component = component.map(|component| component.name().to_string());
    Why { image: id.to_owned(), part, component, feature }
}

/// The feature of the image that brings a component, or one of another component that does.
fn feature(component: &ResolvedComponent<'_>, image: &ResolvedImage<'_>) -> Option<FeatureName> {
    let own = component.name();
    image.reasons.chain(&Node::Component(own.clone())).into_iter().find_map(|node| match node {
        Node::ImageFeature(_, feature) => Some(feature),
        Node::ComponentFeature(name, feature) if name != *own => Some(feature),
        _ => None,
    })
}

#[derive(Default)]
struct Table {
    rows: BTreeMap<(Class, String), Row>,
}

impl Table {
    fn source(&mut self, source: ImageSource, image: &ResolvedImage<'_>, why: Why) {
        if let ImageSource::Registry(reference) = source {
            self.add(reference, Class::Input, image, why);
        }
    }

    fn add(&mut self, reference: Reference, class: Class, image: &ResolvedImage<'_>, why: Why) {
        let row = self.rows.entry((class, reference.canonical())).or_insert_with(|| Row {
            reference: reference.without_digest(),
            digest: reference.digest().map(str::to_owned),
            class,
            platforms: BTreeSet::new(),
            why: BTreeSet::new(),
        });
        row.platforms.extend(image.platforms.iter().cloned());
        row.why.insert(why);
    }
}
