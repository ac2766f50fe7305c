//! `plan`: what would be built, and from what.

use std::collections::BTreeMap;
use std::fmt::{Display, Write as _};

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
    // the usual one is not worth a line
    let mode = Some(&image.mode).filter(|mode| **mode != Mode::default());
    let healthcheck = image.config.healthcheck.as_ref().map(|check| check.words());
    line(&mut text, "mode", ", ", mode);
    line(&mut text, "tags", ", ", &image.tags);
    line(&mut text, "platforms", ", ", &image.platforms);
    line(&mut text, "features", ", ", &image.features);
    line(&mut text, "user", ", ", &image.config.user);
    line(&mut text, "entrypoint", " ", &image.config.entrypoint);
    line(&mut text, "cmd", " ", &image.config.cmd);
    line(&mut text, "ports", ", ", &image.config.ports);
    line(&mut text, "volumes", ", ", &image.config.volumes);
    line(&mut text, "stop signal", ", ", &image.config.stop_signal);
    line(&mut text, "healthcheck", " ", healthcheck.iter().flatten());
    line(&mut text, "dockerfile", ", ", std::iter::once(&image.dockerfile).chain(image.dockerfiles.values()));
    line(&mut text, "fingerprint", ", ", [&image.fingerprint]);
    image.components.iter().for_each(|part| component(&mut text, part, &image.platforms));
    text
}

/// A name and what is to be said of it, if that is anything.
fn line<T: Display>(text: &mut String, name: &str, separator: &str, items: impl IntoIterator<Item = T>) {
    let before = text.len();
    _ = write!(text, "  {name:<12}");
    let begin = text.len();
    list(text, separator, items);
    match text.len() == begin {
        true => text.truncate(before),
        false => text.push('\n'),
    }
}

/// Appends all of them with something in between.
fn list<T: Display>(text: &mut String, separator: &str, items: impl IntoIterator<Item = T>) {
    for (index, item) in items.into_iter().enumerate() {
        _ = write!(text, "{}{item}", if index == 0 { "" } else { separator });
    }
}

fn component(text: &mut String, part: &ComponentPlan, platforms: &[Platform]) {
    _ = write!(text, "  + {}", part.name);
    if !part.version.is_empty() {
        _ = write!(text, " {}", part.version);
    }
    if !part.features.is_empty() {
        text.push_str(" [");
        list(text, ", ", &part.features);
        text.push(']');
    }
    _ = writeln!(text, " ({})", build(part));
    if !part.excluded.is_empty() {
        text.push_str("      not on ");
        list(text, ", ", &part.excluded);
        text.push('\n');
    }
    for install in &part.installs {
        _ = write!(text, "      {}", install.to);
        if !part.exe.is_empty() {
            _ = write!(text, " ({} on ", install.to.with_exe());
            list(text, ", ", &part.exe);
            text.push(')');
        }
        text.push('\n');
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
        _ = write!(text, "      role {name}: ");
        start(text, role);
        text.push('\n');
    }
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
fn start(text: &mut String, role: &RolePlan) {
    list(text, " ", &role.command);
    _ = write!(text, " as {}", role.user);
    if !role.args.is_empty() {
        text.push_str("; by default with ");
        list(text, " ", &role.args);
    }
    if !role.args_style.is_command() {
        text.push_str("; started with arguments only");
    }
    further(text, "ports", ", ", &role.ports);
    further(text, "needs", ", ", &role.needs);
    further(text, "waits for", ", ", &role.waits_for);
    further(text, "boundary", ", ", &role.boundary);
    further(text, "probe", " ", &role.probe);
}

/// A further part of a line, if there is anything to be said.
fn further<T: Display>(text: &mut String, name: &str, separator: &str, items: impl IntoIterator<Item = T>) {
    let mut items = items.into_iter().peekable();
    if items.peek().is_some() {
        _ = write!(text, "; {name} ");
        list(text, separator, items);
    }
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
