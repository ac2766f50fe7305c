//! A reference in one piece, and the name and tag to write.

use super::{Case, Edits};
use crate::migrate::edit::Edit;
use crate::migrate::ledger::NewTag;
use crate::migrate::scan::{PlaceKind, Tag};

/// Replaces name and tag.
pub(super) fn edits(case: &Case<'_>) -> Edits {
    if case.answer.changes_contract() && case.place.container.is_none() && starts_it(case.place.kind) {
        let command = case.answer.command().unwrap_or_default().join(" ");
        return Err(format!(
            "the contract has changed: its consumer must start `{command}`, which cannot be written here"
        ));
    }
    let name = name(case)?;
    let range = case.mention.range();
    match &case.mention.tag {
        Tag::Computed(tag) => {
            let computed = case.text(tag.clone());
            computed_tag(case, &computed)?;
            let kept = format!("{name}:{computed}");
            Ok((kept, vec![Edit::replace(case.mention.name.clone(), name)]))
        }
        Tag::None if names_only(case) => Ok((name.clone(), vec![Edit::replace(range, name)])),
        Tag::None | Tag::Is(_) => {
            let text = match &case.answer.tag {
                NewTag::Is(tag) => format!("{name}:{tag}"),
                NewTag::None => name,
                NewTag::Unknown(why) => return Err(why.clone()),
            };
            Ok((text.clone(), vec![Edit::replace(range, text)]))
        }
    }
}

/// A computed tag stays only where any tag will do.
pub(super) fn computed_tag(case: &Case<'_>, computed: &str) -> Result<(), String> {
    let any_will_do =
        case.answer.floor.is_none() && case.answer.steps.iter().all(|step| step.tag == crate::manifest::TagRule::Keep);
    if any_will_do {
        return Ok(());
    }
    let goal = case.answer.reference();
    let floor = case.answer.floor.as_ref().map(|floor| format!(", and none below {floor} will do")).unwrap_or_default();
    Err(format!("its tag is computed (`{computed}`){floor}: write {goal}, or change what computes it"))
}

/// Places that start the image and could not say how.
fn starts_it(kind: PlaceKind) -> bool {
    !matches!(kind, PlaceKind::Markdown | PlaceKind::SourceComment | PlaceKind::Comment)
}

/// Places in which a name without a tag is a name, not the newest tag.
fn names_only(case: &Case<'_>) -> bool {
    let prose = matches!(
        case.place.kind,
        PlaceKind::Markdown | PlaceKind::Text | PlaceKind::SourceComment | PlaceKind::Constant | PlaceKind::Matrix
    );
    prose || case.mention.is_bare(case.context.bytes)
}

/// The new name where the old one stands: a mirror's registry and prefix stay, and so does a written `docker.io/`.
pub(super) fn name(case: &Case<'_>) -> Result<String, String> {
    let old = case.text(case.mention.name.clone());
    let Some(kept) = case.answer.mirrored else {
        let new = case.answer.name.as_ref().map(ToString::to_string).unwrap_or_default();
        let hub = case.answer.name.as_ref().is_some_and(|name| name.registry == "docker.io");
        let written = ["docker.io/", "index.docker.io/"].iter().find(|hub| old.starts_with(**hub));
        return Ok(match written.filter(|_| hub) {
            Some(written) => format!("{written}{new}"),
            None => new,
        });
    };
    let below = case.answer.path_below().ok_or("the ledger names no replacement")?;
    let parts: Vec<&str> = old.split('/').collect();
    let prefix = parts[..parts.len().saturating_sub(kept)].join("/");
    Ok(if prefix.is_empty() { below } else { format!("{prefix}/{below}") })
}
