//! `check`: every rule over every image in every variant, and drift of generated files.

use super::args::{CheckArguments, Format};
use super::generate;
use super::session::{Loaded, Session};
use super::status::{ExitStatus, Stop};
use crate::check::{RULES, level, run as run_rules};
use crate::diagnostic::{Diagnostic, Level, to_json};
use crate::manifest::Settings;

pub(super) fn run(arguments: &CheckArguments, session: &Session<'_>) -> Result<ExitStatus, Stop> {
    if arguments.list_rules {
        return list_rules(arguments, session);
    }
    let loaded = session.load()?;
    let resolution = session.resolve(&loaded, &arguments.selection.selection(true))?;
    let plan = session.plan(&loaded, &resolution)?;
    let mut findings = run_rules(&resolution, &plan);
    let plain = arguments.selection.features.is_empty()
        && !arguments.selection.all_features
        && !arguments.selection.no_default_features;
    // with other features the generated files are other ones, which nobody has checked in
    if plain {
        findings.extend(generate::drift(session, &loaded, &plan)?.into_iter().map(drift_finding));
    }
    show(arguments.format, session, &loaded, &findings)?;
    if findings.iter().any(|finding| finding.level == Level::Error) {
        return Ok(ExitStatus::Refused);
    }
    let (images, components) = (plan.images.len(), loaded.manifests.components.len());
    session.output.message(&format!("checked {images} images of {components} components by {} rules", RULES.len()));
    Ok(ExitStatus::Done)
}

fn drift_finding(line: String) -> Diagnostic {
    Diagnostic::error("drift", line).help("run `cargo xtask generate` and commit the result")
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
