//! Arguments of the build become defaults of the `ARG`s that declare them, so that the merged file needs none.

use std::collections::BTreeMap;

use super::Subject;
use super::words::known;
use crate::diagnostic::Problems;
use crate::dockerfile::{Argument, Edit, Extent, Fact, Kind, Stage, Value, double_quoted};

/// Arguments that the builder sets itself.
/// <https://docs.docker.com/reference/dockerfile/#automatic-platform-args-in-the-global-scope>
const AUTOMATIC: [&str; 2] = ["TARGET", "BUILD"];

/// The defaults of the arguments that a stage declares.
pub(super) fn edits(subject: &Subject<'_>, stage: &Stage, problems: &mut Problems) -> Vec<Edit> {
    let none = BTreeMap::new();
    let facts = subject.read.stages.get(&stage.index);
    let ends: &BTreeMap<String, Fact<Option<Value>>> = facts.map_or(&none, |facts| &facts.arguments);
    let mut edits = Vec::new();
    for instruction in subject.read.dockerfile.stage_instructions(stage) {
        let Kind::Arg(arguments) = &instruction.kind else { continue };
        for argument in arguments {
            edits.extend(edit(subject, argument, ends, problems));
        }
    }
    edits
}

/// The default of one argument; nothing when it stays as it is.
fn edit(
    subject: &Subject<'_>,
    argument: &Argument,
    ends: &BTreeMap<String, Fact<Option<Value>>>,
    problems: &mut Problems,
) -> Option<Edit> {
    let name = argument.name.text();
    if let Some(given) = subject.build.args.get(name) {
        return Some(with_default(argument, &double_quoted(&given.value)));
    }
    if argument.default.is_some() {
        return None;
    }
    let global = subject.read.dockerfile.global_args().filter(|(_, global)| global.name.text() == name).last();
    let default = global?.1.default.as_ref()?;
    let text = default.span.of(subject.read.dockerfile.text());
    if !text.contains('$') {
        return Some(with_default(argument, text));
    }
    let value = ends.get(name)?.value.as_ref()?;
    if value.known().is_none() && AUTOMATIC.iter().any(|start| name.starts_with(start)) {
        return None;
    }
    let what = format!("the value of `{name}`");
    let text = known(subject, value, &what, argument.name.span, problems)?;
    Some(with_default(argument, &double_quoted(text)))
}

fn with_default(argument: &Argument, value: &str) -> Edit {
    match &argument.default {
        Some(default) => Edit { span: default.span, text: value.to_owned() },
        None => {
            let end = argument.name.span.end;
            Edit { span: Extent::new(end, end), text: format!("={value}") }
        }
    }
}
