//! What no Dockerfile can say: a daemon of Docker 20.10 takes bases and sources from registries and from itself alone, so
//! that an image with one in a file or folder can only be built by the native engine.

use crate::diagnostic::Diagnostic;
use crate::manifest::{BaseName, ComponentName};
use crate::oci::ImageFile;
use crate::plan::{BuildPlan, ImagePlan};

/// A file or folder that an image is made from.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct NativeOnly<'p> {
    /// The image.
    pub image: &'p str,
    /// What comes from there.
    pub user: User<'p>,
    /// The file or folder.
    pub file: &'p ImageFile,
}

/// What comes from a file or folder.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum User<'p> {
    /// The base of the image.
    Base(&'p BaseName),
    /// The files of a component.
    Component(&'p ComponentName),
}

/// Every file and folder that an image is made from; none when a Dockerfile can describe the image.
pub fn native_only(plan: &ImagePlan) -> impl Iterator<Item = NativeOnly<'_>> {
    let base = plan.base.image.iter().map(|image| (User::Base(&plan.base.name), image));
    let components = plan.components.iter().filter_map(|component| match &component.build {
        BuildPlan::Image { image } => Some((User::Component(&component.name), image)),
        BuildPlan::Cargo { .. } | BuildPlan::Dockerfile(_) | BuildPlan::Files | BuildPlan::Script { .. } => None,
    });
    base.chain(components).filter_map(|(user, image)| Some(NativeOnly { image: &plan.id, user, file: image.file()? }))
}

impl NativeOnly<'_> {
    /// The refusal.
    pub fn diagnostic(&self) -> Diagnostic {
        let Self { image, user, file } = self;
        let kind = file.kind.description();
        let subject = match user {
            User::Base(name) => format!("base `{name}` is {kind}"),
            User::Component(name) => format!("component `{name}` takes its files from {kind}"),
        };
        let message = format!("`{image}` has no Dockerfile: {subject}, which Docker cannot read");
        let help = format!("build it with `--engine native`, or name an image of a registry instead of `{file}`");
        Diagnostic::error("native-only", message).help(help)
    }
}
