//! Images that need no container come into the daemon by `load`: the same as by BuildKit, and no byte twice.

use crate::native_samples::odd_files;
use crate::support::archive::Image;
use crate::support::counted::{Asked, Counted, SIZE, by_builder, sent};
use crate::support::image::same;
use crate::support::{Ended, daemon, docker, until};

/// What a build without BuildKit asks for.
fn loads(loads: usize) -> Asked {
    Asked { builds: 0, loads, lists: 1, tags: loads }
}

/// The history of an image, the newest line first.
fn history(tag: &str) -> Vec<String> {
    let lines = docker(["history", "--no-trunc", "--format", "{{.CreatedBy}}", tag]);
    lines.lines().map(str::to_owned).collect()
}

#[test]
fn the_image_is_that_of_buildkit() {
    if !daemon() {
        return;
    }
    let workspace = odd_files("scratch", "");
    let tag = workspace.tag("odd:1.0.0");
    workspace.run(["build", "--engine", "docker", "--no-verify"]).expect(0);
    let loaded = Image::of_daemon(&tag);
    assert_eq!(history(&tag), ["groupage image", "groupage comp-plain", "groupage comp-odd"]);
    by_builder(&workspace);
    let ended = workspace.run(["build", "--engine", "docker", "--no-verify"]).expect(0);
    assert!(!ended.stderr.contains("up to date"), "{}", ended.stderr);
    assert!(history(&tag).iter().all(|line| !line.starts_with("groupage ")), "{:?}", history(&tag));
    let built = Image::of_daemon(&tag);
    // one of them makes a layer of its own for a working folder
    assert_eq!((loaded.layers, built.layers), (3, 4));
    same("loaded and built", &loaded.without_fingerprint(), &built.without_fingerprint());
}

#[test]
fn nothing_changed_means_nothing_is_sent() {
    let Some(counted) = Counted::new() else { return };
    let (x, y) = (counted.component(), counted.component());
    counted.workspace.image("a", &[&x, &y], "").image("b", &[&y], "");
    let (first, asked) = counted.build(&[]);
    assert_eq!(asked, loads(2), "{}", first.stderr);
    let (again, asked) = counted.build(&[]);
    assert_eq!(asked, Asked { tags: 0, ..loads(0) });
    assert_eq!(again.stdout, first.stdout);
    // what is made anew is the same, byte for byte
    let (anew, asked) = counted.build(&["--no-cache"]);
    assert_eq!((anew.stdout, asked), (first.stdout, loads(2)));
}

#[test]
fn a_changed_component_moves_up_and_is_sent_alone_from_then_on() {
    let Some(counted) = Counted::new() else { return };
    let mut all = [counted.component(), counted.component(), counted.component()];
    all.sort();
    let [x, y, z] = &all;
    counted.workspace.image("a", &[x, y, z], "").image("b", &[z], "");
    counted.build(&[]);
    let tag = counted.workspace.tag("a:1.0.0");
    let named = |names: [&String; 3]| {
        let names = names.map(|name| format!("groupage comp-{name}"));
        ["groupage image".to_owned()].into_iter().chain(names).collect::<Vec<_>>()
    };
    assert_eq!(history(&tag), named([z, y, x]));
    for round in 0..3 {
        counted.change(x);
        let (ended, asked) = counted.build(&["--progress", "json"]);
        assert_eq!(asked, loads(1), "{}", ended.stderr);
        assert_eq!(history(&tag), named([x, z, y]));
        let sent = sent(&ended.stderr);
        assert_eq!(sent.keys().collect::<Vec<_>>(), ["a"], "only the image that holds it");
        let most = if round == 0 { 3 * SIZE } else { SIZE };
        assert!(sent["a"] <= most as u64 * 105 / 100, "round {round}: {sent:?}");
    }
    let content = Image::of_daemon(&tag);
    assert!(all.iter().all(|name| content.tree.contains_key(&format!("/srv/{name}"))), "{:?}", content.tree.keys());
}

#[test]
fn another_stamp_costs_no_layer() {
    let Some(counted) = Counted::new() else { return };
    let component = counted.component();
    counted.workspace.image("a", &[&component], "description = \"said before\"");
    counted.build(&[]);
    let before = counted.seen("a");
    let text = std::fs::read_to_string(counted.workspace.root().join("images/a/image.toml")).unwrap();
    counted.workspace.write("images/a/image.toml", text.replace("said before", "said after"));
    let (ended, asked) = counted.build(&["--progress", "json"]);
    assert_eq!(asked, loads(1), "{}", ended.stderr);
    assert!(sent(&ended.stderr)["a"] < SIZE as u64 / 10, "{}", ended.stderr);
    let after = counted.seen("a");
    assert_eq!(after["RootFS"], before["RootFS"]);
    assert_eq!(after["Config"]["Labels"]["org.opencontainers.image.description"], "said after");
}

#[test]
fn what_was_there_and_is_gone_is_sent_again() {
    let Some(counted) = Counted::new() else { return };
    let component = counted.component();
    counted.workspace.image("a", &[&component], "");
    let (first, _) = counted.build(&[]);
    docker(["rmi", "--force", &counted.workspace.tag("a:1.0.0")]);
    let (again, asked) = counted.build(&["--progress", "json"]);
    assert_eq!((asked, &again.stdout), (loads(1), &first.stdout));
    assert!(sent(&again.stderr)["a"] >= SIZE as u64, "{}", again.stderr);
}

#[test]
fn after_a_kill_the_missing_work_is_done() {
    let Some(counted) = Counted::new() else { return };
    let component = counted.component();
    counted.workspace.write(&format!("components/{component}/file"), vec![7; 64 << 20]);
    counted.workspace.image("a", &[&component], "");
    let mut child = counted.workspace.spawn(["build", "--host", &counted.listener.host()]);
    until("it is being sent", || counted.listener.has("POST /images/load"));
    let killed = std::process::Command::new("kill").args(["-s", "KILL", &child.id().to_string()]).output().unwrap();
    Ended::from(killed).expect(0);
    child.wait().unwrap();
    counted.listener.count([]);
    // the daemon may have had all of it already: then it has no name, and gets it
    let (_, asked) = counted.build(&[]);
    assert!(asked.loads <= 1 && asked.builds == 0 && asked.tags == 1, "{asked:?}");
    assert_eq!(counted.workspace.tags(), ["a:1.0.0"]);
}

#[test]
fn a_place_for_layers_that_is_none_is_named() {
    let Some(counted) = Counted::new() else { return };
    let component = counted.component();
    counted.workspace.image("a", &[&component], "");
    let cache = counted.workspace.root().join("target/groupage/cache");
    std::fs::create_dir_all(cache.parent().unwrap()).unwrap();
    std::fs::write(&cache, "in the way").unwrap();
    let (ended, asked) = counted.end(&[], 3);
    assert_eq!(asked.loads, 0);
    assert!(ended.stderr.contains("target/groupage/cache"), "{}", ended.stderr);
    std::fs::remove_file(&cache).unwrap();
    assert_eq!(counted.build(&[]).1, loads(1));
}
