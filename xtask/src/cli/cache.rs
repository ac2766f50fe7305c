//! `cache show` and `cache prune`: what is kept between builds, and making it smaller.
//!
//! `--format json` prints `{"schema", "folder", "bytes", "parts": [{"part", "count", "bytes", "shared"}], "docker"}`: `bytes`
//! counts every file once, `shared` are bytes of a part that count in another one, and `docker` is null where no daemon
//! answers.

mod docker;

use std::collections::BTreeMap;
use std::fmt::Write as _;

use camino::Utf8PathBuf;
use serde::Serialize;

use super::args::{Cache, CacheArguments, CachePruneArguments, CacheShowArguments, Format};
use super::output::counted;
use super::session::Session;
use super::size;
use super::status::{ExitStatus, Stop};
use crate::engine::store::holdings::{Holding, Part, holdings};
use crate::engine::store::prune::{Pruned, Wanted, prune};
use crate::workspace::MEMORY_FOLDER;

/// Format of the JSON document.
const SCHEMA: u32 = 1;

pub(super) fn run(arguments: &CacheArguments, session: &Session<'_>) -> Result<ExitStatus, Stop> {
    match &arguments.what {
        Cache::Show(arguments) => show(arguments, session),
        Cache::Prune(arguments) => shrink(arguments, session),
    }
}

/// All of one part.
#[derive(Debug, Default, Serialize)]
struct Sum {
    count: usize,
    bytes: u64,
    shared: u64,
}

#[derive(Serialize)]
struct Row {
    part: Part,
    #[serde(flatten)]
    sum: Sum,
}

#[derive(Serialize)]
struct Document<'a> {
    schema: u32,
    folder: &'a str,
    bytes: u64,
    parts: Vec<Row>,
    docker: Option<docker::Held>,
}

fn folder(session: &Session<'_>) -> Result<Utf8PathBuf, Stop> {
    Ok(session.workspace()?.root.join(MEMORY_FOLDER))
}

fn show(arguments: &CacheShowArguments, session: &Session<'_>) -> Result<ExitStatus, Stop> {
    let held = holdings(&folder(session)?).map_err(Stop::environment)?;
    let parts = by_part(&held);
    let bytes = held.iter().map(|holding| holding.bytes).sum();
    let docker = docker::held(session, arguments.host.as_deref())?;
    match arguments.format {
        Format::Json => {
            let parts = parts.into_iter().map(|(part, sum)| Row { part, sum }).collect();
            session.output.json(&Document { schema: SCHEMA, folder: MEMORY_FOLDER, bytes, parts, docker })?;
        }
        Format::Text => {
            let mut text = table(&parts, bytes);
            if let Some(docker::Held { count, bytes }) = docker.filter(|held| held.count > 0) {
                _ = writeln!(
                    text,
                    "{:<28}{count:>6}{:>12}  in the Docker daemon",
                    "component images",
                    size::text(bytes)
                );
            }
            session.output.data(&text)?;
        }
    }
    Ok(ExitStatus::Done)
}

fn by_part(held: &[Holding]) -> BTreeMap<Part, Sum> {
    let mut parts: BTreeMap<Part, Sum> = BTreeMap::new();
    for holding in held {
        let sum = parts.entry(holding.part).or_default();
        sum.count += 1;
        sum.bytes += holding.bytes;
        sum.shared += holding.shared;
    }
    parts
}

fn table(parts: &BTreeMap<Part, Sum>, bytes: u64) -> String {
    let mut text = String::new();
    for (part, Sum { count, bytes, shared }) in parts {
        // a folder as a whole is not counted
        let count =
            if matches!(part, Part::Cargo | Part::Go | Part::Records) { String::new() } else { count.to_string() };
        let shared = match shared {
            0 => String::new(),
            shared => format!("  and {} counted above", size::text(*shared)),
        };
        _ = writeln!(text, "{:<28}{count:>6}{:>12}{shared}", words(*part), size::text(*bytes));
    }
    _ = writeln!(text, "{:<28}{:>18}  in {MEMORY_FOLDER}", "total", size::text(bytes));
    text
}

fn words(part: Part) -> &'static str {
    match part {
        Part::BaseLayers => "base layers",
        Part::MadeLayers => "made layers",
        Part::CompressedLayers => "compressed layers",
        Part::OtherBlobs => "other blobs",
        Part::Records => "records",
        Part::Layouts => "layouts",
        Part::Programs => "programs",
        Part::Cargo => "cargo target folder",
        Part::Go => "go folder",
        Part::Revisions => "git revisions",
        Part::Other => "other",
    }
}

fn shrink(arguments: &CachePruneArguments, session: &Session<'_>) -> Result<ExitStatus, Stop> {
    let CachePruneArguments { keep, all, docker, dry_run, host } = arguments;
    let wanted = Wanted { keep: *keep, layouts: *all, dry_run: *dry_run };
    let waits = || session.output.message("waiting for a build that uses the cache");
    let pruned = prune(&folder(session)?, wanted, waits).map_err(Stop::environment)?;
    session.output.data(&told(&pruned, *dry_run))?;
    if pruned.after > *keep {
        session.output.message(&format!("note: what is left {}", why_left(*all)));
    }
    if *docker {
        let removed = docker::prune(session, host.as_deref(), *dry_run)?;
        session.output.data(&removed)?;
    }
    Ok(ExitStatus::Done)
}

fn why_left(all: bool) -> &'static str {
    if all {
        "is remembered of builds, kept by a bootstrap program, or in use"
    } else {
        "is needed by layouts of images, remembered of builds, or in use; --all removes layouts too"
    }
}

/// What went, by part, and what is left.
fn told(pruned: &Pruned, dry_run: bool) -> String {
    let (removed, left) = if dry_run { ("would remove", "would be left") } else { ("removed", "left") };
    let mut text = String::new();
    for (part, Sum { count, bytes, .. }) in by_part(&pruned.removed) {
        _ = writeln!(text, "{removed} {} of {}, {}", counted(count, "item"), words(part), size::text(bytes));
    }
    _ = writeln!(text, "{} of {} {left}", size::text(pruned.after), size::text(pruned.before));
    text
}
