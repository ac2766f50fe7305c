//! What a scan says: a retired reference, where it stands, what should be there, and whether that can be put there.

use std::ops::Range;

use super::place::PlaceKind;
use crate::migrate::edit::Edit;

/// A retired reference in a file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Finding {
    /// Its bytes.
    pub range: Range<usize>,
    /// Line, from 1.
    pub line: usize,
    /// Column in characters, from 1; bytes that are no UTF-8 count as one each.
    pub column: usize,
    /// What kind of place it is.
    pub place: PlaceKind,
    /// The keys that lead there: `data.image`.
    pub path: String,
    /// What is written, split values put together.
    pub written: String,
    /// The ledger's entry, as an index.
    pub entry: usize,
    /// What should be there; empty when nothing should.
    pub expected: String,
    /// The edits, or why there are none.
    pub fix: Fix,
    /// Whether the old name is still published.
    pub severity: Severity,
    /// What else to know, one line each.
    pub notes: Vec<String>,
    /// The Kubernetes object that it belongs to.
    pub object: Option<Object>,
    /// Number of the YAML document, for values that must agree.
    pub document: usize,
}

/// Edits, or a reason.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Fix {
    /// These put it right.
    Edits(Vec<Edit>),
    /// It cannot be put right without a decision; the text says why, and what to do.
    Explained(String),
}

/// How bad it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, serde::Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Severity {
    /// The old name is published until a later version.
    Warning,
    /// It is gone.
    Error,
}

/// An object of Kubernetes, as far as lines tell.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, serde::Serialize)]
pub struct Object {
    /// `Deployment`, `Pod`, …
    pub kind: String,
    /// Its name; empty when it has none that can be read.
    pub name: String,
}

impl Finding {
    /// Whether it can be put right.
    pub fn is_fixable(&self) -> bool {
        matches!(self.fix, Fix::Edits(_))
    }

    /// The edits.
    pub fn edits(&self) -> &[Edit] {
        match &self.fix {
            Fix::Edits(edits) => edits,
            Fix::Explained(_) => &[],
        }
    }

    /// Why it cannot be put right.
    pub fn reason(&self) -> Option<&str> {
        match &self.fix {
            Fix::Edits(_) => None,
            Fix::Explained(why) => Some(why),
        }
    }
}

impl Object {
    /// Whether a change of its pod template replaces pods that run.
    pub fn rolls_out(&self) -> bool {
        const KINDS: [&str; 7] =
            ["CloneSet", "DaemonSet", "Deployment", "DeploymentConfig", "ReplicaSet", "Rollout", "StatefulSet"];
        KINDS.contains(&self.kind.as_str())
    }

    /// Whether pods come of it.
    pub fn has_pods(&self) -> bool {
        const OTHERS: [&str; 5] = ["CronJob", "Job", "Pod", "PodTemplate", "ReplicationController"];
        self.rolls_out() || OTHERS.contains(&self.kind.as_str())
    }
}
