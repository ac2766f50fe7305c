//! Layers: what is in their tars, and that the same entries give the same bytes.

use super::*;

static NOT: AtomicBool = AtomicBool::new(false);

fn store() -> (tempfile::TempDir, Store) {
    let folder = tempfile::tempdir().unwrap();
    let store = Store::open(Utf8Path::from_path(folder.path()).unwrap()).unwrap();
    (folder, store)
}

fn text(bytes: &[u8]) -> Content {
    Content::Bytes(bytes.into())
}

fn entries() -> Vec<LayerEntry> {
    let long = format!("usr/{}", "d/".repeat(80));
    vec![
        LayerEntry::file("usr/bin/b", text(b"program"), 0o4755),
        LayerEntry::folder("usr"),
        LayerEntry::folder("usr/bin"),
        LayerEntry::link("a", format!("{long}b")),
        LayerEntry::file(format!("{long}x"), text(&[7; 1_000_000]), 0o644),
    ]
}

fn listed(bytes: &[u8]) -> Vec<String> {
    let mut archive = tar::Archive::new(bytes);
    let line = |entry: io::Result<tar::Entry<'_, &[u8]>>| {
        let mut entry = entry.unwrap();
        let mut content = Vec::new();
        entry.read_to_end(&mut content).unwrap();
        let path = String::from_utf8(entry.path_bytes().into_owned()).unwrap();
        let link = entry.link_name_bytes().map(|name| String::from_utf8_lossy(&name).len()).unwrap_or_default();
        let header = entry.header();
        let (mode, kind, time) = (header.mode().unwrap(), header.entry_type(), header.mtime().unwrap());
        format!("{kind:?} {mode:o} {time} {} {} {link}", path.len(), content.len())
    };
    archive.entries().unwrap().map(line).collect()
}

#[test]
fn a_layer_is_a_sorted_tar() {
    let (_folder, store) = store();
    let layer = write(&store, &entries(), 1234, Compression::None, &NOT).unwrap();
    assert_eq!(layer.digest, layer.diff_id.0);
    let bytes = std::fs::read(store.path(&layer.digest)).unwrap();
    let expect = [
        "Symlink 777 1234 1 0 165",
        "Directory 755 1234 4 0 0",
        "Directory 755 1234 8 0 0",
        "Regular 4755 1234 9 7 0",
        "Regular 644 1234 165 1000000 0",
    ];
    assert_eq!(listed(&bytes), expect);
    let mut reversed = entries();
    reversed.reverse();
    assert_eq!(write(&store, &reversed, 1234, Compression::None, &NOT).unwrap(), layer);
}

#[test]
fn compression_changes_the_digest_and_not_the_diff_id() {
    let (_folder, store) = store();
    let plain = write(&store, &entries(), 0, Compression::None, &NOT).unwrap();
    let tar = std::fs::read(store.path(&plain.digest)).unwrap();
    for compression in [Compression::Gzip, Compression::Zstd] {
        let packed = write(&store, &entries(), 0, compression, &NOT).unwrap();
        assert_eq!((&packed.diff_id, packed.compression), (&plain.diff_id, compression));
        assert_eq!(compress(&store, &plain.diff_id, compression, &NOT).unwrap(), packed, "either way");
        let stored = std::fs::read(store.path(&packed.digest)).unwrap();
        assert_eq!(packed.digest, Digest::of(&stored));
        let mut unpacked = Vec::new();
        match compression {
            Compression::Gzip => _ = flate2::read::GzDecoder::new(&*stored).read_to_end(&mut unpacked).unwrap(),
            _ => _ = zstd::stream::read::Decoder::new(&*stored).unwrap().read_to_end(&mut unpacked).unwrap(),
        }
        assert_eq!(unpacked, tar);
    }
}

#[test]
fn what_cannot_be_read_leaves_nothing() {
    let (folder, store) = store();
    let missing = LayerEntry::file("x", Content::Disk("/nonexistent/x".into()), 0o644);
    assert!(matches!(write(&store, &[missing], 0, Compression::None, &NOT), Err(LayerError::File { .. })));
    let cancelled = AtomicBool::new(true);
    let some = LayerEntry::file("x", text(b"x"), 0o644);
    assert!(matches!(write(&store, &[some], 0, Compression::Gzip, &cancelled), Err(LayerError::Cancelled)));
    for below in ["blobs/sha256", "tmp"] {
        assert_eq!(std::fs::read_dir(folder.path().join(below)).unwrap().count(), 0, "{below}");
    }
}

#[test]
fn what_is_not_what_the_plan_saw_is_refused() {
    let (folder, store) = store();
    let path = Utf8PathBuf::from_path_buf(folder.path().join("file")).unwrap();
    std::fs::write(&path, "new").unwrap();
    let entry =
        |digest| LayerEntry::file("x", Content::Hashed { path: path.clone(), digest, seen: Seen::default() }, 0o644);
    let result = write(&store, &[entry(Digest::of(b"old"))], 0, Compression::None, &NOT);
    assert!(matches!(result, Err(LayerError::File { .. })), "{result:?}");
    write(&store, &[entry(Digest::of(b"new"))], 0, Compression::None, &NOT).unwrap();
}

/// What the file system vouches for is not hashed again: here it would be found to be something else.
#[cfg(unix)]
#[test]
fn what_was_seen_is_taken_as_long_as_it_looks_the_same() {
    let (folder, store) = store();
    let root = Utf8PathBuf::from_path_buf(folder.path().canonicalize().unwrap()).unwrap();
    let path = root.join("program");
    let bytes = vec![7; 200_000];
    std::fs::write(&path, &bytes).unwrap();
    let seen = seen(&root, "program");
    let wrong = Digest::of(b"something else");
    let made = |digest: &Digest| {
        let content = Content::Hashed { path: path.clone(), digest: digest.clone(), seen: seen.clone() };
        write(&store, &[LayerEntry::file("x", content, 0o644)], 0, Compression::None, &NOT)
    };
    made(&wrong).unwrap();
    // a link to a file with the same content, in its place
    std::fs::rename(&path, root.join("other")).unwrap();
    std::fs::write(root.join("copy"), &bytes).unwrap();
    std::os::unix::fs::symlink("copy", &path).unwrap();
    assert!(matches!(made(&wrong), Err(LayerError::File { .. })), "a link slips through");
    made(&Digest::of(&bytes)).unwrap();
    // the file itself again, but changed
    std::fs::remove_file(&path).unwrap();
    std::fs::rename(root.join("other"), &path).unwrap();
    std::fs::write(&path, vec![8; 200_000]).unwrap();
    assert!(matches!(made(&Digest::of(&bytes)), Err(LayerError::File { .. })), "a change slips through");
}

/// What the file system says of a file that is old enough to be recognised.
fn seen(root: &Utf8Path, path: &str) -> Seen {
    use crate::source::{SourceFile, SourceMap, Span};
    use crate::workspace::{EntryKind, Memory, Want, read_tree};
    let place = Span::new(SourceMap::default().add(SourceFile::new("x", "")), 0..0);
    let want = Want { path: path.into(), exclude: Vec::new(), place, required: true, context: None };
    loop {
        let memory = Memory::open(root);
        let tree = read_tree(root, std::slice::from_ref(&want), &memory).unwrap();
        // it is written when the file is old enough
        if memory.save()
            && let EntryKind::File { seen, .. } = &tree.listing(&want.path, &[])[0].kind
        {
            return seen.clone();
        }
    }
}

#[test]
fn extended_attributes_travel() {
    let (_folder, store) = store();
    let mut entry = LayerEntry::file("ping", text(b"x"), 0o755);
    entry.xattrs.insert("security.capability".to_owned(), vec![1, 0, 255]);
    let layer = write(&store, &[entry], 0, Compression::None, &NOT).unwrap();
    let bytes = std::fs::read(store.path(&layer.digest)).unwrap();
    let mut archive = tar::Archive::new(&*bytes);
    let mut entry = archive.entries().unwrap().next().unwrap().unwrap();
    let records = entry.pax_extensions().unwrap().unwrap();
    let record = records.map(Result::unwrap).find(|record| record.key().unwrap().ends_with("capability")).unwrap();
    assert_eq!(record.value_bytes(), [1, 0, 255]);
}
