//! Tars of every form, whole and broken.

use super::super::sample::{Entry, record, tar};
use super::*;

fn names(bytes: &[u8]) -> Result<Vec<String>, String> {
    let mut reader = TarReader::new(bytes);
    let mut names = Vec::new();
    while let Some(entry) = reader.next_entry().map_err(|error| error.to_string())? {
        let mut content = String::new();
        (&mut reader).take(10).read_to_string(&mut content).map_err(|error| error.to_string())?;
        names.push(format!("{}={content}", String::from_utf8_lossy(&entry.name)));
    }
    Ok(names)
}

fn check(bytes: &[u8], expect: Result<&[&str], &str>) {
    match (names(bytes), expect) {
        (Ok(names), Ok(expect)) => assert_eq!(names, expect),
        (Err(error), Err(expect)) => assert!(error.contains(expect), "{error}"),
        (actual, expect) => panic!("{actual:?} is not {expect:?}"),
    }
}

fn with_header(kind: u8, content: &[u8]) -> Vec<u8> {
    let extension = Entry { kind, content: content.to_vec(), ..Entry::file("extension", "") };
    tar(&[extension, Entry::file("a", "bytes")])
}

#[test]
fn names_and_sizes() {
    check(&tar(&[Entry::file("a", "1"), Entry::file("b", &"2".repeat(600))]), Ok(&["a=1", "b=2222222222"]));
    check(&tar(&[Entry::file(&"n/".repeat(90), "x")]), Ok(&[&format!("{}=x", "n/".repeat(90))]));
    check(&with_header(b'L', b"long\0name"), Ok(&["long=bytes"]));
    check(&with_header(b'x', &record("path", b"with\nline")), Ok(&["with\nline=bytes"]));
    check(&with_header(b'x', &record("SCHILY.xattr.security.capability", b"\n\n\0=\n")), Ok(&["a=bytes"]));
    check(&with_header(b'g', &record("path", b"global")), Ok(&["a=bytes"]));
    check(&with_header(b'x', &record("size", b"3")), Ok(&["a=byt"]));
    check(&[], Ok(&[]));
    check(&[0; 512], Ok(&[]));
}

#[test]
fn what_is_no_tar_is_refused() {
    check(&[1; 512], Err("it is no tar"));
    check(b"short", Err("cut short"));
    let whole = tar(&[Entry::file("a", "bytes")]);
    check(&whole[..516], Err("cut short"));
    check(&whole[..517], Ok(&["a=bytes"]));
    for bad in [&b"x"[..], b"5 a", b"999 a=b\n", b"6 a=b", b"-6 a=b\n", b"6 abcd\n", b"1 a=b\n", b"9 uid=-1\n"] {
        check(&with_header(b'x', bad), Err("malformed"));
    }
    check(&with_header(b'?', b""), Err("unknown type"));
}

#[test]
fn headers_are_bounded() {
    for kind in [b'x', b'L', b'K'] {
        let mut bytes = with_header(kind, b"");
        bytes[124..135].copy_from_slice(b"77777777777");
        let sum: u64 = bytes[..148].iter().chain(&bytes[156..512]).map(|byte| u64::from(*byte)).sum::<u64>() + 8 * 32;
        bytes[148..155].copy_from_slice(format!("{sum:06o}\0").as_bytes());
        check(&bytes, Err("at most 1048576 are read"));
    }
    check(&with_header(b'x', &record("size", b"18446744073709551615")), Err("larger than any file"));
    // those of one entry together, and those of each entry anew
    let value = vec![b'v'; 300_000];
    let header = |kind: u8, number: usize| {
        let content = if kind == b'x' { record(&format!("SCHILY.xattr.user.{number}"), &value) } else { value.clone() };
        Entry { kind, content, ..Entry::file("extension", "") }
    };
    for kind in [b'x', b'L', b'K'] {
        let three: Vec<Entry> = (0..3).map(|number| header(kind, number)).collect();
        let mut four = three.clone();
        four.push(header(kind, 3));
        let file = [Entry { kind: b'5', ..Entry::file("a", "") }];
        let count = |entries: &[Entry]| names(&tar(entries)).map(|names| names.len());
        assert_eq!(count(&[&three[..], &file, &three, &file].concat()), Ok(2));
        let error = count(&[&four[..], &file].concat()).unwrap_err();
        assert!(error.contains("at most 1048576 are read"), "{error}");
    }
}

#[test]
fn numbers() {
    let check = |field: &[u8], expect: Option<u64>| assert_eq!(number(field).ok(), expect, "{field:?}");
    check(b"0000644\0", Some(0o644));
    check(b"    644 ", Some(0o644));
    check(b"\0\0\0\0\0\0\0\0", Some(0));
    check(b"0000648\0", None);
    check(b"\x80\0\0\0\0\0\x01\0", Some(256));
    check(b"\x80\0\0\0\0\0\0\0\0\0\x02\0", Some(512));
    check(b"\x80\0\x01\0\0\0\0\0\0\0\0\0", None);
    check(b"\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff", None);
}
