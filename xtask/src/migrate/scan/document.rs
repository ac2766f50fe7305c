//! The Kubernetes object that a line belongs to.

use super::finding::Object;
use super::lines::Tree;

/// How many keys are looked at on either side.
const MOST: usize = 32;

/// The innermost object around a node: a mapping with `kind` and `metadata`, also as an item of a `List`.
pub(super) fn object(bytes: &[u8], tree: &Tree<'_>, index: usize) -> Option<Object> {
    let around = std::iter::once(index).chain(tree.above(index).take(MOST));
    around.into_iter().find_map(|index| {
        let beside = tree.beside(index, MOST);
        let find = |key: &[u8]| beside.iter().copied().find(|other| tree.key_of(*other) == Some(key));
        let kind = text(bytes, tree, find(b"kind")?);
        let metadata = find(b"metadata")?;
        let name = tree.first_child(metadata).and_then(|child| {
            let beside = tree.beside(child, MOST);
            beside.into_iter().find(|other| tree.key_of(*other) == Some(b"name"))
        });
        let name = name.map(|name| text(bytes, tree, name)).unwrap_or_default();
        Some(Object { kind, name }).filter(|object| !object.kind.is_empty())
    })
}

fn text(bytes: &[u8], tree: &Tree<'_>, index: usize) -> String {
    String::from_utf8_lossy(&bytes[tree.value_of(index)]).into_owned()
}
