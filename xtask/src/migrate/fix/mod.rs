//! From a retired reference to the edits that put it right, or to the reason why there are none.
//!
//! | file | is |
//! |---|---|
//! | `reference.rs` | a reference in one piece, and the name and tag to write |
//! | `parts.rs` | a reference in several values: `registry`, `repository`, `tag`, `digest`; half an override |
//! | `kustomize.rs` | `images:` of a Kustomization |
//! | `lists.rs` | names alone, in lists of a CI matrix |
//! | `command.rs` | `command` and `args` that a changed contract asks for |
//! | `fold.rs` | several old keys that become one |
//!
//! What is written is never a guess: an old tag goes to a new repository only where the ledger says that tags stay the same, a tag
//! that cannot be compared with the floor stops the edit, and a digest names bytes that the new image does not have.

mod command;
mod fold;
mod kustomize;
mod lists;
mod parts;
mod reference;
#[cfg(test)]
mod tests;

pub(crate) use fold::fold;
pub(crate) use parts::half;

use crate::manifest::RetirementKind;
use crate::migrate::edit::Edit;
use crate::migrate::ledger::Answer;
use crate::migrate::scan::{Context, Fix, Mention, Place, PlaceKind};

/// Everything that is known of a retired reference.
#[derive(Debug)]
pub(crate) struct Case<'a> {
    pub context: &'a Context<'a>,
    pub mention: &'a Mention,
    pub place: &'a Place,
    pub answer: &'a Answer<'a>,
}

/// What becomes of it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Fixed {
    pub written: String,
    pub expected: String,
    pub fix: Fix,
    pub notes: Vec<String>,
}

impl Case<'_> {
    /// The text of a range.
    fn text(&self, range: std::ops::Range<usize>) -> String {
        String::from_utf8_lossy(&self.context.bytes[range]).into_owned()
    }

    fn note(&self) -> String {
        self.answer.steps.iter().rev().find_map(|entry| entry.note.clone()).unwrap_or_default()
    }
}

/// Decides what becomes of a retired reference.
pub(crate) fn fix(case: &Case<'_>) -> Fixed {
    let written = case.text(case.mention.range());
    let done = |expected: String, fix: Fix| Fixed { written: written.clone(), expected, fix, notes: notes(case) };
    let goal = case.answer.reference();
    if case.answer.is_cycle {
        return done(String::new(), explained("the chain of the ledger bites its tail: see `ledger check`"));
    }
    if let Some(fix) = removal(case) {
        return done(String::new(), fix);
    }
    if let Some(why) = nothing_to_write(case) {
        return done(String::new(), Fix::Explained(why));
    }
    if let Some(digest) = digest(case) {
        let digest: String = digest.chars().take(24).collect();
        return done(
            goal.clone(),
            Fix::Explained(format!(
                "the digest {digest}… names bytes of the retired image and cannot be mapped to a version: write {goal}, and pin it anew"
            )),
        );
    }
    let result = match case.place.kind {
        PlaceKind::Kustomize => kustomize::edits(case),
        PlaceKind::Matrix if case.mention.is_bare(case.context.bytes) => lists::edits(case),
        _ if parts::is_split(case) => parts::edits(case),
        _ => reference::edits(case),
    };
    match result.and_then(|(expected, edits)| Ok((expected, edits, command::edits(case)?))) {
        Ok((expected, edits, more)) => done(expected, Fix::Edits([edits, more].concat())),
        Err(why) => done(goal, Fix::Explained(why)),
    }
}

/// What should be there and the edits, or why there are none.
type Edits = Result<(String, Vec<Edit>), String>;

fn explained(why: &str) -> Fix {
    Fix::Explained(why.to_owned())
}

/// An override goes where consumers find the new image by themselves; its siblings stay.
fn removal(case: &Case<'_>) -> Option<Fix> {
    if !case.place.is_override || !case.answer.is_consumer_default() {
        return None;
    }
    // the whole value, not a word in a script
    let value = case.place.value.clone()?;
    let is_all = value.end == case.mention.range().end && value.start <= case.mention.name.start;
    let removal = case.place.removal.clone().filter(|_| is_all)?;
    let variable = case.place.kind == PlaceKind::Environment && case.place.key == "value";
    if removal.is_only && !variable {
        let name = case.place.object.as_ref().map(|object| object.name.as_str()).filter(|name| !name.is_empty());
        let name = name.map(|name| format!(" `{name}`")).unwrap_or_default();
        let key = &case.place.key;
        return Some(Fix::Explained(format!(
            "`{key}` is the only key, and consumers take the new image by themselves: delete the whole object{name}"
        )));
    }
    Some(Fix::Edits(vec![Edit::remove(removal.range)]))
}

fn nothing_to_write(case: &Case<'_>) -> Option<String> {
    let entry = case.answer.steps[case.answer.steps.len() - 1];
    let note = case.note();
    let why = match entry.kind {
        RetirementKind::MustBeAbsent => "it must not be there any more: remove what uses it".to_owned(),
        RetirementKind::Withdrawn | RetirementKind::PlatformDropped if case.answer.name.is_none() => {
            format!("it {} and has no replacement: remove what uses it", entry.kind.in_words())
        }
        _ if case.answer.name.is_none() => "the ledger names no replacement: see `ledger check`".to_owned(),
        _ => return None,
    };
    Some(if note.is_empty() { why } else { format!("{why} ({note})") })
}

/// The digest that is written, in the reference or beside it.
fn digest(case: &Case<'_>) -> Option<String> {
    if let Some(digest) = case.mention.digest.clone() {
        return Some(case.text(digest).trim_start_matches('@').to_owned());
    }
    let beside = ["digest", "sha", "sha256"].iter().find_map(|key| case.place.sibling(key))?;
    Some(case.text(beside.value.clone())).filter(|digest| !digest.is_empty())
}

fn notes(case: &Case<'_>) -> Vec<String> {
    let mut notes: Vec<String> = Vec::new();
    let chain: Vec<&str> = case.answer.steps.iter().map(|step| step.text.as_str()).collect();
    if chain.len() > 1 {
        notes.push(format!("followed: {}", chain.join(" → ")));
    }
    if case.answer.mirrored.is_some() && case.answer.name.is_some() {
        notes.push(format!("this is a mirror: it must hold {}", case.answer.reference()));
    }
    let is_prose = matches!(case.place.kind, PlaceKind::Markdown | PlaceKind::SourceComment);
    if let (Some(command), None, false) = (case.answer.command(), &case.place.container, is_prose) {
        notes.push(format!("consumers of the new image must start {}", command.join(" ")));
    }
    notes
}
