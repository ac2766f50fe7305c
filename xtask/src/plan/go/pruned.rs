//! What the Go components of a resolution are compiled from.

use camino::Utf8PathBuf;

use super::{GoPackages, GoTarget, closure};
use crate::diagnostic::{Diagnostic, Problems};
use crate::manifest::{BuildKind, BuildNetwork, GoBuild};
use crate::oci::Platform;
use crate::plan::cargo::PrunedEntry;
use crate::plan::pruned::{Pruned, PrunedKey, PrunedWorkspaces};
use crate::resolve::{GoProblem, GoProgram, Resolution, ResolvedComponent, ResolvedImage};
use crate::workspace::go::{GoPackage, GoReadError, GoRequest, is_free};

/// What must be read for a Go component.
pub fn go_request(folder: &camino::Utf8Path, go: &GoBuild) -> GoRequest {
    GoRequest {
        from: folder.to_owned(),
        module: go.module.as_ref().map(|module| module.value.clone()),
        package: go.package().to_owned(),
    }
}

/// A Go program, as resolution wants to see it.
pub fn go_program(read: &Result<GoPackage, GoReadError>) -> Result<GoProgram, GoProblem> {
    let package = read.as_ref().map_err(problem)?;
    let tags = package.tags().into_iter().filter(|(tag, _)| is_free(tag));
    Ok(GoProgram {
        name: package.program().to_owned(),
        tags: tags.map(|(tag, (file, line))| (tag.to_owned(), format!("{file}:{line}"))).collect(),
        is_fetched: !package.modules.fetched.is_empty(),
    })
}

fn problem(error: &GoReadError) -> GoProblem {
    let text = error.to_string();
    let (message, help) = text.split_once("\nhint: ").unwrap_or((&text, "look at the file, and at who may read it"));
    let is_of_package = matches!(error, GoReadError::NoPackage { .. } | GoReadError::NotMain { .. });
    GoProblem { message: message.to_owned(), help: help.to_owned(), is_of_package }
}

/// The platforms that a component is compiled for, whichever of them are selected: what it is compiled from is the same for all.
pub(crate) fn platforms(image: &ResolvedImage<'_>, resolved: &ResolvedComponent<'_>) -> Vec<Platform> {
    let own = image.definition.platforms.iter().map(|platform| platform.value.clone());
    let mut platforms: Vec<Platform> = own.filter(|platform| !resolved.excluded.contains(platform)).collect();
    platforms.sort();
    platforms.dedup();
    platforms
}

/// Finds the sources of every Go component.
pub(crate) fn prune(
    resolution: &Resolution<'_>,
    packages: &GoPackages,
    all: &mut PrunedWorkspaces,
    problems: &mut Problems,
) {
    for image in &resolution.images {
        for resolved in &image.components {
            let BuildKind::Go(go) = &resolved.manifest.build.kind else { continue };
            let Some(key) = PrunedKey::of(image, resolved).filter(|key| !all.contains_key(key)) else { continue };
            let Some(package) = packages.get(resolved.name()) else { continue };
            if resolution.network.value == BuildNetwork::None && !package.modules.fetched.is_empty() {
                problems.push(not_vendored(resolved, package));
            }
            let platforms = platforms(image, resolved);
            let target = |platform| GoTarget { platform, tags: &resolved.go_tags, cgo: go.cgo };
            let targets: Vec<GoTarget<'_>> = platforms.iter().map(target).collect();
            match closure(package, &targets) {
                Ok(files) => {
                    let entries = files.into_iter().map(|path| PrunedEntry::File { path }).collect();
                    let binary = resolved.go_program.clone();
                    all.insert(key, Pruned { binary, entries, ..Pruned::default() });
                }
                Err(empty) => {
                    let empty = empty.into_iter().filter_map(|position| platforms.get(position));
                    empty.for_each(|platform| problems.push(no_source(image, resolved, package, platform)));
                }
            }
        }
    }
}

fn not_vendored(resolved: &ResolvedComponent<'_>, package: &GoPackage) -> Diagnostic {
    const MOST: usize = 3;
    let fetched: Vec<&str> = package.modules.fetched.iter().take(MOST).map(String::as_str).collect();
    let more = match package.modules.fetched.len().saturating_sub(MOST) {
        0 => String::new(),
        more => format!(" and {more} more"),
    };
    let message = format!(
        "this build has no network, and component `{}` needs modules that are not here: {}{more}",
        resolved.name(),
        fetched.join(", ")
    );
    let folder =
        Some(package.modules.folder.as_str()).filter(|folder| !folder.is_empty()).unwrap_or("the workspace root");
    let help = format!("run `go mod vendor` in {folder}, or build with --set build.network=default");
    Diagnostic::error("go-vendor", message).label(resolved.manifest.build.span, "").help(help)
}

/// An image must not lack on one platform what it has on the others, unless somebody says so.
fn no_source(
    image: &ResolvedImage<'_>,
    resolved: &ResolvedComponent<'_>,
    package: &GoPackage,
    platform: &Platform,
) -> Diagnostic {
    let folder =
        Some(&package.folder).filter(|folder| folder.as_str() != "").cloned().unwrap_or(Utf8PathBuf::from("."));
    let message = format!(
        "image `{}` is made for {platform}, and component `{}` has no Go file for it in {folder}: build constraints leave out \
         all of them",
        image.definition.name.value,
        resolved.name()
    );
    let missing =
        Diagnostic::error("missing-on-platform", message).label(resolved.manifest.build.span, "built from there");
    missing.help(format!("add a file, or leave the component out there with `exclude-platforms = [\"{platform}\"]`"))
}
