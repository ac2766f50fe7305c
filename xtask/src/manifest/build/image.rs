//! `[build.image]`: files of an existing image.

use super::BuildKind;
use crate::manifest::component::VersionSource;
use crate::manifest::decode::{Item, Table};
use crate::manifest::name::ContractId;
use crate::oci::ImageSource;
use crate::source::Spanned;

/// `[build.image]`. A `{version}` in the reference is the component's version, so that an image that is released with the
/// component is named once. What is not released has no image under its version: `dev-image` stands in for it, by name.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ImageBuild {
    /// The image that files are taken from.
    ///
    /// `dev-image`: the image that stands in while the component's version names no release.
    pub image: Spanned<ImageSource>,
    /// What an image in its place must keep.
    pub contract: Option<Spanned<ContractId>>,
}

pub(super) fn decode_image(table: &mut Table<'_>, version: Option<&Spanned<VersionSource>>) -> Option<BuildKind> {
    table.held_by::<ImageBuild>();
    let dev = table.optional("dev-image").and_then(|item| item.parsed());
    let image = table.required("image").and_then(|item| decode_versioned(&item, version, dev));
    let contract = table.optional("contract").and_then(|item| item.parsed());
    Some(BuildKind::Image(ImageBuild { image: image?, contract }))
}

/// A reference in which `{version}` may stand. Nothing is filled in for a version that is empty or names no release.
fn decode_versioned(
    item: &Item<'_>,
    version: Option<&Spanned<VersionSource>>,
    dev: Option<Spanned<ImageSource>>,
) -> Option<Spanned<ImageSource>> {
    const PLACE: &str = "{version}";
    let text = item.line()?;
    if !text.value.contains(PLACE) {
        return item.parsed();
    }
    let version = match version.map(|version| &version.value)? {
        VersionSource::Literal(version) => version,
        VersionSource::Cargo => {
            item.report(
                "invalid-value",
                "a component that is taken from an image has no package to ask for `{version}`",
            );
            return None;
        }
    };
    if version.is_empty() {
        let help = "write the component's `version`; nothing is filled in for it";
        item.report_with_help("empty-version", "`{version}` would be empty", help);
        return None;
    }
    if is_development(version) {
        if dev.is_none() {
            let message = format!("version `{version}` is no release, so that no image has it");
            item.report_with_help("empty-version", message, "name the image to use then: `dev-image = \"…\"`");
        }
        return dev;
    }
    match text.value.replace(PLACE, version).parse() {
        Ok(image) => Some(Spanned::new(image, text.span)),
        Err(error) => {
            let error: crate::oci::ImageSourceError = error;
            item.report("invalid-value", error.to_string());
            None
        }
    }
}

/// Whether a version names a state of development, as `dev` and `0.27.0-dev` do.
fn is_development(version: &str) -> bool {
    version == "dev" || version.ends_with("-dev")
}
