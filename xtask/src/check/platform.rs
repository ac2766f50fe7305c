//! Rules on every platform: what differs there, and what is said about it once.

use std::borrow::Cow;
use std::cell::LazyCell;

use super::{Finding, Findings, Rule, Subject};
use crate::diagnostic::Diagnostic;
use crate::oci::Platform;
use crate::plan::ImagePlan;
use crate::policy::Judge;
use crate::resolve::{Resolution, ResolvedImage};
use crate::source::Spanned;

/// An image as it is on some of its platforms.
pub(super) struct View<'a, 'm> {
    pub(super) image: Cow<'a, ResolvedImage<'m>>,
    plan: Cow<'a, ImagePlan>,
}

/// The image on each platform; one view for all platforms where nothing depends on them.
pub(super) fn views<'a, 'm>(image: &'a ResolvedImage<'m>, plan: &'a ImagePlan) -> Vec<View<'a, 'm>> {
    let is_one_view = match plan.platforms.len() {
        0 => false,
        1 => image.components.iter().all(|part| part.excluded.is_empty()),
        _ => true,
    };
    if is_one_view && !plan.depends_on_platform() {
        return vec![View { image: Cow::Borrowed(image), plan: Cow::Borrowed(plan) }];
    }
    let view = |platform| View {
        image: Cow::Owned(image.for_platform(platform)),
        plan: Cow::Owned(plan.for_platform(platform)),
    };
    plan.platforms.iter().map(view).collect()
}

/// What a rule finds in all views. A finding that is not one on every platform names those that it is for.
pub(super) fn findings(
    rule: &Rule,
    resolution: &Resolution<'_>,
    judge: Option<&Judge<'_>>,
    views: &[View<'_, '_>],
) -> Vec<Finding> {
    let mut all: Vec<(Finding, Vec<&Platform>)> = Vec::new();
    for view in views {
        let mut found = Findings::default();
        (rule.check)(&Subject { resolution, image: &view.image, plan: &view.plan, judge }, &mut found);
        for finding in found.list {
            let platforms = &view.plan.platforms;
            match all.iter_mut().find(|(known, _)| *known == finding) {
                Some((_, known)) => {
                    known.extend(platforms.iter().filter(|own| !known.contains(own)).collect::<Vec<_>>())
                }
                None => all.push((finding, platforms.iter().collect())),
            }
        }
    }
    let every: usize = views.iter().map(|view| view.plan.platforms.len()).sum();
    let named = |(mut finding, platforms): (Finding, Vec<&Platform>)| {
        if platforms.len() < every {
            let names: Vec<String> = platforms.into_iter().map(Platform::to_string).collect();
            finding.diagnostic.message.push_str(&format!(" (on {})", names.join(", ")));
        }
        finding
    };
    all.into_iter().map(named).collect()
}

/// Exclusions of platforms that no image has: a misspelt one would leave nothing out.
pub(super) fn unused_exclusions(resolution: &Resolution<'_>, image: &ResolvedImage<'_>) -> Vec<Diagnostic> {
    let of_image: Vec<&Platform> = image.definition.platforms.iter().map(|platform| &platform.value).collect();
    // all platforms of all images are looked through only when somebody excludes one
    let of_any = LazyCell::new(|| {
        let platforms = resolution.manifests.images.values().flat_map(|image| &image.platforms);
        platforms.map(|platform: &Spanned<Platform>| &platform.value).collect::<Vec<_>>()
    });
    let mut unused = Vec::new();
    let mut report = |exclusion: &Spanned<Platform>, known: &[&Platform], message: String| {
        if !known.contains(&&exclusion.value) {
            let mut names: Vec<String> = known.iter().map(|platform| platform.to_string()).collect();
            names.sort();
            names.dedup();
            let warning = Diagnostic::warning("unused-exclusion", message).label(exclusion.span, "");
            unused.push(warning.help(format!("remove it, or name one of: {}", names.join(", "))));
        }
    };
    for component in &image.components {
        for exclusion in &component.manifest.exclude_platforms {
            let message = format!("no image is made for {}, so nothing is excluded there", exclusion.value);
            report(exclusion, &of_any, message);
        }
    }
    for exclusion in image.definition.features.dependencies.values().flat_map(|here| &here.exclude_platforms) {
        let name = &image.definition.name.value;
        let message = format!("image `{name}` is not made for {}, so nothing is excluded there", exclusion.value);
        report(exclusion, &of_image, message);
    }
    unused
}
