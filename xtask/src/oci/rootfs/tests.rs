//! Layers as lists of entries, and the trees that they give.

use super::super::sample::{Entry, tar};
use super::super::tar_reader::TarReader;
use super::*;

/// An entry in a line: `d name`, `f name`, `l name -> target`, `h name -> target`, `p name` (a pipe), each perhaps with a mode
/// and an owner behind the name, as in `f a 4755 1:2`.
fn entry(line: &str) -> Entry {
    let (kind, rest) = line.split_once(' ').unwrap();
    let (rest, target) = rest.split_once(" -> ").unwrap_or((rest, ""));
    let mut words = rest.split(' ');
    let name = words.next().unwrap();
    let mut entry = match kind {
        "d" => Entry::folder(name),
        "f" => Entry::file(name, "content"),
        "l" => Entry::link(name, target),
        "h" => Entry::hard_link(name, target),
        _ => Entry { kind: b'6', ..Entry::file(name, "") },
    };
    entry.mode = words.next().map_or(entry.mode, |mode| u32::from_str_radix(mode, 8).unwrap());
    if let Some((uid, gid)) = words.next().and_then(|owner| owner.split_once(':')) {
        entry.owner = (uid.parse().unwrap(), gid.parse().unwrap());
    }
    entry
}

fn listing(entries: &[&str]) -> Result<Listing, LayerError> {
    let tar = tar(&entries.iter().map(|line| entry(line)).collect::<Vec<_>>());
    let listing = Listing::read(&mut TarReader::new(tar.as_slice()))?;
    assert_eq!(Listing::decode(&listing.encode()), Some(listing.clone()), "it reads what it wrote");
    Ok(listing)
}

fn tree(layers: &[&[&str]]) -> Result<Rootfs, LayerError> {
    let listings = layers.iter().map(|layer| listing(layer)).collect::<Result<Vec<_>, _>>()?;
    Rootfs::of(&listings).map_err(|(_, error)| error)
}

fn shown((path, node): (String, Node<'_>)) -> String {
    let own = |own: Attributes| match (own.mode, own.uid, own.gid) {
        (0o755 | 0o644 | 0o777, 0, 0) => String::new(),
        (mode, uid, gid) => format!(" {mode:o} {uid}:{gid}"),
    };
    match node {
        Node::Folder(a) => format!("d {path}{}", own(a)),
        Node::File(a, _) => format!("f {path}{}", own(a)),
        Node::Link(a, target) => format!("l {path}{} -> {target}", own(a)),
        Node::Special(a) => format!("p {path}{}", own(a)),
    }
}

/// Layers give a tree; a wrong one is refused with words.
fn check(layers: &[&[&str]], expect: Result<&[&str], &str>) {
    match (tree(layers), expect) {
        (Ok(tree), Ok(expect)) => {
            let actual: Vec<String> = tree.below("").into_iter().map(shown).collect();
            assert_eq!(actual, expect, "{layers:?}");
        }
        (Err(error), Err(expect)) => assert!(error.to_string().contains(expect), "{layers:?}: {error}"),
        (actual, _) => panic!("{layers:?}: {actual:?}"),
    }
}

#[test]
fn entries_make_a_tree() {
    check(&[], Ok(&[]));
    check(&[&["d ./", "d ./etc/", "f ./etc/x 4755 1:2"]], Ok(&["d etc", "f etc/x 4755 1:2"]));
    check(&[&["f /a//b/./c/../x"]], Ok(&["d a", "d a/b", "f a/b/x"]));
    check(&[&["p dev/fifo 600", "l a -> b", "h c -> a"]], Ok(&["l a -> b", "l c -> b", "d dev", "p dev/fifo 600 0:0"]));
    check(&[&["f a 600", "h b/c 600 -> ./a"]], Ok(&["f a 600 0:0", "d b", "f b/c 600 0:0"]));
    check(&[&["f a 600 1:1", "h b 755 2:2 -> a"]], Ok(&["f a 755 2:2", "f b 755 2:2"]));
    check(&[&["d a"], &["f a/x"], &["d a 700 5:5"]], Ok(&["d a 700 5:5", "f a/x"]));
    check(&[&["d a-", "f a/x", "f a.b"]], Ok(&["d a", "d a-", "f a.b", "f a/x"]));
}

#[test]
fn later_entries_replace_earlier_ones() {
    check(&[&["f a/x"], &["f a"]], Ok(&["f a"]));
    check(&[&["f a"], &["d a"]], Ok(&["d a"]));
    check(&[&["l a -> b", "f b/x"], &["d a"]], Ok(&["d a", "d b", "f b/x"]));
    check(&[&["l a -> b", "f b"], &["f a 600"]], Ok(&["f a 600 0:0", "f b"]));
    check(&[&["f a"], &["l a -> b"], &["h c -> a"]], Ok(&["l a -> b", "l c -> b"]));
    check(&[&["f a"], &["h a -> a"]], Ok(&["f a"]));
}

#[test]
fn names_go_through_links() {
    let usr: &[&str] = &["d usr/bin", "l bin -> usr/bin", "l sbin -> /bin"];
    check(&[usr, &["f bin/x"]], Ok(&["l bin -> usr/bin", "l sbin -> /bin", "d usr", "d usr/bin", "f usr/bin/x"]));
    check(&[usr, &["f sbin/x"]], Ok(&["l bin -> usr/bin", "l sbin -> /bin", "d usr", "d usr/bin", "f usr/bin/x"]));
    check(&[&["l a -> ../../b/c", "f a/x"]], Ok(&["l a -> ../../b/c", "d b", "d b/c", "f b/c/x"]));
    check(&[&["l a -> /etc", "f a/../x"]], Ok(&["l a -> /etc", "f x"]));
    check(&[&["f a", "l b -> a", "h c -> b/../a"]], Ok(&["f a", "l b -> a", "f c"]));
    check(&[&["l a -> b", "l b -> a", "f a/x"]], Err("links in a circle"));
    check(&[&["l a -> a/a", "f a/x"]], Err("links in a circle"));
    check(&[&["f a", "f a/x"]], Err("is below a file"));
    check(&[&["l a -> b", "f b", "f a/x"]], Err("is below a file"));
}

#[test]
fn whiteouts_hide_what_layers_below_gave() {
    let below: &[&str] = &["f a/x", "f a/y/z", "f b"];
    check(&[below, &["f a/.wh.x"]], Ok(&["d a", "d a/y", "f a/y/z", "f b"]));
    check(&[below, &["f .wh.a"]], Ok(&["f b"]));
    check(&[below, &["f .wh.a", "f a/new"]], Ok(&["d a", "f a/new", "f b"]));
    check(&[below, &["f a/new", "f .wh.a"]], Ok(&["d a", "f a/new", "f b"]));
    check(&[below, &["d a 700", "f a/.wh..wh..opq", "f a/new"]], Ok(&["d a 700 0:0", "f a/new", "f b"]));
    check(&[below, &["f a/new", "f a/.wh..wh..opq"]], Ok(&["d a", "f a/new", "f b"]));
    check(&[below, &["f a/y/new", "f a/.wh..wh..opq"]], Ok(&["d a", "d a/y", "f a/y/new", "f b"]));
    check(&[below, &["f .wh..wh..opq"]], Ok(&[]));
    check(&[below, &["f b 600", "f .wh.b"]], Ok(&["d a", "f a/x", "d a/y", "f a/y/z", "f b 600 0:0"]));
    check(
        &[below, &["f .wh.none", "f none/.wh.x", "f none/.wh..wh..opq"]],
        Ok(&["d a", "f a/x", "d a/y", "f a/y/z", "f b"]),
    );
    check(&[below, &["f .wh..wh.aufs", "d .wh..wh.plnk", "f .wh..wh.plnk/1.2", "f .wh.a"]], Ok(&["f b"]));
    check(&[&["l l -> a", "f a/x"], &["f l/.wh.x"]], Ok(&["d a", "l l -> a"]));
    check(&[&["l l -> a", "f a/x"], &["f .wh.l"]], Ok(&["d a", "f a/x"]));
    for name in [".wh.", ".wh..", ".wh...", "a/.wh..", "a/.wh..."] {
        check(&[&[&format!("f {name}")]], Err("is a whiteout of nothing"));
    }
}

#[test]
fn what_leaves_the_image_is_refused() {
    for name in ["../x", "/../x", "a/../../x", "a/./../..", "../../../../../../../../../etc/passwd"] {
        check(&[&[&format!("f {name}")]], Err("leads out of the image"));
        check(&[&[&format!("d {name}")]], Err("leads out of the image"));
        check(&[&["f a", &format!("h b -> {name}")]], Err("a path that no image has"));
    }
    check(&[&["h b -> a"]], Err("is not there"));
    check(&[&["d a", "h b -> a"]], Err("is not there"));
    check(&[&["h a -> a"]], Err("is not there"));
    check(&[&["l a -> a", "h b -> a/x"]], Err("is not there"));
    check(&[&["f ./"]], Err("the root"));
    check(&[&["l . -> a"]], Err("the root"));
    check(&[&["l a"]], Err("a link to nothing"));
    check(&[&[&format!("f {}", "a".repeat(256))]], Err("too long"));
    check(&[&[&format!("f {}", "a/".repeat(2100))]], Err("too long"));
    check(
        &[&[&format!("d {}", "a/".repeat(2000))]],
        Ok(&(0..2000)
            .map(|n| format!("d a{}", "/a".repeat(n)))
            .collect::<Vec<_>>()
            .iter()
            .map(String::as_str)
            .collect::<Vec<_>>()),
    );
    let owner = Entry { pax: vec![("uid".to_owned(), b"4294967296".to_vec())], ..Entry::file("a", "") };
    let tar = tar(&[owner]);
    assert!(Listing::read(&mut TarReader::new(tar.as_slice())).unwrap_err().to_string().contains("32-bit"));
}

/// Paths of a base, and where they lead.
#[test]
fn paths_are_resolved_inside_the_root() {
    let tree = tree(&[&[
        "d usr/bin",
        "l bin -> usr/bin",
        "l lib -> /usr/lib",
        "f etc/passwd",
        "l up -> ../../../..",
        "l out -> /../etc",
        "l loop -> loop",
        "l a -> b",
        "l b -> a",
        "l dangling -> no/where",
        "l usr/local -> ../opt/./x/..",
        "d opt",
    ]])
    .unwrap();
    let check = |path: &str, expect: Result<&str, ResolveError>| {
        assert_eq!(tree.resolve(path), expect.map(str::to_owned), "{path}");
    };
    check("/", Ok(""));
    check("", Ok(""));
    check("/bin/x", Ok("usr/bin/x"));
    check("bin/../x", Ok("usr/x"));
    check("/bin", Ok("usr/bin"));
    check("/lib/x", Ok("usr/lib/x"));
    check("/up/up/bin", Ok("usr/bin"));
    check("/out/passwd", Ok("etc/passwd"));
    check("/dangling/x", Ok("no/where/x"));
    check("/usr/local/x", Ok("opt/x"));
    check("/new/folder/../x", Ok("new/x"));
    check("/../../etc", Ok("etc"));
    check("/loop", Err(ResolveError::Loop("loop".to_owned())));
    check("/a/x", Err(ResolveError::Loop("a/x".to_owned())));
    check("/etc/passwd/x", Err(ResolveError::NotAFolder("etc/passwd".to_owned())));
    assert!(matches!(tree.get("/bin"), Some(Node::Link(_, "usr/bin"))));
    assert!(matches!(tree.get("/bin/"), Some(Node::Link(..))));
    assert!(matches!(tree.get("/out/passwd"), Some(Node::File(..))));
    assert!(matches!(tree.get("/bin/."), Some(Node::Link(..))));
    assert_eq!(tree.get("/bin/none"), None);
}

/// Forty links that each lead through another twice would be 2^40 steps.
#[test]
fn links_through_links_end() {
    let mut entries: Vec<String> = (0..60).map(|n| format!("l l{n} -> l{}/l{}", n + 1, n + 1)).collect();
    entries.push("l l60 -> .".to_owned());
    let tree = tree(&[&entries.iter().map(String::as_str).collect::<Vec<_>>()]).unwrap();
    assert_eq!(tree.resolve("/l0"), Err(ResolveError::Loop("l0".to_owned())));
}

#[test]
fn files_know_the_entry_that_has_their_bytes() {
    let tree = tree(&[&["d a", "f a/x", "f a/y"], &["h b -> a/y", "f a/x"]]).unwrap();
    let check = |path: &str, layer: u16, entry: u32| match tree.get(path) {
        Some(Node::File(_, source)) => assert_eq!(source, Source { layer, entry: Some(entry) }, "{path}"),
        other => panic!("{path}: {other:?}"),
    };
    check("a/x", 1, 1);
    check("a/y", 0, 2);
    check("b", 0, 2);
}

#[test]
fn records_that_are_damaged_are_not_read() {
    let bytes = listing(&["d a", "f a/x", "l l -> a", "h h -> a/x"]).unwrap().encode();
    for length in 0..bytes.len() {
        assert_eq!(Listing::decode(&bytes[..length]), None, "{length}");
    }
    assert_eq!(Listing::decode(&[&bytes[..], b"x"].concat()), None);
}

#[test]
fn paths_are_counted_before_they_are_made() {
    let tree = tree(&[&["f a/b/c", "d a/d", "l up -> a"]]).unwrap();
    let check = |path: &str, expect| {
        assert_eq!(tree.bytes_below(path), expect, "{path}");
        let made: usize = tree.below(path).iter().map(|(path, _)| path.len()).sum();
        assert_eq!(made as u64, expect, "{path}");
    };
    check("", "a a/b a/b/c a/d up".replace(' ', "").len() as u64);
    check("/a", "b b/c d".replace(' ', "").len() as u64);
    check("/up", 5);
    check("/none", 0);
    check("/a/b/c", 0);
}
