//! What templates see of an existing Dockerfile. Its own text stands as it is; nothing of it is quoted again.

use std::collections::BTreeMap;

use serde::Serialize;

use super::layout::as_folder;
use super::quote;
use crate::plan::{DockerfilePlan, ImagePlan, PackageManager, Packages, StepPlan};

/// An existing Dockerfile in the stages of its component.
#[derive(Debug, Default, Serialize)]
pub(super) struct DockerfileView {
    /// Stages that are put in whole.
    stages: Vec<TextView>,
    /// Copies into the stage of the component.
    transfers: Vec<TextView>,
    /// The stage that installs are taken from.
    source: String,
}

/// A piece of the file.
#[derive(Debug, Serialize)]
struct TextView {
    /// `components/x/Dockerfile, lines 3-17`.
    place: String,
    text: String,
}

impl DockerfileView {
    pub(super) fn of(plan: &DockerfilePlan) -> Self {
        let view = |(first, last): (usize, usize), text: &str| {
            let lines = if first == last { format!("line {first}") } else { format!("lines {first}-{last}") };
            TextView { place: format!("{}, {lines}", quote::comment(plan.path.as_str())), text: text.to_owned() }
        };
        let transfers = plan.steps.iter().filter_map(|step| match step {
            StepPlan::Transfer { transfer } => Some(view(transfer.lines, &transfer.text)),
            StepPlan::Line { .. } => None,
        });
        Self {
            stages: plan.stages.iter().map(|stage| view(stage.lines, &stage.text)).collect(),
            transfers: transfers.collect(),
            source: plan.source.clone().unwrap_or_default(),
        }
    }
}

/// The packages that components of an image want installed: those of one manager in one line.
pub(super) fn packages(plan: &ImagePlan) -> Vec<String> {
    let all = plan.components.iter().filter_map(|part| part.build.dockerfile()).flat_map(|plan| &plan.packages);
    let mut merged = BTreeMap::<PackageManager, Packages>::new();
    for packages in all {
        let own = merged.entry(packages.manager);
        own.and_modify(|own| own.names.extend(packages.names.clone())).or_insert_with(|| packages.clone());
    }
    merged.values().map(Packages::line).collect()
}

/// What the image's own stage does for a component, in the order of the file.
pub(super) fn steps(plan: &DockerfilePlan, component: &str, copy_flags: &str) -> Vec<String> {
    let mut lines = Vec::new();
    for (at, step) in plan.steps.iter().enumerate() {
        match step {
            StepPlan::Line { text, lines: (first, last) } => {
                let lines_of = if first == last { format!("line {first}") } else { format!("lines {first}-{last}") };
                // what was added here comes from no line
                if *first > 0 {
                    lines.push(format!("# from {}, {lines_of}", quote::comment(plan.path.as_str())));
                }
                lines.push(text.clone());
            }
            StepPlan::Transfer { transfer } => {
                let is_last = !plan.transfers().any(|(later, other)| later > at && other.number == transfer.number);
                if is_last {
                    let owner = transfer.owner.as_ref().map(|owner| format!("--chown={owner} ")).unwrap_or_default();
                    let paths = quote::json(&[format!("/{}/", transfer.number), as_folder(&transfer.folder)]);
                    lines.push(format!("COPY {copy_flags}{owner}--from=comp-{component} {paths}"));
                }
            }
        }
    }
    lines
}
