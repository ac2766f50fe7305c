//! `verify`: the contract of an image, proved on its bytes, wherever the image is.

mod planned;
mod probes;

use anyhow::anyhow;

use self::planned::Plans;
use super::args::{Format, VerifyArguments};
use super::daemon;
use super::look::{self, Inspection, Wholes};
use super::output::counted;
use super::session::Session;
use super::status::{ExitStatus, Stop};
use crate::engine::native::base::Base;
use crate::engine::native::own_layers;
use crate::oci::{ImageSource, Platform};
use crate::verify::{CHECKS, Config, Finding, Image, Layers, Level, described, run as look_at};

/// Labels that name the base.
const BASE_NAME: &str = "org.opencontainers.image.base.name";
const BASE_DIGEST: &str = "org.opencontainers.image.base.digest";

/// An image of one platform, all of which was read.
struct Read {
    image: Image,
    layers: Layers,
    base: Base,
    source: ImageSource,
}

pub(super) fn run(arguments: &VerifyArguments, session: &Session<'_>) -> Result<ExitStatus, Stop> {
    let Some(word) = arguments.reference.as_deref().filter(|_| !arguments.list_checks) else {
        return list_checks(arguments, session);
    };
    let mut wholes = Wholes::new(session, arguments.host.as_deref())?;
    let store = wholes.store()?;
    let mut plans = Plans::new(session, wholes.root.as_deref());
    let (mut findings, mut platforms) = (Vec::new(), Vec::new());
    for inspection in chosen(word, arguments, session)? {
        let platform: Platform = inspection.config.platform.parse().map_err(Stop::refused)?;
        let read = read(word, &platform, &wholes, &store, arguments, session)?;
        let contract = described(&read.image, &read.layers).ok();
        let planned = match &contract {
            Some(contract) => plans.of(contract, &platform, inspection.fingerprint())?,
            None => None,
        };
        findings.extend(look_at(&read.image, &read.layers, planned.as_ref()));
        if let Some(contract) = contract.filter(|_| arguments.run) {
            findings.extend(probes::run(&read, &contract, &store, arguments, session)?);
        }
        platforms.push(platform.to_string());
    }
    show(arguments.format, session, &findings)?;
    let errors = findings.iter().filter(|finding| finding.level == Level::Error).count();
    let notes = findings.len() - errors;
    let (errors_said, notes_said) = (counted(errors, "error"), counted(notes, "note"));
    session.output.message(&format!("verified {word} for {}: {errors_said}, {notes_said}", platforms.join(", ")));
    Ok(if errors > 0 { ExitStatus::Refused } else { ExitStatus::Done })
}

/// The images that are meant: all of them, or that of a platform.
fn chosen(word: &str, arguments: &VerifyArguments, session: &Session<'_>) -> Result<Vec<Inspection>, Stop> {
    let all = look::images(word, arguments.host.as_deref(), session)?;
    let Some(wanted) = arguments.platform.as_ref().map(ToString::to_string) else { return Ok(all) };
    let names: Vec<String> = all.iter().map(|image| image.config.platform.clone()).collect();
    let fitting: Vec<Inspection> = all.into_iter().filter(|image| image.config.platform == wanted).collect();
    if fitting.is_empty() {
        let hint = format!("hint: it is for {}; choose one with --platform", names.join(", "));
        return Err(Stop::input(anyhow!("{word} is not for {wanted}\n{hint}")));
    }
    Ok(fitting)
}

fn read(
    word: &str,
    platform: &Platform,
    wholes: &Wholes<'_>,
    store: &crate::engine::store::Store,
    arguments: &VerifyArguments,
    session: &Session<'_>,
) -> Result<Read, Stop> {
    let (source, base) = wholes.base(word, platform, store)?;
    let layers = base.facts(&source, store).map_err(daemon::stop)?;
    let document = base.document.value().map_err(Stop::refused)?;
    let config = Config::of(&document);
    let base_layers = match own_layers(&document) {
        0 => layers_of_base(&config, &document, arguments, session),
        own => u16::try_from(base.layers.len().saturating_sub(own)).ok(),
    };
    let image = Image { platform: platform.clone(), config, rootfs: base.rootfs.clone(), base_layers };
    Ok(Read { image, layers, base, source })
}

/// How many layers are those of the base that the labels name, if a daemon has it. Nobody has to answer.
fn layers_of_base(
    config: &Config,
    document: &serde_json::Value,
    arguments: &VerifyArguments,
    session: &Session<'_>,
) -> Option<u16> {
    let (name, digest) = (config.label(BASE_NAME), config.label(BASE_DIGEST));
    if name.is_empty() {
        return None;
    }
    let pinned = if digest.is_empty() { name.to_owned() } else { format!("{name}@{digest}") };
    let asked = daemon::wait(async {
        let docker = daemon::connect(session, arguments.host.as_deref()).await?;
        let by_digest = docker.layers_of_base(&pinned, document).await.map_err(daemon::stop)?;
        match by_digest {
            Some(layers) => Ok(Some(layers)),
            // the name may have moved on: the layers are compared
            None => docker.layers_of_base(name, document).await.map_err(daemon::stop),
        }
    });
    asked.ok().flatten()
}

fn show(format: Format, session: &Session<'_>, findings: &[Finding]) -> Result<(), Stop> {
    match format {
        Format::Json => session.output.json(&findings),
        Format::Text => session.output.data(&findings.iter().map(text).collect::<String>()),
    }
}

/// A finding for people: what was found, and who promised it.
fn text(finding: &Finding) -> String {
    let who = match (&finding.role, &finding.component) {
        (Some(role), Some(component)) => format!("  role `{role}` of component `{component}`\n"),
        (None, Some(component)) => format!("  component `{component}`\n"),
        _ => String::new(),
    };
    format!("{finding}\n{who}")
}

fn list_checks(arguments: &VerifyArguments, session: &Session<'_>) -> Result<ExitStatus, Stop> {
    let all = CHECKS.iter().chain([&probes::CHECK]).flat_map(|check| check.codes.iter().map(move |code| (check, code)));
    match arguments.format {
        Format::Json => {
            let check = |(check, (code, what)): (&crate::verify::Check, &(&str, &str))| serde_json::json!({ "code": code, "summary": what, "reason": check.reason });
            session.output.json(&all.map(check).collect::<Vec<_>>())?;
        }
        Format::Text => {
            let line = |(check, (code, what)): (&crate::verify::Check, &(&str, &str))| {
                format!("{code}\n  {what}\n  why: {}\n", check.reason)
            };
            session.output.data(&all.map(line).collect::<String>())?;
        }
    }
    Ok(ExitStatus::Done)
}
