//! `diff`: two plans, two images, or one of each.
//!
//! Inputs are compared as [`crate::plan::changes`] has it: plans by all that they say, an image by the record of its build where
//! it was built here, else by its label and its own description. Files are compared where both are images, by their layers.
//! An image is compared with the plan of its own name, if there are several: the others are not what it is.

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
use crate::plan::changes::{Change, Recorded, What, between};

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
    let diff = compared(arguments, &before, &after)?;
    match arguments.format {
        Format::Json => session.output.json(&diff)?,
        Format::Text => session.output.data(&text(&diff))?,
    }
    let differs = !(diff.added.is_empty() && diff.removed.is_empty() && diff.images.iter().all(ImageDiff::is_empty));
    Ok(if arguments.exit_code && differs { ExitStatus::Refused } else { ExitStatus::Done })
}

fn compared<'a>(arguments: &'a DiffArguments, before: &Side, after: &Side) -> Result<Diff<'a>, Stop> {
    let mut diff = Diff {
        before: &arguments.before,
        after: &arguments.after,
        images: Vec::new(),
        added: Vec::new(),
        removed: Vec::new(),
    };
    match (before, after) {
        (Side::Image(old), Side::Image(new)) => diff.images.push(of_images(old, new)),
        (Side::Image(image), Side::Plans(plans)) => {
            let plan = counterpart(plans, image)?;
            diff.images.push(of_plan_and_image(plan, image, |plan, image| between(image, plan)));
        }
        (Side::Plans(plans), Side::Image(image)) => {
            let plan = counterpart(plans, image)?;
            diff.images.push(of_plan_and_image(plan, image, between));
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
                return Ok(diff);
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
    Ok(diff)
}

/// The plan that an image is compared with: the one of its name, or the only one that was named.
fn counterpart<'p>(plans: &'p [side::Planned], image: &ImageSide) -> Result<&'p side::Planned, Stop> {
    let own = image.id().and_then(|id| plans.iter().find(|plan| plan.record.id() == id));
    let only = || if let [only] = plans { Some(only) } else { None };
    own.or_else(only).ok_or_else(|| {
        let ids: Vec<&str> = plans.iter().map(|plan| plan.record.id()).collect();
        Stop::input(anyhow::anyhow!(
            "{} is {}, and not {}\nhint: name the image that it is compared with: plan:IMAGE",
            image.name,
            image.what_it_is(),
            ids.join(", ")
        ))
    })
}

/// `compare` gets the plan and the image, as far as they are recorded.
fn of_plan_and_image(
    plan: &side::Planned,
    image: &ImageSide,
    compare: impl Fn(&Recorded, &Recorded) -> Vec<Change>,
) -> ImageDiff {
    let platform = image.platform();
    let compared = |record: &Recorded| compare(&plan.on(platform, record), record);
    ImageDiff {
        image: plan.record.id().to_owned(),
        platform: Some(platform.clone()),
        changes: image.record.as_ref().map_or_else(no_record, compared),
        files: None,
        bytes: None,
    }
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
