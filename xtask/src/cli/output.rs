//! Where output goes: data to stdout, messages to stderr.

use std::cell::RefCell;
use std::io::{self, IsTerminal as _, Write as _};

use super::args::{Color, Global};
use super::status::Stop;
use crate::diagnostic::{Diagnostic, Level, Style, to_text};
use crate::source::SourceMap;
use crate::workspace::Environment;

/// Where output goes, and whether it has colour.
#[derive(Debug, Clone, Copy)]
pub(super) struct Output<'a> {
    style: Style,
    terminal: bool,
    /// Where messages go instead of stderr.
    kept: Option<&'a RefCell<String>>,
}

impl Output<'_> {
    pub(super) fn new(global: &Global, environment: &Environment) -> Self {
        let terminal = io::stderr().is_terminal();
        let colour = match global.color {
            Color::Always => true,
            Color::Never => false,
            Color::Auto => terminal && environment.get("NO_COLOR").is_none_or(str::is_empty),
        };
        Self { style: if colour { Style::Colour } else { Style::Plain }, terminal, kept: None }
    }

    /// Messages are kept for whoever decides whether to show them.
    pub(super) fn keeping(self, messages: &RefCell<String>) -> Output<'_> {
        Output { style: self.style, terminal: self.terminal, kept: Some(messages) }
    }

    /// Without colour, for messages that are read by a program.
    pub(super) fn plain(self) -> Self {
        Self { style: Style::Plain, ..self }
    }

    /// Whether messages go to a terminal.
    pub(super) fn is_terminal(self) -> bool {
        self.terminal
    }

    /// Prints data. A reader that has gone away (`| head`) ends the run quietly.
    pub(super) fn data(self, text: &str) -> Result<(), Stop> {
        let mut stdout = io::stdout().lock();
        match stdout.write_all(text.as_bytes()).and_then(|()| stdout.flush()) {
            Err(error) if error.kind() == io::ErrorKind::BrokenPipe => Err(Stop::silent(super::ExitStatus::Done)),
            Err(error) => Err(Stop::input(anyhow::anyhow!("cannot write to stdout: {error}"))),
            Ok(()) => Ok(()),
        }
    }

    /// Prints data as JSON.
    pub(super) fn json(self, value: &impl serde::Serialize) -> Result<(), Stop> {
        let text = serde_json::to_string_pretty(value).map_err(Stop::input)?;
        self.data(&(text + "\n"))
    }

    /// Prints a message line.
    pub(super) fn message(self, text: &str) {
        match self.kept {
            Some(kept) => kept.borrow_mut().extend([text, "\n"]),
            None => _ = writeln!(io::stderr().lock(), "{text}"),
        }
    }

    /// Prints an error with its causes; a next step on a line of its own is kept there.
    pub(super) fn error(self, error: &anyhow::Error) {
        let causes: Vec<String> = error.chain().map(ToString::to_string).collect();
        self.message(&format!("error: {}", causes.join(": ")));
    }

    /// Prints diagnostics and a line that counts them.
    pub(super) fn diagnostics(self, diagnostics: &[Diagnostic], sources: &SourceMap) {
        for diagnostic in diagnostics {
            self.message(&format!("{}\n", to_text(diagnostic, sources, self.style)));
        }
        let count = |level: Level| diagnostics.iter().filter(|diagnostic| diagnostic.level == level).count();
        match (count(Level::Error), count(Level::Warning)) {
            (0, 0) => {}
            (0, warnings) => self.message(&counted(warnings, "warning")),
            (errors, 0) => self.message(&counted(errors, "error")),
            (errors, warnings) => {
                self.message(&format!("{}, {}", counted(errors, "error"), counted(warnings, "warning")))
            }
        }
    }
}

/// A number and what is counted: `1 file`, `2 files`.
pub(super) fn counted(number: usize, what: &str) -> String {
    format!("{number} {what}{}", if number == 1 { "" } else { "s" })
}
