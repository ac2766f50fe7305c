//! `lock` and `update`: the digests of all references, asked for and written down.
//!
//! `lock` asks for what has no entry that fits, `update` also for what it is told. Either all answers are there and the file
//! is written as a whole, or it stays as it was.

use std::collections::BTreeSet;

use futures_util::future::join_all;

use super::args::{Format, LockArguments, UpdateArguments};
use super::generate::say_what_is_not_used;
use super::output::counted;
use super::session::{Loaded, Session};
use super::status::{ExitStatus, Stop};
use super::{pins, registry};
use crate::check::lock_drift;
use crate::engine::{EngineError, Events};
use crate::lock::{self, Change, ContractChange, Entry, Key, LockFile, Open, Wanted};
use crate::oci::{Digest, Reference};
use crate::resolve::mirror;
use crate::workspace::{LOCK_FILE, write};

/// `lock`.
pub(super) fn run(arguments: &LockArguments, session: &Session<'_>) -> Result<ExitStatus, Stop> {
    let loaded = session.load_manifests()?;
    let wanted = lock::of_workspace(&loaded.manifests);
    // as in cargo: with --locked nothing is written
    if arguments.check || session.global.locked {
        return check(arguments.format, session, &loaded, &wanted);
    }
    let new = renewed(session, &loaded, &wanted, &BTreeSet::new())?;
    finish(arguments.format, session, &loaded, &new, true)
}

/// `update`.
pub(super) fn update(arguments: &UpdateArguments, session: &Session<'_>) -> Result<ExitStatus, Stop> {
    if arguments.check {
        return super::newer::check(arguments, session);
    }
    if session.global.locked {
        return Err(Stop::input(anyhow::anyhow!(
            "--locked forbids what `update` is for\nhint: `lock --check` says whether {LOCK_FILE} fits"
        )));
    }
    let loaded = session.load_manifests()?;
    let wanted = lock::of_workspace(&loaded.manifests);
    let again = named(&arguments.names, &wanted)?;
    let new = renewed(session, &loaded, &wanted, &again)?;
    finish(arguments.format, session, &loaded, &new, !arguments.dry_run)
}

/// The keys that words name; all of them without words.
fn named(words: &[String], wanted: &Wanted) -> Result<BTreeSet<Key>, Stop> {
    if words.is_empty() {
        return Ok(wanted.iter().map(|(key, _)| key.clone()).collect());
    }
    let mut keys = BTreeSet::new();
    for word in words {
        let close = match wanted.named(word) {
            Ok(found) => {
                keys.extend(found);
                continue;
            }
            Err(close) => close,
        };
        let known: Vec<String> = wanted.iter().map(|(key, _)| key.to_string()).collect();
        let hint = match close {
            Some(close) => format!("did you mean `{close}`?"),
            None if known.is_empty() => "no image of this workspace uses a reference without a digest".to_owned(),
            None => format!("there is: {}", known.join(", ")),
        };
        return Err(Stop::input(anyhow::anyhow!("`{word}` names nothing that {LOCK_FILE} pins\nhint: {hint}")));
    }
    Ok(keys)
}

/// Whether the file is as it would be written.
fn check(format: Format, session: &Session<'_>, loaded: &Loaded, wanted: &Wanted) -> Result<ExitStatus, Stop> {
    let differences = match &loaded.lock_file {
        Some(file) => lock::drift(wanted, file),
        None => lock::drift(wanted, &LockFile::default()),
    };
    let current = differences.is_empty() && loaded.lock_file.is_some();
    if format == Format::Json {
        session.output.json(&serde_json::json!({ "current": current, "differences": differences }))?;
        return Ok(if current { ExitStatus::Done } else { ExitStatus::Refused });
    }
    if current {
        return Ok(ExitStatus::Done);
    }
    let what = match &loaded.lock_file {
        Some(_) => format!("{LOCK_FILE} does not fit the manifests"),
        None => format!("there is no {LOCK_FILE}"),
    };
    let (list, next) = (pins::list(&differences), pins::next_step(session));
    Err(Stop::refused(anyhow::anyhow!("{what}\n{list}hint: {next}")))
}

/// The new lock file, with everything that registries had to be asked for.
fn renewed(session: &Session<'_>, loaded: &Loaded, wanted: &Wanted, again: &BTreeSet<Key>) -> Result<LockFile, Stop> {
    say_what_is_not_used(session, loaded);
    let none = LockFile::default();
    refuse_changed_contracts(session, loaded, wanted)?;
    let renewal = lock::renew(wanted, loaded.lock_file.as_ref().unwrap_or(&none), again);
    if session.global.offline && !renewal.open.is_empty() {
        let list: String = renewal.open.iter().map(|open| format!("  {}\n", line(open))).collect();
        return Err(Stop::environment(anyhow::anyhow!(
            "--offline was given, and registries must be asked for\n{list}hint: run this without --offline where the registries can be reached"
        )));
    }
    let (mut file, mut failed) = (renewal.file, 0);
    let digests = digests(session, loaded, &renewal.open)?;
    for (open, digest) in renewal.open.iter().zip(digests) {
        match digest {
            Ok(digest) => {
                let (name, used_by) = (open.name.clone(), open.used_by.clone());
                file.insert(Entry { name, digest, used_by, place: None });
            }
            Err(error) => {
                failed += 1;
                session.output.error(&anyhow::Error::new(error).context(line(open)));
            }
        }
    }
    if failed > 0 {
        return Err(Stop::environment(anyhow::anyhow!(
            "{failed} of {} could not be resolved; {LOCK_FILE} was left as it was",
            counted(renewal.open.len(), "reference")
        )));
    }
    Ok(file)
}

/// Writing them down would be a promise that is broken without a trace.
fn refuse_changed_contracts(session: &Session<'_>, loaded: &Loaded, wanted: &Wanted) -> Result<(), Stop> {
    let Some(file) = &loaded.lock_file else { return Ok(()) };
    let changed = lock::changed_contracts(wanted, file);
    if changed.is_empty() {
        return Ok(());
    }
    session.output.diagnostics(&lock_drift(&changed, &loaded.manifests.settings, true), &loaded.sources.map);
    Err(Stop::refused(anyhow::anyhow!("{LOCK_FILE} was left as it was")))
}

fn line(open: &Open) -> String {
    let users: Vec<String> = open.used_by.iter().map(ToString::to_string).collect();
    format!("{}: {}", users.join(", "), open.name)
}

/// Writes the file, unless that is not wanted, and shows what has changed.
fn finish(
    format: Format,
    session: &Session<'_>,
    loaded: &Loaded,
    new: &LockFile,
    is_wanted: bool,
) -> Result<ExitStatus, Stop> {
    let none = LockFile::default();
    let old = loaded.lock_file.as_ref().unwrap_or(&none);
    let (changes, contracts) = (lock::changes(old, new), lock::contract_changes(old, new));
    let path = loaded.workspace.root.join(LOCK_FILE);
    let written = is_wanted && write::file(&path, new.to_string().as_bytes(), 0o644).map_err(Stop::input)?;
    match format {
        Format::Json => session
            .output
            .json(&serde_json::json!({ "written": written, "changes": changes, "contracts": contracts }))?,
        Format::Text => {
            let contracts = contracts.iter().map(|change: &ContractChange| format!("{change}\n"));
            let changes = changes.iter().map(|change: &Change| format!("{change}\n")).chain(contracts);
            session.output.data(&changes.collect::<String>())?;
            let pinned = counted(new.entries().len(), "reference");
            session.output.message(&match (written, is_wanted) {
                (true, _) => format!("wrote {LOCK_FILE} ({pinned})"),
                (false, true) => format!("unchanged {LOCK_FILE} ({pinned})"),
                (false, false) => format!("{LOCK_FILE} was not written, because of --dry-run"),
            });
        }
    }
    Ok(ExitStatus::Done)
}

/// The digests that references have in their registries just now, or behind the mirror: those of indexes, where there are any,
/// so that one pin is good for every platform. All are asked at once.
fn digests(session: &Session<'_>, loaded: &Loaded, open: &[Open]) -> Result<Vec<Result<Digest, EngineError>>, Stop> {
    let mapping = mirror(&loaded.manifests, &loaded.overrides);
    let mapping = mapping.map_err(|problems| session.bad_input(&problems, &loaded.sources.map))?;
    let there = |open: &Open| match &mapping {
        Some(mapping) => mapping.map(&open.name).unwrap_or_else(|_| open.name.clone()),
        None => open.name.clone(),
    };
    let asked: Vec<Reference> = open.iter().map(there).collect();
    let client = registry::client(session, Some(loaded), &asked)?;
    let events = Events::nowhere();
    let asked = join_all(asked.iter().map(|name| client.resolve(name, &events)));
    crate::engine::block_on(asked).map_err(Stop::environment)
}
