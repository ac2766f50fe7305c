//! `[build.image]`: files of an existing image.

use std::str::FromStr;

use super::BuildKind;
use crate::manifest::component::VersionSource;
use crate::manifest::decode::{Item, Table};
use crate::manifest::name::{BaseName, ContractId};
use crate::manifest::path_pattern::PathPattern;
use crate::manifest::text::{Text, Texts};
use crate::oci::ImageSource;
use crate::source::{Span, Spanned};

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
    /// Where it is said that all above its base is taken, and not only what `[[install]]` lists.
    pub above: Option<AboveBase>,
}

/// `take = "above-base"`: every file that the layers above the image's base give, without a list.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AboveBase {
    /// `listed`, the default: what `[[install]]` lists; `above-base`: all that the layers above the image's base give.
    pub take: Span,
    /// The image's own base: a name of `[bases]`, or `scratch`. Absent, the merged image's base or the image's labels say it.
    pub base: Option<Spanned<BaseName>>,
    /// Patterns of paths that are left out, such as `/etc/apk`; a folder is meant with all that is in it.
    pub exclude: Vec<Spanned<PathPattern>>,
}

pub(super) fn decode_image(table: &mut Table<'_>, version: Option<&Spanned<VersionSource>>) -> Option<BuildKind> {
    table.held_by::<ImageBuild>().held_by::<AboveBase>();
    let dev = table.optional("dev-image").and_then(|item| item.parsed());
    let image = table.required("image").and_then(|item| decode_versioned(&item, version, dev));
    let contract = table.optional("contract").and_then(|item| item.parsed());
    let above = decode_take(table);
    Some(BuildKind::Image(ImageBuild { image: image?, contract, above }))
}

/// What is taken of an image.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Take {
    Listed,
    AboveBase,
}

impl FromStr for Take {
    type Err = &'static str;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        match text {
            "listed" => Ok(Self::Listed),
            "above-base" => Ok(Self::AboveBase),
            _ => Err(
                "it is \"listed\", for what [[install]] lists, or \"above-base\", for all that the layers above its base give",
            ),
        }
    }
}

impl Text for Take {
    fn texts() -> Texts {
        Texts::Words(vec!["listed", "above-base"])
    }
}

/// `take`, and the keys that belong to one of its values.
fn decode_take(table: &mut Table<'_>) -> Option<AboveBase> {
    let take: Option<Spanned<Take>> = table.optional("take").and_then(|item| item.parsed());
    let (base_item, exclude_item) = (table.optional("base"), table.optional("exclude"));
    let base = base_item.as_ref().and_then(Item::parsed);
    let exclude = exclude_item.as_ref().and_then(|item| item.list(Item::parsed)).unwrap_or_default();
    if let Some(take) = take.as_ref().filter(|take| take.value == Take::AboveBase) {
        return Some(AboveBase { take: take.span, base, exclude });
    }
    for (key, item) in [("base", base_item), ("exclude", exclude_item)] {
        let message = format!("`{key}` says nothing of files that are listed");
        item.iter().for_each(|item| {
            item.report_with_help("invalid-value", message.clone(), "it belongs to `take = \"above-base\"`");
        });
    }
    None
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
