//! The registry client against a real registry: what arrives, what is not sent twice, and in which order.

use std::collections::BTreeMap;

use camino::{Utf8Path, Utf8PathBuf};
use groupage::engine::registry::{Blob, Fetched, PushImage, PushRequest, Pushed, Registry, RegistryOptions};
use groupage::engine::store::Store;
use groupage::engine::{EngineError, ErrorClass, Events, block_on};
use groupage::oci::{Compression, DiffId, Digest, Document, Image, ImageConfiguration, Layer};
use groupage::workspace::Account;

use crate::support::middle::{Cut, Middle};
use crate::support::registry::{ACCOUNT, Certificates, LocalRegistry, Setup};

/// A registry, what stands before it, and a folder for files.
struct Bench {
    middle: Middle,
    /// The registry, as it is named: by what stands before it, or, with TLS, by itself.
    name: String,
    _registry: LocalRegistry,
    folder: tempfile::TempDir,
    client: Registry,
}

impl Bench {
    fn new() -> Option<Self> {
        Self::with(&Setup::default(), |_| RegistryOptions::default())
    }

    fn with(setup: &Setup, options: impl FnOnce(&str) -> RegistryOptions) -> Option<Self> {
        let registry = LocalRegistry::with(setup)?;
        let middle = Middle::before(&registry);
        let name = if setup.tls.is_some() { registry.name() } else { middle.name() };
        let client = Registry::new(options(&name));
        Some(Self { middle, name, _registry: registry, folder: tempfile::tempdir().unwrap(), client })
    }

    fn root(&self) -> &Utf8Path {
        Utf8Path::from_path(self.folder.path()).unwrap()
    }

    /// An image for each platform with these layers; a layer is told by its number.
    fn request(&self, repository: &str, images: &[(&str, &[u8])]) -> PushRequest {
        let made: Vec<(Image, Vec<Blob>)> =
            images.iter().map(|(platform, layers)| self.image(platform, layers)).collect();
        let values: Vec<Image> = made.iter().map(|(image, _)| image.clone()).collect();
        let images =
            made.into_iter().map(|(image, blobs)| PushImage { manifest: image.manifest, config: image.config, blobs });
        PushRequest {
            image: "test".into(),
            target: format!("{}/{repository}", self.name).parse().unwrap(),
            images: images.collect(),
            index: (values.len() > 1).then(|| groupage::oci::index(&values)),
            tags: vec!["1".into(), "latest".into()],
        }
    }

    fn image(&self, platform: &str, layers: &[u8]) -> (Image, Vec<Blob>) {
        let blobs: Vec<Blob> = layers.iter().map(|number| self.blob(*number)).collect();
        let layer = |blob: &Blob| Layer {
            digest: blob.digest.clone(),
            size: blob.size,
            compression: Compression::Gzip,
            diff_id: DiffId(blob.digest.clone()),
        };
        let (os, architecture) = platform.split_once('/').unwrap();
        let config: ImageConfiguration = serde_json::from_value(serde_json::json!({
            "os": os, "architecture": architecture, "rootfs": { "type": "layers", "diff_ids": [] },
        }))
        .unwrap();
        (Image::new(platform.parse().unwrap(), config, blobs.iter().map(layer).collect()), blobs)
    }

    /// Three megabytes that no other number has.
    fn blob(&self, number: u8) -> Blob {
        let bytes: Vec<u8> = [&[number][..], &(0..=250).collect::<Vec<u8>>()].concat().repeat(12_000);
        let path = self.root().join(format!("layer-{number}"));
        std::fs::write(&path, &bytes).unwrap();
        Blob { digest: Digest::of(&bytes), size: bytes.len() as u64, path, mount_from: None }
    }

    fn push(&self, request: &PushRequest) -> Result<Pushed, EngineError> {
        block_on(self.client.push(request, &Events::nowhere())).unwrap()
    }

    fn pull(&self, reference: &str, platform: &str, store: &Store) -> Result<Fetched, EngineError> {
        let reference = format!("{}/{reference}", self.name).parse().unwrap();
        block_on(self.client.fetch(&reference, &platform.parse().unwrap(), store, &Events::nowhere())).unwrap()
    }

    fn store(&self, name: &str) -> Store {
        Store::open(&self.root().join(name)).unwrap()
    }
}

/// The same image, byte by byte.
#[track_caller]
fn same(fetched: &Fetched, pushed: &PushImage) {
    assert_eq!(fetched.manifest, pushed.manifest);
    assert_eq!(fetched.config.bytes, pushed.config.bytes);
    let read = |path: &Utf8PathBuf| std::fs::read(path).unwrap();
    for ((_, path), blob) in fetched.layers.iter().zip(&pushed.blobs) {
        assert!(read(path) == read(&blob.path), "{path}");
    }
    assert_eq!(fetched.layers.len(), pushed.blobs.len());
}

/// How many of the requests bring blobs, and how many manifests.
fn brought(lines: &[String]) -> (usize, usize) {
    let count = |part: &str| lines.iter().filter(|line| line.starts_with("PUT ") && line.contains(part)).count();
    assert!(!lines.iter().any(|line| line.starts_with("PATCH ")));
    (count("/blobs/"), count("/manifests/"))
}

#[test]
fn what_is_pushed_comes_back() {
    let Some(bench) = Bench::new() else { return };
    let request = bench.request("a/b", &[("linux/amd64", &[1, 2, 3]), ("linux/arm64", &[1, 4])]);
    let pushed = bench.push(&request).unwrap();
    let index = request.index.as_ref().unwrap();
    assert_eq!(pushed.digest, index.digest);
    assert_eq!(
        (pushed.sent_blobs, pushed.sent_manifests, pushed.skipped),
        (6, 3, 0),
        "four layers, two configurations"
    );

    let store = bench.store("one");
    for (image, platform) in request.images.iter().zip(["linux/amd64", "linux/arm64"]) {
        let fetched = bench.pull("a/b:1", platform, &store).unwrap();
        same(&fetched, image);
        assert_eq!(fetched.index.as_ref(), Some(index));
        let by_digest = format!("a/b@{}", image.manifest.digest);
        same(&bench.pull(&by_digest, platform, &bench.store(platform)).unwrap(), image);
    }
    let missing = bench.pull("a/b:1", "linux/s390x", &store).unwrap_err();
    assert!(missing.to_string().contains("there is: linux/amd64, linux/arm64"), "{missing}");
    assert_eq!(bench.pull("a/b:2", "linux/amd64", &store).unwrap_err().class(), ErrorClass::Environment);

    let reference = format!("{}/a/b:latest", bench.name).parse().unwrap();
    let events = Events::nowhere();
    assert_eq!(block_on(bench.client.resolve(&reference, &events)).unwrap().unwrap(), index.digest);
    assert_eq!(block_on(bench.client.manifest(&reference, &events)).unwrap().unwrap(), *index);
    let config: &Document = &request.images[0].config;
    let blob = block_on(bench.client.blob(&reference, &config.descriptor(), 1 << 20, &events)).unwrap().unwrap();
    assert_eq!(blob, config.bytes);
}

#[test]
fn a_second_push_sends_nothing() {
    let Some(bench) = Bench::new() else { return };
    let request = bench.request("a/b", &[("linux/amd64", &[1, 2])]);
    let first = bench.push(&request).unwrap();
    assert_eq!(
        first.sent_bytes,
        request.images[0].blobs.iter().map(|blob| blob.size).sum::<u64>() + request.images[0].config.bytes.len() as u64
    );
    assert_eq!(brought(&bench.middle.lines()), (3, 3), "the manifest by its digest and two names");
    let second = bench.push(&request).unwrap();
    assert_eq!((second.digest, second.sent_blobs, second.sent_bytes), (first.digest, 0, 0));
    let lines = bench.middle.lines();
    assert!(lines.iter().all(|line| line.starts_with("HEAD ")) && lines.len() == 3, "{lines:#?}");
}

#[test]
fn one_changed_layer_is_all_that_is_sent() {
    let Some(bench) = Bench::new() else { return };
    bench.push(&bench.request("a/b", &[("linux/amd64", &[1, 2, 3, 4, 5])])).unwrap();
    bench.middle.lines();
    let request = bench.request("a/b", &[("linux/amd64", &[1, 2, 6, 4, 5])]);
    let pushed = bench.push(&request).unwrap();
    assert_eq!((pushed.sent_blobs, pushed.sent_manifests, pushed.skipped), (2, 1, 4));
    let changed = &request.images[0].blobs[2];
    assert_eq!(pushed.sent_bytes, changed.size + request.images[0].config.bytes.len() as u64);
    let lines = bench.middle.lines();
    assert_eq!(brought(&lines), (2, 3));
    assert_eq!(lines.iter().filter(|line| line.starts_with("POST ")).count(), 2, "{lines:#?}");
}

#[test]
fn blobs_of_other_repositories_are_mounted() {
    let Some(bench) = Bench::new() else { return };
    bench.push(&bench.request("base/image", &[("linux/amd64", &[1, 2])])).unwrap();
    bench.middle.lines();
    let mut request = bench.request("a/b", &[("linux/amd64", &[1, 2, 3])]);
    // the third is not there
    request.images[0].blobs.iter_mut().for_each(|blob| blob.mount_from = Some("base/image".into()));
    let pushed = bench.push(&request).unwrap();
    assert_eq!((pushed.mounted, pushed.sent_blobs, pushed.skipped), (2, 2, 0));
    assert_eq!(brought(&bench.middle.lines()), (2, 3));
    same(&bench.pull("a/b:1", "linux/amd64", &bench.store("one")).unwrap(), &request.images[0]);
}

#[test]
fn names_come_last_and_children_first() {
    let Some(bench) = Bench::new() else { return };
    let request = bench.request("a/b", &[("linux/amd64", &[1]), ("linux/arm64", &[2])]);
    bench.push(&request).unwrap();
    let lines = bench.middle.lines();
    let puts: Vec<&str> = lines.iter().filter_map(|line| line.strip_prefix("PUT /v2/a/b/")).collect();
    let (blobs, manifests) = puts.split_at(4);
    assert!(blobs.iter().all(|put| put.starts_with("blobs/uploads/")), "{puts:#?}");
    let by_digest = |document: &Document| format!("manifests/{}", document.digest);
    let [amd, arm] = [0, 1].map(|number| by_digest(&request.images[number].manifest));
    let index = by_digest(request.index.as_ref().unwrap());
    assert_eq!(manifests, [&*amd, &*arm, &*index, "manifests/1", "manifests/latest"]);
}

#[test]
fn broken_connections_do_not_matter() {
    let Some(bench) = Bench::new() else { return };
    let request = bench.request("a/b", &[("linux/amd64", &[1, 2])]);
    bench.middle.cut(Cut::Upload(1_000_000));
    bench.push(&request).unwrap();
    assert!(bench.middle.has_cut());
    bench.middle.lines();
    bench.middle.cut(Cut::Download(1_000_000));
    same(&bench.pull("a/b:1", "linux/amd64", &bench.store("one")).unwrap(), &request.images[0]);
    assert!(bench.middle.has_cut());
}

#[test]
fn accounts_are_needed_where_they_are_asked_for() {
    let with = |account: Option<(&str, &str)>| {
        let setup = Setup { account: true, ..Setup::default() };
        let account =
            account.map(|(user, password)| Account::Password { user: user.into(), password: password.into() });
        Bench::with(&setup, |name| {
            let accounts: BTreeMap<String, Account> = account.into_iter().map(|one| (name.to_owned(), one)).collect();
            RegistryOptions { accounts, ..RegistryOptions::default() }
        })
    };
    let Some(bench) = with(Some(ACCOUNT)) else { return };
    let request = bench.request("a/b", &[("linux/amd64", &[1])]);
    bench.push(&request).unwrap();
    same(&bench.pull("a/b:1", "linux/amd64", &bench.store("one")).unwrap(), &request.images[0]);
    for account in [Some((ACCOUNT.0, "another")), None] {
        let Some(bench) = with(account) else { return };
        let error = bench.push(&bench.request("a/b", &[("linux/amd64", &[1])])).unwrap_err();
        assert_eq!(error.class(), ErrorClass::Environment);
        let text = error.to_string();
        assert!(text.contains("hint: run `docker login 127.0.0.1:") && !text.contains("another"), "{text}");
    }
}

#[test]
fn authorities_can_be_added() {
    let Some(certificates) = Certificates::make() else {
        eprintln!("skipped: openssl is not installed");
        return;
    };
    let setup = Setup { tls: Some(certificates.server()), ..Setup::default() };
    let with = |authorities: Vec<Vec<u8>>| {
        Bench::with(&setup, |_| RegistryOptions { authorities, ..RegistryOptions::default() })
    };
    let Some(bench) = with(vec![certificates.authority()]) else { return };
    let request = bench.request("a/b", &[("linux/amd64", &[1])]);
    bench.push(&request).unwrap();
    same(&bench.pull("a/b:1", "linux/amd64", &bench.store("one")).unwrap(), &request.images[0]);
    let Some(bench) = with(Vec::new()) else { return };
    let error = bench.push(&bench.request("a/b", &[("linux/amd64", &[1])])).unwrap_err();
    assert_eq!(error.class(), ErrorClass::Environment);
    assert!(error.to_string().contains("certificate"), "{error}");
    let Some(bench) = with(vec![b"no certificate".to_vec()]) else { return };
    let error = bench.push(&bench.request("a/b", &[("linux/amd64", &[1])])).unwrap_err();
    assert!(error.to_string().contains("an extra CA file holds no certificate"), "{error}");
}
