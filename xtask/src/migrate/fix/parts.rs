//! A reference in several values. Each value is changed only where it must be; a value that is absent stays absent, because the
//! consumer's own default is then at work.

use super::reference::{computed_tag, name};
use super::{Case, Edits, Fixed};
use crate::migrate::edit::Edit;
use crate::migrate::ledger::{Answer, NewTag, is_below};
use crate::migrate::scan::{Fix, PlaceKind, Sibling, Tag, is_computed};

/// Whether the reference is spread over values.
pub(super) fn is_split(case: &Case<'_>) -> bool {
    let beside = ["tag", "registry", "version"].iter().any(|key| case.place.sibling(key).is_some());
    let key = matches!(case.place.key.as_str(), "repository" | "image" | "name" | "repo");
    let repository = case.place.key == "repository" && case.place.kind != PlaceKind::Markdown;
    case.mention.tag == Tag::None && (repository || (key && beside))
}

/// Changes the repository, and registry and tag beside it.
pub(super) fn edits(case: &Case<'_>) -> Edits {
    let (mut expected, mut edits) = names(case)?;
    let tag = case.place.sibling("tag").or_else(|| case.place.sibling("version"));
    if let Some(tag) = tag.filter(|tag| !tag.value.is_empty()) {
        let old = case.text(tag.value.clone());
        if is_computed(&old) {
            computed_tag(case, &old)?;
        } else {
            match &case.answer.tag {
                NewTag::Is(new) => {
                    expected = format!("{expected}:{new}");
                    edits.extend((*new != old).then(|| value(tag, new)));
                }
                NewTag::None => {}
                NewTag::Unknown(why) => return Err(why.clone()),
            }
        }
    }
    Ok((expected, edits))
}

/// Registry and repository: in one value, or in two.
fn names(case: &Case<'_>) -> Edits {
    let own = |name: String| Ok((name.clone(), vec![Edit::replace(case.mention.name.clone(), name)]));
    let registry = case.place.sibling("registry").filter(|registry| !registry.value.is_empty());
    let has_own =
        case.text(case.mention.name.clone()).split_once('/').is_some_and(|(first, _)| first.contains(['.', ':']));
    let Some(registry) = registry.filter(|_| !has_own) else { return own(name(case)?) };
    if case.answer.mirrored.is_some() {
        return own(name(case)?);
    }
    let Some(new) = &case.answer.name else { return own(name(case)?) };
    let path = new.parts.join("/");
    let mut edits = vec![Edit::replace(case.mention.name.clone(), path)];
    let old = case.text(registry.value.clone());
    edits.extend((old != new.registry).then(|| value(registry, &new.registry)));
    Ok((new.to_string(), edits))
}

/// Half an override: an old tag that would be glued to the new repository.
pub(crate) fn half(answer: &Answer<'_>, tag: &Sibling, old: &str) -> Option<Fixed> {
    let name = answer.name.as_ref()?;
    let floor = answer.floor.as_deref()?;
    let good = crate::migrate::ledger::compare(old, floor).is_some_and(std::cmp::Ordering::is_ge);
    if good {
        return None;
    }
    let fix = match &answer.tag {
        NewTag::Is(new) if !is_computed(old) && !is_below(new, floor) => Fix::Edits(vec![value(tag, new)]),
        NewTag::Is(_) | NewTag::None => {
            Fix::Explained(format!("the tag `{old}` is computed: none below {floor} will do"))
        }
        NewTag::Unknown(why) => Fix::Explained(why.clone()),
    };
    let notes = vec![format!("alone, this tag would be glued to the new repository: {name}:{old}")];
    Some(Fixed { written: old.to_owned(), expected: answer.reference(), fix, notes })
}

/// Another value; quoted where it would else be a number.
pub(super) fn value(old: &Sibling, new: &str) -> Edit {
    let is_number = new.parse::<f64>().is_ok() || matches!(new, "true" | "false" | "null");
    let text = if is_number && !old.is_quoted { format!("\"{new}\"") } else { new.to_owned() };
    Edit::replace(old.value.clone(), text)
}
