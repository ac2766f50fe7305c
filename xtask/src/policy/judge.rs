//! The judgement over one reference, in one environment, on one day.

use super::temporary::RecordState;
use super::{Policy, TargetEnvironment, environment};
use crate::diagnostic::{Level, closest};
use crate::manifest::{Date, ReferenceClass, RuleLevel, TagDemand};
use crate::oci::Reference;

/// Who judges: a policy, in an environment or in none, on a day if one is known.
#[derive(Debug, Clone, Copy)]
pub struct Judge<'a> {
    /// The policy.
    pub policy: &'a Policy,
    /// The environment that is asked for.
    pub environment: Option<&'a TargetEnvironment>,
    /// The day on which records must hold.
    pub day: Option<Date>,
}

/// Why a reference is not accepted.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Objection {
    /// Stable identifier, that of the rule which asks the same of an image.
    pub code: &'static str,
    /// Whether the work stops.
    pub level: Level,
    /// What is wrong, without the reference itself: it follows on its name.
    pub message: String,
    /// The next step.
    pub help: String,
}

impl Judge<'_> {
    /// Every objection to a reference that somebody has written down. A name without tag and digest may be just that, a name,
    /// and has no tag that could be wrong.
    pub fn objections(&self, reference: &Reference) -> Vec<Objection> {
        let is_name = reference.tag().is_none() && reference.digest().is_none();
        let tag = if is_name { None } else { self.tag(reference) };
        let version = if is_name { None } else { self.version(reference) };
        [self.registry(reference), self.class(reference), tag, version].into_iter().flatten().collect()
    }

    /// What speaks against its class, and what its record says to that.
    pub fn class(&self, reference: &Reference) -> Option<Objection> {
        let class = self.policy.classes.class(reference);
        if environment::allows(self.environment, class) {
            return None;
        }
        let what = match class {
            Some(class) => format!("is a {class} reference"),
            None => "is of no class of [references]".to_owned(),
        };
        let object = |code, level, message, help| Some(Objection { code, level, message, help });
        let place = self.environment.map(|it| format!(" in environment `{}`", it.name)).unwrap_or_default();
        let Some(record) = self.policy.record(reference) else {
            let help = match class {
                None => "name its class in [references] of groupage.toml",
                Some(ReferenceClass::Retired) => "use what replaces it; `migrate scan` names it",
                Some(_) => "use its release, or record it in [[temporary]] with reason, issue, added and expires",
            };
            return object(
                "reference-class",
                Level::Error,
                format!("{what}, which is not allowed{place}"),
                help.to_owned(),
            );
        };
        let (added, expires, issue) = (record.added.value, record.expires.value, &record.issue.value);
        let next = format!("use its release; {issue} says how far that is");
        match (RecordState::of(record, self.day), environment::temporary(self.environment)) {
            (RecordState::Expired, _) => {
                object("expired-reference", Level::Error, format!("{what}, and its record expired on {expires}"), next)
            }
            (RecordState::NotYet, _) => {
                object("reference-class", Level::Error, format!("{what}, and its record begins on {added}"), next)
            }
            (state, RuleLevel::Allow) => (state == RecordState::Unknown).then(|| Objection {
                code: "expired-reference",
                level: Level::Warning,
                message: format!("{what}, recorded until {expires}, and nothing says what day it is"),
                help: "name it with --on DATE".to_owned(),
            }),
            (_, level) => {
                let level = if level == RuleLevel::Warn { Level::Warning } else { Level::Error };
                let message = format!("{what}, recorded until {expires}, which is not allowed{place}");
                object("temporary-reference", level, message, next)
            }
        }
    }

    /// What speaks against its registry: that nobody knows it, or that the environment does not take images from there.
    pub fn registry(&self, reference: &Reference) -> Option<Objection> {
        let registry = reference.registry();
        let object = |message, help| Some(Objection { code: "unknown-registry", level: Level::Error, message, help });
        if let Some(known) = &self.policy.known_registries
            && !known.iter().any(|known| known == registry)
        {
            let help = match closest(registry, known.iter().map(String::as_str)) {
                Some(close) => format!("did you mean `{close}`?"),
                None => "correct it, or add it to `known-registries` in [references] of groupage.toml".to_owned(),
            };
            return object(format!("is at `{registry}`, which is not a known registry"), help);
        }
        let environment = self.environment.filter(|environment| !environment.has_registry(reference))?;
        let message = format!("is at `{}`, where environment `{}` has no images", reference.name(), environment.name);
        let help = format!("copy it to a registry that `registries` of [environments.{}] names", environment.name);
        object(message, help)
    }

    /// What speaks against its tag: that it moves, or that it does not.
    pub fn tag(&self, reference: &Reference) -> Option<Objection> {
        let environment = self.environment?;
        let is_moving = self.policy.classes.is_moving(reference);
        let (what, help) = match (environment.settings.tags, is_moving) {
            (TagDemand::Immutable, true) if reference.tag().is_none() => {
                ("has no tag, which means latest", "write the tag of a release, or a digest")
            }
            (TagDemand::Immutable, true) => ("has a tag that moves", "write the tag of a release, or a digest"),
            (TagDemand::Moving, false) => ("has a tag that does not move", "write a tag that moves, such as latest"),
            _ => return None,
        };
        let message = format!("{what}, which is not allowed in environment `{}`", environment.name);
        Some(Objection { code: "moving-tag", level: Level::Error, message, help: help.to_owned() })
    }

    /// What speaks against its version: that it is no release.
    pub fn version(&self, reference: &Reference) -> Option<Objection> {
        let environment = self.environment?;
        let level = match environment.settings.pre_release {
            RuleLevel::Allow => return None,
            RuleLevel::Warn => Level::Warning,
            RuleLevel::Deny => Level::Error,
        };
        let version = self.policy.classes.version(reference).filter(|version| !version.is_release())?;
        let message = format!("is at {version}, which is not a release, in environment `{}`", environment.name);
        Some(Objection { code: "pre-release", level, message, help: "write the tag of a release".to_owned() })
    }

    /// Whether there is anything to judge by: a policy that is written, or an environment.
    pub fn is_asked(&self) -> bool {
        self.environment.is_some() || self.policy.is_written
    }

    /// Whether an input must have a digest.
    pub fn wants_pins(&self) -> bool {
        self.environment.is_some_and(|environment| environment.settings.pinned)
    }
}
