//! `images:` of a Kustomization. `name` says which image of the resources is meant and stays: resources of others still have it.
//! What is put in its place, `newName` and `newTag`, is written.

use super::parts::value;
use super::{Case, Edits};
use crate::migrate::edit::Edit;
use crate::migrate::ledger::NewTag;
use crate::migrate::scan::is_computed;

/// Changes or adds `newName` and `newTag`.
pub(super) fn edits(case: &Case<'_>) -> Edits {
    let tag = match &case.answer.tag {
        NewTag::Is(tag) => Some(tag.as_str()),
        NewTag::None => None,
        NewTag::Unknown(why) => return Err(why.clone()),
    };
    let is_new_name = case.place.key == "newName";
    let name = if is_new_name || case.answer.mirrored.is_some() {
        super::reference::name(case)?
    } else {
        case.answer.name.as_ref().map(ToString::to_string).unwrap_or_default()
    };
    let expected = tag.map_or_else(|| name.clone(), |tag| format!("{name}:{tag}"));
    let mut edits = Vec::new();
    let mut added = String::new();
    let insertion =
        case.place.insertion.as_ref().ok_or("nothing can be added here: write `newName` and `newTag` by hand")?;
    let quote = if insertion.is_json { "\"" } else { "" };
    let mut add = |key: &str, text: &str| {
        added.push_str(&format!("{}{quote}{key}{quote}: \"{text}\"", insertion.before));
    };
    if is_new_name {
        edits.push(Edit::replace(case.mention.name.clone(), name));
    } else {
        let plain = format!("{}{quote}newName{quote}: {quote}{name}{quote}", insertion.before);
        edits.push(Edit::insert(insertion.at, plain));
    }
    match (case.place.sibling("newTag"), tag) {
        (Some(old), Some(new)) => {
            let text = case.text(old.value.clone());
            if is_computed(&text) {
                return Err(format!("newTag is computed (`{text}`): write {expected}"));
            }
            edits.extend((text != new).then(|| value(old, new)));
        }
        (None, Some(new)) => add("newTag", new),
        (_, None) => {}
    }
    if let (false, Some(first)) = (added.is_empty(), edits.first_mut()) {
        // beside the other insertion, so that they come in order
        if is_new_name {
            edits.push(Edit::insert(insertion.at, added));
        } else {
            first.text.push_str(&added);
        }
    }
    Ok((expected, edits))
}
