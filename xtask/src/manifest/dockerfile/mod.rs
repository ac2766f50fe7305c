//! What an existing Dockerfile says of its component: the images that it needs, and how the program in it is started.
//!
//! | file | is |
//! |---|---|
//! | `outside.rs` | the images that stages begin with or copy from, each under a name |
//! | `role.rs` | the role that follows from the target stage |
//! | `program.rs` | where the program of a command is |
//! | `users.rs` | numbers of the users that the file names |
//!
//! **Which role it gives.** Without `[roles]`, one role with the name of the component. A `[roles.X]` that has no `command` is
//! that of the Dockerfile: whatever it does not say is taken from there, `env` name by name. One that has a `command` stands
//! for itself. Labels are not taken, they are the image's; nor is what the outer base image has, which nobody can see here:
//! its `ENTRYPOINT` and `CMD` (a file that sets neither gives no role), its `WORKDIR` (`/` counts), its environment.
//!
//! Every value has its place in the Dockerfile, so that the rules point there.

mod outside;
mod program;
mod role;
mod users;

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use camino::Utf8PathBuf;

pub use outside::Outside;
pub(crate) use users::Users;

use super::build::{BuildKind, DockerfileBuild};
use super::component::{ComponentManifest, InstallFrom};
use super::name::OutsideName;
use crate::diagnostic::{Diagnostic, Problems, closest};
use crate::dockerfile::{Dockerfile, Extent, ImageRole, ImageUse, Origin, StageFacts, StepKind, evaluate};
use crate::source::{FileId, SourceFile, SourceMap, Span, Spanned};
use crate::workspace::ManifestFiles;

/// An existing Dockerfile, read and evaluated.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ReadDockerfile {
    /// The file.
    pub file: FileId,
    /// What is in it.
    pub dockerfile: Arc<Dockerfile>,
    /// What it says of the target stage.
    pub facts: Arc<StageFacts>,
    /// What it says of every stage that the target needs, itself among them.
    pub stages: BTreeMap<usize, Arc<StageFacts>>,
    /// The images that those stages need.
    pub outside: BTreeMap<OutsideName, Outside>,
    /// Where each of them is named.
    pub uses: BTreeMap<Extent, OutsideName>,
}

impl ReadDockerfile {
    /// The place of something in the file, without the line end that an instruction ends with.
    pub fn span(&self, place: Extent) -> Span {
        let text = place.of(self.dockerfile.text());
        Extent::new(place.start, place.start + text.trim_end().len()).span(self.file)
    }

    /// The stages that are put into a merged file whole, where the target is taken by its copies or done again: those that
    /// its copies and mounts come from, and all that they need.
    pub fn sources(&self) -> BTreeSet<usize> {
        sources(&self.facts, &self.stages)
    }

    /// The text of every `RUN` of the stages that count.
    pub fn runs(&self) -> impl Iterator<Item = &str> {
        self.stages.iter().flat_map(|(index, facts)| {
            facts.steps.iter().filter(move |step| step.stage == *index).filter_map(|step| match &step.kind {
                StepKind::Run(run) => run.command.words.last().map(String::as_str),
                _ => None,
            })
        })
    }
}

fn sources(facts: &StageFacts, stages: &BTreeMap<usize, Arc<StageFacts>>) -> BTreeSet<usize> {
    let origins = facts.steps.iter().flat_map(|step| match &step.kind {
        StepKind::Copy(copy) => vec![&copy.from],
        StepKind::Run(run) => run.mounts.iter().map(|mount| &mount.from).collect(),
        StepKind::Workdir(_) => Vec::new(),
    });
    let named = origins.filter_map(|origin| match origin {
        Origin::Stage(stage) => stages.get(stage),
        _ => None,
    });
    named.flat_map(|facts| facts.reach.stages.iter().copied()).collect()
}

/// The Dockerfile that a `component.toml` names, and where; problems in the file are reported when everything is parsed.
pub fn named_dockerfile(id: FileId, source: &SourceFile) -> Option<Spanned<Utf8PathBuf>> {
    // nearly all components have none, and are parsed once
    if !source.text.contains("dockerfile") {
        return None;
    }
    let component = ComponentManifest::parse(id, source, &mut Problems::default())?;
    match component.build.kind {
        BuildKind::Dockerfile(build) => Some(build.path),
        _ => None,
    }
}

/// Reads the Dockerfile of a component and adds what it says.
pub(super) fn fill(
    component: &mut ComponentManifest,
    files: &ManifestFiles,
    sources: &SourceMap,
    problems: &mut Problems,
) {
    let BuildKind::Dockerfile(build) = &mut component.build.kind else { return };
    let Some(file) = files.dockerfiles.get(&build.path.value) else {
        let message = format!("there is no {}", build.path.value);
        return problems.push(Diagnostic::error("missing-file", message).label(build.path.span, ""));
    };
    let mut found = Problems::default();
    let is_whole = component.install.iter().any(|install| matches!(install.from.value, InstallFrom::Stage(_)));
    let read = read(build, is_whole, *file, &sources.file(*file).text, &mut found);
    let failed = found.has_errors();
    problems.append(found);
    let Some(read) = read.filter(|_| !failed) else { return };
    let users = Users::new(read.runs(), &build.users);
    let context = role::Context { read: &read, users: &users, component: component.name.value.as_str() };
    context.fill(&mut component.roles, component.name.span, problems);
    build.read = Some(read);
}

/// The target is put in whole where paths of it are installed.
fn read(
    build: &DockerfileBuild,
    is_whole: bool,
    file: FileId,
    text: &str,
    problems: &mut Problems,
) -> Option<ReadDockerfile> {
    let mut report = |errors: Vec<crate::dockerfile::DockerfileError>| {
        errors.iter().for_each(|error| problems.push(error.diagnostic(file)));
    };
    let dockerfile = Dockerfile::parse(text).map_err(&mut report).ok()?;
    let args: BTreeMap<String, String> =
        build.args.iter().map(|(name, value)| (name.clone(), value.value.clone())).collect();
    let target = build.target.as_ref().map(|target| target.value.as_str());
    if let Some(target) = &build.target
        && dockerfile.stage(&target.value).is_none()
    {
        let message = format!("the Dockerfile has no stage `{}`", target.value);
        let unknown = Diagnostic::error("unknown-stage", message).label(target.span, "");
        let names = dockerfile.stages().iter().filter_map(|stage| stage.name.as_ref()).map(|name| name.text());
        problems.push(unknown.suggest(&target.value, names, None));
        return None;
    }
    let facts = Arc::new(evaluate(&dockerfile, target, &args).map_err(&mut report).ok()?);
    let mut stages = BTreeMap::new();
    for index in &facts.reach.stages {
        let own = match *index == facts.stage {
            true => Arc::clone(&facts),
            false => Arc::new(evaluate(&dockerfile, Some(&index.to_string()), &args).map_err(&mut report).ok()?),
        };
        stages.insert(*index, own);
    }
    check_args(build, &dockerfile, problems);
    check_escape(&dockerfile, file, problems);
    let whole = if is_whole { facts.reach.stages.clone() } else { sources(&facts, &stages) };
    // the base of what is taken by its copies is that of the image
    let is_needed = |used: &&ImageUse| whole.contains(&used.stage) || used.role != ImageRole::Base;
    let needed: Vec<&ImageUse> = facts.reach.images.iter().filter(is_needed).collect();
    let (outside, uses) = outside::collect(&needed, file, problems);
    Some(ReadDockerfile { file, dockerfile: Arc::new(dockerfile), facts, stages, outside, uses })
}

/// Arguments that every build has. <https://docs.docker.com/reference/dockerfile/#predefined-args>
const PREDEFINED: [&str; 6] = ["HTTP_PROXY", "HTTPS_PROXY", "FTP_PROXY", "NO_PROXY", "ALL_PROXY", "SOURCE_DATE_EPOCH"];
/// How those begin that say a platform.
const PLATFORM: [&str; 2] = ["TARGET", "BUILD"];

/// An argument that no `ARG` declares would do nothing.
fn check_args(build: &DockerfileBuild, dockerfile: &Dockerfile, problems: &mut Problems) {
    let declared: Vec<&str> = dockerfile
        .instructions()
        .iter()
        .filter_map(|instruction| match &instruction.kind {
            crate::dockerfile::Kind::Arg(arguments) => Some(arguments),
            _ => None,
        })
        .flatten()
        .map(|argument| argument.name.text())
        .collect();
    for (name, value) in &build.args {
        let is_platform = PLATFORM.iter().any(|start| name.starts_with(start));
        if declared.contains(&name.as_str()) || is_platform || PREDEFINED.contains(&name.to_ascii_uppercase().as_str())
        {
            continue;
        }
        let message = format!("the Dockerfile has no `ARG {name}`, so that the argument would do nothing");
        let unknown = Diagnostic::error("unknown-argument", message).label(value.span, "");
        problems.push(match closest(name, declared.iter().copied()) {
            Some(close) => unknown.help(format!("did you mean `{close}`?")),
            None => unknown.help("remove it, or declare it in the Dockerfile"),
        });
    }
}

/// A file has one escape character, and merged ones have the usual one.
fn check_escape(dockerfile: &Dockerfile, file: FileId, problems: &mut Problems) {
    if let Some(directive) = dockerfile.directives().iter().find(|directive| directive.name == "escape")
        && dockerfile.escape() != '\\'
    {
        let message = "a Dockerfile with another escape character cannot be merged with others";
        let report = Diagnostic::error("dockerfile-escape", message).label(directive.span.span(file), "");
        problems.push(report.help("write it with `\\` at the ends of continued lines, and remove the directive"));
    }
}
