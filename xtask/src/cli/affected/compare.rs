//! Two plans, compared by fingerprint. Pure.
//!
//! | is | when |
//! |---|---|
//! | an image changed | its fingerprint on a platform, its platforms, or its references are other ones |
//! | a component changed | in an image that both plans have, its fingerprint, version, features or roles are other ones; where there is no such image, one of all that it has now was not there before |
//! | added, removed | only one of the plans has it, and of a component only one of the workspaces |
//!
//! A component that was there and in no image that is compared counts as changed: what it was is not known.

use std::collections::{BTreeMap, BTreeSet};

use serde::Serialize;

use crate::oci::Platform;
use crate::plan::{ComponentPlan, ImagePlan, Plan};

/// What happened to something.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "lowercase")]
pub(super) enum Change {
    Added,
    Changed,
    Removed,
}

/// All differences, sorted by name.
#[derive(Debug, Default, PartialEq, Eq, Serialize)]
pub(super) struct Affected {
    pub(super) components: Vec<ComponentChange>,
    pub(super) images: Vec<ImageChange>,
}

/// A component, or one of an image.
#[derive(Debug, PartialEq, Eq, Serialize)]
pub(super) struct ComponentChange {
    pub(super) name: String,
    pub(super) change: Change,
}

/// An image.
#[derive(Debug, PartialEq, Eq, Serialize)]
pub(super) struct ImageChange {
    /// `IMAGE` or `IMAGE=VARIANT`.
    pub(super) id: String,
    pub(super) image: String,
    pub(super) variant: Option<String>,
    pub(super) change: Change,
    /// The platforms on which it is another one now.
    pub(super) platforms: Vec<Platform>,
    /// The components that make it another one.
    pub(super) through: Vec<ComponentChange>,
    /// What else does.
    pub(super) also: Vec<Cause>,
}

/// What makes an image another one, besides its components.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "lowercase")]
pub(super) enum Cause {
    /// The image below it.
    Base,
    /// What the image definition or the settings say of it.
    Definition,
    /// The references that it gets.
    References,
    /// The workspace's own templates.
    Templates,
    /// There is nothing to compare with.
    Unknown,
}

/// A plan, and the components of its workspace, whether or not an image has them.
#[derive(Clone, Copy)]
pub(super) struct Side<'p> {
    pub(super) plan: &'p Plan,
    pub(super) components: &'p BTreeSet<String>,
}

/// What is different in `new`; without an old plan, everything.
pub(super) fn compare(before: Option<Side<'_>>, now: Side<'_>) -> Affected {
    let new = now.plan;
    let Some(Side { plan: old, components: known }) = before else { return everything(new) };
    let images: BTreeMap<&str, &ImagePlan> = old.images.iter().map(|image| (image.id.as_str(), image)).collect();
    let after: BTreeSet<&str> = new.images.iter().map(|image| image.id.as_str()).collect();
    let present = new.images.iter().filter_map(|image| match images.get(image.id.as_str()) {
        Some(old) => changed(old, image),
        None => Some(whole(image, Change::Added, image.platforms.clone())),
    });
    let gone = old.images.iter().filter(|image| !after.contains(image.id.as_str()));
    let mut images: Vec<ImageChange> =
        present.chain(gone.map(|image| whole(image, Change::Removed, Vec::new()))).collect();
    images.sort_by(|a, b| a.id.cmp(&b.id));
    Affected { components: components(Side { plan: old, components: known }, now), images }
}

fn everything(new: &Plan) -> Affected {
    let image = |image: &ImagePlan| ImageChange {
        also: vec![Cause::Unknown],
        ..whole(image, Change::Changed, image.platforms.clone())
    };
    let names: BTreeSet<&str> =
        new.images.iter().flat_map(|image| &image.components).map(|part| part.name.as_str()).collect();
    Affected {
        components: names.into_iter().map(|name| component(name, Change::Changed)).collect(),
        images: new.images.iter().map(image).collect(),
    }
}

fn whole(image: &ImagePlan, change: Change, platforms: Vec<Platform>) -> ImageChange {
    ImageChange {
        id: image.id.clone(),
        image: image.name.to_string(),
        variant: image.variant.as_ref().map(ToString::to_string),
        change,
        platforms,
        through: Vec::new(),
        also: Vec::new(),
    }
}

fn component(name: &str, change: Change) -> ComponentChange {
    ComponentChange { name: name.to_owned(), change }
}

/// How an image differs, if it does.
fn changed(old: &ImagePlan, new: &ImagePlan) -> Option<ImageChange> {
    let same_name = old.tags == new.tags;
    let same_on = |platform: &&Platform| {
        let (old, new) = (old.for_platform(platform), new.for_platform(platform));
        same_name && old.fingerprint == new.fingerprint && old.stamp == new.stamp
    };
    let differs = |platform: &&Platform| !old.platforms.contains(platform) || !same_on(platform);
    let platforms: Vec<Platform> = new.platforms.iter().filter(differs).cloned().collect();
    if platforms.is_empty() && old.platforms == new.platforms {
        return None;
    }
    let (through, also) = (through(old, new), also(old, new));
    let also = if through.is_empty() && also.is_empty() { vec![Cause::Definition] } else { also };
    Some(ImageChange { through, also, ..whole(new, Change::Changed, platforms) })
}

fn through(old: &ImagePlan, new: &ImagePlan) -> Vec<ComponentChange> {
    let (before, after) = (parts(old), parts(new));
    let names: BTreeSet<&str> = before.keys().chain(after.keys()).copied().collect();
    let change = |name: &str| match (before.get(name), after.get(name)) {
        (None, _) => Some(Change::Added),
        (_, None) => Some(Change::Removed),
        (Some(old), Some(new)) => (identity(old) != identity(new)).then_some(Change::Changed),
    };
    names.into_iter().filter_map(|name| change(name).map(|change| component(name, change))).collect()
}

fn also(old: &ImagePlan, new: &ImagePlan) -> Vec<Cause> {
    let own = |image: &ImagePlan| {
        (image.given.description.clone(), image.given.default_role.clone(), image.given.labels.clone())
    };
    let definition = (old.mode, old.network, old.link, &old.features, &old.platforms)
        != (new.mode, new.network, new.link, &new.features, &new.platforms)
        || own(old) != own(new);
    let causes = [
        (Cause::Base, old.base.image != new.base.image),
        (Cause::Definition, definition),
        (Cause::References, old.tags != new.tags),
        (Cause::Templates, old.template != new.template),
    ];
    causes.into_iter().filter(|(_, differs)| *differs).map(|(cause, _)| cause).collect()
}

fn parts(image: &ImagePlan) -> BTreeMap<&str, &ComponentPlan> {
    image.components.iter().map(|part| (part.name.as_str(), part)).collect()
}

/// What a component is known by: the part of it that reaches an image.
fn identity(part: &ComponentPlan) -> String {
    serde_json::json!([part.fingerprint, part.version, part.features, part.roles, part.excluded]).to_string()
}

/// Every component that one of the plans has.
fn components(old: Side<'_>, new: Side<'_>) -> Vec<ComponentChange> {
    let (before, after) = (uses(old.plan), uses(new.plan));
    let names: BTreeSet<&str> = before.keys().chain(after.keys()).copied().collect();
    let change = |name: &str| match (before.get(name), after.get(name)) {
        (None, _) if old.components.contains(name) => Some(Change::Changed),
        (None, _) => Some(Change::Added),
        (_, None) if new.components.contains(name) => None,
        (_, None) => Some(Change::Removed),
        (Some(old), Some(new)) => differs(old, new).then_some(Change::Changed),
    };
    names.into_iter().filter_map(|name| change(name).map(|change| component(name, change))).collect()
}

/// What a component is in each image that has it.
type Uses<'p> = BTreeMap<&'p str, String>;

fn uses(plan: &Plan) -> BTreeMap<&str, Uses<'_>> {
    let mut uses: BTreeMap<&str, Uses<'_>> = BTreeMap::new();
    for image in &plan.images {
        for part in &image.components {
            uses.entry(part.name.as_str()).or_default().insert(&image.id, identity(part));
        }
    }
    uses
}

fn differs(old: &Uses<'_>, new: &Uses<'_>) -> bool {
    let mut both = new.iter().filter_map(|(image, now)| Some((old.get(image)?, now))).peekable();
    if both.peek().is_some() {
        return both.any(|(before, now)| before != now);
    }
    let before: BTreeSet<&String> = old.values().collect();
    new.values().any(|now| !before.contains(now))
}
