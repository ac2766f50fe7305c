//! What the native engine writes, read by readers of our own. None of these tests needs a daemon or another program.

use std::collections::BTreeSet;
use std::fs;
use std::path::PathBuf;

use serde_json::json;

use crate::native_samples::{image, odd_files};
use crate::support::Ended;
use crate::support::image::{Image, Kind, hex, same};
use crate::support::layout::{Layout, unpack};
use crate::support::native::{EPOCH, printed};
use crate::support::workspace::Workspace;

/// [`EPOCH`], as configurations have it.
const EPOCH_TEXT: &str = "2023-11-14T22:13:20Z";

fn tree_of(image: &Image) -> Vec<String> {
    let line = |(path, entry): (&String, &crate::support::image::Entry)| match &entry.kind {
        Kind::Folder => format!("{path}/ {:o} {:?}", entry.mode, entry.owner),
        Kind::File { .. } => format!("{path} {:o} {:?}", entry.mode, entry.owner),
        Kind::Link { target } => format!("{path} -> {target}"),
        Kind::Special(what) => format!("{path} is {what}"),
    };
    image.tree.iter().map(line).collect()
}

#[test]
fn a_layout_holds_the_files_and_the_configuration_of_the_plan() {
    let workspace = odd_files("scratch", "");
    // as long as a name can be
    workspace.write(&format!("components/odd/site/{}", "m".repeat(255)), "longest");
    let layout = workspace.build_native("odd", &[]);
    let image = layout.image();
    // one for each component, one for their description, and maybe one for the working directory
    assert!((3..=4).contains(&image.layers), "{} layers", image.layers);
    assert_eq!(layout.layer_types(), BTreeSet::from(["application/vnd.oci.image.layer.v1.tar".to_owned()]));
    assert_eq!(layout.times(image.layers), BTreeSet::from([EPOCH.parse().unwrap()]));
    assert_eq!(layout.documents().config["created"], EPOCH_TEXT);

    let outside = |line: &String| !line.starts_with("/srv/site/");
    let seen: Vec<String> = tree_of(&image).into_iter().filter(outside).collect();
    assert_eq!(
        seen,
        [
            "/.groupage/ 755 (0, 0)",
            "/.groupage/manifest.json 644 (0, 0)",
            "/motd 444 (0, 0)",
            "/odd -> usr/libexec/odd/run",
            "/opt/ 755 (0, 0)",
            "/opt/old/ 755 (0, 0)",
            "/opt/old/bin/ 755 (0, 0)",
            "/opt/old/bin/odd -> ../../../usr/libexec/odd/run",
            "/opt/run 755 (0, 0)",
            "/srv/ 755 (0, 0)",
            "/usr/ 755 (0, 0)",
            "/usr/bin/ 755 (0, 0)",
            "/usr/bin/odd -> ../libexec/odd/run",
            "/usr/libexec/ 755 (0, 0)",
            "/usr/libexec/odd/ 755 (0, 0)",
            "/usr/libexec/odd/run 750 (0, 0)",
            "/usr/share/ 755 (0, 0)",
            "/usr/share/plain/ 755 (0, 0)",
            "/usr/share/plain/text 644 (0, 0)",
            "/var/ 755 (0, 0)",
            "/var/lib/ 755 (0, 0)",
            "/var/lib/odd/ 755 (0, 0)",
            "/var/lib/odd/not/ 755 (0, 0)",
            "/var/lib/odd/not/there/ 755 (0, 0)",
        ]
    );
    same_as_on_disk(&workspace, &image);

    let behaviour = image.behaviour();
    assert_eq!(behaviour["Entrypoint"], json!(["/usr/libexec/odd/run", "a b", "%HOME%", ""]));
    assert_eq!(behaviour["User"], "1234:5678");
    assert_eq!(behaviour["WorkingDir"], "/var/lib/odd/not/there");
    assert_eq!(behaviour["ExposedPorts"], json!({ "8080/tcp": {}, "8053/udp": {} }));
}

/// Every file below `site` is in the image with its bytes, every link with its target, and nothing else.
#[track_caller]
fn same_as_on_disk(workspace: &Workspace, image: &Image) {
    let top = workspace.root().join("components/odd/site");
    let mut folders = vec![PathBuf::new()];
    let mut count = 0;
    while let Some(folder) = folders.pop() {
        for found in fs::read_dir(top.join(&folder)).unwrap() {
            let found = found.unwrap();
            let below = folder.join(found.file_name());
            let path = format!("/srv/site/{}", below.to_str().unwrap());
            let kind = found.file_type().unwrap();
            let expect = if kind.is_dir() {
                folders.push(below);
                Kind::Folder
            } else if kind.is_symlink() {
                Kind::Link { target: fs::read_link(found.path()).unwrap().to_str().unwrap().to_owned() }
            } else {
                Kind::File { digest: hex(&fs::read(found.path()).unwrap()) }
            };
            let seen = image.tree.get(&path).unwrap_or_else(|| panic!("no {path:?}"));
            assert_eq!(seen.kind, expect, "{path:?}");
            let mode = match &expect {
                Kind::File { .. } if path != "/srv/site/bin/tool" => 0o644,
                Kind::Link { .. } => 0o777,
                _ => 0o755,
            };
            assert_eq!((seen.mode, seen.owner), (mode, (0, 0)), "{path:?}");
            count += 1;
        }
    }
    assert_eq!(image.tree.keys().filter(|path| path.starts_with("/srv/site/")).count(), count);
}

#[test]
fn archives_hold_the_image_of_the_layout_and_repeat_byte_for_byte() {
    let workspace = odd_files("scratch", "");
    let expect = workspace.build_native("odd", &[]);
    let archive = |output: &str, name: &str| {
        let path = workspace.beside(name);
        let output = format!("{output},dest={}", path.display());
        let write = || {
            let ended = Ended::of(&mut workspace.native(&["odd", "--output", &output])).expect(0);
            (fs::read(&path).unwrap(), printed(&ended).into_values().next().unwrap())
        };
        let (bytes, digest) = write();
        fs::remove_file(&path).unwrap();
        let (again, again_digest) = write();
        assert!(bytes == again && digest == again_digest, "{output}: not the same twice");
        // over a file that is there
        assert!(write().0 == bytes, "{output}: not the same over an old one");
        // and with nothing remembered
        fs::remove_dir_all(workspace.root().join("target/groupage")).unwrap();
        assert!(write().0 == bytes, "{output}: not the same with an empty cache");
        (path, digest)
    };
    for (output, media_type) in [
        ("type=oci", "application/vnd.oci.image.layer.v1.tar+gzip"),
        ("type=oci,compression=gzip", "application/vnd.oci.image.layer.v1.tar+gzip"),
        ("type=oci,compression=zstd", "application/vnd.oci.image.layer.v1.tar+zstd"),
        ("type=oci,compression=none", "application/vnd.oci.image.layer.v1.tar"),
    ] {
        let (path, digest) = archive(output, "archive.tar");
        let folder = tempfile::tempdir().unwrap();
        let layout = unpack(&path, folder.path());
        assert_eq!(layout.layer_types(), BTreeSet::from([media_type.to_owned()]), "{output}");
        assert_eq!(layout.digest(), digest, "{output}: what is printed is what was written");
        same(output, &layout.image(), &workspace.build_native("odd", &[]).image());
        // one configuration, one image ID, however its layers are stored
        let config = |layout: &Layout| layout.documents().manifest["config"]["digest"].clone();
        assert_eq!(config(&layout), config(&workspace.build_native("odd", &[])), "{output}");
    }
    for output in ["type=docker", "type=docker,compression=gzip", "type=docker,compression=none"] {
        let (path, _) = archive(output, "saved.tar");
        let bytes = fs::read(path).unwrap();
        let saved = crate::support::archive::Saved::read(&bytes);
        assert_eq!(saved.manifest["RepoTags"], json!([workspace.tag("odd:1.0.0")]), "{output}");
        same(output, &Image::of_bytes(&bytes), &workspace.build_native("odd", &[]).image());
    }
    drop(expect);
}

#[test]
fn a_changed_component_changes_its_layer_alone() {
    let workspace = odd_files("scratch", "");
    let layers = |layout: &Layout| -> Vec<String> {
        let documents = layout.documents();
        let layers = documents.manifest["layers"].as_array().unwrap();
        layers.iter().map(|layer| layer["digest"].as_str().unwrap().to_owned()).collect()
    };
    let first = workspace.build_native("odd", &[]);
    let (before, digest) = (layers(&first), first.digest());
    workspace.write("components/plain/text", "changed\n");
    let second = workspace.build_native("odd", &[]);
    assert_ne!(second.digest(), digest);
    let after = layers(&second);
    assert_eq!(before.len(), after.len());
    let changed = before.iter().zip(&after).filter(|(before, after)| before != after).count();
    assert_eq!(changed, 1, "nothing but its own layer may depend on a component: {before:?} {after:?}");
    // of equal length, with an old time, so that no stat data tells them apart but the change time
    workspace.write("components/plain/text", "CHANGED\n");
    let path = workspace.root().join("components/plain/text");
    fs::File::options().append(true).open(path).unwrap().set_modified(std::time::UNIX_EPOCH).unwrap();
    assert_ne!(layers(&workspace.build_native("odd", &[])), after);
    workspace.write("components/plain/text", "plain\n");
    assert_eq!(workspace.build_native("odd", &[]).digest(), digest, "the same inputs again");
}

#[test]
fn several_platforms_are_joined_in_an_index() {
    let workspace = Workspace::empty();
    workspace.write("groupage.toml", "schema = 1\n");
    let install = "[[install]]\nfrom = \"{os}/{arch}/text\"\nto = \"/text\"\n";
    workspace.files_component("each", install);
    for arch in ["amd64", "arm64"] {
        workspace.write(&format!("components/each/linux/{arch}/text"), arch);
    }
    image(&workspace, "app", "scratch", &["each"], "");
    let layout = workspace.build_native("app", &["--platform", "linux/amd64,linux/arm64"]);
    let images = layout.images();
    assert_eq!(images.keys().collect::<Vec<_>>(), ["linux/amd64", "linux/arm64"]);
    for (platform, documents) in &images {
        assert_eq!(layout.read(documents).read("/text"), platform.rsplit('/').next().unwrap().as_bytes());
    }
    assert!(fs::read_to_string(layout.folder().join("index.json")).unwrap().contains("image.index.v1+json"));
    // the other way round is the same
    let digest = layout.digest();
    assert_eq!(workspace.build_native("app", &["--platform", "linux/arm64,linux/amd64"]).digest(), digest);
    // one of them alone is no index
    let one = workspace.build_native("app", &["--platform", "linux/arm64"]);
    assert_eq!(one.images().keys().collect::<Vec<_>>(), ["linux/arm64"]);
}
