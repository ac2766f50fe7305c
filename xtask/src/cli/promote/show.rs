//! What `promote` shows.

use std::fmt::Write as _;

use serde::Serialize;

use super::{Ends, Planned, PlannedTag};
use crate::cli::args::{Format, PromoteArguments};
use crate::cli::output::counted;
use crate::cli::session::Session;
use crate::cli::size;
use crate::cli::status::Stop;
use crate::engine::registry::Copied;
use crate::release::{Fate, Promotion, Recording};

/// Format of the JSON document.
const SCHEMA: u32 = 1;

/// What `--format json` prints.
#[derive(Serialize)]
struct Document<'a> {
    schema: u32,
    /// Whether it was to be done.
    confirmed: bool,
    #[serde(flatten)]
    ends: &'a Ends,
    images: &'a [Planned],
    /// What is new in the promoter manifest.
    recorded: &'a [Promotion],
}

pub(super) fn all(
    arguments: &PromoteArguments,
    session: &Session<'_>,
    ends: &Ends,
    planned: &[Planned],
    recording: Option<&Recording>,
) -> Result<(), Stop> {
    if arguments.format == Format::Json {
        let recorded = recording.map(Recording::added).unwrap_or_default();
        let confirmed = arguments.confirm;
        return session.output.json(&Document { schema: SCHEMA, confirmed, ends, images: planned, recorded });
    }
    let mut text: String = planned.iter().map(one).collect();
    if let (Some(recording), Some(path)) = (recording.filter(|recording| !recording.is_empty()), &arguments.record) {
        _ = write!(text, "{path}\n{}", indented(&recording.to_string()));
    }
    session.output.data(&text)
}

fn indented(text: &str) -> String {
    text.lines().map(|line| format!("  {line}\n")).collect()
}

/// The block of one image.
fn one(one: &Planned) -> String {
    let mut text = format!("{} {}\n  from {}\n  to   {}\n", one.name, one.digest, one.source, one.destination);
    for tag in &one.tags {
        _ = writeln!(text, "  {}", line(tag));
    }
    match (&one.copied, &one.error) {
        (_, Some(error)) => _ = writeln!(text, "  failed: {}", error.lines().next().unwrap_or_default()),
        (Some(copied), None) => _ = writeln!(text, "  {}", what(copied)),
        (None, None) => {}
    }
    text
}

fn line(tag: &PlannedTag) -> String {
    let name = &tag.tag;
    match &tag.fate {
        Fate::Set => format!("set  {name}"),
        Fate::Same => format!("same {name}"),
        Fate::Move { was } => format!("move {name}, which was {was}"),
        Fate::Held { reason } => format!("hold {name}: {reason}"),
        Fate::Taken { was } => format!("NOT  {name}, which is {was}"),
    }
}

/// What a copy did, in one line.
pub(in crate::cli) fn what(copied: &Copied) -> String {
    if copied.is_unchanged() {
        return "was there".to_owned();
    }
    let number = |number: u64, what| counted(usize::try_from(number).unwrap_or(usize::MAX), what);
    let (manifests, blobs) = (number(copied.sent_manifests, "manifest"), number(copied.sent_blobs, "blob"));
    let mut text = format!("copied {manifests}, {blobs} ({})", size::text(copied.sent_bytes));
    for (count, words) in
        [(copied.mounted, "mounted"), (copied.skipped, "there already"), (copied.referrers, "referring to it")]
    {
        if count > 0 {
            _ = write!(text, ", {count} {words}");
        }
    }
    if !copied.kept.is_empty() {
        _ = write!(text, "; kept {}, which names something else there", copied.kept.join(", "));
    }
    text
}

/// Tags that would have to be taken from another image, one line each.
pub(super) fn taken(planned: &[Planned]) -> String {
    let of = |one: &Planned| -> String {
        let lines = one.tags.iter().filter_map(|tag| match &tag.fate {
            Fate::Taken { was } => {
                Some(format!("  {}:{} is {was}, and would become {}\n", one.destination, tag.tag, one.digest))
            }
            _ => None,
        });
        lines.collect()
    };
    planned.iter().map(of).collect()
}
