//! Resource modifiers as Velero means them: what is left when the file was read and its defaults were filled in.
//!
//! The schema is that of `internal/resourcemodifiers` in Velero 1.13 and later. An empty text is an absent one, as in Go.
//! [`super::written`] holds the same things as they were written, with places.

use std::collections::BTreeMap;

/// The only version that Velero knows.
pub const VERSION: &str = "v1";

/// The content of the one data key of the ConfigMap.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Modifiers {
    /// `v1`.
    pub version: String,
    /// Applied in this order; conditions see the object as it was backed up, patches add up.
    pub rules: Vec<Rule>,
}

/// Which objects are changed, and how: one of the three kinds of patches.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Rule {
    /// All of them must hold.
    pub conditions: Conditions,
    /// JSON patches (RFC 6902).
    pub patches: Vec<Patch>,
    /// JSON merge patches (RFC 7386), as YAML or JSON.
    pub merge_patches: Vec<String>,
    /// Strategic merge patches of Kubernetes, as YAML or JSON.
    pub strategic_patches: Vec<String>,
}

/// Which objects a rule changes.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Conditions {
    /// A glob for `resource` or `resource.group`, with `.` as separator.
    pub group_resource: String,
    /// A regular expression that matches anywhere in the name; all names when empty.
    pub resource_name_regex: String,
    /// Namespaces of the backup; all when empty, and never asked for objects without one.
    pub namespaces: Vec<String>,
    /// Labels of the object.
    pub label_selector: Option<Selector>,
    /// Values of the object.
    pub matches: Vec<Match>,
}

/// A label selector of Kubernetes.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Selector {
    /// Labels and their values.
    pub match_labels: BTreeMap<String, String>,
    /// Expressions, all of which must hold.
    pub match_expressions: Vec<Expression>,
}

/// One expression of a label selector.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Expression {
    /// The label.
    pub key: String,
    /// `In`, `NotIn`, `Exists` or `DoesNotExist`.
    pub operator: String,
    /// Values, for the first two.
    pub values: Vec<String>,
}

/// A value that the object must have; a path that it does not have is no match.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Match {
    /// A JSON pointer.
    pub path: String,
    /// The value, in the way of [`super::escape`].
    pub value: String,
}

/// One operation of a JSON patch.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Patch {
    /// `add`, `remove`, `replace`, `test`, `move` or `copy`.
    pub operation: String,
    /// A JSON pointer, for `move` and `copy`.
    pub from: String,
    /// A JSON pointer.
    pub path: String,
    /// The value, in the way of [`super::escape`].
    pub value: String,
}

impl Rule {
    /// Whether the rule changes anything.
    pub fn has_patch(&self) -> bool {
        !(self.patches.is_empty() && self.merge_patches.is_empty() && self.strategic_patches.is_empty())
    }
}
