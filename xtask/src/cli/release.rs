//! `release diff`: the images of two releases, and what of the difference nobody has explained.

use std::cell::RefCell;
use std::collections::BTreeMap;
use std::fmt::Write as _;

use camino::Utf8Path;
use serde::Serialize;

use super::args::{Format, Global, Release, ReleaseArguments, ReleaseDiffArguments, SelectionArguments};
use super::images;
use super::output::counted;
use super::session::{Loaded, Session};
use super::status::{ExitStatus, Stop};
use crate::oci::Reference;
use crate::release::{Explained, ImageSet, differences};
use crate::source::{SourceFile, SourceMap};
use crate::workspace::{MEMORY_FOLDER, Revision, SETTINGS_FILE, Workspace, read_file};
use crate::yaml;

/// Format of the JSON document.
const SCHEMA: u32 = 1;

/// What `--format json` prints.
#[derive(Serialize)]
struct Document<'a> {
    schema: u32,
    old: &'a str,
    new: &'a str,
    differences: &'a [Explained],
    unexplained: usize,
}

/// `release`.
pub(super) fn run(arguments: &ReleaseArguments, session: &Session<'_>) -> Result<ExitStatus, Stop> {
    match &arguments.what {
        Release::Diff(arguments) => diff(arguments, session),
    }
}

fn diff(arguments: &ReleaseDiffArguments, session: &Session<'_>) -> Result<ExitStatus, Stop> {
    let loaded = if session.is_in_workspace()? { Some(session.load_manifests()?) } else { None };
    let workspace = loaded.as_ref().map(|loaded| &loaded.workspace);
    let (old, new) = (side(&arguments.old, session, workspace)?, side(&arguments.new, session, workspace)?);
    let mut reasons = loaded.as_ref().map(replaced).unwrap_or_default();
    let own = match &arguments.explain_file {
        Some(path) => explained(path, session)?,
        None => BTreeMap::new(),
    };
    reasons.extend(own.clone());
    let found = differences(&old, &new, &reasons);
    for name in own.keys().filter(|name| !found.iter().any(|one| one.change.subject() == Some(name.as_str()))) {
        session.output.message(&format!("note: {name} is explained, and does not differ"));
    }
    let open = |one: &&Explained| one.change.subject().is_some() && one.reason.is_none();
    let unexplained = found.iter().filter(open).count();
    show(arguments, session, &found, unexplained)?;
    if unexplained == 0 {
        return Ok(ExitStatus::Done);
    }
    Err(Stop::refused(anyhow::anyhow!(
        "{} without an explanation\nhint: say why in [[replaces]] of the component that took its place, or in --explain-file",
        counted(unexplained, "difference")
    )))
}

/// The images of a file, or of a revision.
fn side(word: &str, session: &Session<'_>, workspace: Option<&Workspace>) -> Result<ImageSet, Stop> {
    let path = session.path(Utf8Path::new(word));
    if path.is_file() {
        let bytes = read_file(&path).map_err(Stop::input)?;
        let text = String::from_utf8_lossy(&bytes);
        return ImageSet::parse(&text).map_err(|error| {
            Stop::input(anyhow::anyhow!(
                "{word} is no list of images: {error}\nhint: `images --list --format json` writes one"
            ))
        });
    }
    let Some(workspace) = workspace else {
        return Err(Stop::input(anyhow::anyhow!(
            "{word} is no file, and there is no workspace here that could have a revision of that name\n\
             hint: `images --list --format json` writes a file"
        )));
    };
    let revision = Revision::find(&workspace.root, word).map_err(Stop::input)?;
    let tree = revision.write(&workspace.root.join(MEMORY_FOLDER)).map_err(Stop::input)?;
    let settings = tree.root.join(SETTINGS_FILE);
    if !settings.is_file() {
        return Err(Stop::input(anyhow::anyhow!("{word} has no {SETTINGS_FILE}\nhint: name a newer revision")));
    }
    let messages = RefCell::new(String::new());
    let global = Global { manifest_path: Some(settings), set: Vec::new(), ..session.global.clone() };
    let output = session.output.plain().keeping(&messages);
    let own = Session::new(tree.root.clone(), session.environment.clone(), &global, output);
    references(&own).map_err(|stop| {
        let error = stop.error.map(|error| format!("{error}\n")).unwrap_or_default();
        Stop::input(anyhow::anyhow!("{word} cannot be read\n{}{error}", messages.borrow()))
    })
}

/// Every image that a workspace needs or makes, with the values of its manifests alone.
fn references(session: &Session<'_>) -> Result<ImageSet, Stop> {
    let mut loaded = session.load()?;
    loaded.overrides = Default::default();
    let rows = images::rows(session, &loaded, &SelectionArguments::default())?;
    Ok(rows.into_iter().map(|row| row.reference).collect())
}

/// What components say about the images that they replace.
fn replaced(loaded: &Loaded) -> BTreeMap<String, String> {
    let components = loaded.manifests.components.values();
    let entries = components.flat_map(|component| component.replaces.iter().map(move |entry| (component, entry)));
    let reason = entries.map(|(component, entry)| {
        let since: Vec<&str> = entry.since.iter().map(|since| since.value.as_str()).collect();
        let since = since.join(", ");
        (entry.image.value.name(), format!("replaced by component {} since {since}", component.name.value))
    });
    reason.collect()
}

/// `NAME: why`, in a file.
fn explained(path: &Utf8Path, session: &Session<'_>) -> Result<BTreeMap<String, String>, Stop> {
    let bytes = read_file(&session.path(path)).map_err(Stop::input)?;
    let text = String::from_utf8(bytes).map_err(|_| Stop::input(anyhow::anyhow!("{path} is not UTF-8")))?;
    let mut map = SourceMap::default();
    let id = map.add(SourceFile::new(path, text.as_str()));
    let documents = yaml::parse(id, &text).map_err(|problem| session.bad_input(&[problem], &map))?;
    let mut reasons = BTreeMap::new();
    for (key, value) in documents.iter().flat_map(yaml::Node::entries) {
        let name = key.text().and_then(|text| text.parse::<Reference>().ok()).map(|reference| reference.name());
        let reason = value.text().map(str::trim).filter(|reason| !reason.is_empty());
        let Some((name, reason)) = name.zip(reason) else {
            let wrong = crate::diagnostic::Diagnostic::error("invalid-value", "an explanation is `NAME: why`");
            return Err(session.bad_input(&[wrong.label(key.span, "")], &map));
        };
        reasons.insert(name, reason.to_owned());
    }
    Ok(reasons)
}

fn show(
    arguments: &ReleaseDiffArguments,
    session: &Session<'_>,
    found: &[Explained],
    unexplained: usize,
) -> Result<(), Stop> {
    if arguments.format == Format::Json {
        let (old, new) = (&arguments.old, &arguments.new);
        return session.output.json(&Document { schema: SCHEMA, old, new, differences: found, unexplained });
    }
    let mut text = String::new();
    for one in found {
        let reason = match (&one.reason, one.change.subject()) {
            (_, None) => String::new(),
            (Some(reason), _) => format!(" ({reason})"),
            (None, _) => " (NOT EXPLAINED)".to_owned(),
        };
        _ = writeln!(text, "{}{reason}", one.change);
    }
    session.output.data(&text)
}
