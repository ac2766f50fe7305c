//! The program as a component of the plan, and what is left of the components that are in it.

use std::collections::BTreeMap;

use camino::Utf8Path;

use super::super::build::BuildPlan;
use super::super::inputs::{compiled_inputs, own_folder};
use super::super::model::{ComponentPlan, Found, InstallPlan, LinkPlan};
use super::super::pruned::PrunedKey;
use super::super::{Read, component, fingerprint, is_hermetic};
use super::{NAME, PACKAGE, cargo, path};
use crate::diagnostic::Problems;
use crate::lock::Pins;
use crate::manifest::{ImagePath, InstallFrom, Mode};
use crate::plan::PrunedWorkspaces;
use crate::resolve::{Resolution, ResolvedComponent, ResolvedImage};
use crate::workspace::Want;

/// Permission bits of the program.
const EXECUTABLE: u32 = 0o755;

/// The folders of the workspace that the program of an image is compiled from.
pub(in super::super) fn wants(image: &ResolvedImage<'_>, pruned: &PrunedWorkspaces, root: &Utf8Path) -> Vec<Want> {
    let Some(pruned) = pruned.get(&PrunedKey::Multicall(image.id())) else { return Vec::new() };
    let place = image.definition.mode.span;
    let own = pruned.entries.iter().filter_map(|entry| own_folder(entry, root));
    own.map(|(path, exclude)| Want { path, exclude, place, required: true, context: None }).collect()
}

/// The program of an image as one more component; `None` when the image has none, or a problem was reported.
pub(in super::super) fn plan(
    resolution: &Resolution<'_>,
    image: &ResolvedImage<'_>,
    pins: &Pins,
    read: &Read<'_>,
    problems: &mut Problems,
) -> Option<ComponentPlan> {
    if image.mode != Mode::Multicall {
        return None;
    }
    let pruned = read.pruned.get(&PrunedKey::Multicall(image.id()))?;
    let first = image.components.iter().find(|component| cargo(component).is_some())?;
    let place = first.manifest.build.span;
    let build = BuildPlan::Cargo {
        builder: component::builder(resolution, first.manifest, pins, problems)?,
        package: PACKAGE.to_owned(),
        bin: pruned.binary.clone(),
        features: Vec::new(),
        default_features: true,
        flags: pruned.flags.clone(),
        link: cargo(first)?.link,
        vendored: is_hermetic(resolution),
        merged: pruned.merged.clone(),
    };
    let install =
        InstallPlan { from: pruned.binary.clone(), to: path(image)?, mode: Some(EXECUTABLE), is_likely: false, place };
    let mut plan = ComponentPlan {
        exe: Vec::new(),
        name: NAME.parse().ok()?,
        version: String::new(),
        features: Vec::new(),
        excluded: image.platforms.iter().filter(|own| first.excluded.contains(own)).cloned().collect(),
        installs: vec![install],
        files: BTreeMap::new(),
        platform_files: BTreeMap::new(),
        links: BTreeMap::new(),
        roles: BTreeMap::new(),
        inputs: compiled_inputs(pruned, read),
        template: read.template("stages/cargo"),
        build,
        fingerprint: String::new(),
    };
    plan.fingerprint = fingerprint::component(&plan, &Found::default());
    Some(plan)
}

/// Links from the paths of a component's program to that which holds it; none where it has a program of its own.
pub(in super::super) fn links(
    image: &ResolvedImage<'_>,
    resolved: &ResolvedComponent<'_>,
) -> BTreeMap<ImagePath, LinkPlan> {
    let Some(program) = path(image).filter(|_| is_in(image, resolved)) else { return BTreeMap::new() };
    let installs = resolved.installs.iter().filter(|install| matches!(install.from.value, InstallFrom::Binary(_)));
    let link = |to: &ImagePath| LinkPlan { target: to.link_to(&program), place: image.definition.mode.span };
    installs.map(|install| (install.to.value.clone(), link(&install.to.value))).collect()
}

/// Whether the program of a component is in that of the image.
pub(in super::super) fn is_in(image: &ResolvedImage<'_>, resolved: &ResolvedComponent<'_>) -> bool {
    image.mode == Mode::Multicall && cargo(resolved).is_some()
}
