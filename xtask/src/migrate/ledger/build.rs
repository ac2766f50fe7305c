//! From what is written to the ledger.

use std::collections::BTreeMap;

use super::entry::{Entry, Ledger};
use crate::manifest::{
    ComponentManifest, LedgerFile, Manifests, Mirrors, NamePattern, Replaces, Retired, RetirementKind, TagRule,
    VersionSource,
};
use crate::source::Spanned;

/// Puts a ledger together.
#[derive(Debug, Clone, Default)]
pub struct Builder {
    ledger: Ledger,
}

impl Builder {
    /// Adds a ledger file.
    #[must_use]
    pub fn file(mut self, file: &LedgerFile) -> Self {
        self.ledger.entries.extend(file.retired.iter().map(retired));
        self.ledger.newest.extend(file.newest.iter().map(|(name, newest)| (name.clone(), newest.value.clone())));
        self
    }

    /// Adds what the manifests of a workspace say: `[[replaces]]` of its components, and `[[retired]]` of its settings.
    #[must_use]
    pub fn manifests(mut self, manifests: &Manifests) -> Self {
        for component in manifests.components.values() {
            let goal = goal(manifests, component).unwrap_or_default();
            let entry = |replaces: &Replaces| match &replaces.replacement {
                Some(name) => replaced(replaces, &Goal { name: Some(name.value.to_string()), newest: None }),
                None => replaced(replaces, &goal),
            };
            self.ledger.entries.extend(component.replaces.iter().map(entry));
        }
        self.file(&manifests.settings.ledger)
    }

    /// The ledger.
    pub fn finish(self) -> Ledger {
        self.ledger
    }
}

/// What a component became part of.
#[derive(Debug, Clone, Default)]
struct Goal {
    name: Option<String>,
    /// Its version, where that is known without asking cargo.
    newest: Option<String>,
}

/// The one image that contains a component; none when several do, for then nobody can tell which is meant.
fn goal(manifests: &Manifests, component: &ComponentManifest) -> Option<Goal> {
    let contains = |image: &&crate::manifest::ImageDefinition| {
        image.features.dependencies.keys().any(|name| *name == component.name.value)
    };
    let mut images = manifests.images.values().filter(contains);
    let image = images.next().filter(|_| images.next().is_none())?;
    let registry = manifests.settings.registry.as_ref().map(|path| path.value.as_str());
    let name = registry.map_or_else(|| image.name.value.to_string(), |path| format!("{path}/{}", image.name.value));
    let newest = match image.version.as_ref().map(|version| &version.value) {
        Some(VersionSource::Literal(version)) => Some(version.clone()),
        _ => None,
    };
    Some(Goal { name: Some(name), newest })
}

fn replaced(replaces: &Replaces, goal: &Goal) -> Entry {
    let reference = &replaces.image.value;
    let name = NamePattern::new(reference.registry(), reference.repository());
    let names = vec![name];
    let contract = replaces.contract.as_ref().map(|contract| words(&contract.command.value));
    let floor = replaces.floor.as_ref().map(|floor| floor.value.clone());
    Entry {
        span: replaces.image.span,
        product: None,
        text: reference.to_string(),
        mirrors: mirrors(&names, replaces.kind.value, goal.name.as_deref()),
        names,
        kind: replaces.kind.value,
        since: replaces.since.iter().map(|since| since.value.clone()).collect(),
        replacement: goal.name.clone().filter(|_| replaces.kind.value != RetirementKind::Withdrawn),
        floor,
        platform_floors: BTreeMap::new(),
        tag: TagRule::AppVersion(None),
        suffixes: Vec::new(),
        command: replaces.command.as_ref().map(|command| words(&command.value)).or_else(|| contract.clone()),
        args: None,
        old_command: contract,
        until: None,
        consumer_default: false,
        keys: Vec::new(),
        slot: None,
        note: None,
        newest: goal.newest.clone(),
    }
}

fn retired(retired: &Retired) -> Entry {
    let names: Vec<NamePattern> = std::iter::once(&retired.image)
        .chain(&retired.aliases)
        .flat_map(|pattern| pattern.value.names().iter().cloned())
        .collect();
    let line = |line: &Option<Spanned<String>>| line.as_ref().map(|line| line.value.clone());
    let kind = retired.kind.value;
    let replacement = line(&retired.replacement);
    let floors = retired.platform_floors.iter().map(|(platform, floor)| (platform.clone(), floor.value.clone()));
    Entry {
        span: retired.span,
        product: line(&retired.product),
        text: retired.image.value.to_string(),
        mirrors: retired.mirrors.map_or_else(|| mirrors(&names, kind, replacement.as_deref()), |mirrors| mirrors.value),
        names,
        kind,
        since: retired.since.iter().map(|since| since.value.clone()).collect(),
        replacement,
        floor: line(&retired.floor),
        platform_floors: floors.collect(),
        tag: retired.tag.as_ref().map_or_else(|| tag_rule(kind), |rule| rule.value.clone()),
        suffixes: retired.suffixes.iter().map(|suffix| suffix.value.clone()).collect(),
        command: retired.command.as_ref().map(|command| words(&command.value)),
        args: retired.args.as_deref().map(words),
        old_command: retired.old_command.as_ref().map(|command| words(&command.value)),
        until: line(&retired.until),
        consumer_default: retired.consumer_default,
        keys: retired.keys.iter().map(|key| key.value.clone()).collect(),
        slot: line(&retired.slot),
        note: line(&retired.note),
        newest: None,
    }
}

fn words(words: &[Spanned<String>]) -> Vec<String> {
    words.iter().map(|word| word.value.clone()).collect()
}

/// What holds when nothing is said. An old tag means something in a new repository only where somebody says so.
fn tag_rule(kind: RetirementKind) -> TagRule {
    match kind {
        RetirementKind::Folded | RetirementKind::MustBeAbsent => TagRule::AppVersion(None),
        _ => TagRule::Restart,
    }
}

/// What holds when nothing is said. A path of one part is anybody's, and an image that only changed its registry is the same
/// image wherever it is mirrored.
fn mirrors(names: &[NamePattern], kind: RetirementKind, goal: Option<&str>) -> Mirrors {
    let same_path = |name: &NamePattern| {
        let goal = goal.and_then(|goal| goal.replace("{name}", name.last()).parse::<NamePattern>().ok());
        goal.is_some_and(|goal| goal.parts == name.parts)
    };
    let only_moved = kind == RetirementKind::Moved && names.iter().any(same_path);
    if only_moved || names.iter().any(|name| name.parts.len() < 2) { Mirrors::None } else { Mirrors::Path }
}
