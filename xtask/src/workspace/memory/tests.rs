//! What is remembered, what is not, and what a damaged memory does: nothing.

use std::fs;

use proptest::prelude::*;

use super::super::tree::tests::place;
use super::super::{Tree, Want, read_tree};
use super::*;

/// A workspace with some files, all of them old enough to be remembered.
fn workspace() -> (tempfile::TempDir, Utf8PathBuf) {
    let folder = tempfile::tempdir().unwrap();
    let root = Utf8Path::from_path(folder.path()).unwrap().canonicalize_utf8().unwrap();
    for index in 0..40 {
        let path = root.join(format!("src/{}/{index}.txt", index % 4));
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(&path, format!("content of {index}")).unwrap();
    }
    fs::write(root.join("top.bin"), vec![7; 300_000]).unwrap();
    settle(&root, "top.bin");
    (folder, root)
}

/// Waits until a file is clearly older than now, by the clock that counts.
fn settle(root: &Utf8Path, path: &str) {
    let stat = Stat::of(&root.join(path).metadata().unwrap()).unwrap();
    let memory = Memory::open(root);
    while !memory.clock().unwrap().is_clearly_after(&stat) {}
}

fn wants() -> Vec<Want> {
    let want =
        |path: &str| Want { path: path.into(), exclude: Vec::new(), place: place(), required: true, context: None };
    vec![want("src"), want("top.bin"), want("src/1")]
}

fn tree(root: &Utf8Path, memory: &Memory) -> Tree {
    read_tree(root, &wants(), memory).unwrap()
}

/// The tree of a new run, and how many files it hashed.
fn run(root: &Utf8Path) -> (Tree, usize) {
    let memory = Memory::open(root);
    let tree = tree(root, &memory);
    let hashed = memory.fresh.lock().unwrap().folders.values().map(BTreeMap::len).sum();
    memory.save();
    (tree, hashed)
}

fn digest(tree: &Tree, path: &str) -> String {
    match &tree.listing(Utf8Path::new(path), &[])[0].kind {
        super::super::EntryKind::File { digest, .. } => digest.clone(),
        other => panic!("{other:?}"),
    }
}

#[test]
fn only_what_changed_is_hashed() {
    let (_folder, root) = workspace();
    let expect = tree(&root, &Memory::default());
    assert_eq!(run(&root), (expect.clone(), 41));
    assert_eq!(run(&root), (expect.clone(), 0));
    // touched, but the same
    fs::write(root.join("src/1/1.txt"), "content of 1").unwrap();
    settle(&root, "src/1/1.txt");
    assert_eq!(run(&root), (expect.clone(), 1));
    assert_eq!(run(&root), (expect.clone(), 0));
    // the same size, and the time that it had
    let path = root.join("src/2/2.txt");
    let old = filetime::FileTime::from_last_modification_time(&path.metadata().unwrap());
    fs::write(&path, "CONTENT OF 2").unwrap();
    filetime::set_file_mtime(&path, old).unwrap();
    let (changed, hashed) = run(&root);
    assert_eq!((hashed, &changed), (1, &tree(&root, &Memory::default())));
    assert_ne!(changed, expect);
}

#[test]
fn a_run_hashes_once_and_a_workspace_may_move() {
    let (folder, root) = workspace();
    let memory = Memory::open(&root);
    let first = tree(&root, &memory);
    // what is hashed is not even looked into again: here it would be missed
    let counted = |memory: &Memory| memory.fresh.lock().unwrap().is_new;
    assert!(counted(&memory) && memory.save() && !counted(&memory));
    assert_eq!(tree(&root, &memory), first);
    assert!(!counted(&memory) && !memory.save(), "nothing is new");
    let moved = root.parent().unwrap().join(format!("{}-moved", root.file_name().unwrap()));
    fs::rename(folder.path(), &moved).unwrap();
    assert_eq!(run(&moved), (first, 0));
    fs::remove_dir_all(&moved).unwrap();
}

/// Ticks are longer than two writes: without care, the hash of one content would stand for the next.
#[test]
fn a_file_that_changes_within_a_tick_is_noticed() {
    let (_folder, root) = workspace();
    for round in 0..300_u32 {
        let content = format!("{round:06}").repeat(50_000);
        fs::write(root.join("top.bin"), &content).unwrap();
        let expect = crate::oci::Digest::of(content.as_bytes()).hex().to_owned();
        assert_eq!(digest(&run(&root).0, "top.bin"), expect, "round {round}");
    }
}

#[test]
fn what_may_still_change_unseen_is_not_remembered() {
    let (_folder, root) = workspace();
    run(&root);
    let later = filetime::FileTime::from_unix_time(4_000_000_000, 0);
    filetime::set_file_mtime(root.join("top.bin"), later).unwrap();
    for _ in 0..3 {
        assert_eq!(run(&root).1, 1, "from the future");
    }
}

#[test]
fn what_is_gone_is_forgotten() {
    let (_folder, root) = workspace();
    run(&root);
    let known = |root: &Utf8Path| {
        let stored = read(&root.join(MEMORY_FOLDER)).unwrap();
        let names =
            |(path, block)| Files::of(block).map(move |file| format!("{path}/{}", str::from_utf8(file.name).unwrap()));
        stored.folders().flat_map(names).collect::<Vec<String>>()
    };
    assert_eq!(known(&root).len(), 41);
    fs::remove_dir_all(root.join("src/3")).unwrap();
    fs::remove_file(root.join("src/1/5.txt")).unwrap();
    fs::write(root.join("src/1/1.txt"), "new").unwrap();
    settle(&root, "src/1/1.txt");
    assert_eq!(run(&root).1, 1);
    let left = known(&root);
    assert_eq!(left.len(), 30, "{left:?}");
    assert!(left.iter().all(|path| path != "src/1/5.txt" && !path.starts_with("src/3/")));
    assert!(left.iter().any(|path| path == "src/1/1.txt"));
}

#[test]
fn a_folder_that_cannot_be_written_is_no_error() {
    let (_folder, root) = workspace();
    let expect = tree(&root, &Memory::default());
    fs::remove_dir_all(root.join("target")).unwrap();
    fs::write(root.join("target"), "in the way").unwrap();
    let memory = Memory::open(&root);
    assert_eq!(tree(&root, &memory), expect);
    assert!(!memory.save());
    fs::remove_file(root.join("target")).unwrap();
    fs::create_dir_all(root.join(MEMORY_FOLDER).join(FILE)).unwrap();
    assert_eq!(run(&root), (expect.clone(), 41));
    assert_eq!(run(&root), (expect, 41));
}

#[test]
fn two_runs_at_once_leave_a_whole_memory() {
    let (_folder, root) = workspace();
    let expect = tree(&root, &Memory::default());
    std::thread::scope(|scope| {
        for _ in 0..4 {
            scope.spawn(|| (0..10).for_each(|_| assert_eq!(run(&root).0, expect)));
        }
    });
    assert_eq!(run(&root), (expect, 0));
}

/// What a run does with these bytes as its memory.
fn check_damaged(root: &Utf8Path, bytes: &[u8], expect: &Tree) {
    fs::write(root.join(MEMORY_FOLDER).join(FILE), bytes).unwrap();
    let memory = Memory::open(root);
    assert_eq!(&tree(root, &memory), expect);
    assert_eq!(memory.fresh.lock().unwrap().folders.values().map(BTreeMap::len).sum::<usize>(), 41, "trusted");
}

#[test]
fn a_damaged_memory_is_as_none() {
    let (_folder, root) = workspace();
    let (expect, _) = run(&root);
    let good = fs::read(root.join(MEMORY_FOLDER).join(FILE)).unwrap();
    assert_eq!(run(&root).1, 0, "it is used when it is whole");
    for length in (0..good.len()).step_by(good.len() / 100) {
        check_damaged(&root, &good[..length], &expect);
    }
    check_damaged(&root, &[&good[..], b"more"].concat(), &expect);
    // a fixed seed: xorshift
    let mut state = 88_172_645_463_325_252_u64;
    for _ in 0..1000 {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        let bit = usize::try_from(state % (good.len() as u64 * 8)).unwrap();
        let mut bad = good.clone();
        bad[bit / 8] ^= 1 << (bit % 8);
        check_damaged(&root, &bad, &expect);
    }
}

#[test]
fn a_memory_of_another_version_is_as_none() {
    let (_folder, root) = workspace();
    let (expect, _) = run(&root);
    let mut bytes = fs::read(root.join(MEMORY_FOLDER).join(FILE)).unwrap();
    bytes[8] += 1;
    let sum = format::checksum(&bytes[..format::HEAD], &bytes[format::HEADER..]);
    bytes[format::HEAD..format::HEADER].copy_from_slice(&sum);
    check_damaged(&root, &bytes, &expect);
    // foreign content, whose checksum is right
    for body in [&b"\xff\xff\xff\xff"[..], &[0; 100]] {
        let mut bytes = format::encode([]);
        bytes.truncate(format::HEADER);
        bytes[12] = 200;
        bytes[16..24].copy_from_slice(&(body.len() as u64).to_le_bytes());
        bytes.extend(body);
        let sum = format::checksum(&bytes[..format::HEAD], &bytes[format::HEADER..]);
        bytes[format::HEAD..format::HEADER].copy_from_slice(&sum);
        check_damaged(&root, &bytes, &expect);
    }
}

proptest! {
    /// What is written is read again, whatever the names.
    #[test]
    fn what_is_encoded_is_decoded(
        folders in prop::collection::btree_map(".{0,20}", prop::collection::btree_map(".{1,20}", any::<(u64, u64, i64, u32, [u8; 32])>(), 0..5), 0..8),
    ) {
        let stat = |(inode, size, seconds, nanoseconds, _): &(u64, u64, i64, u32, Hash)| Stat {
            device: 7, inode: *inode, size: *size, modified: (*seconds, *nanoseconds), changed: (seconds.wrapping_neg(), 1),
        };
        let blocks: BTreeMap<&str, Vec<u8>> = folders
            .iter()
            .map(|(path, files)| (path.as_str(), format::block(7, files.iter().map(|(name, file)| (name.as_str(), stat(file), file.4)))))
            .collect();
        let bytes = format::encode(blocks.iter().map(|(path, block)| (*path, block.as_slice())));
        let stored = Stored::decode(bytes).unwrap();
        prop_assert_eq!(stored.folders().count(), folders.len());
        for (path, files) in &folders {
            let read: Vec<(String, Stat, Hash)> = stored
                .files(path)
                .map(|file| (String::from_utf8(file.name.to_vec()).unwrap(), file.stat(), file.hash()))
                .collect();
            let expect: Vec<(String, Stat, Hash)> =
                files.iter().map(|(name, file)| (name.clone(), stat(file), file.4)).collect();
            prop_assert_eq!(read, expect);
        }
    }
}
