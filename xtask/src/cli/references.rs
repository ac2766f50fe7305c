//! `check references`: the references of arbitrary trees and revisions, judged by the policy of a groupage.toml.

mod shown;
mod trees;

use camino::Utf8PathBuf;

use super::args::{Format, ReferencesArguments};
use super::session::Session;
use super::status::{ExitStatus, Stop};
use crate::diagnostic::Problems;
use crate::manifest::{Date, Manifests, Settings};
use crate::policy::{Judge, Policy, RecordState, Search};
use crate::source::{SourceFile, SourceMap};
use crate::workspace::{self, SETTINGS_FILE};
use trees::Tree;

/// A policy, and the texts that it was read from.
struct Rules {
    map: SourceMap,
    policy: Policy,
}

pub(super) fn run(arguments: &ReferencesArguments, session: &Session<'_>) -> Result<ExitStatus, Stop> {
    let rules = rules(arguments, session)?;
    let asked = asked_day(arguments)?;
    if arguments.blockers {
        return blockers(arguments, session, &rules, asked);
    }
    let environment = session.target_environment(&rules.policy)?;
    let search = Search::new(&rules.policy).map_err(Stop::input)?;
    let epoch = super::native::epoch(session)?.map(Date::of_seconds);
    let here = [Utf8PathBuf::from(".")];
    let paths = if arguments.paths.is_empty() { &here[..] } else { &arguments.paths[..] };
    let mut found = Vec::new();
    for path in paths {
        found.extend(trees::search(path, arguments, session, &rules.policy, &search)?);
    }
    let judged = found.iter().map(|tree| {
        let day = asked.or(tree.committed).or(epoch);
        let judge = Judge { policy: &rules.policy, environment, day };
        shown::Judged::new(tree, &judge)
    });
    let judged: Vec<shown::Judged<'_>> = judged.collect();
    // a part of a tree, or another time, need not hold everything that is recorded
    let is_whole = arguments.paths.is_empty() && !arguments.all_tags && arguments.revisions.is_empty();
    let unused = if is_whole { unused(&rules, &found) } else { Vec::new() };
    shown::show(arguments.format, session, &rules.map, environment, &judged, &unused)
}

/// The policy of `--policy`, or of the workspace.
fn rules(arguments: &ReferencesArguments, session: &Session<'_>) -> Result<Rules, Stop> {
    let Some(path) = &arguments.policy else {
        if !session.is_in_workspace()? {
            return Err(Stop::input(anyhow::anyhow!(
                "there is no {SETTINGS_FILE} here or in any folder above, so that nothing says what is accepted\nhint: name one with --policy"
            )));
        }
        let loaded = session.load_manifests()?;
        return Ok(Rules { map: loaded.sources.map, policy: loaded.policy });
    };
    let bytes = workspace::read_file(&session.path(path)).map_err(|error| {
        Stop::input(anyhow::anyhow!("--policy: {error}\nhint: it takes the path of a groupage.toml"))
    })?;
    let text = String::from_utf8(bytes).map_err(|_| Stop::input(anyhow::anyhow!("--policy: {path} is not UTF-8")))?;
    let (mut map, mut problems) = (SourceMap::default(), Problems::default());
    let id = map.add(SourceFile::new(path.clone(), text));
    let settings = Settings::parse(id, map.file(id), &mut problems);
    let policy = problems.finish(settings.unwrap_or_default()).and_then(|settings| {
        let manifests = Manifests { settings, ..Manifests::default() };
        Policy::new(&manifests)
    });
    match policy {
        Ok(policy) => Ok(Rules { map, policy }),
        Err(problems) => Err(session.bad_input(&problems, &map)),
    }
}

/// The day of `--on`.
fn asked_day(arguments: &ReferencesArguments) -> Result<Option<Date>, Stop> {
    match arguments.on.as_deref() {
        None => Ok(None),
        Some("today") => Ok(Some(Date::of_seconds(workspace::now()))),
        Some(text) => text.parse().map(Some).map_err(|error| {
            Stop::input(anyhow::Error::msg(format!("--on: {error}\nhint: write YYYY-MM-DD, or today")))
        }),
    }
}

/// Records whose reference stands nowhere in the trees that were searched.
fn unused(rules: &Rules, found: &[Tree]) -> Vec<crate::diagnostic::Diagnostic> {
    let is_used = |record: &crate::manifest::Temporary| {
        let references = found.iter().flat_map(|tree| tree.mentions.values()).map(|mention| &mention.reference);
        references.clone().any(|reference| rules.policy.record(reference).is_some_and(|own| own.span == record.span))
    };
    let unused = rules.policy.temporary.iter().filter(|record| !is_used(record));
    let report = |record: &crate::manifest::Temporary| {
        let message = format!("nothing that was searched uses `{}`, which is recorded here", record.reference.value);
        crate::diagnostic::Diagnostic::warning("unused-record", message)
            .label(record.reference.span, "")
            .help("remove the record: the list of open ones is what the next release waits for")
    };
    unused.map(report).collect()
}

/// The list of records.
fn blockers(
    arguments: &ReferencesArguments,
    session: &Session<'_>,
    rules: &Rules,
    asked: Option<Date>,
) -> Result<ExitStatus, Stop> {
    let committed = || workspace::head_time(&session.path(".".into())).map(Date::of_seconds);
    let day = match asked.or_else(committed) {
        None => super::native::epoch(session)?.map(Date::of_seconds),
        day => day,
    };
    let mut records: Vec<_> = rules.policy.temporary.iter().collect();
    records.sort_by_key(|record| (record.expires.value, record.reference.value.canonical()));
    if arguments.format == Format::Json {
        let record = |record: &&crate::manifest::Temporary| {
            serde_json::json!({
                "reference": record.reference.value, "reason": record.reason.value, "issue": record.issue.value,
                "added": record.added.value, "expires": record.expires.value, "state": RecordState::of(record, day),
            })
        };
        let records: Vec<_> = records.iter().map(record).collect();
        session.output.json(&serde_json::json!({ "day": day, "records": records }))?;
        return Ok(ExitStatus::Done);
    }
    let line = |record: &&crate::manifest::Temporary| {
        let state = match (RecordState::of(record, day), day) {
            (RecordState::Valid, Some(day)) => format!("{} days left", record.expires.value.days() - day.days()),
            (RecordState::Expired, _) => "expired".to_owned(),
            (RecordState::NotYet, _) => format!("begins on {}", record.added.value),
            _ => "nothing says what day it is".to_owned(),
        };
        let (reference, expires) = (&record.reference.value, record.expires.value);
        format!("{reference}\n  until {expires} ({state})\n  {}\n  {}\n", record.reason.value, record.issue.value)
    };
    session.output.data(&records.iter().map(line).collect::<String>())?;
    session.output.message(&super::output::counted(records.len(), "blocker"));
    Ok(ExitStatus::Done)
}
