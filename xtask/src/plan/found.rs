//! The plan together with what an engine found: images behind names, and the compilers of this machine.
//!
//! An engine looks for all images of a run at once. **Each image gets what is an input of it and nothing else**: what was found
//! for the others would stand in its labels, so that its bytes depended on what is built beside it.

use super::build::{AbovePlan, BuildPlan};
use super::fingerprint;
use super::model::{ComponentPlan, Found, ImagePlan};
use crate::oci::{ImageSource, Reference};

impl ImagePlan {
    /// The image with what was found for it; what is no input of it is left out. Only fingerprints change.
    pub fn with_found(&self, found: &Found) -> Self {
        let mut plan = Self { found: found.clone(), ..self.clone() };
        plan.forget_what_others_need();
        for part in &mut plan.components {
            part.fingerprint = fingerprint::component(part, &plan.found);
        }
        plan.fingerprint = fingerprint::image(&plan);
        plan
    }

    /// Leaves what was found for its own components and its base: compilers of what it compiles, images that it names. That
    /// programs are compiled on this machine stays, whether or not there are any.
    pub(super) fn forget_what_others_need(&mut self) {
        let named: Vec<String> = self.open_images().collect();
        let compiles = |kind: fn(&BuildPlan) -> bool| self.components.iter().any(|part| kind(&part.build));
        let cargo = compiles(|build| matches!(build, BuildPlan::Cargo { .. }));
        let go = compiles(|build| matches!(build, BuildPlan::Go { .. }));
        let found = &mut self.found;
        found.images.retain(|name, _| named.contains(name));
        found.toolchain.iter_mut().filter(|_| !cargo).for_each(String::clear);
        if !go {
            found.go_toolchain.clear();
        }
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
            // what is built on this machine needs no builder
            BuildPlan::Cargo { .. } | BuildPlan::Go { .. } | BuildPlan::Script { .. } if found.is_host() => Vec::new(),
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
