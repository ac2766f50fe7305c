//! Overrides that say half of what an image is, across a change of its default.
//!
//! A default moves, and its tags start anew: `kube-logging/config-reloader:v0.0.6` became
//! `kube-logging/logging-operator/config-reloader:5.2.0`. An override of one field that was written for the one now meets the
//! rest of the other, and names an image that nobody ever published. What a component replaces says where its image was before;
//! what it relies on is its contract, which has a name, so that another program cannot slip in under an old override.

use std::cmp::Ordering;

use super::fields::{CONTRACT, Field, Said, Subject};
use super::value::{Candidate, Overrides, at};
use crate::diagnostic::Diagnostic;
use crate::manifest::{Replaces, RetirementKind};
use crate::oci::{ImageSource, Reference};
use crate::policy::compare;

/// What is wrong with an override that says some fields of `subject`, whose image was elsewhere before.
///
/// # Errors
/// Both readings, when the override crosses a move.
pub(super) fn check(
    said: &Said<'_>,
    subject: &Subject<'_>,
    replaces: &[Replaces],
    result: &Reference,
) -> Result<(), Diagnostic> {
    if said.whole.is_some() {
        return Ok(());
    }
    let default = subject.written.and_then(ImageSource::reference);
    let Some(default) = default else { return Ok(()) };
    for moved in replaces.iter().filter(|entry| is_move(entry, default)) {
        let (old, since) = (&moved.image.value, since(moved));
        let is_older = |tag: &str| moved.since.iter().all(|since| compare(tag, &since.value) == Some(Ordering::Less));
        match (said.field(Field::Repository), said.field(Field::Tag)) {
            (None, Some(tag)) if is_older(tag.value) => {
                let before = with_tag(old, tag.value);
                return Err(crossing(subject, tag, moved, &before, result));
            }
            (Some(repository), None) if said.field(Field::Digest).is_none() && is_mirror_of(result, old, default) => {
                let before = format!("{} with a tag from before {since}", result.name());
                return Err(crossing(subject, repository, moved, &before, result));
            }
            _ => {}
        }
    }
    Ok(())
}

/// The contract that an override was made for must be the one that users rely on. An override that stays with the repository of
/// the default need not say one.
///
/// # Errors
/// Both contract ids.
pub(super) fn contract(
    overrides: &Overrides,
    said: &Said<'_>,
    subject: &Subject<'_>,
    result: &ImageSource,
) -> Result<(), Diagnostic> {
    let key = format!("{}.{CONTRACT}", subject.owner);
    let (given, wanted) = (overrides.winner(&key)?, subject.contract);
    match (given, wanted) {
        (None, None) => Ok(()),
        (Some(given), Some(wanted)) if given.value == wanted.value.as_str() => Ok(()),
        (Some(given), Some(wanted)) => {
            let message = format!(
                "the override of `{}` was made for contract `{}`, and `{}` is needed",
                subject.owner, given.value, wanted.value
            );
            let refused = Diagnostic::error("contract-mismatch", message).label(wanted.span, "needed here");
            let help = "an image for another contract starts another program: find one for this contract, or remove the override";
            Err(at(refused, given.place).help(help))
        }
        (Some(given), None) => {
            let message = format!("`{key}` from {} names a contract, and `{}` has none", given.source, subject.owner);
            Err(at(Diagnostic::error("contract-mismatch", message), given.place)
                .help("remove it, or give the image a `contract` where it is defined"))
        }
        (None, Some(wanted)) => {
            let Some(strongest) = said.strongest() else { return Ok(()) };
            if keeps_repository(subject, result) {
                return Ok(());
            }
            let message = format!(
                "the override of `{}` names another image and no contract, and `{}` is needed",
                subject.owner, wanted.value
            );
            let refused = Diagnostic::error("contract-mismatch", message).label(wanted.span, "needed here");
            let help = format!("if {result} keeps it, say so: `{key}` = \"{}\"", wanted.value);
            Err(at(refused, strongest.place).note(format!("from {}", strongest.source)).help(help))
        }
    }
}

fn keeps_repository(subject: &Subject<'_>, result: &ImageSource) -> bool {
    let path = |source: &ImageSource| source.reference().map(|reference| path(reference).to_owned());
    match (subject.written.and_then(path), path(result)) {
        (Some(default), Some(own)) => own == default || own.ends_with(&format!("/{default}")),
        _ => false,
    }
}

/// Whether an entry says where the default was before: under another name, with the same or another content.
fn is_move(entry: &Replaces, default: &Reference) -> bool {
    use RetirementKind::{Folded, Moved, Renamed, Replaced, Variant};
    let kind = matches!(entry.kind.value, Moved | Renamed | Replaced | Folded | Variant);
    kind && path(&entry.image.value) != path(default)
}

/// Whether a name ends as the old one does, whole path segments, and not as the default does.
fn is_mirror_of(result: &Reference, old: &Reference, default: &Reference) -> bool {
    let own = path(result);
    let ends_as = |other: &str| own == other || own.ends_with(&format!("/{other}"));
    ends_as(path(old)) && !ends_as(path(default))
}

/// The repository without what only Docker Hub has.
fn path(reference: &Reference) -> &str {
    let repository = reference.repository();
    repository.strip_prefix("library/").unwrap_or(repository)
}

/// The first version of each release line in which the image was elsewhere.
fn since(moved: &Replaces) -> String {
    moved.since.iter().map(|since| since.value.as_str()).collect::<Vec<_>>().join(", ")
}

fn with_tag(reference: &Reference, tag: &str) -> String {
    format!("{}:{tag}", reference.name())
}

fn crossing(
    subject: &Subject<'_>,
    found: &Candidate<'_>,
    moved: &Replaces,
    before: &str,
    result: &Reference,
) -> Diagnostic {
    let (old, since) = (&moved.image.value, since(moved));
    let message = format!(
        "the override of `{}` from {} says half: its image was {old} before {since}",
        subject.owner, found.source
    );
    let refused = Diagnostic::error("half-override", message).label(moved.image.span, "the move");
    at(refused, found.place)
        .note(format!("with the default of now it reads {result}"))
        .note(format!("as it was meant before it reads {before}"))
        .help(format!("say both, `{0}.repository` and `{0}.tag`, or remove the override", subject.owner))
}
