//! The order of the layers of an image: what has changed last lies on top.
//!
//! A daemon knows a layer by all that is below it. When one changes, those above it have to be sent and unpacked again,
//! although nothing is new in them. So layers that the image had before stay where they are, in the order that they have there,
//! and those that changed go above them: the first change of a component moves it up, and each later one costs one layer.
//! The image's own description stays the last one.
//!
//! **It is done only where nobody can see it**: when no two layers say different things of a path ([`is_free`]).

use std::collections::BTreeMap;

use crate::engine::native::{EntryKind, LayerEntry, LayerPlan};
use crate::oci::Layer;

/// A layer that an image had, lowest first in a list.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Had {
    /// What it was called.
    pub(super) name: String,
    /// Its diff ID.
    pub(super) diff_id: String,
}

/// The places of layers, lowest first: the last one stays where it is.
pub(super) fn order(wanted: &[LayerPlan], layers: &[Layer], had: &[Had]) -> Vec<usize> {
    let mut order: Vec<usize> = (0..wanted.len()).collect();
    if !is_free(wanted) {
        return order;
    }
    let last = order.pop();
    let place = |index: &usize| had.iter().position(|had| had.name == wanted[*index].name);
    let is_same = |index: &usize, place: usize| had[place].diff_id == layers[*index].diff_id.to_string();
    order.sort_by_key(|index| match place(index) {
        Some(place) if is_same(index, place) => (0, place),
        Some(place) => (1, place),
        None => (2, 0),
    });
    order.extend(last);
    order
}

/// How many layers from the bottom an image has in common with the one that was there.
pub(super) fn common(layers: &[Layer], had: &[Had]) -> usize {
    layers.iter().zip(had).take_while(|(layer, had)| layer.diff_id.to_string() == had.diff_id).count()
}

/// Whether layers give the same files in any order: what stands in two of them is a folder, and the same one.
fn is_free(wanted: &[LayerPlan]) -> bool {
    let mut known: BTreeMap<&str, &LayerEntry> = BTreeMap::new();
    wanted.iter().flat_map(|layer| &layer.entries).all(|entry| match known.insert(&entry.path, entry) {
        Some(other) => entry.kind == EntryKind::Folder && entry == other,
        None => true,
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::engine::native::Content;
    use crate::oci::{Compression, DiffId, Digest};

    fn layer(content: &str) -> Layer {
        let digest = Digest::of(content.as_bytes());
        Layer { diff_id: DiffId(digest.clone()), digest, size: 0, compression: Compression::None }
    }

    /// Layers as `name content`, above those that were there; `path` is one that all of them have.
    #[track_caller]
    fn check_with(path: LayerEntry, had: &[&str], wanted: &[&str], expect: &str, known: usize) {
        let split = |text: &&str| text.split_once(' ').map(|(a, b)| (a.to_owned(), b.to_owned())).unwrap();
        let had: Vec<Had> = had
            .iter()
            .map(split)
            .map(|(name, content)| Had { diff_id: layer(&[&*name, &content].join(" ")).diff_id.to_string(), name })
            .collect();
        let plan = |text: &&str| {
            let name = split(text).0;
            let own = LayerEntry::file(format!("srv/{name}"), Content::Bytes([].into()), 0o644);
            LayerPlan::made(name, vec![path.clone(), own], 0)
        };
        let plans: Vec<LayerPlan> = wanted.iter().map(plan).collect();
        let layers: Vec<Layer> = wanted.iter().map(|text| layer(text)).collect();
        let order = order(&plans, &layers, &had);
        let names: Vec<&str> = order.iter().map(|index| plans[*index].name.as_str()).collect();
        assert_eq!(names.join(" "), expect, "{had:?} {wanted:?}");
        let sorted: Vec<Layer> = order.iter().map(|index| layers[*index].clone()).collect();
        assert_eq!(common(&sorted, &had), known, "{had:?} {wanted:?}");
    }

    #[track_caller]
    fn check(had: &[&str], wanted: &[&str], expect: &str, known: usize) {
        check_with(LayerEntry::folder("srv"), had, wanted, expect, known);
    }

    #[test]
    fn what_changed_last_is_on_top() {
        check(&[], &["a 1", "b 1", "image 1"], "a b image", 0);
        check(&["a 1", "b 1", "image 1"], &["a 1", "b 1", "image 1"], "a b image", 3);
        check(&["a 1", "b 1", "image 1"], &["a 2", "b 1", "image 1"], "b a image", 0);
        check(&["b 1", "a 2", "image 1"], &["a 3", "b 1", "image 1"], "b a image", 1);
        check(&["b 1", "a 2", "image 1"], &["a 3", "b 2", "image 2"], "b a image", 0);
        // the lowest one stays, whatever is new or gone
        check(&["c 1", "b 1", "image 1"], &["a 1", "b 1", "c 1", "image 2"], "c b a image", 2);
        check(&["c 1", "b 1", "image 1"], &["c 1", "image 1"], "c image", 1);
    }

    #[test]
    fn where_the_order_matters_it_stays() {
        let file = LayerEntry::file("srv/same", Content::Bytes([].into()), 0o644);
        check_with(file, &["a 1", "b 1", "image 1"], &["a 2", "b 1", "image 1"], "a b image", 0);
    }

    #[test]
    fn folders_must_be_the_same() {
        let folder = |mode| LayerEntry { mode, ..LayerEntry::folder("srv") };
        let plan = |mode| LayerPlan::made("x".to_owned(), vec![folder(mode)], 0);
        assert!(is_free(&[plan(0o755), plan(0o755)]));
        assert!(!is_free(&[plan(0o755), plan(0o700)]));
    }
}
