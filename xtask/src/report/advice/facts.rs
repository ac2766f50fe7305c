//! What advice rests on.

use std::collections::BTreeMap;

use serde::Serialize;

/// One image, as it is resolved, checked and, perhaps, built.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct ImageFacts {
    /// As on the command line.
    pub id: String,
    /// How its components are put together.
    pub mode: String,
    /// Name of its base.
    pub base: String,
    /// What the base gives.
    pub provides: Vec<String>,
    /// Its platforms.
    pub platforms: Vec<String>,
    /// Its components.
    pub components: Vec<ComponentFacts>,
    /// What the rules found, were all of them merged.
    pub findings: Vec<FindingFacts>,
    /// Unique bytes of its layers by mode, where layouts are there.
    pub modes: BTreeMap<String, Weight>,
}

/// A number of bytes.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize)]
pub struct Weight {
    /// Unpacked.
    pub bytes: u64,
    /// As a registry gets them.
    pub gzip: u64,
}

/// One component.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct ComponentFacts {
    /// Its name.
    pub name: String,
    /// Whether cargo builds it.
    pub is_cargo: bool,
    /// Platforms of the image on which it is left out.
    pub excluded: Vec<String>,
    /// Its roles.
    pub roles: Vec<RoleFacts>,
    /// Bytes of its layers, where a layout tells them.
    pub weight: Option<Weight>,
    /// Other images that hold the same layer.
    pub also_in: Vec<String>,
}

/// One role.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct RoleFacts {
    /// Its name.
    pub name: String,
    /// User and group.
    pub user: String,
    /// What it needs of the base.
    pub needs: Vec<String>,
    /// Its security boundary.
    pub boundary: Option<String>,
    /// Roles that it waits for when it starts.
    pub waits_for: Vec<String>,
}

/// What a rule found.
#[derive(Debug, Clone, PartialEq)]
pub struct FindingFacts {
    /// The rule.
    pub rule: String,
    /// In its words.
    pub message: String,
    /// Whether the definition accepts it, and why.
    pub accepted: Option<String>,
    /// Whether it is denied.
    pub is_denied: bool,
    /// The components that it names.
    pub components: Vec<String>,
}

impl ImageFacts {
    /// Components that can be started.
    pub(super) fn started(&self) -> impl Iterator<Item = &ComponentFacts> {
        self.components.iter().filter(|component| !component.roles.is_empty())
    }

    /// Bytes of all components, if all are known.
    pub(super) fn weight(&self) -> Option<Weight> {
        self.components.iter().try_fold(Weight::default(), |sum, component| {
            let own = component.weight?;
            Some(Weight { bytes: sum.bytes + own.bytes, gzip: sum.gzip + own.gzip })
        })
    }

    /// Findings of a rule that name a component.
    pub(super) fn about<'f>(&'f self, rule: &'f str, component: &'f str) -> impl Iterator<Item = &'f FindingFacts> {
        self.findings
            .iter()
            .filter(move |found| found.rule == rule && found.components.iter().any(|name| name == component))
    }
}
