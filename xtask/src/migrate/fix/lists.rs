//! A name alone in a list, as CI matrices have it: it becomes the new name, or goes where that is in the list already.

use super::{Case, Edits};
use crate::migrate::edit::Edit;

/// Changes or removes the item.
pub(super) fn edits(case: &Case<'_>) -> Edits {
    let new = case.answer.path_below().or_else(|| case.answer.name.as_ref().map(|name| name.last().to_owned()));
    let new = new.ok_or("the ledger names no replacement")?;
    let is_there = case.place.items.iter().any(|item| case.context.bytes.get(item.clone()) == Some(new.as_bytes()));
    match &case.place.removal {
        Some(removal) if is_there && !removal.is_only => Ok((String::new(), vec![Edit::remove(removal.range.clone())])),
        _ => Ok((new.clone(), vec![Edit::replace(case.mention.name.clone(), new)])),
    }
}
