//! Phase 1: what the user wrote, with places. Pure: texts in, models or problems out.
//!
//! The formats are those of `component.toml` ([`ComponentManifest`]), `image.toml` ([`ImageDefinition`]) and `groupage.toml`
//! ([`Settings`]), schema 1. Unknown keys are errors. Values are checked as far as one file can tell; whatever needs a second
//! file is [`crate::resolve`]'s business, and whatever is a matter of policy is [`crate::check`]'s.
//!
//! **Invariants**: nothing here reads the disk; every problem of every file is reported in one run; no text that reaches a
//! later phase holds control characters, except commands of a `script` build.

mod build;
mod component;
pub(crate) mod decode;
mod dockerfile;
mod feature;
mod image;
mod lifecycle;
mod name;
mod path;
mod path_pattern;
mod pattern;
mod policy;
mod replaces;
mod retired;
mod role;
mod settings;
mod shape;
mod tag;
mod text;

use std::collections::BTreeMap;

pub use build::{
    AboveBase, Build, BuildKind, CargoBuild, DockerfileBuild, GoBuild, ImageBuild, Link, ScriptBuild, Take,
};
pub use component::{ComponentManifest, Install, InstallFrom, VersionSource};
pub use decode::MAX_TEXT;
pub(crate) use dockerfile::Users;
pub use dockerfile::{Outside, ReadDockerfile, named_dockerfile};
pub use feature::{Dependency, Feature, FeatureTable, FeatureValue};
pub use image::{Allow, ImageDefinition, Mode, Variant};
pub use lifecycle::{HealthTest, Healthcheck, Nanoseconds, StopSignal};
pub use name::{
    BaseName, BuilderName, Cadence, ComponentName, ContractId, EnvironmentName, FeatureName, ImageName, NameError,
    Need, OutputName, OutsideName, RoleName, VariantName,
};
pub use path::{EXE, ImagePath, PathError, PlatformPath, RelativePath};
pub use path_pattern::PathPattern;
pub use pattern::{ImagePattern, NamePattern};
pub use policy::{Date, DateError, EnvironmentSettings, PolicySettings, ReferenceClass, TagDemand, Temporary};
pub use replaces::{Contract, ContractPort, Replaces, RetirementKind};
pub use retired::{LedgerFile, Mirrors, Retired, TagRule};
pub use role::{ArgsStyle, Port, Protocol, Role, User};
pub use settings::{Base, BuildNetwork, Builder, Registries, RegistryPath, RuleLevel, Settings, StampLabel};
pub use shape::{Form, Key, Keys, Shape, Step};
pub use tag::{TagName, TagTemplate, TagTemplateError};
pub use text::{Text, Texts};

use crate::diagnostic::{Diagnostic, Problems};
use crate::source::{FileId, SourceFile, SourceMap, Span};
use crate::workspace::{Folders, ManifestFiles, in_parallel};
use decode::Table;

/// The format that this version reads.
pub const SCHEMA: i64 = 1;

/// Every manifest of a workspace.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Manifests {
    /// `groupage.toml`, or its defaults.
    pub settings: Settings,
    /// All components.
    pub components: BTreeMap<ComponentName, ComponentManifest>,
    /// All image definitions.
    pub images: BTreeMap<ImageName, ImageDefinition>,
}

/// Where a settings file says that manifests are; problems in it are reported when everything is parsed.
pub fn folders(id: FileId, settings: &SourceFile) -> Folders {
    Settings::parse(id, settings, &mut Problems::default()).map(|settings| settings.workspace).unwrap_or_default()
}

/// Parses all files.
///
/// # Errors
/// Every problem of every file.
pub fn parse(sources: &SourceMap, files: &ManifestFiles) -> Result<Manifests, Vec<Diagnostic>> {
    let mut problems = Problems::default();
    let settings = files.settings.and_then(|id| Settings::parse(id, sources.file(id), &mut problems));
    let mut manifests = Manifests { settings: settings.unwrap_or_default(), ..Manifests::default() };
    for (component, found) in parse_all(&files.components, sources, ComponentManifest::parse) {
        problems.append(found);
        if let Some(mut component) = component {
            dockerfile::fill(&mut component, files, sources, &mut problems);
            let (name, place) = (component.name.value.clone(), component.name.span);
            if let Some(other) = manifests.components.insert(name.clone(), component) {
                problems.push(duplicate("component", name.as_str(), place, other.name.span));
            }
        }
    }
    for (image, found) in parse_all(&files.images, sources, ImageDefinition::parse) {
        problems.append(found);
        if let Some(image) = image {
            let (name, place) = (image.name.value.clone(), image.name.span);
            if let Some(other) = manifests.images.insert(name.clone(), image) {
                problems.push(duplicate("image", name.as_str(), place, other.name.span));
            }
        }
    }
    problems.finish(manifests)
}

/// Parses files of one kind, several at once; results come in the order of the files, each with its problems.
fn parse_all<T: Send>(
    files: &[FileId],
    sources: &SourceMap,
    parse: fn(FileId, &SourceFile, &mut Problems) -> Option<T>,
) -> Vec<(Option<T>, Problems)> {
    in_parallel(files, |id| {
        let mut found = Problems::default();
        (parse(*id, sources.file(*id), &mut found), found)
    })
}

fn duplicate(kind: &str, name: &str, place: Span, other: Span) -> Diagnostic {
    Diagnostic::error("duplicate-name", format!("two files define the {kind} `{name}`"))
        .label(place, "")
        .label(other, "also here")
        .help("names are unique in a workspace")
}

/// Reads `schema`, which every file begins with, so that a later format can be told from this one.
fn schema_version(table: &mut Table<'_>) {
    let Some(item) = table.required("schema") else { return };
    if item.format(SCHEMA).is_some_and(|version| version.value != SCHEMA) {
        item.report_with_help(
            "schema",
            "this version of groupage reads schema 1",
            "update groupage, or write `schema = 1`",
        );
    }
}
