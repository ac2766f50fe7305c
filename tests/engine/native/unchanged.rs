//! What is there already is not made again, and nothing else is taken for it. No daemon, no registry.

use std::fs;
use std::os::unix::fs::MetadataExt as _;
use std::path::Path;
use std::process::Command;

use crate::native_samples::image;
use crate::support::Ended;
use crate::support::layout::Layout;
use crate::support::native::EPOCH;
use crate::support::readers::programs;
use crate::support::workspace::Workspace;

/// The image `app` of two components of files.
fn workspace() -> Workspace {
    let workspace = Workspace::empty();
    workspace.write("groupage.toml", "schema = 1\n");
    for name in ["one", "two"] {
        workspace.files_component(name, &format!("[[install]]\nfrom = \"text\"\nto = \"/{name}\"\n"));
        workspace.write(&format!("components/{name}/text"), name);
    }
    image(&workspace, "app", "scratch", &["one", "two"], "description = \"text\"");
    workspace
}

/// What a build tells, and the layout that it leaves.
#[track_caller]
fn build(build: &mut Command, workspace: &Workspace) -> (String, Layout) {
    let ended = Ended::of(build).expect(0);
    workspace.check_invariants().unwrap();
    let layout = Layout::of_image(workspace.root(), "app");
    assert!(ended.stdout.contains(&layout.digest()), "{}", ended.stdout);
    (ended.stderr, layout)
}

/// Nothing was made: the line that says so, and no file of the layout is another one.
const UP_TO_DATE: &str = "up to date";

fn inodes(layout: &Layout) -> Vec<(std::path::PathBuf, u64, i64)> {
    let stat = |name: std::path::PathBuf| {
        let metadata = fs::metadata(layout.folder().join(&name)).unwrap();
        (name, metadata.ino(), metadata.ctime_nsec())
    };
    layout.files().into_keys().map(stat).collect()
}

fn diff_ids(layout: &Layout) -> serde_json::Value {
    layout.documents().config["rootfs"]["diff_ids"].clone()
}

fn replace(workspace: &Workspace, path: &str, from: &str, to: &str) {
    let text = fs::read_to_string(workspace.root().join(path)).unwrap();
    assert!(text.contains(from), "{path}: {text}");
    workspace.write(path, text.replace(from, to));
}

#[test]
fn nothing_is_made_when_nothing_changed() {
    let workspace = workspace();
    let (first, layout) = build(&mut workspace.native(&[]), &workspace);
    assert!(!first.contains(UP_TO_DATE), "{first}");
    let (digest, before) = (layout.digest(), inodes(&layout));
    // a comment and the order of a file are nothing; nor are times of files
    let manifest = fs::read_to_string(workspace.root().join("components/one/component.toml")).unwrap();
    workspace.write("components/one/component.toml", format!("# a comment\n{manifest}"));
    workspace.write("components/two/text", "two");
    let (again, layout) = build(&mut workspace.native(&[]), &workspace);
    assert!(again.contains(UP_TO_DATE), "{again}");
    assert_eq!((layout.digest(), inodes(&layout)), (digest.clone(), before));
    let (anew, layout) = build(&mut workspace.native(&["--no-cache"]), &workspace);
    assert!(!anew.contains(UP_TO_DATE), "{anew}");
    assert_eq!(layout.digest(), digest);
}

#[test]
fn what_is_another_image_is_made() {
    /// A change, and whether every layer stays.
    type Change = (&'static str, fn(&Workspace, &mut Command), bool);
    let changes: &[Change] = &[
        ("a file", |workspace, _| _ = workspace.write("components/two/text", "TWO"), false),
        ("a mode", |workspace, _| _ = workspace.set_mode("components/two/text", 0o755), false),
        ("a version", |workspace, _| replace(workspace, "images/app/image.toml", "\"1.0.0\"", "\"1.0.1\""), true),
        ("prose", |workspace, _| replace(workspace, "images/app/image.toml", "\"text\"", "\"other\""), true),
        ("no prose", |workspace, _| replace(workspace, "images/app/image.toml", "description = \"text\"", ""), true),
        ("the time", |_, command| _ = command.env("SOURCE_DATE_EPOCH", "1600000000"), false),
    ];
    let (workspace, fresh) = (workspace(), workspace);
    let (_, first) = build(&mut workspace.native(&[]), &workspace);
    for (name, change, stays) in changes {
        let changed = fresh();
        let mut command = changed.native(&[]);
        // the layout and the cache of the other workspace, in this one
        copy(workspace.root(), changed.root());
        change(&changed, &mut command);
        let (told, layout) = build(&mut command, &changed);
        assert!(!told.contains(UP_TO_DATE), "{name}: {told}");
        assert_ne!(layout.digest(), first.digest(), "{name}");
        assert_eq!(diff_ids(&layout) == diff_ids(&first), *stays, "{name}");
        let (told, again) = build(&mut command, &changed);
        assert!(told.contains(UP_TO_DATE), "{name}: {told}");
        assert_eq!(again.digest(), layout.digest(), "{name}");
    }
}

fn copy(from: &Path, to: &Path) {
    let groupage = to.join("target");
    fs::create_dir_all(&groupage).unwrap();
    Ended::of(Command::new("cp").arg("-a").arg(from.join("target/groupage")).arg(&groupage)).expect(0);
}

#[test]
fn what_is_damaged_is_made_again() {
    let workspace = workspace();
    let (_, layout) = build(&mut workspace.native(&[]), &workspace);
    let (digest, top) = (layout.digest(), workspace.root().join("target/groupage"));
    let layer = layout.documents().manifest["layers"][0]["digest"].as_str().unwrap().replace("sha256:", "");
    let config = layout.documents().manifest["config"]["digest"].as_str().unwrap().replace("sha256:", "");
    let blob = |place: &str, hex: &str| top.join(place).join("blobs/sha256").join(hex);
    let write = |path: &Path, text: &str| {
        fs::remove_file(path).unwrap();
        fs::write(path, text).unwrap();
    };
    let damages: &[(&str, &dyn Fn())] = &[
        ("a layer of the cache is gone", &|| fs::remove_file(blob("cache", &layer)).unwrap()),
        ("a layer of the cache is short", &|| write(&blob("cache", &layer), "x")),
        ("the layout has no index", &|| fs::remove_file(top.join("oci/app/index.json")).unwrap()),
        ("the index is none", &|| write(&top.join("oci/app/index.json"), "{")),
        ("a configuration is another one", &|| write(&blob("oci/app", &config), "{\"config\":{\"Labels\":{}}}")),
        ("a configuration is gone", &|| fs::remove_file(blob("oci/app", &config)).unwrap()),
        ("everything is gone", &|| fs::remove_dir_all(&top).unwrap()),
    ];
    for (name, damage) in damages {
        damage();
        let (told, layout) = build(&mut workspace.native(&[]), &workspace);
        assert!(!told.contains(UP_TO_DATE), "{name}: {told}");
        assert_eq!(layout.digest(), digest, "{name}");
    }
}

/// A base without a digest is what is behind its name, not the name.
#[test]
fn a_base_that_moved_is_noticed() {
    let (base, app) = (workspace(), workspace());
    let (_, below) = build(&mut base.native(&[]), &base);
    let link = app.root().join("base");
    let use_it = || {
        _ = fs::remove_dir_all(&link);
        Ended::of(Command::new("cp").arg("-a").arg(below.folder()).arg(&link)).expect(0);
    };
    use_it();
    app.write("groupage.toml", "schema = 1\n[bases]\nlike = \"oci:base\"\n");
    replace(&app, "images/app/image.toml", "\"scratch\"", "\"like\"");
    let (_, first) = build(&mut app.native(&[]), &app);
    let (told, _) = build(&mut app.native(&[]), &app);
    assert!(told.contains(UP_TO_DATE), "{told}");
    base.write("components/one/text", "ONE");
    build(&mut base.native(&[]), &base);
    use_it();
    let (told, second) = build(&mut app.native(&[]), &app);
    assert!(!told.contains(UP_TO_DATE), "{told}");
    assert_ne!(first.digest(), second.digest());
}

/// Images of one component of each kind that is compiled here, and of files.
fn compiled() -> Workspace {
    let workspace = Workspace::empty();
    workspace
        .write(
            "groupage.toml",
            "schema = 1\n[builders]\nrust = \"registry.invalid/rust:1\"\ngo = \"registry.invalid/go:1\"\n",
        )
        .write("Cargo.toml", "[workspace]\nresolver = \"3\"\nmembers = [\"one\"]\n")
        .write("Cargo.lock", "version = 4\n\n[[package]]\nname = \"one\"\nversion = \"0.1.0\"\n")
        .write("one/Cargo.toml", "[package]\nname = \"one\"\nversion = \"0.1.0\"\nedition = \"2024\"\n")
        .write("one/src/main.rs", "fn main() {}\n")
        .write("go.mod", "module example.com/two\n\ngo 1.18\n")
        .write("cmd/two/main.go", "package main\n\nfunc main() { println(\"two\") }\n")
        .write("components/three/text", "three");
    for (name, build) in [("one", "cargo]\npackage = \"one\""), ("two", "go]\npackage = \"./cmd/two\"")] {
        let text = format!(
            "schema = 1\nname = {name:?}\nowner = \"@test\"\nversion = \"1.0.0\"\n\n[build.{build}\n\n\
             [[install]]\nfrom = \"bin:{name}\"\nto = \"/{name}\"\n"
        );
        workspace.write(&format!("components/{name}/component.toml"), text);
    }
    workspace.files_component("three", "[[install]]\nfrom = \"text\"\nto = \"/three\"\n");
    for name in ["one", "two", "three"] {
        image(&workspace, name, "scratch", &[name], "");
    }
    workspace
}

/// An image is the same whichever others are made by the same command: what was found for those is no input of it.
#[test]
fn other_images_of_a_run_change_nothing() {
    if !programs(&["go"]) {
        return;
    }
    let workspace = compiled();
    let digest = |name: &str| Layout::of_image(workspace.root(), name).digest();
    Ended::of(&mut workspace.native(&[])).expect(0);
    let together = ["one", "two", "three"].map(|name| (name, digest(name)));
    for run in [&["three"][..], &["two", "three"], &["one"], &["two"], &["one", "three"], &[]] {
        let ended = Ended::of(&mut workspace.native(run)).expect(0);
        for (name, before) in &together {
            assert_eq!(&digest(name), before, "{run:?}: {name}");
            let is_built = run.is_empty() || run.contains(name);
            let is_same = ended.stderr.contains(&format!("[{name}] {UP_TO_DATE}"));
            assert_eq!(is_same, is_built, "{run:?}: {name}: {}", ended.stderr);
        }
    }
}

/// What is linked again with the same bytes is in the same layer.
#[test]
fn a_program_that_is_the_same_keeps_its_layer() {
    if !programs(&["go"]) {
        return;
    }
    let workspace = compiled();
    Ended::of(&mut workspace.native(&["one", "two"])).expect(0);
    for name in ["one", "two"] {
        replace(&workspace, &format!("images/{name}/image.toml"), "\"1.0.0\"", "\"1.0.1\"");
    }
    let ended = Ended::of(&mut workspace.native(&["one", "two"])).expect(0);
    for name in ["one", "two"] {
        let layer = format!("[{name} comp-{name}] cached: layer");
        assert!(ended.stderr.contains(&layer), "{}", ended.stderr);
    }
}

/// A compiler is an input of the images that hold what it compiles, of no other, and is named as the reason.
#[test]
fn another_compiler_makes_its_own_images_anew() {
    if !programs(&["go"]) {
        return;
    }
    let workspace = compiled();
    let path = |folder: &str| format!("{}:{}", workspace.root().join(folder).display(), std::env::var("PATH").unwrap());
    let fake = "#!/bin/sh\n[ \"$1\" = version ] && echo 'go version go1.99.9 linux/other' && exit\nPATH=${PATH#*:} exec go \"$@\"\n";
    workspace.write("other/go", fake).set_mode("other/go", 0o755);
    Ended::of(&mut workspace.native(&[])).expect(0);
    let explained = |image: &str| {
        let mut command = workspace.command(["plan", "--explain", image]);
        command.env("SOURCE_DATE_EPOCH", EPOCH).env("PATH", path("other"));
        Ended::of(&mut command).expect(0).stdout
    };
    let told = explained("two");
    let line = told.lines().find(|line| line.contains("toolchain: ")).unwrap_or_else(|| panic!("{told}"));
    assert!(line.ends_with(" → go1.99.9"), "{told}");
    assert_eq!(told.lines().count(), 2, "nothing else: {told}");
    for image in ["one", "three"] {
        assert!(explained(image).contains(UP_TO_DATE), "{image}");
    }
}

/// What is said of the sources is no input: a commit elsewhere costs a configuration, and no layer.
#[test]
fn a_commit_elsewhere_is_only_a_label() {
    let workspace = workspace();
    workspace.write("groupage.toml", "schema = 1\n[build]\nstamp = [\"revision\", \"created\"]\n");
    let refused = Ended::of(&mut workspace.native(&[])).expect(2);
    assert!(refused.stderr.contains("git knows no commit here"), "{}", refused.stderr);
    let git = |arguments: &[&str]| {
        let account = ["-c", "user.name=a", "-c", "user.email=a@example.com"];
        let mut command = Command::new("git");
        command.arg("-C").arg(workspace.root()).args(account).args(arguments);
        Ended::of(command.env("GIT_COMMITTER_DATE", "1500000000 +0000")).expect(0).stdout.trim().to_owned()
    };
    workspace.write(".gitignore", "/target/\n");
    let mut seen = Vec::new();
    for name in ["first", "second"] {
        workspace.write(name, name);
        git(&["init", "--quiet"]);
        git(&["add", "."]);
        git(&["commit", "--quiet", "--message", name]);
        let (_, layout) = build(workspace.native(&[]).env_remove("SOURCE_DATE_EPOCH"), &workspace);
        let labels = layout.documents().config["config"]["Labels"].clone();
        assert_eq!(labels["org.opencontainers.image.revision"], git(&["rev-parse", "HEAD"]));
        assert_eq!(labels["org.opencontainers.image.created"], "2017-07-14T02:40:00Z");
        seen.push((layout.digest(), diff_ids(&layout)));
    }
    assert_ne!(seen[0].0, seen[1].0);
    assert_eq!(seen[0].1, seen[1].1);
    workspace.write("first", "changed");
    let (_, layout) = build(workspace.native(&[]).env_remove("SOURCE_DATE_EPOCH"), &workspace);
    let revision = layout.documents().config["config"]["Labels"]["org.opencontainers.image.revision"].clone();
    assert!(revision.as_str().unwrap().ends_with("-dirty"), "{revision}");
}
