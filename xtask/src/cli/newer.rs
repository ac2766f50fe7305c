//! `update --check`: newer tags than those that the manifests name, as the grammar of each reference allows. Nothing is written:
//! a new version is an edit that somebody reviews.

use std::collections::BTreeMap;

use futures_util::future::join_all;

use super::args::{Format, UpdateArguments};
use super::generate::say_what_is_not_used;
use super::output::counted;
use super::registry;
use super::session::{Loaded, Session};
use super::status::{ExitStatus, Stop};
use crate::diagnostic::closest;
use crate::engine::{EngineError, Events};
use crate::manifest::{BuildKind, ComponentManifest, Manifests};
use crate::oci::Reference;
use crate::policy::newer;

/// A reference of a manifest, by the key that names it.
struct Used<'a> {
    key: String,
    reference: &'a Reference,
}

/// What is known of one reference.
#[derive(serde::Serialize)]
struct Row<'a> {
    name: &'a str,
    reference: &'a Reference,
    current: Option<&'a str>,
    /// How its versions are written.
    grammar: String,
    /// From old to new; absent when the current tag is no version, or the registry could not be asked.
    newer: Option<Vec<String>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    error: Option<String>,
}

/// Asks for newer tags. Finding some is what it is for, and no failure.
pub(super) fn check(arguments: &UpdateArguments, session: &Session<'_>) -> Result<ExitStatus, Stop> {
    let loaded = session.load_manifests()?;
    say_what_is_not_used(session, &loaded);
    let used = named(&arguments.names, used(&loaded.manifests))?;
    if session.global.offline && !used.is_empty() {
        return Err(Stop::environment(anyhow::anyhow!(
            "--offline was given, and registries must be asked for their tags\nhint: run this without --offline where the registries can be reached"
        )));
    }
    let known = tags(session, &loaded, &used)?;
    let rows: Vec<Row<'_>> = used.iter().map(|used| row(used, &loaded, &known)).collect();
    match arguments.format {
        Format::Json => session.output.json(&rows)?,
        Format::Text => session.output.data(&text(&rows))?,
    }
    for row in &rows {
        if let Some(error) = &row.error {
            session.output.message(&format!("error: {}: {error}", row.name));
        }
    }
    let count = |is: fn(&Row<'_>) -> bool| rows.iter().filter(|row| is(row)).count();
    let outdated = count(|row| row.newer.as_ref().is_some_and(|newer| !newer.is_empty()));
    session.output.message(&format!("{outdated} of {} can be newer", counted(rows.len(), "reference")));
    Ok(if count(|row| row.error.is_some()) > 0 { ExitStatus::Environment } else { ExitStatus::Done })
}

/// Every reference of a registry that a manifest names, pinned or not.
fn used(manifests: &Manifests) -> Vec<Used<'_>> {
    let settings = &manifests.settings;
    let bases = settings.bases.iter().filter_map(|(name, base)| {
        Some(Used { key: format!("bases.{name}"), reference: base.image.value.reference()? })
    });
    let builders = settings.builders.iter();
    let builders = builders.map(|(name, it)| Used { key: format!("builders.{name}"), reference: &it.image.value });
    let components = manifests.components.values().filter_map(|component| match &component.build.kind {
        BuildKind::Image(build) => {
            let key = format!("components.{}.image", component.name.value);
            Some(Used { key, reference: build.image.value.reference()? })
        }
        _ => None,
    });
    let dockerfiles = manifests.components.values().flat_map(of_dockerfile);
    bases.chain(builders).chain(components).chain(dockerfiles).collect()
}

/// The references in the Dockerfile of a component.
fn of_dockerfile(component: &ComponentManifest) -> Vec<Used<'_>> {
    let BuildKind::Dockerfile(build) = &component.build.kind else { return Vec::new() };
    let key = |name| format!("components.{}.images.{name}", component.name.value);
    build.outside().map(|(name, it)| Used { key: key(name), reference: &it.image.value }).collect()
}

/// Those that words name: keys, names in them, or references; all without words.
fn named<'a>(words: &[String], all: Vec<Used<'a>>) -> Result<Vec<Used<'a>>, Stop> {
    let is_named = |used: &Used<'_>, word: &str| {
        let name = used.key.split('.').nth(1).unwrap_or_default();
        [used.key.as_str(), name, &used.reference.to_string(), &used.reference.canonical()].contains(&word)
    };
    if let Some(wrong) = words.iter().find(|word| !all.iter().any(|used| is_named(used, word))) {
        let hint = match closest(wrong, all.iter().map(|used| used.key.as_str())) {
            Some(close) => format!("did you mean `{close}`?"),
            None => "`update --check` without names lists all".to_owned(),
        };
        return Err(Stop::input(anyhow::anyhow!("`{wrong}` names no reference of a manifest\nhint: {hint}")));
    }
    let is_wanted = |used: &Used<'_>| words.is_empty() || words.iter().any(|word| is_named(used, word));
    Ok(all.into_iter().filter(is_wanted).collect())
}

/// Tags by the name of a repository: each is asked for once, all at once.
type Tags = BTreeMap<String, Result<Vec<String>, EngineError>>;

fn tags(session: &Session<'_>, loaded: &Loaded, used: &[Used<'_>]) -> Result<Tags, Stop> {
    let with_version = used.iter().filter(|used| loaded.policy.classes.version(used.reference).is_some());
    let repositories: BTreeMap<String, &Reference> =
        with_version.map(|used| (used.reference.name(), used.reference)).collect();
    let client = registry::client(session, Some(loaded), repositories.values().copied())?;
    let events = Events::nowhere();
    let asked = join_all(repositories.values().map(|reference| client.tags(reference, &events)));
    let answers = crate::engine::block_on(asked).map_err(Stop::environment)?;
    Ok(repositories.into_keys().zip(answers).collect())
}

fn row<'a>(used: &'a Used<'_>, loaded: &Loaded, known: &Tags) -> Row<'a> {
    let name = used.reference.name();
    let grammar = loaded.policy.classes.grammar(&name);
    let (tags, error) = match known.get(&name) {
        Some(Ok(tags)) => (Some(tags), None),
        Some(Err(error)) => (None, Some(error.to_string())),
        None => (None, None),
    };
    let current = used.reference.tag();
    let newer = current.zip(tags).and_then(|(current, tags)| newer(grammar, current, tags));
    let newer = newer.map(|newer| newer.iter().map(|version| version.as_str().to_owned()).collect());
    Row { name: &used.key, reference: used.reference, current, grammar: grammar.to_string(), newer, error }
}

/// The table: what is used, at which tag, the newest one, and how many are between.
fn text(rows: &[Row<'_>]) -> String {
    let cells = rows.iter().map(|row| {
        let newest = match &row.newer {
            _ if row.error.is_some() => "?".to_owned(),
            None => "not a version".to_owned(),
            Some(newer) => match newer.as_slice() {
                [] => "newest".to_owned(),
                [one] => format!("-> {one}"),
                [.., last] => format!("-> {last} ({} newer)", newer.len()),
            },
        };
        [row.name.to_owned(), row.reference.name(), row.current.unwrap_or("(no tag)").to_owned(), newest]
    });
    let cells: Vec<[String; 4]> = cells.collect();
    let width = |column: usize| cells.iter().map(|row| row[column].chars().count()).max().unwrap_or(0);
    let (name, repository, current) = (width(0), width(1), width(2));
    let line = |[a, b, c, d]: &[String; 4]| format!("{a:name$}  {b:repository$}  {c:current$}  {d}\n");
    cells.iter().map(line).collect()
}
