//! `promote`: images from one environment to another by digest, and their tags; dry unless it is confirmed.
//!
//! Everything is asked before anything is changed: which digest each image has, and what each of its tags names at the
//! destination. A tag that would have to be taken from another image ends the run there.

mod show;
mod wanted;

pub(super) use show::what;

use std::collections::BTreeMap;

use futures_util::future::join_all;
use serde::Serialize;

use super::args::{Format, PromoteArguments};
use super::session::{Loaded, Session};
use super::status::{ExitStatus, Stop};
use super::{copies, daemon, swap};
use crate::engine::registry::{Copied, CopyRequest, Registry};
use crate::engine::{EngineError, Events};
use crate::oci::{Digest, Reference};
use crate::policy::Policy;
use crate::release::{Candidate, Fate, Promotion, Recording, fate};
use crate::source::{SourceFile, SourceMap};
use crate::workspace::{read_file, write};
use wanted::{Ends, Wish};

/// What is done with one image.
#[derive(Debug, Serialize)]
pub(super) struct Planned {
    /// The repository, below the registries of both ends.
    name: String,
    /// Where it is.
    source: Reference,
    /// What it is.
    digest: Digest,
    /// The repository that it goes to.
    destination: Reference,
    tags: Vec<PlannedTag>,
    /// What was copied; absent in a dry run.
    #[serde(skip_serializing_if = "Option::is_none")]
    copied: Option<Copied>,
    /// Why it was not.
    #[serde(skip_serializing_if = "Option::is_none")]
    error: Option<String>,
}

/// One tag of it.
#[derive(Debug, Serialize)]
pub(super) struct PlannedTag {
    tag: String,
    moves: bool,
    #[serde(flatten)]
    fate: Fate,
}

/// `promote`.
pub(super) fn run(arguments: &PromoteArguments, session: &Session<'_>) -> Result<ExitStatus, Stop> {
    if let Some(pair) = &arguments.swap {
        return swap::run(pair, arguments, session);
    }
    copies::refuse_offline(session, "promote")?;
    let loaded = wanted::load(arguments, session)?;
    let policy = match &loaded {
        Some(loaded) => {
            Policy::new(&loaded.manifests).map_err(|problems| session.bad_input(&problems, &loaded.sources.map))?
        }
        None => Policy::default(),
    };
    let ends = Ends::new(arguments, &policy)?;
    let wishes = wanted::wishes(arguments, session, loaded.as_ref(), &ends, &policy)?;
    let references: Vec<&Reference> = wishes.iter().flat_map(|wish| [&wish.source, &wish.destination]).collect();
    let client = copies::client(session, loaded.as_ref(), references)?;
    let mut planned = plan(&client, &wishes, &policy)?;
    refuse_unsigned(&client, &ends, &planned)?;
    let taken = show::taken(&planned);
    // a manifest that cannot be written to is found out before anything is copied
    let recording = if taken.is_empty() { recording(arguments, session, &planned)? } else { None };
    let mut status = ExitStatus::Done;
    if arguments.confirm && taken.is_empty() {
        status = copy(arguments, session, loaded.as_ref(), &client, &mut planned)?;
    }
    let recorded = if status == ExitStatus::Done { recording } else { self::recording(arguments, session, &planned)? };
    show::all(arguments, session, &ends, &planned, recorded.as_ref())?;
    if !taken.is_empty() {
        return Err(Stop::refused(anyhow::anyhow!(
            "a tag that was published is not taken from its image, so that nothing is promoted\n{taken}\
             hint: give the image another tag, or name tags that move with --moving or in [tags] of groupage.toml"
        )));
    }
    if let (true, Some(recording), Some(path)) = (arguments.confirm, &recorded, &arguments.record)
        && !recording.is_empty()
    {
        write::file(&session.path(path), recording.apply().as_bytes(), 0o644).map_err(Stop::environment)?;
    }
    if !arguments.confirm && arguments.format == Format::Text {
        session.output.message("note: nothing was changed; --confirm does it");
    }
    Ok(status)
}

/// What becomes of every wish. All registries are asked at once.
fn plan(client: &Registry, wishes: &[Wish], policy: &Policy) -> Result<Vec<Planned>, Stop> {
    let asked = join_all(wishes.iter().map(|wish| plan_one(client, wish, policy)));
    crate::engine::block_on(asked).map_err(Stop::environment)?.into_iter().collect()
}

async fn plan_one(client: &Registry, wish: &Wish, policy: &Policy) -> Result<Planned, Stop> {
    let events = Events::nowhere();
    let digest_of = async |reference: &Reference| client.digest_of(reference, &events).await.map_err(daemon::stop);
    let there = wish.digest.as_ref().map(|digest| wish.destination.with_digest(digest));
    let (source, digest) = match (digest_of(&wish.source).await?, there) {
        (Some(digest), _) => (wish.source.clone(), digest),
        // what is promoted already need not be at the source any more
        (None, Some(there)) => match digest_of(&there).await? {
            Some(digest) => (there, digest),
            None => return Err(nowhere(wish)),
        },
        (None, None) => return Err(nowhere(wish)),
    };
    let known = match wish.tags.values().any(|moves| *moves) {
        true => client.tags_so_far(&wish.destination, &events).await.map_err(daemon::stop)?,
        false => Vec::new(),
    };
    let grammar = policy.classes.grammar(&wish.destination.name());
    let mut tags = Vec::new();
    for (tag, moves) in &wish.tags {
        let named = wish.tagged(tag)?;
        let there = digest_of(&named).await?;
        let candidate = Candidate { tag, moves: *moves, digest: &digest, version: wish.version.as_ref() };
        let fate = fate(candidate, there.as_ref(), &known, grammar);
        tags.push(PlannedTag { tag: tag.clone(), moves: *moves, fate });
    }
    let (name, destination) = (wish.name.clone(), wish.destination.clone());
    Ok(Planned { name, source, digest, destination, tags, copied: None, error: None })
}

/// An environment may want signatures; they go along with their image, and without one nothing is copied.
fn refuse_unsigned(client: &Registry, ends: &Ends, planned: &[Planned]) -> Result<(), Stop> {
    let Some(environment) = &ends.signed else { return Ok(()) };
    let events = Events::nowhere();
    let images: Vec<Reference> = planned.iter().map(|one| one.source.with_digest(&one.digest)).collect();
    let asked = join_all(images.iter().map(|image| client.is_signed(image, &events)));
    let mut unsigned = String::new();
    for (image, signed) in images.iter().zip(crate::engine::block_on(asked).map_err(Stop::environment)?) {
        if !signed.map_err(daemon::stop)? {
            unsigned.push_str(&format!("  {image}\n"));
        }
    }
    if unsigned.is_empty() {
        return Ok(());
    }
    Err(Stop::refused(anyhow::anyhow!(
        "environment `{environment}` wants signatures, and nothing is promoted without\n{unsigned}\
         hint: sign each by its digest, where it is; promote copies the signature too"
    )))
}

fn nowhere(wish: &Wish) -> Stop {
    Stop::refused(anyhow::anyhow!(
        "{} is neither there nor at {}, or not for this account\n\
         hint: build and push it first, name what is there as REPOSITORY:TAG, or run `docker login`",
        wish.source,
        wish.destination
    ))
}

/// Copies what was planned; the worst of all ends.
fn copy(
    arguments: &PromoteArguments,
    session: &Session<'_>,
    loaded: Option<&Loaded>,
    client: &Registry,
    planned: &mut [Planned],
) -> Result<ExitStatus, Stop> {
    let request = |one: &Planned| CopyRequest {
        name: one.name.clone(),
        from: one.source.with_digest(&one.digest),
        to: one.destination.clone(),
        tags: one.tags.iter().filter(|tag| tag.fate.is_given()).map(|tag| (tag.tag.clone(), tag.moves)).collect(),
        referrers: !arguments.no_referrers,
    };
    let requests: Vec<CopyRequest> = planned.iter().map(request).collect();
    let mut status = ExitStatus::Done;
    let ends = copies::run(session, loaded, client, &requests, arguments.progress)?;
    for (one, end) in planned.iter_mut().zip(ends) {
        match end {
            Ok(copied) if copied.holes.is_empty() => one.copied = Some(copied),
            Ok(copied) => {
                let holes: Vec<String> =
                    copied.holes.iter().map(|hole| format!("{} ({})", hole.platform, hole.detail)).collect();
                one.error = Some(format!("{} lacks {}", one.source, holes.join(", ")));
                one.copied = Some(copied);
                status = status.max(ExitStatus::Refused);
            }
            Err(error) => {
                one.error = Some(error.to_string());
                status = status.max(stopped(error));
            }
        }
        if let Some(error) = &one.error {
            session.output.message(&format!("error: {error}"));
        }
    }
    Ok(status)
}

fn stopped(error: EngineError) -> ExitStatus {
    daemon::stop(error).status
}

/// What is written down: tags that do not move, of images that are there.
fn recording(
    arguments: &PromoteArguments,
    session: &Session<'_>,
    planned: &[Planned],
) -> Result<Option<Recording>, Stop> {
    let Some(path) = &arguments.record else { return Ok(None) };
    let path = session.path(path);
    let text = match read_file(&path) {
        Ok(bytes) => String::from_utf8(bytes).map_err(|_| Stop::input(anyhow::anyhow!("{path} is not UTF-8")))?,
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => String::new(),
        Err(error) => return Err(Stop::input(error)),
    };
    let whole = planned.iter().filter(|one| one.error.is_none());
    let promotions: Vec<Promotion> = whole.flat_map(promotions).collect();
    let mut map = SourceMap::default();
    let id = map.add(SourceFile::new(arguments.record.clone().unwrap_or_default(), text.as_str()));
    let recording = Recording::new(id, &text, &promotions);
    recording.map(Some).map_err(|problems| session.bad_input(&problems, &map))
}

fn promotions(one: &Planned) -> Vec<Promotion> {
    let lasting = one.tags.iter().filter(|tag| !tag.moves && tag.fate.is_given());
    let promotion =
        |tag: &PlannedTag| Promotion { name: one.name.clone(), tag: tag.tag.clone(), digest: one.digest.clone() };
    lasting.map(promotion).collect()
}

/// Tags of one image, each with whether it moves.
pub(super) type Tags = BTreeMap<String, bool>;
