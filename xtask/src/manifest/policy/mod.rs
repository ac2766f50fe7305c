//! Release policy in `groupage.toml`, as written: `[references]`, `[tags]`, `[versions]`, `[[temporary]]`, `[environments]`.
//! What it means is [`crate::policy`]'s business.
//!
//! ```toml
//! [references]                      # classes: patterns over registry/repository[:tag], matched against the canonical form
//! release = ["registry.k8s.io/**", "ghcr.io/example/**"]
//! staging = ["gcr.io/k8s-staging-*/**", "**:*-g[0-9a-f]*", "**:{commit}"]
//! local = ["localhost/**", "localhost:*/**"]
//! third-party = ["docker.io/**"]
//! known-registries = ["registry.k8s.io", "ghcr.io", "docker.io"]
//! ignore = ["tests/fixtures/**"]    # paths that `check references` does not look at
//! retention = 90                    # days that the staging registry keeps an image
//!
//! [tags]
//! moving = ["latest", "*-dev", "{major}", "{major}.{minor}"]
//! immutable = ["*-build.*"]
//!
//! [versions]                        # grammars by name; `semver` where none fits
//! "registry.k8s.io/etcd-manager/**" = "v?3.0.YYYYMMDD"
//!
//! [[temporary]]
//! reference = "us-central1-docker.pkg.dev/k8s-staging-images/etcd-manager/etcd-manager-slim:f1ea649"
//! reason = "the release waits for the fix"
//! issue = "https://github.com/kubernetes/kops/issues/16724"
//! added = 2024-08-03
//! expires = 2024-11-01
//!
//! [environments.release]
//! classes = ["release", "third-party"]
//! tags = "immutable"
//! pinned = true
//! warn-for = ["*-alpha*"]           # revisions that `check references` does not refuse
//! protected = true
//! ```

mod date;
mod environment;

use std::collections::BTreeMap;
use std::fmt;
use std::str::FromStr;

use super::decode::{Item, Table};
use super::name::EnvironmentName;
use super::text::{Text, Texts};
use crate::diagnostic::Diagnostic;
use crate::oci::Reference;
use crate::source::{Span, Spanned};
pub use date::{Date, DateError};
pub use environment::{EnvironmentSettings, TagDemand};

/// Release policy, as written.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct PolicySettings {
    /// `[references]`: classes of references, by patterns; the first of `retired`, `staging`, `local`, `release` and `third-party`
    /// that fits a reference counts.
    ///
    /// `[references] release`: patterns of what is released.
    ///
    /// `[references] staging`: patterns of what is built and not yet released; it is deleted some day.
    ///
    /// `[references] local`: patterns of what is only on one machine.
    ///
    /// `[references] retired`: patterns of what nothing new may use.
    ///
    /// `[references] third-party`: patterns of what belongs to somebody else.
    pub classes: BTreeMap<ReferenceClass, Vec<Spanned<String>>>,
    /// `[references] known-registries`: all others are reported; every registry is known when absent.
    pub known_registries: Option<Vec<Spanned<String>>>,
    /// `[references] ignore`: paths that `check references` does not look at, with `*` and `**`.
    ///
    /// `[references] retention`: how many days the staging registry keeps an image.
    pub ignore: Vec<Spanned<String>>,
    /// `[tags] moving`: patterns of tags that move; the usual ones when absent.
    ///
    /// `[tags]`: which tags move, and which never do.
    pub moving: Option<Vec<Spanned<String>>>,
    /// `[tags] immutable`: these are not moving, whatever else fits them.
    pub immutable: Vec<Spanned<String>>,
    /// `[versions]`: grammars of tags, by pattern of names; tags are semantic versions where none fits.
    pub versions: Vec<(Spanned<String>, Spanned<String>)>,
    /// `[[temporary]]`: references that are used for a while, with their reasons.
    pub temporary: Vec<Temporary>,
    /// `[environments]`: what a release of one kind may hold, by name; `--env` chooses one.
    pub environments: BTreeMap<EnvironmentName, EnvironmentSettings>,
}

/// What a reference is for a release.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, serde::Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum ReferenceClass {
    /// Gone, or about to: nothing new may use it.
    Retired,
    /// Built, and not yet released: it is deleted some day.
    Staging,
    /// Of this machine.
    Local,
    /// Released.
    Release,
    /// Of somebody else.
    ThirdParty,
}

impl ReferenceClass {
    /// All classes; the first one that fits a reference counts, so that nothing hides in a wider pattern.
    pub const ALL: [Self; 5] = [Self::Retired, Self::Staging, Self::Local, Self::Release, Self::ThirdParty];

    /// The class as it is written.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Retired => "retired",
            Self::Staging => "staging",
            Self::Local => "local",
            Self::Release => "release",
            Self::ThirdParty => "third-party",
        }
    }
}

impl fmt::Display for ReferenceClass {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.pad(self.as_str())
    }
}

impl Text for ReferenceClass {
    fn texts() -> Texts {
        Texts::Words(Self::ALL.map(Self::as_str).to_vec())
    }
}

impl FromStr for ReferenceClass {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let known = Self::ALL.into_iter().find(|class| class.as_str() == text);
        known.ok_or_else(|| {
            let names = Self::ALL.map(Self::as_str).join(", ");
            format!("`{text}` is not a class of references; there is: {names}")
        })
    }
}

/// One entry of `[[temporary]]`: a reference that is used for a while, with its reason.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Temporary {
    /// The whole entry.
    pub span: Span,
    /// The reference; without tag and digest it stands for all of that name.
    pub reference: Spanned<Reference>,
    /// Why.
    pub reason: Spanned<String>,
    /// Where its end is followed.
    pub issue: Spanned<String>,
    /// First day.
    pub added: Spanned<Date>,
    /// Last day.
    pub expires: Spanned<Date>,
}

impl PolicySettings {
    /// Takes the tables of the policy out of the root table.
    pub(super) fn decode(root: &mut Table<'_>) -> Self {
        root.held_by::<Self>();
        let mut policy = Self::default();
        let references = root.optional("references");
        let retention = references.and_then(|item| item.table(|table| Some(policy.decode_references(table)))).flatten();
        if let Some(item) = root.optional("tags") {
            item.table(|table| {
                policy.moving = table.optional("moving").and_then(|item| item.list(Item::line));
                policy.immutable = texts(table, "immutable").unwrap_or_default();
                Some(())
            });
        }
        policy.versions = root.optional("versions").and_then(|item| item.table(decode_versions)).unwrap_or_default();
        let temporary = root.optional("temporary");
        let temporary = temporary.and_then(|item| item.list(|entry| decode_temporary(entry, retention)));
        policy.temporary = temporary.unwrap_or_default();
        let environments = root.optional("environments").and_then(|item| item.table(environment::decode_all));
        policy.environments = environments.unwrap_or_default();
        policy
    }

    /// Returns the retention.
    fn decode_references(&mut self, table: &mut Table<'_>) -> Option<i64> {
        for class in ReferenceClass::ALL {
            if let Some(patterns) = texts(table, class.as_str()) {
                self.classes.insert(class, patterns);
            }
        }
        self.known_registries = texts(table, "known-registries");
        self.ignore = texts(table, "ignore").unwrap_or_default();
        table.optional("retention").and_then(|item| item.integer(1..=3650)).map(|days| days.value)
    }
}

fn texts(table: &mut Table<'_>, key: &'static str) -> Option<Vec<Spanned<String>>> {
    table.optional(key).and_then(|item| item.list(Item::line))
}

fn decode_versions(table: &mut Table<'_>) -> Option<Vec<(Spanned<String>, Spanned<String>)>> {
    Some(table.named::<String>().into_iter().filter_map(|(pattern, item)| Some((pattern, item.line()?))).collect())
}

fn decode_temporary(entry: &Item<'_>, retention: Option<i64>) -> Option<Temporary> {
    let temporary = entry.table(|table| {
        let reference = table.required("reference").and_then(|item| item.parsed());
        let reason = table.required("reason").and_then(|item| item.line());
        let issue = table.required("issue").and_then(|item| item.line());
        let added = table.required("added").and_then(|item| item.date());
        let expires = table.required("expires").and_then(|item| item.date());
        Some(Temporary {
            span: table.span,
            reference: reference?,
            reason: reason?,
            issue: issue?,
            added: added?,
            expires: expires?,
        })
    })?;
    let (added, expires) = (temporary.added.value, temporary.expires.value);
    let days = expires.days() - added.days();
    let wrong = |message: String, help: String| {
        let report = Diagnostic::error("out-of-range", message).label(temporary.expires.span, "");
        entry.diagnose(report.label(temporary.added.span, "added here").help(help));
    };
    match retention {
        _ if days < 0 => {
            wrong("`expires` is before `added`".to_owned(), "write the last day that it may be used".to_owned())
        }
        Some(retention) if days > retention => {
            let last = added.plus(retention);
            let message = format!("the image is kept for {retention} days, and this reference is wanted for {days}");
            wrong(
                message,
                format!("write {last} or earlier; `retention` in [references] says how long images are kept"),
            );
        }
        _ => {}
    }
    Some(temporary)
}
