//! Four helpers with Dockerfiles of their own, like those of the Logging Operator, go through `init --from-dockerfiles`, become one
//! image by the edits that its messages propose, and do in it what they do in their own images.
//!
//! Containers have no network, so the package managers of the two distributions stand in for those of real ones: they take
//! packages out of a folder of their base. Everything else is real: programs compiled by Go, scripts, images, containers.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use crate::support::builders::{has_image, import, lock};
use crate::support::workspace::Workspace;
use crate::support::{Ended, daemon, docker};

/// What the static base is called: `init` knows a distroless one by its name, and that it has no shell.
const STATIC: &str = "localhost/groupage-test-distroless/static-debian12:1";
const BUSYBOX: &str = "localhost/groupage-test/busybox:1";
const ALPINE: &str = "localhost/groupage-test/alpine:1";
const DEBIAN: &str = "localhost/groupage-test/debian:1";
/// The base that is made when `init` asks for one with both packages.
const TOOLS: &str = "localhost/groupage-test/tools:1";

const RELOADER: &str = r#"package main

import (
	"crypto/sha256"
	"fmt"
	"os"
)

func main() {
	if len(os.Args) == 2 && os.Args[1] == "--version" {
		fmt.Println("config-reloader 5.3.0")
		return
	}
	for _, path := range os.Args[1:] {
		content, err := os.ReadFile(path)
		if err != nil {
			fmt.Println(err)
			os.Exit(1)
		}
		fmt.Printf("%s is %x\n", path, sha256.Sum256(content))
	}
}
"#;

const RUNNER: &str = r#"package main

import (
	"fmt"
	"os"
	"os/exec"
)

func main() {
	if len(os.Args) == 2 && os.Args[1] == "--version" {
		fmt.Println("runner 0.16.0")
		return
	}
	output, err := exec.Command("/buffer-size.sh", os.Args[1:]...).CombinedOutput()
	fmt.Printf("node_buffer_size_bytes %s", output)
	if err != nil {
		fmt.Println(err)
		os.Exit(1)
	}
}
"#;

const BUFFER_SIZE: &str = "#!/bin/sh\nwc -c < \"$1\"\n";
const DRAIN_WATCH: &str = "#!/bin/sh\n[ \"$1\" = --version ] && echo drain-watch 1 && exit\nset -e\nhttpd -p 127.0.0.1:7000 -h \
     \"$1\"\ncurl http://127.0.0.1:7000/state\nfind \"$1\" -type f | sort\n";
const SYSLOG_RELOAD: &str =
    "#!/bin/sh\n[ \"$1\" = --version ] && echo runner-sh 1 && exit\necho reload | socat \"$1\"\n";

/// Each helper: its folder, and what its program is asked to do.
const HELPERS: [(&str, &[&str]); 4] = [
    ("config-reloader", &["/etc/app.conf"]),
    ("fluentd-drain-watch", &["/data"]),
    ("node-exporter", &["/etc/app.conf"]),
    ("syslog-ng-reloader", &["-"]),
];

/// Packages of the stand-ins, each a program.
const CURL: &str = "#!/bin/sh\nexec wget -q -O - \"$@\"\n";
const SOCAT: &str = "#!/bin/sh\nexec cat \"$1\"\n";
/// `apk add --no-cache NAME…`, `apt-get update`, `apt-get install -y NAME…`.
const MANAGER: &str = "#!/bin/sh\nset -e\nfor word; do\n  case \"$word\" in\n    add|install|update|-*) ;;\n    *) cp \
     \"/packages/$word\" \"/usr/bin/$word\" ;;\n  esac\ndone\n";

/// Everything that busybox does, by the paths that distributions have it at.
const APPLETS: [&str; 14] =
    ["sh", "cat", "cp", "env", "find", "httpd", "id", "ls", "mkdir", "rm", "sort", "wc", "wget", "echo"];

/// A base of files with their contents, all executable; busybox and its links where it has a shell.
fn base(name: &str, has_shell: bool, files: &[(&str, &str)]) {
    let _lock = lock("adopt-bases");
    if has_image(name) {
        return;
    }
    let mut archive = tar::Builder::new(Vec::new());
    let mut header = tar::Header::new_gnu();
    header.set_mode(0o755);
    if has_shell {
        let busybox = ["/bin/busybox", "/usr/bin/busybox"].into_iter().find(|path| Path::new(path).exists());
        let busybox = fs::read(busybox.expect("these tests need the package busybox-static")).unwrap();
        header.set_size(busybox.len() as u64);
        archive.append_data(&mut header, "bin/busybox", busybox.as_slice()).unwrap();
        for applet in APPLETS {
            let mut header = tar::Header::new_gnu();
            header.set_entry_type(tar::EntryType::Symlink);
            header.set_size(0);
            archive.append_link(&mut header, format!("bin/{applet}"), "busybox").unwrap();
        }
    }
    for (path, text) in files {
        header.set_size(text.len() as u64);
        archive.append_data(&mut header, path, text.as_bytes()).unwrap();
    }
    import(name, "ENV PATH=/usr/sbin:/usr/bin:/sbin:/bin", &archive.into_inner().unwrap());
}

fn bases() {
    const PASSWD: &str = "root:x:0:0::/:/bin/sh\nnobody:x:65534:65534::/:/bin/false\n";
    let etc = ("etc/passwd", PASSWD);
    let packages = [("packages/curl", CURL), ("packages/socat", SOCAT)];
    let tmp = ("usr/bin/.keep", "");
    base(STATIC, false, &[etc]);
    base(BUSYBOX, true, &[etc]);
    let os = |id| ("etc/os-release", id);
    base(ALPINE, true, &[etc, os("ID=alpine\n"), packages[0], packages[1], ("sbin/apk", MANAGER), tmp]);
    base(DEBIAN, true, &[etc, os("ID=debian\n"), packages[0], packages[1], ("usr/bin/apt-get", MANAGER)]);
    base(TOOLS, true, &[etc, os("ID=alpine\n"), ("usr/bin/curl", CURL), ("usr/bin/socat", SOCAT)]);
}

/// A static program.
fn compiled(source: &str) -> Vec<u8> {
    let folder = tempfile::tempdir().unwrap();
    fs::write(folder.path().join("go.mod"), "module example.com/program\n\ngo 1.19\n").unwrap();
    fs::write(folder.path().join("main.go"), source).unwrap();
    let go = ["/usr/bin/go", "/usr/local/go/bin/go"].map(PathBuf::from).into_iter().find(|path| path.exists());
    let mut build = Command::new(go.expect("these tests need the package golang-go"));
    build.args(["build", "-trimpath", "-ldflags", "-s -w", "-o", "program", "."]).current_dir(folder.path());
    build.env("CGO_ENABLED", "0").env("GOFLAGS", "-mod=mod").env("GOCACHE", folder.path().join("cache"));
    Ended::of(build.env("GOTOOLCHAIN", "local").env("HOME", folder.path())).expect(0);
    fs::read(folder.path().join("program")).unwrap()
}

/// The repository as somebody has it before.
fn repository() -> Workspace {
    bases();
    let workspace = Workspace::empty();
    workspace
        .write("CODEOWNERS", "* @team-logging\n")
        .write("config-reloader/config-reloader", compiled(RELOADER))
        .write(
            "config-reloader/Dockerfile",
            format!(
                "FROM {STATIC}\nCOPY config-reloader /config-reloader\nEXPOSE 9533\nENTRYPOINT [\"/config-reloader\"]\n"
            ),
        )
        .write("node-exporter/runner", compiled(RUNNER))
        .write("node-exporter/buffer-size.sh", BUFFER_SIZE)
        .write(
            "node-exporter/Dockerfile",
            format!(
                "FROM {BUSYBOX}\nCOPY runner buffer-size.sh /\nEXPOSE 7357 9200\nWORKDIR /\nUSER nobody\nENTRYPOINT [\"/runner\"]\n"
            ),
        )
        .write("fluentd-drain-watch/drain-watch.sh", DRAIN_WATCH)
        .write(
            "fluentd-drain-watch/Dockerfile",
            format!(
                "FROM {ALPINE}\nRUN apk add --no-cache curl\nCOPY drain-watch.sh /bin/drain-watch.sh\nENTRYPOINT [\"/bin/drain-watch.sh\"]\n"
            ),
        )
        .write("syslog-ng-reloader/runner", SYSLOG_RELOAD)
        .write(
            "syslog-ng-reloader/Dockerfile",
            format!(
                "FROM {DEBIAN}\nRUN apt-get update \\\n && apt-get install -y socat\nCOPY runner /runner\nEXPOSE 7357 7358\n\
                 ENTRYPOINT [\"/runner\"]\n"
            ),
        );
    for program in [
        "config-reloader/config-reloader",
        "node-exporter/runner",
        "node-exporter/buffer-size.sh",
        "syslog-ng-reloader/runner",
        "fluentd-drain-watch/drain-watch.sh",
    ] {
        workspace.set_mode(program, 0o755);
    }
    workspace
}

/// Replaces a text that has to stand there.
#[track_caller]
fn edit(workspace: &Workspace, path: &str, changes: &[(&str, &str)]) {
    let mut text = fs::read_to_string(workspace.root().join(path)).unwrap();
    for (old, new) in changes {
        assert!(text.contains(old), "{path} has no {old:?}:\n{text}");
        text = text.replace(old, new);
    }
    workspace.write(path, text);
}

/// What a program says when it is started in an image, as a pod would start it.
#[track_caller]
fn said(image: &str, command: &[&str], arguments: &[&str], data: &Path) -> String {
    let mounts = [
        format!("--volume={}:/data:ro", data.display()),
        format!("--volume={}:/etc/app.conf:ro", data.join("state").display()),
    ];
    let mut run = Command::new("docker");
    run.args(["run", "--rm", "--interactive", "--network=none", "--read-only"]).args(mounts);
    if let Some((program, _)) = command.split_first() {
        run.args(["--entrypoint", program]);
    }
    run.arg(image).args(command.iter().skip(1)).args(arguments);
    Ended::of(&mut run).expect(0).stdout
}

#[test]
fn helpers_become_one_image_by_the_edits_that_are_proposed() {
    if !daemon() {
        return;
    }
    let workspace = repository();
    let data = tempfile::tempdir().unwrap();
    fs::set_permissions(data.path(), std::os::unix::fs::PermissionsExt::from_mode(0o755)).unwrap();
    fs::write(data.path().join("state"), "drained\n").unwrap();

    // each in its own image, started by its ENTRYPOINT; the classic builder is in every daemon and needs no plugin
    let mut before = BTreeMap::new();
    for (name, arguments) in HELPERS {
        let (tag, folder) = (workspace.tag(&format!("own-{name}:1")), workspace.root().join(name));
        let mut build = Command::new("docker");
        Ended::of(build.env("DOCKER_BUILDKIT", "0").args(["build", "--quiet", "--tag", &tag]).arg(&folder)).expect(0);
        before.insert(name, said(&tag, &[], arguments, data.path()));
    }
    assert!(before.values().all(|text| !text.is_empty()), "{before:?}");

    let ended = workspace.run(["init", "--from-dockerfiles", ".", "--image", "helpers"]).expect(0);
    for clash in [
        "they rely on 4 entrypoints, of which 3 are distinct",
        "as 0:0: `config-reloader`, `fluentd-drain-watch`, `syslog-ng-reloader`",
        "as nobody: `node-exporter`",
        "write the numbers, which are `user = \"65534:65534\"` in most images",
        "no shell, which fluentd-drain-watch, node-exporter, syslog-ng-reloader need",
        "need the packages curl, socat, which the base `busybox` of image `helpers` does not give",
        "7357/tcp (node-exporter, syslog-ng-reloader), 7358/tcp (syslog-ng-reloader), 9200/tcp (node-exporter), 9533/tcp (config-reloader)",
        "components `node-exporter` and `syslog-ng-reloader` both put a file at /runner",
        "`config-reloader` was started by the ENTRYPOINT [\"/config-reloader\"]; its consumers need `command = [\"/config-reloader\"]`",
        "component `node-exporter` has an empty version",
    ] {
        assert!(ended.stderr.contains(clash), "{clash}\n{}", ended.stderr);
    }
    assert!(ended.stdout.starts_with("helpers (colocated): keep apart\n"), "{}", ended.stdout);
    let refused = workspace.run(["build", "helpers"]).expect(1);
    assert!(refused.stderr.contains("error[args-only-consumers]"), "{}", refused.stderr);

    for (name, _) in HELPERS {
        let manifest = format!("components/{name}/component.toml");
        let text = fs::read_to_string(workspace.root().join(&manifest)).unwrap();
        // whoever publishes it says under which name, and the entry stands there already
        let (head, entry) = text.split_once("# [[replaces]]\n").expect("it is offered");
        let entry: String = entry.lines().map(|line| format!("{}\n", line.trim_start_matches("# "))).collect();
        workspace.write(&manifest, format!("{head}[[replaces]]\n{entry}"));
        let user = if name == "node-exporter" { "user = \"nobody\"" } else { "user = \"0:0\"" };
        let program = if name == "fluentd-drain-watch" {
            "command = [\"/bin/drain-watch.sh\"]  #"
        } else if name == "config-reloader" {
            "command = [\"/config-reloader\"]  #"
        } else {
            "command = [\"/runner\"]  #"
        };
        let probe = program.replace("command", "probe").replace("\"]  #", "\", \"--version\"]");
        edit(
            &workspace,
            &manifest,
            &[
                ("version = \"\"", "version = \"5.3.0\""),
                (user, "user = \"65534:65534\""),
                (program, &format!("{probe}\n{program}")),
            ],
        );
    }
    // one of the two is installed at another path
    edit(
        &workspace,
        "syslog-ng-reloader/Dockerfile",
        &[
            ("COPY runner /runner", "COPY runner /usr/bin/syslog-ng-reloader"),
            ("[\"/runner\"]", "[\"/usr/bin/syslog-ng-reloader\"]"),
        ],
    );
    edit(
        &workspace,
        "components/syslog-ng-reloader/component.toml",
        &[("[\"/runner\"", "[\"/usr/bin/syslog-ng-reloader\"")],
    );
    // a base is made that holds both packages; the two that listen on the same port are in different pods
    let settings = fs::read_to_string(workspace.root().join("groupage.toml")).unwrap();
    workspace.write(
        "groupage.toml",
        format!("{settings}\n[bases.tools]\nimage = {TOOLS:?}\nprovides = [\"package:curl\", \"package:socat\", \"shell\"]\n"),
    );
    let offered = workspace.run(["check"]).expect(1);
    assert!(
        offered.stderr.contains("write `base = \"tools\"`, which gives all that is needed of a base"),
        "{}",
        offered.stderr
    );
    edit(
        &workspace,
        "images/helpers/image.toml",
        &[
            ("version = \"\"", "version = \"6.0.0\""),
            ("base = \"busybox\"", "base = \"tools\""),
            (
                "\n[components]",
                "pods = [[\"config-reloader\", \"fluentd-drain-watch\", \"node-exporter\"], [\"syslog-ng-reloader\"]]\n\n[components]",
            ),
        ],
    );
    workspace.run(["generate"]).expect(0);
    workspace.run(["check"]).expect(0);
    workspace.run(["build", "helpers"]).expect(0);
    let verified = workspace.run(["verify", "helpers", "--run"]).expect(0);
    assert!(verified.stderr.contains(": 0 errors, 0 notes"), "{verified:?}");

    let image = workspace.tag("helpers:6.0.0");
    assert_eq!(docker(["inspect", "--format", "{{.Config.User}}", &image]), "65534:65534");
    for (name, arguments) in HELPERS {
        let command = match name {
            "config-reloader" => "/config-reloader",
            "fluentd-drain-watch" => "/bin/drain-watch.sh",
            "node-exporter" => "/runner",
            _ => "/usr/bin/syslog-ng-reloader",
        };
        assert_eq!(said(&image, &[command], arguments, data.path()), before[name], "{name}");
    }
}

#[test]
fn published_images_become_one_without_building_them_again() {
    if !daemon() {
        return;
    }
    bases();
    let workspace = Workspace::empty();
    let mut references = Vec::new();
    for (name, source) in [("one", RELOADER), ("two", RUNNER)] {
        let dockerfile = format!(
            "FROM {TOOLS}\nLABEL org.opencontainers.image.base.name={TOOLS} org.opencontainers.image.version=1.2.0\n\
             COPY {name} /usr/bin/{name}\nUSER nobody\nENTRYPOINT [\"{name}\"]\n"
        );
        workspace
            .write(&format!("old/{name}/{name}"), compiled(source))
            .set_mode(&format!("old/{name}/{name}"), 0o755)
            .write(&format!("old/{name}/Dockerfile"), dockerfile);
        let tag = workspace.tag(&format!("{name}:1.2.0"));
        let mut build = Command::new("docker");
        build.env("DOCKER_BUILDKIT", "0").args(["build", "--quiet", "--tag", &tag]);
        Ended::of(build.arg(workspace.root().join("old").join(name))).expect(0);
        references.push(format!("docker-daemon:{tag}"));
    }
    let words = ["init", "--image", "both", "--from-images", &references[0], &references[1]];
    workspace.run(words).expect(0);
    for (name, reference) in ["one", "two"].into_iter().zip(&references) {
        let manifest = format!("components/{name}/component.toml");
        let text = fs::read_to_string(workspace.root().join(&manifest)).unwrap();
        for line in [
            "version = \"1.2.0\"".to_owned(),
            format!("image = {reference:?}"),
            "take = \"above-base\"".to_owned(),
            "base = \"tools\"".to_owned(),
            format!("command = [\"/usr/bin/{name}\"]"),
            "user = \"65534:65534\"  # the image says nobody, by its own /etc/passwd".to_owned(),
        ] {
            assert!(text.lines().any(|own| own.starts_with(&line)), "{line}\n{text}");
        }
        // their consumers name the command
        edit(&workspace, &manifest, &[("args-style = \"args-only\"", "args-style = \"command\"")]);
    }
    // no registry has it
    edit(
        &workspace,
        "groupage.toml",
        &[(&format!("image = {TOOLS:?}"), &format!("image = \"docker-daemon:{TOOLS}\""))],
    );
    workspace.run(["check"]).expect(0);
    workspace.run(["build", "both", "--engine", "native", "--load"]).expect(0);
    let both = workspace.tag("both:1.2.0");
    for (name, expect) in [("one", "config-reloader 5.3.0\n"), ("two", "runner 0.16.0\n")] {
        let program = format!("/usr/bin/{name}");
        let run = ["run", "--rm", "--network=none", "--entrypoint", &program, &both, "--version"];
        assert_eq!(Ended::of(Command::new("docker").args(run)).expect(0).stdout, expect);
    }
}
