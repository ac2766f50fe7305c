//! What the manifests of this workspace say an image has to be, if they define it.

use camino::Utf8Path;

use crate::cli::pins;
use crate::cli::records::Records;
use crate::cli::session::{Loaded, Session};
use crate::cli::status::Stop;
use crate::oci::Platform;
use crate::plan::ImagePlan;
use crate::resolve::{ImageSelector, Selection};
use crate::verify::{Contract, Planned};

/// Plans of the workspace, which is read once, and only if there is need.
pub(super) struct Plans<'a> {
    session: &'a Session<'a>,
    records: Option<Records>,
    loaded: Option<Loaded>,
    is_in_workspace: bool,
}

impl<'a> Plans<'a> {
    pub(super) fn new(session: &'a Session<'a>, root: Option<&Utf8Path>) -> Self {
        Self { session, records: root.map(Records::of), loaded: None, is_in_workspace: root.is_some() }
    }

    /// The plan of an image on a platform, with what was found when it was built, if that was here.
    pub(super) fn of(
        &mut self,
        contract: &Contract,
        platform: &Platform,
        fingerprint: Option<&str>,
    ) -> Result<Option<Planned>, Stop> {
        let Some(plan) = self.plan(contract)? else { return Ok(None) };
        if !plan.platforms.contains(platform) {
            return Ok(None);
        }
        let own = plan.for_platform(platform);
        let record =
            fingerprint.zip(self.records.as_ref()).and_then(|(label, all)| all.by_fingerprint(label, platform));
        Ok(Some(match record {
            Some(record) => Planned::of(&own.with_found(&record.found()), true),
            None => Planned::of(&own, false),
        }))
    }

    fn plan(&mut self, contract: &Contract) -> Result<Option<ImagePlan>, Stop> {
        if !self.is_in_workspace {
            return Ok(None);
        }
        let Ok(selector) = contract.id().parse::<ImageSelector>() else { return Ok(None) };
        let loaded = match self.loaded.take() {
            Some(loaded) => loaded,
            None => self.session.load()?,
        };
        let loaded = self.loaded.insert(loaded);
        let Some(definition) = loaded.manifests.images.get(&selector.image) else { return Ok(None) };
        let has = |variant: &str| definition.variants.keys().any(|name| name.as_str() == variant);
        if contract.variant.as_deref().is_some_and(|variant| !has(variant)) {
            return Ok(None);
        }
        if selector.part.as_ref().is_some_and(|part| !loaded.manifests.components.contains_key(part)) {
            return Ok(None);
        }
        // the image may have been built in another mode than that of its definition
        let modes = contract.mode.parse().into_iter().collect();
        let selection = Selection { images: vec![selector], modes, ..Selection::default() };
        let resolution = self.session.resolve(loaded, &selection)?;
        let plan = self.session.plan(loaded, &resolution, &pins::that_fit(loaded, &resolution))?;
        Ok(plan.images.into_iter().next())
    }
}
