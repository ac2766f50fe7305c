//! Seeded defects, one by one, on images that are right but for them.

mod hostile;

use std::collections::BTreeMap;

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
        let conf = Digest::of(b"x = 1\n");
        let config = json!({ "config": {
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
                    "/etc/app.conf": { "mode": "0644", "sha256": conf.hex() },
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

use std::sync::Arc;

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
fn a_missing_program() {
    let expect = "missing-program: /usr/bin/app is not in the image";
    let more = ["broken-alias: the alias /app is a link to usr/bin/app, and /usr/bin/app is not in the image"];
    let gone = "missing-file: /usr/bin/app is declared and not in the image";
    check(Sample::new().without("usr/bin/app"), &[expect, more[0], gone]);
}

#[test]
fn the_wrong_architecture() {
    check(
        Sample::new().app(Program::arm64().bytes()),
        &["wrong-architecture: /usr/bin/app is for arm64, and the image for linux/amd64"],
    );
    let arm = Sample { platform: "linux/arm64".parse().unwrap(), ..Sample::new() };
    check(arm, &["wrong-architecture: /usr/bin/app is for amd64, and the image for linux/arm64"]);
}

#[test]
fn a_missing_loader_names_both_libraries() {
    let linked = "missing-interpreter: /usr/bin/app is linked with glibc: its interpreter is /lib64/ld-linux-x86-64.so.2, \
                  which is not in the image; ";
    check(Sample::new().app(dynamic().bytes()), &[&format!("{linked}the base `scratch` has no C library")]);
    let on_musl = Sample::new().on(musl()).app(dynamic().bytes());
    check(on_musl, &[&format!("{linked}its base has musl (/lib/ld-musl-x86_64.so.1)")]);
    let on_glibc = Sample::new().on(glibc()).app(Program::amd64().loaded_by("/lib/ld-musl-x86_64.so.1").bytes());
    let labels = json!({ "org.opencontainers.image.base.name": "r.example/debian:12" });
    check(
        on_glibc.config("Labels", labels),
        &[
            "missing-interpreter: /usr/bin/app is linked with musl: its interpreter is /lib/ld-musl-x86_64.so.1, which is not \
           in the image; the base `r.example/debian:12` has glibc (/lib64/ld-linux-x86-64.so.2)",
        ],
    );
    let foreign = vec![program("lib64/ld-linux-x86-64.so.2", Program::arm64().bytes())];
    let found = found(&Sample::new().on(foreign).app(dynamic().bytes()));
    assert!(found[0].ends_with("/lib64/ld-linux-x86-64.so.2, which is for arm64"), "{found:?}");
}

#[test]
fn a_missing_library() {
    let nowhere = "which is nowhere that its loader looks";
    let needing = |library: &str| Sample::new().on(glibc()).app(dynamic().needing(library).bytes());
    check(needing("libfoo.so.1"), &[&format!("missing-library: /usr/bin/app needs libfoo.so.1, {nowhere}")]);
    // by way of another one
    let indirect =
        needing("libfoo.so.1").on(vec![program("usr/lib/libfoo.so.1", Program::amd64().needing("libbar.so").bytes())]);
    check(
        indirect,
        &[&format!("missing-library: /usr/bin/app needs libbar.so, by way of /usr/lib/libfoo.so.1, {nowhere}")],
    );
    // one for another machine does not count
    let foreign = needing("libfoo.so.1").on(vec![program("usr/lib/libfoo.so.1", Program::arm64().bytes())]);
    check(foreign, &[&format!("missing-library: /usr/bin/app needs libfoo.so.1, {nowhere}")]);
}

#[test]
fn where_libraries_are_looked_for() {
    let library = |path: &str| vec![program(path, Program::amd64().bytes())];
    let with = |program: Program, base: Vec<Entry>| {
        Sample::new()
            .on(glibc())
            .on(base)
            .app(Program { interpreter: dynamic().interpreter, ..program }.needing("libx.so").bytes())
    };
    check(with(Program::amd64(), library("usr/lib/x86_64-linux-gnu/libx.so")), &[]);
    let runpath = Program { runpath: Some("$ORIGIN/../app/lib:/nowhere".to_owned()), ..Program::amd64() };
    check(with(runpath.clone(), library("usr/app/lib/libx.so")), &[]);
    let rpath = Program { rpath: Some("${ORIGIN}/../app".to_owned()), ..Program::amd64() };
    check(with(rpath, library("usr/app/libx.so")), &[]);
    let conf = [
        Entry::file("etc/ld.so.conf", "include ld.so.conf.d/*.conf # all\n"),
        Entry::file("etc/ld.so.conf.d/a.conf", "/opt/a\n/opt/b\n"),
    ];
    let base = [library("opt/b/libx.so"), conf.to_vec()].concat();
    check(with(Program::amd64(), base), &[]);
    let preferred = with(Program::amd64(), library("opt/c/libx.so"));
    check(preferred.config("Env", json!(["LD_LIBRARY_PATH=/opt/c", "MODE=a"])), &[]);
    // RUNPATH is for the object alone, RPATH for all that it loads
    let above = |program: Program| {
        let between = program_needing("usr/lib/libbetween.so", "libx.so");
        Sample::new()
            .on(glibc())
            .on([library("usr/app/libx.so"), vec![between]].concat())
            .app(Program { interpreter: dynamic().interpreter, ..program }.needing("libbetween.so").bytes())
    };
    let path = Some("/usr/app".to_owned());
    check(above(Program { rpath: path.clone(), ..Program::amd64() }), &[]);
    let by = "missing-library: /usr/bin/app needs libx.so, by way of /usr/lib/libbetween.so, which is nowhere that its loader looks";
    check(above(Program { runpath: path, ..Program::amd64() }), &[by]);
    let musl_conf = Entry::file("etc/ld-musl-x86_64.path", "/opt/m\n");
    let program = Program::amd64().loaded_by("/lib/ld-musl-x86_64.so.1").needing("libx.so");
    let sample = |base: Vec<Entry>| Sample::new().on(musl()).on(base).app(program.bytes());
    check(sample([library("opt/m/libx.so"), vec![musl_conf.clone()]].concat()), &[]);
    check(
        sample([library("usr/lib/libx.so"), vec![musl_conf]].concat()),
        &["missing-library: /usr/bin/app needs libx.so, which is nowhere that its loader looks"],
    );
}

fn program_needing(path: &str, library: &str) -> Entry {
    program(path, Program::amd64().needing(library).bytes())
}

#[test]
fn scripts_without_what_reads_them() {
    check(
        Sample::new().script("#!/bin/sh\n"),
        &["missing-interpreter: /usr/bin/app is a script for /bin/sh, and /bin/sh is not in the image"],
    );
    check(
        Sample::new().script("echo hello\n"),
        &["unknown-program: /usr/bin/app is neither an ELF program nor a script that begins with `#!`"],
    );
    let env = vec![program("usr/bin/env", Program::amd64().bytes())];
    check(
        Sample::new().on(env).script("#!/usr/bin/env python3\n"),
        &[
            "missing-interpreter: /usr/bin/app is a script for /usr/bin/env python3, and there is no python3 in /usr/bin:/bin",
        ],
    );
    check(
        Sample::new().script("#!bin/sh\n"),
        &["missing-interpreter: /usr/bin/app begins with `#!bin/sh`, which is no absolute path"],
    );
    check(
        Sample::new().script("#!/usr/bin/app\n"),
        &["missing-interpreter: /usr/bin/app has interpreters that are scripts, one behind the other"],
    );
    let shell = vec![program("bin/sh", dynamic().bytes())];
    let found = found(&Sample::new().on(shell).script("#!/bin/sh\n"));
    assert!(found[0].contains("is a script for /bin/sh, and /bin/sh is linked with glibc"), "{found:?}");
}

#[test]
fn programs_that_may_not_be_executed() {
    let mode = |mode: u32, owner: (u64, u64)| {
        let entry = Entry { mode, owner, ..program("usr/bin/app", Program::amd64().bytes()) };
        Sample::new().with(entry).file("/usr/bin/app", json!({}))
    };
    check(mode(0o700, (65532, 0)), &[]);
    check(mode(0o710, (0, 65532)), &[]);
    check(
        mode(0o750, (0, 0)),
        &["not-executable: /usr/bin/app may not be executed by user 65532:65532: mode 0750, owner 0:0"],
    );
    let closed = Entry { mode: 0o700, ..Entry::folder("usr/bin") };
    check(
        Sample::new().on(vec![closed]),
        &["not-executable: /usr/bin/app is in /usr/bin, which user 65532:65532 may not enter: mode 0700, owner 0:0"],
    );
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
    let same = json!({ "mode": "0644", "sha256": Digest::of(b"x = 1\n").hex() });
    check(Sample::new().component(other(same)), &[]);
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
    let (own, wanted) = (Digest::of(b"x = 2\n"), Digest::of(b"x = 1\n"));
    check(
        Sample::new().with(Entry::file("etc/app.conf", "x = 2\n")),
        &[&format!("wrong-digest: /etc/app.conf has the digest {own}; declared is {wanted}")],
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
                  missing-program named-user no-file-list not-executable other-contract other-fingerprint path-collision \
                  port-not-exposed set-id undeclared-file unexpanded-variable unknown-base unknown-fingerprint unknown-program unmet-need \
                  wrong-architecture wrong-digest wrong-link wrong-mode wrong-user";
    assert_eq!(
        all.keys().copied().collect::<Vec<_>>().join(" "),
        expect.split_whitespace().collect::<Vec<_>>().join(" ")
    );
}
