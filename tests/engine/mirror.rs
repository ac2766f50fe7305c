//! `mirror` between two real registries: all platforms of all images by digest, and nothing with a hole in it.

use serde_json::Value;

use crate::support::Ended;
use crate::support::environments::{children, digest, push_images};
use crate::support::readers::programs;
use crate::support::registry::LocalRegistry;
use crate::support::workspace::{Workspace, program};
use groupage::oci::Document;

/// The images of these tests, as in the list of vcluster.
const IMAGES: [&str; 4] = ["loft-sh/vcluster-pro", "loft-sh/kubernetes", "coredns/coredns", "library/alpine"];

/// A registry with four images for two platforms, an empty one, and a workspace that needs those images.
struct Bench {
    upstream: LocalRegistry,
    own: LocalRegistry,
    workspace: Workspace,
    indexes: Vec<Document>,
}

impl Bench {
    fn new() -> Option<Self> {
        if !programs(&["skopeo"]) {
            return None;
        }
        let (upstream, own) = (LocalRegistry::start()?, LocalRegistry::start()?);
        let workspace = Workspace::empty();
        workspace.write("groupage.toml", "schema = 1\n");
        let indexes = (1..)
            .zip(IMAGES)
            .map(|(seed, name)| push_images(&upstream, name, &["1.0"], &["linux/amd64", "linux/arm64"], seed));
        let indexes = indexes.collect();
        for (number, name) in IMAGES.iter().enumerate() {
            let text = format!(
                "schema = 1\nname = \"part{number}\"\nowner = \"@test\"\nversion = \"1.0.0\"\n[build.image]\n\
                 image = \"{}/{name}:1.0\"\n[[install]]\nfrom = \"stage:/x\"\nto = \"/srv/{number}\"\n",
                upstream.name()
            );
            workspace.write(&format!("components/part{number}/component.toml"), text);
        }
        workspace.image("app", &["part0", "part1", "part2", "part3"], "");
        Some(Self { upstream, own, workspace, indexes })
    }

    /// `mirror` to the own registry.
    fn run(&self, arguments: &[&str]) -> Ended {
        let mut command = program(self.workspace.root());
        command.args(["mirror", "--to", &format!("{}/mirror", self.own.name())]).args(arguments);
        Ended::of(&mut command)
    }

    fn reference(&self, number: usize) -> String {
        format!("{}/{}:1.0", self.upstream.name(), IMAGES[number])
    }

    /// The upstream registry loses the manifest for one platform of an image.
    fn lose(&self, number: usize, platform: usize) -> String {
        let digest = children(&self.indexes[number]).remove(platform);
        std::fs::remove_file(self.upstream.file(digest.trim_start_matches("sha256:"))).unwrap();
        digest
    }
}

/// `state` by image, as the JSON form says it.
fn states(ended: &Ended) -> Vec<String> {
    let document: Value = serde_json::from_str(&ended.stdout).unwrap();
    let lines = document["images"].as_array().unwrap().iter();
    let line = |line: &Value| {
        let from = line["from"].as_str().unwrap().split_once('/').unwrap().1.to_owned();
        let missing: Vec<&str> = line["missing"].as_array().unwrap().iter().filter_map(Value::as_str).collect();
        format!("{from} {} {}", line["state"].as_str().unwrap(), missing.join(",")).trim_end().to_owned()
    };
    lines.map(line).collect()
}

#[test]
fn all_of_it_arrives_by_digest_and_is_not_sent_again() {
    let Some(bench) = Bench::new() else { return };
    let dry = bench.run(&["--dry-run"]).expect(0);
    assert_eq!(dry.stdout.lines().count(), 4);
    assert!(dry.stdout.contains(&format!("{}/mirror/coredns/coredns:1.0", bench.own.name())), "{}", dry.stdout);
    assert!(bench.own.stored().is_empty());
    bench.run(&[]).expect(0);
    for (name, index) in IMAGES.iter().zip(&bench.indexes) {
        let expect = Some(index.digest.to_string());
        assert_eq!(bench.own.complete(&format!("mirror/{name}"), "1.0"), Ok(expect.clone()));
        assert_eq!(digest(&bench.own, &format!("mirror/{name}:1.0")), expect);
    }
    let (again, requests) = bench.own.requests_of(|| bench.run(&[]).expect(0));
    assert!(!requests.iter().any(|request| request.is_delivery()), "{requests:#?}");
    assert_eq!(again.stdout.matches("unchanged").count(), 4, "{}", again.stdout);
}

/// Four images for two platforms, one of which cannot be pulled for arm64.
#[test]
fn an_image_that_lacks_a_platform_gets_no_index() {
    let Some(bench) = Bench::new() else { return };
    let lost = bench.lose(1, 1);
    let name = format!("mirror/{}", IMAGES[1]);
    for _ in 0..2 {
        let ended = bench.run(&["--format", "json"]).expect(1);
        let expect = [
            "coredns/coredns:1.0",
            "library/alpine:1.0",
            "loft-sh/kubernetes:1.0 missing linux/arm64",
            "loft-sh/vcluster-pro:1.0",
        ];
        for (line, expect) in states(&ended).iter().zip(expect) {
            assert!(line.starts_with(expect), "{line}");
        }
        assert!(ended.stdout.contains(&lost), "{}", ended.stdout);
        assert!(ended.stderr.contains("--allow-missing REFERENCE=PLATFORM"), "{}", ended.stderr);
        assert_eq!(digest(&bench.own, &format!("{name}:1.0")), None, "no index, by no name");
        assert_eq!(digest(&bench.own, &format!("{name}@{}", bench.indexes[1].digest)), None);
        for number in [0, 2, 3] {
            let expect = Some(bench.indexes[number].digest.to_string());
            assert_eq!(digest(&bench.own, &format!("mirror/{}:1.0", IMAGES[number])), expect);
        }
    }
    let wrong = format!("{}=linux/amd64", bench.reference(1));
    bench.run(&["--allow-missing", &wrong]).expect(1);
    let named = format!("{}=linux/arm64", bench.reference(1));
    let ended = bench.run(&["--allow-missing", &named, "--format", "json"]).expect(0);
    assert!(states(&ended).contains(&"loft-sh/kubernetes:1.0 incomplete linux/arm64".to_owned()), "{}", ended.stdout);
    assert_eq!(digest(&bench.own, &format!("{name}:1.0")), None, "an index with a hole is sent by nobody's leave");
    let amd64 = &children(&bench.indexes[1])[0];
    assert_eq!(digest(&bench.own, &format!("{name}@{amd64}")).as_ref(), Some(amd64));
    let unknown = bench.run(&["--allow-missing", "a.io/b"]).expect(2);
    assert!(unknown.stderr.contains("names nothing that is copied"), "{}", unknown.stderr);
}

#[test]
fn an_image_that_is_nowhere_is_told() {
    let Some(bench) = Bench::new() else { return };
    let text = format!("{}/library/alpine:2.0", bench.upstream.name());
    let setting = format!("components.part3.image={text}");
    let ended = bench.run(&["--set", &setting, "--format", "json"]).expect(1);
    let states = states(&ended);
    assert!(states.contains(&"library/alpine:2.0 missing linux/amd64,linux/arm64".to_owned()), "{states:?}");
    bench.run(&["--set", &setting, "--allow-missing", &text]).expect(0);
}

#[test]
fn names_must_not_meet() {
    let Some(bench) = Bench::new() else { return };
    let setting = format!("components.part3.image={}/loft-sh-kubernetes:1.0", bench.upstream.name());
    let ended = bench.run(&["--set", &setting, "--map", "flatten"]).expect(2);
    let both =
        ["loft-sh-kubernetes:1.0", "loft-sh/kubernetes:1.0"].map(|name| format!("{}/{name}", bench.upstream.name()));
    assert!(both.iter().all(|name| ended.stderr.contains(name)), "{}", ended.stderr);
    assert!(bench.own.requests().is_empty());
}

#[test]
fn an_image_without_an_index_is_for_the_platform_that_it_says() {
    let Some(bench) = Bench::new() else { return };
    let manifest = push_images(&bench.upstream, "library/alpine", &["3.0"], &["linux/amd64"], 9);
    let reference = format!("{}/library/alpine:3.0", bench.upstream.name());
    let setting = format!("components.part3.image={reference}");
    let ended = bench.run(&["--set", &setting, "--format", "json"]).expect(1);
    let states = states(&ended);
    assert!(states.contains(&"library/alpine:3.0 missing linux/arm64".to_owned()), "{states:?}");
    bench.run(&["--set", &setting, "--allow-missing", &format!("{reference}=linux/arm64")]).expect(0);
    assert_eq!(digest(&bench.own, "mirror/library/alpine:3.0"), Some(manifest.digest.to_string()));
}
