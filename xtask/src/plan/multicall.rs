//! `multicall`: the cargo components of an image, compiled into one program, busybox style. Pure.
//!
//! ```text
//! components of one image ─ parts ─→ Part… ─ crate_of ─→ generated crate ─ extended ─→ CargoWorkspace ─→ pruned as any package
//! ```
//!
//! **What a component offers**: a library with a function `run` (or what `[build.cargo] run` names) of this signature. It gets
//! what [`std::env::args_os`] gives, the name of the program first, and its return value is the exit code:
//!
//! ```
//! pub fn run(args: &mut dyn Iterator<Item = std::ffi::OsString>) -> std::process::ExitCode {
//!     if args.nth(1).is_none() { std::process::ExitCode::SUCCESS } else { std::process::ExitCode::from(2) }
//! }
//! ```
//!
//! **The generated crate** depends on each library with exactly the features that were resolved, and without defaults unless
//! they are on. Cargo unifies the features of what several components depend on: that is what one program means, and why a
//! feature that changes a shared crate can be seen by a component that did not ask for it.
//!
//! **Dispatch**: by the path that the program was started as, by the last part of it, then by the first argument. `--list`
//! prints the names. The program lies at [`PROGRAM_FOLDER`]; every path that a component installs its program at is a relative
//! link to it, so that what consumers start stays what it was.
//!
//! **In the plan** the program is one more component, named [`NAME`], which is built as any cargo component. The components
//! themselves keep their files, links, roles and versions, and no program: their build kind is `files`.

mod part;

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;

use camino::Utf8PathBuf;
use semver::{Version, VersionReq};

use crate::diagnostic::{Diagnostic, Problems};
use crate::manifest::{BuildKind, CargoBuild, ComponentName, ImagePath, InstallFrom, Link};
use crate::resolve::{ResolvedComponent, ResolvedImage, builder_of};
use crate::source::Span;
use crate::workspace::cargo::{
    CargoBinary, CargoDependency, CargoPackage, CargoWorkspace, DependencyKind, LibraryKind, PackageKey,
};

/// Name of the component that the program is, in plans and Dockerfiles.
pub const NAME: &str = "multicall";
/// Folder that the program lies in; its name is that of the image.
pub const PROGRAM_FOLDER: &str = "/usr/libexec/groupage";
/// The package of the program.
pub(super) const PACKAGE: &str = "groupage-multicall";
/// Folder of the package in the pruned workspace.
pub const FOLDER: &str = ".groupage/multicall";
/// The function that is called when a manifest names none.
const RUN: &str = "run";

/// One component of the program.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Part {
    /// The component.
    pub(super) name: ComponentName,
    /// Its package.
    package: PackageKey,
    /// Features of the library, and whether its default ones are on.
    features: Vec<String>,
    default_features: bool,
    /// Path of the function, such as `config_reloader::run`.
    function: String,
    /// Where the image has it: programs and aliases.
    paths: Vec<ImagePath>,
}

/// The program of an image.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Program {
    /// Its name: that of the image.
    pub(super) bin: String,
    /// How it is linked.
    pub(super) link: Link,
    /// Its components, sorted by name.
    pub(super) parts: Vec<Part>,
    /// Where the first of them says that cargo builds it.
    pub(super) place: Span,
}

pub(super) use part::{is_in, links, plan, wants};

fn cargo<'m>(component: &ResolvedComponent<'m>) -> Option<&'m CargoBuild> {
    match &component.manifest.build.kind {
        BuildKind::Cargo(cargo) => Some(cargo),
        _ => None,
    }
}

/// The path of the program in the image.
pub(super) fn path(image: &ResolvedImage<'_>) -> Option<ImagePath> {
    format!("{PROGRAM_FOLDER}/{}", image.definition.name.value).parse().ok()
}

/// The program of an image; `None` without cargo components, or when a problem was reported.
pub(super) fn program(
    image: &ResolvedImage<'_>,
    workspace: &CargoWorkspace,
    problems: &mut Problems,
) -> Option<Program> {
    let merged: Vec<(&ResolvedComponent<'_>, &CargoBuild)> =
        image.components.iter().filter_map(|component| Some((component, cargo(component)?))).collect();
    let (first, build) = merged.first()?;
    let mut found = Problems::default();
    check_alike(&merged, &mut found);
    image.components.iter().for_each(|component| check_name(component, &mut found));
    let parts: Vec<Part> =
        merged.iter().filter_map(|(component, build)| part(component, build, workspace, &mut found)).collect();
    let is_sound = !found.has_errors();
    problems.append(found);
    let program = Program {
        bin: image.definition.name.value.to_string(),
        link: build.link,
        parts,
        place: first.manifest.build.span,
    };
    is_sound.then_some(program)
}

/// One program has one builder, is linked in one way, and is there on every platform.
fn check_alike(merged: &[(&ResolvedComponent<'_>, &CargoBuild)], problems: &mut Problems) {
    let Some((first, build)) = merged.first() else { return };
    for (component, other) in merged {
        let what = match () {
            () if builder_of(component.manifest) != builder_of(first.manifest) => "builders",
            () if other.link != build.link => "kinds of linking",
            () if component.excluded != first.excluded => "platforms",
            () => continue,
        };
        let message = format!(
            "components `{}` and `{}` have different {what}, and mode `multicall` makes one program of both",
            first.name(),
            component.name()
        );
        let report = Diagnostic::error("multicall", message).label(component.manifest.build.span, "");
        let report = report.label(first.manifest.build.span, "and here");
        problems.push(report.help("make them alike, or use mode `colocated`"));
    }
}

/// The program itself has a name among the components.
fn check_name(component: &ResolvedComponent<'_>, problems: &mut Problems) {
    if component.name().as_str() == NAME {
        let message = format!("in mode `multicall` the name `{NAME}` stands for the program that holds the others");
        let taken = Diagnostic::error("multicall", message).label(component.manifest.name.span, "");
        problems.push(taken.help("rename the component"));
    }
}

fn part(
    component: &ResolvedComponent<'_>,
    build: &CargoBuild,
    workspace: &CargoWorkspace,
    problems: &mut Problems,
) -> Option<Part> {
    // unknown packages were reported when features were resolved
    let key = workspace.members.iter().find(|key| key.name == build.package.value)?;
    let package = &workspace.packages[key];
    let Some(library) = &package.library_name else {
        let message = format!(
            "package `{}` has no library, so component `{}` cannot be part of a multi-call program",
            key.name,
            component.name()
        );
        let none = Diagnostic::error("multicall", message).label(build.package.span, "");
        problems.push(none.help(
            "put the program into src/lib.rs as `pub fn run(args: &mut dyn Iterator<Item = std::ffi::OsString>)`, which gives \
             the exit code as README.md shows it, and call it from main.rs; or use mode `colocated`",
        ));
        return None;
    };
    let run = build.run.as_ref().map_or(RUN, |run| run.value.as_str());
    let programs = component.installs.iter().filter(|install| matches!(install.from.value, InstallFrom::Binary(_)));
    let aliases = component.roles.iter().flat_map(|role| &role.role.aliases).map(|alias| alias.value.clone());
    let paths: BTreeSet<ImagePath> = programs.map(|install| install.to.value.clone()).chain(aliases).collect();
    Some(Part {
        name: component.name().clone(),
        package: key.clone(),
        features: component.cargo_features.clone(),
        default_features: component.cargo_defaults,
        function: format!("{}::{run}", library.replace('-', "_")),
        paths: paths.into_iter().collect(),
    })
}

/// A cargo workspace with the generated crate in it, which lies nowhere: its texts are in [`texts`].
pub(super) fn extended(workspace: &CargoWorkspace, program: &Program) -> CargoWorkspace {
    let mut extended = workspace.clone();
    let key = PackageKey { name: PACKAGE.to_owned(), version: Version::new(0, 0, 0), source: None };
    let dependencies = program.parts.iter().map(dependency).collect();
    let resolved = |part: &Part| (part.package.clone(), BTreeSet::from([DependencyKind::Normal]));
    let package = CargoPackage {
        folder: workspace.root.join(FOLDER),
        manifest: Some(manifest(workspace, program)),
        features: BTreeMap::new(),
        binaries: vec![CargoBinary { name: program.bin.clone(), required_features: Vec::new() }],
        library: LibraryKind::Rust,
        library_name: None,
        dependencies,
        resolved: program.parts.iter().map(resolved).collect(),
    };
    extended.lock.push_str(&locked(program));
    extended.packages.insert(key.clone(), package);
    extended.members.insert(key);
    extended
}

fn dependency(part: &Part) -> CargoDependency {
    CargoDependency {
        name: part.package.name.clone(),
        rename: None,
        req: VersionReq::STAR,
        source: None,
        kind: DependencyKind::Normal,
        target: None,
        optional: false,
        default_features: part.default_features,
        features: part.features.clone(),
    }
}

/// The entry of the crate in the lock file.
fn locked(program: &Program) -> String {
    let mut packages: Vec<String> = program.parts.iter().map(|part| format!(" \"{}\",\n", part.package)).collect();
    packages.sort();
    packages.dedup();
    format!("\n[[package]]\nname = \"{PACKAGE}\"\nversion = \"0.0.0\"\ndependencies = [\n{}]\n", packages.concat())
}

/// The manifest of the crate.
fn manifest(workspace: &CargoWorkspace, program: &Program) -> String {
    let mut text = format!(
        "[package]\nname = \"{PACKAGE}\"\nversion = \"0.0.0\"\nedition = \"2021\"\npublish = false\n\n\
         [[bin]]\nname = \"{}\"\npath = \"src/main.rs\"\n\n[dependencies]\n",
        program.bin
    );
    let up = "../".repeat(FOLDER.matches('/').count() + 1);
    let mut seen = BTreeSet::new();
    for part in program.parts.iter().filter(|part| seen.insert(&part.package)) {
        let folder = &workspace.packages[&part.package].folder;
        let folder = folder.strip_prefix(&workspace.root).unwrap_or(folder);
        let features: Vec<String> = part.features.iter().map(|feature| format!("{feature:?}")).collect();
        let _ = writeln!(
            text,
            "{} = {{ path = {:?}, default-features = {}, features = [{}] }}",
            part.package.name,
            format!("{up}{folder}"),
            part.default_features,
            features.join(", ")
        );
    }
    text
}

/// The source of the crate, by path in the pruned workspace.
pub(super) fn source(program: &Program) -> (Utf8PathBuf, String) {
    let mut parts = String::new();
    for part in &program.parts {
        let paths: Vec<String> = part.paths.iter().map(|path| format!("{:?}", path.as_str())).collect();
        let _ = writeln!(
            parts,
            "    Part {{ name: {:?}, paths: &[{}], run: {} }},",
            part.name.as_str(),
            paths.join(", "),
            part.function
        );
    }
    let text = include_str!("../../templates/multicall.rs.txt").replace("    // PARTS\n", &parts);
    (Utf8PathBuf::from(FOLDER).join("src/main.rs"), text)
}

/// Whether a folder of a pruned workspace is that of the generated crate, which has no folder.
pub(super) fn is_generated(path: &camino::Utf8Path) -> bool {
    path == FOLDER
}
