//! `components/<name>/component.toml`, as written.
//!
//! Type [`ComponentManifest`] says what a maintainer wrote, with places. What it means for a given image (which features are
//! on, which ports are therefore open) is the business of [`crate::resolve`].

use std::collections::BTreeMap;
use std::fmt;
use std::str::FromStr;

use camino::{Utf8Path, Utf8PathBuf};

use super::build::{Build, BuildKind, decode_build};
use super::decode::{Document, Item, Table};
use super::feature::FeatureTable;
use super::name::{Cadence, ComponentName, FeatureName, Need, OutputName, RoleName};
use super::path::{ImagePath, PlatformPath, refuse_placeholders};
use super::replaces::{Replaces, decode_replaces};
use super::role::{Role, decode_roles};
use super::schema_version;
use super::shape::Shape;
use super::text::Text;
use crate::diagnostic::Problems;
use crate::oci::Platform;
use crate::source::{FileId, SourceFile, Span, Spanned};

/// One program or payload.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ComponentManifest {
    /// Its name.
    pub name: Spanned<ComponentName>,
    /// Folder of the manifest, relative to the workspace root.
    pub folder: Utf8PathBuf,
    /// What it is for, in one line.
    pub description: Option<Spanned<String>>,
    /// Who answers for its size and its vulnerabilities.
    pub owner: Spanned<String>,
    /// How often it is released, such as `weekly`; components of different ones do not merge silently.
    pub cadence: Option<Spanned<Cadence>>,
    /// Its version: a text, or `{ cargo = true }` for that of the cargo package.
    pub version: Spanned<VersionSource>,
    /// How it is built; exactly one kind.
    pub build: Build,
    /// Features, conflicts and dependencies.
    pub features: FeatureTable,
    /// Platforms on which no image contains it.
    pub exclude_platforms: Vec<Spanned<Platform>>,
    /// What it gives to other components, such as `ca-certificates`.
    pub provides: Vec<Spanned<Need>>,
    /// The files that it puts into an image.
    pub install: Vec<Install>,
    /// How it is started, by the names that consumers know.
    // in boxes, because most components have one role, and a map keeps room for eleven
    pub roles: BTreeMap<RoleName, Box<Role>>,
    /// The images that it replaces.
    pub replaces: Vec<Replaces>,
}

/// Where a version comes from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum VersionSource {
    /// `{ cargo = true }`: the version of the cargo package.
    Cargo,
    /// A literal.
    Literal(String),
}

/// One file or folder that a component puts into an image.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Install {
    /// Where the entry stands.
    pub span: Span,
    /// What is installed: `bin:NAME`, a program of the build; `output:NAME` or `stage:/path` of one in a container; or a path beside
    /// the manifest, in which `{os}` and `{arch}` may stand.
    pub from: Spanned<InstallFrom>,
    /// Where it goes: an absolute path in the image.
    pub to: Spanned<ImagePath>,
    /// Permission bits in octal, such as `0755`; the source's own when absent.
    pub mode: Option<u32>,
    /// Only there when this feature of the component is on.
    pub when: Option<Spanned<FeatureName>>,
}

/// What is installed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum InstallFrom {
    /// `bin:NAME`: a program of a cargo or go build.
    Binary(String),
    /// `output:NAME`: a named output of a script build.
    Output(OutputName),
    /// `stage:/path`: a path in the stage of a script build, or in the image of an image build.
    Stage(ImagePath),
    /// A path relative to the manifest, which may depend on the platform.
    Path(PlatformPath),
}

impl Text for InstallFrom {}

impl FromStr for InstallFrom {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let message = |error: &dyn fmt::Display| error.to_string();
        match text.split_once(':') {
            Some(("bin", name)) if is_binary_name(name) => Ok(Self::Binary(name.to_owned())),
            Some(("bin", name)) => Err(format!("`{name}` is not the name of a program")),
            Some(("output", name)) => name.parse().map(Self::Output).map_err(|e| message(&e)),
            Some(("stage", path)) => refuse_placeholders(path, "only files beside the manifest depend on the platform")
                .and_then(|()| path.parse().map(Self::Stage))
                .map_err(|e| message(&e)),
            _ => text.parse().map(Self::Path).map_err(|e| message(&e)),
        }
    }
}

impl fmt::Display for InstallFrom {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Binary(name) => write!(out, "bin:{name}"),
            Self::Output(name) => write!(out, "output:{name}"),
            Self::Stage(path) => write!(out, "stage:{path}"),
            Self::Path(path) => write!(out, "{}", path.as_str()),
        }
    }
}

/// Cargo's rule for target names, narrowed to what needs no quoting.
pub(super) fn is_binary_name(name: &str) -> bool {
    let allowed = |b: u8| b.is_ascii_alphanumeric() || b == b'_' || b == b'-';
    !name.is_empty() && name.len() <= 255 && !name.starts_with('-') && name.bytes().all(allowed)
}

impl ComponentManifest {
    /// Every `when` of the manifest: the features that files, roles and ports depend on.
    pub fn whens(&self) -> impl Iterator<Item = &Spanned<FeatureName>> {
        whens(&self.install, &self.roles)
    }

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
        let owner = table.required("owner").and_then(|item| item.line());
        let cadence = table.optional("cadence").and_then(|item| item.parsed());
        let version = table.required("version").and_then(|item| decode_version(&item));
        let build = table.required("build");
        let build = build.and_then(|item| item.table(|table| decode_build(table, version.as_ref(), folder)));
        let features = FeatureTable::decode(table, "dependencies");
        let exclude_platforms = table.optional("exclude-platforms").and_then(|item| item.list(Item::parsed));
        let provides = table.optional("provides").and_then(|item| item.list(Item::parsed));
        let install = table.optional("install").and_then(|item| item.list(decode_install));
        // what such a role does not say is said by the Dockerfile
        let is_whole = !matches!(&build, Some(Build { kind: BuildKind::Dockerfile(_), .. }));
        let roles = table.optional("roles").and_then(|item| item.table(|table| decode_roles(table, is_whole)));
        let replaces = table.optional("replaces").and_then(|item| decode_replaces(&item));
        let (install, roles) = (install.unwrap_or_default(), roles.unwrap_or_default());
        whens(&install, &roles).for_each(|when| features.check_named(table, when));
        Some(Self {
            name: name?,
            folder: folder.to_owned(),
            description,
            owner: owner?,
            cadence,
            version: version?,
            build: build?,
            features,
            exclude_platforms: exclude_platforms.unwrap_or_default(),
            provides: provides.unwrap_or_default(),
            install,
            roles,
            replaces: replaces.unwrap_or_default(),
        })
    }
}

/// Every `when` of a component.
fn whens<'a>(
    install: &'a [Install],
    roles: &'a BTreeMap<RoleName, Box<Role>>,
) -> impl Iterator<Item = &'a Spanned<FeatureName>> {
    let installs = install.iter().map(|install| &install.when);
    let ports = roles.values().flat_map(|role| &role.ports).map(|port| &port.when);
    installs.chain(roles.values().map(|role| &role.when)).chain(ports).flatten()
}

/// A literal, or `{ cargo = true }`. An empty literal is kept: the rule `empty-version` judges it with the rest.
pub(super) fn decode_version(item: &Item<'_>) -> Option<Spanned<VersionSource>> {
    if !item.is_table() {
        let literal = item.line_or_empty()?;
        return match is_version(&literal.value) {
            true => Some(literal.map(VersionSource::Literal)),
            false => {
                item.report(
                    "invalid-value",
                    "a version has letters, digits and `.`, `-`, `+`, `_`, at most 100 of them, and begins with none of `.-`",
                );
                None
            }
        };
    }
    let cargo =
        item.table(|table| table.held_by::<VersionSource>().required("cargo").and_then(|flag| flag.boolean()))?;
    if !cargo {
        item.report_with_help("invalid-value", "`cargo = false` says nothing", "write `version = \"1.2.3\"` instead");
        return None;
    }
    Some(Spanned::new(VersionSource::Cargo, item.span))
}

/// Versions become tags, so they have the characters of one and begin like one; `+` is turned into `_` there.
fn is_version(text: &str) -> bool {
    text.len() <= 100
        && !text.starts_with(['.', '-'])
        && text.bytes().all(|b| b.is_ascii_alphanumeric() || b".-+_".contains(&b))
}

fn decode_install(item: &Item<'_>) -> Option<Install> {
    item.table(|table| {
        let from = table.required("from").and_then(|item| item.parsed());
        let to = table.required("to").and_then(|item| decode_to(&item));
        let mode = table.optional("mode").and_then(|item| decode_mode(&item));
        let when = table.optional("when").and_then(|item| item.parsed());
        Some(Install { span: item.span, from: from?, to: to?, mode, when })
    })
}

/// A path in the image, which is the same on every platform.
fn decode_to(item: &Item<'_>) -> Option<Spanned<ImagePath>> {
    let to: Spanned<ImagePath> = item.parsed()?;
    match refuse_placeholders(to.value.as_str(), "a path in the image is the same on every platform") {
        Ok(()) => Some(to),
        Err(error) => {
            let help =
                "write it out; the file that is put there depends on the platform with `{os}` and `{arch}` in `from`";
            item.report_with_help("invalid-value", error.to_string(), help);
            None
        }
    }
}

/// Permission bits as an octal string. Set-user-ID and its kin are refused: merging images must not spread privileges.
fn decode_mode(item: &Item<'_>) -> Option<u32> {
    let text = item.line()?.value;
    let mode = u32::from_str_radix(&text, 8).ok().filter(|_| (3..=4).contains(&text.len()));
    match mode {
        Some(mode) if mode <= 0o777 => Some(mode),
        Some(_) => {
            item.report(
                "special-mode",
                format!("mode `{text}` has set-user-ID, set-group-ID or sticky bits, which are not allowed"),
            );
            None
        }
        None => {
            item.report("invalid-value", format!("`{text}` is not a mode; write it in octal, such as \"0755\""));
            None
        }
    }
}
