//! Images in real files, whole and broken, read into a real store.

mod choice;
mod contents;
mod damage;

use std::io::Write as _;

use camino::Utf8PathBuf;
use serde_json::{Value, json};

use super::*;
use crate::engine::ErrorClass;
use crate::engine::native::entry::{Content, EntryKind};
use crate::oci::sample::{Entry, Sample, Tree, archive, layout, of_layers, random, tar};
use crate::oci::{Compression, Image};

/// A folder of its own for files and for a store.
struct Place {
    _folder: tempfile::TempDir,
    root: Utf8PathBuf,
    store: Store,
}

fn place() -> Place {
    let folder = tempfile::tempdir().unwrap();
    let root = Utf8PathBuf::from_path_buf(folder.path().to_owned()).unwrap();
    Place { store: Store::open(&root.join("cache")).unwrap(), root, _folder: folder }
}

impl Place {
    fn write(&self, name: &str, tree: &Tree) {
        for (path, bytes) in tree {
            let path = self.root.join(name).join(path);
            std::fs::create_dir_all(path.parent().unwrap()).unwrap();
            std::fs::write(path, bytes).unwrap();
        }
    }

    fn open(&self, source: &str) -> Result<Base, EngineError> {
        self.open_for(source, "linux/amd64")
    }

    fn open_for(&self, source: &str, platform: &str) -> Result<Base, EngineError> {
        let source: ImageSource = source.parse().unwrap();
        Base::from_file(source.file().unwrap(), &platform.parse().unwrap(), &self.root, &self.store)
    }
}

fn blob(digest: &Digest) -> String {
    format!("blobs/sha256/{}", digest.hex())
}

fn one(sample: &Sample) -> Tree {
    layout(&[json!(sample.image.descriptor())], &[sample])
}

/// What `docker save` writes for an image.
fn saved(sample: &Sample, tags: &[&str]) -> Tree {
    let mut tree = Tree::new();
    let mut layers = Vec::new();
    for (position, layer) in sample.image.layers.iter().enumerate() {
        let name = format!("{position}/layer.tar");
        tree.insert(name.clone(), sample.blobs[&layer.digest].clone());
        layers.push(name);
    }
    let config = format!("{}.json", sample.image.config.digest.hex());
    tree.insert(config.clone(), sample.image.config.bytes.clone());
    let manifest = json!([{ "Config": config, "RepoTags": tags, "Layers": layers }]);
    tree.insert("manifest.json".to_owned(), manifest.to_string().into_bytes());
    tree
}

fn compressed(sample: &Sample, compression: Compression) -> Sample {
    let mut blobs = std::collections::BTreeMap::new();
    let layers = sample.image.layers.iter().map(|layer| {
        let tar = &sample.blobs[&layer.digest];
        let bytes = match compression {
            Compression::None => tar.clone(),
            Compression::Zstd => zstd::encode_all(tar.as_slice(), 1).unwrap(),
            Compression::Gzip => {
                let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
                encoder.write_all(tar).unwrap();
                encoder.finish().unwrap()
            }
        };
        let digest = Digest::of(&bytes);
        let size = bytes.len() as u64;
        blobs.insert(digest.clone(), bytes);
        Layer { digest, size, compression, diff_id: layer.diff_id.clone() }
    });
    let layers = layers.collect();
    let config: ImageConfiguration = serde_json::from_slice(&sample.image.config.bytes).unwrap();
    Sample { image: Image::new(sample.image.platform.clone(), config, layers), blobs }
}

fn paths(base: &Base) -> Vec<String> {
    base.rootfs.below("").into_iter().map(|(path, _)| path).collect()
}

#[track_caller]
fn refused(result: Result<Base, EngineError>, class: ErrorClass, expect: &str) {
    let error = result.map(|base| paths(&base)).unwrap_err();
    assert!(error.to_string().contains(expect), "{error}");
    assert_eq!(error.class(), class, "{error}");
}

#[test]
fn every_form_gives_the_same() {
    let sample = random(1, 3, 5000);
    let expect = ["folder", "folder/0", "folder/1", "folder/2"];
    for compression in [Compression::None, Compression::Gzip, Compression::Zstd] {
        let place = place();
        let sample = compressed(&sample, compression);
        place.write("layout", &one(&sample));
        std::fs::write(place.root.join("layout.tar"), archive(&one(&sample))).unwrap();
        for source in ["oci:layout", "oci-archive:layout.tar"] {
            let base = place.open(source).unwrap();
            assert_eq!(paths(&base), expect);
            assert_eq!(base.layers, sample.image.layers);
            assert_eq!(base.digest.as_ref(), Some(&sample.image.manifest.digest));
            assert_eq!(base.document.bytes, sample.image.config.bytes);
            base.layers.iter().for_each(|layer| assert!(place.store.has(&layer.digest, layer.size)));
        }
        std::fs::write(place.root.join("saved.tar"), archive(&saved(&sample, &[]))).unwrap();
        let base = place.open("docker-archive:saved.tar").unwrap();
        assert_eq!((paths(&base).len(), &base.layers, base.digest), (4, &sample.image.layers, None));
    }
}

/// What is in the store and was listed needs no file any more.
#[test]
fn a_known_layer_is_not_read_again() {
    for compression in [Compression::None, Compression::Gzip] {
        let place = place();
        let sample = compressed(&random(2, 2, 100), compression);
        place.write("layout", &one(&sample));
        let first = place.open("oci:layout").unwrap();
        for layer in &sample.image.layers {
            std::fs::remove_file(place.root.join("layout").join(blob(&layer.digest))).unwrap();
        }
        let second = place.open("oci:layout").unwrap();
        assert_eq!((&second.layers, &second.rootfs), (&first.layers, &first.rootfs));
        // a damaged record is made anew from the blob
        let layer = &sample.image.layers[0];
        place.store.set_record("rootfs", layer.diff_id.0.hex(), b"damaged").unwrap();
        assert_eq!(place.open("oci:layout").unwrap().rootfs, first.rootfs);
        // and a lost blob has to be there again
        std::fs::remove_file(place.store.path(&layer.digest)).unwrap();
        refused(place.open("oci:layout"), ErrorClass::Work, "is named, but not there");
    }
}

/// A blob may be known, and a diff ID too: only that one unpacks to the other counts.
#[test]
fn a_known_diff_id_does_not_vouch_for_another_blob() {
    let place = place();
    let (a, b) = (compressed(&random(3, 1, 50), Compression::Gzip), compressed(&random(4, 1, 50), Compression::Gzip));
    place.write("a", &one(&a));
    place.write("b", &one(&b));
    place.open("oci:a").unwrap();
    place.open("oci:b").unwrap();
    let layer = Layer { diff_id: a.image.layers[0].diff_id.clone(), ..b.image.layers[0].clone() };
    let config: ImageConfiguration = serde_json::from_slice(&a.image.config.bytes).unwrap();
    let mixed = Sample { image: Image::new(a.image.platform.clone(), config, vec![layer]), blobs: b.blobs };
    place.write("mixed", &one(&mixed));
    refused(place.open("oci:mixed"), ErrorClass::Work, "and the configuration of the image says");
}

/// A plain tar is none of gzip, whether it was read before or not.
#[test]
fn a_known_layer_does_not_vouch_for_another_compression() {
    let sample = random(5, 1, 50);
    let layers = sample.image.layers.iter().map(|own| Layer { compression: Compression::Gzip, ..own.clone() });
    let config: ImageConfiguration = serde_json::from_slice(&sample.image.config.bytes).unwrap();
    let image = Image::new(sample.image.platform.clone(), config, layers.collect());
    let wrong = Sample { image, blobs: sample.blobs.clone() };
    let zstd = compressed(&sample, Compression::Zstd);
    let layers = zstd.image.layers.iter().map(|own| Layer { compression: Compression::Gzip, ..own.clone() });
    let config: ImageConfiguration = serde_json::from_slice(&zstd.image.config.bytes).unwrap();
    let image = Image::new(zstd.image.platform.clone(), config, layers.collect());
    let other = Sample { image, blobs: zstd.blobs.clone() };
    for known in [false, true] {
        let place = place();
        for (name, sample) in [("plain", &sample), ("zstd", &zstd), ("wrong", &wrong), ("other", &other)] {
            place.write(name, &one(sample));
        }
        if known {
            place.open("oci:plain").unwrap();
            place.open("oci:zstd").unwrap();
        }
        refused(place.open("oci:wrong"), ErrorClass::Work, "invalid gzip header");
        refused(place.open("oci:other"), ErrorClass::Work, "invalid gzip header");
    }
}

#[test]
fn what_is_not_there_is_said() {
    let place = place();
    let sample = random(9, 1, 10);
    place.write("layout", &one(&sample));
    place.write("empty", &layout(&[], &[]));
    let whole = archive(&one(&sample));
    std::fs::write(place.root.join("cut.tar"), &whole[..whole.len() - 3000]).unwrap();
    std::fs::write(place.root.join("text"), "text").unwrap();
    std::fs::write(place.root.join("packed"), compressed_bytes(&whole)).unwrap();
    std::fs::write(place.root.join("layout.tar"), &whole).unwrap();
    use ErrorClass::{Environment, Input, Work};
    for kind in ["oci", "oci-archive", "docker-archive"] {
        refused(place.open(&format!("{kind}:none")), Environment, "none does not exist\nhint:");
    }
    refused(place.open("oci:layout.tar"), Input, "is not a folder");
    refused(place.open("oci-archive:layout"), Input, "is a folder");
    refused(place.open("oci:empty"), Input, "there is no image in it");
    refused(place.open("oci-archive:cut.tar"), Work, "cut short");
    refused(place.open("oci-archive:text"), Work, "cut short");
    refused(place.open("oci-archive:packed"), Input, "is compressed\nhint: unpack it first, with `gzip -d`");
    refused(place.open("docker-archive:layout.tar"), Work, "is no archive of `docker save`");
    let error = place.open("oci:none").unwrap_err().to_string();
    assert!(error.starts_with("failed to read image oci:none: "), "{error}");
}

fn compressed_bytes(bytes: &[u8]) -> Vec<u8> {
    let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
    encoder.write_all(bytes).unwrap();
    encoder.finish().unwrap()
}

#[test]
fn pulled_images_need_their_layers_in_the_store() {
    let place = place();
    let sample = compressed(&random(11, 2, 100), Compression::Gzip);
    let reference: Reference = "r.example/a:1".parse().unwrap();
    let pulled = || Pulled { manifest: sample.image.manifest.clone(), config: sample.image.config.clone() };
    let open = |platform: &str| Base::from_pulled(&reference, pulled(), &platform.parse().unwrap(), &place.store);
    refused(open("linux/amd64"), ErrorClass::Environment, "it is not in the cache");
    sample.blobs.values().for_each(|bytes| _ = place.store.put(bytes).unwrap());
    refused(open("linux/arm64"), ErrorClass::Input, "it is for linux/amd64, not for linux/arm64");
    let base = open("linux/amd64").unwrap();
    assert_eq!(paths(&base), ["folder", "folder/0", "folder/1"]);
    assert_eq!(base.repository, Some(reference.clone()));
}
