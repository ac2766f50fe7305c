//! Phase 4: what will be built, as plain data. Pure: a resolution, pins and what was read go in, a [`Plan`] comes out.
//!
//! [`wants`] says which files a plan will need, `workspace` reads them, [`plan`] puts it all together. The order of
//! components is that of their names, so that two images with the same component have the same stage. A plan is one of all
//! platforms of an image; [`ImagePlan::for_platform`] makes that of one platform, from which images are built.
//!
//! **Invariants**: nothing here touches the disk or a network; equal inputs give equal bytes, whatever the order of files,
//! the directory or the time.

mod build;
pub mod cargo;
pub mod changes;
mod component;
mod config;
mod dockerfile;
mod files;
pub mod fingerprint;
mod found;
pub mod go;
mod inputs;
mod model;
pub mod multicall;
mod platform;
mod pruned;
mod tags;

pub use build::{AbovePlan, BuildPlan, SourceBase};
pub use dockerfile::{DockerfilePlan, Newer, PackageManager, Packages, SplicedStage, StepPlan, TransferPlan};
pub use model::{
    Allowed, BasePlan, ComponentPlan, ConfigPlan, FilePlan, Found, Given, ImagePlan, Input, InstallPlan, LinkPlan,
    Plan, RolePlan,
};
pub use pruned::{Pruned, PrunedKey, PrunedWorkspaces, packages, prune};
pub use tags::tags;

use std::collections::BTreeMap;

use camino::{Utf8Path, Utf8PathBuf};

use crate::diagnostic::{Diagnostic, Problems};
use crate::lock::Pins;
use crate::manifest::BuildNetwork;
use crate::oci::Platform;
use crate::resolve::{Resolution, ResolvedImage};
use crate::source::Span;
use crate::workspace::{Tree, Want, in_parallel};

/// Format of the plan document.
pub const SCHEMA: u32 = 1;

/// What a plan needs besides the resolution.
#[derive(Debug)]
pub struct Read<'a> {
    /// Listings of everything that [`wants`] asked for.
    pub tree: &'a Tree,
    /// The workspace on this machine; no path of it gets into a plan.
    pub root: &'a Utf8Path,
    /// Hashes of the templates by name, `Dockerfile` and `stages/<build kind>`: other templates give other images.
    pub templates: &'a BTreeMap<String, String>,
    /// What every cargo and Go component is compiled from.
    pub pruned: &'a PrunedWorkspaces,
    /// The packages of Go components.
    pub go: &'a go::GoPackages,
}

impl Read<'_> {
    fn template(&self, name: &str) -> String {
        self.templates.get(name).cloned().unwrap_or_default()
    }
}

/// The files and folders that the plan of a resolution will need.
pub fn wants(resolution: &Resolution<'_>, pruned: &PrunedWorkspaces, root: &Utf8Path) -> Vec<Want> {
    let of_image = |image: &ResolvedImage<'_>| -> Vec<Want> {
        let parts = image.components.iter().flat_map(|part| component::wants(image, part, pruned, root));
        parts.chain(multicall::wants(image, pruned, root)).collect()
    };
    let mut wants: Vec<Want> = in_parallel(&resolution.images, of_image).into_iter().flatten().collect();
    wants.sort_unstable();
    wants.dedup_by(|next, kept| {
        let same = next.path == kept.path && next.exclude == kept.exclude && next.context == kept.context;
        kept.required |= same && next.required;
        same
    });
    wants
}

/// Puts the plan together.
///
/// # Errors
/// What only shows when files are known: a builder that nothing defines, a path of a component that is two files.
pub fn plan(resolution: &Resolution<'_>, pins: &Pins, read: &Read<'_>) -> Result<Plan, Vec<Diagnostic>> {
    let mut problems = Problems::default();
    let plan = |image: &ResolvedImage<'_>| {
        let mut problems = Problems::default();
        (image_plan(resolution, image, pins, read, &mut problems), problems)
    };
    let mut planned = Vec::with_capacity(resolution.images.len());
    for (plan, found) in in_parallel(&resolution.images, plan) {
        problems.append(found);
        planned.push(plan);
    }
    let Some(images) = planned.into_iter().collect::<Option<Vec<_>>>() else { return Err(problems.into_list()) };
    check_unique_tags(resolution, &images, &mut problems);
    problems.finish(Plan { schema: SCHEMA, images })
}

fn image_plan(
    resolution: &Resolution<'_>,
    image: &ResolvedImage<'_>,
    pins: &Pins,
    read: &Read<'_>,
    problems: &mut Problems,
) -> Option<ImagePlan> {
    let planned: Vec<Option<ComponentPlan>> = image
        .components
        .iter()
        .map(|resolved| component::plan(resolution, image, resolved, pins, read, problems))
        .collect();
    let mut components: Vec<ComponentPlan> = planned.into_iter().collect::<Option<_>>()?;
    components.extend(multicall::plan(resolution, image, pins, read, problems));
    components.sort_by(|a, b| a.name.cmp(&b.name));
    let definition = image.definition;
    let base = image.base.image.as_ref().map(|image| pins.pin_source(image));
    let mut plan = ImagePlan {
        id: image.id(),
        name: definition.name.value.clone(),
        variant: image.variant.cloned(),
        part: image.part.clone(),
        dockerfile: dockerfile_path(image),
        dockerfiles: deviating_dockerfiles(image),
        mode: image.mode,
        version: image.version.clone(),
        tags: Vec::new(),
        platforms: image.platforms.clone(),
        network: resolution.network.value,
        link: resolution.manifests.settings.link,
        features: image.features.clone(),
        base: BasePlan { name: image.base.name.value.clone(), image: base },
        components,
        config: ConfigPlan::default(),
        stamp: BTreeMap::new(),
        template: read.template("Dockerfile"),
        found: Found::default(),
        fingerprint: String::new(),
        given: config::given(image),
    };
    plan.config = config::plan(&plan);
    plan.stamp = config::stamp(&plan);
    plan.fingerprint = fingerprint::image(&plan);
    plan.tags = tags::all(resolution, image, Some(&plan.fingerprint), problems);
    // a plan of one platform has one form, however it came to be
    Some(match plan.platforms.as_slice() {
        [only] if plan.depends_on_platform() => plan.for_platform(only),
        _ => plan,
    })
}

/// `images/<name>/Dockerfile`, with the variant as an extension, then `split_COMPONENT` for a component's own image and
/// `mode_MODE` for a mode that is built beside the image's own. Names of variants have no `_`, so that none of these can be a
/// variant's.
fn dockerfile_path(image: &ResolvedImage<'_>) -> Utf8PathBuf {
    let mut file = "Dockerfile".to_owned();
    image.variant.iter().for_each(|variant| file.push_str(&format!(".{variant}")));
    image.part.iter().for_each(|part| file.push_str(&format!(".split_{part}")));
    if image.beside {
        file.push_str(&format!(".mode_{}", image.mode));
    }
    image.definition.folder.join(file)
}

/// `Dockerfile.linux_arm64` and `Dockerfile.VARIANT.linux_arm64` for platforms that lack components which others have.
fn deviating_dockerfiles(image: &ResolvedImage<'_>) -> BTreeMap<Platform, Utf8PathBuf> {
    let usual = dockerfile_path(image);
    let own = |platform: &Platform| Utf8PathBuf::from(format!("{usual}.{}", platform.to_string().replace('/', "_")));
    let built = image.deviating.iter().filter(|platform| image.platforms.contains(platform));
    built.map(|platform| (platform.clone(), own(platform))).collect()
}

/// Two images must not get one reference: the last one built would win.
fn check_unique_tags(resolution: &Resolution<'_>, images: &[ImagePlan], problems: &mut Problems) {
    let mut seen: BTreeMap<&str, (&str, Span)> = BTreeMap::new();
    for (image, plan) in resolution.images.iter().zip(images) {
        let variant = image.variant.and_then(|variant| image.definition.variants.get(variant));
        let place = variant.map_or(image.definition.name.span, |variant| variant.tag_suffix.span);
        for tag in &plan.tags {
            if let Some((other, there)) = seen.insert(tag, (&plan.id, place)) {
                let message = format!("`{other}` and `{}` would both be {tag}", plan.id);
                let report = Diagnostic::error("duplicate-tag", message).label(place, "").label(there, "also here");
                problems.push(report.help("give one of them another `tag-suffix` or version"));
            }
        }
    }
}

/// Whether dependencies of cargo components travel with the context.
pub fn is_hermetic(resolution: &Resolution<'_>) -> bool {
    resolution.network.value == BuildNetwork::None
}
