//! `diff`: two plans, two images, or one of each.
//!
//! Inputs are compared as [`crate::plan::changes`] has it: plans by all that they say, an image by the record of its build where
//! it was built here, else by its label and its own description. Files are compared where both are images, by their layers.

mod files;
mod side;

use std::fmt::Write as _;

use serde::Serialize;

use self::files::{FileDiff, Sizes};
use self::side::{ImageSide, Reader, Side};
use super::args::{DiffArguments, Format};
use super::session::Session;
use super::status::{ExitStatus, Stop};
use crate::oci::Platform;
use crate::plan::changes::{Change, What, between};

/// Two things compared.
#[derive(Debug, Serialize)]
struct Diff<'a> {
    before: &'a str,
    after: &'a str,
    /// Images that are in both, or the two that were named.
    images: Vec<ImageDiff>,
    /// Images that are in one plan and not in the other.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    added: Vec<String>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    removed: Vec<String>,
}

/// What differs in one image.
#[derive(Debug, Serialize)]
struct ImageDiff {
    image: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    platform: Option<Platform>,
    changes: Vec<Change>,
    /// Absent where one of both is a plan.
    #[serde(skip_serializing_if = "Option::is_none")]
    files: Option<Vec<FileDiff>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    bytes: Option<Sizes>,
}

impl ImageDiff {
    fn is_empty(&self) -> bool {
        self.changes.is_empty() && self.files.as_ref().is_none_or(Vec::is_empty)
    }
}

pub(super) fn run(arguments: &DiffArguments, session: &Session<'_>) -> Result<ExitStatus, Stop> {
    let mut reader = Reader::new(arguments, session)?;
    let (before, after) = (reader.side(&arguments.before)?, reader.side(&arguments.after)?);
    let diff = compared(arguments, &before, &after);
    match arguments.format {
        Format::Json => session.output.json(&diff)?,
        Format::Text => session.output.data(&text(&diff))?,
    }
    let differs = !(diff.added.is_empty() && diff.removed.is_empty() && diff.images.iter().all(ImageDiff::is_empty));
    Ok(if arguments.exit_code && differs { ExitStatus::Refused } else { ExitStatus::Done })
}

fn compared<'a>(arguments: &'a DiffArguments, before: &Side, after: &Side) -> Diff<'a> {
    let mut diff = Diff {
        before: &arguments.before,
        after: &arguments.after,
        images: Vec::new(),
        added: Vec::new(),
        removed: Vec::new(),
    };
    match (before, after) {
        (Side::Image(old), Side::Image(new)) => diff.images.push(of_images(old, new)),
        (Side::Image(old), Side::Plans(new)) => {
            diff.images.extend(new.iter().map(|new| {
                ImageDiff {
                    image: new.record.id().to_owned(),
                    platform: Some(old.platform().clone()),
                    changes: old
                        .record
                        .as_ref()
                        .map_or_else(no_record, |old_record| between(old_record, &new.on(old.platform(), old_record))),
                    files: None,
                    bytes: None,
                }
            }));
        }
        (Side::Plans(old), Side::Image(new)) => {
            diff.images.extend(old.iter().map(|old| {
                ImageDiff {
                    image: old.record.id().to_owned(),
                    platform: Some(new.platform().clone()),
                    changes: new
                        .record
                        .as_ref()
                        .map_or_else(no_record, |new_record| between(&old.on(new.platform(), new_record), new_record)),
                    files: None,
                    bytes: None,
                }
            }));
        }
        (Side::Plans(old), Side::Plans(new)) => {
            let of_plans = |old: &side::Planned, new: &side::Planned| ImageDiff {
                image: new.record.id().to_owned(),
                platform: None,
                changes: between(&old.record, &new.record),
                files: None,
                bytes: None,
            };
            if let ([old], [new]) = (&old[..], &new[..]) {
                diff.images.push(of_plans(old, new));
                return diff;
            }
            for own in new {
                match old.iter().find(|other| other.record.id() == own.record.id()) {
                    Some(other) => diff.images.push(of_plans(other, own)),
                    None => diff.added.push(own.record.id().to_owned()),
                }
            }
            let is_gone = |own: &&side::Planned| new.iter().all(|other| other.record.id() != own.record.id());
            diff.removed.extend(old.iter().filter(is_gone).map(|own| own.record.id().to_owned()));
        }
    }
    diff
}

fn no_record() -> Vec<Change> {
    vec![Change::of(What::NoRecord, "the image does not say what it was built from")]
}

fn of_images(old: &ImageSide, new: &ImageSide) -> ImageDiff {
    let changes = match (&old.record, &new.record) {
        (Some(old), Some(new)) => between(old, new),
        _ => side::configurations(old, new),
    };
    ImageDiff {
        image: new.name.clone(),
        platform: Some(new.platform().clone()),
        changes,
        files: Some(files::compare(&old.tree, &new.tree)),
        bytes: Some(Sizes::of(old, new)),
    }
}

fn text(diff: &Diff<'_>) -> String {
    let mut text = String::new();
    for id in &diff.removed {
        _ = writeln!(text, "image {id} removed");
    }
    for id in &diff.added {
        _ = writeln!(text, "image {id} added");
    }
    for image in &diff.images {
        let platform = image.platform.as_ref().map(|platform| format!(" ({platform})")).unwrap_or_default();
        let verdict = if image.is_empty() { ": no difference" } else { "" };
        _ = writeln!(text, "{}{platform}{verdict}", image.image);
        image.changes.iter().for_each(|change| _ = writeln!(text, "  {change}"));
        image.files.iter().flatten().for_each(|file| _ = writeln!(text, "  {file}"));
        if let Some(bytes) = image.bytes.as_ref().filter(|_| !image.is_empty()) {
            _ = writeln!(text, "  {bytes}");
        }
    }
    text
}
