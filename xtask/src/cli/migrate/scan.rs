//! `migrate scan`.
//!
//! | `--format json` | is |
//! |---|---|
//! | `schema`, `files` | 1, and how many files were looked at |
//! | `findings[]` | `file`, `line` and `column` from 1, `place` (the kind), `path` (the keys), `written`, `expected` (empty: it goes), `image`, `product`, `kind`, `since`, `severity`, `fixable`, `reason` (why not), `notes`, `object`, `edits` (`start`, `end` in bytes, `text`) |

use std::fmt::Write as _;

use camino::Utf8PathBuf;
use serde::Serialize;

use super::super::args::{MigrateScanArguments, ScanFormat};
use super::super::session::Session;
use super::super::status::{ExitStatus, Stop};
use super::read::{self, Scanned};
use super::sarif;
use crate::migrate::ledger::{Entry, Ledger};
use crate::migrate::scan::{Finding, Object, Scanner, Severity};

/// Format of the JSON document.
const SCHEMA: u32 = 1;

pub(super) fn run(arguments: &MigrateScanArguments, session: &Session<'_>) -> Result<ExitStatus, Stop> {
    let (ledger, at) = read::ledger(&arguments.source, &arguments.at, session)?;
    let scanner = Scanner::new(&ledger, at, arguments.at.platforms.clone());
    let scanned = read::scan(&scanner, &arguments.paths, false, session)?;
    match arguments.format {
        ScanFormat::Text => session.output.data(&text(&scanned, &ledger))?,
        ScanFormat::Json => session.output.json(&document(&scanned, &ledger))?,
        ScanFormat::Sarif => session.output.json(&sarif::log(&scanned, &ledger))?,
        ScanFormat::Github => session.output.data(&github(&scanned, &ledger))?,
    }
    session.output.message(&scanned.summary());
    let refused = arguments.check && (!scanned.files.is_empty() || scanned.is_partial);
    Ok(if refused { ExitStatus::Refused } else { ExitStatus::Done })
}

#[derive(Serialize)]
struct Document<'a> {
    schema: u32,
    files: usize,
    findings: Vec<FindingJson<'a>>,
}

#[derive(Serialize)]
struct FindingJson<'a> {
    file: &'a str,
    line: usize,
    column: usize,
    place: &'static str,
    path: &'a str,
    written: &'a str,
    expected: &'a str,
    image: &'a str,
    product: Option<&'a str>,
    kind: &'static str,
    since: &'a [String],
    severity: Severity,
    fixable: bool,
    reason: Option<&'a str>,
    notes: &'a [String],
    object: Option<&'a Object>,
    edits: Vec<EditJson<'a>>,
}

#[derive(Serialize)]
struct EditJson<'a> {
    start: usize,
    end: usize,
    text: &'a str,
}

fn document<'a>(scanned: &'a Scanned, ledger: &'a Ledger) -> Document<'a> {
    let json = |(path, finding): (&'a Utf8PathBuf, &'a Finding)| {
        let entry = &ledger.entries[finding.entry];
        let edit = |edit: &'a crate::migrate::edit::Edit| EditJson {
            start: edit.range.start,
            end: edit.range.end,
            text: &edit.text,
        };
        FindingJson {
            file: path.as_str(),
            line: finding.line,
            column: finding.column,
            place: finding.place.as_str(),
            path: &finding.path,
            written: &finding.written,
            expected: &finding.expected,
            image: &entry.text,
            product: entry.product.as_deref(),
            kind: entry.kind.as_str(),
            since: &entry.since,
            severity: finding.severity,
            fixable: finding.is_fixable(),
            reason: finding.reason(),
            notes: &finding.notes,
            object: finding.object.as_ref(),
            edits: finding.edits().iter().map(edit).collect(),
        }
    };
    Document { schema: SCHEMA, files: scanned.looked_at, findings: scanned.findings().map(json).collect() }
}

/// `velero/x:1 was folded (1.16.0): use velero/velero:v1.16.0`
pub(super) fn sentence(finding: &Finding, entry: &Entry) -> String {
    let what = match (finding.expected.is_empty(), finding.is_fixable()) {
        (true, true) => "remove it".to_owned(),
        (true, false) => String::new(),
        (false, _) => format!("use {}", finding.expected),
    };
    let since = entry.since.join(", ");
    let head = format!("{} {} ({since})", finding.written, entry.kind.in_words());
    if what.is_empty() { head } else { format!("{head}: {what}") }
}

fn text(scanned: &Scanned, ledger: &Ledger) -> String {
    let mut text = String::new();
    for (path, finding) in scanned.findings() {
        let entry = &ledger.entries[finding.entry];
        let keys = if finding.path.is_empty() { String::new() } else { format!(" {}", finding.path) };
        let sentence = sentence(finding, entry);
        _ = writeln!(text, "{path}:{}:{}: {sentence} [{}{keys}]", finding.line, finding.column, finding.place);
        if let Some(why) = finding.reason() {
            _ = writeln!(text, "    not fixed: {why}");
        }
        finding.notes.iter().for_each(|note| _ = writeln!(text, "    note: {note}"));
    }
    text
}

/// <https://docs.github.com/actions/reference/workflows-and-actions/workflow-commands>
fn github(scanned: &Scanned, ledger: &Ledger) -> String {
    let property = |text: &str| data(text).replace(':', "%3A").replace(',', "%2C");
    let line = |(path, finding): (&Utf8PathBuf, &Finding)| {
        let level = if finding.severity == Severity::Error { "error" } else { "warning" };
        let reason = finding.reason().map(|why| format!("\nnot fixed: {why}")).unwrap_or_default();
        let message = data(&format!("{}{reason}", sentence(finding, &ledger.entries[finding.entry])));
        let (file, line, column) = (property(path.as_str()), finding.line, finding.column);
        format!("::{level} file={file},line={line},col={column},title=retired image::{message}\n")
    };
    scanned.findings().map(line).collect()
}

fn data(text: &str) -> String {
    text.replace('%', "%25").replace('\r', "%0D").replace('\n', "%0A")
}
