//! `verify` and the Docker daemon: what it builds gets no name with a defect, what it has is looked at, and probes are started.

use std::time::Duration;

use groupage::engine::docker::{Docker, Environment, Probe, Probed, host};
use groupage::engine::{Cancel, block_on};
use groupage::oci::sample::{Entry, archive, layout, of_layers, tar};
use groupage::oci::{Image, Platform};
use groupage::verify::sample::Program;
use serde_json::{Value, json};

use crate::support::workspace::Workspace;
use crate::support::{daemon, docker};
use crate::verify_layouts::{program, workspace};

/// Static programs for the machine of the daemon; other machines have other tests.
fn is_amd64() -> bool {
    Platform::of_this_machine().architecture() == "amd64"
}

#[test]
fn the_daemon_names_no_image_with_a_defect() {
    if !daemon() {
        return;
    }
    let workspace = workspace(b"#!/bin/sh\n", "scratch");
    let ended = workspace.run(["build"]).expect(1);
    let line = "  error[missing-interpreter] linux/amd64: /usr/bin/app is a script for /bin/sh, and /bin/sh is not in the image\n";
    assert!(!is_amd64() || ended.stderr.contains(line), "{ended:?}");
    assert_eq!(workspace.tags(), Vec::<String>::new());
    workspace.run(["build", "--no-verify"]).expect(0);
    assert_eq!(workspace.tags().len(), 1);
    let ended = workspace.run(["verify", "app"]).expect(1);
    assert!(ended.stdout.contains("error[missing-interpreter]"), "{ended:?}");
}

#[test]
fn both_engines_build_what_is_verified() {
    if !daemon() || !is_amd64() {
        return;
    }
    let workspace = workspace(&Program::ending_with(0).bytes(), "scratch");
    workspace.run(["build"]).expect(0);
    let tag = workspace.tag("app:1.0.0");
    let ended = workspace.run(["verify", &tag]).expect(0);
    assert_eq!((ended.stdout.as_str(), ended.stderr.contains(": 0 errors, ")), ("", true), "{ended:?}");
    workspace.run(["build", "--engine", "native", "--load"]).expect(0);
    workspace.run(["verify", &tag]).expect(0);
}

/// A layout with a role whose probe has these bytes.
fn probed(workspace: &Workspace, bytes: Vec<u8>) {
    let role = json!({ "command": ["/app"], "user": "1:1", "workdir": "/", "probe": ["/probe", "--version"] });
    let silent = json!({ "command": ["/app"], "user": "1:1", "workdir": "/" });
    let description = json!({ "schema": 1, "image": "other", "base": "scratch", "components": [{
        "name": "app", "roles": { "app": role, "silent": silent }, "files": { "/app": {}, "/probe": {} },
    }] });
    let text = description.to_string().into_bytes();
    let description = Entry { content: text, ..Entry::file(".groupage/manifest.json", "") };
    let entries = [program("app", Program::ending_with(0).bytes()), program("probe", bytes), description];
    let mut sample = of_layers("linux/amd64", [tar(&entries)]);
    let mut config = sample.image.config.value().unwrap();
    // no two tests have the same image
    config["config"] = json!({ "User": "1:1", "Labels": { "test": workspace.tag("x") } });
    sample.image = Image::new(sample.image.platform.clone(), config, sample.image.layers);
    let tree = layout(&[json!(sample.image.descriptor())], &[&sample]);
    std::fs::write(workspace.root().join("x.tar"), archive(&tree)).unwrap();
}

fn left_behind() -> (Vec<String>, String) {
    let images =
        docker(["images", "--format", "{{.Repository}}:{{.Tag}}", "--filter", "reference=groupage.invalid/verify/*"]);
    let containers = docker(["ps", "-aq", "--filter", "label=dev.groupage.probe"]);
    (images.lines().map(str::to_owned).collect(), containers)
}

#[test]
fn probes_are_started_and_leave_nothing() {
    if !daemon() || !is_amd64() {
        return;
    }
    let workspace = Workspace::empty();
    let run = |bytes: Vec<u8>, code: i32| -> Vec<Value> {
        probed(&workspace, bytes);
        let ended = workspace.run(["verify", "x.tar", "--run", "--format", "json"]).expect(code);
        serde_json::from_str(&ended.stdout).unwrap()
    };
    let found = run(Program::ending_with(0).bytes(), 0);
    assert_eq!(found.len(), 1, "{found:?}");
    assert_eq!((&found[0]["code"], &found[0]["role"]), (&json!("no-probe"), &json!("silent")));
    let found = run(Program::ending_with(3).bytes(), 1);
    let message = "the probe [\"/probe\", \"--version\"] of role `app` ends with 3 and says nothing";
    assert!(found.iter().any(|finding| finding["message"] == message), "{found:?}");
    let found = run(b"no program".to_vec(), 1);
    assert!(found.iter().any(|finding| finding["code"] == "probe-failed"), "{found:?}");
    let (images, _) = left_behind();
    let own = format!(":{}", std::process::id());
    assert!(!images.iter().any(|name| name.ends_with(&own)), "{images:?}");
}

#[test]
fn a_probe_that_does_not_end_is_ended() {
    if !daemon() || !is_amd64() {
        return;
    }
    let workspace = Workspace::empty();
    probed(&workspace, Program::endless().bytes());
    let name = workspace.tag("endless:1");
    docker(["load", "-q", "-i", &saved(&workspace, &name)]);
    let variable = |name: &str| std::env::var(name).ok();
    let address = host::resolve(None, &Environment::from_variables(variable, None), &|_| Ok(Vec::new())).unwrap();
    let probe = Probe {
        image: name,
        command: vec!["/probe".to_owned()],
        user: "1:1".to_owned(),
        workdir: String::new(),
        env: Vec::new(),
        limit: Duration::from_secs(1),
    };
    let end = block_on(async {
        let docker = Docker::connect(&address).await.unwrap();
        let end = docker.probe(&probe, &Cancel::new()).await.unwrap();
        let cancel = Cancel::new();
        cancel.cancel();
        assert!(docker.probe(&probe, &cancel).await.is_err());
        end
    });
    assert_eq!(end.unwrap(), Probed::TooLong);
    let of_image = docker(["ps", "-aq", "--filter", &format!("ancestor={}", probe.image)]);
    assert_eq!(of_image, "");
}

/// The image of `x.tar` in the form of `docker save`, with a name.
fn saved(workspace: &Workspace, name: &str) -> String {
    let path = workspace.beside("saved.tar");
    let sample = of_layers("linux/amd64", [tar(&[program("probe", Program::endless().bytes())])]);
    let layer = &sample.image.layers[0];
    let manifest = json!([{ "Config": "c.json", "RepoTags": [name], "Layers": ["0.tar"] }]);
    let tree = [
        ("c.json".to_owned(), sample.image.config.bytes.clone()),
        ("0.tar".to_owned(), sample.blobs[&layer.digest].clone()),
        ("manifest.json".to_owned(), manifest.to_string().into_bytes()),
    ];
    std::fs::write(&path, archive(&tree.into())).unwrap();
    path.to_str().unwrap().to_owned()
}
