//! `affected`: the images and components that were touched since a git revision. Nothing is built and nothing is guessed from
//! paths: the plan of the revision and that of the work tree are compared.
//!
//! | `--format json` | is |
//! |---|---|
//! | `schema`, `since` | 1, and the revision as it was named |
//! | `everything_because` | why the revision has no plan, so that everything is listed; absent when it has one |
//! | `components[]` | `name`, and `change`: `added`, `changed` or `removed`; sorted by name |
//! | `images[]` | `id`, `image`, `variant` (null for the plain image), `change`; sorted by `id` |
//! | `images[].platforms[]` | the platforms on which it is another image now; none of a removed one |
//! | `images[].through[]` | the components that make it another one, with their `change` in this image |
//! | `images[].also[]` | what else does: `base`, `definition`, `references`, `templates`, or `unknown` without a plan to compare with |
//!
//! `--format github-matrix` is one line with an entry for each image and platform that is to be built.

mod compare;
mod revision;

use std::fmt::Write as _;

use serde::Serialize;

use super::args::{AffectedArguments, AffectedFormat};
use super::output::counted;
use super::session::{Loaded, Session};
use super::status::{ExitStatus, Stop};
use crate::lock::Builders;
use crate::plan::Plan;
use crate::workspace::{MEMORY_FOLDER, Revision, Tree};
use compare::{Affected, Cause, Change, ComponentChange, ImageChange, Side};
use revision::{Before, WorkTree};

/// Format of the JSON document.
const SCHEMA: u32 = 1;

/// What `--format json` prints.
#[derive(Serialize)]
struct Document<'a> {
    schema: u32,
    since: &'a str,
    /// Why everything counts as affected; absent when plans were compared.
    #[serde(skip_serializing_if = "Option::is_none")]
    everything_because: Option<&'a str>,
    #[serde(flatten)]
    affected: &'a Affected,
}

pub(super) fn run(arguments: &AffectedArguments, session: &Session<'_>) -> Result<ExitStatus, Stop> {
    let loaded = session.load()?;
    let since = Revision::find(&loaded.workspace.root, &arguments.since).map_err(Stop::input)?;
    let (now, tree) = plan_of_work_tree(arguments, session, &loaded)?;
    let work = WorkTree { loaded: &loaded, tree: &tree };
    let before = plan_of_revision(arguments, session, &work, &since)?;
    let before = before.map(|before| Before { plan: selected(before.plan, arguments, &now), ..before });
    if let Err(why) = &before {
        let since = &arguments.since;
        session.output.message(&format!("note: everything counts as affected, because {since} has no plan: {why}"));
    }
    let components = loaded.manifests.components.keys().map(ToString::to_string).collect();
    let then = before.as_ref().ok().map(|before| Side { plan: &before.plan, components: &before.components });
    let affected = compare::compare(then, Side { plan: &now, components: &components });
    let because = before.as_ref().err().map(String::as_str);
    show(arguments, session, &affected, because)
}

fn plan_of_work_tree(
    arguments: &AffectedArguments,
    session: &Session<'_>,
    loaded: &Loaded,
) -> Result<(Plan, Tree), Stop> {
    let resolution = session.resolve(loaded, &arguments.selection.selection(true))?;
    let pins = session.pins(loaded, &resolution, Builders::Used)?;
    let mut seen = Tree::default();
    let plan = session.plan_from(loaded, &resolution, &pins, |wants| {
        seen = session.read(loaded, &wants)?;
        Ok(seen.clone())
    })?;
    Ok((plan, seen))
}

/// The plan of the revision, or why there is none.
fn plan_of_revision(
    arguments: &AffectedArguments,
    session: &Session<'_>,
    work: &WorkTree<'_>,
    since: &Revision,
) -> Result<Result<Before, String>, Stop> {
    let tree = since.write(&work.loaded.workspace.root.join(MEMORY_FOLDER)).map_err(Stop::input)?;
    let name = &since.name;
    if since.is_sparse {
        session.output.message("note: this clone is sparse; what it leaves out counts as removed");
    }
    for path in &tree.absent {
        session.output.message(&format!(
            "note: the submodule {path} does not have its commit of {name}, so that its files count as new\n\
             hint: run `git submodule update --init {path}`, or `git fetch` in it"
        ));
    }
    let before = revision::plan(arguments, session, work, &tree);
    if let Ok(Before { borrowed, .. }) = &before
        && let [first, more @ ..] = &borrowed[..]
    {
        let more = if more.is_empty() { String::new() } else { format!(" and {} more", more.len()) };
        session.output.message(&format!("note: git ignores {first}{more}, which counts as unchanged"));
    }
    Ok(before)
}

/// Without words everything is compared; otherwise only what is selected now.
fn selected(mut before: Plan, arguments: &AffectedArguments, now: &Plan) -> Plan {
    if !arguments.selection.images.is_empty() {
        before.images.retain(|image| now.images.iter().any(|own| own.id == image.id));
    }
    before
}

fn show(
    arguments: &AffectedArguments,
    session: &Session<'_>,
    affected: &Affected,
    everything_because: Option<&str>,
) -> Result<ExitStatus, Stop> {
    let since = &arguments.since;
    match arguments.format {
        AffectedFormat::Json => {
            session.output.json(&Document { schema: SCHEMA, since, everything_because, affected })?;
        }
        AffectedFormat::GithubMatrix => session.output.data(&matrix(affected)?)?,
        AffectedFormat::Text => {
            session.output.data(&text(affected))?;
            let (images, components) = (affected.images.len(), affected.components.len());
            session.output.message(&format!(
                "{} and {} affected since {since}",
                counted(images, "image"),
                counted(components, "component")
            ));
        }
    }
    Ok(ExitStatus::Done)
}

/// `strategy.matrix` of a job.
#[derive(Serialize)]
struct Matrix {
    include: Vec<MatrixEntry>,
}

#[derive(Serialize)]
struct MatrixEntry {
    image: String,
    variant: String,
    platform: String,
}

/// What is to be built, as GitHub Actions takes it: one entry for each image and platform.
fn matrix(affected: &Affected) -> Result<String, Stop> {
    let entry = |image: &ImageChange, platform: &crate::oci::Platform| {
        let variant = image.variant.as_deref().unwrap_or_default();
        MatrixEntry { image: image.image.clone(), variant: variant.to_owned(), platform: platform.to_string() }
    };
    let all = affected.images.iter().filter(|image| image.change != Change::Removed);
    let include = all.flat_map(|image| image.platforms.iter().map(move |platform| entry(image, platform))).collect();
    Ok(serde_json::to_string(&Matrix { include }).map_err(Stop::input)? + "\n")
}

/// One line for each component and image.
fn text(affected: &Affected) -> String {
    let mut text = String::new();
    for component in &affected.components {
        _ = writeln!(text, "{:<8} component {}", word(component.change), component.name);
    }
    for image in &affected.images {
        _ = writeln!(text, "{:<8} image     {}{}", word(image.change), image.id, reasons(image));
    }
    text
}

fn reasons(image: &ImageChange) -> String {
    let part = |part: &ComponentChange| match part.change {
        Change::Changed => part.name.clone(),
        change => format!("{} ({})", part.name, word(change)),
    };
    let also =
        image.also.iter().filter(|cause| **cause != Cause::Unknown).map(|cause| cause_in_words(*cause).to_owned());
    let all: Vec<String> = image.through.iter().map(part).chain(also).collect();
    if all.is_empty() { String::new() } else { format!(", through {}", all.join(", ")) }
}

fn word(change: Change) -> &'static str {
    match change {
        Change::Added => "added",
        Change::Changed => "changed",
        Change::Removed => "removed",
    }
}

fn cause_in_words(cause: Cause) -> &'static str {
    match cause {
        Cause::Base => "its base",
        Cause::Definition => "its definition",
        Cause::References => "its references",
        Cause::Templates => "the templates",
        Cause::Unknown => "",
    }
}
