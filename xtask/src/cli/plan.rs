//! `plan`: what would be built, and from what.

use std::collections::BTreeMap;
use std::fmt::Write as _;

use super::args::{Format, PlanArguments};
use super::explain::{self, build::Question};
use super::output::counted;
use super::session::Session;
use super::status::{ExitStatus, Stop};
use crate::lock::Builders;
use crate::manifest::{ImagePath, Mode};
use crate::oci::Platform;
use crate::plan::{BuildPlan, ComponentPlan, ImagePlan, Input, Plan, RolePlan, SourceBase};
use crate::workspace::in_parallel;

pub(super) fn run(arguments: &PlanArguments, session: &Session<'_>) -> Result<ExitStatus, Stop> {
    if arguments.explain || arguments.against.against.is_some() {
        let question = Question {
            selection: arguments.selection.selection(false),
            against: arguments.against.against.as_deref(),
            host: arguments.against.host.as_deref(),
            format: arguments.format,
        };
        return explain::build::run(&question, session);
    }
    let loaded = session.load()?;
    let resolution = session.resolve(&loaded, &arguments.selection.selection(false))?;
    let pins = session.pins(&loaded, &resolution, Builders::Used)?;
    let plan = session.plan(&loaded, &resolution, &pins)?;
    session.check(&loaded, &resolution, &plan)?;
    match arguments.format {
        Format::Json => session.output.json(&plan)?,
        Format::Text => session.output.data(&text(&plan))?,
    }
    // the process ends here: to free thousands of plans one by one takes longer than to print them
    std::mem::forget((plan, resolution));
    std::mem::forget(loaded);
    Ok(ExitStatus::Done)
}

/// The plan as text: one paragraph for each image.
pub(super) fn text(plan: &Plan) -> String {
    in_parallel(&plan.images, image).join("\n")
}

fn image(image: &ImagePlan) -> String {
    let mut text = format!("{} {} on {}\n", image.id, image.version, image.base.name);
    let list = |items: &[String]| items.join(", ");
    let features: Vec<String> = image.features.iter().map(ToString::to_string).collect();
    let platforms: Vec<String> = image.platforms.iter().map(ToString::to_string).collect();
    let dockerfiles: Vec<String> =
        std::iter::once(&image.dockerfile).chain(image.dockerfiles.values()).map(ToString::to_string).collect();
    for (name, value) in [
        // the usual one is not worth a line
        (
            "mode",
            Some(image.mode).filter(|mode| *mode != Mode::default()).map(|mode| mode.to_string()).unwrap_or_default(),
        ),
        ("tags", list(&image.tags)),
        ("platforms", list(&platforms)),
        ("features", list(&features)),
        ("user", image.config.user.clone().unwrap_or_default()),
        ("entrypoint", image.config.entrypoint.join(" ")),
        ("cmd", image.config.cmd.join(" ")),
        ("ports", list(&image.config.ports)),
        ("volumes", list(&image.config.volumes.iter().map(ToString::to_string).collect::<Vec<_>>())),
        ("stop signal", image.config.stop_signal.as_ref().map(ToString::to_string).unwrap_or_default()),
        ("healthcheck", image.config.healthcheck.as_ref().map(|check| check.words().join(" ")).unwrap_or_default()),
        ("dockerfile", list(&dockerfiles)),
        ("fingerprint", image.fingerprint.clone()),
    ] {
        if !value.is_empty() {
            _ = writeln!(text, "  {name:<12}{value}");
        }
    }
    image.components.iter().for_each(|part| text.push_str(&component(part, &image.platforms)));
    text
}

fn component(part: &ComponentPlan, platforms: &[Platform]) -> String {
    let features: Vec<String> = part.features.iter().map(ToString::to_string).collect();
    let features = if features.is_empty() { String::new() } else { format!(" [{}]", features.join(", ")) };
    let version = if part.version.is_empty() { String::new() } else { format!(" {}", part.version) };
    let mut text = format!("  + {}{version}{features} ({})\n", part.name, build(part));
    if !part.excluded.is_empty() {
        let excluded: Vec<String> = part.excluded.iter().map(ToString::to_string).collect();
        _ = writeln!(text, "      not on {}", excluded.join(", "));
    }
    let programs = part.installs.iter().map(|install| &install.to);
    for path in programs {
        _ = match part.exe.iter().map(Platform::to_string).collect::<Vec<_>>().join(", ") {
            none if none.is_empty() => writeln!(text, "      {path}"),
            platforms => writeln!(text, "      {path} ({} on {platforms})", path.with_exe()),
        };
    }
    for path in part.files.keys() {
        _ = writeln!(text, "      {path}");
    }
    for (path, own) in files_of_platforms(part) {
        let is_everywhere = own.len() + part.excluded.len() == platforms.len();
        let names: Vec<String> = own.iter().map(ToString::to_string).collect();
        let which = if is_everywhere { "one for each platform".to_owned() } else { format!("on {}", names.join(", ")) };
        _ = writeln!(text, "      {path} ({which})");
    }
    for (path, link) in &part.links {
        _ = writeln!(text, "      {path} → {}", link.target);
    }
    for (name, role) in &part.roles {
        _ = writeln!(text, "      role {name}: {}", start(role));
    }
    text
}

/// Files that depend on the platform, with the platforms that have them.
fn files_of_platforms(part: &ComponentPlan) -> BTreeMap<&ImagePath, Vec<&Platform>> {
    let mut files = BTreeMap::<&ImagePath, Vec<&Platform>>::new();
    for (platform, own) in &part.platform_files {
        own.keys().for_each(|path| files.entry(path).or_default().push(platform));
    }
    files
}

/// How a consumer starts a role, in one line.
fn start(role: &RolePlan) -> String {
    let list = |name: &str, items: Vec<String>| (!items.is_empty()).then(|| format!("{name} {}", items.join(", ")));
    let needs = role.needs.iter().map(ToString::to_string).collect();
    let waits_for = role.waits_for.iter().map(ToString::to_string).collect();
    let parts = [
        Some(format!("{} as {}", role.command.join(" "), role.user)),
        (!role.args.is_empty()).then(|| format!("by default with {}", role.args.join(" "))),
        (!role.args_style.is_command()).then(|| "started with arguments only".to_owned()),
        list("ports", role.ports.clone()),
        list("needs", needs),
        list("waits for", waits_for),
        role.boundary.as_ref().map(|boundary| format!("boundary {boundary}")),
        (!role.probe.is_empty()).then(|| format!("probe {}", role.probe.join(" "))),
    ];
    parts.into_iter().flatten().collect::<Vec<_>>().join("; ")
}

fn build(part: &ComponentPlan) -> String {
    let crates = part.inputs.values().filter(|input| matches!(input, Input::Crate { .. })).count();
    let files = counted(part.inputs.len() - crates, "file");
    match &part.build {
        BuildPlan::Cargo { merged, .. } if !merged.is_empty() => {
            let merged: Vec<String> = merged.iter().map(ToString::to_string).collect();
            format!("one cargo program of {}: {files}, {}", merged.join(", "), counted(crates, "crate"))
        }
        BuildPlan::Cargo { package, vendored: true, .. } => {
            format!("cargo package {package}, {files}, {}", counted(crates, "crate"))
        }
        BuildPlan::Cargo { package, .. } => format!("cargo package {package}, {files}"),
        BuildPlan::Dockerfile { plan } => format!("{}, {files}", plan.path),
        BuildPlan::Go { module, package, tags, .. } => {
            let package = package.trim_start_matches("./");
            let folder = if package == "." { module.clone() } else { module.join(package) };
            let folder = if folder.as_str().is_empty() { "." } else { folder.as_str() };
            let tags = if tags.is_empty() { String::new() } else { format!(" with tags {}", tags.join(", ")) };
            format!("go package {folder}{tags}, {files}")
        }
        BuildPlan::Files => counted(part.files.len() + files_of_platforms(part).len(), "file"),
        BuildPlan::Image { image, above: None } => format!("from image {image}"),
        BuildPlan::Image { image, above: Some(above) } => {
            let base = match &above.base {
                None => "its base".to_owned(),
                Some(SourceBase::Scratch) => "scratch".to_owned(),
                Some(SourceBase::Image(base)) => format!("the base {base}"),
            };
            let all: Vec<String> = above.exclude.iter().map(ToString::to_string).collect();
            let but = if all.is_empty() { String::new() } else { format!(", without {}", all.join(", ")) };
            format!("all above {base} in image {image}{but}")
        }
        BuildPlan::Script { builder, commands, .. } => {
            format!("{} in {builder}, {files}", counted(commands.len(), "command"))
        }
    }
}
