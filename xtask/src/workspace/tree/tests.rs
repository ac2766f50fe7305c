//! Listings: the same whatever the number of files, folders and threads.

use std::fs;

use super::*;
use crate::source::{SourceFile, SourceMap};

/// Some place of some manifest.
pub(in super::super) fn place() -> Span {
    Span::new(SourceMap::default().add(SourceFile::new("component.toml", "")), 0..0)
}

fn want(path: &str, exclude: &[&str], required: bool) -> Want {
    let exclude = exclude.iter().map(|path| (*path).to_owned()).collect();
    Want { path: path.into(), exclude, place: place(), required, context: None }
}

fn workspace() -> (tempfile::TempDir, Utf8PathBuf) {
    let folder = tempfile::tempdir().unwrap();
    let root = Utf8Path::from_path(folder.path()).unwrap().canonicalize_utf8().unwrap();
    (folder, root)
}

/// The slow, obviously right way.
fn slowly(root: &Utf8Path, path: &str) -> Listing {
    let top = root.join(path);
    let files = list_folder(&top, &[]).unwrap().into_iter().map(|(path, mode)| {
        let bytes = fs::read(top.join(&path)).unwrap();
        let digest = crate::oci::Digest::of(&bytes).hex().to_owned();
        Entry { path, kind: EntryKind::File { digest, mode, size: bytes.len() as u64, seen: Seen::default() } }
    });
    let mut listing: Listing = files.collect();
    listing.sort_by(|a, b| a.path.cmp(&b.path));
    listing
}

#[test]
fn large_folders_and_deep_ones_are_listed_as_they_are() {
    let (_folder, root) = workspace();
    fs::create_dir_all(root.join("wide")).unwrap();
    for index in 0..2000 {
        fs::write(root.join(format!("wide/{index}")), index.to_string()).unwrap();
    }
    let deep = "d/".repeat(60);
    fs::create_dir_all(root.join("deep").join(&deep)).unwrap();
    for depth in 0..60 {
        fs::write(root.join("deep").join(&deep[..depth * 2]).join("f"), vec![7; depth * 40_000]).unwrap();
    }
    let wants =
        [want("wide", &[], true), want("deep", &[], true), want("deep/d/d", &[], true), want("wide/7", &[], true)];
    let tree = read_tree(&root, &wants, &Memory::default()).unwrap();
    for want in &wants[..3] {
        assert_eq!(tree.listing(&want.path, &[]), slowly(&root, want.path.as_str()), "{}", want.path);
    }
    assert_eq!(tree.listing(Utf8Path::new("wide/7"), &[]).len(), 1);
}

#[test]
fn exclusions_are_paths_below_what_is_wanted() {
    let (_folder, root) = workspace();
    for path in ["c/a", "c/s/a", "c/s/b", "c/t/s/a"] {
        fs::create_dir_all(root.join(path).parent().unwrap()).unwrap();
        fs::write(root.join(path), "").unwrap();
    }
    let check = |exclude: &[&str], expect: &[&str]| {
        let want = want("c", exclude, true);
        let tree = read_tree(&root, std::slice::from_ref(&want), &Memory::default()).unwrap();
        let paths: Vec<&str> =
            tree.listing(&want.path, &want.exclude).iter().map(|entry| entry.path.as_str()).collect();
        assert_eq!(paths, expect, "{exclude:?}");
    };
    check(&[], &["a", "s/a", "s/b", "t/s/a"]);
    check(&["a"], &["s/a", "s/b", "t/s/a"]);
    check(&["s/a"], &["a", "s/b", "t/s/a"]);
    check(&["s"], &["a", "t/s/a"]);
    check(&["t/s", "x/a"], &["a", "s/a", "s/b"]);
}

#[test]
fn what_need_not_be_there_is_left_out() {
    let (_folder, root) = workspace();
    fs::write(root.join("a"), "").unwrap();
    let memory = Memory::default();
    let tree = read_tree(&root, &[want("a", &[], false), want("b", &[], false)], &memory).unwrap();
    assert!(tree.has(Utf8Path::new("a"), &[]) && !tree.has(Utf8Path::new("b"), &[]));
    let problems = read_tree(&root, &[want("b", &[], false), want("b", &[], true)], &memory).unwrap_err();
    assert_eq!(problems.len(), 1);
}

#[cfg(unix)]
#[test]
fn what_cannot_be_read_is_named() {
    let (_folder, root) = workspace();
    fs::create_dir(root.join("c")).unwrap();
    fs::write(root.join("c/a"), "").unwrap();
    let check = |path: &str, expect: &str| {
        let problems = read_tree(&root, &[want(path, &[], true)], &Memory::default()).unwrap_err();
        assert!(problems[0].message.contains(expect), "{problems:?}");
    };
    let _socket = std::os::unix::net::UnixListener::bind(root.join("c/socket")).unwrap();
    check("c", "cannot read c/socket: it is neither a file nor a folder nor a link");
    check("c/socket", "cannot read c/socket: it is neither a file nor a folder nor a link");
    fs::remove_file(root.join("c/socket")).unwrap();
    std::os::unix::fs::symlink("../x", root.join("c/link")).unwrap();
    check("c", "the link c/link points to ../x, which is not in c");
}
