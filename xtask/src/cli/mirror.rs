//! `mirror`: every image that is needed, copied by digest to a registry of one's own.

use std::collections::BTreeSet;
use std::fmt::Write as _;

use serde::Serialize;

use super::args::{Format, MirrorArguments};
use super::promote::what;
use super::session::{Loaded, Session};
use super::status::{ExitStatus, Stop};
use super::{copies, daemon, images};
use crate::engine::registry::{Copied, CopyRequest, Registry};
use crate::engine::{EngineError, Events};
use crate::oci::{Mapping, MappingMode, Platform, Reference};
use crate::release::{Class, Row};

/// Format of the JSON document.
const SCHEMA: u32 = 1;

/// One image, and what became of it.
#[derive(Debug, Serialize)]
struct Line {
    from: Reference,
    to: Reference,
    state: State,
    /// Platforms that it is wanted for and that its registry does not have.
    missing: Vec<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    copied: Option<Copied>,
    /// What went wrong; several lines where there is a next step.
    #[serde(skip_serializing_if = "Option::is_none")]
    error: Option<String>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
enum State {
    /// A dry run does nothing.
    Planned,
    /// All of it is there now.
    Copied,
    /// All of it was there.
    Unchanged,
    /// Something is missing, and `--allow-missing` names it.
    Incomplete,
    /// Something is missing.
    Missing,
    /// Something else went wrong.
    Failed,
}

/// What `--format json` prints.
#[derive(Serialize)]
struct Document<'a> {
    schema: u32,
    images: &'a [&'a Line],
}

/// `mirror`.
pub(super) fn run(arguments: &MirrorArguments, session: &Session<'_>) -> Result<ExitStatus, Stop> {
    let loaded = session.load()?;
    let (mut rows, mirror) = images::rows_before_mirror(session, &loaded, &arguments.selection)?;
    rows.retain(|row| arguments.outputs || row.class == Class::Input);
    let targets = targets(&mapping(arguments, mirror)?, &rows)?;
    let allowed = Allowed::new(&arguments.allow_missing, &rows)?;
    if arguments.dry_run {
        let planned = |(row, to): (&Row, Reference)| Line::new(row, to, State::Planned);
        let lines: Vec<Line> = rows.iter().zip(targets).map(planned).collect();
        return show(arguments, session, &lines).map(|()| ExitStatus::Done);
    }
    copies::refuse_offline(session, "mirror")?;
    let lines = copy(arguments, session, &loaded, &rows, targets, &allowed)?;
    show(arguments, session, &lines.iter().map(|(line, _)| line).collect::<Vec<_>>())?;
    let status = lines.iter().map(|(_, status)| *status).max().unwrap_or(ExitStatus::Done);
    if status == ExitStatus::Refused {
        session.output.message(
            "error: not everything that is needed is there\n\
             hint: get it into its registry, or say what may be missing with --allow-missing REFERENCE=PLATFORM",
        );
    }
    Ok(status)
}

/// What the words say, and what `registry.mirror` says where there are none.
fn mapping(arguments: &MirrorArguments, mirror: Option<Mapping>) -> Result<Mapping, Stop> {
    let mode = arguments.map.map(MappingMode::from).or(mirror.as_ref().map(|mirror| mirror.mode)).unwrap_or_default();
    let to = arguments.to.as_ref().map(|to| to.as_str().to_owned()).or(mirror.map(|mirror| mirror.to_string()));
    match to {
        Some(to) => Mapping::new(mode, &to).map_err(Stop::input),
        None => {
            Err(Stop::input(anyhow::anyhow!("nothing says where to\nhint: add --to REGISTRY, or set registry.mirror")))
        }
    }
}

/// Where every image goes. Two that would become one are refused, with both of their names.
fn targets(mapping: &Mapping, rows: &[Row]) -> Result<Vec<Reference>, Stop> {
    let mapped = mapping
        .map_all(rows.iter().map(|row| &row.reference))
        .map_err(|error| Stop::input(anyhow::anyhow!("{error}\nhint: choose another --map")))?;
    Ok(rows.iter().filter_map(|row| mapped.get(&row.reference).cloned()).collect())
}

fn copy(
    arguments: &MirrorArguments,
    session: &Session<'_>,
    loaded: &Loaded,
    rows: &[Row],
    targets: Vec<Reference>,
    allowed: &Allowed,
) -> Result<Vec<(Line, ExitStatus)>, Stop> {
    let request = |(row, to): (&Row, &Reference)| CopyRequest {
        name: row.reference.to_string(),
        from: row.pinned(),
        to: to.clone(),
        tags: tag(row).map(|tag| (tag.to_owned(), true)).into_iter().collect(),
        referrers: !arguments.no_referrers,
    };
    let requests: Vec<CopyRequest> = rows.iter().zip(&targets).map(request).collect();
    let references = requests.iter().flat_map(|request| [&request.from, &request.to]);
    let client = copies::client(session, Some(loaded), references)?;
    let ends = copies::run(session, Some(loaded), &client, &requests, arguments.progress)?;
    let mut lines = Vec::new();
    for ((row, to), end) in rows.iter().zip(targets).zip(ends) {
        lines.push(judge(session, &client, row, to, end, allowed)?);
    }
    Ok(lines)
}

/// The tag that an image has at a mirror; none if it is named by its digest only.
fn tag(row: &Row) -> Option<&str> {
    let is_pinned_by_itself = row.reference.tag().is_none() && row.digest.is_some();
    (!is_pinned_by_itself).then(|| row.reference.tag().unwrap_or("latest"))
}

/// What became of one image.
fn judge(
    session: &Session<'_>,
    client: &Registry,
    row: &Row,
    to: Reference,
    end: Result<Copied, EngineError>,
    allowed: &Allowed,
) -> Result<(Line, ExitStatus), Stop> {
    let mut line = Line::new(row, to, State::Copied);
    match end {
        Ok(copied) => {
            let there = platforms(client, row, &copied)?;
            let holes = copied.holes.iter().map(|hole| hole.platform.clone());
            let lacking = row.platforms.iter().filter(|wanted| !has(&there, wanted)).map(Platform::to_string);
            line.missing = holes.chain(lacking).collect::<BTreeSet<_>>().into_iter().collect();
            line.error = copied.holes.first().map(|hole| hole.detail.clone());
            line.state = if copied.is_unchanged() { State::Unchanged } else { State::Copied };
            line.copied = Some(copied);
        }
        Err(EngineError::Cancelled) => {
            line.state = State::Failed;
            line.error = Some("cancelled".to_owned());
            return Ok((line, ExitStatus::Refused));
        }
        Err(error) => {
            line.error = Some(error.to_string());
            // a registry that says no may be the other one
            let asked = crate::engine::block_on(client.digest_of(&row.pinned(), &Events::nowhere()));
            if !matches!(asked.map_err(Stop::environment)?, Ok(None)) {
                line.state = State::Failed;
                session.output.message(&format!("error: {error}"));
                return Ok((line, daemon::stop(error).status));
            }
            line.missing = row.platforms.iter().map(Platform::to_string).collect();
        }
    }
    if line.missing.is_empty() {
        return Ok((line, ExitStatus::Done));
    }
    let allowed = line.missing.iter().all(|platform| allowed.has(&row.reference, platform));
    line.state = if allowed { State::Incomplete } else { State::Missing };
    Ok((line, if allowed { ExitStatus::Done } else { ExitStatus::Refused }))
}

/// The platforms that were copied. An image without an index says its own in its configuration.
fn platforms(client: &Registry, row: &Row, copied: &Copied) -> Result<Vec<String>, Stop> {
    if !copied.platforms.is_empty() || !copied.holes.is_empty() {
        return Ok(copied.platforms.clone());
    }
    let reference = row.reference.with_digest(&copied.digest);
    let events = Events::nowhere();
    let named = crate::engine::block_on(client.named(&reference, &events)).map_err(Stop::environment)?;
    let named = named.map_err(daemon::stop)?;
    Ok(named.into_iter().flat_map(|named| named.images).map(|image| image.platform.to_string()).collect())
}

/// `linux/arm64/v8` is `linux/arm64`, and does for whoever wants that.
fn has(there: &[String], wanted: &Platform) -> bool {
    let wanted = wanted.to_string();
    let longer = format!("{wanted}/");
    there.iter().any(|own| *own == wanted || own.starts_with(&longer))
}

impl Line {
    fn new(row: &Row, to: Reference, state: State) -> Self {
        Self { from: row.pinned(), to, state, missing: Vec::new(), copied: None, error: None }
    }
}

fn show(
    arguments: &MirrorArguments,
    session: &Session<'_>,
    lines: &[impl std::borrow::Borrow<Line>],
) -> Result<(), Stop> {
    let lines: Vec<&Line> = lines.iter().map(std::borrow::Borrow::borrow).collect();
    if arguments.format == Format::Json {
        return session.output.json(&Document { schema: SCHEMA, images: &lines });
    }
    let width = lines.iter().map(|line| line.from.to_string().len()).max().unwrap_or(0);
    let mut text = String::new();
    for line in lines {
        let (state, from, to) = (line.state.word(), line.from.to_string(), &line.to);
        _ = writeln!(text, "{state:10}  {from:width$}  {to}");
        if !line.missing.is_empty() {
            _ = writeln!(text, "            missing: {}", line.missing.join(", "));
        }
        if let Some(error) = &line.error {
            _ = writeln!(text, "            {}", error.lines().next().unwrap_or_default());
        }
        if let Some(copied) = line.copied.as_ref().filter(|copied| !copied.is_unchanged()) {
            _ = writeln!(text, "            {}", what(copied));
        }
    }
    session.output.data(&text)
}

impl State {
    fn word(self) -> &'static str {
        match self {
            Self::Planned => "planned",
            Self::Copied => "copied",
            Self::Unchanged => "unchanged",
            Self::Incomplete => "incomplete",
            Self::Missing => "missing",
            Self::Failed => "failed",
        }
    }
}

/// What may be missing: images, each with its platforms, or with none for all of them.
struct Allowed {
    entries: Vec<(Reference, Option<String>)>,
}

impl Allowed {
    /// # Errors
    /// A word that is no reference, or names nothing that is copied.
    fn new(words: &[String], rows: &[Row]) -> Result<Self, Stop> {
        let mut entries = Vec::new();
        for word in words {
            let (reference, platform) = match word.split_once('=') {
                Some((reference, platform)) => (reference, Some(platform)),
                None => (word.as_str(), None),
            };
            let reference: Reference = reference.parse().map_err(Stop::input)?;
            let platform = platform.map(str::parse::<Platform>).transpose().map_err(Stop::input)?;
            if !rows.iter().any(|row| is_about(&reference, &row.reference)) {
                return Err(Stop::input(anyhow::anyhow!(
                    "--allow-missing {word} names nothing that is copied\nhint: `images --list` shows all of it"
                )));
            }
            entries.push((reference, platform.map(|platform| platform.to_string())));
        }
        Ok(Self { entries })
    }

    fn has(&self, reference: &Reference, platform: &str) -> bool {
        let fits = |(own, only): &(Reference, Option<String>)| {
            is_about(own, reference) && only.as_deref().is_none_or(|only| only == platform)
        };
        self.entries.iter().any(fits)
    }
}

/// Whether a word means a reference: without a tag, every tag.
fn is_about(word: &Reference, reference: &Reference) -> bool {
    word.name() == reference.name() && word.tag().is_none_or(|tag| reference.tag() == Some(tag))
}
