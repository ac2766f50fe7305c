//! Why an image would be built again: the differences between what it was built from and its plan, as values. Pure.
//!
//! | file | is |
//! |---|---|
//! | `change.rs` | [`Change`]: one reason, and its line of text |
//! | `recorded.rs` | [`Recorded`]: what is known of the last build |
//! | `summary.rs` | the label that an image carries, for those who have no record |
//! | `image.rs`, `component.rs`, `files.rs` | what is compared |
//! | `derived.rs` | what only follows from something else is left out |
//!
//! **Plans are compared as documents** (JSON), because the last build may be one of an older tool, and because a field that is
//! new in the model is then compared with the others. What is not hashed is not compared: [`super::fingerprint`] has the list.
//!
//! **Complete**: where two fingerprints differ at least one change is named that is not the stamp; where they are equal none
//! is. Tests hold every field of the model to it. [`What::Other`] is the net below: it says that something changed which has no
//! name here.

mod change;
mod component;
mod derived;
mod files;
mod image;
mod recorded;
mod summary;

pub use change::{Change, What};
pub use recorded::{RecordError, Recorded};
pub use summary::{LABEL, label};

use std::collections::BTreeSet;

use serde_json::Value;

use super::ImagePlan;

/// Why an image would be built again, sorted; nothing when it would not. Labels of the stamp come last.
///
/// Both are for one platform, or both for all of an image; see [`ImagePlan::for_platform`]. What only an engine knows counts
/// as it stands in the plan; [`ImagePlan::with_found`] puts it there.
pub fn changes(before: &Recorded, now: &ImagePlan) -> Vec<Change> {
    between(before, &Recorded::of(now))
}

/// [`changes`] for two documents.
pub fn between(before: &Recorded, after: &Recorded) -> Vec<Change> {
    // what is compared is what the one that says less has
    if after.is_summary && !before.is_summary {
        let mut all: Vec<Change> = between(after, before).into_iter().map(Change::reversed).collect();
        all.sort_by(|one, other| one.is_stamp().cmp(&other.is_stamp()).then_with(|| one.cmp(other)));
        return all;
    }
    let stamp = stamp(before, after);
    if before.fingerprint() == after.fingerprint() {
        return stamp;
    }
    let mut named = named(before, after);
    if named.is_empty() {
        named.push(Change::of(What::Other, ""));
    }
    named.extend(stamp);
    named
}

/// Every hashed thing that differs, whatever the fingerprints say.
fn named(before: &Recorded, after: &Recorded) -> Vec<Change> {
    let mut all = Changes::default();
    if let (Some(old), Some(new)) = (before.fingerprint_version, after.fingerprint_version)
        && old != new
    {
        all.push(None, What::FingerprintVersion, "", Some(old.to_string()), Some(new.to_string()));
    }
    image::compare(before, after, &mut all);
    component::compare(before, after, &mut all);
    derived::without(all.0).into_iter().collect()
}

/// Labels that are no inputs.
fn stamp(before: &Recorded, after: &Recorded) -> Vec<Change> {
    let unknown = |side: &Recorded| side.is_summary && side.plan.get("stamp").is_none();
    if unknown(before) || unknown(after) {
        return Vec::new();
    }
    let mut all = Changes::default();
    let (old, new) = (before.plan.get("stamp"), after.plan.get("stamp"));
    all.map(old, new, |all, key, old, new| all.push(None, What::Stamp, key, text(old), text(new)));
    all.0.into_iter().collect()
}

/// Changes on their way.
#[derive(Debug, Default)]
struct Changes(BTreeSet<Change>);

impl Changes {
    /// Adds a change; two equal values are none.
    fn push(
        &mut self,
        component: Option<&str>,
        what: What,
        subject: &str,
        before: Option<String>,
        after: Option<String>,
    ) {
        if before != after {
            let component = component.map(str::to_owned);
            self.0.insert(Change { component, what, subject: subject.to_owned(), before, after });
        }
    }

    /// Adds a change of a value.
    fn value(
        &mut self,
        component: Option<&str>,
        what: What,
        subject: &str,
        before: Option<&Value>,
        after: Option<&Value>,
    ) {
        // that something is a list or a text must not hide that it is another one
        if before != after {
            self.push(
                component,
                what,
                subject,
                Some(text(before).unwrap_or_default()),
                Some(text(after).unwrap_or_default()),
            );
        }
    }

    /// Adds what is in one list and not in the other.
    fn members(&mut self, component: Option<&str>, what: What, before: Option<&Value>, after: Option<&Value>) {
        let set = |list: Option<&Value>| -> BTreeSet<String> {
            list.and_then(Value::as_array).into_iter().flatten().filter_map(|item| text(Some(item))).collect()
        };
        let (old, new) = (set(before), set(after));
        old.difference(&new).for_each(|name| self.push(component, what, name, Some(String::new()), None));
        new.difference(&old).for_each(|name| self.push(component, what, name, None, Some(String::new())));
    }

    /// Calls for each key of two objects whose values are not the same.
    fn map<'v>(
        &mut self,
        before: Option<&'v Value>,
        after: Option<&'v Value>,
        mut differs: impl FnMut(&mut Self, &str, Option<&'v Value>, Option<&'v Value>),
    ) {
        for key in keys(before, after) {
            let (old, new) = (before.and_then(|map| map.get(&key)), after.and_then(|map| map.get(&key)));
            if old != new {
                differs(self, &key, old, new);
            }
        }
    }
}

/// The keys of two objects.
fn keys(before: Option<&Value>, after: Option<&Value>) -> BTreeSet<String> {
    [before, after].into_iter().flatten().filter_map(Value::as_object).flat_map(|map| map.keys().cloned()).collect()
}

/// A value as text: a string as it is, nothing for null, anything else as JSON.
fn text(value: Option<&Value>) -> Option<String> {
    match value? {
        Value::Null => None,
        Value::String(text) => Some(text.clone()),
        other => Some(other.to_string()),
    }
}

#[cfg(test)]
mod tests;
