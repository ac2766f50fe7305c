//! Which features and components are on: Cargo's feature rules across both levels, run to a fixed point.
//!
//! The rules are those of <https://doc.rust-lang.org/cargo/reference/features.html>: features are additive; `default` is on
//! unless it is turned off; `x/f` brings an optional `x` and turns on the feature of that name, if there is one; `x?/f` waits
//! until something else of the same table brings `x`; an optional component that no `dep:` names has a feature of its own
//! name. Turning more on can therefore never turn anything off.
//!
//! Names were checked before (`names.rs`), so that what is not found here is simply not on.

use std::collections::{BTreeMap, BTreeSet};

use super::graph::{Node, Reasons};
use super::selection::Request;
use crate::manifest::{ComponentName, Dependency, FeatureName, FeatureTable, FeatureValue, ImageDefinition, Manifests};

/// Whose table a feature or a dependency stands in: a component's, or that of the image.
type Owner = Option<ComponentName>;

/// What is on in one image.
pub(super) struct Activation<'m> {
    manifests: &'m Manifests,
    image: &'m ImageDefinition,
    /// Everything that is on, and why.
    pub(super) reasons: Reasons,
    /// Components whose default features somebody wants.
    pub(super) defaults: BTreeSet<ComponentName>,
    /// Dependencies that are on, by the table that they stand in.
    brought: BTreeSet<(Owner, ComponentName)>,
    /// Weak features that wait for their dependency.
    waiting: BTreeMap<(Owner, ComponentName), Vec<(FeatureName, Node)>>,
    /// What was turned on and is still to be looked into. A list and not recursion: chains may be as long as input allows.
    work: Vec<Work>,
}

/// Something that was turned on.
enum Work {
    Component(ComponentName),
    Feature(Owner, FeatureName),
}

impl<'m> Activation<'m> {
    /// Runs all requests for one image.
    pub(super) fn run(manifests: &'m Manifests, image: &'m ImageDefinition, requests: &[Request]) -> Self {
        let mut activation = Self {
            manifests,
            image,
            reasons: Reasons::default(),
            defaults: BTreeSet::new(),
            brought: BTreeSet::new(),
            waiting: BTreeMap::new(),
            work: Vec::new(),
        };
        let root = Node::Image(image.name.value.clone());
        activation.reasons.add(root.clone(), None);
        activation.dependencies(&None, &root);
        for request in requests {
            let cause = Node::Request(request.reason.clone());
            activation.reasons.add(cause.clone(), None);
            activation.value(&None, &request.value, &cause);
        }
        activation.finish();
        activation
    }

    /// Looks into everything that was turned on, until nothing new is.
    fn finish(&mut self) {
        while let Some(work) = self.work.pop() {
            match work {
                Work::Component(name) => self.dependencies(&Some(name.clone()), &Node::Component(name)),
                Work::Feature(owner, feature) => self.look_into_feature(&owner, &feature),
            }
        }
    }

    fn table(&self, owner: &Owner) -> Option<&'m FeatureTable> {
        match owner {
            None => Some(&self.image.features),
            Some(name) => self.manifests.components.get(name).map(|component| &component.features),
        }
    }

    /// Everything that is always there when `owner` is.
    fn dependencies(&mut self, owner: &Owner, cause: &Node) {
        let Some(table) = self.table(owner) else { return };
        for (name, dependency) in table.dependencies.iter().filter(|(_, dependency)| !dependency.optional) {
            self.bring(owner, name, dependency, cause);
        }
    }

    /// Turns a dependency on, with the features that it asks for.
    fn bring(&mut self, owner: &Owner, name: &ComponentName, dependency: &Dependency, cause: &Node) {
        if self.reasons.add(Node::Component(name.clone()), Some(cause.clone())) {
            self.work.push(Work::Component(name.clone()));
        }
        let key = (owner.clone(), name.clone());
        for (feature, cause) in self.waiting.remove(&key).unwrap_or_default() {
            self.feature(&Some(name.clone()), &feature, &cause);
        }
        self.brought.insert(key);
        if dependency.default_features {
            self.defaults.insert(name.clone());
            let default =
                self.manifests.components.get(name).and_then(|component| default_feature(&component.features));
            default.iter().for_each(|default| self.feature(&Some(name.clone()), default, cause));
        }
        for feature in &dependency.features {
            self.feature(&Some(name.clone()), &feature.value, cause);
        }
    }

    /// Turns a feature on, if its table has it.
    fn feature(&mut self, owner: &Owner, feature: &FeatureName, cause: &Node) {
        let known = self.table(owner).is_some_and(|table| table.has(feature));
        if known && self.reasons.add(self.node(owner, feature), Some(cause.clone())) {
            self.work.push(Work::Feature(owner.clone(), feature.clone()));
        }
    }

    fn node(&self, owner: &Owner, feature: &FeatureName) -> Node {
        match owner {
            None => Node::ImageFeature(self.image.name.value.clone(), feature.clone()),
            Some(owner) => Node::ComponentFeature(owner.clone(), feature.clone()),
        }
    }

    /// Everything that a feature stands for.
    fn look_into_feature(&mut self, owner: &Owner, feature: &FeatureName) {
        let Some(table) = self.table(owner) else { return };
        let node = self.node(owner, feature);
        if let Some(implied) = table.implied(feature) {
            return self.bring(owner, implied, &table.dependencies[implied], &node);
        }
        for value in table.features.get(feature).iter().flat_map(|feature| &feature.enables) {
            self.value(owner, &value.value, &node);
        }
    }

    /// Turns on what one value of a feature says.
    fn value(&mut self, owner: &Owner, value: &FeatureValue, cause: &Node) {
        let Some(table) = self.table(owner) else { return };
        match value {
            FeatureValue::Feature(feature) => self.feature(owner, feature, cause),
            FeatureValue::Component(component) => {
                if let Some(dependency) = table.dependencies.get(component) {
                    self.bring(owner, component, dependency, cause);
                }
            }
            FeatureValue::ComponentFeature { component, feature, weak: true } => {
                let key = (owner.clone(), component.clone());
                match self.brought.contains(&key) {
                    true => self.feature(&Some(component.clone()), feature, cause),
                    false => self.waiting.entry(key).or_default().push((feature.clone(), cause.clone())),
                }
            }
            FeatureValue::ComponentFeature { component, feature, weak: false } => {
                let Some(dependency) = table.dependencies.get(component) else { return };
                self.bring(owner, component, dependency, cause);
                self.feature(&Some(component.clone()), feature, cause);
                // Cargo: the strong form also turns on the feature that has the name of the optional dependency
                if let Some(same_name) = component.as_str().parse().ok().filter(|_| dependency.optional) {
                    self.feature(owner, &same_name, cause);
                }
            }
        }
    }
}

/// The feature called `default`, if the table has one.
pub(super) fn default_feature(table: &FeatureTable) -> Option<FeatureName> {
    table.features.keys().find(|name| name.as_str() == "default").cloned()
}
