//! Defects that are sown into components, bases and finished layouts. `build` with the native engine gives no image a name that has
//! one; `verify` names them in images that somebody else has made.

use std::fs;
use std::os::unix::fs::MetadataExt as _;
use std::path::Path;

use groupage::oci::sample::{Entry, Sample, Tree, archive, layout, of_layers, tar};
use groupage::oci::{Digest, Image};
use groupage::plan::fingerprint;
use groupage::verify::sample::Program;
use serde_json::{Value, json};

use crate::support::Ended;
use crate::support::layout::Layout;
use crate::support::registry::{LocalRegistry, Request};
use crate::support::workspace::Workspace;

const NOBODY: &str = "unix:///nonexistent.sock";

const ROLE: &str = r#"
[[install]]
from = "app"
to = "/usr/bin/app"
mode = "0755"
[[install]]
from = "app.conf"
to = "/etc/app.conf"
[roles.app]
command = ["/usr/bin/app"]
user = "65532:65532"
ports = [{ port = 8080, name = "http" }]
aliases = ["/app"]
"#;

pub fn program(path: &str, bytes: Vec<u8>) -> Entry {
    Entry { content: bytes, mode: 0o755, ..Entry::file(path, "") }
}

fn write(folder: &Path, tree: &Tree) {
    for (path, bytes) in tree {
        let path = folder.join(path);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, bytes).unwrap();
    }
}

/// A workspace with the image `app` of one component, whose program has these bytes.
pub fn workspace(app: &[u8], base: &str) -> Workspace {
    let workspace = Workspace::empty();
    workspace.write("groupage.toml", "schema = 1\n[bases]\nown = \"oci:base\"\n");
    workspace.files_component("app", ROLE);
    workspace.write("components/app/app", app).write("components/app/app.conf", "x = 1\n");
    image(&workspace, base);
    workspace
}

fn image(workspace: &Workspace, base: &str) {
    workspace.image("app", &["app"], "default-role = \"app\"");
    let text = fs::read_to_string(workspace.root().join("images/app/image.toml")).unwrap();
    workspace.write("images/app/image.toml", text.replace("\"scratch\"", &format!("\"{base}\"")));
}

/// Writes the base `own`, for some platforms.
fn base(workspace: &Workspace, layers: &[(&str, Vec<Entry>)]) {
    let samples: Vec<Sample> = layers.iter().map(|(platform, entries)| of_layers(platform, [tar(entries)])).collect();
    let descriptors: Vec<Value> = samples.iter().map(|sample| json!(sample.image.descriptor())).collect();
    write(&workspace.root().join("base"), &layout(&descriptors, &samples.iter().collect::<Vec<_>>()));
}

fn glibc() -> Vec<Entry> {
    vec![
        program("lib64/ld-linux-x86-64.so.2", Program::amd64().bytes()),
        program("usr/lib/x86_64-linux-gnu/libc.so.6", Program::amd64().bytes()),
    ]
}

fn dynamic() -> Program {
    Program::amd64().loaded_by("/lib64/ld-linux-x86-64.so.2").needing("libc.so.6")
}

fn groupage(workspace: &Workspace, words: &[&str]) -> Ended {
    Ended::of(workspace.command(words).env("DOCKER_HOST", NOBODY))
}

fn build(workspace: &Workspace, more: &[&str]) -> Ended {
    groupage(workspace, &[&["build", "--engine", "native", "--platform", "linux/amd64"], more].concat())
}

/// Nothing of an image that was refused can be found by its name; these are beginnings of lines that say why.
#[track_caller]
fn check_refused(workspace: &Workspace, more: &[&str], expect: &[&str]) {
    let ended = build(workspace, more);
    assert_eq!((ended.code, ended.stdout.as_str()), (Some(1), ""), "{ended:?}");
    for line in expect {
        assert!(ended.stderr.lines().any(|own| own.starts_with(line)), "{line:?} is not in {}", ended.stderr);
    }
    assert!(!Layout::path_of_image(workspace.root(), "app").join("index.json").exists());
}

#[test]
fn an_image_that_keeps_its_contract_is_built_and_verified() {
    let workspace = workspace(&dynamic().bytes(), "own");
    base(&workspace, &[("linux/amd64", glibc())]);
    build(&workspace, &[]).expect(0);
    let ended = groupage(&workspace, &["verify", "app"]).expect(0);
    assert_eq!(ended.stdout, "");
    assert!(ended.stderr.ends_with("verified app for linux/amd64: 0 errors, 0 notes\n"), "{ended:?}");
    let json = groupage(&workspace, &["verify", "oci:target/groupage/oci/app", "--format", "json"]).expect(0);
    assert_eq!(json.stdout, "[]\n");
    // other manifests promise something else
    let manifest = fs::read_to_string(workspace.root().join("components/app/component.toml")).unwrap();
    workspace.write("components/app/component.toml", manifest.replace("65532:65532", "1:1"));
    let ended = groupage(&workspace, &["verify", "app"]).expect(1);
    let line = "error[other-contract] linux/amd64: the user of role `app` is 65532:65532 in the image, and 1:1 in the manifests\n";
    assert!(ended.stdout.contains(line) && ended.stdout.contains("error[other-fingerprint]"), "{ended:?}");
}

#[test]
fn no_image_with_a_defect_gets_a_name() {
    let place = "    component: app, role: app (components/app/component.toml:";
    let check = |app: &[u8], expect: &str| check_refused(&workspace(app, "scratch"), &[], &[expect, place]);
    check(
        &Program::arm64().bytes(),
        "  error[wrong-architecture] linux/amd64: /usr/bin/app is for arm64, and the image for linux/amd64",
    );
    check(
        &dynamic().bytes(),
        "  error[missing-interpreter] linux/amd64: /usr/bin/app is linked with glibc: its interpreter is \
         /lib64/ld-linux-x86-64.so.2, which is not in the image; the base `scratch` has no C library",
    );
    check(
        b"#!/bin/sh\n",
        "  error[missing-interpreter] linux/amd64: /usr/bin/app is a script for /bin/sh, and /bin/sh is not in the image",
    );
    check(
        b"hello\n",
        "  error[unknown-program] linux/amd64: /usr/bin/app is neither an ELF program nor a script that begins with `#!`",
    );
    let whole = dynamic().bytes();
    let workspace = workspace(&whole[..100], "scratch");
    let ended = build(&workspace, &[]);
    assert!(ended.stderr.contains("error[unknown-program] linux/amd64: /usr/bin/app is no program: "), "{ended:?}");
}

#[test]
fn a_library_that_the_base_lacks() {
    let workspace = workspace(&dynamic().needing("libssl.so.3").bytes(), "own");
    base(&workspace, &[("linux/amd64", glibc())]);
    let expect =
        "  error[missing-library] linux/amd64: /usr/bin/app needs libssl.so.3, which is nowhere that its loader looks";
    check_refused(&workspace, &[], &[expect]);
    // a musl base has none of it
    let musl = vec![program("lib/ld-musl-x86_64.so.1", Program::amd64().bytes())];
    base(&workspace, &[("linux/amd64", musl)]);
    let expect = "  error[missing-interpreter] linux/amd64: /usr/bin/app is linked with glibc: its interpreter is \
                  /lib64/ld-linux-x86-64.so.2, which is not in the image; its base has musl (/lib/ld-musl-x86_64.so.1)";
    check_refused(&workspace, &[], &[expect]);
}

#[test]
fn a_program_that_is_missing_on_one_platform() {
    let workspace = workspace(b"#!/bin/tool\n", "own");
    base(
        &workspace,
        &[
            ("linux/amd64", vec![program("bin/tool", Program::amd64().bytes())]),
            ("linux/arm64", vec![program("bin/other", Program::arm64().bytes())]),
        ],
    );
    let expect = "  error[missing-interpreter] linux/arm64: /usr/bin/app is a script for /bin/tool, and /bin/tool is not in the image";
    check_refused(&workspace, &["--platform", "linux/arm64"], &[expect]);
    build(&workspace, &[]).expect(0);
}

#[test]
fn rights_that_come_out_of_another_image() {
    let workspace = workspace(&Program::amd64().bytes(), "scratch");
    let mount = Entry { mode: 0o4755, ..program("bin/mount", Program::amd64().bytes()) };
    base(&workspace, &[("linux/amd64", vec![mount])]);
    let manifest = |mode: &str| {
        format!(
            "schema = 1\nname = \"tools\"\nowner = \"@test\"\nversion = \"1.0.0\"\n[build.image]\nimage = \"oci:base\"\n\
             [[install]]\nfrom = \"stage:/bin/mount\"\nto = \"/usr/bin/mount\"\n{mode}"
        )
    };
    workspace.write("components/tools/component.toml", manifest(""));
    workspace.image("app", &["app", "tools"], "default-role = \"app\"");
    let expect = [
        "  error[set-id] linux/amd64: /usr/bin/mount has the mode 4755, which nobody declared",
        "    component: tools (components/tools/component.toml:",
    ];
    check_refused(&workspace, &[], &expect);
    workspace.write("components/tools/component.toml", manifest("mode = \"0755\"\n"));
    build(&workspace, &[]).expect(0);
}

#[test]
fn there_is_a_way_out_and_it_proves_nothing() {
    let workspace = workspace(b"hello\n", "scratch");
    build(&workspace, &["--no-verify"]).expect(0);
    // nothing has to be made, and nobody has looked
    for _ in 0..2 {
        let ended = build(&workspace, &[]).expect(1);
        let told = "error: failed to build app: the image that is there does not keep its contract";
        assert!(ended.stderr.contains(told) && ended.stderr.contains("error[unknown-program]"), "{ended:?}");
        assert_eq!(ended.stdout, "");
    }
    let ended = build(&workspace, &["--no-verify"]).expect(0);
    assert!(ended.stderr.contains("[app] up to date"), "{ended:?}");
    let ended = groupage(&workspace, &["verify", "app", "--format", "json"]).expect(1);
    let found: Value = serde_json::from_str(&ended.stdout).unwrap();
    let first = json!({
        "platform": "linux/amd64", "code": "unknown-program", "level": "error", "component": "app", "role": "app",
        "message": "/usr/bin/app is neither an ELF program nor a script that begins with `#!`", "path": "/usr/bin/app",
    });
    assert_eq!(found, json!([first]));
}

#[test]
fn what_nobody_has_looked_at_is_looked_at_once() {
    let workspace = workspace(&dynamic().bytes(), "own");
    base(&workspace, &[("linux/amd64", glibc())]);
    let proofs = workspace.root().join("target/groupage/cache/records/verified");
    build(&workspace, &["--no-verify"]).expect(0);
    assert!(!proofs.exists());
    let looked = || {
        let ended = build(&workspace, &[]).expect(0);
        assert!(ended.stderr.contains("[app] up to date"), "{ended:?}");
        let all: Vec<_> = fs::read_dir(&proofs).unwrap().map(|entry| entry.unwrap().path()).collect();
        assert_eq!(all.len(), 1, "{all:?}");
        (all[0].clone(), fs::metadata(&all[0]).unwrap().ino())
    };
    let (proof, first) = looked();
    assert_eq!(looked().1, first, "it is not written again");
    // a damaged one is none
    fs::write(&proof, "").unwrap();
    looked();
    assert_ne!(fs::metadata(&proof).unwrap().len(), 0);
    // what is made and looked at has one from the beginning
    fs::remove_dir_all(workspace.root().join("target")).unwrap();
    build(&workspace, &[]).expect(0);
    let made = fs::metadata(&proof).unwrap().ino();
    assert_eq!(looked().1, made, "it is not written again");
}

#[test]
fn what_has_defects_is_not_pushed_again_and_not_pulled() {
    let Some(registry) = LocalRegistry::start() else { return };
    let workspace = workspace(b"hello\n", "scratch");
    let tag = format!("{}/app:one", registry.name());
    build(&workspace, &["--no-verify", "--push", "--tag", &tag]).expect(0);
    let refused = |more: &[&str]| {
        let (ended, requests) =
            registry.requests_of(|| build(&workspace, &[more, &["--tag", &tag]].concat()).expect(1));
        assert!(ended.stderr.contains("error[unknown-program]"), "{ended:?}");
        assert!(!requests.iter().any(Request::is_delivery), "{requests:#?}");
    };
    refused(&["--push"]);
    fs::remove_dir_all(workspace.root().join("target")).unwrap();
    refused(&["--pull"]);
    assert!(!Layout::path_of_image(workspace.root(), "app").join("index.json").exists());
}

/// A layout of somebody else, who says that it is one of ours.
struct Foreign {
    platform: &'static str,
    config: Value,
    description: Value,
    entries: Vec<Entry>,
}

impl Foreign {
    fn new(platform: &'static str) -> Self {
        let bytes =
            if platform.ends_with("arm64") { Program::arm64().bytes() } else { Program::ending_with(0).bytes() };
        let role = json!({ "command": ["/usr/bin/app"], "user": "1:1", "workdir": "/", "aliases": ["/app"] });
        let files = json!({
            "/usr/bin/app": { "mode": "0755", "hashed": true }, "/app": { "link": "usr/bin/app" },
        });
        let label = json!({ "app": fingerprint::files([("/usr/bin/app", Digest::of(&bytes).hex())]) }).to_string();
        let labels = json!({ "dev.groupage.files": label });
        let config = json!({ "Labels": labels, "User": "1:1", "WorkingDir": "/", "Entrypoint": ["/usr/bin/app"] });
        let component = json!({ "name": "app", "version": "1.0.0", "roles": { "app": role }, "files": files });
        Self {
            platform,
            config,
            description: json!({ "schema": 1, "image": "other", "base": "scratch", "components": [component] }),
            entries: vec![program("usr/bin/app", bytes), Entry::link("app", "usr/bin/app")],
        }
    }

    fn with(mut self, entry: Entry) -> Self {
        self.entries.retain(|own| own.name != entry.name);
        self.entries.push(entry);
        self
    }

    fn sample(&self) -> Sample {
        let text = self.description.to_string().into_bytes();
        let description = Entry { content: text, ..Entry::file(".groupage/manifest.json", "") };
        let mut sample = of_layers(self.platform, [tar(&[&self.entries[..], &[description]].concat())]);
        let mut config = sample.image.config.value().unwrap();
        config["config"] = self.config.clone();
        sample.image = Image::new(sample.image.platform.clone(), config, sample.image.layers);
        sample
    }
}

fn put(workspace: &Workspace, name: &str, images: &[Foreign]) {
    let samples: Vec<Sample> = images.iter().map(Foreign::sample).collect();
    let descriptors: Vec<Value> = samples.iter().map(|sample| json!(sample.image.descriptor())).collect();
    let tree = layout(&descriptors, &samples.iter().collect::<Vec<_>>());
    write(&workspace.root().join(name), &tree);
    fs::write(workspace.root().join(format!("{name}.tar")), archive(&tree)).unwrap();
}

#[test]
fn what_somebody_else_made_is_looked_at() {
    let workspace = Workspace::empty();
    let good = || Foreign::new("linux/amd64");
    let codes = |image: Foreign, word: &str| -> (Option<i32>, Vec<String>) {
        put(&workspace, "x", &[image]);
        let ended = groupage(&workspace, &["verify", word, "--format", "json"]);
        let found: Vec<Value> = serde_json::from_str(&ended.stdout).unwrap_or_else(|_| panic!("{ended:?}"));
        (ended.code, found.iter().map(|finding| finding["code"].as_str().unwrap().to_owned()).collect())
    };
    assert_eq!(codes(good(), "oci:x"), (Some(0), Vec::new()));
    assert_eq!(codes(good(), "x.tar"), (Some(0), Vec::new()));
    let check = |image: Foreign, expect: &[&str]| {
        assert_eq!(codes(image, "oci:x"), (Some(1), expect.iter().map(ToString::to_string).collect()));
    };
    check(good().with(program("usr/bin/app", Program::amd64().bytes())), &["wrong-digest"]);
    let mode = Entry { mode: 0o711, ..program("usr/bin/app", Program::ending_with(0).bytes()) };
    check(good().with(mode), &["wrong-mode"]);
    check(good().with(Entry::file("leftover", "x")), &["undeclared-file"]);
    check(good().with(program("app", Program::ending_with(0).bytes())), &["copied-alias"]);
    check(good().with(Entry::link("app", "gone")), &["broken-alias", "wrong-link"]);
    check(good().with(Entry::link("app", "app")), &["broken-alias", "wrong-link"]);
    let mut named = good();
    named.config["User"] = json!("nobody");
    check(named, &["named-user", "wrong-user"]);
    let mut variable = good();
    variable.config["Entrypoint"] = json!(["/usr/bin/${APP}"]);
    check(variable, &["unexpanded-variable"]);
    let mut twice = good();
    let other = json!({ "name": "other", "files": { "/app": { "link": "elsewhere" } } });
    twice.description["components"].as_array_mut().unwrap().push(other);
    check(twice, &["wrong-link", "path-collision"]);
    let mut silent = good();
    silent.description = json!("nothing");
    check(silent, &["no-description"]);
}

#[test]
fn every_platform_is_looked_at() {
    let workspace = Workspace::empty();
    let mut arm = Foreign::new("linux/arm64");
    arm.entries.retain(|entry| entry.name != "usr/bin/app");
    put(&workspace, "both", &[Foreign::new("linux/amd64"), arm]);
    let ended = groupage(&workspace, &["verify", "both"]).expect(1);
    assert!(
        ended.stdout.contains("error[missing-program] linux/arm64: /usr/bin/app is not in the image\n"),
        "{ended:?}"
    );
    assert!(!ended.stdout.contains("amd64"), "{ended:?}");
    assert!(ended.stderr.starts_with("verified both for linux/amd64, linux/arm64: "), "{ended:?}");
    groupage(&workspace, &["verify", "both", "--platform", "linux/amd64"]).expect(0);
    let ended = groupage(&workspace, &["verify", "both", "--platform", "linux/s390x"]).expect(2);
    assert!(ended.stderr.contains("it is for linux/amd64, linux/arm64"), "{ended:?}");
    groupage(&workspace, &["verify"]).expect(2);
    groupage(&workspace, &["verify", "oci:none"]).expect(3);
    let ended = groupage(&workspace, &["verify", "--list-checks"]).expect(0);
    assert!(ended.stdout.contains("missing-library\n  a library that a program needs"), "{ended:?}");
}
