//! Which component puts what at which path of an image.

use std::collections::BTreeMap;

use crate::manifest::{ComponentName, ImagePath};
use crate::plan::{ImagePlan, Input};
use crate::source::Span;

/// What stands at a path.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum What {
    /// Something that a stage makes; its bytes are known only after the build.
    Built,
    /// A file of the workspace, by digest and mode.
    File(String, u32),
    /// A link of a folder of the workspace.
    Link(String),
    /// An alias.
    Alias(String),
}

/// One claim to a path.
#[derive(Debug, Clone)]
pub(super) struct Claim<'a> {
    pub(super) component: &'a ComponentName,
    pub(super) what: What,
    pub(super) place: Span,
}

/// All claims of an image, by path.
pub(super) fn claims(plan: &ImagePlan) -> BTreeMap<&ImagePath, Vec<Claim<'_>>> {
    let mut claims: BTreeMap<&ImagePath, Vec<Claim<'_>>> = BTreeMap::new();
    for part in &plan.components {
        let component = &part.name;
        let mut add = |path, what, place| claims.entry(path).or_default().push(Claim { component, what, place });
        part.installs.iter().for_each(|install| add(&install.to, What::Built, install.place));
        part.files.iter().for_each(|(path, file)| add(path, what(&file.input), file.place));
        part.links.iter().for_each(|(path, link)| add(path, What::Alias(link.target.clone()), link.place));
    }
    claims
}

fn what(input: &Input) -> What {
    match input {
        Input::File { digest, mode, .. } => What::File(digest.clone(), *mode),
        Input::Link { target } => What::Link(target.clone()),
        Input::Text { .. } | Input::Crate { .. } => What::Built,
    }
}
