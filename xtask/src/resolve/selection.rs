//! What was asked for: images, variants, features, platforms; parsed from words, checked against the manifests.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;
use std::str::FromStr;

use super::activate::default_feature;
use super::names::unknown_feature;
use crate::diagnostic::{Diagnostic, Problems};
use crate::manifest::{
    ComponentName, FeatureName, FeatureValue, ImageDefinition, ImageName, Manifests, Mode, Variant, VariantName,
};
use crate::oci::Platform;

/// What was asked for.
#[derive(Debug, Clone, Default)]
pub struct Selection {
    /// Images to work on; all of them when empty.
    pub images: Vec<ImageSelector>,
    /// Without words, every variant instead of only the plain images.
    pub all_variants: bool,
    /// `--features`.
    pub features: Vec<FeatureValue>,
    /// `--all-features`.
    pub all_features: bool,
    /// `--no-default-features`.
    pub no_default_features: bool,
    /// `--platform`; each image's own platforms when empty.
    pub platforms: Vec<Platform>,
    /// `--mode`; each image's own mode when empty.
    pub modes: Vec<Mode>,
}

/// `IMAGE`, `IMAGE=VARIANT` or `IMAGE=*`; `IMAGE/COMPONENT` is that component's own image, where the image is split.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct ImageSelector {
    /// The image.
    pub image: ImageName,
    /// One component of an image that is split.
    pub part: Option<ComponentName>,
    /// Which of its variants.
    pub variant: VariantSelector,
}

/// Which variants of an image.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub enum VariantSelector {
    /// The image without a variant.
    Plain,
    /// One variant.
    One(VariantName),
    /// The plain image and every variant.
    All,
}

impl FromStr for ImageSelector {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let message = |error: crate::manifest::NameError| error.to_string();
        let (image, variant) = match text.split_once('=') {
            None => (text, VariantSelector::Plain),
            Some((image, "*")) => (image, VariantSelector::All),
            Some((image, variant)) => (image, VariantSelector::One(variant.parse().map_err(message)?)),
        };
        let (image, part) = match image.split_once('/') {
            None => (image, None),
            Some((image, part)) => (image, Some(part.parse().map_err(message)?)),
        };
        Ok(Self { image: image.parse().map_err(message)?, part, variant })
    }
}

impl fmt::Display for ImageSelector {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(out, "{}", self.image)?;
        self.part.iter().try_for_each(|part| write!(out, "/{part}"))?;
        match &self.variant {
            VariantSelector::Plain => Ok(()),
            VariantSelector::One(variant) => write!(out, "={variant}"),
            VariantSelector::All => write!(out, "=*"),
        }
    }
}

/// One feature that is asked for in one image, and the words that ask.
pub(super) struct Request {
    pub(super) value: FeatureValue,
    pub(super) reason: String,
}

/// One image in one variant, with everything that is asked of it.
pub(super) struct Target<'m> {
    pub(super) image: &'m ImageDefinition,
    pub(super) variant: Option<(&'m VariantName, &'m Variant)>,
    /// Components whose own images are asked for, where the image is split; all of them when empty.
    pub(super) parts: BTreeSet<ComponentName>,
    pub(super) requests: Vec<Request>,
}

/// The selected images, sorted, each once; with the features that apply to each.
pub(super) fn targets<'m>(manifests: &'m Manifests, selection: &Selection, problems: &mut Problems) -> Vec<Target<'m>> {
    let mut chosen: BTreeMap<Chosen, BTreeSet<Option<ComponentName>>> = BTreeMap::new();
    for (name, part) in self::chosen(manifests, selection, problems) {
        chosen.entry(name).or_default().insert(part);
    }
    let mut targets = Vec::new();
    for ((name, variant), parts) in chosen {
        let image = &manifests.images[&name];
        let variant = variant.and_then(|variant| image.variants.get_key_value(&variant));
        // the whole image is more than any part of it
        let parts = if parts.contains(&None) { BTreeSet::new() } else { parts.into_iter().flatten().collect() };
        targets.push(Target { image, variant, parts, requests: requests(manifests, image, variant, selection) });
    }
    check_features(manifests, &targets, selection, problems);
    targets
}

/// An image in one variant.
type Chosen = (ImageName, Option<VariantName>);

fn chosen(
    manifests: &Manifests,
    selection: &Selection,
    problems: &mut Problems,
) -> Vec<(Chosen, Option<ComponentName>)> {
    let plain = if selection.all_variants { VariantSelector::All } else { VariantSelector::Plain };
    let whole = |image: &ImageName| ImageSelector { image: image.clone(), part: None, variant: plain.clone() };
    let all = manifests.images.keys().map(whole);
    let wanted: Vec<ImageSelector> = if selection.images.is_empty() { all.collect() } else { selection.images.clone() };
    let mut chosen = Vec::new();
    for selector in &wanted {
        let variants = variants_of(manifests, selector, problems).into_iter();
        chosen.extend(variants.map(|variant| (variant, selector.part.clone())));
    }
    chosen
}

fn variants_of(manifests: &Manifests, selector: &ImageSelector, problems: &mut Problems) -> Vec<Chosen> {
    let name = &selector.image;
    let Some(image) = manifests.images.get(name) else {
        let names = manifests.images.keys().map(ImageName::as_str);
        problems.push(unknown("unknown-image", &format!("there is no image `{name}`"), name.as_str(), names));
        return Vec::new();
    };
    match &selector.variant {
        VariantSelector::Plain => vec![(name.clone(), None)],
        VariantSelector::All => {
            let variants = image.variants.keys().map(|variant| (name.clone(), Some(variant.clone())));
            std::iter::once((name.clone(), None)).chain(variants).collect()
        }
        VariantSelector::One(variant) if image.variants.contains_key(variant) => {
            vec![(name.clone(), Some(variant.clone()))]
        }
        VariantSelector::One(variant) => {
            let names = image.variants.keys().map(VariantName::as_str);
            problems.push(unknown(
                "unknown-variant",
                &format!("image `{name}` has no variant `{variant}`"),
                variant.as_str(),
                names,
            ));
            Vec::new()
        }
    }
}

fn unknown<'a>(code: &'static str, message: &str, wrong: &str, names: impl Iterator<Item = &'a str>) -> Diagnostic {
    Diagnostic::error(code, message).suggest(wrong, names, None)
}

fn requests(
    manifests: &Manifests,
    image: &ImageDefinition,
    variant: Option<(&VariantName, &Variant)>,
    selection: &Selection,
) -> Vec<Request> {
    let mut requests = Vec::new();
    let defaults = !selection.no_default_features && variant.is_none_or(|(_, variant)| variant.default_features);
    let default = default_feature(&image.features).filter(|_| defaults);
    let mut ask = |feature: FeatureName, reason: &str| {
        requests.push(Request { value: FeatureValue::Feature(feature), reason: reason.to_owned() });
    };
    default.into_iter().for_each(|feature| ask(feature, "default features"));
    if let Some((name, variant)) = variant {
        variant.features.iter().for_each(|feature| ask(feature.value.clone(), &format!("variant {name}")));
    }
    if selection.all_features {
        image.features.names().into_iter().for_each(|feature| ask(feature, "--all-features"));
    }
    for value in selection.features.iter().filter(|value| applies(manifests, image, value)) {
        requests.push(Request { value: value.clone(), reason: format!("--features {value}") });
    }
    requests
}

fn applies(manifests: &Manifests, image: &ImageDefinition, value: &FeatureValue) -> bool {
    match value {
        FeatureValue::Feature(feature) => image.features.has(feature),
        FeatureValue::Component(_) => false,
        FeatureValue::ComponentFeature { component, feature, .. } => {
            let has = |name| manifests.components.get(name).is_some_and(|component| component.features.has(feature));
            image.features.dependencies.contains_key(component) && has(component)
        }
    }
}

/// As in cargo, a feature that is asked for must exist in at least one of the selected images.
fn check_features(manifests: &Manifests, targets: &[Target<'_>], selection: &Selection, problems: &mut Problems) {
    for target in targets {
        let features = target.variant.iter().flat_map(|(_, variant)| &variant.features);
        for feature in features.filter(|feature| !target.image.features.has(&feature.value)) {
            let names = target.image.features.names();
            let message = format!("image `{}` has no feature `{}`", target.image.name.value, feature.value);
            let names = names.iter().map(FeatureName::as_str);
            problems.push(unknown("unknown-feature", &message, feature.value.as_str(), names).label(feature.span, ""));
        }
    }
    for value in &selection.features {
        if targets.is_empty() || targets.iter().any(|target| applies(manifests, target.image, value)) {
            continue;
        }
        let names: Vec<String> =
            targets.iter().flat_map(|target| target.image.features.names()).map(String::from).collect();
        problems.push(unknown_request(manifests, value, &names));
    }
}

fn unknown_request(manifests: &Manifests, value: &FeatureValue, names: &[String]) -> Diagnostic {
    if let FeatureValue::ComponentFeature { component, feature, .. } = value
        && let Some(manifest) = manifests.components.get(component)
        && !manifest.features.has(feature)
    {
        return unknown_feature(component, &manifest.features, feature);
    }
    let message = match value {
        FeatureValue::Component(_) => format!("`{value}` cannot be asked for from outside; name a feature"),
        _ => format!("none of the selected images has the feature `{value}`"),
    };
    unknown("unknown-feature", &message, &value.to_string(), names.iter().map(String::as_str))
}
