//! How the files of a component lie in its stage, and how they get from there into the image.
//!
//! On `scratch` a stage is laid out as the image is, and is copied as a whole: one layer. On any other base that would give
//! folders that are already there our owner and mode (`/tmp` would lose its sticky bit), and fail where the base has a link
//! instead of a folder (`/bin` of Debian). There a stage holds one numbered folder for each folder of the image that the
//! component puts something into, and each is copied into its place, which leaves what is there as it is.

use std::collections::BTreeSet;

use crate::manifest::ImagePath;
use crate::plan::{ComponentPlan, DockerfilePlan};

/// The layout of one component's stage.
#[derive(Debug)]
pub(super) struct Layout {
    /// Folders of the image, in the order of their numbers; empty for a stage that is laid out as the image is.
    folders: Vec<String>,
    /// The number of the first of them: those before are what an existing Dockerfile copies, whose plan has given them numbers.
    first: usize,
}

impl Layout {
    pub(super) fn of(component: &ComponentPlan, scratch: bool) -> Self {
        let first = component.build.dockerfile().map_or(0, DockerfilePlan::folders);
        // what stands for a copy of the Dockerfile is copied by that
        let installs = component.installs.iter().filter(|_| first == 0);
        let installs = installs.map(|install| install.to.folder().to_owned());
        let files = component.files.values().map(|file| file.folder.clone());
        let links = component.links.keys().map(|path| path.folder().to_owned());
        let folders: BTreeSet<String> = installs.chain(files).chain(links).collect();
        let is_whole = scratch && first == 0;
        Self { folders: if is_whole { Vec::new() } else { folders.into_iter().collect() }, first }
    }

    /// Where a path lies in the stage, without a leading `/`. `folder` is the folder that it is put into.
    pub(super) fn place(&self, path: &ImagePath, folder: &str) -> String {
        match self.folders.iter().position(|known| known == folder) {
            None => path.relative().to_owned(),
            Some(number) => {
                let below = path.as_str().strip_prefix(folder).unwrap_or(path.as_str());
                format!("{}/{}", self.first + number, below.trim_start_matches('/'))
            }
        }
    }

    /// What is copied into the image: folder of the stage, folder of the image.
    pub(super) fn copies(&self) -> Vec<(String, String)> {
        if self.folders.is_empty() && self.first > 0 {
            return Vec::new();
        }
        if self.folders.is_empty() {
            return vec![("/".to_owned(), "/".to_owned())];
        }
        let numbered = self.folders.iter().zip(self.first..);
        numbered.map(|(folder, number)| (format!("/{number}/"), as_folder(folder))).collect()
    }
}

/// A folder with a `/` at its end, as the destination of a copy.
pub(super) fn as_folder(folder: &str) -> String {
    if folder == "/" { "/".to_owned() } else { format!("{folder}/") }
}
