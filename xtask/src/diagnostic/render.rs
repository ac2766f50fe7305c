//! Diagnostics as text for people and as JSON for programs.

use annotate_snippets::renderer::DecorStyle;
use annotate_snippets::{AnnotationKind, Element, Group, Level as SnippetLevel, Renderer, Snippet};
use serde::Serialize;

use super::{Diagnostic, Level};
use crate::source::{FileId, SourceMap};

/// How text is shown.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Style {
    /// Letters only.
    Plain,
    /// With terminal colours.
    Colour,
}

/// Columns that an excerpt may take; fixed, so that output does not depend on the terminal.
const WIDTH: usize = 120;

/// One diagnostic as rustc would show it, without a final newline.
pub fn to_text(diagnostic: &Diagnostic, sources: &SourceMap, style: Style) -> String {
    let renderer = match style {
        Style::Plain => Renderer::plain(),
        Style::Colour => Renderer::styled(),
    };
    let level = match diagnostic.level {
        Level::Error => SnippetLevel::ERROR,
        Level::Warning => SnippetLevel::WARNING,
        Level::Note => SnippetLevel::NOTE,
    };
    let mut elements: Vec<Element<'_>> = Vec::new();
    for file in files_in_order(diagnostic) {
        elements.push(snippet(diagnostic, sources, file).into());
    }
    for note in &diagnostic.notes {
        elements.push(SnippetLevel::NOTE.message(note).into());
    }
    if let Some(help) = &diagnostic.help {
        elements.push(SnippetLevel::HELP.message(help).into());
    }
    let title = level.primary_title(&diagnostic.message).id(diagnostic.code);
    renderer.decor_style(DecorStyle::Ascii).term_width(WIDTH).render(&[Group::with_title(title).elements(elements)])
}

/// The files that a diagnostic shows, primary first, each once.
fn files_in_order(diagnostic: &Diagnostic) -> Vec<FileId> {
    let mut files: Vec<FileId> = Vec::new();
    for label in &diagnostic.labels {
        if !files.contains(&label.span.file) {
            files.push(label.span.file);
        }
    }
    files
}

fn snippet<'a>(
    diagnostic: &'a Diagnostic,
    sources: &'a SourceMap,
    file: FileId,
) -> Snippet<'a, annotate_snippets::Annotation<'a>> {
    let source = sources.file(file);
    let mut snippet = Snippet::source(&*source.text).path(source.path.as_str()).line_start(1);
    for (index, label) in diagnostic.labels.iter().enumerate() {
        if label.span.file != file {
            continue;
        }
        let kind = if index == 0 { AnnotationKind::Primary } else { AnnotationKind::Context };
        let range = clamp(&source.text, label.span.range());
        snippet = snippet.annotation(kind.span(range).label((!label.text.is_empty()).then_some(label.text.as_str())));
    }
    snippet
}

/// Keeps a range inside the text and on character borders, whatever produced it.
fn clamp(text: &str, range: std::ops::Range<usize>) -> std::ops::Range<usize> {
    let floor = |mut offset: usize| {
        offset = offset.min(text.len());
        while !text.is_char_boundary(offset) {
            offset -= 1;
        }
        offset
    };
    let start = floor(range.start);
    start..floor(range.end).max(start)
}

/// A diagnostic for programs: one element of the array that `--format json` prints.
#[derive(Debug, Serialize)]
pub struct DiagnosticJson<'a> {
    code: &'a str,
    level: Level,
    message: &'a str,
    places: Vec<PlaceJson<'a>>,
    notes: &'a [String],
    #[serde(skip_serializing_if = "Option::is_none")]
    help: Option<&'a str>,
}

#[derive(Debug, Serialize)]
struct PlaceJson<'a> {
    file: &'a str,
    line: usize,
    column: usize,
    text: &'a str,
}

/// The form of a diagnostic that `--format json` prints.
pub fn to_json<'a>(diagnostic: &'a Diagnostic, sources: &'a SourceMap) -> DiagnosticJson<'a> {
    let places = diagnostic.labels.iter().map(|label| {
        let position = sources.position(label.span);
        let file = sources.file(label.span.file).path.as_str();
        PlaceJson { file, line: position.line, column: position.column, text: &label.text }
    });
    DiagnosticJson {
        code: diagnostic.code,
        level: diagnostic.level,
        message: &diagnostic.message,
        places: places.collect(),
        notes: &diagnostic.notes,
        help: diagnostic.help.as_deref(),
    }
}
