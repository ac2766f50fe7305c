//! In which modes an image is built, and the images of single components that `split` makes of it.
//!
//! The mode of an image is that of its definition, unless `images.NAME.mode` or `--mode` replaces it; the image keeps its name
//! then, so that going back is a word. Where several modes are asked for at once, to compare them, only the image's own mode
//! keeps the name; see [`ResolvedImage::beside`].
//!
//! `split` gives each component that has a role an image of its own, named `IMAGE/COMPONENT`. It starts the component's only
//! role without further words, as the image did that was merged. Components without roles are payload (certificates, time
//! zones): every one of these images holds them, because nobody else could give them.

use std::collections::BTreeSet;

use super::look::Look;
use super::selection::{Selection, Target};
use super::{ResolvedComponent, ResolvedImage, platform};
use crate::diagnostic::{Diagnostic, Problems};
use crate::manifest::{ComponentName, ImageDefinition, Mode};
use crate::oci::Platform;

/// The image in every mode that is asked for.
pub(super) fn images<'m>(
    image: ResolvedImage<'m>,
    target: &Target<'m>,
    selection: &Selection,
    look: &mut Look<'_>,
) -> Vec<ResolvedImage<'m>> {
    let own = own(image.definition, selection, look);
    let modes: BTreeSet<Mode> =
        selection.modes.iter().copied().chain(selection.modes.is_empty().then_some(own)).collect();
    check_parts(&image, target, &modes, look.problems);
    if modes.len() == 1 && own != Mode::Split && modes.contains(&own) && target.parts.is_empty() {
        // nearly always: nothing is to be copied
        return vec![ResolvedImage { mode: own, beside: false, ..image }];
    }
    let mut images = Vec::new();
    for mode in &modes {
        let beside = modes.len() > 1 && *mode != own;
        let image = ResolvedImage { mode: *mode, beside, ..image.clone() };
        match mode {
            Mode::Split => images.extend(split(&image, &target.parts)),
            Mode::Colocated | Mode::Multicall if target.parts.is_empty() => images.push(image),
            Mode::Colocated | Mode::Multicall => {}
        }
    }
    images
}

/// The mode that the image has when no words say otherwise; with one word, that one.
fn own(definition: &ImageDefinition, selection: &Selection, look: &mut Look<'_>) -> Mode {
    let key = format!("images.{}.mode", definition.name.value);
    let replaced = look.parsed(&key).map(|mode| mode.value);
    match selection.modes[..] {
        [only] => only,
        _ => replaced.unwrap_or(definition.mode.value),
    }
}

/// One image for each component that has a role, on the platforms that have it.
fn split<'m>(image: &ResolvedImage<'m>, wanted: &BTreeSet<ComponentName>) -> Vec<ResolvedImage<'m>> {
    let started = image.components.iter().filter(|component| !component.roles.is_empty());
    let asked = started.filter(|component| wanted.is_empty() || wanted.contains(component.name()));
    asked.map(|component| part(image, component)).filter(|part| !part.platforms.is_empty()).collect()
}

fn part<'m>(image: &ResolvedImage<'m>, component: &ResolvedComponent<'m>) -> ResolvedImage<'m> {
    let has = |platform: &Platform| !component.excluded.contains(platform);
    let payload = image.components.iter().filter(|other| other.roles.is_empty());
    let mut components: Vec<ResolvedComponent<'m>> = payload.chain([component]).cloned().collect();
    components.sort_by(|a, b| a.name().cmp(b.name()));
    components.iter_mut().for_each(|part| part.excluded.retain(has));
    let role = match &component.roles[..] {
        [only] => Some(only.name),
        _ => image.default_role.filter(|role| component.has_role(role)),
    };
    ResolvedImage {
        part: Some(component.name().clone()),
        beside: false,
        platforms: image.platforms.iter().filter(|platform| has(platform)).cloned().collect(),
        deviating: platform::deviating(image.definition, &components).into_iter().filter(has).collect(),
        default_role: role,
        components,
        ..image.clone()
    }
}

/// `IMAGE/COMPONENT` names something only where the image is split, and the component has an image of its own.
fn check_parts(image: &ResolvedImage<'_>, target: &Target<'_>, modes: &BTreeSet<Mode>, problems: &mut Problems) {
    let name = &image.definition.name.value;
    let is_split = modes.contains(&Mode::Split);
    if is_split && image.components.iter().all(|component| component.roles.is_empty()) {
        let nothing = Diagnostic::error("nothing-to-split", format!("no component of image `{name}` has a role"));
        let place = image.definition.name.span;
        problems.push(nothing.label(place, "").help("only what is started gets an image of its own; use another mode"));
    }
    let own = image.components.iter().filter(|component| !component.roles.is_empty());
    let own: Vec<&str> = own.map(|component| component.name().as_str()).collect();
    for part in &target.parts {
        if !is_split {
            let message = format!("image `{name}` is not split, so there is no image `{name}/{part}`");
            // not every command has --mode
            let help = format!("add --set images.{name}.mode=split, or write `mode = \"split\"` in its image.toml");
            problems.push(Diagnostic::error("not-split", message).help(help));
        } else if !own.contains(&part.as_str()) {
            let message = format!("image `{name}` has no component `{part}` with a role");
            problems.push(Diagnostic::error("unknown-component", message).suggest(
                part.as_str(),
                own.iter().copied(),
                None,
            ));
        }
    }
}
