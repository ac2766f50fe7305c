//! `advise`: manifests, rules and sizes → what to merge. It builds nothing and refuses nothing.

use std::collections::{BTreeMap, BTreeSet};

use camino::Utf8Path;

use super::args::{AdviseArguments, AdviseFormat};
use super::look::LAYOUTS;
use super::report::{definition, image_facts, open_store};
use super::session::Session;
use super::status::{ExitStatus, Stop};
use crate::check;
use crate::diagnostic::{Diagnostic, Level};
use crate::engine::native::layout_folder;
use crate::engine::store::Store;
use crate::lock::Builders;
use crate::manifest::Mode;
use crate::oci::Platform;
use crate::plan::{BuildPlan, ImagePlan, Plan};
use crate::report::advice::{self, ComponentFacts, FindingFacts, ImageFacts, RoleFacts, Weight};
use crate::report::consolidation::{LayerFacts, Owner};
use crate::resolve::{Resolution, ResolvedComponent, ResolvedImage, Selection};

pub(super) fn run(arguments: &AdviseArguments, session: &Session<'_>) -> Result<ExitStatus, Stop> {
    let loaded = session.load()?;
    let selection = arguments.selection.selection(false);
    let in_modes = |modes: Vec<Mode>| Selection { modes, ..selection.clone() };
    let own = session.resolve(&loaded, &in_modes(Vec::new()))?;
    let merged = session.resolve(&loaded, &in_modes(vec![Mode::Colocated]))?;
    // parts are put on what the whole is put on, so that one look at the lock file does for both
    let pins = session.pins(&loaded, &merged, Builders::NotUsed)?;
    let plan = session.plan(&loaded, &merged, &pins)?;
    let split = session.plan(&loaded, &session.resolve(&loaded, &in_modes(vec![Mode::Split]))?, &pins)?;
    let platform = arguments.platform.clone().unwrap_or_else(Platform::of_this_machine);
    let mut layouts = Layouts { root: &loaded.workspace.root, platform, store: None };
    let mut images = Vec::new();
    let mut layers = Vec::new();
    for (image, planned) in merged.images.iter().zip(&plan.images) {
        let id = definition(image.definition.name.value.as_str(), image.variant);
        let mode = own.images.iter().find(|own| is_same(own, image)).map_or(Mode::Colocated, |own| own.mode);
        let parts = split.images.iter().filter(|part| (&part.name, &part.variant) == (&planned.name, &planned.variant));
        let sizes = layouts.sizes(planned, &id, mode, parts)?;
        images.push(facts(&merged, image, planned, &id, mode, &sizes));
        layers.push((id, sizes));
    }
    note_what_is_shared(&mut images, &layers);
    let advice = advice::advise(&images);
    match arguments.format {
        AdviseFormat::Text => session.output.data(&advice::text(&advice))?,
        AdviseFormat::Markdown => session.output.data(&advice::markdown(&advice))?,
        AdviseFormat::Json => session.output.json(&advice)?,
    }
    Ok(ExitStatus::Done)
}

fn is_same(a: &ResolvedImage<'_>, b: &ResolvedImage<'_>) -> bool {
    (&a.definition.name.value, a.variant) == (&b.definition.name.value, b.variant)
}

/// What layouts tell of an image.
#[derive(Default)]
struct Sizes {
    /// The layer of each component.
    components: BTreeMap<String, LayerFacts>,
    /// Unique bytes by mode.
    modes: BTreeMap<String, Weight>,
}

/// The layouts of a workspace, as they were built last.
struct Layouts<'w> {
    root: &'w Utf8Path,
    platform: Platform,
    store: Option<Store>,
}

impl Layouts<'_> {
    fn sizes<'p>(
        &mut self,
        merged: &ImagePlan,
        id: &str,
        own: Mode,
        parts: impl Iterator<Item = &'p ImagePlan>,
    ) -> Result<Sizes, Stop> {
        let mut sizes = Sizes::default();
        let named = |mode: Mode| if mode == own { id.to_owned() } else { format!("{id}+{mode}") };
        let in_mode = |mode| ImagePlan { id: named(mode), mode, ..merged.clone() };
        let parts: Vec<ImagePlan> = parts.cloned().collect();
        for (mode, plans) in [
            (Mode::Split, parts),
            (Mode::Colocated, vec![in_mode(Mode::Colocated)]),
            (Mode::Multicall, vec![in_mode(Mode::Multicall)]),
        ] {
            let Some(layers) = self.layers(&plans)? else { continue };
            sizes.modes.insert(mode.to_string(), weight(&layers));
            for layer in layers {
                if let Owner::Component(name) = &layer.owner
                    && mode != Mode::Multicall
                {
                    sizes.components.entry(name.clone()).or_insert(layer);
                }
            }
        }
        Ok(sizes)
    }

    /// The layers of some images, if all of them are there for the platform, in the mode that is meant.
    fn layers(&mut self, plans: &[ImagePlan]) -> Result<Option<Vec<LayerFacts>>, Stop> {
        let plans: Vec<&ImagePlan> = plans.iter().filter(|plan| plan.platforms.contains(&self.platform)).collect();
        if plans.is_empty() || !plans.iter().all(|plan| self.has(plan)) {
            return Ok(None);
        }
        let store = match self.store.take() {
            Some(store) => store,
            None => open_store(self.root)?,
        };
        let mut layers = Vec::new();
        for plan in plans {
            // one for another platform, or of another mode, tells nothing; `report` builds what is meant
            match image_facts(plan, &self.platform, self.root, &store) {
                Ok(facts) if facts.mode == Some(plan.mode.to_string()) => layers.extend(facts.image.layers),
                Ok(_) | Err(_) => {
                    self.store = Some(store);
                    return Ok(None);
                }
            }
        }
        self.store = Some(store);
        Ok(Some(layers))
    }

    fn has(&self, plan: &ImagePlan) -> bool {
        self.root.join(LAYOUTS).join(layout_folder(&plan.id)).join("index.json").exists()
    }
}

/// Bytes of some layers, each once.
fn weight(layers: &[LayerFacts]) -> Weight {
    let unique: BTreeMap<&str, Weight> = layers.iter().map(|layer| (layer.diff_id.as_str(), of(layer))).collect();
    let sum = |sum: Weight, own: Weight| Weight { bytes: sum.bytes + own.bytes, gzip: sum.gzip + own.gzip };
    unique.into_values().fold(Weight::default(), sum)
}

fn of(layer: &LayerFacts) -> Weight {
    Weight { bytes: layer.bytes.unwrap_or_default(), gzip: layer.gzip.unwrap_or_default() }
}

fn facts(
    merged: &Resolution<'_>,
    image: &ResolvedImage<'_>,
    planned: &ImagePlan,
    id: &str,
    mode: Mode,
    sizes: &Sizes,
) -> ImageFacts {
    let alone = Resolution { images: vec![image.clone()], ..merged.clone() };
    let plan = Plan { schema: 1, images: vec![planned.clone()] };
    let provided = image.components.iter().flat_map(|component| &component.manifest.provides);
    let provides = image.base.provides.iter().chain(provided).map(|need| need.value.to_string());
    ImageFacts {
        id: id.to_owned(),
        mode: mode.to_string(),
        base: image.base.name.value.to_string(),
        provides: provides.collect(),
        platforms: image.platforms.iter().map(ToString::to_string).collect(),
        components: image.components.iter().map(|own| component(own, planned, sizes)).collect(),
        findings: check::run(&alone, &plan).iter().filter_map(|found| finding(found, image)).collect(),
        modes: sizes.modes.clone(),
    }
}

fn component(own: &ResolvedComponent<'_>, image: &ImagePlan, sizes: &Sizes) -> ComponentFacts {
    let planned = image.components.iter().find(|part| part.name == *own.name());
    let role = |role: &crate::resolve::ResolvedRole<'_>| {
        let planned = planned.and_then(|part| part.roles.get(role.name));
        RoleFacts {
            name: role.name.to_string(),
            user: planned.map(|role| role.user.clone()).unwrap_or_default(),
            needs: role.role.needs.iter().map(|need| need.value.to_string()).collect(),
            boundary: role.role.boundary.as_ref().map(|boundary| boundary.value.clone()),
            waits_for: role.role.waits_for.iter().map(|name| name.value.to_string()).collect(),
        }
    };
    ComponentFacts {
        name: own.name().to_string(),
        is_cargo: planned.is_some_and(|part| matches!(part.build, BuildPlan::Cargo { .. })),
        excluded: own.excluded.iter().map(ToString::to_string).collect(),
        roles: own.roles.iter().map(role).collect(),
        weight: sizes.components.get(own.name().as_str()).map(of),
        also_in: Vec::new(),
    }
}

/// What keeps components apart, or would if it was not accepted; the rest is for `check`.
fn finding(found: &Diagnostic, image: &ResolvedImage<'_>) -> Option<FindingFacts> {
    let accepted = found.notes.iter().find_map(|note| note.strip_prefix("accepted: ")).map(str::to_owned);
    let is_denied = found.level == Level::Error;
    (is_denied || accepted.is_some()).then(|| FindingFacts {
        rule: found.code.to_owned(),
        message: found.message.clone(),
        accepted,
        is_denied,
        components: named(&found.message, image),
    })
}

/// The components that a message names, by themselves or by their roles.
fn named(message: &str, image: &ResolvedImage<'_>) -> Vec<String> {
    let pieces: Vec<&str> = message.split('`').collect();
    let quoted = pieces.windows(2).enumerate().filter(|(index, pair)| index % 2 == 0 && !pair[0].ends_with("image "));
    let words: BTreeSet<&str> = quoted.map(|(_, pair)| pair[1]).collect();
    let is_named = |component: &&ResolvedComponent<'_>| {
        words.contains(component.name().as_str())
            || component.roles.iter().any(|role| words.contains(role.name.as_str()))
    };
    image.components.iter().filter(is_named).map(|component| component.name().to_string()).collect()
}

/// The same layer in several images is stored once, whatever is decided in one of them.
fn note_what_is_shared(images: &mut [ImageFacts], layers: &[(String, Sizes)]) {
    for (index, image) in images.iter_mut().enumerate() {
        let others = layers.iter().enumerate().filter(|(other, _)| *other != index).map(|(_, other)| other);
        for component in &mut image.components {
            let Some(own) = layers[index].1.components.get(&component.name) else { continue };
            let has = |sizes: &Sizes| sizes.components.values().any(|layer| layer.diff_id == own.diff_id);
            component.also_in = others.clone().filter(|(_, sizes)| has(sizes)).map(|(id, _)| id.clone()).collect();
        }
    }
}
