//! Half an override: a tag under a key whose repository is the consumer's default. When the default moves, the old tag would be
//! glued to the new repository.

use super::context::Context;
use super::flow;
use super::index::Hit;
use super::lines::Form;
use super::place::{Place, PlaceKind, Sibling};

/// The tag below a key of the ledger, when no repository stands beside it.
pub(super) fn half(context: &Context<'_>, hit: Hit) -> Option<(Place, Sibling)> {
    let tree = context.tree.as_ref()?;
    let index = tree.at(hit.start)?;
    let node = tree.node(index);
    if node.start as usize != hit.start || !matches!(node.form, Form::Key(colon) if colon as usize == hit.end) {
        return None;
    }
    let mut place = Place::plain(PlaceKind::HalfValues);
    place.key = String::from_utf8_lossy(tree.key_of(index)?).into_owned();
    place.path = place.key.clone();
    place.document = tree.document_of(index);
    let value = tree.value_of(index);
    let siblings = if context.bytes.get(value.start) == Some(&b'{') {
        let flow = flow::around(context.bytes, value.start, value.start + 1)?;
        let own = flow.entry().clone();
        let own = Sibling { key: own.key, value: own.value, is_quoted: own.is_quoted };
        std::iter::once(own).chain(flow.siblings()).collect()
    } else {
        let children = tree.first_child(index).map(|child| tree.beside(child, 16)).unwrap_or_default();
        let sibling = |child: usize| {
            let value = tree.value_of(child);
            let key = String::from_utf8_lossy(tree.key_of(child)?).into_owned();
            let is_quoted = value.start > 0 && matches!(context.bytes[value.start - 1], b'"' | b'\'');
            Some(Sibling { key, value, is_quoted })
        };
        children.into_iter().filter_map(sibling).collect::<Vec<_>>()
    };
    if siblings.iter().any(|sibling| matches!(sibling.key.as_str(), "repository" | "image")) {
        return None;
    }
    let tag = siblings.into_iter().find(|sibling| sibling.key == "tag" && !sibling.value.is_empty())?;
    Some((place, tag))
}
