//! Programs that do not start.

use super::*;

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
    check(
        on_glibc.label("org.opencontainers.image.base.name", "r.example/debian:12"),
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
