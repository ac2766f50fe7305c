//! Which component puts what at which path of an image.

use crate::manifest::{ComponentName, ImagePath};
use crate::plan::{ImagePlan, Input};
use crate::source::Span;

/// What stands at a path.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum What<'a> {
    /// Something that a stage makes; its bytes are known only after the build.
    Built,
    /// A file of the workspace, by digest and mode.
    File(&'a str, u32),
    /// A link of a folder of the workspace.
    Link(&'a str),
    /// An alias.
    Alias(&'a str),
}

/// One claim to a path.
#[derive(Debug, Clone)]
pub(super) struct Claim<'a> {
    pub(super) path: &'a ImagePath,
    pub(super) component: &'a ComponentName,
    pub(super) what: What<'a>,
    pub(super) place: Span,
}

/// All claims of an image, sorted by path; those to one path stand in the order of components.
#[derive(Debug)]
pub(super) struct Claims<'a>(Vec<Claim<'a>>);

impl<'a> Claims<'a> {
    pub(super) fn of(plan: &'a ImagePlan) -> Self {
        let mut claims = Vec::new();
        for part in &plan.components {
            let claim = |path, what, place| Claim { path, component: &part.name, what, place };
            claims.extend(part.installs.iter().map(|install| claim(&install.to, What::Built, install.place)));
            claims.extend(part.files.iter().map(|(path, file)| claim(path, what(&file.input), file.place)));
            claims.extend(part.links.iter().map(|(path, link)| claim(path, What::Alias(&link.target), link.place)));
        }
        claims.sort_by(|a, b| a.path.cmp(b.path));
        Self(claims)
    }

    /// All claims to each path.
    pub(super) fn by_path(&self) -> impl Iterator<Item = &[Claim<'a>]> {
        self.0.chunk_by(|a, b| a.path == b.path)
    }

    /// The first claim to a path.
    pub(super) fn first_at(&self, path: &str) -> Option<&Claim<'a>> {
        let at = self.0.partition_point(|claim| claim.path.as_str() < path);
        self.0.get(at).filter(|claim| claim.path.as_str() == path)
    }
}

fn what(input: &Input) -> What<'_> {
    match input {
        Input::File { digest, mode, .. } => What::File(digest, *mode),
        Input::Link { target } => What::Link(target),
        Input::Text { .. } | Input::Crate { .. } => What::Built,
    }
}
