//! What may be released: version grammars, classes of references and tags, environments, temporary references.
//!
//! [`crate::manifest`] holds the policy as it is written; here is what it means, and the judgement over references. Pure: values
//! in, values and problems out; a day comes in as an argument.
//!
//! | file | is |
//! |---|---|
//! | `version.rs`, `version/` | [`TagVersion`], [`Grammar`]: tags with an order |
//! | `pattern.rs` | patterns of paths, names and tags |
//! | `class.rs` | [`Classes`]: the class of a reference, and whether its tag moves |
//! | `environment.rs` | [`TargetEnvironment`]: what an environment accepts |
//! | `temporary.rs` | [`RecordState`]: what a record says on a day |
//! | `judge.rs` | [`Judge`]: all of these over one reference |
//! | `mention.rs`, `comment.rs` | [`Search`]: references in texts of any kind |
//! | `newer.rs` | which of the tags of a repository are updates |
//!
//! **Decisions**
//!
//! - A reference has one class, the first that fits of retired, staging, local, release, third-party: a wide pattern of releases
//!   cannot hide a staging tag.
//! - Without an environment, releases, images of third parties and references of no class are accepted; the others need a
//!   record. An environment that lists `classes` accepts these and nothing else.
//! - A record excuses a reference from its class, not from its tag or registry, from its first to its last day, both included.
//! - A reference without tag and digest means `latest`, as it does for every client.

mod class;
mod comment;
mod environment;
mod judge;
mod mention;
mod newer;
mod pattern;
mod temporary;
mod version;

use std::collections::BTreeMap;

pub use class::Classes;
pub use environment::{TargetEnvironment, UnknownEnvironment};
pub use judge::{Judge, Objection};
pub use mention::{Found, Search};
pub use newer::newer;
pub use temporary::RecordState;
pub use version::{Grammar, GrammarError, TagVersion, compare};

use crate::diagnostic::{Diagnostic, Problems};
use crate::manifest::{EnvironmentName, Manifests, PolicySettings, Temporary};
use crate::oci::Reference;

/// The policy of a workspace, ready for use.
#[derive(Debug, Clone, Default)]
pub struct Policy {
    /// Classes of references and tags.
    pub classes: Classes,
    /// Registries that a reference may name; every one when absent.
    pub known_registries: Option<Vec<String>>,
    /// References that are used for a while.
    pub temporary: Vec<Temporary>,
    /// Whether somebody wrote one: what components replace is none.
    is_written: bool,
    environments: BTreeMap<EnvironmentName, TargetEnvironment>,
    ignored: Vec<pattern::Glob>,
}

impl Policy {
    /// The policy of these manifests.
    ///
    /// # Errors
    /// Every pattern and grammar that is none, and every reference that is recorded twice.
    pub fn new(manifests: &Manifests) -> Result<Self, Vec<Diagnostic>> {
        let mut problems = Problems::default();
        let settings = &manifests.settings.policy;
        let known = settings.known_registries.as_ref();
        let policy = Self {
            classes: Classes::new(manifests, &mut problems),
            known_registries: known.map(|known| known.iter().map(|name| name.value.clone()).collect()),
            temporary: settings.temporary.clone(),
            is_written: *settings != PolicySettings::default(),
            environments: environment::all(&manifests.settings, &mut problems),
            ignored: class::paths(&settings.ignore, &mut problems),
        };
        for (index, record) in policy.temporary.iter().enumerate() {
            let same = |other: &&Temporary| other.reference.value.canonical() == record.reference.value.canonical();
            if let Some(first) = policy.temporary[..index].iter().find(same) {
                let message = format!("`{}` is recorded twice", record.reference.value);
                let report = Diagnostic::error("duplicate-record", message).label(record.reference.span, "");
                problems.push(report.label(first.reference.span, "also here").help("keep one of them"));
            }
        }
        problems.finish(policy)
    }

    /// The environment of a name.
    ///
    /// # Errors
    /// There is none, with the one that was meant.
    pub fn environment(&self, name: &str) -> Result<&TargetEnvironment, UnknownEnvironment> {
        environment::find(&self.environments, name)
    }

    /// The record of a reference, if there is one.
    pub fn record(&self, reference: &Reference) -> Option<&Temporary> {
        self.temporary.iter().find(|record| temporary::is_about(record, reference))
    }

    /// Whether a search leaves a path out: `ignore` names it.
    pub fn ignores(&self, path: &str) -> bool {
        self.ignored.iter().any(|pattern| pattern.fits(path))
    }
}

#[cfg(test)]
mod tests;
