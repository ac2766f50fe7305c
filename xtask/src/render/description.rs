//! `/.groupage/manifest.json`: what an image holds, for programs that want to know what is beside them, and for `verify`, which
//! reads it back as [`crate::verify::Contract`].
//!
//! The fingerprint is not in it but in a label: it changes with every byte of every component, and the layer of this file
//! would be another one each time. Nor is the version of the image, which would cost a layer with every release: it is a label
//! too, and so are digests of files ([`crate::plan::fingerprint::FILES_LABEL`]): nothing but its own layer may depend on the
//! bytes of a component. Here it only says which files these are. An entry has fewer bytes than the header of its file in the
//! layer, so that the description of many files is small beside them.

use std::collections::BTreeMap;

use serde::Serialize;

use crate::manifest::{ComponentName, FeatureName, ImageName, Mode, RoleName, VariantName};
use crate::plan::{BuildPlan, ComponentPlan, FilePlan, ImagePlan, Input, InstallPlan, RolePlan};

/// Permission bits of a program without a mode of its own, as `install` has it.
const PROGRAM_MODE: u32 = 0o755;
/// Permission bits of a text that the plan made.
const TEXT_MODE: u32 = 0o644;

#[derive(Debug, Serialize)]
struct Description<'a> {
    schema: u32,
    image: &'a ImageName,
    variant: Option<&'a VariantName>,
    /// The component that it is the image of.
    #[serde(skip_serializing_if = "Option::is_none")]
    part: Option<&'a ComponentName>,
    mode: Mode,
    /// Only the empty base is named: then everything in the image is ours. Others stand in a label, as far as anybody else can
    /// have them.
    #[serde(skip_serializing_if = "Option::is_none")]
    base: Option<&'static str>,
    features: &'a [FeatureName],
    components: Vec<Part<'a>>,
    /// The program that holds the cargo components: no component of the workspace, and in the image all the same.
    #[serde(skip_serializing_if = "Option::is_none")]
    multicall: Option<Part<'a>>,
}

#[derive(Debug, Serialize)]
struct Part<'a> {
    name: &'a ComponentName,
    version: &'a str,
    features: &'a [FeatureName],
    roles: &'a BTreeMap<RoleName, Box<RolePlan>>,
    files: BTreeMap<&'a str, File<'a>>,
}

/// What is declared of a path.
#[derive(Debug, Default, Serialize)]
struct File<'a> {
    #[serde(skip_serializing_if = "Option::is_none")]
    mode: Option<String>,
    /// Whether its digest is in the label.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    hashed: bool,
    #[serde(skip_serializing_if = "Option::is_none")]
    link: Option<&'a str>,
}

/// The text of the file, with a final newline.
pub(super) fn text(plan: &ImagePlan) -> String {
    let (programs, components): (Vec<_>, Vec<_>) = plan.components.iter().partition(|part| part.is_multicall());
    let description = Description {
        schema: 1,
        image: &plan.name,
        variant: plan.variant.as_ref(),
        part: plan.part.as_ref(),
        mode: plan.mode,
        base: plan.base.image.is_none().then_some("scratch"),
        features: &plan.features,
        components: components.into_iter().map(part).collect(),
        multicall: programs.into_iter().map(part).next(),
    };
    serde_json::to_string_pretty(&description).unwrap_or_default() + "\n"
}

fn part(part: &ComponentPlan) -> Part<'_> {
    Part { name: &part.name, version: &part.version, features: &part.features, roles: &part.roles, files: files(part) }
}

/// All that a component puts into the image. What its stage gives may be a folder, whose files nobody knows before the build.
fn files(part: &ComponentPlan) -> BTreeMap<&str, File<'_>> {
    let installs = part.installs.iter().filter(|install| !install.is_likely);
    let installs = installs.map(|install| (install.to.as_str(), given(part, install)));
    let files = part.files.iter().map(|(path, file)| (path.as_str(), known(file)));
    let link = |target| File { link: Some(target), ..File::default() };
    let links = part.links.iter().map(|(path, to)| (path.as_str(), link(to.target.as_str())));
    installs.chain(files).chain(links).collect()
}

fn given<'a>(part: &ComponentPlan, install: &InstallPlan) -> File<'a> {
    let is_program = matches!(part.build, BuildPlan::Cargo { .. } | BuildPlan::Go { .. });
    let bits = install.mode.or(is_program.then_some(PROGRAM_MODE));
    File { mode: bits.map(mode), ..File::default() }
}

fn known(file: &FilePlan) -> File<'_> {
    match &file.input {
        Input::File { mode: bits, .. } => File { mode: Some(mode(*bits)), hashed: true, ..File::default() },
        Input::Text { .. } => File { mode: Some(mode(TEXT_MODE)), hashed: true, ..File::default() },
        Input::Link { target } => File { link: Some(target), ..File::default() },
        Input::Crate { .. } => File::default(),
    }
}

fn mode(bits: u32) -> String {
    format!("{bits:04o}")
}
