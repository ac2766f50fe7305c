//! What stands in `target/groupage` before a build: links out of the workspace, pipes, and files with other bits.

use std::collections::BTreeMap;
use std::fs;
use std::os::unix::fs::symlink;
use std::path::{Path, PathBuf};
use std::process::Command;

use super::files_below;
use super::native_samples::Random;
use super::support::Ended;
use super::support::native::printed;
use super::support::workspace::Workspace;

/// Files that remember something, below the state folder.
const REMEMBERED: [&str; 5] =
    ["times.json", "toolchain.json", "cargo-metadata.json", "hashes", "builds/app/linux_amd64.json"];

/// The image `app` of a program and a file, in a git repository.
fn workspace() -> Workspace {
    let workspace = Workspace::empty();
    workspace
        .write("groupage.toml", "schema = 1\n[builders]\nrust = \"registry.invalid/rust:1\"\n")
        .write("Cargo.toml", "[workspace]\nresolver = \"3\"\nmembers = [\"components/hello\"]\n")
        .write("Cargo.lock", "version = 4\n\n[[package]]\nname = \"hello\"\nversion = \"0.4.0\"\n")
        .write("components/hello/Cargo.toml", "[package]\nname = \"hello\"\nversion = \"0.4.0\"\nedition = \"2024\"\n")
        .write("components/hello/src/main.rs", "fn main() {}\n")
        .write(
            "components/hello/component.toml",
            "schema = 1\nname = \"hello\"\nowner = \"@test\"\nversion = { cargo = true }\n\n[build.cargo]\n\
             package = \"hello\"\n\n[[install]]\nfrom = \"bin:hello\"\nto = \"/usr/bin/hello\"\n",
        )
        .files_component("page", "[[install]]\nfrom = \"page.html\"\nto = \"/srv/page.html\"\n")
        .write("components/page/page.html", "page")
        .write(".gitignore", "target\n")
        .image("app", &["hello", "page"], "");
    let path = workspace.root().join("images/app/image.toml");
    let text = fs::read_to_string(&path).unwrap().replace("[\"linux/amd64\", \"linux/arm64\"]", "[\"linux/amd64\"]");
    fs::write(&path, text).unwrap();
    for words in ["init --quiet", "add .", "commit --quiet --message all"] {
        let mut git = Command::new("git");
        git.current_dir(workspace.root()).args(["-c", "user.name=test", "-c", "user.email=test@localhost"]);
        git.env("GIT_COMMITTER_DATE", "@1500000000 +0000").env("GIT_CONFIG_GLOBAL", "/dev/null");
        Ended::of(git.args(words.split(' '))).expect(0);
    }
    workspace
}

fn build(workspace: &Workspace, arguments: &[&str]) -> Ended {
    Ended::of(workspace.native(arguments).env_remove("SOURCE_DATE_EPOCH"))
}

/// Builds the image with no layout of before; what is printed of it.
#[track_caller]
fn built(workspace: &Workspace) -> BTreeMap<String, String> {
    remove(&state(workspace).join("oci"));
    printed(&build(workspace, &[]).expect(0))
}

fn state(workspace: &Workspace) -> PathBuf {
    workspace.root().join("target/groupage")
}

fn remove(path: &Path) {
    match path.symlink_metadata() {
        Ok(metadata) if metadata.is_dir() => fs::remove_dir_all(path).unwrap(),
        Ok(_) => fs::remove_file(path).unwrap(),
        Err(_) => {}
    }
}

/// A folder beside the workspace, with files that look like something of ours.
fn outside(workspace: &Workspace) -> PathBuf {
    let out = workspace.beside("out");
    for name in
        ["victim", "lock", "tmp/file", "sha256/file", "app/file", "_plans/file", "blobs/sha256/file", "oci/app/file"]
    {
        let path = out.join(name);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, "theirs").unwrap();
    }
    out
}

/// Everything below a folder, folders too.
fn all(folder: &Path) -> BTreeMap<PathBuf, String> {
    let mut found = BTreeMap::new();
    for entry in fs::read_dir(folder).unwrap().map(Result::unwrap) {
        let path = entry.path();
        if entry.file_type().unwrap().is_dir() {
            found.extend(all(&path));
        }
        let text = fs::read_to_string(&path).unwrap_or_default();
        found.insert(path, text);
    }
    found
}

#[test]
fn a_link_in_place_of_a_file_is_replaced_and_not_followed() {
    let workspace = workspace();
    let expect = built(&workspace);
    let out = outside(&workspace);
    let before = all(&out);
    for name in REMEMBERED {
        for target in ["victim", "new/file"] {
            let path = state(&workspace).join(name);
            assert!(path.is_file(), "{name} is no file any more");
            remove(&path);
            symlink(out.join(target), &path).unwrap();
            assert_eq!(built(&workspace), expect, "{name}");
            assert_eq!(all(&out), before, "{name} -> {target}");
            assert!(!path.is_symlink(), "{name}");
        }
    }
}

#[test]
fn a_pipe_in_place_of_a_file_is_not_waited_for() {
    let workspace = workspace();
    let expect = built(&workspace);
    for name in REMEMBERED {
        let path = state(&workspace).join(name);
        remove(&path);
        Ended::of(Command::new("mkfifo").arg(&path)).expect(0);
        assert_eq!(built(&workspace), expect, "{name}");
        assert!(path.is_file(), "{name}");
    }
    for record in files_below(&state(&workspace).join("cache/records")) {
        remove(&record);
        Ended::of(Command::new("mkfifo").arg(&record)).expect(0);
    }
    assert_eq!(built(&workspace), expect);
    for document in files_below(&state(&workspace).join("oci")) {
        remove(&document);
        Ended::of(Command::new("mkfifo").arg(&document)).expect(0);
        assert_eq!(printed(&build(&workspace, &[]).expect(0)), expect, "{}", document.display());
        assert!(document.is_file(), "{}", document.display());
    }
}

#[test]
fn a_link_in_place_of_a_folder_is_refused_and_nothing_behind_it_is_touched() {
    let workspace = workspace();
    let expect = built(&workspace);
    let out = outside(&workspace);
    let before = all(&out);
    let refused = [
        "",
        "cache",
        "cache/blobs",
        "cache/blobs/sha256",
        "cache/records",
        "cache/records/layers",
        "cache/tmp",
        "cache/turns",
        "cache/lock",
        "cargo",
        "cargo/.groupage-lock",
        "programs",
        "oci",
        "oci/app",
        "oci/app/blobs",
    ];
    let only_noted = ["builds", "builds/app", "builds/_plans"];
    for name in refused.iter().chain(&only_noted) {
        remove(&state(&workspace).join("oci"));
        let path = state(&workspace).join(name);
        let path = if name.is_empty() { state(&workspace) } else { path };
        remove(&path);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        symlink(&out, &path).unwrap();
        let ended = build(&workspace, &["--no-cache"]);
        let word =
            if name.ends_with("lock") { "is no regular file: remove it" } else { "is a link, and nothing is written" };
        assert!(ended.stderr.contains(&format!("{name} {word}")), "{name}: {}", ended.stderr);
        assert_eq!(ended.code == Some(0), only_noted.contains(name), "{name}: {}", ended.stderr);
        assert_eq!(all(&out), before, "{name}: {}", ended.stderr);
        // nor does any other command follow it
        for words in ["plan", "cache show", "cache prune --keep 0 --all", "explain build app", "affected --since HEAD"]
        {
            Ended::of(&mut workspace.command(words.split(' ')));
            assert_eq!(all(&out), before, "{name}: {words}");
        }
        remove(&path);
        assert_eq!(built(&workspace), expect, "{name}");
    }
    for name in ["revisions", "revisions/lock"] {
        remove(&state(&workspace).join("revisions"));
        fs::create_dir_all(state(&workspace).join(name).parent().unwrap()).unwrap();
        symlink(&out, state(&workspace).join(name)).unwrap();
        let ended = Ended::of(&mut workspace.command(["affected", "--since", "HEAD"]));
        assert!(ended.code != Some(0) && ended.stderr.contains(&format!("{name} is ")), "{name}: {ended:?}");
        assert_eq!(all(&out), before, "{name}");
    }
}

#[test]
fn a_target_folder_may_be_elsewhere() {
    let workspace = workspace();
    let elsewhere = workspace.beside("elsewhere");
    fs::create_dir(&elsewhere).unwrap();
    symlink(&elsewhere, workspace.root().join("target")).unwrap();
    let first = built(&workspace);
    assert!(elsewhere.join("groupage/times.json").is_file());
    assert_eq!(built(&workspace), first);
}

#[test]
fn what_is_remembered_with_another_bit_is_as_none() {
    let workspace = workspace();
    let expect = built(&workspace);
    let mut random = Random(7);
    for name in REMEMBERED {
        let path = state(&workspace).join(name);
        for _ in 0..12 {
            let mut bytes = fs::read(&path).unwrap();
            let bit = usize::try_from(random.below(bytes.len() as u64 * 8)).unwrap();
            bytes[bit / 8] ^= 1 << (bit % 8);
            fs::write(&path, &bytes).unwrap();
            assert_eq!(built(&workspace), expect, "{name} with another bit {bit}");
        }
    }
}
