//! Environments, ready for use: what each of them accepts.

use std::collections::BTreeMap;

use super::class::parsed;
use super::pattern::{Glob, ReferencePattern};
use crate::diagnostic::{Problems, closest};
use crate::manifest::{EnvironmentName, EnvironmentSettings, ReferenceClass, RuleLevel, Settings};
use crate::oci::Reference;

/// Classes that nobody has to allow, besides references of no class at all.
const USUAL: [ReferenceClass; 2] = [ReferenceClass::Release, ReferenceClass::ThirdParty];

/// One environment.
#[derive(Debug, Clone)]
pub struct TargetEnvironment {
    /// Its name.
    pub name: EnvironmentName,
    /// As written.
    pub settings: EnvironmentSettings,
    registries: Option<Vec<ReferencePattern>>,
    warn_for: Vec<Glob>,
}

/// There is no such environment.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("there is no environment `{name}`\nhint: {hint}")]
pub struct UnknownEnvironment {
    name: String,
    hint: String,
}

impl TargetEnvironment {
    /// Whether a revision may still hold what a release may not: what is found in it is only worth a warning.
    pub fn only_warns_for(&self, revision: &str) -> bool {
        self.warn_for.iter().any(|pattern| pattern.fits(revision))
    }

    /// Whether references may be at this name.
    pub fn has_registry(&self, reference: &Reference) -> bool {
        let name = reference.name();
        self.registries.as_ref().is_none_or(|patterns| patterns.iter().any(|pattern| pattern.name.fits(&name)))
    }
}

/// Whether references of a class, or of none, need no record in an environment, or in none.
pub(super) fn allows(environment: Option<&TargetEnvironment>, class: Option<ReferenceClass>) -> bool {
    match (environment.and_then(|environment| environment.settings.classes.as_ref()), class) {
        (Some(classes), Some(class)) => classes.iter().any(|allowed| allowed.value == class),
        (Some(_), None) => false,
        (None, Some(class)) => USUAL.contains(&class),
        (None, None) => true,
    }
}

/// What a recorded reference does in an environment.
pub(super) fn temporary(environment: Option<&TargetEnvironment>) -> RuleLevel {
    environment.map_or(RuleLevel::Allow, |environment| environment.settings.temporary)
}

/// All environments.
pub(super) fn all(settings: &Settings, problems: &mut Problems) -> BTreeMap<EnvironmentName, TargetEnvironment> {
    let environment = |(name, written): (&EnvironmentName, &EnvironmentSettings)| {
        let registries = written.registries.as_ref();
        let registries =
            registries.map(|patterns| patterns.iter().filter_map(|pattern| parsed(pattern, problems)).collect());
        let warn_for = written.warn_for.iter().filter_map(|pattern| parsed(pattern, problems)).collect();
        (name.clone(), TargetEnvironment { name: name.clone(), settings: written.clone(), registries, warn_for })
    };
    settings.policy.environments.iter().map(environment).collect()
}

/// The environment of a name.
pub(super) fn find<'a>(
    all: &'a BTreeMap<EnvironmentName, TargetEnvironment>,
    name: &str,
) -> Result<&'a TargetEnvironment, UnknownEnvironment> {
    all.get(name).ok_or_else(|| {
        let known: Vec<&str> = all.keys().map(EnvironmentName::as_str).collect();
        let hint = match closest(name, known.iter().copied()) {
            Some(close) => format!("did you mean `{close}`?"),
            None if known.is_empty() => format!("groupage.toml has none; write [environments.{name}]"),
            None => format!("there is: {}", known.join(", ")),
        };
        UnknownEnvironment { name: name.chars().take(64).collect(), hint }
    })
}
