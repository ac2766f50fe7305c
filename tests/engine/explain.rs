//! `diff` of images by their layers, which needs no daemon, and what `plan --explain` and `diff` say of images in one.

use std::fs;
use std::path::Path;

use groupage::oci::sample::{Entry, Sample, archive, layout, of_layers, tar};
use serde_json::{Value, json};

use crate::support::native::NOBODY;
use crate::support::workspace::Workspace;
use crate::support::{Ended, daemon};

fn write(folder: &Path, sample: &Sample) {
    for (path, bytes) in layout(&[json!(sample.image.descriptor())], &[sample]) {
        let path = folder.join(path);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, bytes).unwrap();
    }
}

fn size(sample: &Sample) -> u64 {
    sample.image.layers.iter().map(|layer| layer.size).sum()
}

/// Images of strangers: nothing is known of their inputs, so that layers and configurations speak.
#[test]
fn images_of_strangers_are_compared_by_their_layers() {
    let workspace = Workspace::empty();
    let base = tar(&[Entry::file("kept", "same"), Entry::file("gone", "x"), Entry::file("other", "one")]);
    let old = of_layers("linux/amd64", [base.clone()]);
    let change = tar(&[Entry::file(".wh.gone", ""), Entry::file("other", "more"), Entry::file("new", "12345")]);
    let new = of_layers("linux/amd64", [base, change]);
    let foreign = of_layers("linux/arm64", [tar(&[Entry::file("kept", "same")])]);
    for (name, sample) in [("old", &old), ("new", &new), ("foreign", &foreign)] {
        write(&workspace.root().join(name), sample);
    }
    let tree = layout(&[json!(new.image.descriptor())], &[&new]);
    fs::write(workspace.root().join("new.tar"), archive(&tree)).unwrap();
    let diff = |arguments: &[&str]| {
        let mut command = workspace.command(["diff"].iter().chain(arguments));
        Ended::of(command.env("DOCKER_HOST", NOBODY))
    };
    let (before, after) = (size(&old), size(&new));
    let bytes =
        format!("bytes: files 8 → 13 (+5), layers as stored {before} → {after} ({} in other layers)", after - before);
    let lines = format!("  - /gone (1 bytes)\n  + /new (5 bytes)\n  ~ /other (3 bytes → 4 bytes)\n  {bytes}\n");
    for word in ["./new", "oci:new", "new.tar"] {
        let expect = format!("{word} (linux/amd64)\n{lines}");
        assert_eq!(diff(&["./old", word]).expect(0).stdout, expect);
        assert_eq!(diff(&["./old", word, "--exit-code"]).expect(1).stdout, expect);
    }
    assert_eq!(diff(&["./new", "new.tar", "--exit-code"]).expect(0).stdout, "new.tar (linux/amd64): no difference\n");
    let json: Value = serde_json::from_str(&diff(&["./old", "./new", "--format", "json"]).expect(0).stdout).unwrap();
    let image = &json["images"][0];
    assert_eq!(image["files"][1]["after"]["size"], 5, "{json}");
    assert_eq!(image["bytes"], json!({ "files": [8, 13], "layers": [before, after], "new_layers": after - before }));
    let other = diff(&["./old", "./foreign"]).expect(0).stdout;
    assert!(other.contains("configuration platform changed: linux/amd64 → linux/arm64\n"), "{other}");
    let none = diff(&["./old", "./new", "--platform", "linux/s390x"]).expect(2).stderr;
    assert!(none.contains("./old is not for linux/s390x\nhint: it is for linux/amd64"), "{none}");
}

/// A layer that is not what its image says is an error, and no difference.
#[test]
fn damaged_images_are_refused() {
    let workspace = Workspace::empty();
    let sample = of_layers("linux/amd64", [tar(&[Entry::file("a", "x")])]);
    write(&workspace.root().join("good"), &sample);
    write(&workspace.root().join("bad"), &sample);
    let blob = workspace.root().join("bad/blobs/sha256").join(sample.image.layers[0].digest.hex());
    fs::write(blob, vec![b'x'; usize::try_from(sample.image.layers[0].size).unwrap()]).unwrap();
    let mut command = workspace.command(["diff", "./bad", "./good"]);
    let ended = Ended::of(command.env("DOCKER_HOST", NOBODY)).expect(1);
    assert!(ended.stderr.contains("error: ") && ended.stdout.is_empty(), "{}", ended.stderr);
}

mod needs_engine {
    use super::*;

    #[test]
    fn the_last_build_of_a_daemon_is_explained() {
        if !daemon() {
            return;
        }
        let workspace = Workspace::empty();
        workspace.write("groupage.toml", "schema = 1\n");
        workspace.files_component("a", "[[install]]\nfrom = \"a.conf\"\nto = \"/etc/a.conf\"\n");
        workspace.write("components/a/a.conf", "one\n").image("app", &["a"], "");
        let tag = format!("{}:1.0.0", workspace.tag("app"));
        let explained = || workspace.run(["plan", "--explain"]).expect(0).stdout;
        assert_eq!(explained(), "app: would be built\n  never built here\n");
        workspace.run(["build", "app"]).expect(0);
        let (built, platform) =
            (explained(), if cfg!(target_arch = "aarch64") { "linux/arm64" } else { "linux/amd64" });
        assert_eq!(built, format!("app ({platform}): up to date\n"));
        let against = ["plan", "--explain", "--against", &tag];
        let same = format!("app ({platform}): the same as {tag}\n");
        assert_eq!(workspace.run(against).expect(0).stdout, same);
        // both engines give the same files
        workspace.build_native("app", &[]);
        let daemons = format!("docker-daemon:{tag}");
        let diff = workspace.run(["diff", &daemons, "./target/groupage/oci/app"]).expect(0).stdout;
        assert!(!diff.contains(" /"), "{diff}");
        workspace.run(["build", "app"]).expect(0);
        workspace.write("components/a/a.conf", "two\n");
        let changed = explained();
        assert!(changed.contains(": would be built\n  a: file components/a/a.conf changed: "), "{changed}");
        assert_eq!(changed.lines().count(), 2, "{changed}");
        workspace.write("components/a/a.conf", "one\n");
        assert_eq!(explained(), built);
        let removed = std::process::Command::new("docker").args(["rmi", &tag]).output().unwrap();
        assert!(removed.status.success(), "{removed:?}");
        let gone = explained();
        assert!(
            gone.contains(": would be built\n  the image is gone: the Docker daemon does not have sha256:"),
            "{gone}"
        );
    }
}
