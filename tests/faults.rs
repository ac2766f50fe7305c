//! What goes wrong around the native engine: killed at any moment, a damaged cache, a full or read-only disk, two runs at
//! once. None of these tests needs a daemon; pulls and pushes are in `engine/native/faults.rs`.
//!
//! `GROUPAGE_TEST_KILLS` says how often a build is killed, 100 times when it is not set.

#![allow(clippy::disallowed_methods, reason = "a test asks its environment, the clock and the disk")]
#![allow(clippy::unwrap_used, reason = "a test may panic, its helpers too")]
#![allow(dead_code, unused_imports, reason = "the support is that of the engine tests, which use all of it")]

#[path = "engine/native/samples.rs"]
mod native_samples;
#[path = "faults/state.rs"]
mod state;
#[path = "engine/support/mod.rs"]
mod support;

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use native_samples::pseudo_random;
use support::Ended;
use support::kill::{Moments, how_often};
use support::layout::{Layout, unpack};
use support::native::printed;
use support::workspace::Workspace;

/// Three components of this size each; large enough that most moments fall into the writing of them.
const SIZE: usize = 2 * 1024 * 1024;

/// The images `app` of `a`, `b` and `c`, and `part` of `b` and `c`.
fn workspace() -> Workspace {
    let workspace = Workspace::empty();
    workspace.write("groupage.toml", "schema = 1\n");
    for (seed, name) in [(1, "a"), (2, "b"), (3, "c")] {
        workspace.files_component(name, &format!("[[install]]\nfrom = \"data\"\nto = \"/srv/{name}\"\n"));
        payload(&workspace, name, seed, SIZE);
    }
    workspace.image("app", &["a", "b", "c"], "").image("part", &["b", "c"], "");
    workspace
}

/// Bytes of which about half go away when they are compressed.
fn payload(workspace: &Workspace, component: &str, seed: u64, size: usize) {
    let mut bytes = pseudo_random(seed, size / 2);
    bytes.resize(size, b'x');
    workspace.write(&format!("components/{component}/data"), bytes);
}

/// Removes everything that was built and remembered.
fn forget(workspace: &Workspace) {
    let top = workspace.root().join("target/groupage");
    if top.exists() {
        fs::remove_dir_all(top).unwrap();
    }
}

/// Builds everything; the digest that is printed for each tag, after every layout was checked.
#[track_caller]
fn digests(workspace: &Workspace, arguments: &[&str]) -> BTreeMap<String, String> {
    let ended = Ended::of(&mut workspace.native(arguments)).expect(0);
    workspace.check_invariants().unwrap();
    for id in ["app", "part"] {
        let layout = Layout::of_image(workspace.root(), id);
        let digest = layout.digest();
        assert!(printed(&ended).values().any(|seen| *seen == digest), "{id}: {digest} in {}", ended.stdout);
    }
    printed(&ended)
}

/// Regular files below a folder.
fn files_below(folder: &Path) -> Vec<PathBuf> {
    let Ok(entries) = fs::read_dir(folder) else { return Vec::new() };
    let mut files = Vec::new();
    for entry in entries {
        let entry = entry.unwrap();
        match entry.file_type().unwrap() {
            kind if kind.is_dir() => files.extend(files_below(&entry.path())),
            kind if kind.is_file() => files.push(entry.path()),
            _ => {}
        }
    }
    files.sort();
    files
}

/// Nothing that a killed run has left is there for ever.
#[track_caller]
fn no_rubbish(workspace: &Workspace) {
    let top = workspace.root().join("target/groupage");
    assert_eq!(files_below(&top.join("cache/tmp")), Vec::<PathBuf>::new());
    let mut layouts: Vec<_> = fs::read_dir(top.join("oci")).unwrap().map(|entry| entry.unwrap().file_name()).collect();
    layouts.sort();
    assert_eq!(layouts, ["app", "part"]);
}

#[test]
fn a_killed_build_leaves_nothing_half_written() {
    let workspace = workspace();
    let expect = digests(&workspace, &[]);
    payload(&workspace, "b", 4, SIZE);
    let changed = digests(&workspace, &[]);
    assert_ne!(expect, changed);

    let archive = workspace.beside("app.tar");
    let output = format!("type=oci,dest={},compression=gzip", archive.display());
    let commands: [&[&str]; 2] = [&[], &["app", "--output", &output]];
    let mut moments = commands.map(|arguments| {
        Moments::new(7, || {
            forget(&workspace);
            workspace.native(arguments)
        })
    });
    for count in 0..how_often(100) {
        // begun with nothing there, with another state there, with everything there
        let (second, before) = ((count % 2) as usize, count % 3);
        let expect = if count % 4 < 2 { &expect } else { &changed };
        match before {
            0 => forget(&workspace),
            1 => {
                payload(&workspace, "b", if count % 4 < 2 { 4 } else { 2 }, SIZE);
                digests(&workspace, &[]);
            }
            _ => {}
        }
        payload(&workspace, "b", if count % 4 < 2 { 2 } else { 4 }, SIZE);
        if archive.exists() {
            fs::remove_file(&archive).unwrap();
        }
        moments[second].kill(workspace.native(commands[second]));
        workspace.check_invariants().unwrap_or_else(|problem| panic!("after kill {count}: {problem}"));
        if archive.exists() {
            unpack(&archive, tempfile::tempdir().unwrap().path());
        }
        assert_eq!(digests(&workspace, &[]), *expect, "after kill {count}");
        no_rubbish(&workspace);
    }
    moments.iter().for_each(Moments::expect_hits);
}

/// Cuts off the last byte.
fn cut(path: &Path) {
    let length = path.metadata().unwrap().len();
    replace(path, &fs::read(path).unwrap()[..length.saturating_sub(1) as usize]);
}

/// Changes a byte in the middle.
fn flip(path: &Path) {
    let mut bytes = fs::read(path).unwrap();
    let middle = bytes.len() / 2;
    if let Some(byte) = bytes.get_mut(middle) {
        *byte ^= 1;
    }
    replace(path, &bytes);
}

fn empty(path: &Path) {
    replace(path, b"");
}

/// Another file under the same name, as a disk that lost it would have: what is linked elsewhere keeps its bytes.
fn replace(path: &Path, bytes: &[u8]) {
    fs::remove_file(path).unwrap();
    fs::write(path, bytes).unwrap();
}

/// Builds, damages every file below a folder of `target/groupage`, and builds again in every way.
#[track_caller]
fn damaged(folder: &str, damage: fn(&Path), keeps_layouts: bool) {
    let workspace = workspace();
    let archive = workspace.beside("app.tar");
    let output = format!("type=oci,dest={},compression=gzip", archive.display());
    let expect = digests(&workspace, &[]);
    Ended::of(&mut workspace.native(&["app", "--output", &output])).expect(0);
    let archived = fs::read(&archive).unwrap();
    let top = workspace.root().join("target/groupage");
    let files = files_below(&top.join(folder));
    assert!(!files.is_empty(), "nothing in {folder} to damage");
    for path in &files {
        damage(path);
    }
    if !keeps_layouts {
        fs::remove_dir_all(top.join("oci")).unwrap();
    }
    fs::remove_file(&archive).unwrap();
    Ended::of(&mut workspace.native(&["app", "--output", &output])).expect(0);
    assert!(fs::read(&archive).unwrap() == archived, "the archive is another one, {} files damaged", files.len());
    unpack(&archive, tempfile::tempdir().unwrap().path());
    assert_eq!(digests(&workspace, &[]), expect, "{} files damaged", files.len());
}

#[test]
fn a_truncated_blob_in_the_cache_is_not_used() {
    damaged("cache/blobs", cut, true);
    damaged("cache/blobs", cut, false);
}

#[test]
fn an_empty_blob_in_the_cache_is_not_used() {
    damaged("cache/blobs", empty, false);
}

#[test]
fn a_changed_blob_in_the_cache_is_not_used() {
    damaged("cache/blobs", flip, false);
}

#[test]
fn a_damaged_record_in_the_cache_is_not_used() {
    damaged("cache/records", cut, false);
    damaged("cache/records", empty, true);
    damaged("cache/records", flip, false);
}

#[test]
fn a_truncated_layout_is_made_again() {
    damaged("oci", cut, true);
    damaged("oci", empty, true);
}

/// A file system of its own at `target`, until it is dropped.
struct Disk(PathBuf);

impl Disk {
    /// `None`, with a printed line, where this user may not mount.
    fn mount(target: &Path, size: &str) -> Option<Self> {
        fs::create_dir_all(target).unwrap();
        let mut mount = Command::new("mount");
        mount.args(["-t", "tmpfs", "-o", &format!("size={size}"), "groupage-test"]).arg(target);
        let output = mount.output().ok().filter(|output| output.status.success());
        if output.is_none() {
            eprintln!("skipped: mounting a file system needs root");
        }
        output.map(|_| Self(target.to_owned()))
    }

    fn remount(&self, option: &str) {
        Ended::of(Command::new("mount").args(["-o", &format!("remount,{option}")]).arg(&self.0)).expect(0);
    }
}

impl Drop for Disk {
    fn drop(&mut self) {
        let _ = Command::new("umount").arg("--lazy").arg(&self.0).output();
    }
}

/// A build that cannot write says so and why, and leaves what was there before.
#[track_caller]
fn fails_and_leaves(workspace: &Workspace, arguments: &[&str], words: &[&str], before: &str) {
    let ended = Ended::of(&mut workspace.native(arguments));
    assert!(matches!(ended.code, Some(1..=3)), "{ended:?}");
    assert_eq!(ended.stdout, "", "{}", ended.stderr);
    let text = ended.stderr.to_lowercase();
    for word in words {
        assert!(text.contains(word), "no {word:?} in:\n{}", ended.stderr);
    }
    workspace.check_invariants().unwrap();
    assert_eq!(Layout::of_image(workspace.root(), "app").digest(), before);
}

#[test]
fn a_full_disk_leaves_the_previous_layout() {
    let workspace = workspace();
    let Some(_disk) = Disk::mount(&workspace.root().join("target"), "24m") else { return };
    let expect = digests(&workspace, &[]);
    let before = Layout::of_image(workspace.root(), "app").digest();
    payload(&workspace, "b", 5, 40 * 1024 * 1024);
    for arguments in [&["app"][..], &["app", "--output", "type=oci,dest=target/app.tar"]] {
        fails_and_leaves(&workspace, arguments, &["no space left", "target"], &before);
    }
    assert!(!workspace.root().join("target/app.tar").exists(), "an archive appears when it is whole");
    payload(&workspace, "b", 2, SIZE);
    assert_eq!(digests(&workspace, &[]), expect, "with space again");
}

#[test]
fn a_read_only_target_is_an_error_that_names_it() {
    let workspace = workspace();
    let Some(disk) = Disk::mount(&workspace.root().join("target"), "64m") else { return };
    let expect = digests(&workspace, &[]);
    let before = Layout::of_image(workspace.root(), "app").digest();
    payload(&workspace, "b", 5, SIZE);
    disk.remount("ro");
    fails_and_leaves(&workspace, &["app"], &["read-only", "target"], &before);
    disk.remount("rw");
    payload(&workspace, "b", 2, SIZE);
    assert_eq!(digests(&workspace, &[]), expect);
}

#[test]
fn several_builds_at_once_give_the_same() {
    let workspace = workspace();
    let expect = digests(&workspace, &[]);
    for round in 0..6 {
        if round % 2 == 0 {
            forget(&workspace);
        }
        let arguments: [&[&str]; 4] = [&[], &["app"], &["part"], &[]];
        let spawn = |arguments: &[&str]| {
            let mut command = workspace.native(arguments);
            command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap()
        };
        let children = arguments.map(spawn);
        for child in children {
            let ended = Ended::from(child.wait_with_output().unwrap()).expect(0);
            for (tag, digest) in printed(&ended) {
                assert_eq!(Some(&digest), expect.get(&tag), "{tag}");
            }
        }
        workspace.check_invariants().unwrap();
        assert_eq!(digests(&workspace, &[]), expect);
    }
    no_rubbish(&workspace);
}
