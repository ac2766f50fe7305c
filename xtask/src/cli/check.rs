//! `check`: every rule over every image in every variant, and drift of generated files and of the lock file.

use super::args::{CheckArguments, CheckWhat, Format};
use super::generate::{self, Drift};
use super::output::counted;
use super::pins;
use super::session::{Loaded, Session};
use super::status::{ExitStatus, Stop};
use crate::check::{RULES, level, lock_drift, run_by};
use crate::diagnostic::{Diagnostic, Level, to_json};
use crate::lock::{self, Builders, Difference, LockFile, Mode};
use crate::manifest::Settings;
use crate::plan::Plan;
use crate::resolve::{Resolution, Selection};

pub(super) fn run(arguments: &CheckArguments, session: &Session<'_>) -> Result<ExitStatus, Stop> {
    if let Some(CheckWhat::References(arguments)) = &arguments.what {
        return super::references::run(arguments, session);
    }
    if arguments.list_rules {
        return list_rules(arguments, session);
    }
    let loaded = session.load()?;
    let selection = arguments.selection.selection(true);
    let resolution = session.resolve(&loaded, &selection)?;
    let plan = session.plan(&loaded, &resolution, &pins::that_fit(&loaded, &resolution))?;
    let judge = session.judge(&loaded)?;
    let mut findings = run_by(&resolution, &plan, Some(&judge));
    let differences = lock_differences(session, &loaded, &selection, &resolution);
    findings.extend(
        lock_drift(&differences, &loaded.manifests.settings, session.global.locked)
            .into_iter()
            .map(|finding| Diagnostic { help: finding.help.or_else(|| Some(pins::next_step(session))), ..finding }),
    );
    let plain = arguments.selection.features.is_empty()
        && !arguments.selection.all_features
        && !arguments.selection.no_default_features
        && arguments.selection.modes.is_empty()
        && arguments.selection.images.iter().all(|image| image.part.is_none());
    // with other features or modes the generated files are other ones, which nobody has checked in
    if plain {
        findings.extend(drift(session, &loaded, &selection, &plan)?.into_iter().map(drift_finding));
    }
    show(arguments.format, session, &loaded, &findings)?;
    if findings.iter().any(|finding| finding.level == Level::Error) {
        return Ok(ExitStatus::Refused);
    }
    let (images, components) = (plan.images.len(), loaded.manifests.components.len());
    let (images, components) = (counted(images, "image"), counted(components, "component"));
    session.output.message(&format!("checked {images} of {components} by {}", counted(RULES.len(), "rule")));
    Ok(ExitStatus::Done)
}

/// What differs between manifests and lock file: everything, or what the named images use. A workspace without a lock file
/// pins nothing, and that is no drift, unless `--locked` asks for one.
fn lock_differences(
    session: &Session<'_>,
    loaded: &Loaded,
    selection: &Selection,
    resolution: &Resolution<'_>,
) -> Vec<Difference> {
    let none = LockFile::default();
    let file = match &loaded.lock_file {
        Some(file) => file,
        None if session.global.locked => &none,
        None => return Vec::new(),
    };
    if selection.images.is_empty() {
        return lock::drift(&lock::of_workspace(&loaded.manifests), file);
    }
    let wanted = lock::of_resolution(resolution, Builders::Used);
    lock::require(&wanted, Some(file), Mode::Require).err().unwrap_or_default()
}

/// Drift of what is checked in, which no override reaches; `plan` is one with overrides.
fn drift(session: &Session<'_>, loaded: &Loaded, selection: &Selection, plan: &Plan) -> Result<Vec<Drift>, Stop> {
    let texts = if loaded.overrides.in_use(&loaded.manifests).is_empty() {
        session.generated(loaded, &generate::with_dockerfile(plan))?
    } else {
        let resolution = session.resolve_checked_in(loaded, selection)?;
        let pins = pins::that_fit(loaded, &resolution);
        session.generated(loaded, &generate::with_dockerfile(&session.plan(loaded, &resolution, &pins)?))?
    };
    let mut drift = generate::drift(session, loaded, &texts)?;
    if selection.images.is_empty() {
        drift.extend(generate::stale(loaded, &texts));
    }
    Ok(drift)
}

fn drift_finding(drift: Drift) -> Diagnostic {
    Diagnostic::error("drift", drift.message).help(drift.next)
}

fn show(format: Format, session: &Session<'_>, loaded: &Loaded, findings: &[Diagnostic]) -> Result<(), Stop> {
    let map = &loaded.sources.map;
    match format {
        Format::Text => session.output.diagnostics(findings, map),
        Format::Json => {
            session.output.json(&findings.iter().map(|finding| to_json(finding, map)).collect::<Vec<_>>())?
        }
    }
    Ok(())
}

/// Rules with the levels of this workspace, if there is one.
fn list_rules(arguments: &CheckArguments, session: &Session<'_>) -> Result<ExitStatus, Stop> {
    let settings = session.load().map(|loaded| loaded.manifests.settings).unwrap_or_else(|_| Settings::default());
    let name = |level| {
        serde_json::to_value(level).ok().and_then(|value| value.as_str().map(str::to_owned)).unwrap_or_default()
    };
    if arguments.format == Format::Json {
        let rule = |rule: &crate::check::Rule| serde_json::json!({ "code": rule.code, "level": name(level(rule, &settings)), "summary": rule.summary, "reason": rule.reason });
        session.output.json(&RULES.iter().map(rule).collect::<Vec<_>>())?;
        return Ok(ExitStatus::Done);
    }
    let line = |rule: &crate::check::Rule| {
        format!("{} ({})\n  {}\n  why: {}\n", rule.code, name(level(rule, &settings)), rule.summary, rule.reason)
    };
    session.output.data(&RULES.iter().map(line).collect::<String>())?;
    Ok(ExitStatus::Done)
}
