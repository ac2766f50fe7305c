//! The plan together with what an engine found: images behind names, and the compiler of this machine.

use super::build::{AbovePlan, BuildPlan};
use super::fingerprint;
use super::model::{ComponentPlan, Found, ImagePlan};
use crate::oci::{ImageSource, Reference};

impl ImagePlan {
    /// The image with what was found for it. Only fingerprints change. Images that the plan does not name are left out.
    pub fn with_found(&self, found: &Found) -> Self {
        let mut found = found.clone();
        let named: Vec<String> = self.open_images().collect();
        found.images.retain(|name, _| named.contains(name));
        let mut plan = Self { found, ..self.clone() };
        for part in &mut plan.components {
            part.fingerprint = fingerprint::component(part, &plan.found);
        }
        plan.fingerprint = fingerprint::image(&plan);
        plan
    }

    /// What a name of [`ImagePlan::open_images`] stands for, unless it is a builder.
    pub fn source_of(&self, name: &str) -> Option<&ImageSource> {
        let sources = self.components.iter().filter_map(|part| match &part.build {
            BuildPlan::Image { image, .. } => Some(image),
            _ => None,
        });
        let bases = self.components.iter().filter_map(|part| part.build.above()?.base_image());
        self.base.image.iter().chain(sources).chain(bases).find(|source| source.to_string() == name)
    }

    /// Every image that the plan names without a digest: what is behind such a name can change while the plan does not.
    pub fn open_images(&self) -> impl Iterator<Item = String> {
        let sources = self.components.iter().flat_map(|part| part.open_images(&self.found));
        self.base.image.as_ref().and_then(open).into_iter().chain(sources)
    }
}

impl ComponentPlan {
    /// The images that its build begins with, as far as they are named without a digest.
    pub fn open_images(&self, found: &Found) -> impl Iterator<Item = String> {
        let base = self.build.above().and_then(AbovePlan::base_image);
        self.own_images(found).into_iter().chain(base.and_then(open))
    }

    fn own_images(&self, found: &Found) -> Vec<String> {
        let unpinned = |image: &Reference| image.digest().is_none().then(|| image.to_string());
        match &self.build {
            // programs that are compiled on this machine need no builder
            BuildPlan::Cargo { .. } | BuildPlan::Go { .. } if found.is_host() => Vec::new(),
            BuildPlan::Cargo { builder, .. } | BuildPlan::Go { builder, .. } | BuildPlan::Script { builder, .. } => {
                unpinned(builder).into_iter().collect()
            }
            BuildPlan::Dockerfile { plan } => plan.images.values().filter_map(unpinned).collect(),
            BuildPlan::Image { image, .. } => open(image).into_iter().collect(),
            BuildPlan::Files => Vec::new(),
        }
    }
}

fn open(image: &ImageSource) -> Option<String> {
    let is_pinned = image.reference().is_some_and(|reference| reference.digest().is_some());
    (!is_pinned).then(|| image.to_string())
}
