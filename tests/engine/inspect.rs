//! `inspect` on files and registries, which needs no daemon, and on an image of the daemon, which shows the same.

use std::fs;
use std::path::Path;

use groupage::oci::sample::{Entry, Sample, Tree, archive, layout, of_layers, tar};
use serde_json::{Value, json};

use crate::support::Ended;
use crate::support::readers::{programs, skopeo_copy};
use crate::support::registry::LocalRegistry;
use crate::support::workspace::{Workspace, program};
use crate::support::{daemon, docker};

const NOBODY: &str = "unix:///nonexistent.sock";

/// An image that says of itself what one of groupage does.
fn image(platform: &str, version: &str) -> Sample {
    let description = json!({
        "schema": 1, "image": "app", "version": version, "mode": "colocated", "features": ["a"],
        "components": [{ "name": "part", "version": "2.0.0", "features": [], "roles": { "run": { "command": ["/run", "it"], "user": "1:2" } } }],
    });
    let description =
        Entry { content: description.to_string().into_bytes(), ..Entry::file(".groupage/manifest.json", "") };
    of_layers(platform, [tar(&[Entry::file("a", "x")]), tar(&[description]), tar(&[Entry::file("b", "y")])])
}

fn write(folder: &Path, tree: &Tree) {
    for (path, bytes) in tree {
        let path = folder.join(path);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, bytes).unwrap();
    }
}

/// What `docker save` writes for an image.
fn saved(sample: &Sample) -> Tree {
    let config = &sample.image.config;
    let mut tree = Tree::from([("c.json".to_owned(), config.bytes.clone())]);
    let mut names = Vec::new();
    for (position, layer) in sample.image.layers.iter().enumerate() {
        names.push(format!("{position}.tar"));
        tree.insert(format!("{position}.tar"), sample.blobs[&layer.digest].clone());
    }
    let manifest =
        json!([{ "Config": "c.json", "RepoTags": ["localhost/groupage-test/inspected:1"], "Layers": names }]);
    tree.insert("manifest.json".to_owned(), manifest.to_string().into_bytes());
    tree
}

fn workspace() -> (Workspace, [Sample; 2]) {
    let workspace = Workspace::empty();
    let images = [image("linux/amd64", "1.0.0"), image("linux/arm64", "1.0.0")];
    let both = layout(&images.each_ref().map(|sample| json!(sample.image.descriptor())), &images.each_ref());
    let one = layout(&[json!(images[0].image.descriptor())], &[&images[0]]);
    let root = workspace.root();
    write(&root.join("both"), &both);
    write(&root.join("one"), &one);
    fs::write(root.join("one.tar"), archive(&one)).unwrap();
    fs::write(root.join("saved.tar"), archive(&saved(&images[0]))).unwrap();
    (workspace, images)
}

#[test]
fn files_are_inspected_without_a_daemon() {
    let (workspace, images) = workspace();
    let inspect = |word: &str, more: &[&str]| {
        let mut command = workspace.command(["inspect", word].iter().chain(more));
        Ended::of(command.env("DOCKER_HOST", NOBODY))
    };
    let json =
        |word: &str| -> Value { serde_json::from_str(&inspect(word, &["--format", "json"]).expect(0).stdout).unwrap() };
    let digest = images[0].image.manifest.digest.to_string();
    for word in ["oci:one", "one", "./one", "oci-archive:one.tar", "one.tar", &format!("oci:both@{digest}")] {
        let seen = json(word);
        assert_eq!(seen["config"]["digest"], digest, "{word}");
        assert_eq!(seen["config"]["platform"], "linux/amd64");
        assert_eq!(seen["groupage"]["components"][0]["name"], "part");
    }
    let seen = json("saved.tar");
    assert_eq!(seen["config"]["id"], images[0].image.config.digest.to_string());
    assert_eq!(seen["config"]["tags"], json!(["localhost/groupage-test/inspected:1"]));
    assert_eq!(seen["groupage"]["version"], "1.0.0");
    let seen = json("both");
    let platforms: Vec<&Value> =
        seen["images"].as_array().unwrap().iter().map(|image| &image["config"]["platform"]).collect();
    assert_eq!(platforms, ["linux/amd64", "linux/arm64"]);
    let id = &images[0].image.config.digest;
    let size: usize = images[0].blobs.values().map(Vec::len).sum();
    let text = format!(
        "oci:one\n  image ID    {id}\n  digest      {digest}\n  platform    linux/amd64\n  size        {size} bytes in 3 layers\n  \
         version     1.0.0\n  mode        colocated\n  features    a\n  + part 2.0.0\n      role run: /run it as 1:2\n"
    );
    assert_eq!(inspect("one", &[]).expect(0).stdout, text);
    let both = inspect("both", &[]).expect(0).stdout;
    assert!(both.contains("linux/amd64") && both.contains("\n\noci:both\n") && both.contains("linux/arm64"), "{both}");
}

#[test]
fn what_is_no_image_is_said() {
    let (workspace, images) = workspace();
    let root = workspace.root();
    fs::write(root.join("text"), "text").unwrap();
    fs::write(root.join("cut.tar"), &archive(&saved(&images[0]))[..3000]).unwrap();
    let broken = image("linux/amd64", "broken");
    let mut tree = layout(&[json!(broken.image.descriptor())], &[&broken]);
    tree.values_mut().last().unwrap().clear();
    let manifest = format!("blobs/sha256/{}", broken.image.manifest.digest.hex());
    tree.get_mut(&manifest).unwrap().push(b' ');
    write(&root.join("broken"), &tree);
    for (word, code, expect) in [
        ("oci:none", 3, "does not exist\nhint:"),
        ("oci:text", 2, "is not a folder"),
        ("oci:one:latest", 2, "a path has no `:`"),
        ("./text", 1, "cut short"),
        ("./none", 3, "./none does not exist\nhint:"),
        ("cut.tar", 1, "cut short"),
        ("broken", 1, "expected sha256:"),
        ("docker-daemon:a/b", 3, "no Docker daemon answers"),
        ("0123456789ab", 3, "error: no Docker daemon answers"),
        (
            "127.0.0.1:1/a/b:1",
            3,
            "there is no image 127.0.0.1:1/a/b:1 to be had\n  Docker daemon: no Docker daemon answers",
        ),
        ("A/B", 2, "`A/B` is not an image reference"),
    ] {
        let mut command = workspace.command(["inspect", word]);
        let ended = Ended::of(command.env("DOCKER_HOST", NOBODY));
        assert!(ended.stderr.contains(expect), "{word}: {ended:?}");
        assert_eq!((ended.code, ended.stdout.as_str()), (Some(code), ""), "{word}: {ended:?}");
    }
}

/// An image of this program with its layout, for two platforms.
fn built(registry: &LocalRegistry) -> (Workspace, String) {
    let workspace = Workspace::empty();
    workspace.write("groupage.toml", format!("schema = 1\n[registry]\ndefault = \"{}/team\"\n", registry.address()));
    workspace.files_component("text", "[[install]]\nfrom = \"text\"\nto = \"/text\"\n");
    workspace.write("components/text/text", "one\n");
    workspace.image("app", &["text"], "");
    let mut build = program(workspace.root());
    build.args(["build", "--engine", "native", "--platform", "linux/amd64,linux/arm64", "--push"]);
    Ended::of(build.env("DOCKER_HOST", NOBODY).env("SOURCE_DATE_EPOCH", "1700000000")).expect(0);
    let reference = format!("{}/team/app:1.0.0", registry.address());
    (workspace, reference)
}

/// The registry says what the layout says: all platforms, of each the manifest, the configuration and one small layer.
#[test]
fn a_registry_is_inspected_without_a_daemon() {
    let Some(registry) = LocalRegistry::start() else { return };
    let (workspace, reference) = built(&registry);
    let inspect = |words: &[&str]| {
        let mut command = program(workspace.root());
        command.args(["inspect", "--format", "json"]).args(words);
        Ended::of(command.env("DOCKER_HOST", NOBODY))
    };
    let json = |words: &[&str]| -> Value { serde_json::from_str(&inspect(words).expect(0).stdout).unwrap() };
    let (seen, requests) = registry.requests_of(|| json(&[&reference]));
    let blobs = requests.iter().filter(|request| request.path.contains("/blobs/")).count();
    assert_eq!(blobs, 4, "of two platforms a configuration and the highest layer: {requests:#?}");
    let index = registry.complete("team/app", "1.0.0").unwrap().unwrap();
    let images = seen["images"].as_array().unwrap();
    let platforms: Vec<&Value> = images.iter().map(|image| &image["config"]["platform"]).collect();
    assert_eq!(platforms, ["linux/amd64", "linux/arm64"]);
    for image in images {
        assert_eq!((&image["reference"], &image["index"]), (&json!(reference), &json!(index)));
        assert_eq!(image["groupage"]["components"][0]["name"], "text");
        assert!(image["config"]["labels"]["dev.groupage.fingerprint"].is_string(), "{image}");
    }

    // an image of the workspace: its layout, and without one the registry
    let layout = workspace.root().join("target/groupage/oci/app");
    let here = json(&["app"]);
    assert_eq!(here["images"][0]["reference"], "oci:target/groupage/oci/app");
    assert_eq!(here["images"][1]["groupage"], images[1]["groupage"]);
    assert_eq!(here["images"][1]["config"]["digest"], images[1]["config"]["digest"]);
    fs::remove_dir_all(&layout).unwrap();
    let mut there = json(&["app"]);
    there["reference"] = json!(reference);
    assert_eq!(there, seen);
    let digest = images[1]["config"]["digest"].as_str().unwrap();
    let one = json(&[&format!("{}@{digest}", reference.rsplit_once(':').unwrap().0)]);
    assert_eq!((&one["config"], &one["index"]), (&images[1]["config"], &Value::Null));

    // where nobody has it, everybody who was asked is named
    registry.clear();
    let none = inspect(&["app"]);
    let lines: Vec<&str> = none.stderr.lines().collect();
    assert_eq!((none.code, lines[0]), (Some(3), format!("error: there is no image {reference} to be had").as_str()));
    assert!(lines[1].starts_with("  Docker daemon: no Docker daemon answers at "), "{none:?}");
    assert_eq!(lines[2], "  oci:target/groupage/oci/app: there is none");
    assert!(lines[3].starts_with(&format!("  registry: failed to read the manifest of {reference}: ")), "{none:?}");
    assert!(lines.last().unwrap().starts_with("hint: build it with "), "{none:?}");
    let ended = inspect(&["app", "--offline"]);
    assert!(ended.stderr.contains(": --offline was given\n"), "{ended:?}");
}

/// Layers of more than 16 MiB are not fetched, and what could be in them is not denied.
#[test]
fn large_layers_of_a_registry_are_left_there() {
    if !programs(&["skopeo"]) {
        return;
    }
    let Some(registry) = LocalRegistry::start() else { return };
    let folder = tempfile::tempdir().unwrap();
    // what cannot be compressed
    let mut state = 1_u64;
    let noise = std::iter::repeat_with(|| {
        state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (state >> 56) as u8
    });
    let large = Entry { content: noise.take(17 << 20).collect(), ..Entry::file("large", "") };
    let large = tar(&[large]);
    let described = Entry { content: b"{\"version\":\"3\"}".to_vec(), ..Entry::file(".groupage/manifest.json", "") };
    let inspect = |name: &str, below: Entry| {
        let sample = of_layers("linux/amd64", [tar(&[below]), large.clone()]);
        let own = folder.path().join(name);
        write(&own, &layout(&[json!(sample.image.descriptor())], &[&sample]));
        let reference = format!("{}/team/{name}:1", registry.address());
        skopeo_copy(&format!("oci:{}", own.display()), &format!("docker://{reference}"));
        let mut command = program(folder.path());
        command.args(["inspect", &reference]).env("DOCKER_HOST", NOBODY);
        let (seen, requests) = registry.requests_of(|| Ended::of(&mut command).expect(0).stdout);
        let blobs = requests.iter().filter(|request| request.path.contains("/blobs/")).count();
        assert_eq!(blobs, 2, "the configuration and the small layer: {requests:#?}");
        seen
    };
    let seen = inspect("described", described);
    assert!(seen.contains("\n  version     3\n"), "{seen}");
    let seen = inspect("plain", Entry::file("a", "x"));
    let end = "\n  no /.groupage/manifest.json in its smaller layers; the larger ones were not fetched\n";
    assert!(seen.ends_with(end), "{seen}");
}

/// What an archive says, the daemon that has loaded it says too.
#[test]
fn needs_engine_an_archive_and_the_daemon_that_loaded_it_agree() {
    if !daemon() {
        return;
    }
    let (workspace, images) = workspace();
    let name = format!("localhost/groupage-test/{}:1", crate::support::unique());
    let archived = workspace.root().join("saved.tar").display().to_string();
    docker(["load", "-i", &archived]);
    docker(["tag", "localhost/groupage-test/inspected:1", &name]);
    docker(["rmi", "localhost/groupage-test/inspected:1"]);
    let json = |word: &str| -> Value {
        serde_json::from_str(&workspace.run(["inspect", word, "--format", "json"]).expect(0).stdout).unwrap()
    };
    let (mut file, mut seen) = (json("docker-archive:saved.tar"), json(&format!("docker-daemon:{name}")));
    assert_eq!(json(&name)["groupage"], seen["groupage"]);
    docker(["rmi", &name]);
    for own in [&mut file, &mut seen] {
        // they name it otherwise, and count its bytes packed or unpacked
        own["reference"].take();
        own["config"]["tags"].take();
        own["config"]["size"].take();
    }
    assert_eq!(file, seen);
    assert_eq!(seen["config"]["id"], images[0].image.config.digest.to_string());
}

/// The daemon's image comes first; that something newer is in the layout is said.
#[test]
fn needs_engine_a_layout_that_is_newer_than_the_daemon_is_told_of() {
    if !daemon() {
        return;
    }
    let workspace = Workspace::empty();
    workspace.write("groupage.toml", "schema = 1\n");
    workspace.files_component("text", "[[install]]\nfrom = \"text\"\nto = \"/text\"\n");
    workspace.write("components/text/text", "one\n");
    workspace.image("app", &["text"], "");
    Ended::of(&mut workspace.with_daemon(&["app", "--load"])).expect(0);
    let ended = workspace.run(["inspect", "app"]).expect(0);
    let tag = workspace.tag("app:1.0.0");
    assert_eq!((ended.stdout.lines().next(), ended.stderr.as_str()), (Some(tag.as_str()), ""));
    workspace.write("components/text/text", "two\n");
    Ended::of(&mut workspace.with_daemon(&["app"])).expect(0);
    let ended = workspace.run(["inspect", "app"]).expect(0);
    assert_eq!(ended.stdout.lines().next(), Some(tag.as_str()));
    let note = "note: this is the daemon's image; oci:target/groupage/oci/app holds another build\n";
    assert_eq!(ended.stderr, note);
}
