//! `[build.<kind>]`: how a component is built. Exactly one kind.

use std::collections::BTreeMap;

use super::component::{VersionSource, is_binary_name};
use super::decode::{Item, Table};
use super::name::{BuilderName, ContractId, FeatureName, OutputName};
use super::path::{ImagePath, RelativePath};
use super::role::decode_env;
use crate::diagnostic::Diagnostic;
use crate::oci::ImageSource;
use crate::source::{Span, Spanned};

/// How a component is built, and where that is written.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Build {
    /// Where `[build.<kind>]` stands.
    pub span: Span,
    /// The kind and its settings.
    pub kind: BuildKind,
}

/// The kinds of build.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum BuildKind {
    /// A package of the cargo workspace.
    Cargo(CargoBuild),
    /// Files beside the manifest, as they are.
    Files,
    /// Files of an existing image.
    Image(ImageBuild),
    /// Commands in a builder image.
    Script(ScriptBuild),
}

impl BuildKind {
    /// The kind as it is written.
    pub fn name(&self) -> &'static str {
        match self {
            Self::Cargo(_) => "cargo",
            Self::Files => "files",
            Self::Image(_) => "image",
            Self::Script(_) => "script",
        }
    }
}

/// `[build.cargo]`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CargoBuild {
    /// The package.
    pub package: Spanned<String>,
    /// The program; the package's only one when absent.
    pub bin: Option<Spanned<String>>,
    /// Cargo features that are on besides those of the component's own features.
    pub features: Vec<Spanned<FeatureName>>,
    /// The builder; `rust` when absent.
    pub builder: Option<Spanned<BuilderName>>,
    /// How the program is linked.
    pub link: Link,
    /// The function of the package's library that a multi-call program calls; `run` when absent.
    pub run: Option<Spanned<String>>,
}

/// How a program is linked.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord)]
pub enum Link {
    /// Statically: the program runs on any base, `scratch` included.
    #[default]
    Static,
    /// Dynamically: the base must give `libc:glibc`.
    Dynamic,
}

/// `[build.image]`. A `{version}` in the reference is the component's version, so that an image that is released with the
/// component is named once. What is not released has no image under its version: `dev-image` stands in for it, by name.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ImageBuild {
    /// The image that files are taken from.
    pub image: Spanned<ImageSource>,
    /// What an image in its place must keep.
    pub contract: Option<Spanned<ContractId>>,
}

/// `[build.script]`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ScriptBuild {
    /// The builder image.
    pub builder: Spanned<BuilderName>,
    /// Files and folders beside the manifest that the commands see, at the same relative paths.
    pub inputs: Vec<Spanned<RelativePath>>,
    /// Shell commands, in order; each runs in `/src`.
    pub commands: Vec<Spanned<String>>,
    /// Files and folders that the commands make, by name.
    pub outputs: BTreeMap<OutputName, Spanned<ImagePath>>,
    /// Environment of the commands.
    pub env: BTreeMap<String, Spanned<String>>,
    /// Whether the commands need a network; the workspace's `[build] network` decides when absent.
    pub network: Option<Spanned<bool>>,
}

const KINDS: &[&str] = &["cargo", "files", "image", "script"];

pub(super) fn decode_build(table: &mut Table<'_>, version: Option<&Spanned<VersionSource>>) -> Option<Build> {
    let [cargo, files, image, script] = ["cargo", "files", "image", "script"].map(|kind| table.optional(kind));
    let is_named = [&cargo, &files, &image, &script].into_iter().any(Option::is_some);
    let cargo = cargo.and_then(|item| with_span(&item, decode_cargo));
    let files = files.and_then(|item| with_span(&item, |_| Some(BuildKind::Files)));
    let image = image.and_then(|item| with_span(&item, |table| decode_image(table, version)));
    let script = script.and_then(|item| with_span(&item, decode_script));
    let mut found: Vec<Build> = [cargo, files, image, script].into_iter().flatten().collect();
    if found.len() > 1 {
        let names: Vec<&str> = found.iter().map(|build| build.kind.name()).collect();
        let message = format!("a component has one build kind, found {}", names.join(" and "));
        table.report(
            Diagnostic::error("build-kind", message).label(found[1].span, "").label(found[0].span, "first one here"),
        );
        return None;
    }
    // one that is named and wrong was reported for what is wrong with it
    if !is_named && table.is_empty_so_far() {
        let message = format!("a component needs one build kind: {}", KINDS.join(", "));
        table.report(Diagnostic::error("build-kind", message).label(table.span, ""));
    }
    found.pop()
}

fn with_span(item: &Item<'_>, decode: impl FnOnce(&mut Table<'_>) -> Option<BuildKind>) -> Option<Build> {
    Some(Build { span: item.span, kind: item.table(decode)? })
}

fn decode_cargo(table: &mut Table<'_>) -> Option<BuildKind> {
    let package = table.required("package").and_then(|item| binary_name(&item));
    let bin = table.optional("bin").and_then(|item| binary_name(&item));
    let features = table.optional("features").and_then(|item| item.list(Item::parsed));
    let builder = table.optional("builder").and_then(|item| item.parsed());
    let link = table.optional("link").and_then(|item| decode_link(&item));
    let run = table.optional("run").and_then(|item| decode_run(&item));
    Some(BuildKind::Cargo(CargoBuild {
        package: package?,
        bin,
        features: features.unwrap_or_default(),
        builder,
        link: link.unwrap_or_default(),
        run,
    }))
}

/// A path of Rust: names parted by `::`. It becomes a piece of a program.
fn decode_run(item: &Item<'_>) -> Option<Spanned<String>> {
    let path = item.line()?;
    let starts = |name: &str| name.starts_with(|first: char| first == '_' || first.is_ascii_alphabetic());
    let is_name = |name: &str| starts(name) && name.bytes().all(|byte| byte == b'_' || byte.is_ascii_alphanumeric());
    if !path.value.split("::").all(is_name) {
        item.report("invalid-value", "`run` is the path of a function in the library, such as \"run\" or \"cli::run\"");
        return None;
    }
    Some(path)
}

fn binary_name(item: &Item<'_>) -> Option<Spanned<String>> {
    let name = item.line()?;
    if !is_binary_name(&name.value) {
        item.report("invalid-name", "a package or program has letters, digits, `_` and `-`");
        return None;
    }
    Some(name)
}

fn decode_link(item: &Item<'_>) -> Option<Link> {
    match item.line()?.value.as_str() {
        "static" => Some(Link::Static),
        "dynamic" => Some(Link::Dynamic),
        _ => {
            item.report("invalid-value", "`link` is \"static\" or \"dynamic\"");
            None
        }
    }
}

fn decode_image(table: &mut Table<'_>, version: Option<&Spanned<VersionSource>>) -> Option<BuildKind> {
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

fn decode_script(table: &mut Table<'_>) -> Option<BuildKind> {
    let builder = table.required("builder").and_then(|item| item.parsed());
    let inputs = table.optional("inputs").and_then(|item| item.list(Item::parsed));
    let commands = table.required("commands").and_then(|item| item.list(Item::text));
    let outputs = table.optional("outputs").and_then(|item| item.table(decode_outputs));
    let env = table.optional("env").and_then(|item| item.table(decode_env));
    let network = table.optional("network").and_then(|item| Some(Spanned::new(item.boolean()?, item.span)));
    Some(BuildKind::Script(ScriptBuild {
        builder: builder?,
        inputs: inputs.unwrap_or_default(),
        commands: commands?,
        outputs: outputs.unwrap_or_default(),
        env: env.unwrap_or_default(),
        network,
    }))
}

fn decode_outputs(table: &mut Table<'_>) -> Option<BTreeMap<OutputName, Spanned<ImagePath>>> {
    let decode = |(name, item): (Spanned<OutputName>, Item<'_>)| Some((name.value, item.parsed()?));
    Some(table.named().into_iter().filter_map(decode).collect())
}
