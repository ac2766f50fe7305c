//! Stages of an existing Dockerfile as they stand in the merged one.

use std::collections::{BTreeMap, BTreeSet};

use super::{SplicedStage, Subject, arguments, words};
use crate::diagnostic::{Diagnostic, Problems};
use crate::dockerfile::{Edit, Extent, Instruction, Kind, Origin, Source, Stage, StepKind, Value};
use crate::manifest::{ComponentManifest, Manifests, ReadDockerfile};

/// The name of every stage in the merged file. It cannot be that of another component's stage: where a component is named so
/// that it could, a `.` stands in it, which no component has in its name.
pub(super) fn names(
    manifest: &ComponentManifest,
    read: &ReadDockerfile,
    manifests: &Manifests,
) -> BTreeMap<usize, String> {
    let component = manifest.name.value.as_str();
    let nested = |one: &str, other: &str| one.strip_prefix(other).is_some_and(|rest| rest.starts_with('-'));
    let others = manifests.components.keys().map(|name| name.as_str());
    let joint =
        if others.clone().any(|other| nested(other, component) || nested(component, other)) { '.' } else { '-' };
    let stages = read.dockerfile.stages();
    let own = |stage: &Stage| match &stage.name {
        Some(name) => name.text().to_ascii_lowercase(),
        None => stage.index.to_string(),
    };
    let name = |stage: &Stage| {
        let text = own(stage);
        let is_taken = stages.iter().any(|other| other.index < stage.index && own(other) == text);
        let number = if is_taken { format!(".{}", stage.index) } else { String::new() };
        (stage.index, format!("comp-{component}{joint}{text}{number}"))
    };
    stages.iter().map(name).collect()
}

/// These stages, in the order of the file.
pub(super) fn stages(subject: &Subject<'_>, whole: &BTreeSet<usize>, problems: &mut Problems) -> Vec<SplicedStage> {
    let stages = subject.read.dockerfile.stages().iter().filter(|stage| whole.contains(&stage.index));
    stages.filter_map(|stage| spliced(subject, stage, problems)).collect()
}

fn spliced(subject: &Subject<'_>, stage: &Stage, problems: &mut Problems) -> Option<SplicedStage> {
    let dockerfile = &subject.read.dockerfile;
    let instructions = dockerfile.stage_instructions(stage);
    let (first, last) = (instructions.first()?, instructions.last()?);
    let mut edits = vec![definition(subject, stage)];
    for instruction in instructions {
        edits.extend(words::of_instruction(subject, stage.index, instruction, problems));
    }
    edits.extend(arguments::edits(subject, stage, problems));
    check_paths(subject, stage, problems);
    let part = Extent::new(first.span.start, last.span.end);
    let text = rewritten(subject, part, &edits, problems)?;
    Some(SplicedStage { lines: (*first.lines.start(), *last.lines.end()), text })
}

/// Paths of the context are known, and stay in it, whatever variables are in them.
fn check_paths(subject: &Subject<'_>, stage: &Stage, problems: &mut Problems) {
    let steps = subject.read.stages.get(&stage.index).into_iter().flat_map(|facts| &facts.steps);
    for step in steps.filter(|step| step.stage == stage.index) {
        let paths: Vec<&Value> = match &step.kind {
            StepKind::Copy(copy) if copy.from == Origin::Context => {
                let paths = copy.sources.iter().filter_map(|source| match &source.value {
                    Source::Path(path) => Some(path),
                    _ => None,
                });
                paths.collect()
            }
            StepKind::Run(run) => {
                let own = run.mounts.iter().filter(|mount| mount.kind == "bind" && mount.from == Origin::Context);
                own.filter_map(|mount| mount.source.as_ref()).collect()
            }
            _ => Vec::new(),
        };
        for path in paths {
            words::context_path(subject, path, step.span, problems);
        }
    }
}

/// Lines with other words in them, without a line end.
pub(super) fn rewritten(
    subject: &Subject<'_>,
    part: Extent,
    edits: &[Edit],
    problems: &mut Problems,
) -> Option<String> {
    match subject.read.dockerfile.rewritten(part, edits) {
        // a part of a file with the line ends of Windows is read as any other
        Ok(text) => Some(text.trim_end().replace("\r\n", "\n")),
        Err(error) => {
            problems.push(error.diagnostic(subject.read.file));
            None
        }
    }
}

/// The name that the stage gets.
fn definition(subject: &Subject<'_>, stage: &Stage) -> Edit {
    let name = subject.name(stage.index);
    match &stage.name {
        Some(word) => Edit { span: word.span, text: name },
        None => {
            let end = stage.base.span.end;
            Edit { span: Extent::new(end, end), text: format!(" AS {name}") }
        }
    }
}

/// Triggers run in other stages, with files of the context that are not where they say.
pub(super) fn refuse_trigger(subject: &Subject<'_>, instruction: &Instruction, problems: &mut Problems) {
    if let Kind::Onbuild(_) = &instruction.kind {
        let message = "a stage with ONBUILD is made to be the base of other files, and cannot be merged";
        let report = Diagnostic::error("dockerfile-onbuild", message).label(subject.span(instruction.span), "");
        problems.push(report.help("write what it says into the stages that begin with this one"));
    }
}
