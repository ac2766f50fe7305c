//! `images/<name>/image.toml`, as written. Type [`ImageDefinition`]; "image manifest" is OCI's word for something else.

use std::collections::BTreeMap;
use std::fmt;
use std::str::FromStr;

use camino::{Utf8Path, Utf8PathBuf};

use super::component::{VersionSource, decode_version};
use super::decode::{Document, Item, Table};
use super::feature::{COMPONENTS, FeatureTable};
use super::name::{BaseName, ComponentName, FeatureName, ImageName, RoleName, VariantName};
use super::schema_version;
use super::shape::Shape;
use super::tag::TagTemplate;
use super::text::{Text, Texts};
use crate::diagnostic::Problems;
use crate::oci::Platform;
use crate::source::{FileId, SourceFile, Span, Spanned};

/// What is merged into one image.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ImageDefinition {
    /// Its name.
    pub name: Spanned<ImageName>,
    /// The whole file, for problems that have no narrower place.
    pub span: Span,
    /// Folder of the definition, relative to the workspace root.
    pub folder: Utf8PathBuf,
    /// What it is for, in one line.
    pub description: Option<Spanned<String>>,
    /// Version of the image; that of the default role's component when absent.
    pub version: Option<Spanned<VersionSource>>,
    /// A name from `[bases]`, or `scratch`.
    pub base: Spanned<BaseName>,
    /// How components are put together.
    pub mode: Spanned<Mode>,
    /// The role that the image starts without further words.
    pub default_role: Option<Spanned<RoleName>>,
    /// Platforms that it is made for.
    pub platforms: Vec<Spanned<Platform>>,
    /// `[components]`: the components that it is made of.
    ///
    /// `[features]`: names for what can be turned on, each with the features and components that it brings.
    pub features: FeatureTable,
    /// `[variants]`: the same image with other features, under tags of its own.
    pub variants: BTreeMap<VariantName, Variant>,
    /// Templates of its tags, such as `{version}{variant}`; also `{fingerprint}`, `{branch}`, `{major}`, `{minor}`.
    pub tags: Option<Vec<Spanned<TagTemplate>>>,
    /// Further labels of the image.
    pub labels: BTreeMap<String, Spanned<String>>,
    /// Roles that share a network, one list a pod; all roles together when absent.
    pub pods: Option<Vec<Vec<Spanned<RoleName>>>>,
    /// Findings that are accepted, with reasons.
    pub allow: Vec<Allow>,
}

/// How components are put together. Every definition can be built in each mode; consumers see the same roles in all of them.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord, serde::Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Mode {
    /// One image per component: what there was before the merge, and the way back.
    Split,
    /// One image, each component's own files in a layer of its own.
    #[default]
    Colocated,
    /// One image, its cargo components compiled into one program; the others stay beside it.
    Multicall,
}

impl Mode {
    /// All modes, from one image per component to one program for all.
    pub const ALL: [Self; 3] = [Self::Split, Self::Colocated, Self::Multicall];

    /// The mode as it is written.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Split => "split",
            Self::Colocated => "colocated",
            Self::Multicall => "multicall",
        }
    }
}

impl fmt::Display for Mode {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str(self.as_str())
    }
}

impl Text for Mode {
    fn texts() -> Texts {
        Texts::Words(Self::ALL.map(Self::as_str).to_vec())
    }
}

impl FromStr for Mode {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let known = Self::ALL.into_iter().find(|mode| mode.as_str() == text);
        known.ok_or_else(|| format!("`{text}` is not a mode; use split, colocated or multicall"))
    }
}

/// One entry of `[variants]`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Variant {
    /// Where its name stands.
    pub span: Span,
    /// Features that are on besides the default ones.
    pub features: Vec<Spanned<FeatureName>>,
    /// Whether the default features are on.
    pub default_features: bool,
    /// What is appended to the tag.
    pub tag_suffix: Spanned<String>,
}

/// One entry of `[[allow]]`: a finding that is accepted.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Allow {
    /// Code of the rule, such as `port-collision`.
    pub rule: Spanned<String>,
    /// The components that it is accepted for.
    pub components: Vec<Spanned<ComponentName>>,
    /// Why it is accepted, for those who read it later.
    pub reason: Spanned<String>,
}

impl ImageDefinition {
    /// Parses one file; every problem in it is added to `problems`.
    pub fn parse(id: FileId, source: &SourceFile, problems: &mut Problems) -> Option<Self> {
        Document::read(id, &source.text, problems, |table| Self::decode(table, source.folder()))
    }

    /// What the file may hold.
    pub fn shape() -> Shape {
        Document::shape(|table| Self::decode(table, Utf8Path::new("")))
    }

    fn decode(table: &mut Table<'_>, folder: &Utf8Path) -> Option<Self> {
        schema_version(table);
        let name = table.required("name").and_then(|item| item.parsed());
        let description = table.optional("description").and_then(|item| item.line());
        let version = table.optional("version").and_then(|item| decode_version(&item));
        let base = table.required("base").and_then(|item| item.parsed());
        let mode = table.optional("mode").and_then(|item| item.parsed());
        let default_role = table.optional("default-role").and_then(|item| item.parsed());
        let platforms = table.required("platforms").and_then(|item| decode_platforms(&item));
        let features = FeatureTable::decode(table, COMPONENTS);
        let variants = table.optional("variants").and_then(|item| item.table(decode_variants));
        let tags = table.optional("tags").and_then(|item| decode_tags(&item));
        let labels = table.optional("labels").and_then(|item| item.table(decode_labels));
        let pods = table.optional("pods").and_then(|item| item.list(|pod| pod.list(Item::parsed)));
        let allow = table.optional("allow").and_then(|item| item.list(|entry| entry.table(decode_allow)));
        Some(Self {
            name: name?,
            span: table.span,
            folder: folder.to_owned(),
            description,
            version,
            base: base?,
            mode: mode.unwrap_or_else(|| Spanned::new(Mode::default(), table.span)),
            default_role,
            platforms: platforms?,
            features,
            variants: variants.unwrap_or_default(),
            tags,
            labels: labels.unwrap_or_default(),
            pods,
            allow: allow.unwrap_or_default(),
        })
    }
}

fn decode_platforms(item: &Item<'_>) -> Option<Vec<Spanned<Platform>>> {
    let platforms = item.list(Item::parsed::<Platform>)?;
    if platforms.is_empty() {
        item.report("empty-value", "an image needs at least one platform");
        return None;
    }
    Some(platforms)
}

fn decode_tags(item: &Item<'_>) -> Option<Vec<Spanned<TagTemplate>>> {
    let tags = item.list(Item::parsed::<TagTemplate>)?;
    if item.array().is_some_and(|written| written.is_empty()) {
        item.report_with_help("empty-value", "an image needs at least one tag", "remove the key for the usual one");
    }
    Some(tags)
}

fn decode_variants(table: &mut Table<'_>) -> Option<BTreeMap<VariantName, Variant>> {
    let decode = |(name, item): (Spanned<VariantName>, Item<'_>)| {
        let variant = item.table(|table| {
            let features = table.optional("features").and_then(|item| item.list(Item::parsed));
            let default_features = table.optional("default-features").and_then(|item| item.boolean());
            let tag_suffix = table.required("tag-suffix").and_then(|item| decode_tag_suffix(&item));
            Some(Variant {
                span: name.span,
                features: features.unwrap_or_default(),
                default_features: default_features.unwrap_or(true),
                tag_suffix: tag_suffix?,
            })
        })?;
        Some((name.value, variant))
    };
    Some(table.named().into_iter().filter_map(decode).collect())
}

fn decode_tag_suffix(item: &Item<'_>) -> Option<Spanned<String>> {
    let suffix = item.line()?;
    let allowed = |b: u8| b.is_ascii_alphanumeric() || b"._-".contains(&b);
    if suffix.value.len() > 28 || !suffix.value.bytes().all(allowed) {
        item.report("invalid-value", "a tag suffix has letters, digits, `.`, `_` and `-`, at most 28 of them");
        return None;
    }
    Some(suffix)
}

/// Labels: keys as the OCI specification advises (reverse domain notation), values any one line.
fn decode_labels(table: &mut Table<'_>) -> Option<BTreeMap<String, Spanned<String>>> {
    let decode = |(name, item): (Spanned<LabelKey>, Item<'_>)| Some((name.value.0, item.line_or_empty()?));
    Some(table.named().into_iter().filter_map(decode).collect())
}

struct LabelKey(String);

impl Text for LabelKey {
    fn texts() -> Texts {
        Texts::Pattern("^[A-Za-z0-9._/-]{1,255}$")
    }
}

impl std::str::FromStr for LabelKey {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let allowed = |b: u8| b.is_ascii_alphanumeric() || b"._-/".contains(&b);
        let short = text.chars().take(64).collect::<String>();
        if text.is_empty() || text.len() > 255 || !text.bytes().all(allowed) {
            return Err(format!("`{short}` is not a label key: letters, digits, `.`, `_`, `-` and `/`"));
        }
        if text.starts_with("dev.groupage.") {
            return Err(format!("label `{short}` is written by groupage itself"));
        }
        Ok(Self(text.to_owned()))
    }
}

fn decode_allow(table: &mut Table<'_>) -> Option<Allow> {
    let rule = table.required("rule").and_then(|item| item.line());
    let components = table.required("components").and_then(|item| {
        let components: Vec<_> = item.list(Item::parsed)?;
        if components.is_empty() {
            item.report("empty-value", "an allowance names the components that it is for");
        }
        Some(components)
    });
    let reason = table.required("reason").and_then(|item| item.line());
    Some(Allow { rule: rule?, components: components?, reason: reason? })
}
