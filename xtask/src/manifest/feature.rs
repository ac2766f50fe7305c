//! `[features]`, `conflicts` and tables of dependencies: the part that components and images have in common.

use std::collections::BTreeMap;
use std::fmt;
use std::str::FromStr;

use super::decode::{Item, Table};
use super::name::{ComponentName, FeatureName, NameError};
use super::text::Text;
use crate::diagnostic::Diagnostic;
use crate::oci::Platform;
use crate::source::{Span, Spanned};

/// What a feature turns on. Cargo's grammar:
/// <https://doc.rust-lang.org/cargo/reference/features.html>
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub enum FeatureValue {
    /// `metrics`: another feature of the same table.
    Feature(FeatureName),
    /// `dep:x`: the optional component `x`.
    Component(ComponentName),
    /// `x/f` or `x?/f`: feature `f` of component `x`; the weak form only if something else brings `x`.
    ComponentFeature {
        /// The component.
        component: ComponentName,
        /// Its feature.
        feature: FeatureName,
        /// Written with `?`.
        weak: bool,
    },
}

impl Text for FeatureValue {}

impl FromStr for FeatureValue {
    type Err = NameError;

    fn from_str(text: &str) -> Result<Self, NameError> {
        if let Some(component) = text.strip_prefix("dep:") {
            return component.parse().map(Self::Component);
        }
        let Some((component, feature)) = text.split_once('/') else { return text.parse().map(Self::Feature) };
        let (component, weak) = component.strip_suffix('?').map_or((component, false), |strong| (strong, true));
        Ok(Self::ComponentFeature { component: component.parse()?, feature: feature.parse()?, weak })
    }
}

impl fmt::Display for FeatureValue {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Feature(feature) => write!(out, "{feature}"),
            Self::Component(component) => write!(out, "dep:{component}"),
            Self::ComponentFeature { component, feature, weak } => {
                write!(out, "{component}{}/{feature}", if *weak { "?" } else { "" })
            }
        }
    }
}

/// One entry of `[features]`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Feature {
    /// Where its name stands.
    pub span: Span,
    /// What it turns on.
    pub enables: Vec<Spanned<FeatureValue>>,
}

/// A component that an image or another component brings.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Dependency {
    /// Where its name stands.
    pub span: Span,
    /// Only there when a feature asks for it.
    pub optional: bool,
    /// Whether its `default` feature is on.
    pub default_features: bool,
    /// Features that are always on.
    pub features: Vec<Spanned<FeatureName>>,
    /// Platforms on which the image does not contain it; only images say so, a component does for itself.
    pub exclude_platforms: Vec<Spanned<Platform>>,
}

/// Features and dependencies of one component or image, as written.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct FeatureTable {
    /// `[features]`: what can be turned on, each with the features and components that it brings; Cargo's grammar.
    pub features: BTreeMap<FeatureName, Feature>,
    /// `[components]`: the components that the image is made of.
    ///
    /// `[dependencies]`: other components that this one brings.
    pub dependencies: BTreeMap<ComponentName, Dependency>,
    /// `conflicts`: groups of features of which at most one may be on.
    pub conflicts: Vec<Spanned<Vec<FeatureName>>>,
}

/// The table of dependencies of an image.
pub(super) const COMPONENTS: &str = "components";

impl FeatureTable {
    /// Reads `[features]`, `conflicts` and the table of dependencies that is called `dependencies`.
    pub(super) fn decode(table: &mut Table<'_>, dependencies: &'static str) -> Self {
        table.held_by::<Self>();
        let mut features = Self {
            features: table.optional("features").and_then(|item| item.table(decode_features)).unwrap_or_default(),
            dependencies: table
                .optional(dependencies)
                .and_then(|item| item.table(|table| decode_dependencies(table, dependencies == COMPONENTS)))
                .unwrap_or_default(),
            conflicts: Vec::new(),
        };
        if let Some(item) = table.optional("conflicts") {
            features.conflicts = item.list(decode_conflict).unwrap_or_default();
        }
        features.check(table, dependencies);
        features
    }

    /// Whether a feature exists under this name, written or implied by an optional component.
    pub fn has(&self, feature: &FeatureName) -> bool {
        self.features.contains_key(feature) || self.implied(feature).is_some()
    }

    /// The optional component that implies a feature of its own name, because no `dep:` names it (Cargo's rule).
    pub fn implied(&self, feature: &FeatureName) -> Option<&ComponentName> {
        let (name, dependency) = self.dependencies.get_key_value(feature.as_str())?;
        let named = |value: &Spanned<FeatureValue>| value.value == FeatureValue::Component(name.clone());
        let explicit = self.features.values().any(|feature| feature.enables.iter().any(named));
        (dependency.optional && !explicit && !self.features.contains_key(feature)).then_some(name)
    }

    /// Every feature name, written and implied, sorted.
    pub fn names(&self) -> Vec<FeatureName> {
        let implied = self
            .dependencies
            .keys()
            .filter_map(|name| name.as_str().parse().ok())
            .filter(|f| self.implied(f).is_some());
        let mut names: Vec<FeatureName> = self.features.keys().cloned().chain(implied).collect();
        names.sort();
        names
    }

    /// References inside the table that lead nowhere. Features of other components are checked by `resolve`.
    fn check(&self, table: &Table<'_>, dependencies: &str) {
        let values = self.features.values().flat_map(|feature| &feature.enables);
        for Spanned { value, span } in values {
            match value {
                FeatureValue::Feature(feature) if !self.has(feature) => {
                    table.report(self.unknown_feature(feature, *span));
                }
                FeatureValue::Component(component) | FeatureValue::ComponentFeature { component, .. } => {
                    self.check_component(table, dependencies, value, component, *span);
                }
                FeatureValue::Feature(_) => {}
            }
        }
        for conflict in &self.conflicts {
            for feature in conflict.value.iter().filter(|feature| !self.has(feature)) {
                table.report(self.unknown_feature(feature, conflict.span));
            }
        }
    }

    /// Reports a `when` that names no feature.
    pub(super) fn check_named(&self, table: &Table<'_>, when: &Spanned<FeatureName>) {
        if !self.has(&when.value) {
            table.report(self.unknown_feature(&when.value, when.span));
        }
    }

    fn unknown_feature(&self, feature: &FeatureName, span: Span) -> Diagnostic {
        let names = self.names();
        let component = self.dependencies.contains_key(feature.as_str());
        let otherwise = component.then(|| format!("to turn on the component write `dep:{feature}`"));
        Diagnostic::error("unknown-feature", format!("there is no feature `{feature}`")).label(span, "").suggest(
            feature.as_str(),
            names.iter().map(FeatureName::as_str),
            otherwise,
        )
    }

    fn check_component(
        &self,
        table: &Table<'_>,
        key: &str,
        value: &FeatureValue,
        component: &ComponentName,
        span: Span,
    ) {
        let Some(dependency) = self.dependencies.get(component) else {
            let message = format!("`{value}` names a component that is not in `[{key}]`");
            let known = self.dependencies.keys().map(ComponentName::as_str);
            let otherwise = Some(format!("add `{component} = {{ optional = true }}` to `[{key}]`"));
            let unknown = Diagnostic::error("unknown-component", message).label(span, "");
            return table.report(unknown.suggest(component.as_str(), known, otherwise));
        };
        let needs_optional =
            matches!(value, FeatureValue::Component(_) | FeatureValue::ComponentFeature { weak: true, .. });
        if needs_optional && !dependency.optional {
            let message = format!("`{value}` needs `{component}` to be optional");
            table.report(
                Diagnostic::error("not-optional", message)
                    .label(span, "")
                    .label(dependency.span, "always there")
                    .help("add `optional = true`, or remove this"),
            );
        }
    }
}

/// Most features of one table; crates.io allows 300.
const MAX_FEATURES: usize = 1000;

fn decode_features(table: &mut Table<'_>) -> Option<BTreeMap<FeatureName, Feature>> {
    if table.len() > MAX_FEATURES {
        let message = format!("there are {} features here; at most {MAX_FEATURES} are allowed", table.len());
        table.report(Diagnostic::error("too-many-features", message).label(table.span, ""));
        table.named::<FeatureName>();
        return None;
    }
    let decode = |(name, item): (Spanned<FeatureName>, Item<'_>)| {
        let enables = item.list(Item::parsed)?;
        Some((name.value, Feature { span: name.span, enables }))
    };
    Some(table.named().into_iter().filter_map(decode).collect())
}

fn decode_dependencies(table: &mut Table<'_>, of_image: bool) -> Option<BTreeMap<ComponentName, Dependency>> {
    let decode = |(name, item): (Spanned<ComponentName>, Item<'_>)| {
        let dependency = item.table(|table| {
            let excluded = of_image.then(|| table.optional("exclude-platforms")).flatten();
            Some(Dependency {
                span: name.span,
                optional: table.optional("optional").and_then(|item| item.boolean()).unwrap_or(false),
                default_features: table.optional("default-features").and_then(|item| item.boolean()).unwrap_or(true),
                features: table.optional("features").and_then(|item| item.list(Item::parsed)).unwrap_or_default(),
                exclude_platforms: excluded.and_then(|item| item.list(Item::parsed)).unwrap_or_default(),
            })
        })?;
        Some((name.value, dependency))
    };
    Some(table.named().into_iter().filter_map(decode).collect())
}

fn decode_conflict(item: &Item<'_>) -> Option<Spanned<Vec<FeatureName>>> {
    let features: Vec<FeatureName> =
        item.list(Item::parsed::<FeatureName>)?.into_iter().map(|name| name.value).collect();
    if features.len() < 2 {
        item.report("invalid-value", "a conflict needs at least two features");
        return None;
    }
    Some(Spanned::new(features, item.span))
}
