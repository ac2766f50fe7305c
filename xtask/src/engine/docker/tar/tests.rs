//! What stands in the stream, read back with the same crate.

use super::*;

fn pack(context: &Context) -> Vec<u8> {
    let mut bytes = Vec::new();
    write(&mut bytes, "FROM scratch\n", context, &mut || {}).unwrap();
    bytes
}

/// One line per entry: kind, mode, size, owner, time, path, target.
fn list(bytes: &[u8]) -> Vec<String> {
    let mut archive = tar::Archive::new(bytes);
    let line = |entry: io::Result<tar::Entry<'_, &[u8]>>| {
        let entry = entry.unwrap();
        let header = entry.header();
        let kind = char::from(header.entry_type().as_byte());
        let link = entry.link_name().unwrap().map_or(String::new(), |target| format!(" -> {}", target.display()));
        let numbers = format!("{}:{} @{}", header.uid().unwrap(), header.gid().unwrap(), header.mtime().unwrap());
        let mode = header.mode().unwrap();
        format!("{kind} {mode:o} {} {numbers} {}{link}", entry.size(), entry.path().unwrap().display())
    };
    archive.entries().unwrap().map(line).collect()
}

fn check(context: &Context, expect: &[&str]) {
    assert_eq!(list(&pack(context)), expect);
}

#[test]
fn entries_are_normalised() {
    let mut context = Context::default();
    context.insert_bytes("src/main.rs", b"fn".as_slice(), 0o100_755);
    context.insert_bytes("a", b"".as_slice(), 0o600);
    context.insert("src/link", ContextEntry::Link { target: "./../a".to_owned() });
    check(
        &context,
        &[
            "0 644 13 0:0 @0 Dockerfile",
            "0 600 0 0:0 @0 a",
            "5 755 0 0:0 @0 src/",
            "2 777 0 0:0 @0 src/link -> ./../a",
            "0 755 2 0:0 @0 src/main.rs",
        ],
    );
}

#[test]
fn long_and_foreign_names_survive() {
    let long = format!("{}/{}", "d".repeat(120), "f".repeat(120));
    let target = "t".repeat(150);
    let mut context = Context::default();
    context.insert_bytes(long.as_str(), b"x".as_slice(), 0o644);
    context.insert_bytes("größe/日本 語.txt", b"x".as_slice(), 0o644);
    context.insert("l", ContextEntry::Link { target: target.clone() });
    let lines = list(&pack(&context)).join("\n");
    for expect in [long.as_str(), "größe/日本 語.txt", &format!("l -> {target}")] {
        assert!(lines.contains(expect), "{expect} is not in {lines}");
    }
}

#[test]
fn the_dockerfile_finds_a_free_name() {
    let mut context = Context::default();
    assert_eq!(dockerfile_name(&context), "Dockerfile");
    context.insert_bytes("Dockerfile", b"".as_slice(), 0o644);
    assert_eq!(dockerfile_name(&context), "Dockerfile.groupage-1");
}

#[test]
fn equal_content_gives_equal_bytes() {
    let folder = tempfile::tempdir().unwrap();
    let path = Utf8Path::from_path(folder.path()).unwrap().join("f");
    std::fs::write(&path, "abc").unwrap();
    let (mut disk, mut memory) = (Context::default(), Context::default());
    disk.insert("x/f", ContextEntry::File { bytes: Bytes::Disk(path), mode: 0o644 });
    memory.insert_bytes("x/f", b"abc".as_slice(), 0o644);
    assert_eq!(pack(&disk), pack(&memory));
}

#[test]
fn files_that_are_not_as_planned_are_errors() {
    let folder = tempfile::tempdir().unwrap();
    let root = Utf8Path::from_path(folder.path()).unwrap();
    let check = |path: Utf8PathBuf, expect: &str| {
        let mut context = Context::default();
        context.insert("f", ContextEntry::File { bytes: Bytes::Disk(path), mode: 0o644 });
        let Err(TarError::File { detail, .. }) = write(io::sink(), "", &context, &mut || {}) else {
            panic!("no error")
        };
        assert!(detail.contains(expect), "{detail}");
    };
    check(root.join("gone"), "No such file");
    check(root.to_owned(), "not a regular file");
}

#[test]
fn a_file_that_shrinks_is_noticed() {
    let mut exact = Exact { inner: b"abc".as_slice(), left: 5, trouble: None };
    assert!(io::copy(&mut exact, &mut io::sink()).is_err());
    assert!(exact.trouble.unwrap().contains("shorter"));
}

#[test]
fn a_file_that_grows_is_noticed() {
    /// Appends to the file as soon as its content arrives.
    struct Meddler(Utf8PathBuf);
    impl Write for Meddler {
        fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
            if bytes.starts_with(b"content") {
                std::fs::write(&self.0, "content and more")?;
            }
            Ok(bytes.len())
        }
        fn flush(&mut self) -> io::Result<()> {
            Ok(())
        }
    }
    let folder = tempfile::tempdir().unwrap();
    let path = Utf8Path::from_path(folder.path()).unwrap().join("f");
    std::fs::write(&path, "content").unwrap();
    let mut context = Context::default();
    context.insert("f", ContextEntry::File { bytes: Bytes::Disk(path.clone()), mode: 0o644 });
    let Err(TarError::File { detail, .. }) = write(Meddler(path), "", &context, &mut || {}) else { panic!("no error") };
    assert!(detail.contains("changed"), "{detail}");
}
