//! All that the layers above an image's base give: `take = "above-base"`.
//!
//! | file | is |
//! |---|---|
//! | `documents.rs` | images whose documents were read, and of their layers the upper ones |
//! | `base.rs` | how many layers are those of the image's own base |
//! | `fit.rs` | whether layers can be used as they are |
//! | `clash.rs` | paths that two components give |
//!
//! **Layers are used as they are**: same bytes, same digest, same diff ID. Nothing is unpacked or compressed again, layers of
//! the source's base are not even fetched, and a registry that has a layer already takes it from there. When a layer cannot be used so
//! (see [`fit`]), one layer is made of all files that are above the base, and the progress says why.
//!
//! **What such layers take away**: a file of the base that the image has removed would be gone for every component, so that it
//! is refused unless `exclude` names it; then it stays.
//!
//! **Its role is the manifest's**: where it starts something else than the image does, as another user or elsewhere, the progress
//! says so (`source-config`). It may be meant so; so that it is a note.

mod base;
mod clash;
mod documents;
mod fit;

pub(super) use clash::clashes;
pub(super) use documents::Documents;

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use self::base::Question;
use self::fit::Fit;
use super::assemble::{Extracted, Ground, Taken};
use super::deliver::Origins;
use super::layer_name;
use super::progress::Steps;
use super::shelf::Whole;
use super::{Native, blocking};
use crate::engine::{EngineError, Events};
use crate::manifest::ComponentName;
use crate::oci::{ImageSource, Node, Platform};
use crate::plan::{AbovePlan, BuildPlan, ComponentPlan, ImagePlan};
use crate::verify::{Config, source_differences};

/// A component that takes all above a base, and what that is.
struct Upper<'p> {
    part: &'p ComponentPlan,
    image: &'p ImageSource,
    above: &'p AbovePlan,
    /// How many layers are below.
    base_layers: u16,
    layers: Vec<Arc<Whole>>,
}

impl Native<'_> {
    /// What the components of an image take from above the bases of others.
    pub(super) async fn taken_above(
        &self,
        plan: &ImagePlan,
        platform: &Platform,
        ground: &Ground,
        origins: &mut Origins,
        steps: &Steps,
        events: &Events,
    ) -> Result<BTreeMap<ComponentName, Taken>, EngineError> {
        let mut uppers = Vec::new();
        for part in &plan.components {
            if let BuildPlan::Image { image, above: Some(above) } = &part.build {
                let running = steps.begin(format!("[{}] read {image}", layer_name(&part.name)));
                let documents = self.documents(image, platform, events).await?;
                let question = Question { part, image, above, documents: &documents, ground, platform };
                let base_layers = self.base_layers(&question, events).await?;
                let layers = self.upper(image, &documents, base_layers, platform, events).await?;
                if let Some(repository) = documents.repository() {
                    origins.extend(layers.iter().map(|whole| (whole.layer.digest.clone(), repository.clone())));
                }
                differences(part, &documents).into_iter().for_each(|line| steps.log(&running, line));
                steps.done(&running);
                let base_layers = u16::try_from(base_layers).unwrap_or(u16::MAX);
                uppers.push(Upper { part, image, above, base_layers, layers });
            }
        }
        let mut taken = BTreeMap::new();
        for upper in &uppers {
            let others = others(plan, &uppers, upper);
            let own = match fit::fit(&upper.layers, &ground.rootfs, &upper.above.exclude, &others) {
                Fit::Whole => Taken::Layers(upper.layers.clone()),
                Fit::Refused(why) => return Err(refused(plan, upper, &why)),
                Fit::Anew(why) => {
                    steps.done(&steps.begin(format!("[{}] one new layer: {why}", layer_name(&upper.part.name))));
                    Taken::Files(self.anew(upper, platform, ground, steps, events).await?)
                }
            };
            taken.insert(upper.part.name.clone(), own);
        }
        Ok(taken)
    }

    /// The files above the base one by one, without what is left out. Folders that the merged image's base has stay as they are
    /// there.
    async fn anew(
        &self,
        upper: &Upper<'_>,
        platform: &Platform,
        ground: &Ground,
        steps: &Steps,
        events: &Events,
    ) -> Result<Vec<Extracted>, EngineError> {
        let base = self.base(upper.image, platform, steps, events).await?;
        let (image, below, store) = (upper.image.clone(), upper.base_layers, self.store.clone());
        let entries = blocking(move |_| base.extract_above(&image, below, &store)).await?;
        let is_of_ground = |path: &str| {
            let real = ground.rootfs.resolve(path);
            real.is_ok_and(|real| matches!(ground.rootfs.get(&real), Some(Node::Folder(_))))
        };
        let is_wanted = |path: &str| !upper.above.exclude.iter().any(|pattern| pattern.means(path));
        let entries = entries.into_iter().filter(|entry| is_wanted(&entry.path));
        let entries = entries.filter(|entry| !entry.is_folder() || !is_of_ground(&entry.path));
        let extracted = entries.map(|entry| {
            let to = format!("/{}", entry.path);
            let folder = match to.rsplit_once('/') {
                Some(("", _)) | None => "/".to_owned(),
                Some((folder, _)) => folder.to_owned(),
            };
            Extracted { entry, to, folder }
        });
        Ok(extracted.collect())
    }
}

/// What a component's own role says otherwise than the image does.
fn differences(part: &ComponentPlan, documents: &Documents) -> Vec<String> {
    let config = Config::of(&documents.config.value().unwrap_or_default());
    let own = part.roles.iter().filter(|(name, _)| part.roles.len() == 1 || name.as_str() == part.name.as_str());
    let lines = own.flat_map(|(name, role)| {
        let all = source_differences(role, &config).into_iter();
        all.map(move |difference| format!("note[source-config] role `{name}` {difference}"))
    });
    lines.map(|line| line.chars().filter(|c| !c.is_control()).collect()).collect()
}

/// Paths of the other components: what these layers take away must not be among them.
fn others<'p>(plan: &'p ImagePlan, uppers: &'p [Upper<'p>], own: &Upper<'_>) -> BTreeSet<String> {
    let parts = plan.components.iter().filter(|part| part.name != own.part.name);
    let planned = parts.flat_map(|part| {
        let installs = part.installs.iter().map(|install| install.to.as_str());
        let files = part.files.keys().chain(part.links.keys()).map(|path| path.as_str());
        installs.chain(files).map(|path| path.trim_start_matches('/').to_owned())
    });
    let uppers = uppers.iter().filter(|upper| upper.part.name != own.part.name);
    let listed =
        uppers.flat_map(|upper| &upper.layers).flat_map(|whole| whole.listing.iter()).map(|listed| listed.path);
    planned.chain(listed).collect()
}

fn refused(plan: &ImagePlan, upper: &Upper<'_>, removed: &[String]) -> EngineError {
    let Upper { part, image, .. } = upper;
    let (paths, first) = (removed.join(", "), removed.first().map(String::as_str).unwrap_or_default());
    EngineError::Assembly {
        image: plan.id.clone(),
        detail: format!(
            "component `{}` takes all above the base of {image}, which removes {paths} of the base: it would be gone for all components\n\
             hint: let it stay with `exclude = [\"{first}\"]` in [build.image], or list the files that are wanted",
            part.name
        ),
    }
}
