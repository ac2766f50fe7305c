//! `groupage.toml`, as written: what all components and images of a workspace share.

use std::collections::BTreeMap;
use std::str::FromStr;

use super::decode::{Document, Item, Table};
use super::name::{BaseName, BuilderName, ContractId, Need};
use super::path::RelativePath;
use super::policy::PolicySettings;
use super::retired::LedgerFile;
use super::schema_version;
use super::shape::Shape;
use super::text::{Text, Texts};
use crate::diagnostic::Problems;
use crate::oci::{ImageSource, MappingMode, Reference};
use crate::source::{FileId, SourceFile, Span, Spanned};
use crate::workspace::Folders;

/// The settings of a workspace.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Settings {
    /// `[workspace]`: where components and images are found.
    pub workspace: Folders,
    /// `[bases]`: images that others are put on, by name: a reference, or a table that says more.
    pub bases: BTreeMap<BaseName, Base>,
    /// `[builders]`: images that components are built in, by name: a reference, or a table that says more.
    pub builders: BTreeMap<BuilderName, Builder>,
    /// `[registry] default`: registry and path that image names are appended to.
    ///
    /// `[registry]`: where images go, where they are had from, and how registries are spoken to.
    pub registry: Option<Spanned<RegistryPath>>,
    /// `[registry] mirror`: registry and path that hold copies of what other registries have.
    ///
    /// `[registry] mirror-mode`: how names are found there.
    pub mirror: Mirror,
    /// `[registry] plain-http`: registries, as in references, that are spoken to without TLS. Those on loopback always may be.
    ///
    /// `[registry] ca-files`: files with certificates that are trusted besides those of the system.
    pub registries: Registries,
    /// `[build] network`: whether builds may use a network.
    ///
    /// `[build]`: what all builds have in common.
    pub network: Option<Spanned<BuildNetwork>>,
    /// `[build] stamp`: what is said of the sources in the labels of an image.
    pub stamp: Vec<Spanned<StampLabel>>,
    /// `[dockerfile] link`: use `COPY --link`, which needs a newer builder than Docker 20.10 has.
    ///
    /// `[dockerfile]`: what the generated Dockerfiles may rely on.
    pub link: bool,
    /// `[rules]`: what the findings of rules do, by the codes of the rules.
    pub rules: BTreeMap<String, Spanned<RuleLevel>>,
    /// What may be released.
    pub policy: PolicySettings,
    /// `ledger`: files with more `[[retired]]`.
    pub ledgers: Vec<Spanned<RelativePath>>,
    /// `[[retired]]` and `[products]`.
    pub ledger: LedgerFile,
}

/// `[registry]`, as far as it is about the way to registries.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Registries {
    /// `plain-http`: registries, as in references, that are spoken to without TLS. Those on loopback always may be.
    pub plain_http: Vec<Spanned<String>>,
    /// `ca-files`: files with certificates that are trusted besides those of the system.
    pub authorities: Vec<Spanned<RelativePath>>,
}

/// `[registry] mirror` and `mirror-mode`.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Mirror {
    /// Registry and path that hold copies of what other registries have.
    pub registry: Option<Spanned<RegistryPath>>,
    /// How names are found there.
    pub mode: Option<Spanned<MappingMode>>,
}

/// One entry of `[bases]`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Base {
    /// Where its name stands.
    pub span: Span,
    /// The image.
    pub image: Spanned<ImageSource>,
    /// What it gives to roles that need it.
    pub provides: Vec<Spanned<Need>>,
    /// What an image in its place must keep.
    pub contract: Option<Spanned<ContractId>>,
    /// The distribution that it is of, such as `alpine 3.19`; what its name says when absent.
    pub distribution: Option<Spanned<String>>,
}

/// One entry of `[builders]`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Builder {
    /// Where its name stands.
    pub span: Span,
    /// The image.
    pub image: Spanned<Reference>,
    /// A program of the workspace that makes a local stand-in when the image cannot be pulled.
    pub bootstrap: Option<Spanned<RelativePath>>,
    /// What an image in its place must keep.
    pub contract: Option<Spanned<ContractId>>,
}

/// Registry and path, such as `ghcr.io/example`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RegistryPath(String);

impl RegistryPath {
    /// The text, without a `/` at its end.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl Text for RegistryPath {}

impl FromStr for RegistryPath {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let trimmed = text.trim_end_matches('/');
        // with any name appended it must be a reference
        match format!("{trimmed}/x").parse::<Reference>() {
            Ok(_) => Ok(Self(trimmed.to_owned())),
            Err(_) => Err(format!(
                "`{}` is not a registry and path such as `ghcr.io/example`",
                text.chars().take(128).collect::<String>()
            )),
        }
    }
}

/// Whether builds may use a network.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord, serde::Serialize)]
#[serde(rename_all = "lowercase")]
pub enum BuildNetwork {
    /// As the engine has it.
    #[default]
    Default,
    /// None: dependencies travel with the context.
    None,
}

impl Text for BuildNetwork {
    fn texts() -> Texts {
        Texts::Words(vec!["default", "none"])
    }
}

impl FromStr for BuildNetwork {
    type Err = String;
    fn from_str(text: &str) -> Result<Self, String> {
        match text {
            "default" => Ok(Self::Default),
            "none" => Ok(Self::None),
            _ => Err("it is \"default\" or \"none\"".to_owned()),
        }
    }
}

/// What an image can say of the sources that it was built from. It is no input: an image that only says another revision keeps
/// its layers. Not said unless asked for, because every commit would make another image of the same inputs.
/// <https://github.com/opencontainers/image-spec/blob/main/annotations.md#pre-defined-annotation-keys>
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum StampLabel {
    /// `org.opencontainers.image.revision`: the commit, with `-dirty` when files that git knows have changed since.
    Revision,
    /// `org.opencontainers.image.created`: `SOURCE_DATE_EPOCH`, or the time of the commit.
    Created,
}

impl Text for StampLabel {
    fn texts() -> Texts {
        Texts::Words(vec!["revision", "created"])
    }
}

impl FromStr for StampLabel {
    type Err = String;
    fn from_str(text: &str) -> Result<Self, String> {
        match text {
            "revision" => Ok(Self::Revision),
            "created" => Ok(Self::Created),
            _ => Err("it is \"revision\" or \"created\"".to_owned()),
        }
    }
}

/// What a rule's finding does.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, serde::Serialize)]
#[serde(rename_all = "lowercase")]
pub enum RuleLevel {
    /// Nothing.
    Allow,
    /// It is printed.
    Warn,
    /// It is printed and the work stops.
    Deny,
}

impl Text for RuleLevel {
    fn texts() -> Texts {
        Texts::Words(vec!["allow", "warn", "deny"])
    }
}

impl FromStr for RuleLevel {
    type Err = String;
    fn from_str(text: &str) -> Result<Self, String> {
        match text {
            "allow" => Ok(Self::Allow),
            "warn" => Ok(Self::Warn),
            "deny" => Ok(Self::Deny),
            _ => Err("a level is \"allow\", \"warn\" or \"deny\"".to_owned()),
        }
    }
}

impl BuildNetwork {
    /// The word for it.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Default => "default",
            Self::None => "none",
        }
    }
}

impl Settings {
    /// Whether builds may use a network, when no override says so.
    pub fn network(&self) -> BuildNetwork {
        self.network.as_ref().map(|network| network.value).unwrap_or_default()
    }

    /// Parses the file; every problem in it is added to `problems`.
    pub fn parse(id: FileId, source: &SourceFile, problems: &mut Problems) -> Option<Self> {
        Document::read(id, &source.text, problems, Self::decode)
    }

    /// What the file may hold.
    pub fn shape() -> Shape {
        Document::shape(Self::decode)
    }

    fn decode(table: &mut Table<'_>) -> Option<Self> {
        schema_version(table);
        let workspace = table.optional("workspace").and_then(|item| item.table(decode_workspace));
        let bases = table.optional("bases").and_then(|item| item.table(decode_bases));
        let builders = table.optional("builders").and_then(|item| item.table(decode_builders));
        let (registry, mirror, registries) =
            table.optional("registry").and_then(|item| item.table(decode_registry)).unwrap_or_default();
        let build = table.optional("build").and_then(|item| item.table(decode_build));
        let (network, stamp) = build.unwrap_or_default();
        let link = table
            .optional("dockerfile")
            .and_then(|item| item.table(|table| table.optional("link").and_then(|item| item.boolean())));
        let rules = table.optional("rules").and_then(|item| item.table(decode_rules));
        let policy = PolicySettings::decode(table);
        let ledgers = table.optional("ledger").and_then(|item| item.list(Item::parsed)).unwrap_or_default();
        let ledger = LedgerFile::decode(table);
        Some(Self {
            workspace: workspace.unwrap_or_default(),
            bases: bases.unwrap_or_default(),
            builders: builders.unwrap_or_default(),
            registry,
            mirror,
            registries,
            network,
            stamp,
            link: link.unwrap_or(false),
            rules: rules.unwrap_or_default(),
            policy,
            ledgers,
            ledger,
        })
    }
}

/// `[build]`: its network and its stamp.
type Build = (Option<Spanned<BuildNetwork>>, Vec<Spanned<StampLabel>>);

fn decode_build(table: &mut Table<'_>) -> Option<Build> {
    let network = table.optional("network").and_then(|item| item.parsed());
    let stamp = table.optional("stamp").and_then(|item| item.list(Item::parsed));
    Some((network, stamp.unwrap_or_default()))
}

fn decode_registry(table: &mut Table<'_>) -> Option<(Option<Spanned<RegistryPath>>, Mirror, Registries)> {
    let default = table.optional("default").and_then(|item| item.parsed());
    let registry = table.optional("mirror").and_then(|item| item.parsed());
    let mirror = Mirror { registry, mode: table.optional("mirror-mode").and_then(|item| item.parsed()) };
    let plain_http = table.optional("plain-http").and_then(|item| item.list(|item| registry_host(item)));
    let authorities = table.optional("ca-files").and_then(|item| item.list(Item::parsed));
    let (plain_http, authorities) = (plain_http.unwrap_or_default(), authorities.unwrap_or_default());
    Some((default, mirror, Registries { plain_http, authorities }))
}

/// A registry as it stands in references: `host` or `host:port`.
fn registry_host(item: &Item<'_>) -> Option<Spanned<String>> {
    let host = item.line()?;
    match format!("{}/x", host.value).parse::<Reference>() {
        Ok(reference) if reference.registry() == host.value => Some(host),
        _ => {
            item.report("invalid-value", "a registry is written as in references, such as `registry.lan:5000`");
            None
        }
    }
}

fn decode_workspace(table: &mut Table<'_>) -> Option<Folders> {
    let components = table.optional("components").and_then(|item| item.list(Item::parsed));
    let images = table.optional("images").and_then(|item| item.list(Item::parsed));
    Some(Folders { components: components.unwrap_or_default(), images: images.unwrap_or_default() })
}

/// A base is a reference, or a table when more is to be said about it.
fn decode_bases(table: &mut Table<'_>) -> Option<BTreeMap<BaseName, Base>> {
    let decode = |(name, item): (Spanned<BaseName>, Item<'_>)| {
        if name.value.as_str() == "scratch" {
            item.report("reserved-name", "`scratch` is the empty base and cannot be another one");
            return None;
        }
        let base = if item.is_table() {
            item.table(|table| {
                let image = table.required("image").and_then(|item| item.parsed());
                let provides = table.optional("provides").and_then(|item| item.list(Item::parsed));
                let contract = table.optional("contract").and_then(|item| item.parsed());
                let distribution = table.optional("distribution").and_then(|item| item.line());
                let provides = provides.unwrap_or_default();
                Some(Base { span: name.span, image: image?, provides, contract, distribution })
            })?
        } else {
            let image = item.parsed()?;
            Base { span: name.span, image, provides: Vec::new(), contract: None, distribution: None }
        };
        Some((name.value, base))
    };
    Some(table.named().into_iter().filter_map(decode).collect())
}

fn decode_builders(table: &mut Table<'_>) -> Option<BTreeMap<BuilderName, Builder>> {
    let decode = |(name, item): (Spanned<BuilderName>, Item<'_>)| {
        let builder = if item.is_table() {
            item.table(|table| {
                let image = table.required("image").and_then(|item| item.parsed());
                let bootstrap = table.optional("bootstrap").and_then(|item| item.parsed());
                let contract = table.optional("contract").and_then(|item| item.parsed());
                Some(Builder { span: name.span, image: image?, bootstrap, contract })
            })?
        } else {
            Builder { span: name.span, image: item.parsed()?, bootstrap: None, contract: None }
        };
        Some((name.value, builder))
    };
    Some(table.named().into_iter().filter_map(decode).collect())
}

fn decode_rules(table: &mut Table<'_>) -> Option<BTreeMap<String, Spanned<RuleLevel>>> {
    let decode = |(name, item): (Spanned<String>, Item<'_>)| Some((name.value, item.parsed()?));
    Some(table.named::<String>().into_iter().filter_map(decode).collect())
}
