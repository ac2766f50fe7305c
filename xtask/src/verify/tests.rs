//! Seeded defects, one by one, on images that are right but for them.

mod hostile;
mod programs;

use std::collections::BTreeMap;
use std::sync::Arc;

use serde_json::{Value, json};

use super::sample::Program;
use super::*;
use crate::oci::sample::{Entry, tar};
use crate::oci::{Digest, Listing, Rootfs, TarReader};

/// An image, layer by layer.
pub(super) struct Sample {
    platform: Platform,
    config: Value,
    description: Value,
    /// Layers of the base.
    base: Vec<Vec<Entry>>,
    own: Vec<Entry>,
}

pub(super) fn program(path: &str, bytes: Vec<u8>) -> Entry {
    Entry { content: bytes, mode: 0o755, ..Entry::file(path, "") }
}

/// The loader of glibc, and the C library itself.
fn glibc() -> Vec<Entry> {
    vec![
        program("lib64/ld-linux-x86-64.so.2", Program::amd64().bytes()),
        program("lib/x86_64-linux-gnu/libc.so.6", Program::amd64().needing("ld-linux-x86-64.so.2").bytes()),
        program("lib/x86_64-linux-gnu/ld-linux-x86-64.so.2", Program::amd64().bytes()),
    ]
}

fn musl() -> Vec<Entry> {
    vec![program("lib/ld-musl-x86_64.so.1", Program::amd64().bytes())]
}

impl Sample {
    /// On `scratch`: a static program, an old path, a configuration file.
    pub(super) fn new() -> Self {
        let files = fingerprint::files([("/etc/app.conf", Digest::of(b"x = 1\n").hex())]);
        let config = json!({ "config": {
            "Labels": { "dev.groupage.files": json!({ "app": files }).to_string() },
            "User": "65532:65532", "WorkingDir": "/", "Entrypoint": ["/usr/bin/app"], "ExposedPorts": { "80/tcp": {} },
            "Env": ["PATH=/usr/bin:/bin", "MODE=a"],
        } });
        let description = json!({
            "schema": 1, "image": "app", "variant": null, "mode": "colocated", "base": "scratch", "features": [],
            "components": [{
                "name": "app", "version": "1.0.0", "features": [],
                "roles": { "app": {
                    "command": ["/usr/bin/app"], "user": "65532:65532", "workdir": "/", "ports": ["80/tcp"],
                    "env": { "MODE": "a" }, "needs": [], "aliases": ["/app"],
                } },
                "files": {
                    "/usr/bin/app": { "mode": "0755" },
                    "/etc/app.conf": { "mode": "0644", "hashed": true },
                    "/app": { "link": "usr/bin/app" },
                },
            }],
        });
        let own = vec![
            program("usr/bin/app", Program::amd64().bytes()),
            Entry::file("etc/app.conf", "x = 1\n"),
            Entry::link("app", "usr/bin/app"),
        ];
        Self { platform: "linux/amd64".parse().unwrap(), config, description, base: Vec::new(), own }
    }

    fn on(mut self, base: Vec<Entry>) -> Self {
        self.description["base"] = json!("");
        self.base.push(base);
        self
    }

    /// Another entry in the place of one with the same name.
    pub(super) fn with(mut self, entry: Entry) -> Self {
        self.own.retain(|own| own.name != entry.name);
        self.own.push(entry);
        self
    }

    fn without(mut self, name: &str) -> Self {
        self.own.retain(|own| own.name != name);
        self
    }

    fn app(self, bytes: Vec<u8>) -> Self {
        self.with(program("usr/bin/app", bytes))
    }

    fn script(self, text: &str) -> Self {
        self.app(text.as_bytes().to_vec())
    }

    fn config(mut self, key: &str, value: Value) -> Self {
        self.config["config"][key] = value;
        self
    }

    pub(super) fn label(mut self, key: &str, value: &str) -> Self {
        self.config["config"]["Labels"][key] = json!(value);
        self
    }

    fn role(mut self, key: &str, value: Value) -> Self {
        self.description["components"][0]["roles"]["app"][key] = value;
        self
    }

    fn file(mut self, path: &str, declared: Value) -> Self {
        self.description["components"][0]["files"][path] = declared;
        self
    }

    /// A second component.
    fn component(mut self, component: Value) -> Self {
        self.description["components"].as_array_mut().unwrap().push(component);
        self
    }

    pub(super) fn build(&self) -> (Image, Layers) {
        let text = self.description.to_string().into_bytes();
        let description = Entry { content: text, ..Entry::file(".groupage/manifest.json", "") };
        let own = self.own.iter().cloned().chain([description]).collect::<Vec<_>>();
        let tars: Vec<Vec<u8>> = self.base.iter().chain([&own]).map(|entries| tar(entries)).collect();
        let listings: Vec<Listing> =
            tars.iter().map(|tar| Listing::read(&mut TarReader::new(tar.as_slice())).unwrap()).collect();
        let facts = tars.iter().map(|tar| Arc::new(read_layer(&mut TarReader::new(tar.as_slice()), |_| true).unwrap()));
        let image = Image {
            platform: self.platform.clone(),
            config: Config::of(&self.config),
            rootfs: Rootfs::of(&listings).unwrap(),
            base_layers: Some(self.base.len() as u16),
        };
        (image, Layers(facts.collect()))
    }
}

/// The findings as `CODE: MESSAGE`.
fn found(sample: &Sample) -> Vec<String> {
    let (image, layers) = sample.build();
    run(&image, &layers, None).iter().map(|finding| format!("{}: {}", finding.code, finding.message)).collect()
}

#[track_caller]
fn check(sample: Sample, expect: &[&str]) {
    assert_eq!(found(&sample), expect);
}

fn dynamic() -> Program {
    Program::amd64().loaded_by("/lib64/ld-linux-x86-64.so.2").needing("libc.so.6")
}

fn program_needing(path: &str, library: &str) -> Entry {
    program(path, Program::amd64().needing(library).bytes())
}

#[test]
fn what_is_right_has_no_finding() {
    check(Sample::new(), &[]);
    check(Sample::new().on(glibc()).app(dynamic().bytes()), &[]);
    let musl_program = Program::amd64().loaded_by("/lib/ld-musl-x86_64.so.1").needing("libc.musl-x86_64.so.1");
    check(Sample::new().on(musl()).app(musl_program.bytes()), &[]);
    let shell = vec![program("bin/sh", Program::amd64().bytes())];
    check(Sample::new().on(shell.clone()).script("#!/bin/sh -eu\n"), &[]);
    let env = program("usr/bin/env", Program::amd64().bytes());
    check(Sample::new().on([shell, vec![env]].concat()).script("#!/usr/bin/env -S sh -e\n"), &[]);
}

#[test]
fn broken_aliases() {
    let alias = |target: &str| Sample::new().with(Entry::link("app", target)).file("/app", json!({ "link": target }));
    check(
        alias("usr/bin/gone"),
        &["broken-alias: the alias /app is a link to usr/bin/gone, and /usr/bin/gone is not in the image"],
    );
    check(alias("app"), &["broken-alias: the alias /app leads through links in a circle"]);
    check(
        alias("../usr/bin/app"),
        &["broken-alias: the alias /app is a link to ../usr/bin/app, which leaves the image"],
    );
    check(
        alias("etc/app.conf"),
        &["broken-alias: the alias /app leads to /etc/app.conf, and the program of its role is /usr/bin/app"],
    );
    check(
        Sample::new().without("app").role("aliases", json!(["/old"])),
        &["broken-alias: the alias /old is not in the image", "missing-file: /app is declared and not in the image"],
    );
}

#[test]
fn a_link_that_became_a_copy() {
    check(
        Sample::new().with(program("app", Program::amd64().bytes())),
        &["copied-alias: the alias /app is a file of its own, not a link to /usr/bin/app"],
    );
}

#[test]
fn two_components_on_one_path() {
    let other = |declared: Value| json!({ "name": "other", "files": { "/etc/app.conf": declared } });
    let same = json!({ "mode": "0644", "hashed": true });
    let files = fingerprint::files([("/etc/app.conf", Digest::of(b"x = 1\n").hex())]);
    let label = json!({ "app": files.clone(), "other": files }).to_string();
    check(Sample::new().component(other(same)).label(fingerprint::FILES_LABEL, &label), &[]);
    let expect = "path-collision: /etc/app.conf is given by component `app` and by component `other`";
    check(Sample::new().component(other(json!({ "mode": "0644" }))), &[expect]);
}

#[test]
fn named_users() {
    check(
        Sample::new().role("user", json!("nobody")).config("User", json!("nobody")),
        &[
            "named-user: role `app` runs as `nobody`, which is no numeric user",
            "named-user: the image runs as `nobody`, which is no numeric user",
        ],
    );
}

#[test]
fn rights_that_nobody_declared() {
    let with_mode = |mode: u32| Sample::new().with(Entry { mode, ..program("usr/bin/app", Program::amd64().bytes()) });
    let undeclared = with_mode(0o4755).file("/usr/bin/app", json!({}));
    check(undeclared, &["set-id: /usr/bin/app has the mode 4755, which nobody declared"]);
    check(with_mode(0o4755).file("/usr/bin/app", json!({ "mode": "4755" })), &[]);
    let capable = Entry {
        pax: vec![("SCHILY.xattr.security.capability".to_owned(), b"\x01\0\0\x02\0\x20\0\0\0\0\0\0".to_vec())],
        ..program("usr/bin/app", Program::amd64().bytes())
    };
    check(Sample::new().with(capable), &["set-id: /usr/bin/app has file capabilities, which nobody declared"]);
    // a base may have its own
    let su = Entry { mode: 0o4755, ..program("bin/su", Program::amd64().bytes()) };
    check(Sample::new().on(vec![su]), &[]);
}

#[test]
fn other_modes_and_bytes() {
    let mode = Entry { mode: 0o600, ..Entry::file("etc/app.conf", "x = 1\n") };
    check(Sample::new().with(mode), &["wrong-mode: /etc/app.conf has the mode 0600; declared is 0644"]);
    check(
        Sample::new().with(Entry::file("etc/app.conf", "x = 2\n")),
        &["wrong-digest: a file of component `app` has other bytes than declared: one of /etc/app.conf"],
    );
    check(
        Sample::new().label("dev.groupage.files", ""),
        &["no-digests: no label says the digests of its files: the image was built by an earlier version"],
    );
    check(
        Sample::new().with(Entry::folder("etc/app.conf")),
        &["missing-file: /etc/app.conf is a folder, not the declared file"],
    );
}

#[test]
fn what_nobody_declared() {
    check(
        Sample::new().with(Entry::file("tmp/leftover", "x")),
        &[
            "undeclared-file: /tmp is in the image, and no component declares it",
            "undeclared-file: /tmp/leftover is in the image, and no component declares it",
        ],
    );
    check(Sample::new().config("WorkingDir", json!("/var/lib/app")).with(Entry::folder("var/lib/app")), &[]);
    // all of a folder that is declared, by way of a link of the base
    let folder = json!({ "name": "site", "files": { "/srv/site": {} } });
    let base = vec![Entry::folder("data"), Entry::link("srv", "data")];
    check(Sample::new().on(base).with(Entry::file("data/site/a/b", "x")).component(folder), &[]);
    let (mut image, layers) = Sample::new().on(Vec::new()).with(Entry::file("tmp/leftover", "x")).build();
    image.base_layers = None;
    let found = run(&image, &layers, None);
    assert_eq!(
        found.iter().map(|finding| (finding.code, finding.level)).collect::<Vec<_>>(),
        [("unknown-base", Level::Note)]
    );
}

#[test]
fn variables_that_nobody_expands() {
    check(
        Sample::new().config("Entrypoint", json!(["/${BIN}"])).config("Cmd", json!(["$A", "$5"])),
        &[
            "unexpanded-variable: ENTRYPOINT of the image holds /${BIN}, and in the exec form nobody expands it",
            "unexpanded-variable: CMD of the image holds $A, and in the exec form nobody expands it",
        ],
    );
    check(Sample::new().config("Entrypoint", json!(["/bin/sh", "-c", "$APP"])), &[]);
}

#[test]
fn a_configuration_that_is_not_that_of_the_roles() {
    check(
        Sample::new().config("ExposedPorts", json!({})),
        &["port-not-exposed: port 80/tcp of role `app` is not exposed"],
    );
    check(
        Sample::new().config("User", json!("")),
        &["wrong-user: the image runs as root, and its default role `app` as 65532:65532"],
    );
    check(
        Sample::new().config("Env", json!(["PATH=/bin", "MODE=b"])),
        &["missing-environment: MODE, which role `app` relies on, has another value"],
    );
}

#[test]
fn needs_that_are_not_met() {
    let needs = json!(["shell", "ca-certificates", "tzdata", "libc:glibc", "own-word"]);
    let found = found(&Sample::new().role("needs", needs));
    assert_eq!(found.len(), 4, "{found:?}");
    assert_eq!(
        found[0],
        "unmet-need: role `app` needs `shell`, which is not in the image; it stands on the base `scratch`"
    );
}

#[test]
fn images_that_say_nothing_of_themselves() {
    let (image, _) = Sample::new().build();
    let bare = Image { rootfs: Rootfs::default(), ..image };
    let found = run(&bare, &Layers::default(), None);
    assert_eq!(found.len(), 1);
    assert_eq!(
        found[0].to_string(),
        "error[no-description] linux/amd64: the image does not say what is in it: /.groupage/manifest.json is not in the image"
    );
}

#[test]
fn codes_are_a_list_that_changes_in_sight() {
    let codes: Vec<&str> = CHECKS.iter().flat_map(|check| check.codes).map(|(code, _)| *code).collect();
    let unique: BTreeSet<&str> = codes.iter().copied().collect();
    assert_eq!(unique.len(), codes.len(), "{codes:?}");
    let all: BTreeMap<&str, &str> = CHECKS.iter().flat_map(|check| check.codes).copied().collect();
    assert!(all.values().all(|what| !what.is_empty()) && CHECKS.iter().all(|check| !check.reason.is_empty()));
    let expect = "broken-alias copied-alias missing-environment missing-file missing-interpreter missing-library \
                  missing-program named-user no-digests no-file-list not-executable other-contract other-fingerprint path-collision \
                  port-not-exposed set-id undeclared-file unexpanded-variable unknown-base unknown-fingerprint unknown-program unmet-need \
                  volume-not-declared wrong-architecture wrong-default wrong-digest wrong-link wrong-mode wrong-user";
    assert_eq!(
        all.keys().copied().collect::<Vec<_>>().join(" "),
        expect.split_whitespace().collect::<Vec<_>>().join(" ")
    );
}
