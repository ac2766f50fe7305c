//! The plan of one platform.
//!
//! An [`ImagePlan`] is that of all its platforms together. What differs between them is in four places: components that are
//! left out ([`ComponentPlan::excluded`]), files ([`ComponentPlan::platform_files`]), names of programs ([`ComponentPlan::exe`]),
//! and Dockerfiles of platforms that have other content ([`ImagePlan::dockerfiles`]). [`ImagePlan::for_platform`] makes a plan of one platform of it, in which nothing
//! depends on a platform any more; that is what contexts, Dockerfiles and images are made from.

use std::borrow::Cow;

use super::model::{ComponentPlan, Found, ImagePlan, LinkPlan, Plan};
use super::{config, fingerprint};
use crate::manifest::{EXE, ImagePath};
use crate::oci::Platform;

impl Plan {
    /// Every image on one platform.
    pub fn for_platform(&self, platform: &Platform) -> Self {
        Self { schema: self.schema, images: self.images.iter().map(|image| image.for_platform(platform)).collect() }
    }
}

impl ImagePlan {
    /// Whether the image is another one on another platform, not counting what compilers make of the same inputs.
    pub fn depends_on_platform(&self) -> bool {
        self.components.iter().any(ComponentPlan::depends_on_platform)
    }

    /// The image on one of its platforms: components that are left out there are gone, files are those of the platform, and
    /// configuration and fingerprints are computed for what is left. Only `platforms` changes when nothing depends on the
    /// platform.
    pub fn for_platform(&self, platform: &Platform) -> Self {
        let mut plan = self.clone();
        plan.platforms = vec![platform.clone()];
        if !self.depends_on_platform() {
            return plan;
        }
        plan.components = self.components.iter().filter_map(|part| part.on(platform, &self.found)).collect();
        plan.forget_what_others_need();
        if let Some(own) = self.dockerfiles.get(platform) {
            plan.dockerfile.clone_from(own);
        }
        plan.dockerfiles.clear();
        plan.config = config::plan(&plan);
        plan.fingerprint = fingerprint::image(&plan);
        plan
    }

    /// One plan for each Dockerfile of the image: first that of the platforms which lack no component that others have,
    /// then those of each platform that does.
    pub fn per_dockerfile(&self) -> Vec<Cow<'_, Self>> {
        if !self.depends_on_platform() {
            return vec![Cow::Borrowed(self)];
        }
        let usual = self.platforms.iter().find(|platform| !self.dockerfiles.contains_key(platform));
        usual
            .into_iter()
            .chain(self.dockerfiles.keys())
            .map(|platform| Cow::Owned(self.for_platform(platform)))
            .collect()
    }
}

impl ComponentPlan {
    /// Whether the component is left out on a platform, or has files or names that depend on it.
    pub fn depends_on_platform(&self) -> bool {
        !self.excluded.is_empty() || !self.platform_files.is_empty() || !self.exe.is_empty()
    }

    /// The component on one platform; `None` where it is left out.
    pub(super) fn on(&self, platform: &Platform, found: &Found) -> Option<Self> {
        if self.excluded.contains(platform) {
            return None;
        }
        let mut plan = self.clone();
        plan.excluded.clear();
        let own = std::mem::take(&mut plan.platform_files);
        let exe = std::mem::take(&mut plan.exe);
        if exe.contains(platform) {
            plan.add_exe();
        }
        if !own.is_empty() || !exe.is_empty() {
            plan.files.extend(own.into_iter().filter(|(other, _)| other == platform).flat_map(|(_, files)| files));
            plan.fingerprint = fingerprint::component(&plan, found);
        }
        Some(plan)
    }

    /// Adds `.exe` to the names of the programs that its build gives, and to whatever names them: roles and aliases. Manifests
    /// say neither: consumers name a program once, and Windows finds it by either name.
    fn add_exe(&mut self) {
        let programs: Vec<ImagePath> = self.installs.iter().map(|install| install.to.clone()).collect();
        let is_program = |path: &str| programs.iter().any(|program| program.as_str() == path);
        let mut aliases = Vec::new();
        for role in self.roles.values_mut() {
            let is_started = role.command.first().is_some_and(|word| is_program(word));
            for command in [&mut role.command, &mut role.probe] {
                if let Some(word) = command.first_mut().filter(|word| is_program(word)) {
                    *word = with_exe(word);
                }
            }
            if is_started {
                aliases.extend(role.aliases.iter().cloned());
                role.aliases = role.aliases.iter().map(ImagePath::with_exe).collect();
            }
        }
        for install in &mut self.installs {
            install.to = install.to.with_exe();
        }
        let links = std::mem::take(&mut self.links);
        self.links = links
            .into_iter()
            .map(|(path, link)| match aliases.contains(&path) {
                true => (path.with_exe(), LinkPlan { target: with_exe(&link.target), ..link }),
                false => (path, link),
            })
            .collect();
    }
}

fn with_exe(path: &str) -> String {
    if path.ends_with(EXE) { path.to_owned() } else { format!("{path}{EXE}") }
}
