//! `[build.go]`: a program of a Go module.

use super::BuildKind;
use crate::manifest::component::{VersionSource, is_binary_name};
use crate::manifest::decode::{Item, Table};
use crate::manifest::name::BuilderName;
use crate::source::Spanned;
use crate::workspace::go::is_tag;

/// `[build.go]`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct GoBuild {
    /// The folder of `go.mod`, relative to the manifest; the nearest one at or above it when absent.
    pub module: Option<Spanned<String>>,
    /// The package: `.`, a folder such as `./cmd/tool`, or an import path. `.` when absent.
    pub package: Option<Spanned<String>>,
    /// The program; named like the package when absent, as `go build` does it.
    pub bin: Option<Spanned<String>>,
    /// Build tags that are on besides those of the component's own features.
    pub tags: Vec<Spanned<String>>,
    /// Flags of the linker; `{version}` in them is the component's version.
    pub ldflags: Vec<Spanned<String>>,
    /// Whether C may be compiled and linked.
    pub cgo: bool,
    /// The builder; `go` when absent.
    pub builder: Option<Spanned<BuilderName>>,
}

/// What stands for the component's version in `ldflags`.
const VERSION: &str = "{version}";

impl GoBuild {
    /// The package, as written.
    pub fn package(&self) -> &str {
        self.package.as_ref().map_or(".", |package| &package.value)
    }

    /// The flags of the linker, with a version in its place.
    pub fn ldflags(&self, version: &str) -> Vec<String> {
        self.ldflags.iter().map(|flag| flag.value.replace(VERSION, version)).collect()
    }
}

pub(super) fn decode_go(table: &mut Table<'_>, version: Option<&Spanned<VersionSource>>) -> Option<BuildKind> {
    table.held_by::<GoBuild>();
    let module = table.optional("module").and_then(|item| decode_module(&item));
    let package = table.optional("package").and_then(|item| decode_package(&item));
    let bin = table.optional("bin").and_then(|item| decode_bin(&item));
    let tags = table.optional("tags").and_then(|item| item.list(decode_tag));
    let ldflags = table.optional("ldflags").and_then(|item| item.list(|item| decode_flag(item, version)));
    let cgo = table.optional("cgo").and_then(|item| item.boolean());
    let builder = table.optional("builder").and_then(|item| item.parsed());
    Some(BuildKind::Go(GoBuild {
        module,
        package,
        bin,
        tags: tags.unwrap_or_default(),
        ldflags: ldflags.unwrap_or_default(),
        cgo: cgo.unwrap_or_default(),
        builder,
    }))
}

/// A folder, which may be one above the manifest; whether it stays in the workspace is seen when it is read.
fn decode_module(item: &Item<'_>) -> Option<Spanned<String>> {
    let path = item.line()?;
    let is_segment = |segment: &str| segment == ".." || segment == "." || is_plain_segment(segment);
    if !path.value.split('/').all(is_segment) {
        item.report("invalid-value", "`module` is the folder of go.mod, relative to this file, such as \"../..\"");
        return None;
    }
    Some(path)
}

/// Go's rule for import paths, narrowed to what needs no quoting.
fn decode_package(item: &Item<'_>) -> Option<Spanned<String>> {
    let path = item.line()?;
    let below = path.value.strip_prefix("./").unwrap_or(&path.value);
    if path.value != "." && !below.split('/').all(is_plain_segment) {
        item.report(
            "invalid-value",
            "`package` is \".\", a folder below go.mod such as \"./cmd/tool\", or an import path",
        );
        return None;
    }
    Some(path)
}

fn is_plain_segment(segment: &str) -> bool {
    let allowed = |b: u8| b.is_ascii_alphanumeric() || b"._-~+".contains(&b);
    !segment.is_empty()
        && segment.bytes().all(allowed)
        && !segment.starts_with('-')
        && !segment.trim_matches('.').is_empty()
}

fn decode_bin(item: &Item<'_>) -> Option<Spanned<String>> {
    let name = item.line()?;
    if !is_binary_name(&name.value) {
        item.report("invalid-name", "a program has letters, digits, `_` and `-`; on Windows `.exe` is added to it");
        return None;
    }
    Some(name)
}

fn decode_tag(item: &Item<'_>) -> Option<Spanned<String>> {
    let tag = item.line()?;
    if !is_tag(&tag.value) {
        item.report("invalid-value", "a build tag has letters, digits, `_` and `.`");
        return None;
    }
    Some(tag)
}

/// Go parts flags of the linker at blanks, unless quotes of either kind hold them together. The single ones are for the shell.
fn decode_flag(item: &Item<'_>, version: Option<&Spanned<VersionSource>>) -> Option<Spanned<String>> {
    let flag = item.line()?;
    if flag.value.contains('\'') {
        let help = "write double ones, which Go reads as well";
        item.report_with_help("invalid-value", "a flag of the linker has no single quotes", help);
        return None;
    }
    let is_empty = |version: &Spanned<VersionSource>| version.value == VersionSource::Literal(String::new());
    if flag.value.contains(VERSION) && version.is_some_and(is_empty) {
        let help = "write the component's `version`; nothing is filled in for it";
        item.report_with_help("empty-version", "`{version}` would be empty", help);
        return None;
    }
    Some(flag)
}
