//! Two registries, as staging and release, and a workspace that knows them.

use camino::Utf8PathBuf;
use groupage::engine::registry::{Blob, PushImage, PushRequest, Registry, RegistryOptions};
use groupage::engine::{Events, block_on};
use groupage::oci::{Compression, DiffId, Digest, Document, Image, Layer, empty_configuration, media};
use serde_json::{Value, json};

use super::Ended;
use super::registry::{LocalRegistry, Request};
use super::workspace::{Workspace, program};

/// What refers to an image, in these tests.
const EMPTY: &str = "application/vnd.oci.empty.v1+json";

/// Two registries and a workspace.
pub struct Environments {
    pub staging: LocalRegistry,
    pub release: LocalRegistry,
    pub workspace: Workspace,
}

impl Environments {
    /// Nothing where docker-registry is not installed.
    pub fn new() -> Option<Self> {
        let (staging, release) = (LocalRegistry::start()?, LocalRegistry::start()?);
        let workspace = Workspace::empty();
        let environments = Self { staging, release, workspace };
        environments.settings("");
        Some(environments)
    }

    /// Writes the settings.
    pub fn settings(&self, more: &str) {
        let (staging, release) = (self.staging.name(), self.release.name());
        let text = format!(
            "schema = 1\n{more}\n[environments.staging]\nregistry = \"{staging}/staging\"\n\
             [environments.release]\nregistry = \"{release}/release\"\npromoted-from = \"staging\"\nprotected = true\n"
        );
        self.workspace.write("groupage.toml", text);
    }

    /// The program, in the workspace.
    pub fn run(&self, arguments: &[&str]) -> Ended {
        Ended::of(&mut self.command(arguments))
    }

    pub fn command(&self, arguments: &[&str]) -> std::process::Command {
        let mut command = program(self.workspace.root());
        command.args(arguments);
        command
    }

    /// Pushes an image for two platforms to staging; `seed` is what it is made of.
    pub fn stage(&self, repository: &str, tags: &[&str], seed: u8) -> Document {
        push_images(&self.staging, repository, tags, &["linux/amd64", "linux/arm64"], seed)
    }

    /// What the release registry was given during some work, besides what is only asked.
    #[track_caller]
    pub fn deliveries(&self, work: impl FnOnce() -> Ended) -> (Ended, Vec<Request>) {
        let (ended, requests) = self.release.requests_of(work);
        (ended, requests.into_iter().filter(Request::is_delivery).collect())
    }
}

/// Pushes an image for some platforms, with two layers each, of which one is common; its index, or the only manifest.
pub fn push_images(
    registry: &LocalRegistry,
    repository: &str,
    tags: &[&str],
    platforms: &[&str],
    seed: u8,
) -> Document {
    let folder = tempfile::tempdir().unwrap();
    let mut images = Vec::new();
    for (number, platform) in platforms.iter().enumerate() {
        let blobs: Vec<Blob> = [0, number as u8 + 1].iter().map(|layer| blob(&folder, &[seed, *layer])).collect();
        let layer = |blob: &Blob| Layer {
            digest: blob.digest.clone(),
            size: blob.size,
            compression: Compression::Gzip,
            diff_id: DiffId(blob.digest.clone()),
        };
        let layers = blobs.iter().map(layer).collect();
        let platform = platform.parse().unwrap();
        images.push((Image::new(platform, empty_configuration(&platforms[number].parse().unwrap()), layers), blobs));
    }
    let values: Vec<Image> = images.iter().map(|(image, _)| image.clone()).collect();
    let index = groupage::oci::index(&values);
    let images = images
        .into_iter()
        .map(|(image, blobs)| PushImage { manifest: image.manifest, config: image.config, blobs })
        .collect();
    if let [image] = &values[..] {
        push(registry, repository, images, None, tags);
        return image.manifest.clone();
    }
    push(registry, repository, images, Some(index.clone()), tags);
    index
}

/// Attaches something to a manifest by the list under its tag, as it is done where the registry keeps none.
pub fn attach(registry: &LocalRegistry, repository: &str, subject: &Document, kinds: &[&str]) -> Vec<Document> {
    let folder = tempfile::tempdir().unwrap();
    let config = Document::from_bytes(EMPTY, b"{}".to_vec());
    let attachment = |kind: &&str| {
        let blob = blob(&folder, kind.as_bytes());
        let layer = json!({ "mediaType": "text/plain", "digest": blob.digest.to_string(), "size": blob.size });
        let manifest = json!({
            "schemaVersion": 2, "mediaType": media::MANIFEST, "artifactType": format!("application/{kind}"),
            "config": config.descriptor(), "layers": [layer], "subject": subject.descriptor(),
        });
        let manifest = Document::new(media::MANIFEST, &manifest);
        PushImage { manifest, config: config.clone(), blobs: vec![blob] }
    };
    let images: Vec<PushImage> = kinds.iter().map(attachment).collect();
    let manifests: Vec<Document> = images.iter().map(|image| image.manifest.clone()).collect();
    let entry = |manifest: &Document| {
        let mut entry = serde_json::to_value(manifest.descriptor()).unwrap();
        entry["artifactType"] = manifest.value().unwrap()["artifactType"].clone();
        entry
    };
    let entries: Vec<Value> = manifests.iter().map(entry).collect();
    let list = json!({ "schemaVersion": 2, "mediaType": media::INDEX, "manifests": entries });
    let tag = format!("sha256-{}", subject.digest.hex());
    push(registry, repository, images, Some(Document::new(media::INDEX, &list)), &[&tag]);
    manifests
}

fn push(registry: &LocalRegistry, repository: &str, images: Vec<PushImage>, index: Option<Document>, tags: &[&str]) {
    let request = PushRequest {
        image: "test".into(),
        target: format!("{}/{repository}", registry.name()).parse().unwrap(),
        images,
        index,
        tags: tags.iter().map(|tag| (*tag).to_owned()).collect(),
    };
    let client = Registry::new(RegistryOptions::default());
    block_on(client.push(&request, &Events::nowhere())).unwrap().unwrap();
}

/// Two megabytes that no other seed has.
fn blob(folder: &tempfile::TempDir, seed: &[u8]) -> Blob {
    let bytes: Vec<u8> = [seed, &(0..=250).collect::<Vec<u8>>()].concat().repeat(8_000);
    let digest = Digest::of(&bytes);
    let path = Utf8PathBuf::from_path_buf(folder.path().join(digest.hex())).unwrap();
    std::fs::write(&path, &bytes).unwrap();
    Blob { digest, size: bytes.len() as u64, path, mount_from: None }
}

/// The bytes that `skopeo inspect --raw` gets; `None` when there is nothing.
pub fn raw(registry: &LocalRegistry, reference: &str) -> Option<Vec<u8>> {
    let mut inspect = std::process::Command::new("skopeo");
    inspect.args(["--insecure-policy", "inspect", "--raw", "--tls-verify=false"]);
    let output = inspect.arg(format!("docker://{}/{reference}", registry.name())).output().unwrap();
    output.status.success().then_some(output.stdout)
}

/// The digest of what a registry has under a reference, by its bytes.
pub fn digest(registry: &LocalRegistry, reference: &str) -> Option<String> {
    raw(registry, reference).map(|bytes| Digest::of(&bytes).to_string())
}

/// The manifests that an index names.
pub fn children(index: &Document) -> Vec<String> {
    let value: Value = index.value().unwrap();
    let digests = value["manifests"].as_array().unwrap().iter();
    digests.map(|entry| entry["digest"].as_str().unwrap().to_owned()).collect()
}
