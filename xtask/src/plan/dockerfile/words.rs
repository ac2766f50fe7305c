//! Words of an instruction that are other ones in the merged file: stages, images, paths of the context.

use super::Subject;
use super::splice::refuse_trigger;
use crate::diagnostic::{Diagnostic, Problems};
use crate::dockerfile::{Edit, Extent, Instruction, Kind, Quoting, TransferSource, Value, Word};

/// Where the context of a component is in that of an image, with a `/` at the end.
fn prefix(subject: &Subject<'_>) -> String {
    format!("{}/ctx/", subject.manifest.name.value)
}

/// Everything that is replaced in an instruction of a stage.
pub(super) fn of_instruction(
    subject: &Subject<'_>,
    stage: usize,
    instruction: &Instruction,
    problems: &mut Problems,
) -> Vec<Edit> {
    refuse_trigger(subject, instruction, problems);
    let mut edits = names(subject, stage, instruction.span);
    match &instruction.kind {
        Kind::Copy(transfer) | Kind::Add(transfer) if instruction.flag("from").is_none() => {
            let is_parents = instruction.switch("parents");
            for source in &transfer.sources {
                let TransferSource::Written(word) = source else { continue };
                if !is_address(word.text(), matches!(instruction.kind, Kind::Add(_))) {
                    edits.extend(in_context(subject, word, is_parents));
                }
            }
        }
        Kind::Run(run) => {
            for mount in run.mounts.iter().filter(|mount| mount.from().is_none() && mount.kind() == "bind") {
                match mount.source() {
                    Some(word) => edits.extend(in_context(subject, word, false)),
                    None => {
                        let (end, folder) = (mount.span.end, prefix(subject));
                        let text = format!(",source={}", folder.trim_end_matches('/'));
                        edits.push(Edit { span: Extent::new(end, end), text });
                    }
                }
            }
        }
        _ => {}
    }
    edits
}

/// Uses of stages and images in a part of the file.
pub(super) fn names(subject: &Subject<'_>, stage: usize, part: Extent) -> Vec<Edit> {
    let is_in = |span: Extent| span.start >= part.start && span.end <= part.end;
    let stages = subject.read.dockerfile.stage_uses().into_iter().filter(|used| used.by == stage && is_in(used.span));
    let stages = stages.map(|used| Edit { span: used.span, text: subject.name(used.stage) });
    let images = subject.read.uses.iter().filter(|(span, _)| is_in(**span));
    let images = images.filter_map(|(span, name)| Some(Edit { span: *span, text: subject.image(name)? }));
    stages.chain(images).collect()
}

/// Whether `ADD` fetches it.
pub(super) fn is_address(text: &str, is_add: bool) -> bool {
    is_add && (text.contains("://") || text.starts_with("git@") || text.starts_with("github.com/"))
}

/// A path of the context, moved below the component's.
fn in_context(subject: &Subject<'_>, word: &Word, is_parents: bool) -> Option<Edit> {
    let mut prefix = prefix(subject);
    if is_parents {
        // what is before `/./` does not count as a parent
        prefix.push_str("./");
    }
    // one that leaves the context is reported by whoever knows its value
    if word.text().split('/').any(|part| part == "..") {
        return None;
    }
    let start = match word.quoting {
        Quoting::Json => word.span.start + 1,
        _ => word.span.start,
    };
    // `$X` may begin with a `/`, and a doubled one means nothing
    Some(Edit { span: Extent::new(start, start), text: prefix })
}

fn leaves(subject: &Subject<'_>, place: Extent) -> Diagnostic {
    let message = "`..` in a path of the build context";
    let report = Diagnostic::error("outside-context", message).label(subject.span(place), "");
    report.help("write the path from the top of the context; nothing above it can be reached")
}

/// A path of the context after expansion, relative to it; reported when it is not known or leaves the context.
pub(super) fn context_path(
    subject: &Subject<'_>,
    value: &Value,
    place: Extent,
    problems: &mut Problems,
) -> Option<String> {
    let text = known(subject, value, "the path", place, problems)?;
    if text.split('/').any(|part| part == "..") {
        problems.push(leaves(subject, place));
        return None;
    }
    let parts = text.split('/').filter(|part| !part.is_empty() && *part != ".");
    Some(parts.collect::<Vec<_>>().join("/"))
}

/// What a value is, or why nobody knows.
pub(super) fn known<'v>(
    subject: &Subject<'_>,
    value: &'v Value,
    what: &str,
    place: Extent,
    problems: &mut Problems,
) -> Option<&'v str> {
    if let Some(text) = value.known() {
        return Some(text);
    }
    let why: Vec<String> = value.because().iter().map(crate::dockerfile::Unknown::explain).collect();
    let report = Diagnostic::error("unknown-value", format!("{what} is not known: {}", why.join(", ")));
    let help = "give the argument a value with `args` under [build.dockerfile], or write it out in the Dockerfile";
    problems.push(report.label(subject.span(place), "").help(help));
    None
}

/// Whether the builder replaces a variable in a word.
pub(super) fn has_variable(subject: &Subject<'_>, word: Extent) -> bool {
    let uses = subject.read.dockerfile.variable_uses();
    uses.iter().any(|used| !used.is_definition && used.span.start >= word.start && used.span.end <= word.end)
}

/// Another text in place of a word, which is read as it is.
pub(super) fn replaced(subject: &Subject<'_>, word: &Word, text: &str, problems: &mut Problems) -> Option<Edit> {
    match word.written(text, subject.read.dockerfile.escape()) {
        Some(text) => Some(Edit { span: word.span, text }),
        None => {
            let message = format!("`{text}` cannot be written here without quotes");
            let report = Diagnostic::error("unknown-value", message).label(subject.span(word.span), "");
            problems.push(report.help("write the instruction in the JSON form: `COPY [\"from\", \"to\"]`"));
            None
        }
    }
}

/// A source of the context with its variables replaced, moved below the component's context.
pub(super) fn moved(
    subject: &Subject<'_>,
    word: &Word,
    path: &str,
    is_parents: bool,
    problems: &mut Problems,
) -> Option<Edit> {
    if !has_variable(subject, word.span) {
        return in_context(subject, word, is_parents);
    }
    let pivot = if is_parents { "./" } else { "" };
    replaced(subject, word, &format!("{}{pivot}{path}", prefix(subject)), problems)
}
