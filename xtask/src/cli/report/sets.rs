//! The sets of images that are compared: which there are, and what is read of them.

use std::collections::{BTreeMap, BTreeSet};

use camino::{Utf8Path, Utf8PathBuf};

use super::layers;
use crate::cli::args::{ModeChoice, ReportArguments};
use crate::cli::daemon;
use crate::cli::look::LAYOUTS;
use crate::cli::session::{Loaded, Session};
use crate::cli::status::Stop;
use crate::engine::native::base::Base;
use crate::engine::native::layout_folder;
use crate::engine::store::Store;
use crate::manifest::Mode;
use crate::oci::{ImageFile, ImageFileKind, Platform};
use crate::plan::{ImagePlan, Plan};
use crate::report::consolidation::{ColumnFacts, Figure, ImageFacts, Origin, Release};

/// The label that says how an image was put together.
const MODE: &str = "dev.groupage.mode";

/// What is compared with what.
pub(super) struct Asked {
    /// The mode of each definition, by `IMAGE` or `IMAGE=VARIANT`.
    own: BTreeMap<String, Mode>,
    /// Those of `--mode`; none when it is the definitions' own.
    after: Vec<Mode>,
}

/// One set, as it is planned.
pub(super) struct Set {
    pub(super) name: String,
    pub(super) origin: Origin,
    pub(super) images: Vec<ImagePlan>,
}

/// What the words ask for.
pub(super) fn asked(arguments: &ReportArguments, session: &Session<'_>, loaded: &Loaded) -> Result<Asked, Stop> {
    let mut after: Vec<Mode> = Vec::new();
    for mode in arguments.selection.modes.iter().map(|mode| Mode::from(*mode)) {
        if mode != Mode::Split && !after.contains(&mode) {
            after.push(mode);
        }
    }
    let mut selection = arguments.selection.selection(false);
    selection.modes.clear();
    let resolution = session.resolve(loaded, &selection)?;
    let own: BTreeMap<String, Mode> = resolution
        .images
        .iter()
        .map(|image| (definition(image.definition.name.value.as_str(), image.variant), image.mode))
        .collect();
    if after.is_empty() && own.values().all(|mode| *mode == Mode::Split) {
        return Err(Stop::input(anyhow::anyhow!(
            "everything is split, before and after\nhint: say with --mode colocated or --mode multicall what to compare with"
        )));
    }
    Ok(Asked { own, after })
}

/// `IMAGE` or `IMAGE=VARIANT`.
pub(in crate::cli) fn definition(name: &str, variant: Option<&crate::manifest::VariantName>) -> String {
    variant.map_or_else(|| name.to_owned(), |variant| format!("{name}={variant}"))
}

impl Asked {
    /// All modes that are built.
    pub(super) fn modes(&self) -> Vec<ModeChoice> {
        let own = self.own.values().filter(|_| self.after.is_empty());
        let modes: BTreeSet<Mode> = [Mode::Split].iter().chain(&self.after).chain(own).copied().collect();
        let choice = |mode: Mode| match mode {
            Mode::Split => ModeChoice::Split,
            Mode::Colocated => ModeChoice::Colocated,
            Mode::Multicall => ModeChoice::Multicall,
        };
        modes.into_iter().map(choice).collect()
    }

    /// The images of a plan, each in its sets.
    pub(super) fn sets(&self, plan: &Plan) -> Vec<Set> {
        let set = |name: String, origin, is_in: &dyn Fn(&ImagePlan) -> bool| Set {
            name,
            origin,
            images: plan.images.iter().filter(|image| is_in(image)).cloned().collect(),
        };
        let mut sets = vec![set(Mode::Split.to_string(), Origin::Before, &|image| image.mode == Mode::Split)];
        for mode in &self.after {
            sets.push(set(mode.to_string(), Origin::After, &|image| image.mode == *mode));
        }
        if self.after.is_empty() {
            let modes: BTreeSet<Mode> = self.own.values().copied().collect();
            let name = match modes.iter().collect::<Vec<_>>()[..] {
                [only] => only.to_string(),
                _ => "as defined".to_owned(),
            };
            let is_own = |image: &ImagePlan| {
                self.own.get(&definition(image.name.as_str(), image.variant.as_ref())) == Some(&image.mode)
            };
            sets.push(set(name, Origin::After, &is_own));
        }
        sets
    }
}

/// Every set has something for every platform.
pub(super) fn check(sets: &[Set], platforms: &[Platform]) -> Result<(), Stop> {
    for set in sets {
        if set.images.is_empty() {
            return Err(Stop::input(anyhow::anyhow!(
                "there is no image to compare in mode {}\nhint: name whole images, as in `report IMAGE`",
                set.name
            )));
        }
        let none = |platform: &&Platform| !set.images.iter().any(|image| image.platforms.contains(platform));
        if let Some(platform) = platforms.iter().find(none) {
            return Err(Stop::input(anyhow::anyhow!(
                "no image is made for {platform}\nhint: choose another one with --platform"
            )));
        }
    }
    Ok(())
}

impl Set {
    /// Its images by those of some platforms that they are made for.
    pub(super) fn by_platforms(&self, wanted: &[Platform]) -> BTreeMap<Vec<Platform>, Vec<&ImagePlan>> {
        let mut groups: BTreeMap<Vec<Platform>, Vec<&ImagePlan>> = BTreeMap::new();
        for image in &self.images {
            let own: Vec<Platform> =
                wanted.iter().filter(|platform| image.platforms.contains(platform)).cloned().collect();
            if !own.is_empty() {
                groups.entry(own).or_default().push(image);
            }
        }
        groups
    }

    fn release(&self) -> Release {
        Release {
            images: self.images.len(),
            platform_images: self.images.iter().map(|image| image.platforms.len()).sum(),
            tags: self.images.iter().map(|image| image.tags.len()).sum(),
        }
    }
}

/// What the layouts of a set hold.
pub(super) fn facts(set: &Set, platforms: &[Platform], root: &Utf8Path, store: &Store) -> Result<ColumnFacts, Stop> {
    let mut images = Vec::new();
    for (platforms, planned) in set.by_platforms(platforms) {
        for (image, platform) in planned.iter().flat_map(|image| platforms.iter().map(move |own| (image, own))) {
            images.push(image_facts(image, platform, root, store)?.image);
        }
    }
    images.sort_by(|a, b| a.id.cmp(&b.id));
    Ok(ColumnFacts {
        name: set.name.clone(),
        origin: set.origin,
        images,
        release: Figure::Is(set.release()),
        build: Figure::NotMeasured("nothing was built".to_owned()),
        unknown: None,
    })
}

/// What a layout holds.
pub(in crate::cli) struct Held {
    /// The image.
    pub(in crate::cli) image: ImageFacts,
    /// The mode that it says it was built in.
    pub(in crate::cli) mode: Option<String>,
}

/// What the layout of an image holds for a platform.
pub(in crate::cli) fn image_facts(
    image: &ImagePlan,
    platform: &Platform,
    root: &Utf8Path,
    store: &Store,
) -> Result<Held, Stop> {
    let path = Utf8PathBuf::from(format!("{LAYOUTS}/{}", layout_folder(&image.id)));
    let file = ImageFile { kind: ImageFileKind::Layout, path, digest: None };
    let base = Base::from_file(&file, platform, root, store).map_err(daemon::stop)?;
    let image = image.for_platform(platform);
    let roles = image.components.iter().flat_map(|part| part.roles.keys().map(ToString::to_string));
    let mut roles: Vec<String> = roles.collect();
    roles.sort();
    let labels = base.config.config().as_ref().and_then(|config| config.labels().as_ref());
    let mode = labels.and_then(|labels| labels.get(MODE)).cloned();
    let facts = ImageFacts {
        id: image.id.clone(),
        definition: definition(image.name.as_str(), image.variant.as_ref()),
        platform: platform.to_string(),
        roles,
        layers: layers::of_stored(&base, Some(&image), store)?,
    };
    Ok(Held { image: facts, mode })
}
