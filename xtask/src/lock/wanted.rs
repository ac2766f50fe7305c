//! Which references are to be pinned: of a whole workspace, and of what one run uses.

use std::collections::{BTreeMap, BTreeSet};

use super::{ContractKey, Contracts, Key, Meaning, contract, identity, is_locked};
use crate::diagnostic::closest;
use crate::manifest::{BaseName, BuildKind, ComponentManifest, ComponentName, Manifests, OutsideName};
use crate::oci::{Mapping, Reference};
use crate::resolve::{Resolution, ResolvedBase, SCRATCH, ValueSource, builder_of};
use crate::source::Span;

/// References that are to be pinned, by key, and contracts whose meaning is to be remembered.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Wanted {
    wants: BTreeMap<Key, Want>,
    contracts: Contracts,
    /// The mirror that they are had from.
    mapping: Option<Mapping>,
}

/// One reference that is to be pinned.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Want {
    /// The reference as written, without a digest.
    pub reference: Reference,
    /// Where it is written.
    pub place: Option<Span>,
    /// Whether the lock file must have it. A base that only an override names is not in the file, and a builder that is not
    /// used need not be.
    pub required: bool,
}

/// Whether a run uses builders.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Builders {
    /// Programs are compiled in builder images.
    Used,
    /// Programs are compiled on this machine, or it is not known yet: pins that fit are used all the same, so that the plan
    /// does not depend on the engine, and none must be there.
    NotUsed,
}

impl Wanted {
    /// All of them, sorted by key.
    pub fn iter(&self) -> impl Iterator<Item = (&Key, &Want)> {
        self.wants.iter()
    }

    /// The mirror that they are had from.
    pub fn mapping(&self) -> Option<&Mapping> {
        self.mapping.as_ref()
    }

    /// The contracts of all components that count.
    pub fn contracts(&self) -> &Contracts {
        &self.contracts
    }

    /// The keys that use an image.
    pub fn users(&self, reference: &Reference) -> BTreeSet<Key> {
        let wanted = identity(reference);
        let same = self.wants.iter().filter(|(_, want)| identity(&want.reference) == wanted);
        same.map(|(key, _)| key.clone()).collect()
    }

    /// The keys that a word names: a key, the name in one, a reference with or without its tag.
    ///
    /// # Errors
    /// The closest word that does name something, if there is one.
    pub fn named(&self, word: &str) -> Result<BTreeSet<Key>, Option<String>> {
        let found = self.wants.iter().filter(|(key, want)| words(key, want).iter().any(|own| own == word));
        let found: BTreeSet<Key> = found.map(|(key, _)| key.clone()).collect();
        if !found.is_empty() {
            return Ok(found);
        }
        let known: Vec<String> = self.wants.iter().flat_map(|(key, want)| words(key, want)).collect();
        Err(closest(word, known.iter().map(String::as_str)).map(str::to_owned))
    }

    pub(super) fn promise(&mut self, contracts: impl IntoIterator<Item = (ContractKey, Meaning)>) {
        self.contracts.extend(contracts);
    }

    pub(super) fn insert(&mut self, key: Key, reference: &Reference, place: Option<Span>, required: bool) {
        let new = Want { reference: reference.clone(), place, required };
        let want = self.wants.entry(key).or_insert(new);
        want.required |= required;
    }
}

/// Every word that names a value.
fn words(key: &Key, want: &Want) -> Vec<String> {
    let reference = &want.reference;
    let canonical = reference.canonical();
    let untagged = |text: &str| match reference.tag() {
        Some(tag) => text.strip_suffix(tag).and_then(|name| name.strip_suffix(':')).unwrap_or(text).to_owned(),
        None => text.to_owned(),
    };
    let written = reference.to_string();
    let short = [untagged(&written), untagged(&canonical)];
    [key.to_string(), key.name().to_owned(), written, canonical].into_iter().chain(short).collect()
}

/// Every reference that any image of the workspace can use: all images, all variants, every feature. Overrides do not count.
pub fn of_workspace(manifests: &Manifests) -> Wanted {
    let (mut wanted, mut contracts) = (Wanted::default(), Contracts::new());
    let mut add = |key: Key, reference: &Reference, place: Span| {
        if reference.digest().is_none() {
            wanted.insert(key, reference, Some(place), true);
        }
    };
    let settings = &manifests.settings;
    for image in manifests.images.values().filter(|image| image.base.value.as_str() != SCRATCH) {
        if let Some(base) = settings.bases.get(&image.base.value)
            && let Some(reference) = base.image.value.reference()
        {
            add(Key::Base(image.base.value.clone()), reference, base.image.span);
        }
    }
    for component in reachable(manifests) {
        contracts.extend(contract::of_component(component));
        if let BuildKind::Image(build) = &component.build.kind
            && let Some(reference) = build.image.value.reference()
        {
            add(Key::Component(component.name.value.clone()), reference, build.image.span);
        }
        if let Some(name) = source_base(component)
            && let Some(base) = settings.bases.get(name)
            && let Some(reference) = base.image.value.reference()
        {
            add(Key::Base(name.clone()), reference, base.image.span);
        }
        if let BuildKind::Dockerfile(build) = &component.build.kind {
            let name = |name: &OutsideName| Key::Outside(component.name.value.clone(), name.clone());
            build.outside().for_each(|(own, outside)| add(name(own), &outside.image.value, outside.image.span));
        }
        if let Some(name) = builder_of(component)
            && let Some(builder) = settings.builders.get(&name)
        {
            add(Key::Builder(name), &builder.image.value, builder.image.span);
        }
    }
    Wanted { contracts, ..wanted }
}

/// The base of the image that a component is taken from, where its manifest names it.
fn source_base(component: &ComponentManifest) -> Option<&BaseName> {
    let BuildKind::Image(build) = &component.build.kind else { return None };
    build.above.as_ref()?.base.as_ref().map(|base| &base.value)
}

/// Every component that some features bring into some image.
fn reachable(manifests: &Manifests) -> impl Iterator<Item = &ComponentManifest> {
    let mut found = BTreeSet::<&ComponentName>::new();
    let mut open: Vec<&ComponentName> =
        manifests.images.values().flat_map(|image| image.features.dependencies.keys()).collect();
    while let Some(name) = open.pop() {
        if found.insert(name) {
            let component = manifests.components.get(name);
            open.extend(component.into_iter().flat_map(|component| component.features.dependencies.keys()));
        }
    }
    found.into_iter().filter_map(|name| manifests.components.get(name))
}

/// The references that the images of a resolution use and that the lock file decides about.
pub fn of_resolution(resolution: &Resolution<'_>, builders: Builders) -> Wanted {
    let mut wanted = Wanted { mapping: resolution.mapping.clone(), ..Wanted::default() };
    let settings = &resolution.manifests.settings;
    for image in &resolution.images {
        add_base(&image.base, &mut wanted);
        for component in &image.components {
            wanted.promise(contract::of_component(component.manifest));
            if let (Some(image), BuildKind::Image(build)) = (&component.image, &component.manifest.build.kind)
                && let Some(reference) = image.value.reference()
            {
                let (key, place) = (Key::Component(component.name().clone()), Some(build.image.span));
                add(key, (reference, &image.source), place, true, &mut wanted);
            }
            if let BuildKind::Dockerfile(build) = &component.manifest.build.kind {
                for (name, image) in &component.outside {
                    let place = build.outside().find(|(own, _)| *own == name).map(|(_, written)| written.image.span);
                    let key = Key::Outside(component.name().clone(), name.clone());
                    add(key, (&image.value, &image.source), place, builders == Builders::Used, &mut wanted);
                }
            }
            component.source_base.iter().for_each(|base| add_base(base, &mut wanted));
            if let Some(name) = builder_of(component.manifest)
                && let Some(image) = resolution.builders.get(&name)
            {
                let place = settings.builders.get(&name).map(|builder| builder.image.span);
                let value = (&image.value, &image.source);
                add(Key::Builder(name), value, place, builders == Builders::Used, &mut wanted);
            }
        }
    }
    wanted
}

fn add_base(base: &ResolvedBase<'_>, wanted: &mut Wanted) {
    if let Some(image) = &base.image
        && let Some(reference) = image.value.reference()
    {
        let place = base.definition.map(|definition| definition.image.span);
        let named_here = base.name.source == ValueSource::Manifest;
        add(Key::Base(base.name.value.clone()), (reference, &image.source), place, named_here, wanted);
    }
}

/// Adds a reference, with where it comes from. Folders, archives and daemons of this machine have no pin.
fn add(
    key: Key,
    (reference, source): (&Reference, &ValueSource),
    place: Option<Span>,
    required: bool,
    wanted: &mut Wanted,
) {
    if is_locked(reference, source) {
        wanted.insert(key, reference, place, required);
    }
}
