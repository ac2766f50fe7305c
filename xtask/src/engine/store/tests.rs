//! Blobs appear whole, damage shows, and use is remembered.

use super::*;

fn store() -> (tempfile::TempDir, Store) {
    let folder = tempfile::tempdir().unwrap();
    let store = Store::open(Utf8Path::from_path(folder.path()).unwrap()).unwrap();
    (folder, store)
}

#[test]
fn a_blob_appears_when_it_is_whole() {
    let (_folder, store) = store();
    let digest = Digest::of(b"abc");
    let mut writer = store.writer().unwrap();
    writer.write_all(b"abc").unwrap();
    assert!(!store.has(&digest, 3));
    assert_eq!(writer.commit(Some((&digest, 3))).unwrap(), (digest.clone(), 3));
    assert!(store.has(&digest, 3) && !store.has(&digest, 4));
    assert_eq!(store.read(&digest, 10).unwrap().as_deref(), Some(b"abc".as_slice()));
}

#[test]
fn what_was_not_announced_is_not_kept() {
    let (_folder, store) = store();
    let wanted = Digest::of(b"abc");
    let mut writer = store.writer().unwrap();
    writer.write_all(b"abd").unwrap();
    assert!(matches!(writer.commit(Some((&wanted, 3))), Err(CommitError::Mismatch { .. })));
    assert!(!store.has(&wanted, 3));
    assert_eq!(store.root.join("tmp").read_dir_utf8().unwrap().count(), 0);
}

#[test]
fn a_blob_that_was_damaged_is_not_served() {
    let (_folder, store) = store();
    let digest = store.put(b"abc").unwrap();
    for damaged in [b"ab".as_slice(), b"abd"] {
        let path = store.path(&digest);
        std::fs::remove_file(&path).unwrap();
        std::fs::write(&path, damaged).unwrap();
        assert!(!store.has(&digest, 3));
    }
    assert_eq!(store.read(&digest, 10).unwrap(), None);
    store.put(b"abc").unwrap();
    assert!(store.has(&digest, 3));
}

#[test]
fn leftovers_go_when_nobody_else_is_there() {
    let (folder, store) = store();
    let left = store.root.join("tmp/blob-left");
    std::fs::write(&left, b"x").unwrap();
    let root = Utf8Path::from_path(folder.path()).unwrap();
    let second = Store::open(root).unwrap();
    assert!(left.exists(), "another run may be writing it");
    drop((store, second));
    Store::open(root).unwrap();
    assert!(!left.exists());
}

/// A store with blobs of ten bytes each, in this order of age, and the folder that holds it.
fn aged(names: &[&str]) -> (tempfile::TempDir, Utf8PathBuf, Vec<Digest>) {
    let folder = tempfile::tempdir().unwrap();
    let top = Utf8Path::from_path(folder.path()).unwrap().to_owned();
    let store = Store::open(&top.join("cache")).unwrap();
    let put = |name: &&str| {
        let digest = store.put(format!("{name:>10}").as_bytes()).unwrap();
        tick(&top);
        digest
    };
    let digests = names.iter().map(put).collect();
    std::fs::remove_file(top.join("tick")).unwrap();
    (folder, top, digests)
}

/// Waits until the clock of the file system has gone on.
fn tick(folder: &Utf8Path) {
    let touch = || {
        std::fs::write(folder.join("tick"), "").unwrap();
        holdings::changed_at(&folder.join("tick").metadata().unwrap()).unwrap()
    };
    let begin = touch();
    while touch() == begin {}
}

fn prune(top: &Utf8Path, keep: u64) -> prune::Pruned {
    prune::prune(top, prune::Wanted { keep, layouts: false, dry_run: false }, || panic!("nobody is there")).unwrap()
}

#[test]
fn what_was_used_last_stays() {
    let (_folder, top, digests) = aged(&["a", "b", "c"]);
    let mut store = Store::open(&top.join("cache")).unwrap();
    // a run that begins long after the blobs were made
    store.began += 2 * GRAIN;
    assert!(store.has(&digests[0], 10));
    tick(&top);
    std::fs::remove_file(top.join("tick")).unwrap();
    assert!(store.read(&digests[1], 10).unwrap().is_some());
    drop(store);
    let pruned = prune(&top, 20);
    assert_eq!((pruned.before, pruned.after), (30, 20));
    let store = Store::open(&top.join("cache")).unwrap();
    assert_eq!(digests.iter().map(|digest| store.has(digest, 10)).collect::<Vec<_>>(), [true, true, false]);
    drop(store);
    // the first was used before the second
    prune(&top, 19);
    let store = Store::open(&top.join("cache")).unwrap();
    assert_eq!(digests.iter().map(|digest| store.has(digest, 10)).collect::<Vec<_>>(), [false, true, false]);
}

#[test]
fn a_use_within_the_grain_writes_nothing() {
    let (_folder, top, digests) = aged(&["a"]);
    let store = Store::open(&top.join("cache")).unwrap();
    let used = || holdings::changed_at(&store.path(&digests[0]).metadata().unwrap());
    let before = used();
    tick(&top);
    assert!(store.has(&digests[0], 10));
    assert_eq!(used(), before);
}

#[test]
fn what_a_layout_needs_stays() {
    let (_folder, top, digests) = aged(&["a", "b"]);
    let layout = top.join("oci/app/blobs/sha256");
    fs_err::create_dir_all(&layout).unwrap();
    fs_err::hard_link(top.join("cache/blobs/sha256").join(digests[0].hex()), layout.join(digests[0].hex())).unwrap();
    fs_err::write(top.join("oci/app/index.json"), "{}").unwrap();
    let found = holdings::holdings(&top).unwrap();
    let layout = found.iter().find(|holding| holding.part == holdings::Part::Layouts).unwrap();
    assert_eq!((layout.bytes, layout.shared), (2, 10), "the blob counts once");
    assert_eq!(prune(&top, 0).after, 12);
    let store = Store::open(&top.join("cache")).unwrap();
    assert!(store.has(&digests[0], 10) && !store.has(&digests[1], 10));
    drop(store);
    let all = prune::Wanted { keep: 0, layouts: true, dry_run: false };
    assert_eq!(prune::prune(&top, all, || panic!("nobody is there")).unwrap().after, 0);
    assert!(!top.join("oci/app").exists());
}

#[test]
fn a_build_is_waited_for() {
    let (_folder, top, digests) = aged(&["a"]);
    let store = Store::open(&top.join("cache")).unwrap();
    let (waits, told) = std::sync::mpsc::channel();
    std::thread::scope(|scope| {
        let wanted = prune::Wanted { keep: 0, layouts: false, dry_run: false };
        let top = &top;
        let thread = scope.spawn(move || prune::prune(top, wanted, || waits.send(()).unwrap()).unwrap());
        told.recv().unwrap();
        assert!(store.has(&digests[0], 10), "nothing goes while the build is there");
        drop(store);
        assert_eq!(thread.join().unwrap().after, 0);
    });
}

#[test]
fn a_dry_run_removes_nothing_and_waits_for_nobody() {
    let (_folder, top, digests) = aged(&["a", "b"]);
    let store = Store::open(&top.join("cache")).unwrap();
    let wanted = prune::Wanted { keep: 10, layouts: false, dry_run: true };
    let pruned = prune::prune(&top, wanted, || panic!("it does not wait")).unwrap();
    assert_eq!((pruned.removed.len(), pruned.removed[0].name(), pruned.after), (1, digests[0].hex(), 10));
    assert!(digests.iter().all(|digest| store.has(digest, 10)));
}

#[test]
fn records_go_with_their_blobs() {
    let (_folder, top, digests) = aged(&["a", "b"]);
    let store = Store::open(&top.join("cache")).unwrap();
    for (key, digest) in [("1", &digests[0]), ("2", &digests[1])] {
        let record = serde_json::json!({ "diff_id": digest.to_string(), "size": 10 }).to_string();
        store.set_record("layers", key, record.as_bytes()).unwrap();
    }
    store.set_record("gzip", digests[1].hex(), b"damaged").unwrap();
    let bytes: u64 = holdings::holdings(&top).unwrap().iter().map(|holding| holding.bytes).sum();
    let parts = |part| holdings::holdings(&top).unwrap().iter().filter(|holding| holding.part == part).count();
    assert_eq!(parts(holdings::Part::MadeLayers), 2);
    drop(store);
    prune(&top, bytes - 1);
    let store = Store::open(&top.join("cache")).unwrap();
    let left = ["1", "2"].map(|key| store.record("layers", key).is_some());
    assert_eq!(left, [false, true]);
    assert_eq!(store.record("gzip", digests[1].hex()), None);
}

#[test]
fn what_a_killed_prune_left_goes() {
    let (_folder, top, _) = aged(&["a"]);
    fs_err::create_dir_all(top.join("cache/tmp/pruned-x/it/deep")).unwrap();
    Store::open(&top.join("cache")).unwrap();
    assert_eq!(top.join("cache/tmp").read_dir_utf8().unwrap().count(), 0);
}

#[test]
fn bytes_are_free_when_the_last_name_is_gone() {
    let (_folder, top, _) = aged(&["a"]);
    for folder in ["programs/one", "programs/two", "cargo/release"] {
        fs_err::create_dir_all(top.join(folder)).unwrap();
    }
    for (path, size) in [("programs/one/own", 5), ("cargo/release/program", 100), ("cargo/release/other", 50)] {
        fs_err::write(top.join(path), vec![0; size]).unwrap();
    }
    fs_err::hard_link(top.join("cargo/release/program"), top.join("programs/two/program")).unwrap();
    fs_err::hard_link(top.join("cargo/release/program"), top.join("cargo/release/again")).unwrap();
    // the blob and the program of its own are enough; another name of what cargo has would free nothing
    assert_eq!(prune(&top, 150).after, 150);
    assert!(!top.join("programs/one").exists() && top.join("programs/two").exists());
    // without the target folder the other name is what holds the bytes
    assert_eq!(prune(&top, 100).after, 100);
    assert!(!top.join("cargo").exists() && top.join("programs/two").exists());
    assert_eq!(prune(&top, 99).after, 0);
    let bytes: u64 = holdings::holdings(&top).unwrap().iter().map(|holding| holding.bytes).sum();
    assert_eq!(bytes, 0);
}

#[test]
fn the_newest_facts_of_a_kind_stay() {
    let (_folder, store) = store();
    for (key, seconds) in [("a", 3), ("b", 1), ("c", 2)] {
        store.set_record("kind", key, b"x").unwrap();
        filetime::set_file_mtime(store.record_path("kind", key), FileTime::from_unix_time(seconds, 0)).unwrap();
    }
    store.keep_newest("kind", 3).unwrap();
    store.keep_newest("none", 0).unwrap();
    assert!(store.record("kind", "b").is_some());
    store.keep_newest("kind", 1).unwrap();
    let left: Vec<&str> = ["a", "b", "c"].into_iter().filter(|key| store.record("kind", key).is_some()).collect();
    assert_eq!(left, ["a"]);
}
