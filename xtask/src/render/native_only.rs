//! What no Dockerfile can say, so that only the native engine builds it:
//!
//! - A daemon of Docker 20.10 takes bases and sources from registries and from itself alone, not from files and folders.
//! - `COPY` takes paths. Which paths the layers above an image's base give is known only when they were read, and what a
//!   copy of them is would be another layer than theirs.

use std::fmt;

use crate::diagnostic::Diagnostic;
use crate::manifest::{BaseName, ComponentName};
use crate::oci::{ImageFile, ImageSource};
use crate::plan::{BuildPlan, ImagePlan};

/// Something that an image is made from.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct NativeOnly<'p> {
    /// The image.
    pub image: &'p str,
    /// What comes from there.
    pub user: User<'p>,
    /// What it is.
    pub what: What<'p>,
}

/// What a Dockerfile cannot name.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum What<'p> {
    /// A file or folder.
    File(&'p ImageFile),
    /// The layers above the base of an image.
    Layers(&'p ImageSource),
}

/// What comes from there.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum User<'p> {
    /// The base of the image.
    Base(&'p BaseName),
    /// The files of a component.
    Component(&'p ComponentName),
}

/// Everything that an image is made from and a Dockerfile cannot name; nothing when one can describe the image.
pub fn native_only(plan: &ImagePlan) -> impl Iterator<Item = NativeOnly<'_>> {
    let base = plan.base.image.iter().map(|image| (User::Base(&plan.base.name), image));
    let components = plan.components.iter().filter_map(|component| match &component.build {
        BuildPlan::Image { image, .. } => Some((User::Component(&component.name), image)),
        BuildPlan::Cargo { .. }
        | BuildPlan::Dockerfile { .. }
        | BuildPlan::Files
        | BuildPlan::Go { .. }
        | BuildPlan::Script { .. } => None,
    });
    let files = base.chain(components).filter_map(|(user, image)| Some((user, What::File(image.file()?))));
    let layers = plan.components.iter().filter_map(|component| match &component.build {
        // one in a file is named already
        BuildPlan::Image { image, above: Some(_) } if image.file().is_none() => {
            Some((User::Component(&component.name), What::Layers(image)))
        }
        _ => None,
    });
    files.chain(layers).map(|(user, what)| NativeOnly { image: &plan.id, user, what })
}

/// As the end of "only it can".
impl fmt::Display for What<'_> {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::File(file) => write!(out, "read `{file}`"),
            Self::Layers(image) => write!(out, "take the layers of `{image}`"),
        }
    }
}

impl NativeOnly<'_> {
    /// The refusal.
    pub fn diagnostic(&self) -> Diagnostic {
        let (subject, help) = match (self.what, self.user) {
            (What::File(file), User::Base(name)) => {
                (format!("base `{name}` is {}, which Docker cannot read", file.kind.description()), instead_of(file))
            }
            (What::File(file), User::Component(name)) => {
                let kind = file.kind.description();
                (format!("component `{name}` takes its files from {kind}, which Docker cannot read"), instead_of(file))
            }
            (What::Layers(image), User::Component(_) | User::Base(_)) => {
                let help =
                    "build it with `--engine native`, or list what is wanted of it in [[install]] instead of `take`";
                (
                    format!(
                        "{} takes all above the base of {image}, whose layers only the native engine takes",
                        self.user
                    ),
                    help.to_owned(),
                )
            }
        };
        let message = format!("`{}` has no Dockerfile: {subject}", self.image);
        Diagnostic::error("native-only", message).help(help)
    }
}

fn instead_of(file: &ImageFile) -> String {
    format!("build it with `--engine native`, or name an image of a registry instead of `{file}`")
}

impl fmt::Display for User<'_> {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Base(name) => write!(out, "base `{name}`"),
            Self::Component(name) => write!(out, "component `{name}`"),
        }
    }
}
