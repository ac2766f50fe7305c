//! The plan of one component: its stage, the files that it gives, and what it reads.

use std::collections::BTreeMap;

use camino::Utf8Path;

use super::build::{AbovePlan, BuildPlan, SourceBase};
use super::inputs::{excluded, inputs, own_folder};
use super::model::{ComponentPlan, Found, InstallPlan, LinkPlan, RolePlan};
use super::pruned::{PrunedKey, PrunedWorkspaces};
use super::{Read, dockerfile, files, fingerprint, is_hermetic, multicall};
use crate::diagnostic::{Diagnostic, Problems};
use crate::lock::Pins;
use crate::manifest::{
    AboveBase, BuildKind, BuilderName, ComponentManifest, ImagePath, Install, InstallFrom, RelativePath, ScriptBuild,
};
use crate::oci::{Platform, Reference};
use crate::resolve::{Resolution, ResolvedComponent, ResolvedImage, ResolvedRole, builder_of};
use crate::source::Spanned;
use crate::workspace::Want;

/// The files and folders that a component of an image needs.
pub(super) fn wants(
    image: &ResolvedImage<'_>,
    resolved: &ResolvedComponent<'_>,
    pruned: &PrunedWorkspaces,
    root: &Utf8Path,
) -> Vec<Want> {
    let manifest = resolved.manifest;
    let want = |path: &Spanned<RelativePath>| Want {
        path: path.value.below(&manifest.folder),
        exclude: excluded(manifest, &path.value.below(&manifest.folder)),
        place: path.span,
        required: true,
        context: None,
    };
    let mut wants = files::wants(image, resolved);
    match &manifest.build.kind {
        BuildKind::Script(script) => wants.extend(script.inputs.iter().map(want)),
        BuildKind::Cargo(_) | BuildKind::Go(_) => {
            let place = match &manifest.build.kind {
                BuildKind::Cargo(cargo) => cargo.package.span,
                _ => manifest.build.span,
            };
            let pruned = PrunedKey::of(image, resolved).and_then(|key| pruned.get(&key));
            let entries = pruned.into_iter().flat_map(|pruned| &pruned.entries);
            let own = entries.filter_map(|entry| own_folder(entry, root));
            wants.extend(own.map(|(path, exclude)| Want { path, exclude, place, required: true, context: None }));
        }
        BuildKind::Dockerfile(_) => wants.extend(dockerfile::wants(manifest)),
        BuildKind::Files | BuildKind::Image(_) => {}
    }
    wants
}

/// The plan of a component; `None` when a problem was reported.
pub(super) fn plan(
    resolution: &Resolution<'_>,
    image: &ResolvedImage<'_>,
    resolved: &ResolvedComponent<'_>,
    pins: &Pins,
    read: &Read<'_>,
    problems: &mut Problems,
) -> Option<ComponentPlan> {
    let manifest = resolved.manifest;
    let is_merged = multicall::is_in(image, resolved);
    let (build, given) = match &manifest.build.kind {
        _ if is_merged => (Some(BuildPlan::Files), Vec::new()),
        BuildKind::Dockerfile(_) => dockerfile::plan(resolution, image, resolved, pins, read, problems)
            .map_or((None, Vec::new()), |(build, given)| (Some(build), given)),
        _ => (build(resolution, image, resolved, pins, read, problems), Vec::new()),
    };
    let bin = match &build {
        Some(BuildPlan::Cargo { bin, .. } | BuildPlan::Go { bin, .. }) => Some(bin.as_str()),
        _ => None,
    };
    let files = files::plan(image, resolved, read, problems);
    let own =
        resolved.installs.iter().filter(|install| !is_merged || matches!(install.from.value, InstallFrom::Path(_)));
    let installs = own.filter_map(|install| stage_install(manifest, install, bin, problems));
    let installs = installs.collect::<Vec<_>>().into_iter().chain(given).collect();
    let mut links = links(resolved, problems);
    links.extend(multicall::links(image, resolved));
    let mut plan = ComponentPlan {
        name: resolved.name().clone(),
        version: resolved.version.clone(),
        features: resolved.features.clone(),
        excluded: image.platforms.iter().filter(|own| resolved.excluded.contains(own)).cloned().collect(),
        exe: exe(image, resolved),
        installs,
        files: files.common,
        platform_files: files.of_platforms,
        links,
        roles: resolved.roles.iter().map(|role| (role.name.clone(), Box::new(role_plan(role)))).collect(),
        inputs: if is_merged { BTreeMap::new() } else { inputs(image, resolved, read) },
        template: build.as_ref().map(|build| read.template(&format!("stages/{}", build.kind()))).unwrap_or_default(),
        build: build?,
        fingerprint: String::new(),
    };
    plan.fingerprint = fingerprint::component(&plan, &Found::default());
    Some(plan)
}

/// Platforms on which the programs of a component have another name. Those of cargo are not built for Windows.
fn exe(image: &ResolvedImage<'_>, resolved: &ResolvedComponent<'_>) -> Vec<Platform> {
    let is_go = matches!(resolved.manifest.build.kind, BuildKind::Go(_));
    let platforms = files::platforms(image, resolved).into_iter();
    platforms.filter(|platform| is_go && platform.is_windows()).cloned().collect()
}

fn build(
    resolution: &Resolution<'_>,
    image: &ResolvedImage<'_>,
    resolved: &ResolvedComponent<'_>,
    pins: &Pins,
    read: &Read<'_>,
    problems: &mut Problems,
) -> Option<BuildPlan> {
    let manifest = resolved.manifest;
    match &manifest.build.kind {
        // planned with what it gives
        BuildKind::Dockerfile(_) => None,
        BuildKind::Files => Some(BuildPlan::Files),
        BuildKind::Image(image) => {
            let above = image.above.as_ref().map(|above| above_base(above, resolved, pins));
            Some(BuildPlan::Image { image: pins.pin_source(resolved.image.as_ref()?), above })
        }
        BuildKind::Script(script) => Some(BuildPlan::Script {
            builder: builder(resolution, manifest, pins, problems)?,
            commands: script.commands.iter().map(|command| command.value.clone()).collect(),
            env: script.env.iter().map(|(name, value)| (name.clone(), value.value.clone())).collect(),
        }),
        BuildKind::Go(go) => {
            let package = read.go.get(resolved.name())?;
            let below = package.folder.strip_prefix(&package.modules.folder).unwrap_or(&package.folder);
            Some(BuildPlan::Go {
                builder: builder(resolution, manifest, pins, problems)?,
                module: package.modules.folder.clone(),
                package: if below.as_str().is_empty() { ".".to_owned() } else { format!("./{below}") },
                bin: resolved.go_program.clone(),
                tags: resolved.go_tags.clone(),
                ldflags: go.ldflags(&resolved.version),
                cgo: go.cgo,
                vendored: package.modules.vendor.is_some(),
                work: package.modules.work.as_ref().map(|folder| folder.join("go.work")),
            })
        }
        BuildKind::Cargo(cargo) => {
            let pruned = read.pruned.get(&PrunedKey::of(image, resolved)?)?;
            Some(BuildPlan::Cargo {
                builder: builder(resolution, manifest, pins, problems)?,
                package: cargo.package.value.clone(),
                bin: pruned.binary.clone(),
                features: resolved.cargo_features.clone(),
                default_features: resolved.cargo_defaults,
                flags: pruned.flags.clone(),
                link: cargo.link,
                vendored: is_hermetic(resolution),
                merged: Vec::new(),
            })
        }
    }
}

fn above_base(above: &AboveBase, resolved: &ResolvedComponent<'_>, pins: &Pins) -> AbovePlan {
    let base = resolved.source_base.as_ref().map(|base| match &base.image {
        Some(image) => SourceBase::Image(pins.pin_source(image)),
        None => SourceBase::Scratch,
    });
    AbovePlan::new(base, above.exclude.iter().map(|pattern| pattern.value.clone()).collect())
}

pub(super) fn builder(
    resolution: &Resolution<'_>,
    manifest: &ComponentManifest,
    pins: &Pins,
    problems: &mut Problems,
) -> Option<Reference> {
    let name: BuilderName = builder_of(manifest)?;
    if let Some(image) = resolution.builders.get(&name) {
        return Some(pins.pin(image));
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
        (InstallFrom::Binary(name), BuildKind::Cargo(_) | BuildKind::Go(_)) if bin.is_none_or(|bin| bin == name) => {
            name.clone()
        }
        (InstallFrom::Binary(name), BuildKind::Cargo(_) | BuildKind::Go(_)) => {
            let message = format!("this component builds the program `{}`, not `{name}`", bin.unwrap_or_default());
            let help = format!("one component builds one program; name it in [build.{}] with `bin`", kind.name());
            return refuse(message, help);
        }
        (InstallFrom::Output(name), BuildKind::Script(script)) => match script.outputs.get(name) {
            Some(path) => path.value.to_string(),
            None => return refuse(format!("there is no output `{name}`"), known_outputs(script)),
        },
        (InstallFrom::Stage(_), BuildKind::Image(image)) if image.above.is_some() => {
            let message = "all above the base is taken: nothing is listed beside it".to_owned();
            return refuse(
                message,
                "leave the [[install]] out, or `take`; `exclude` leaves out what is not wanted".to_owned(),
            );
        }
        (InstallFrom::Stage(path), BuildKind::Dockerfile(_) | BuildKind::Script(_) | BuildKind::Image(_)) => {
            path.to_string()
        }
        (from, kind) => {
            let message = format!("`{from}` does not fit build kind `{}`", kind.name());
            return refuse(
                message,
                "cargo and go give bin:NAME, script gives output:NAME and stage:/path, dockerfile and image give stage:/path"
                    .to_owned(),
            );
        }
    };
    Some(InstallPlan { from, to: install.to.value.clone(), mode: install.mode, is_likely: false, place: install.span })
}

fn known_outputs(script: &ScriptBuild) -> String {
    let names: Vec<&str> = script.outputs.keys().map(|name| name.as_str()).collect();
    if names.is_empty() { "add [build.script.outputs]".to_owned() } else { format!("outputs: {}", names.join(", ")) }
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

/// Lists whose order has no meaning are sorted, so that no other plan comes of another order.
fn role_plan(role: &ResolvedRole<'_>) -> RolePlan {
    let mut ports: Vec<_> = role.ports.iter().map(|port| (port.number.value, port.protocol.as_str())).collect();
    ports.sort_unstable();
    RolePlan {
        command: role.role.command.iter().map(|word| word.value.clone()).collect(),
        is_replaced: role.role.is_replaced,
        args: role.role.args.iter().map(|word| word.value.clone()).collect(),
        args_style: role.role.args_style(),
        probe: role.role.probe.iter().flatten().map(|word| word.value.clone()).collect(),
        user: role.role.user.value.to_string(),
        workdir: role.role.workdir.as_ref().map_or_else(|| "/".to_owned(), |workdir| workdir.value.to_string()),
        ports: ports.iter().map(|(number, protocol)| format!("{number}/{protocol}")).collect(),
        env: role.role.env.iter().map(|(name, value)| (name.clone(), value.value.clone())).collect(),
        volumes: sorted(&role.role.volumes),
        stop_signal: role.role.stop_signal.as_ref().map(|signal| signal.value.clone()),
        healthcheck: role.role.healthcheck.as_ref().map(|check| check.value.clone()),
        needs: sorted(&role.role.needs),
        waits_for: sorted(&role.role.waits_for),
        aliases: sorted(&role.role.aliases),
        boundary: role.role.boundary.as_ref().map(|boundary| boundary.value.clone()),
    }
}

fn sorted<T: Ord + Clone>(written: &[Spanned<T>]) -> Vec<T> {
    let mut values: Vec<T> = written.iter().map(|item| item.value.clone()).collect();
    values.sort();
    values
}
