//! `migrate apply`: puts right what can be put right, and says what is left.

use std::collections::BTreeSet;
use std::os::unix::fs::PermissionsExt as _;

use super::super::args::MigrateApplyArguments;
use super::super::output::counted;
use super::super::session::Session;
use super::super::status::{ExitStatus, Stop};
use super::read::{self, Found, Scanned};
use super::scan::sentence;
use crate::migrate::edit;
use crate::migrate::ledger::Ledger;
use crate::migrate::scan::{Finding, Object, PlaceKind, Scanner};
use crate::workspace::write;

pub(super) fn run(arguments: &MigrateApplyArguments, session: &Session<'_>) -> Result<ExitStatus, Stop> {
    let (ledger, at) = read::ledger(&arguments.source, &arguments.at, session)?;
    let scanner = Scanner::new(&ledger, at, arguments.at.platforms.clone());
    let scanned = read::scan(&scanner, &arguments.paths, true, session)?;
    let mut changed = 0;
    for file in &scanned.files {
        let new = edit::apply(&file.bytes, file.findings.iter().flat_map(Finding::edits)).map_err(|error| {
            Stop::refused(anyhow::anyhow!(
                "{}: {error}\nhint: nothing was written there; please report this",
                file.path
            ))
        })?;
        if new == file.bytes {
            continue;
        }
        changed += 1;
        if arguments.write {
            put(file, &new, session)?;
        } else {
            session.output.data(&edit::diff(file.path.as_str(), &file.bytes, &new))?;
        }
    }
    let left = report(&scanned, &ledger, session);
    pods(&scanned, session);
    let done = if arguments.write { "changed" } else { "would change; --write does it" };
    session.output.message(&format!("{}; {} {done}", scanned.summary(), counted(changed, "file")));
    Ok(if left || scanned.is_partial { ExitStatus::Refused } else { ExitStatus::Done })
}

/// Writes a file with the mode that it has, unless somebody changed it meanwhile.
fn put(file: &Found, new: &[u8], session: &Session<'_>) -> Result<(), Stop> {
    let path = session.path(&file.path);
    let failed = |error: std::io::Error| Stop::refused(anyhow::anyhow!("failed to change {}: {error}", file.path));
    if fs_err::read(&path).map_err(failed)? != file.bytes {
        return Err(Stop::refused(anyhow::anyhow!(
            "{} has changed while it was read\nhint: nothing was written there; run the command again",
            file.path
        )));
    }
    let mode = fs_err::metadata(&path).map_err(failed)?.permissions().mode() & 0o7777;
    write::file(&path, new, mode).map_err(failed)?;
    session.output.data(&format!("{}\n", file.path))
}

/// What needs a decision.
fn report(scanned: &Scanned, ledger: &Ledger, session: &Session<'_>) -> bool {
    let mut left = false;
    for (path, finding) in scanned.findings() {
        let Some(why) = finding.reason() else { continue };
        left = true;
        let sentence = sentence(finding, &ledger.entries[finding.entry]);
        session
            .output
            .message(&format!("{path}:{}:{}: {sentence}\n    not fixed: {why}", finding.line, finding.column));
    }
    left
}

/// Which pods change, and what that means for backups of them.
fn pods(scanned: &Scanned, session: &Session<'_>) {
    let of_pod = |finding: &&Finding| {
        let in_pod = matches!(finding.place, PlaceKind::Container | PlaceKind::Environment);
        in_pod && finding.is_fixable()
    };
    let objects = scanned.files.iter().flat_map(|file| &file.findings).filter(of_pod);
    let objects: BTreeSet<&Object> = objects.filter_map(|finding| finding.object.as_ref()).collect();
    let objects: Vec<&Object> = objects.into_iter().filter(|object| object.has_pods()).collect();
    if objects.is_empty() {
        return;
    }
    let names: Vec<String> = objects.iter().map(|object| format!("{} {}", object.kind, object.name)).collect();
    session.output.message(&format!("pods of these change: {}", names.join(", ")));
    if objects.iter().any(|object| object.rolls_out()) {
        session.output.message(
            "note: file-system backups that were taken before cannot be restored over the changed workloads: take a new backup \
             after the change, or delete the controller before such a restore",
        );
    }
}
