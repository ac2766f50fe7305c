//! Lines into pieces: directives, comments, blank lines and instructions, with continued lines joined and heredocs found.
//!
//! Follows BuildKit's `parser.go`: lines end at `\n`; a comment inside of an instruction and a blank line there are left
//! out; an escape character at the end of a line joins the next one, blanks after it aside, unless it is escaped itself.

use super::error::DockerfileError;
use super::place::Traced;
use super::read::Reader;
use super::{Command, Directive, Extent, Heredoc, Instruction, Kind, Piece, PieceKind, words};

/// Byte order mark.
const MARK: &str = "\u{feff}";

/// After so many errors nobody reads on; it may not even be a Dockerfile.
pub(super) const MAX_ERRORS: usize = 100;

/// What a file falls into.
pub(super) struct Read {
    pub escape: char,
    pub pieces: Vec<Piece>,
    pub directives: Vec<Directive>,
    pub instructions: Vec<Instruction>,
    pub errors: Vec<DockerfileError>,
}

/// Reads all lines; errors are collected.
pub(super) fn read(text: &str) -> Read {
    let read =
        Read { escape: '\\', pieces: Vec::new(), directives: Vec::new(), instructions: Vec::new(), errors: Vec::new() };
    let mut lines = Lines { text, at: 0, number: 0, read };
    if text.starts_with(MARK) {
        lines.at = MARK.len();
        lines.piece(0, PieceKind::ByteOrderMark);
    }
    lines.directives();
    while let Some(line) = lines.next() {
        if lines.read.errors.len() >= MAX_ERRORS {
            break;
        }
        let content = line.content.trim_start();
        if content.is_empty() {
            lines.piece(line.start, PieceKind::Blank);
        } else if content.starts_with('#') {
            lines.piece(line.start, PieceKind::Comment);
        } else {
            lines.instruction(&line);
        }
    }
    lines.read
}

/// One line of the file.
#[derive(Clone, Copy)]
struct Line<'t> {
    /// Its first byte.
    start: usize,
    /// Without the line end.
    content: &'t str,
}

struct Lines<'t> {
    text: &'t str,
    /// The next byte.
    at: usize,
    /// Lines so far.
    number: usize,
    read: Read,
}

impl<'t> Lines<'t> {
    fn peek(&self) -> Option<(Line<'t>, usize)> {
        let rest = self.text.get(self.at..).filter(|rest| !rest.is_empty())?;
        let length = memchr::memchr(b'\n', rest.as_bytes()).map_or(rest.len(), |end| end + 1);
        let content = rest[..length].trim_end_matches(['\r', '\n']);
        Some((Line { start: self.at, content }, self.at + length))
    }

    fn next(&mut self) -> Option<Line<'t>> {
        let (line, end) = self.peek()?;
        self.at = end;
        self.number += 1;
        Some(line)
    }

    /// Everything from a byte up to here; neighbours of one kind are one piece.
    fn piece(&mut self, start: usize, kind: PieceKind) {
        match self.read.pieces.last_mut() {
            Some(last) if last.kind == kind && matches!(kind, PieceKind::Blank | PieceKind::Comment) => {
                last.span.end = self.at;
            }
            _ => self.read.pieces.push(Piece { span: Extent::new(start, self.at), kind }),
        }
    }

    fn directives(&mut self) {
        while let Some((line, end)) = self.peek() {
            let Some(directive) = directive(&line) else { return };
            (self.at, self.number) = (end, self.number + 1);
            self.piece(line.start, PieceKind::Directive(self.read.directives.len()));
            let is_escape = directive.name == "escape";
            if self.read.directives.iter().any(|earlier| earlier.name == directive.name) {
                let message = format!("the directive `{}` stands twice", directive.name);
                self.read.errors.push(DockerfileError::new(directive.span, message).help("keep one of them"));
            } else if is_escape && directive.value != "\\" && directive.value != "`" {
                let message = format!("`{}` cannot be the escape character", directive.value);
                let error = DockerfileError::new(directive.value_span, message);
                self.read.errors.push(error.help("it is a backslash or a backtick"));
            } else if is_escape {
                self.read.escape = if directive.value == "`" { '`' } else { '\\' };
            }
            self.read.directives.push(directive);
        }
    }

    fn instruction(&mut self, first: &Line<'t>) {
        let number = self.number;
        let mut joined = Traced::default();
        let indent = first.content.len() - first.content.trim_start().len();
        let (part, mut goes_on) = continued(&first.content[indent..], self.read.escape);
        joined.push(part, first.start + indent);
        while goes_on && let Some(line) = self.next() {
            let content = line.content.trim_start();
            if !content.is_empty() && !content.starts_with('#') {
                let (part, more) = continued(line.content, self.read.escape);
                joined.push(part, line.start);
                goes_on = more;
            }
        }
        let end = joined.text.len();
        let span = Extent::new(first.start, self.at);
        let mut reader = Reader {
            line: &joined,
            lines: number..=self.number,
            escape: self.read.escape,
            errors: &mut self.read.errors,
        };
        let instruction = reader.instruction(0..end, span);
        if let Some(mut instruction) = instruction {
            if takes_heredocs(&instruction) {
                instruction.heredocs = self.heredocs(&joined);
            }
            instruction.span.end = self.at;
            instruction.lines = number..=self.number;
            self.read.instructions.push(instruction);
        }
        self.piece(first.start, PieceKind::Instruction(self.read.instructions.len().wrapping_sub(1)));
    }

    /// The texts that follow an instruction with marks.
    fn heredocs(&mut self, joined: &Traced) -> Vec<Heredoc> {
        let mut heredocs = Vec::new();
        if !joined.text.contains("<<") {
            return heredocs;
        }
        for word in words::shell(&joined.text).unwrap_or_default() {
            if self.read.errors.len() >= MAX_ERRORS {
                break;
            }
            let Some(mark) = words::mark(&joined.text[word.clone()]) else { continue };
            let place = joined.extent(word);
            let start = self.at;
            let end = loop {
                let Some(line) = self.next().filter(|_| self.read.errors.len() < MAX_ERRORS) else {
                    let message = format!("the heredoc `{}` does not end", mark.name);
                    let error = DockerfileError::new(place, message);
                    self.read.errors.push(error.help(format!("add a line with `{}` alone", mark.name)));
                    break Extent::new(self.at, self.at);
                };
                let content = line.content.trim_start_matches(|c| mark.strip_tabs && c == '\t');
                if content == mark.name {
                    break Extent::new(line.start, self.at);
                }
            };
            let words::Mark { name, expand, strip_tabs } = mark;
            let body = Extent::new(start, end.start);
            heredocs.push(Heredoc { name, mark: place, body, end, expand, strip_tabs });
        }
        heredocs
    }
}

/// What a line holds without the escape character that joins it with the next one, and whether there is one.
fn continued(line: &str, escape: char) -> (&str, bool) {
    match line.trim_end_matches([' ', '\t']).strip_suffix(escape) {
        Some(line) if !line.ends_with(escape) => (line, true),
        _ => (line, false),
    }
}

fn directive(line: &Line) -> Option<Directive> {
    const BLANKS: [char; 5] = ['\t', '\n', '\u{c}', '\r', ' '];
    let text = line.content.trim_start().strip_prefix('#')?.trim_start();
    let (name, value) = text.split_once('=')?;
    let name = name.trim_end_matches(BLANKS).to_ascii_lowercase();
    if !["syntax", "escape", "check"].contains(&name.as_str()) {
        return None;
    }
    let value = value.trim_start_matches(BLANKS);
    let end = line.start + line.content.len();
    let value_start = end - value.len();
    let value = value.trim_end_matches(BLANKS);
    (!value.is_empty()).then(|| Directive {
        name,
        value: value.to_owned(),
        span: Extent::new(line.start, end),
        value_span: Extent::new(value_start, value_start + value.len()),
    })
}

/// Heredocs follow `RUN`, `COPY` and `ADD`, not in the JSON form.
fn takes_heredocs(instruction: &Instruction) -> bool {
    match &instruction.kind {
        Kind::Onbuild(trigger) => takes_heredocs(trigger),
        Kind::Run(run) => matches!(run.command, Command::Shell(_)),
        Kind::Copy(transfer) | Kind::Add(transfer) => transfer.destination.quoting != super::Quoting::Json,
        _ => false,
    }
}
