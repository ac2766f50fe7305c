//! `images --list`: every image that is needed or made, from one table in four forms.

use std::fmt::Write as _;

use serde::Serialize;

use super::args::{ClassChoice, ImagesArguments, ImagesFormat, SelectionArguments};
use super::output::counted;
use super::pins;
use super::session::{Loaded, Session};
use super::status::{ExitStatus, Stop};
use crate::oci::{Mapping, Platform};
use crate::release::{self, Class, Row};

/// Format of the JSON document.
const SCHEMA: u32 = 1;

/// What `--format json` prints, and `release diff` reads.
#[derive(Serialize)]
struct Document<'a> {
    schema: u32,
    images: &'a [Row],
}

/// `images`.
pub(super) fn run(arguments: &ImagesArguments, session: &Session<'_>) -> Result<ExitStatus, Stop> {
    let loaded = session.load()?;
    let mut rows = rows(session, &loaded, &arguments.selection)?;
    rows.retain(|row| match arguments.only {
        None => true,
        Some(ClassChoice::Inputs) => row.class == Class::Input,
        Some(ClassChoice::Outputs) => row.class == Class::Output,
    });
    match arguments.format {
        ImagesFormat::Json => session.output.json(&Document { schema: SCHEMA, images: &rows })?,
        ImagesFormat::GithubMatrix => session.output.data(&matrix(&rows)?)?,
        ImagesFormat::Markdown => session.output.data(&markdown(&rows))?,
        ImagesFormat::Text => {
            session.output.data(&text(&rows))?;
            let open = rows.iter().filter(|row| row.class == Class::Input && row.digest.is_none()).count();
            if open > 0 {
                let (open, program) = (counted(open, "input"), &session.program);
                session.output.message(&format!("note: {open} without a digest\nhint: run `{program} lock`"));
            }
        }
    }
    Ok(ExitStatus::Done)
}

/// The table of a selection, as images are had; every image in every variant without words.
pub(super) fn rows(session: &Session<'_>, loaded: &Loaded, selection: &SelectionArguments) -> Result<Vec<Row>, Stop> {
    let resolution = session.resolve(loaded, &selection.selection(true))?;
    Ok(release::closure(&resolution, &pins::that_fit(loaded, &resolution)))
}

/// [`rows`] with the names of before the mirror, and the mirror.
pub(super) fn rows_before_mirror(
    session: &Session<'_>,
    loaded: &Loaded,
    selection: &SelectionArguments,
) -> Result<(Vec<Row>, Option<Mapping>), Stop> {
    let mut resolution = session.resolve(loaded, &selection.selection(true))?;
    let mapping = resolution.mapping.take();
    Ok((release::closure(&resolution, &pins::that_fit(loaded, &resolution)), mapping))
}

fn platforms(row: &Row) -> String {
    row.platforms.iter().map(Platform::to_string).collect::<Vec<_>>().join(",")
}

fn why(row: &Row, between: &str) -> String {
    row.why.iter().map(ToString::to_string).collect::<Vec<_>>().join(between)
}

/// One line for each image: what a list of images is made of stands first.
fn text(rows: &[Row]) -> String {
    let first = rows.iter().map(|row| row.pinned().to_string().len()).max().unwrap_or(0);
    let platforms_width = rows.iter().map(|row| platforms(row).len()).max().unwrap_or(0);
    let mut text = String::new();
    for row in rows {
        let (reference, class, platforms) = (row.pinned().to_string(), row.class.name(), platforms(row));
        _ = writeln!(text, "{reference:first$}  {class:6}  {platforms:platforms_width$}  {}", why(row, "; "));
    }
    text
}

fn markdown(rows: &[Row]) -> String {
    let mut text = "| image | digest | platforms | for |\n| :--- | :--- | :--- | :--- |\n".to_owned();
    for row in rows {
        let digest = row.digest.as_ref().map(|digest| format!("`{digest}`")).unwrap_or_default();
        let platforms = platforms(row).replace(',', ", ");
        _ = writeln!(text, "| `{}` | {digest} | {platforms} | {} |", row.reference, why(row, "; ").replace('|', "\\|"));
    }
    text
}

/// `strategy.matrix` of a job.
#[derive(Serialize)]
struct Matrix {
    include: Vec<Entry>,
}

#[derive(Serialize)]
struct Entry {
    reference: String,
    class: Class,
    platform: String,
}

/// One entry for each image and platform.
fn matrix(rows: &[Row]) -> Result<String, Stop> {
    let entry = |row: &Row, platform: &Platform| Entry {
        reference: row.pinned().to_string(),
        class: row.class,
        platform: platform.to_string(),
    };
    let include = rows.iter().flat_map(|row| row.platforms.iter().map(move |platform| entry(row, platform))).collect();
    Ok(serde_json::to_string(&Matrix { include }).map_err(Stop::input)? + "\n")
}
