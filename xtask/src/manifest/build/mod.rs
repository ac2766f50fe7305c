//! `[build.<kind>]`: how a component is built. Exactly one kind; a file for each one that has settings.

mod cargo;
mod dockerfile;
mod go;
mod image;
mod script;

pub use cargo::{CargoBuild, Link};
pub use dockerfile::{DockerfileBuild, Take};
pub use go::GoBuild;
pub use image::{AboveBase, ImageBuild};
pub use script::ScriptBuild;

use camino::Utf8Path;

use super::component::VersionSource;
use super::decode::{Item, Table};
use crate::diagnostic::Diagnostic;
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
    /// An existing Dockerfile, as it stands.
    Dockerfile(Box<DockerfileBuild>),
    /// Files beside the manifest, as they are.
    Files,
    /// A program of a Go module.
    Go(GoBuild),
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
            Self::Dockerfile(_) => "dockerfile",
            Self::Files => "files",
            Self::Go(_) => "go",
            Self::Image(_) => "image",
            Self::Script(_) => "script",
        }
    }
}

/// As they are written, sorted.
const KINDS: [&str; 6] = ["cargo", "dockerfile", "files", "go", "image", "script"];

/// `folder` is that of the manifest.
pub(super) fn decode_build(
    table: &mut Table<'_>,
    version: Option<&Spanned<VersionSource>>,
    folder: &Utf8Path,
) -> Option<Build> {
    table.held_by::<BuildKind>().one_of();
    let kinds = KINDS.map(|kind| (kind, table.optional(kind)));
    let is_named = kinds.iter().any(|(_, item)| item.is_some());
    let found = kinds
        .into_iter()
        .filter_map(|(kind, item)| with_span(&item?, |table| decode_kind(kind, table, version, folder)));
    let mut found: Vec<Build> = found.collect();
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

fn decode_kind(
    kind: &str,
    table: &mut Table<'_>,
    version: Option<&Spanned<VersionSource>>,
    folder: &Utf8Path,
) -> Option<BuildKind> {
    match kind {
        "cargo" => cargo::decode_cargo(table),
        "dockerfile" => dockerfile::decode_dockerfile(table, folder),
        "go" => go::decode_go(table, version),
        "image" => image::decode_image(table, version),
        "script" => script::decode_script(table),
        _ => Some(BuildKind::Files),
    }
}

fn with_span(item: &Item<'_>, decode: impl FnOnce(&mut Table<'_>) -> Option<BuildKind>) -> Option<Build> {
    Some(Build { span: item.span, kind: item.table(decode)? })
}
