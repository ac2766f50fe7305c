//! Files of an image.

use super::*;

#[test]
fn files_are_taken_out() {
    let place = place();
    let capability = ("SCHILY.xattr.security.capability".to_owned(), b"\x01\0\n\x02".to_vec());
    let overlay = ("SCHILY.xattr.trusted.overlay.origin".to_owned(), b"x".to_vec());
    let lower = tar(&[
        Entry { mode: 0o750, owner: (5, 6), ..Entry::folder("opt/app") },
        Entry { mode: 0o4755, owner: (7, 8), pax: vec![capability, overlay], ..Entry::file("opt/app/a", "first") },
        Entry::file("opt/app/b", "old"),
        Entry::link("opt/app/link", "/elsewhere"),
        Entry { mode: 0o4755, owner: (7, 8), ..Entry::hard_link("opt/app/z", "opt/app/a") },
        Entry::link("app", "opt/app"),
        Entry { kind: b'3', ..Entry::file("dev/null", "") },
    ]);
    let upper = tar(&[Entry::file("opt/app/b", "new"), Entry::link("opt/app/sub/up", "..")]);
    let sample = compressed(&of_layers("linux/amd64", [lower, upper]), Compression::Zstd);
    place.write("layout", &one(&sample));
    let base = place.open("oci:layout").unwrap();
    let shown = |from: &str| {
        let entries = base.extract(&"oci:layout", from, &place.store).map_err(|error| error.to_string())?;
        Ok::<_, String>(
            entries
                .into_iter()
                .map(|entry| {
                    let content = match &entry.kind {
                        EntryKind::Folder => "folder".to_owned(),
                        EntryKind::Link { target } => format!("-> {target}"),
                        EntryKind::File(Content::Blob { digest, size }) => {
                            let bytes = place.store.read(digest, 100).unwrap().unwrap();
                            assert_eq!(bytes.len() as u64, *size);
                            String::from_utf8(bytes).unwrap()
                        }
                        EntryKind::File(other) => format!("{other:?}"),
                    };
                    let xattrs: Vec<&str> = entry.xattrs.keys().map(String::as_str).collect();
                    format!(
                        "{:?} {:o} {}:{} {content} {}",
                        entry.path,
                        entry.mode,
                        entry.uid,
                        entry.gid,
                        xattrs.join(",")
                    )
                    .trim_end()
                    .to_owned()
                })
                .collect::<Vec<_>>(),
        )
    };
    let folder = [
        r#""" 755 0:0 folder"#,
        r#""a" 4755 7:8 first security.capability"#,
        r#""b" 644 0:0 new"#,
        r#""link" 777 0:0 -> /elsewhere"#,
        r#""sub" 755 0:0 folder"#,
        r#""sub/up" 777 0:0 -> .."#,
        r#""z" 4755 7:8 first security.capability"#,
    ];
    assert_eq!(shown("/opt/app").unwrap(), folder);
    assert_eq!(shown("/app").unwrap(), folder);
    assert_eq!(shown("/app/../app/b").unwrap(), [r#""" 644 0:0 new"#]);
    assert!(shown("/none").unwrap_err().contains("/none: it is not in the image\nhint: "));
    assert!(shown("/opt/app/link").unwrap_err().contains("it is not in the image\nhint: "));
    assert!(shown("/dev").unwrap_err().contains(r#""null" is a device or a pipe"#));
    let bytes = base.extract(&"oci:layout", "/app", &place.store).unwrap()[1].xattrs["security.capability"].clone();
    assert_eq!(bytes, b"\x01\0\n\x02");
}

/// Few bytes can hold many files in a deep folder, whose paths in full are long.
#[test]
fn long_paths_are_bounded() {
    let deep = vec!["d".repeat(250); 15].join("/");
    let mut entries = vec![Entry::folder(&deep), Entry::link("deep", &deep)];
    entries.extend((0..72_000).map(|number| Entry::folder(&format!("deep/{number}"))));
    let place = place();
    place.write("layout", &one(&compressed(&of_layers("linux/amd64", [tar(&entries)]), Compression::Zstd)));
    let base = place.open("oci:layout").unwrap();
    let error = base.extract(&"oci:layout", "/", &place.store).unwrap_err();
    assert_eq!(error.class(), ErrorClass::Work);
    let text = error.to_string();
    assert!(text.contains("bytes; at most 268435456 are taken out\nhint: "), "{text}");
    assert_eq!(base.extract(&"oci:layout", "/deep", &place.store).unwrap().len(), 72_001);
}

/// What was taken out once needs its layers no more, as long as the bytes of the files are there.
#[test]
fn files_are_taken_out_once() {
    let place = place();
    let capability = ("SCHILY.xattr.security.capability".to_owned(), b"\0\xff".to_vec());
    let layer = tar(&[
        Entry { owner: (1, 2), pax: vec![capability], ..Entry::file("app/a", "content") },
        Entry::link("app/b", "a"),
        Entry::folder("app/c"),
    ]);
    let sample = compressed(&of_layers("linux/amd64", [layer]), Compression::Gzip);
    place.write("layout", &one(&sample));
    let base = place.open("oci:layout").unwrap();
    let extract = |from: &str| base.extract(&"oci:layout", from, &place.store);
    let first = extract("/app").unwrap();
    let layer = place.store.path(&sample.image.layers[0].digest);
    let bytes = std::fs::read(&layer).unwrap();
    std::fs::remove_file(&layer).unwrap();
    assert_eq!(extract("/app").unwrap(), first);
    assert!(extract("/app/a").is_err(), "another path is another record");
    // a lost file, and a damaged record, are made anew from the layer
    place.store.put(&bytes).unwrap();
    let EntryKind::File(Content::Blob { digest, size }) = &first[1].kind else { panic!("{first:?}") };
    std::fs::remove_file(place.store.path(digest)).unwrap();
    assert_eq!(extract("/app").unwrap(), first);
    assert!(place.store.has(digest, *size));
    let records = place.root.join("cache/records/extracts");
    for record in records.read_dir_utf8().unwrap() {
        std::fs::write(record.unwrap().path(), "damaged").unwrap();
    }
    assert_eq!(extract("/app").unwrap(), first);
}

#[test]
fn files_are_looked_at_from_the_top() {
    let path = "/.groupage/manifest.json";
    let check = |layers: &[&[Entry]], expect: Option<&str>| {
        let place = place();
        let sample = compressed(&of_layers("linux/amd64", layers.iter().map(|layer| tar(layer))), Compression::Gzip);
        place.write("layout", &one(&sample));
        let file = "oci:layout".parse::<ImageSource>().unwrap();
        let looked = looked(file.file().unwrap(), &place.root, path, 10).unwrap();
        assert_eq!(looked.len(), 1);
        assert_eq!(looked[0].found.as_deref(), expect.map(str::as_bytes), "{layers:?}");
        let kept = place.root.join("cache/blobs/sha256").read_dir_utf8().unwrap().count();
        assert_eq!(kept, 0, "looking keeps nothing");
    };
    let file = |text: &str| Entry::file(".groupage/manifest.json", text);
    check(&[], None);
    check(&[&[file("a")]], Some("a"));
    check(&[&[file("a")], &[file("b")], &[Entry::file("x", "")]], Some("b"));
    check(&[&[file("a")], &[Entry::file(".groupage/.wh.manifest.json", "")]], None);
    check(&[&[file("a")], &[Entry::file(".wh..groupage", "")]], None);
    check(&[&[file("a")], &[Entry::file(".groupage/.wh..wh..opq", "")]], None);
    check(&[&[file("a")], &[Entry::file(".groupage/.wh..wh..opq", ""), file("b")]], Some("b"));
    check(&[&[file("a")], &[Entry::link(".groupage", "x")]], None);
    check(&[&[file("a")], &[Entry::folder(".groupage")]], Some("a"));
    check(&[&[file("a")], &[Entry::file("groupage/.wh.manifest.json", "")]], Some("a"));
}
