//! Which features and components are on: Cargo's feature rules across both levels, run to a fixed point.
//!
//! The rules are those of <https://doc.rust-lang.org/cargo/reference/features.html>: features are additive; `default` is on
//! unless it is turned off; `x/f` brings an optional `x`, `x?/f` waits for something else to bring it; an optional
//! component that no `dep:` names has a feature of its own name. Turning more on can therefore never turn anything off.

use std::collections::{BTreeMap, BTreeSet};

use super::graph::{Node, Reasons};
use super::selection::Request;
use crate::diagnostic::{Diagnostic, Problems, closest};
use crate::manifest::{
    ComponentManifest, ComponentName, Dependency, FeatureName, FeatureTable, FeatureValue, ImageDefinition, Manifests,
};
use crate::source::Span;

/// What is on in one image.
pub(super) struct Activation<'m> {
    manifests: &'m Manifests,
    image: &'m ImageDefinition,
    problems: &'m mut Problems,
    /// Everything that is on, and why.
    pub(super) reasons: Reasons,
    /// Weak features that wait for their component.
    waiting: BTreeMap<ComponentName, Vec<(FeatureName, Node, Span)>>,
    /// Components whose default features somebody wants.
    pub(super) defaults: BTreeSet<ComponentName>,
    /// What was turned on and is still to be looked into. A list and not recursion: chains may be as long as input allows.
    work: Vec<Work>,
}

/// Something that was turned on.
enum Work {
    Component(ComponentName),
    /// A feature of a component, or of the image.
    Feature(Option<ComponentName>, FeatureName),
}

impl<'m> Activation<'m> {
    /// Runs all requests for one image.
    pub(super) fn run(
        manifests: &'m Manifests,
        image: &'m ImageDefinition,
        requests: &[Request],
        problems: &'m mut Problems,
    ) -> Self {
        let mut activation = Self {
            manifests,
            image,
            problems,
            reasons: Reasons::default(),
            waiting: BTreeMap::new(),
            defaults: BTreeSet::new(),
            work: Vec::new(),
        };
        let root = Node::Image(image.name.value.clone());
        activation.reasons.add(root.clone(), None);
        activation.dependencies(&image.features, &root);
        for request in requests {
            let cause = Node::Request(request.reason.clone());
            activation.reasons.add(cause.clone(), None);
            activation.value(None, &request.value, &cause, image.name.span);
        }
        activation.finish();
        activation
    }

    /// Looks into everything that was turned on, until nothing new is.
    fn finish(&mut self) {
        while let Some(work) = self.work.pop() {
            match work {
                Work::Component(name) => self.look_into_component(&name),
                Work::Feature(owner, feature) => self.look_into_feature(owner.as_ref(), &feature),
            }
        }
    }

    fn look_into_component(&mut self, name: &ComponentName) {
        let Some(component) = self.manifests.components.get(name) else { return };
        self.dependencies(&component.features, &Node::Component(name.clone()));
        for (feature, cause, span) in self.waiting.remove(name).unwrap_or_default() {
            self.component_feature(name, &feature, &cause, span);
        }
    }

    /// Everything that is always there when `owner` is.
    fn dependencies(&mut self, table: &'m FeatureTable, owner: &Node) {
        for (name, dependency) in table.dependencies.iter().filter(|(_, dependency)| !dependency.optional) {
            self.component(name, dependency, owner);
        }
    }

    /// Turns a component on, with the features that this dependency on it asks for.
    fn component(&mut self, name: &ComponentName, dependency: &'m Dependency, cause: &Node) {
        let Some(component) = self.find(name, dependency.span) else { return };
        let node = Node::Component(name.clone());
        if self.reasons.add(node, Some(cause.clone())) {
            self.work.push(Work::Component(name.clone()));
        }
        if dependency.default_features {
            self.defaults.insert(name.clone());
            if let Some(default) = default_feature(&component.features) {
                self.component_feature(name, &default, cause, dependency.span);
            }
        }
        for feature in &dependency.features {
            self.component_feature(name, &feature.value, cause, feature.span);
        }
    }

    fn find(&mut self, name: &ComponentName, place: Span) -> Option<&'m ComponentManifest> {
        let found = self.manifests.components.get(name);
        if found.is_none() {
            let unknown =
                Diagnostic::error("unknown-component", format!("there is no component `{name}`")).label(place, "");
            let close = closest(name.as_str(), self.manifests.components.keys().map(ComponentName::as_str));
            self.problems.push(match close {
                Some(close) => unknown.help(format!("did you mean `{close}`?")),
                None => unknown.help(format!("create components/{name}/component.toml")),
            });
        }
        found
    }

    /// Turns on what one value of a feature says. `owner` is the component whose table it stands in; `None` is the image.
    fn value(&mut self, owner: Option<&ComponentName>, value: &FeatureValue, cause: &Node, place: Span) {
        let Some(table) = self.table(owner) else { return };
        match value {
            FeatureValue::Feature(feature) => match owner {
                Some(component) => self.component_feature(component, feature, cause, place),
                None => self.image_feature(feature, cause),
            },
            FeatureValue::Component(component) => {
                if let Some(dependency) = table.dependencies.get(component) {
                    self.component(component, dependency, cause);
                }
            }
            FeatureValue::ComponentFeature { component, feature, weak } => {
                let Some(dependency) = table.dependencies.get(component) else { return };
                if *weak && !self.reasons.is_on(&Node::Component(component.clone())) {
                    let wait = (feature.clone(), cause.clone(), place);
                    self.waiting.entry(component.clone()).or_default().push(wait);
                    return;
                }
                if !*weak {
                    self.component(component, dependency, cause);
                }
                self.component_feature(component, feature, cause, place);
            }
        }
    }

    fn table(&self, owner: Option<&ComponentName>) -> Option<&'m FeatureTable> {
        match owner {
            None => Some(&self.image.features),
            Some(name) => self.manifests.components.get(name).map(|component| &component.features),
        }
    }

    fn image_feature(&mut self, feature: &FeatureName, cause: &Node) {
        let node = Node::ImageFeature(self.image.name.value.clone(), feature.clone());
        if self.reasons.add(node, Some(cause.clone())) {
            self.work.push(Work::Feature(None, feature.clone()));
        }
    }

    fn component_feature(&mut self, name: &ComponentName, feature: &FeatureName, cause: &Node, place: Span) {
        let Some(component) = self.manifests.components.get(name) else { return };
        if !component.features.has(feature) {
            return self.unknown_feature(component, feature, place);
        }
        let node = Node::ComponentFeature(name.clone(), feature.clone());
        if self.reasons.add(node, Some(cause.clone())) {
            self.work.push(Work::Feature(Some(name.clone()), feature.clone()));
        }
    }

    /// Everything that a feature stands for.
    fn look_into_feature(&mut self, owner: Option<&ComponentName>, feature: &FeatureName) {
        let Some(table) = self.table(owner) else { return };
        let node = match owner {
            None => Node::ImageFeature(self.image.name.value.clone(), feature.clone()),
            Some(owner) => Node::ComponentFeature(owner.clone(), feature.clone()),
        };
        if let Some(implied) = table.implied(feature) {
            return self.component(implied, &table.dependencies[implied], &node);
        }
        for value in table.features.get(feature).iter().flat_map(|feature| &feature.enables) {
            self.value(owner, &value.value, &node, value.span);
        }
    }

    fn unknown_feature(&mut self, component: &ComponentManifest, feature: &FeatureName, place: Span) {
        let name = &component.name.value;
        let names = component.features.names();
        let unknown = Diagnostic::error("unknown-feature", format!("component `{name}` has no feature `{feature}`"))
            .label(place, "");
        let close = closest(feature.as_str(), names.iter().map(FeatureName::as_str));
        let known = if names.is_empty() { "it has none".to_owned() } else { format!("it has: {}", join(&names)) };
        self.problems.push(unknown.help(close.map_or(known, |close| format!("did you mean `{close}`?"))));
    }
}

/// The feature called `default`, if the table has one.
pub(super) fn default_feature(table: &FeatureTable) -> Option<FeatureName> {
    table.features.keys().find(|name| name.as_str() == "default").cloned()
}

fn join(names: &[FeatureName]) -> String {
    names.iter().map(FeatureName::as_str).collect::<Vec<_>>().join(", ")
}
