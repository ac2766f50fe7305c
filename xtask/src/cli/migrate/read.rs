//! Files of consumers, scanned several at once.

use camino::Utf8PathBuf;

use super::super::args::{AtArguments, LedgerSource};
use super::super::ledger;
use super::super::output::counted;
use super::super::session::Session;
use super::super::status::Stop;
use crate::migrate::ledger::{At, Ledger};
use crate::migrate::scan::{Finding, MAX_FILE, ScanError, Scanner, is_binary, is_skipped_folder};
use crate::workspace::{in_parallel, list_texts, read_text};

/// A file with findings.
pub(super) struct Found {
    /// As people named it.
    pub(super) path: Utf8PathBuf,
    pub(super) findings: Vec<Finding>,
    /// Its bytes, when they are wanted.
    pub(super) bytes: Vec<u8>,
}

/// Everything that a scan found.
pub(super) struct Scanned {
    pub(super) files: Vec<Found>,
    /// How many files were looked at.
    pub(super) looked_at: usize,
    /// Whether some could not be looked at.
    pub(super) is_partial: bool,
}

/// The ledger and the versions that are asked about.
pub(super) fn ledger(source: &LedgerSource, at: &AtArguments, session: &Session<'_>) -> Result<(Ledger, At), Stop> {
    let (ledger, _) = ledger::load(&source.ledger, session)?;
    let at = ledger::at(&at.at, &ledger)?;
    if ledger.entries.is_empty() {
        session.output.message("note: the ledger is empty, so that nothing is retired");
    }
    Ok((ledger, at))
}

/// Scans all files below some paths.
pub(super) fn scan(
    scanner: &Scanner<'_>,
    paths: &[Utf8PathBuf],
    keep_bytes: bool,
    session: &Session<'_>,
) -> Result<Scanned, Stop> {
    if let Some(missing) = paths.iter().find(|path| !session.path(path).exists()) {
        return Err(Stop::input(anyhow::anyhow!("{missing} does not exist\nhint: name files and folders to scan")));
    }
    let listed = list_texts(paths, is_skipped_folder);
    let all = in_parallel(&listed.files, |path| one(scanner, path, keep_bytes));
    let mut scanned = Scanned { files: Vec::new(), looked_at: listed.files.len(), is_partial: false };
    let mut problems = listed.problems;
    for result in all {
        match result {
            Ok(Some(found)) => scanned.files.push(found),
            Ok(None) => {}
            Err(problem) => problems.push(problem),
        }
    }
    for problem in &problems {
        session.output.message(&format!("warning: {problem}"));
    }
    scanned.is_partial = !problems.is_empty();
    Ok(scanned)
}

fn one(scanner: &Scanner<'_>, path: &Utf8PathBuf, keep_bytes: bool) -> Result<Option<Found>, String> {
    let work = |bytes: Result<&[u8], u64>| {
        let bytes = bytes.map_err(ScanError::TooLarge)?;
        let findings = scanner.scan(path.as_str(), bytes)?;
        let bytes = if keep_bytes && !findings.is_empty() { bytes.to_vec() } else { Vec::new() };
        Ok((findings, bytes))
    };
    let read = read_text(path, MAX_FILE, |head| !is_binary(head), work);
    match read.map_err(|error| error.to_string())? {
        None => Ok(None),
        Some(Err(error)) => {
            let error: ScanError = error;
            Err(format!("{path} was left out: {error}"))
        }
        Some(Ok((findings, _))) if findings.is_empty() => Ok(None),
        Some(Ok((findings, bytes))) => Ok(Some(Found { path: path.clone(), findings, bytes })),
    }
}

impl Scanned {
    pub(super) fn findings(&self) -> impl Iterator<Item = (&Utf8PathBuf, &Finding)> {
        self.files.iter().flat_map(|file| file.findings.iter().map(move |finding| (&file.path, finding)))
    }

    /// `3 findings in 2 of 10 files, 2 of them can be put right`
    pub(super) fn summary(&self) -> String {
        let all = self.findings().count();
        let fixable = self.findings().filter(|(_, finding)| finding.is_fixable()).count();
        let files = format!("{} of {}", self.files.len(), counted(self.looked_at, "file"));
        if all == 0 {
            return format!("no retired reference in {}", counted(self.looked_at, "file"));
        }
        format!("{} in {files}, {fixable} can be put right", counted(all, "finding"))
    }
}
