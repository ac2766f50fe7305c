//! The plan of one component: its stage, the files that it gives, and what it reads.

use std::collections::BTreeMap;

use camino::{Utf8Path, Utf8PathBuf};

use super::inputs::{excluded, input, inputs, own_folder};
use super::model::{BuildPlan, ComponentPlan, FilePlan, InstallPlan, LinkPlan, RolePlan};
use super::pruned::{PrunedKey, PrunedWorkspaces};
use super::{Read, config, fingerprint, is_hermetic};
use crate::diagnostic::{Diagnostic, Problems};
use crate::manifest::{
    BuildKind, BuilderName, ComponentManifest, ImagePath, Install, InstallFrom, RelativePath, ScriptBuild,
};
use crate::oci::Reference;
use crate::resolve::{Resolution, ResolvedComponent, ResolvedRole, builder_of};
use crate::source::{Span, Spanned};
use crate::workspace::{Entry, Want};

/// The files and folders that a component needs.
pub(super) fn wants(resolved: &ResolvedComponent<'_>, pruned: &PrunedWorkspaces, root: &Utf8Path) -> Vec<Want> {
    let manifest = resolved.manifest;
    let want = |path: &Spanned<RelativePath>| Want {
        path: path.value.below(&manifest.folder),
        exclude: excluded(manifest, &path.value.below(&manifest.folder)),
        place: path.span,
    };
    let mut wants: Vec<Want> =
        resolved.installs.iter().filter_map(|install| path_of(install)).map(|path| want(&path)).collect();
    match &manifest.build.kind {
        BuildKind::Script(script) => wants.extend(script.inputs.iter().map(want)),
        BuildKind::Cargo(cargo) => {
            let entries =
                PrunedKey::of(resolved).and_then(|key| pruned.get(&key)).into_iter().flat_map(|pruned| &pruned.entries);
            let own = entries.filter_map(|entry| own_folder(entry, root));
            wants.extend(own.map(|(path, exclude)| Want { path, exclude, place: cargo.package.span }));
        }
        BuildKind::Files | BuildKind::Image(_) => {}
    }
    wants
}

fn path_of(install: &Install) -> Option<Spanned<RelativePath>> {
    match &install.from.value {
        InstallFrom::Path(path) => Some(Spanned::new(path.clone(), install.from.span)),
        _ => None,
    }
}

/// The plan of a component; `None` when a problem was reported.
pub(super) fn plan(
    resolution: &Resolution<'_>,
    resolved: &ResolvedComponent<'_>,
    read: &Read<'_>,
    problems: &mut Problems,
) -> Option<ComponentPlan> {
    let manifest = resolved.manifest;
    let build = build(resolution, resolved, read, problems);
    let bin = match &build {
        Some(BuildPlan::Cargo { bin, .. }) => Some(bin.as_str()),
        _ => None,
    };
    check_twice(resolved, read, problems);
    let installs =
        resolved.installs.iter().filter_map(|install| stage_install(manifest, install, bin, problems)).collect();
    let mut plan = ComponentPlan {
        name: resolved.name().clone(),
        version: resolved.version.clone(),
        features: resolved.features.clone(),
        installs,
        files: files(resolved, read, problems),
        links: links(resolved, problems),
        roles: resolved.roles.iter().map(|role| (role.name.clone(), role_plan(role))).collect(),
        inputs: inputs(resolved, read),
        build: build?,
        fingerprint: String::new(),
    };
    plan.fingerprint = fingerprint::component(&plan);
    Some(plan)
}

fn build(
    resolution: &Resolution<'_>,
    resolved: &ResolvedComponent<'_>,
    read: &Read<'_>,
    problems: &mut Problems,
) -> Option<BuildPlan> {
    let manifest = resolved.manifest;
    match &manifest.build.kind {
        BuildKind::Files => Some(BuildPlan::Files),
        BuildKind::Image(_) => Some(BuildPlan::Image { image: resolved.image.as_ref()?.value.clone() }),
        BuildKind::Script(script) => Some(BuildPlan::Script {
            builder: builder(resolution, manifest, problems)?,
            commands: script.commands.iter().map(|command| command.value.clone()).collect(),
            env: script.env.iter().map(|(name, value)| (name.clone(), value.value.clone())).collect(),
        }),
        BuildKind::Cargo(cargo) => {
            let pruned = read.pruned.get(&PrunedKey::of(resolved)?)?;
            Some(BuildPlan::Cargo {
                builder: builder(resolution, manifest, problems)?,
                package: cargo.package.value.clone(),
                bin: pruned.binary.clone(),
                features: resolved.cargo_features.clone(),
                default_features: resolved.cargo_defaults,
                flags: pruned.flags.clone(),
                link: cargo.link,
                vendored: is_hermetic(resolution),
            })
        }
    }
}

fn builder(resolution: &Resolution<'_>, manifest: &ComponentManifest, problems: &mut Problems) -> Option<Reference> {
    let name: BuilderName = builder_of(manifest)?;
    if let Some(image) = resolution.builders.get(&name) {
        return Some(image.value.clone());
    }
    let message =
        format!("component `{}` needs the builder `{name}`, which [builders] does not name", manifest.name.value);
    let unknown = Diagnostic::error("unknown-builder", message).label(manifest.build.span, "");
    let known = resolution.builders.keys().map(BuilderName::as_str);
    let help =
        format!("add `{name} = \"REFERENCE\"` to [builders] in groupage.toml, or use --set builders.{name}=REFERENCE");
    problems.push(unknown.suggest(name.as_str(), known, Some(help)));
    None
}

/// An install that the build's stage gives, with its path there.
fn stage_install(
    manifest: &ComponentManifest,
    install: &Install,
    bin: Option<&str>,
    problems: &mut Problems,
) -> Option<InstallPlan> {
    let mut refuse = |message: String, help: String| {
        problems.push(Diagnostic::error("install-source", message).label(install.from.span, "").help(help));
        None
    };
    let kind = &manifest.build.kind;
    let from = match (&install.from.value, kind) {
        (InstallFrom::Path(_), _) => return None,
        (InstallFrom::Binary(name), BuildKind::Cargo(_)) if bin.is_none_or(|bin| bin == name) => name.clone(),
        (InstallFrom::Binary(name), BuildKind::Cargo(_)) => {
            let message = format!("this component builds the program `{}`, not `{name}`", bin.unwrap_or_default());
            return refuse(message, "one component builds one program; name it in [build.cargo] with `bin`".to_owned());
        }
        (InstallFrom::Output(name), BuildKind::Script(script)) => match script.outputs.get(name) {
            Some(path) => path.value.to_string(),
            None => return refuse(format!("there is no output `{name}`"), known_outputs(script)),
        },
        (InstallFrom::Stage(path), BuildKind::Script(_) | BuildKind::Image(_)) => path.to_string(),
        (from, kind) => {
            let message = format!("`{from}` does not fit build kind `{}`", kind.name());
            return refuse(
                message,
                "cargo gives bin:NAME, script gives output:NAME and stage:/path, image gives stage:/path".to_owned(),
            );
        }
    };
    Some(InstallPlan { from, to: install.to.value.clone(), mode: install.mode, place: install.span })
}

fn known_outputs(script: &ScriptBuild) -> String {
    let names: Vec<&str> = script.outputs.keys().map(|name| name.as_str()).collect();
    if names.is_empty() { "add [build.script.outputs]".to_owned() } else { format!("outputs: {}", names.join(", ")) }
}

/// Files beside the manifest, by the path that they get.
fn files(resolved: &ResolvedComponent<'_>, read: &Read<'_>, problems: &mut Problems) -> BTreeMap<ImagePath, FilePlan> {
    let mut files = BTreeMap::new();
    for install in &resolved.installs {
        let Some((source, listing)) = listed(resolved, install, read) else { continue };
        if listing.is_empty() {
            let message = format!("there is no file in {source}, so nothing would be installed");
            let empty = Diagnostic::error("empty-folder", message).label(install.from.span, "");
            problems.push(empty.help("add one, or remove this"));
        }
        for entry in listing {
            let Some(to) = destination(install, &entry.path, problems) else { continue };
            let folder = folder_of(install, &entry.path);
            files.insert(to, FilePlan { input: input(&source, entry, install.mode), folder, place: install.span });
        }
    }
    files
}

/// The files that an install names beside the manifest.
fn listed<'r>(
    resolved: &ResolvedComponent<'_>,
    install: &Install,
    read: &'r Read<'_>,
) -> Option<(Utf8PathBuf, &'r [Entry])> {
    let source = path_of(install)?.value.below(&resolved.manifest.folder);
    let listing = read.tree.listing(&source, &excluded(resolved.manifest, &source));
    Some((source, listing))
}

/// Two entries of a component that give the same path. A folder of a stage is known by its own path only.
fn check_twice(resolved: &ResolvedComponent<'_>, read: &Read<'_>, problems: &mut Problems) {
    let mut seen = BTreeMap::<ImagePath, Span>::new();
    for install in &resolved.installs {
        let paths: Vec<ImagePath> = match listed(resolved, install, read) {
            None => vec![install.to.value.clone()],
            Some((_, listing)) => {
                let unreported = &mut Problems::default();
                listing.iter().filter_map(|entry| destination(install, &entry.path, unreported)).collect()
            }
        };
        for to in paths {
            if let Some(other) = seen.insert(to.clone(), install.span) {
                let message = format!("component `{}` installs {to} twice", resolved.name());
                let twice = Diagnostic::error("installed-twice", message).label(install.span, "");
                problems.push(twice.label(other, "first here"));
            }
        }
    }
}

/// A file keeps the name that `to` gives it; files of a folder keep their path below `to`.
fn destination(install: &Install, below: &Utf8Path, problems: &mut Problems) -> Option<ImagePath> {
    if below.as_str().is_empty() {
        return Some(install.to.value.clone());
    }
    match install.to.value.found_below(below) {
        Ok(path) => Some(path),
        Err(error) => {
            let message = format!("{below} cannot be installed: {error}");
            problems.push(Diagnostic::error("path", message).label(install.from.span, ""));
            None
        }
    }
}

/// The folder that an install puts things into.
fn folder_of(install: &Install, below: &Utf8Path) -> String {
    if below.as_str().is_empty() { install.to.value.folder().to_owned() } else { install.to.value.to_string() }
}

/// Aliases as links to the program of their role.
fn links(resolved: &ResolvedComponent<'_>, problems: &mut Problems) -> BTreeMap<ImagePath, LinkPlan> {
    let mut links = BTreeMap::<ImagePath, LinkPlan>::new();
    for role in &resolved.roles {
        let Some(program) = role.role.command.first().and_then(|word| word.value.parse::<ImagePath>().ok()) else {
            continue;
        };
        for alias in role.role.aliases.iter().filter(|alias| alias.value != program) {
            let link = LinkPlan { target: alias.value.link_to(&program), place: alias.span };
            if let Some(other) = links.insert(alias.value.clone(), link.clone())
                && other.target != link.target
            {
                let message = format!("{} is an alias of two programs", alias.value);
                problems.push(
                    Diagnostic::error("installed-twice", message)
                        .label(alias.span, "")
                        .label(other.place, "first here"),
                );
            }
        }
    }
    links
}

fn role_plan(role: &ResolvedRole<'_>) -> RolePlan {
    RolePlan {
        command: config::command(role),
        user: role.role.user.value.to_string(),
        workdir: role.role.workdir.as_ref().map_or_else(|| "/".to_owned(), |workdir| workdir.value.to_string()),
        ports: role.ports.iter().map(|port| format!("{}/{}", port.number.value, port.protocol)).collect(),
        env: role.role.env.iter().map(|(name, value)| (name.clone(), value.value.clone())).collect(),
        needs: role.role.needs.iter().map(|need| need.value.clone()).collect(),
        waits_for: role.role.waits_for.iter().map(|role| role.value.clone()).collect(),
        aliases: role.role.aliases.iter().map(|alias| alias.value.clone()).collect(),
        boundary: role.role.boundary.as_ref().map(|boundary| boundary.value.clone()),
    }
}
