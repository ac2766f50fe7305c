//! `migrate lint`: what is wrong with resource modifiers of Velero, and repairs.
//!
//! `--format json` prints `schema` (1) and `findings[]` as `check --format json` has them. `--list-codes --format json` prints
//! `code` and `summary` of each.

use std::os::unix::fs::PermissionsExt as _;

use camino::{Utf8Path, Utf8PathBuf};
use serde_json::{Value, json};

use super::super::args::{FixHow, LintArguments, LintFormat};
use super::super::output::counted;
use super::super::session::Session;
use super::super::status::{ExitStatus, Stop};
use crate::diagnostic::{Diagnostic, Level, to_json};
use crate::migrate::edit::diff;
use crate::migrate::modifiers::backups::Backups;
use crate::migrate::modifiers::fix::{How, fix};
use crate::migrate::modifiers::lint::{CODES, Options, Read, lint};
use crate::source::{FileId, SourceFile, SourceMap};
use crate::workspace::write;

/// Largest file that is read, in bytes: a ConfigMap holds 1 MiB.
const MAX_FILE: u64 = 16 * 1024 * 1024;

/// A file, and what was found in it.
struct Looked {
    path: Utf8PathBuf,
    id: FileId,
    read: Read,
}

pub(super) fn run(arguments: &LintArguments, session: &Session<'_>) -> Result<ExitStatus, Stop> {
    if arguments.list_codes {
        return list_codes(arguments.format, session);
    }
    let mut map = SourceMap::default();
    let backups = match &arguments.backups {
        Some(path) => Some(backups(path, &mut map, session)?),
        None => None,
    };
    let options = Options { velero: arguments.velero, backups: backups.as_ref() };
    let mut files = Vec::new();
    for path in &arguments.files {
        let id = add(path, &mut map, session)?;
        let read = lint(id, &map.file(id).text.clone(), &options);
        files.push(Looked { path: path.clone(), id, read });
    }
    if let Some(how) = arguments.fix {
        return repair(how, arguments.write, files, &options, map, session);
    }
    let findings: Vec<Diagnostic> = files.into_iter().flat_map(|file| file.read.findings).collect();
    show(arguments.format, &findings, &map, session)?;
    Ok(ended(&findings, arguments.files.len(), session))
}

/// A file that is to be read, in the texts that findings point into.
pub(super) fn add(path: &Utf8Path, map: &mut SourceMap, session: &Session<'_>) -> Result<FileId, Stop> {
    let at = session.path(path);
    let bad = |why: String, hint: &str| Stop::input(anyhow::anyhow!("{path} cannot be read: {why}\nhint: {hint}"));
    let size = std::fs::metadata(&at).map_err(|error| bad(error.to_string(), "check the path"))?.len();
    if size > MAX_FILE {
        return Err(bad(format!("it has {size} bytes"), "at most 16 MiB are read; split the file"));
    }
    let bytes = std::fs::read(&at).map_err(|error| bad(error.to_string(), "check the path"))?;
    let text = String::from_utf8(bytes)
        .map_err(|error| bad(format!("byte {} is no UTF-8", error.utf8_error().valid_up_to()), "save it as UTF-8"))?;
    Ok(map.add(SourceFile::new(path, text)))
}

fn backups(path: &Utf8Path, map: &mut SourceMap, session: &Session<'_>) -> Result<Backups, Stop> {
    let id = add(path, map, session)?;
    Backups::read(id, &map.file(id).text.clone()).map_err(|problem| session.bad_input(&[problem], map))
}

fn repair(
    how: FixHow,
    is_written: bool,
    files: Vec<Looked>,
    options: &Options<'_>,
    mut map: SourceMap,
    session: &Session<'_>,
) -> Result<ExitStatus, Stop> {
    let how = match how {
        FixHow::Pods => How::Pods,
        FixHow::Triple => How::Triple,
    };
    let (mut left, mut changed) = (Vec::new(), 0);
    for file in &files {
        let old = map.file(file.id).text.clone();
        let fix = fix(file.id, &old, &file.read, how, options);
        session.output.diagnostics(&fix.notes, &map);
        let new = fix.apply(&old).map_err(|error| {
            let hint = "nothing was written there; please report this";
            Stop::refused(anyhow::anyhow!("{}: {error}\nhint: {hint}", file.path))
        })?;
        if new != *old {
            changed += 1;
            match is_written {
                true => put(&file.path, &old, &new, session)?,
                false => session.output.data(&diff(file.path.as_str(), old.as_bytes(), new.as_bytes()))?,
            }
        }
        // what is wrong with the new text, where it stands there
        let id = map.add(SourceFile::new(file.path.clone(), new.as_str()));
        left.extend(lint(id, &new, options).findings);
    }
    session.output.diagnostics(&left, &map);
    let done = if is_written { "changed" } else { "would change; --write does it" };
    session.output.message(&format!("{} {done}", counted(changed, "file")));
    Ok(ended(&left, files.len(), session))
}

/// Writes a file with the mode that it has, unless somebody changed it meanwhile.
fn put(path: &Utf8Path, old: &str, new: &str, session: &Session<'_>) -> Result<(), Stop> {
    let at = session.path(path);
    let failed = |error: std::io::Error| Stop::refused(anyhow::anyhow!("failed to change {path}: {error}"));
    if fs_err::read(&at).map_err(failed)? != old.as_bytes() {
        let hint = "nothing was written there; run the command again";
        return Err(Stop::refused(anyhow::anyhow!("{path} has changed while it was read\nhint: {hint}")));
    }
    let mode = fs_err::metadata(&at).map_err(failed)?.permissions().mode() & 0o7777;
    write::file(&at, new.as_bytes(), mode).map_err(failed)?;
    session.output.data(&format!("{path}\n"))
}

fn show(format: LintFormat, findings: &[Diagnostic], map: &SourceMap, session: &Session<'_>) -> Result<(), Stop> {
    match format {
        LintFormat::Text => {
            session.output.diagnostics(findings, map);
            Ok(())
        }
        LintFormat::Json => {
            let findings: Vec<_> = findings.iter().map(|finding| to_json(finding, map)).collect();
            session.output.json(&json!({ "schema": 1, "findings": findings }))
        }
        LintFormat::Sarif => session.output.json(&sarif(findings, map)),
    }
}

fn ended(findings: &[Diagnostic], files: usize, session: &Session<'_>) -> ExitStatus {
    let errors = findings.iter().filter(|finding| finding.level == Level::Error).count();
    if findings.is_empty() {
        session.output.message(&format!("nothing is wrong in {}", counted(files, "file")));
    }
    if errors > 0 { ExitStatus::Refused } else { ExitStatus::Done }
}

fn list_codes(format: LintFormat, session: &Session<'_>) -> Result<ExitStatus, Stop> {
    match format {
        LintFormat::Text => {
            session.output.data(&CODES.iter().map(|(code, what)| format!("{code}\n  {what}\n")).collect::<String>())?;
        }
        LintFormat::Json | LintFormat::Sarif => {
            let code = |(code, what): &(&str, &str)| json!({ "code": code, "summary": what });
            session.output.json(&CODES.iter().map(code).collect::<Vec<_>>())?;
        }
    }
    Ok(ExitStatus::Done)
}

/// Findings as [SARIF 2.1.0](https://docs.oasis-open.org/sarif/sarif/v2.1.0/sarif-v2.1.0.html), one rule for each code.
fn sarif(findings: &[Diagnostic], map: &SourceMap) -> Value {
    let used = CODES.iter().filter(|(code, _)| findings.iter().any(|finding| finding.code == *code));
    let rule = |(code, what): &(&str, &str)| json!({ "id": format!("resource-modifiers/{code}"), "shortDescription": { "text": what } });
    let result = |finding: &Diagnostic| {
        let level = match finding.level {
            Level::Error => "error",
            Level::Warning => "warning",
            Level::Note => "note",
        };
        let text = [Some(&finding.message), finding.help.as_ref()].into_iter().flatten().cloned().collect::<Vec<_>>();
        let place = |label: &crate::diagnostic::Label| {
            let position = map.position(label.span);
            json!({ "physicalLocation": {
                "artifactLocation": { "uri": super::sarif::uri(map.file(label.span.file).path.as_str()) },
                "region": {
                    "startLine": position.line,
                    "startColumn": position.column,
                    "byteOffset": label.span.start,
                    "byteLength": label.span.range().len(),
                },
            }})
        };
        json!({
            "ruleId": format!("resource-modifiers/{}", finding.code),
            "level": level,
            "message": { "text": text.join("; ") },
            "locations": finding.labels.first().map(place).into_iter().collect::<Vec<_>>(),
        })
    };
    super::sarif::document(used.map(rule).collect(), findings.iter().map(result).collect())
}
