//! `explain build`, `plan --explain`: why images would be built again.
//!
//! Against the last build (its record), or against an image or a plan document that is named. What only an engine can find,
//! such as the compiler of this machine and what the daemon has behind a tag, is asked for ([`super::found`]); compared with
//! something that is named, it is taken to be as it was there, and so is what a registry has behind a tag.

use serde::Serialize;

use super::super::bootstrap;
use super::super::look;
use super::super::records::{EngineName, Known, Last, Records};
use super::super::session::{Loaded, Session};
use super::super::status::{ExitStatus, Stop};
use super::against::{self, Against};
use super::found::Now;
use crate::cli::args::Format;
use crate::engine::native::layout_folder;
use crate::lock::{Builders, Pins};
use crate::oci::Platform;
use crate::plan::changes::{Change, Recorded, What, changes};
use crate::plan::{ImagePlan, Plan};
use crate::resolve::Selection;

/// What is asked.
pub(in crate::cli) struct Question<'a> {
    /// The images.
    pub(in crate::cli) selection: Selection,
    /// What they are compared with, if not with their last build.
    pub(in crate::cli) against: Option<&'a str>,
    /// The daemon.
    pub(in crate::cli) host: Option<&'a str>,
    /// Form of the answer.
    pub(in crate::cli) format: Format,
}

/// The answer for one image on one platform.
#[derive(Debug, Serialize)]
struct Explanation {
    image: String,
    /// Absent where it was never built.
    #[serde(skip_serializing_if = "Option::is_none")]
    platform: Option<Platform>,
    /// What it was compared with; absent for the last build.
    #[serde(skip_serializing_if = "Option::is_none")]
    against: Option<String>,
    /// Whether it is as its plan says.
    up_to_date: bool,
    changes: Vec<Change>,
}

#[derive(Debug, Serialize)]
struct Answer<'a> {
    images: &'a [Explanation],
}

pub(in crate::cli) fn run(question: &Question<'_>, session: &Session<'_>) -> Result<ExitStatus, Stop> {
    let mut loaded = session.load()?;
    let records = Records::of(&loaded.workspace.root);
    let (mut plan, pins) = plan(question, session, &loaded)?;
    if question.against.is_none() && assume_stand_ins(question, session, &mut loaded, &records, &plan, &pins)? {
        plan = session.plan(&loaded, &session.resolve(&loaded, &question.selection)?, &pins)?;
    }
    let explanations = match question.against {
        None => {
            let now = Now::of(&plan, &records, question.host, session, &loaded);
            plan.images.iter().flat_map(|image| last(image, &loaded, &records, &now)).collect()
        }
        Some(word) => {
            let against = against::read(word, question.host, session)?;
            compared(word, &against, &plan, &records)?
        }
    };
    match question.format {
        Format::Json => session.output.json(&Answer { images: &explanations })?,
        Format::Text => session.output.data(&explanations.iter().map(text).collect::<String>())?,
    }
    Ok(ExitStatus::Done)
}

fn plan(question: &Question<'_>, session: &Session<'_>, loaded: &Loaded) -> Result<(Plan, Pins), Stop> {
    let resolution = session.resolve(loaded, &question.selection)?;
    let pins = session.pins(loaded, &resolution, Builders::Used)?;
    let plan = session.plan(loaded, &resolution, &pins)?;
    Ok((plan, pins))
}

/// A local stand-in of a builder that the last build used is used again.
fn assume_stand_ins(
    question: &Question<'_>,
    session: &Session<'_>,
    loaded: &mut Loaded,
    records: &Records,
    plan: &Plan,
    pins: &Pins,
) -> Result<bool, Stop> {
    let mut builders = Vec::new();
    for image in &plan.images {
        for platform in records.platforms(&image.id) {
            if let Known::All(last, record) = records.last(&image.id, &platform)
                && last.engine == EngineName::Docker
            {
                builders.extend(builders_of(&record));
            }
        }
    }
    if builders.is_empty() {
        return Ok(false);
    }
    let resolution = session.resolve(loaded, &question.selection)?;
    let assumed = bootstrap::assumed(&resolution, pins, &builders, &loaded.workspace.root);
    loaded.overrides.bootstrapped.extend(assumed);
    Ok(!loaded.overrides.bootstrapped.is_empty())
}

fn builders_of(record: &Recorded) -> Vec<String> {
    let parts = record.document()["components"].as_array().into_iter().flatten();
    parts.filter_map(|part| part["build"]["builder"].as_str().map(str::to_owned)).collect()
}

/// Against the last build, for each platform that was built.
fn last(image: &ImagePlan, loaded: &Loaded, records: &Records, now: &Now) -> Vec<Explanation> {
    let mut platforms = records.platforms(&image.id);
    platforms.retain(|platform| image.platforms.contains(platform));
    let explained = |platform: Option<Platform>, changes: Vec<Change>| Explanation {
        image: image.id.clone(),
        platform,
        against: None,
        up_to_date: changes.is_empty(),
        changes,
    };
    if platforms.is_empty() {
        return vec![explained(None, vec![Change::of(What::NeverBuilt, "")])];
    }
    let of_platform = |platform: Platform| {
        let all = match records.last(&image.id, &platform) {
            Known::Nothing => vec![Change::of(What::NeverBuilt, "")],
            Known::NoRecord(why) => vec![Change::of(What::NoRecord, why)],
            Known::All(last, record) => {
                let mut all = gone(image, &last, loaded, now);
                let own = image.for_platform(&platform);
                all.extend(changes(&record, &own.with_found(&now.found(&own, &last, &record))));
                all
            }
        };
        explained(Some(platform), all)
    };
    platforms.into_iter().map(of_platform).collect()
}

/// Whether the engine still has it.
fn gone(image: &ImagePlan, last: &Last, loaded: &Loaded, now: &Now) -> Vec<Change> {
    let change = |place: String| vec![Change::of(What::Gone, place)];
    match last.engine {
        EngineName::Native => {
            let layout = format!("{}/{}", look::LAYOUTS, layout_folder(&image.id));
            match loaded.workspace.root.join(&layout).join("index.json").exists() {
                true => Vec::new(),
                false => change(format!("{layout} is not there")),
            }
        }
        // what was only pushed has none
        EngineName::Docker if last.image_id.is_empty() => Vec::new(),
        EngineName::Docker if now.lacks(&last.image_id) => {
            change(format!("the Docker daemon does not have {}", last.image_id))
        }
        EngineName::Docker => Vec::new(),
    }
}

/// The plan for a platform, with what an engine had found.
fn on(image: &ImagePlan, platform: &Platform, record: &Recorded) -> ImagePlan {
    image.for_platform(platform).with_found(&record.found())
}

/// Against something that is named.
fn compared(word: &str, against: &Against, plan: &Plan, records: &Records) -> Result<Vec<Explanation>, Stop> {
    let explained = |image: &ImagePlan, platform: Option<Platform>, changes: Vec<Change>| Explanation {
        image: image.id.clone(),
        platform,
        against: Some(word.to_owned()),
        up_to_date: changes.is_empty(),
        changes,
    };
    let mut all = Vec::new();
    match against {
        Against::Plans(plans) => {
            for image in &plan.images {
                if let Some(record) = plans.iter().find(|record| record.id() == image.id) {
                    let platforms = record.platforms();
                    let now = match &platforms[..] {
                        [only] if image.platforms.contains(only) => image.for_platform(only),
                        _ => image.clone(),
                    };
                    all.push(explained(image, None, changes(record, &now.with_found(&record.found()))));
                }
            }
        }
        Against::Images(images) => {
            for seen in images {
                let named = plan.images.iter().find(|image| Some(&image.id) == seen.id().as_ref());
                let Some(image) = named.filter(|image| image.platforms.contains(&seen.platform)) else { continue };
                let record = seen.recorded(Some(records), Some(image));
                let all_changes = match record {
                    Ok(record) => changes(&record, &on(image, &seen.platform, &record)),
                    Err(why) => vec![Change::of(What::NoRecord, why.to_string())],
                };
                all.push(explained(image, Some(seen.platform.clone()), all_changes));
            }
        }
    }
    if all.is_empty() {
        let wanted: Vec<&str> = plan.images.iter().map(|image| image.id.as_str()).collect();
        return Err(Stop::input(anyhow::anyhow!(
            "{word} is {}, and not {}\nhint: name an image or a plan of what is explained",
            against.what_it_is(),
            wanted.join(", ")
        )));
    }
    Ok(all)
}

fn text(explanation: &Explanation) -> String {
    let platform = explanation.platform.as_ref().map(|platform| format!(" ({platform})")).unwrap_or_default();
    let is_stamp = explanation.changes.iter().all(Change::is_stamp);
    let verdict = match (&explanation.against, explanation.up_to_date) {
        (None, true) => "up to date".to_owned(),
        (None, false) if is_stamp => "only the configuration would be made anew".to_owned(),
        (None, false) => "would be built".to_owned(),
        (Some(word), true) => format!("the same as {word}"),
        (Some(word), false) if is_stamp => format!("the same as {word}, but for the configuration"),
        (Some(word), false) => format!("not the same as {word}"),
    };
    let lines = explanation.changes.iter().map(|change| format!("  {change}\n"));
    format!("{}{platform}: {verdict}\n{}", explanation.image, lines.collect::<String>())
}
