//! An image to serve and to push, and the registry that serves it when nothing goes wrong.

use camino::{Utf8Path, Utf8PathBuf};
use serde_json::json;

use super::server::{Act, Seen};
use crate::engine::registry::{Blob, PushImage, PushRequest};
use crate::engine::store::Store;
use crate::oci::{Compression, Digest, Document, Image, ImageConfiguration, Layer, media};

/// An image of one layer.
pub struct Content {
    pub layer: Vec<u8>,
    pub image: Image,
    pub index: Document,
}

impl Content {
    pub fn new() -> Self {
        // long enough that a part of it travels alone
        let layer = (0..=250).collect::<Vec<u8>>().repeat(4_000);
        let digest = Digest::of(&layer);
        let diff_id = crate::oci::DiffId(digest.clone());
        let layers = vec![Layer { digest, size: layer.len() as u64, compression: Compression::None, diff_id }];
        let config: ImageConfiguration = serde_json::from_value(
            json!({"os": "linux", "architecture": "amd64", "rootfs": {"type": "layers", "diff_ids": []}}),
        )
        .unwrap();
        let image = Image::new("linux/amd64".parse().unwrap(), config, layers);
        let index = crate::oci::index(std::slice::from_ref(&image));
        Self { layer, image, index }
    }

    pub fn layer_digest(&self) -> &Digest {
        &self.image.layers[0].digest
    }

    /// What a registry does that has this image as `a/b:1`, its index as `a/b:index`, and takes whatever is pushed.
    pub fn serve(&self, seen: &Seen) -> Act {
        let path = seen.path.split('?').next().unwrap_or_default();
        let Some(rest) = path.strip_prefix("/v2/a/b/") else { return Act::answer(404) };
        let uploads = "blobs/uploads/";
        match (seen.method.as_str(), rest) {
            ("POST", _) if rest == uploads => Act::answer(202).header("Location", format!("{path}first")),
            ("PUT", _) => Act::answer(201),
            ("GET" | "HEAD", _) => self.document(rest),
            _ => Act::answer(404),
        }
    }

    fn document(&self, rest: &str) -> Act {
        let Image { config, manifest, .. } = &self.image;
        let typed = |document: &Document| {
            let digest = document.digest.to_string();
            let act = Act::answer(200).header("Content-Type", &document.media_type).body(&document.bytes);
            act.header("Docker-Content-Digest", digest)
        };
        match rest {
            "manifests/1" => typed(manifest),
            "manifests/index" => typed(&self.index),
            _ if rest == format!("manifests/{}", manifest.digest) => typed(manifest),
            _ if rest == format!("blobs/{}", config.digest) => Act::answer(200).body(&config.bytes),
            _ if rest == format!("blobs/{}", self.layer_digest()) => Act::answer(200).body(&self.layer),
            _ => Act::answer(404),
        }
    }

    /// An image of this platform with this layer, in a manifest that may be wrong.
    pub fn manifest_with(&self, layer_type: &str, layer_digest: &str) -> Act {
        let value = json!({
            "schemaVersion": 2,
            "mediaType": media::MANIFEST,
            "config": self.image.config.descriptor(),
            "layers": [{ "mediaType": layer_type, "digest": layer_digest, "size": self.layer.len() }],
        });
        Act::answer(200).header("Content-Type", media::MANIFEST).body(&serde_json::to_vec(&value).unwrap())
    }

    /// All of it, to be pushed as `tag`. The layer goes to a file below `folder`.
    pub fn request(&self, registry: &str, tag: &str, folder: &Utf8Path, mount_from: Option<&str>) -> PushRequest {
        let path = folder.join("layer");
        std::fs::write(&path, &self.layer).unwrap();
        let (digest, size) = (self.layer_digest().clone(), self.layer.len() as u64);
        let blob = Blob { digest, size, path, mount_from: mount_from.map(Into::into) };
        let Image { manifest, config, .. } = self.image.clone();
        PushRequest {
            image: "op".into(),
            target: format!("{registry}/a/b").parse().unwrap(),
            images: vec![PushImage { manifest, config, blobs: vec![blob] }],
            index: None,
            tags: vec![tag.to_owned()],
        }
    }
}

/// An empty store in a folder of its own.
pub struct Kept {
    folder: tempfile::TempDir,
    pub store: Store,
}

impl Kept {
    pub fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let store = Store::open(Utf8Path::from_path(folder.path()).unwrap()).unwrap();
        Self { folder, store }
    }

    pub fn root(&self) -> Utf8PathBuf {
        Utf8PathBuf::from_path_buf(self.folder.path().to_owned()).unwrap()
    }

    /// Files that are there, and files that are on their way.
    pub fn count(&self) -> (usize, usize) {
        let count = |below: &str| self.root().join(below).read_dir_utf8().unwrap().count();
        (count("blobs/sha256"), count("tmp"))
    }
}
