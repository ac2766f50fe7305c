//! Images as Alpine, Debian and distroless have them, in small.

use std::sync::Arc;

use serde_json::{Value, json};

use super::super::sample::Program;
use super::super::{Config, Layers, read_layer};
use super::*;
use crate::oci::sample::{Entry, tar};
use crate::oci::{Listing, Rootfs, TarReader};

fn program(path: &str, bytes: Vec<u8>) -> Entry {
    Entry { content: bytes, mode: 0o755, ..Entry::file(path, "") }
}

/// The facts of an image with some layers and a configuration.
fn facts(layers: &[Vec<Entry>], config: &Value, base_layers: Option<u16>) -> SourceFacts {
    let tars: Vec<Vec<u8>> = layers.iter().map(|entries| tar(entries)).collect();
    let listings: Vec<Listing> =
        tars.iter().map(|tar| Listing::read(&mut TarReader::new(tar.as_slice())).unwrap()).collect();
    let read = tars.iter().map(|tar| Arc::new(read_layer(&mut TarReader::new(tar.as_slice()), |_| true).unwrap()));
    let image = Image {
        platform: "linux/amd64".parse().unwrap(),
        config: Config::of(&json!({ "config": config })),
        rootfs: Rootfs::of(&listings).unwrap(),
        base_layers,
    };
    source_facts(&image, &Layers(read.collect()))
}

const PASSWD: &str = "root:x:0:0:root:/root:/bin/sh\nnobody:x:65534:65533:nobody:/:/sbin/nologin\n";
const INSTALLED: &str = "C:Q1=\nP:musl\nV:1.2.5-r0\n\nP:busybox\nV:1.36.1-r29\nF:bin\n";

fn alpine() -> Vec<Entry> {
    let release = "NAME=\"Alpine Linux\"\nID=alpine\nVERSION_ID=3.20.1\nPRETTY_NAME=\"Alpine Linux v3.20\"\n";
    vec![
        program("bin/busybox", Program::amd64().loaded_by("/lib/ld-musl-x86_64.so.1").bytes()),
        Entry::link("bin/sh", "/bin/busybox"),
        program("lib/ld-musl-x86_64.so.1", Program::amd64().bytes()),
        Entry::file("etc/passwd", PASSWD),
        Entry::file("etc/group", "root:x:0:\nstaff:x:50:\n"),
        Entry::file("etc/os-release", release),
        Entry::file("lib/apk/db/installed", INSTALLED),
    ]
}

#[test]
fn an_image_of_alpine() {
    let own = vec![
        program("usr/bin/app", Program::amd64().bytes()),
        program("usr/bin/tool", Program::amd64().loaded_by("/lib64/ld-linux-x86-64.so.2").needing("libc.so.6").bytes()),
        program("entry.sh", b"#!/bin/sh -e\nexec app\n".to_vec()),
        Entry::file("usr/share/readme", "#!/bin/sh\n"),
    ];
    let config = json!({
        "Entrypoint": ["app"], "Cmd": ["--all"], "User": "nobody", "WorkingDir": "/srv", "Env": ["PATH=/bin:/usr/bin/"],
        "ExposedPorts": { "9533/tcp": {}, "53/udp": {} }, "Volumes": { "/data": {} }, "StopSignal": "SIGQUIT",
        "Healthcheck": { "Test": ["CMD", "true"] },
        "Labels": { BASE_NAME: "docker.io/library/alpine:3.20", BASE_DIGEST: "sha256:1", VERSION: "1.2.3" },
    });
    let facts = facts(&[alpine(), own], &config, Some(1));
    let seen = serde_json::to_value(&facts).unwrap();
    let digest = |facts: &ProgramFacts| facts.digest.clone().unwrap();
    let [script, app, tool] = &facts.programs[..] else { panic!("{:?}", facts.programs) };
    let of_app = json!({
        "path": "/usr/bin/app", "mode": "0755", "owner": "0:0", "digest": digest(app),
        "linkage": "static", "architecture": "amd64",
    });
    let expect = json!({
        "platform": "linux/amd64", "version": "1.2.3", "description": null,
        "base": { "name": "docker.io/library/alpine:3.20", "digest": "sha256:1" }, "layers": 2, "base-layers": 1,
        "command": {
            "entrypoint": ["app"], "cmd": ["--all"], "words": ["/usr/bin/app", "--all"], "is-shell": false,
            "program": of_app,
        },
        "user": { "written": "nobody", "numeric": "65534:65533", "why": null },
        "workdir": "/srv", "env": { "PATH": "/bin:/usr/bin/" }, "ports": ["53/udp", "9533/tcp"],
        "volumes": ["/data"], "stop-signal": "SIGQUIT", "has-healthcheck": true, "healthcheck": { "Test": ["CMD", "true"] },
        "distribution": { "id": "alpine", "version": "3.20.1", "name": "Alpine Linux v3.20" },
        "gives": ["libc:musl", "shell"],
        "packages": { "tool": "apk", "installed": [
            { "name": "busybox", "version": "1.36.1-r29" }, { "name": "musl", "version": "1.2.5-r0" },
        ] },
        "programs": [
            {
                "path": "/entry.sh", "mode": "0755", "owner": "0:0", "digest": digest(script),
                "linkage": "script", "interpreter": "/bin/sh", "argument": "-e",
            },
            of_app,
            {
                "path": "/usr/bin/tool", "mode": "0755", "owner": "0:0", "digest": digest(tool),
                "linkage": "dynamic", "architecture": "amd64", "interpreter": "/lib64/ld-linux-x86-64.so.2",
                "libc": "glibc", "needed": ["libc.so.6"], "missing": ["libc.so.6"],
            },
        ],
        "has-more-programs": false,
    });
    assert_eq!(seen, expect, "{seen:#}");
}

#[test]
fn users_in_numbers() {
    let check = |user: &str, expect: Result<&str, &str>| {
        let facts = facts(&[alpine()], &json!({ "User": user }), None);
        let seen = facts.user.numeric.as_deref().ok_or(facts.user.why.as_deref().unwrap_or_default());
        assert_eq!(seen, expect, "{user}");
    };
    check("", Ok("0:0"));
    check("65534", Ok("65534:65533"));
    check("7", Ok("7:0"));
    check("7:8", Ok("7:8"));
    check("nobody:staff", Ok("65534:50"));
    check("app", Err("/etc/passwd of the image has no user `app`"));
    check("7:gone", Err("/etc/group of the image has no group `gone`"));
    let bare = facts(&[vec![]], &json!({ "User": "app" }), None);
    assert_eq!(bare.user.why.as_deref(), Some("the image has no /etc/passwd that says what user `app` is"));
}

#[test]
fn packages_of_debian_and_distroless() {
    let status = "Package: libc6\nStatus: install ok installed\nVersion: 2.36-9\n\n\
        Package: gone\nStatus: deinstall ok config-files\nVersion: 1\n\nPackage: adduser\nVersion: 3\n";
    let check = |entries: Vec<Entry>, expect: Value| {
        let facts = facts(&[entries], &json!({}), None);
        assert_eq!(serde_json::to_value(facts.packages).unwrap(), expect);
    };
    let list = json!([{ "name": "adduser", "version": "3" }, { "name": "libc6", "version": "2.36-9" }]);
    check(vec![Entry::file("var/lib/dpkg/status", status)], json!({ "tool": "dpkg", "installed": list }));
    let parts = vec![
        Entry::file("var/lib/dpkg/status.d/tzdata", "Package: tzdata\nVersion: 2024a\n"),
        Entry::file("var/lib/dpkg/status.d/base", "Package: base-files\nVersion: 12\n"),
    ];
    let list = json!([{ "name": "base-files", "version": "12" }, { "name": "tzdata", "version": "2024a" }]);
    check(parts, json!({ "tool": "dpkg", "installed": list }));
    check(vec![Entry::file("var/lib/rpm/rpmdb.sqlite", "")], json!({ "tool": "rpm", "installed": null }));
    check(vec![], json!(null));
}

#[test]
fn what_is_started() {
    let check = |config: Value, words: &[&str], is_shell: bool| {
        let facts = facts(&[alpine()], &config, None);
        assert_eq!(
            (facts.command.words.as_slice(), facts.command.is_shell),
            (&words.iter().map(ToString::to_string).collect::<Vec<_>>()[..], is_shell),
            "{config}"
        );
    };
    check(json!({ "Cmd": ["sh"] }), &["/bin/sh"], false);
    check(json!({ "Entrypoint": ["/bin/sh", "-c", "exec x"] }), &["/bin/sh", "-c", "exec x"], true);
    check(json!({ "Entrypoint": ["./busybox"], "WorkingDir": "/bin/" }), &["/bin/busybox"], false);
    check(json!({ "Entrypoint": ["gone"] }), &["gone"], false);
    check(json!({}), &[], false);
}
