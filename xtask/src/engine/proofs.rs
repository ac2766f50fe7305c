//! Which images keep their contract, so that none is looked at twice.
//!
//! An image that somebody made says what it was made of, and not that anybody looked at it: one that was refused stays in the
//! daemon with all of its labels, a run may be killed before it has looked, `--no-verify` gives names to everything, and
//! another clone or another program may have made it. So a run takes what is there only with a proof, and looks at what has none.
//!
//! A proof is the record `verified/<hex of the image ID>` of the store. It says which image it is for and which version of this
//! program has looked; another version looks again. It saves work and nothing else: one that is damaged, missing, or that
//! cannot be written costs another look. [`KEPT`] of them stay.

use super::store::Store;
use crate::oci::Digest;

/// The kind of the records.
const KIND: &str = "verified";
/// How many proofs stay: one for each image that is in use is enough.
const KEPT: usize = 1024;

/// Proofs of a workspace. The default knows of none, and keeps none.
#[derive(Debug, Clone, Default)]
pub struct Proofs {
    store: Option<Store>,
}

impl Proofs {
    /// Those in a store; none without one.
    pub fn of(store: Option<Store>) -> Self {
        Self { store }
    }

    /// Whether an image, by its ID, was looked at and keeps its contract.
    pub fn has(&self, image_id: &str) -> bool {
        let record = |store: &Store| store.record(KIND, key(image_id)?.hex());
        self.store.as_ref().and_then(record).is_some_and(|record| record == text(image_id).as_bytes())
    }

    /// Remembers that it does.
    pub fn add(&self, image_id: &str) {
        let (Some(store), Some(key)) = (&self.store, key(image_id)) else { return };
        // without it the image is looked at again
        _ = store.set_record(KIND, key.hex(), text(image_id).as_bytes()).and_then(|()| store.keep_newest(KIND, KEPT));
    }
}

/// What names a file: the image ID comes from a daemon.
fn key(image_id: &str) -> Option<Digest> {
    image_id.parse().ok()
}

fn text(image_id: &str) -> String {
    format!("{image_id} keeps its contract, says {}\n", env!("CARGO_PKG_VERSION"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_a_whole_record_of_this_version_counts() {
        let folder = tempfile::tempdir().unwrap();
        let store = Store::open(camino::Utf8Path::from_path(folder.path()).unwrap()).unwrap();
        let proofs = Proofs::of(Some(store.clone()));
        let id = |digit: &str| format!("sha256:{}", digit.repeat(64));
        let (one, two) = (id("1"), id("2"));
        assert!(!proofs.has(&one));
        proofs.add(&one);
        assert_eq!((proofs.has(&one), proofs.has(&two)), (true, false));
        let record = store.record(KIND, &"1".repeat(64)).unwrap();
        let other = String::from_utf8(record.clone()).unwrap().replace(env!("CARGO_PKG_VERSION"), "0.0.0-other");
        let half = &record[..record.len() / 2];
        for damaged in [b"".as_slice(), half, other.as_bytes(), text(&two).as_bytes()] {
            store.set_record(KIND, &"1".repeat(64), damaged).unwrap();
            assert!(!proofs.has(&one), "{:?}", String::from_utf8_lossy(damaged));
        }
        proofs.add(&one);
        assert!(proofs.has(&one));
    }

    #[test]
    fn what_is_no_image_id_has_no_proof() {
        let folder = tempfile::tempdir().unwrap();
        let store = Store::open(camino::Utf8Path::from_path(folder.path()).unwrap()).unwrap();
        for (proofs, id) in [
            (Proofs::of(Some(store.clone())), "../../blobs"),
            (Proofs::of(Some(store)), ""),
            (Proofs::default(), &*format!("sha256:{}", "1".repeat(64))),
        ] {
            proofs.add(id);
            assert!(!proofs.has(id), "{id}");
        }
    }
}
