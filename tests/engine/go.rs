//! Go components, compiled by real compilers in a container and on this machine: the same bytes, started as containers.

use std::process::Command;

use crate::support::archive::Image;
use crate::support::builders;
use crate::support::image::{Kind, same};
use crate::support::layout::Layout;
use crate::support::workspace::Workspace;
use crate::support::{Ended, daemon, docker};

/// Velero's shape: three programs of one Go module, and one that a stage of another kind makes, on Linux only.
fn velero() -> Workspace {
    let workspace = Workspace::empty();
    let (go, shell) = (builders::go(), builders::shell());
    workspace
        .write("groupage.toml", format!("schema = 1\n[builders]\ngo = {go:?}\nshell = {shell:?}\n[build]\nnetwork = \"none\"\n"))
        .write("go.mod", "module example.com/velero\n\ngo 1.18\n\nrequire example.com/dep v1.0.0\n")
        .write("go.sum", "")
        .write("vendor/modules.txt", "# example.com/dep v1.0.0\n## explicit; go 1.18\nexample.com/dep\n")
        .write("vendor/example.com/dep/dep.go", "package dep\n\nconst Name = \"a vendored module\"\n")
        .write("internal/buildinfo/buildinfo.go", "package buildinfo\n\nvar Version = \"none\"\n")
        .write("internal/unrelated/unrelated.go", "package unrelated\n")
        .write("cmd/velero/banner.txt", "velero")
        .write("cmd/velero/main_test.go", "package main\n\nimport \"example.com/velero/internal/no-such-package\"\n")
        .write("cmd/velero/plugins_on.go", "//go:build plugins\n\npackage main\n\nconst plugins = \"with plugins\"\n")
        .write("cmd/velero/plugins_off.go", "//go:build !plugins\n\npackage main\n\nconst plugins = \"without plugins\"\n")
        .write(
            "cmd/velero/main.go",
            "package main\n\nimport (\n\t_ \"embed\"\n\t\"fmt\"\n\t\"runtime\"\n\n\t\"example.com/dep\"\n\t\"example.com/velero/internal/buildinfo\"\n)\n\n\
             //go:embed banner.txt\nvar banner string\n\nfunc main() {\n\tfmt.Println(banner, buildinfo.Version, plugins, runtime.GOOS, dep.Name)\n}\n",
        )
        .write("cmd/velero-helper/main.go", "package main\n\nfunc main() { println(\"helper\") }\n")
        .write(
            "cmd/velero-restore-helper/main.go",
            "package main\n\nimport \"os\"\n\nfunc main() {\n\tif len(os.Args) != 2 {\n\t\tos.Exit(1)\n\t}\n\tprintln(\"restored\", os.Args[1])\n}\n",
        );
    for (name, more) in [
        (
            "velero",
            "ldflags = [\"-s\", \"-w\", \"-X example.com/velero/internal/buildinfo.Version={version}\"]\n\n\
             [features]\ndefault = [\"plugins\"]\nplugins = []\n",
        ),
        ("velero-helper", ""),
        ("velero-restore-helper", ""),
    ] {
        workspace.write(
            &format!("components/{name}/component.toml"),
            format!(
                "schema = 1\nname = {name:?}\nowner = \"@test\"\nversion = \"1.16.0\"\n\n[build.go]\npackage = \"./cmd/{name}\"\n{more}\n\
                 [[install]]\nfrom = \"bin:{name}\"\nto = \"/{name}\"\n\n[roles.{name}]\ncommand = [\"/{name}\"]\nuser = \"65532:65532\"\n\
                 aliases = [\"/usr/local/bin/{name}\"]\n"
            ),
        );
    }
    workspace
        .write(
            "components/restic/component.toml",
            "schema = 1\nname = \"restic\"\nowner = \"@test\"\nversion = \"0.15.0\"\nexclude-platforms = [\"windows/amd64\"]\n\n\
             [build.script]\nbuilder = \"shell\"\ncommands = [\"mkdir /out && cp /bin/busybox /out/restic\"]\n\n\
             [build.script.outputs]\nrestic = \"/out/restic\"\n\n[[install]]\nfrom = \"output:restic\"\nto = \"/usr/bin/restic\"\nmode = \"0755\"\n\n\
             [roles.restic]\ncommand = [\"/usr/bin/restic\"]\nuser = \"65532:65532\"\n",
        )
        .write("images/velero/image.toml", image("velero", "\"linux/amd64\", \"windows/amd64\"", "restic = {}\n"))
        .write("images/programs/image.toml", image("programs", "\"linux/amd64\", \"linux/arm64\", \"windows/amd64\"", ""));
    workspace
}

fn image(name: &str, platforms: &str, more: &str) -> String {
    format!(
        "schema = 1\nname = {name:?}\nversion = \"1.16.0\"\nbase = \"scratch\"\ndefault-role = \"velero\"\nplatforms = [{platforms}]\n\n\
         [components]\n{more}velero = {{}}\nvelero-helper = {{}}\nvelero-restore-helper = {{}}\n\n[features]\nplain = []\n"
    )
}

fn run(arguments: &[&str]) -> Ended {
    Ended::of(Command::new("docker").args(["run", "--rm", "--network=none", "--read-only"]).args(arguments))
}

/// What Go says of itself.
fn version(inside: Option<&str>) -> String {
    let ended = match inside {
        Some(builder) => {
            Ended::of(Command::new("docker").args(["run", "--rm", "--network=none", builder, "go", "version"]))
        }
        None => Ended::of(Command::new("go").arg("version")),
    };
    ended.expect(0).stdout
}

#[test]
fn programs_of_a_go_module_run_beside_another_tool() {
    if !daemon() {
        return;
    }
    let workspace = velero();
    workspace.run(["build", "velero", "--platform", "linux/amd64"]).expect(0);
    let reference = workspace.tag("velero:1.16.0");
    let said = run(&[&reference]).expect(0);
    assert_eq!(said.stdout, "velero 1.16.0 with plugins linux a vendored module\n");
    assert_eq!(run(&["--entrypoint=/velero-helper", &reference]).expect(0).stderr, "helper\n");
    run(&["--entrypoint=/velero-restore-helper", &reference]).expect(1);
    let restored = run(&["--entrypoint=/usr/local/bin/velero-restore-helper", &reference, "uid"]).expect(0);
    assert_eq!(restored.stderr, "restored uid\n");
    assert_eq!(run(&["--entrypoint=/usr/bin/restic", &reference, "echo", "restic"]).expect(0).stdout, "restic\n");

    // neither tests nor packages that are not imported count
    workspace.write("internal/unrelated/unrelated.go", "package unrelated // changed\n");
    workspace.write("cmd/velero/main_test.go", "package main // changed\n");
    let ended = workspace.run(["build", "velero", "--platform", "linux/amd64"]).expect(0);
    assert!(ended.stderr.contains("up to date"), "{}", ended.stderr);
}

#[test]
fn both_engines_give_the_same_bytes() {
    if !daemon() {
        return;
    }
    let workspace = velero();
    workspace.run(["build", "programs", "--platform", "linux/amd64"]).expect(0);
    let docker = Image::of_daemon(&workspace.tag("programs:1.16.0")).without_fingerprint();
    let native =
        workspace.build_native("programs", &["programs", "--platform", "linux/amd64"]).image().without_fingerprint();
    let compared = version(Some(&builders::go())) == version(None);
    let without_programs = |mut image: Image| {
        for (path, entry) in image.tree.iter_mut().filter(|(path, _)| !compared && path.starts_with("/velero")) {
            eprintln!("{path} is not compared: the builder has another Go than this machine");
            entry.kind = Kind::File { digest: "a program".to_owned() };
        }
        image
    };
    same("programs", &without_programs(native), &without_programs(docker));
}

#[test]
fn a_stand_in_is_made_for_a_builder_that_is_not_here() {
    if !daemon() {
        return;
    }
    let workspace = velero();
    let name = "registry.invalid/golang:1.19-bookworm";
    let program = std::fs::read(builders::repository().join("tests/bootstrap/go-builder")).unwrap();
    workspace.write("tools/go-builder", program).set_mode("tools/go-builder", 0o755).write(
        "groupage.toml",
        format!("schema = 1\n[builders]\nshell = {:?}\ngo = {{ image = {name:?}, bootstrap = \"tools/go-builder\" }}\n[build]\nnetwork = \"none\"\n", builders::shell()),
    );
    let ended = workspace.run(["build", "programs", "--platform", "linux/amd64", "--offline"]).expect(0);
    assert!(ended.stderr.contains("builder go: using localhost/groupage/go:1.19-bookworm-"), "{}", ended.stderr);
    assert_eq!(
        run(&[&workspace.tag("programs:1.16.0")]).expect(0).stdout,
        "velero 1.16.0 with plugins linux a vendored module\n"
    );
    // what was made stays: it is as large as a compiler, and the next run is quick
    assert!(!docker(["images", "--quiet", "localhost/groupage/go"]).is_empty());
}

#[test]
fn another_version_runs_the_linker_alone() {
    if !daemon() {
        return;
    }
    let workspace = velero();
    let build =
        || workspace.build_native("programs", &["programs", "--platform", "linux/amd64", "--progress", "plain"]);
    build();
    let manifest = workspace.root().join("components/velero/component.toml");
    let text = std::fs::read_to_string(&manifest).unwrap().replace("1.16.0", "1.16.1");
    workspace.write("components/velero/component.toml", text);
    let ended =
        Ended::of(&mut workspace.native(&["programs", "--platform", "linux/amd64", "--progress", "plain"])).expect(0);
    let lines: Vec<&str> = ended.stderr.lines().filter(|line| line.contains("packages compiled")).collect();
    assert!(!lines.is_empty() && lines.iter().all(|line| line.ends_with(" 0 packages compiled")), "{}", ended.stderr);
    let image = Layout::of_image(workspace.root(), "programs").image();
    assert!(image.read("/velero").windows(6).any(|part| part == b"1.16.1"));
}

#[test]
fn an_image_for_windows_has_programs_of_windows() {
    if !daemon() {
        return;
    }
    let workspace = velero();
    // one that is verified: the programs are for Windows
    let mut build = workspace.native(&["velero", "--platform", "windows/amd64"]);
    let arguments: Vec<_> = build.get_args().filter(|own| *own != "--no-verify").map(ToOwned::to_owned).collect();
    let mut verified = crate::support::workspace::program(workspace.root());
    verified.args(arguments).env("DOCKER_HOST", crate::support::native::NOBODY).env("SOURCE_DATE_EPOCH", "1700000000");
    Ended::of(&mut verified).expect(0);
    Ended::of(&mut build).expect(0);
    let image = Layout::of_image(workspace.root(), "velero").image();
    let paths: Vec<&str> = image.tree.keys().map(String::as_str).filter(|path| path.contains("velero")).collect();
    assert_eq!(
        paths,
        [
            "/usr/local/bin/velero-helper.exe",
            "/usr/local/bin/velero-restore-helper.exe",
            "/usr/local/bin/velero.exe",
            "/velero-helper.exe",
            "/velero-restore-helper.exe",
            "/velero.exe",
        ]
    );
    assert!(image.read("/velero.exe").starts_with(b"MZ"));
    assert_eq!(image.config["config"]["Entrypoint"][0], "/velero.exe");

    // the defect of Velero 1.16: a program that was never built for Windows is not forgotten silently
    workspace.write("cmd/velero-restore-helper/main.go", "//go:build linux\n\npackage main\n\nfunc main() {}\n");
    let ended = Ended::of(&mut workspace.native(&["velero", "--platform", "windows/amd64"])).expect(2);
    let message =
        "image `velero` is made for windows/amd64, and component `velero-restore-helper` has no Go file for it";
    assert!(ended.stderr.contains(message), "{}", ended.stderr);
}
