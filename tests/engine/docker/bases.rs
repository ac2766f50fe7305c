//! Bases and sources as other programs write them, and what is taken out of them, compared with what the daemon itself does.

use std::collections::BTreeMap;
use std::io::Read as _;
use std::process::Command;
use std::sync::Arc;

use camino::{Utf8Path, Utf8PathBuf};
use groupage::engine::docker::Docker;
use groupage::engine::native::base::Base;
use groupage::engine::native::entry::{Content, EntryKind};
use groupage::engine::store::Store;
use groupage::engine::{ErrorClass, Job, block_on};
use groupage::oci::sample::{Entry, tar};
use groupage::oci::{Attributes, ImageSource, Node, Platform, Rootfs};
use groupage::render::context::{Bytes, ContextEntry};

use crate::support::{Tags, build, daemon, docker, shell_image, unique};

/// A folder of its own for files, and one for a store.
struct Place {
    _folder: tempfile::TempDir,
    root: Utf8PathBuf,
    store: Store,
    platform: Platform,
}

impl Place {
    fn new(engine: &Docker) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let root = Utf8PathBuf::from_path_buf(folder.path().to_owned()).unwrap();
        let own = engine.daemon();
        let platform = format!("{}/{}", own.os, own.arch).parse().unwrap();
        Self { store: Store::open(&root.join("cache")).unwrap(), root, platform, _folder: folder }
    }

    /// A place of its own for every reading, so that nothing is known before.
    fn open(&self, source: &str) -> Base {
        let store = Store::open(&self.root.join(unique())).unwrap();
        let source: ImageSource = source.parse().unwrap();
        Base::from_file(source.file().unwrap(), &self.platform, &self.root, &store).unwrap()
    }
}

/// What a program says; it must succeed.
#[track_caller]
fn run(folder: &Utf8Path, program: &str, arguments: &[&str]) {
    let output = Command::new(program).args(arguments).current_dir(folder).output().expect("it is installed");
    assert!(output.status.success(), "{program} {arguments:?}: {}", String::from_utf8_lossy(&output.stderr));
}

/// An image with all that makes trees difficult: links to folders, files of several layers, names of a file, whiteouts, a
/// replaced folder, owners, modes, a capability, long names.
fn image(engine: &Docker, name: &str) {
    let shell = shell_image(engine);
    let long = "long-".repeat(30);
    let capability =
        ("SCHILY.xattr.security.capability".to_owned(), b"\x01\0\0\x02\0\x0a\0\0\0\0\0\0\0\0\0\0\0\0\0\0".to_vec());
    let first = tar(&[
        Entry { mode: 0o750, owner: (5, 6), ..Entry::folder("opt/app") },
        // not together with links: the overlay of some daemons loses one when it copies the other
        Entry { mode: 0o4755, owner: (7, 8), ..Entry::file("opt/app/setuid", "setuid") },
        Entry { mode: 0o755, owner: (7, 8), ..Entry::file("opt/app/tool", "tool") },
        Entry { owner: (70_000, 70_001), ..Entry::file("opt/app/owned", "owned") },
        Entry { pax: vec![capability], mode: 0o755, ..Entry::file("opt/app/able", "able") },
        Entry { mode: 0o755, owner: (7, 8), ..Entry::hard_link("opt/app/same", "opt/app/tool") },
        Entry::link("opt/app/away", "/nowhere/at/all"),
        Entry::link("opt/app/up", ".."),
        Entry::file(&format!("opt/app/{long}/{long}"), "deep"),
        Entry::file("opt/app/.hidden", "hidden"),
        Entry::file("opt/app/ünïcode", "names"),
        Entry::folder("usr/lib"),
        Entry::link("lib", "usr/lib"),
        Entry::file("gone/a", "a"),
        Entry::file("gone/b", "b"),
        Entry::file("becomes/folder", "x"),
        Entry::file("file", "x"),
        Entry { kind: b'6', ..Entry::file("opt/pipe", "") },
    ]);
    let mut job = Job::new(
        "bases",
        format!(
            "FROM {shell}\nADD first.tar /\n\
         RUN [\"/bin/busybox\", \"sh\", \"-c\", \"b=/bin/busybox; $b rm -r /gone/a /becomes /file; $b mkdir /file; \
         $b touch /gone/c /becomes /file/x; $b chmod 700 /opt/app/owned; $b ln /opt/app/tool /opt/other\"]\n\
         COPY second /lib/second\n\
         HEALTHCHECK NONE\nEXPOSE 80 443\nVOLUME /data\nLABEL a=b\nENTRYPOINT [\"/bin/sh\"]\n"
        ),
    );
    job.context
        .insert("first.tar", ContextEntry::File { bytes: Bytes::Memory(Arc::from(first.as_slice())), mode: 0o644 });
    job.context.insert_bytes("second", b"second".as_slice(), 0o644);
    job.tags = vec![name.to_owned()];
    build(engine, job).unwrap();
}

/// A tree as text, one line for each path.
fn tree(rootfs: &Rootfs) -> BTreeMap<String, String> {
    let own = |own: Attributes| format!("{:o} {}:{}", own.mode, own.uid, own.gid);
    let line = |(path, node)| {
        let text = match node {
            Node::Folder(a) => format!("folder {}", own(a)),
            Node::File(a, _) => format!("file {}", own(a)),
            Node::Link(a, target) => format!("link {}:{} -> {target}", a.uid, a.gid),
            Node::Special(a) => format!("special {}", own(a)),
        };
        (path, text)
    };
    rootfs.below("").into_iter().map(line).collect()
}

/// The tree that a container has, as the daemon sees it.
fn exported(image: &str) -> BTreeMap<String, String> {
    let container = docker(&["create", image, "never-started"]);
    let output = Command::new("docker").args(["export", &container]).output().unwrap();
    docker(&["rm", "-v", &container]);
    let mut archive = ::tar::Archive::new(output.stdout.as_slice());
    let mut tree: BTreeMap<String, String> = BTreeMap::new();
    for entry in archive.entries().unwrap() {
        let entry = entry.unwrap();
        let header = entry.header();
        let path = String::from_utf8(entry.path_bytes().into_owned()).unwrap().trim_end_matches('/').to_owned();
        let own = format!("{}:{}", header.uid().unwrap(), header.gid().unwrap());
        let mode = header.mode().unwrap() & 0o7777;
        let target = || String::from_utf8(entry.link_name_bytes().unwrap().into_owned()).unwrap();
        let text = match header.entry_type() {
            ::tar::EntryType::Directory => format!("folder {mode:o} {own}"),
            ::tar::EntryType::Symlink => format!("link {own} -> {}", target()),
            ::tar::EntryType::Regular => format!("file {mode:o} {own}"),
            ::tar::EntryType::Link => tree[&target()].clone(),
            _ => format!("special {mode:o} {own}"),
        };
        tree.insert(path, text);
    }
    tree
}

/// What the daemon puts into every container.
const OF_CONTAINERS: &[&str] = &[".dockerenv", "dev", "etc", "proc", "sys", "data"];

#[test]
fn every_writer_is_read_and_gives_the_tree_of_the_daemon() {
    let Some(engine) = daemon() else { return };
    let tags = Tags::new("base", 1);
    let name = tags.names[0].as_str();
    image(&engine, name);
    let place = Place::new(&engine);
    run(&place.root, "docker", &["save", "-o", "saved.tar", name]);
    let from = format!("docker-archive:saved.tar:{name}");
    run(&place.root, "skopeo", &["--insecure-policy", "copy", &from, "oci:layout:latest"]);
    run(&place.root, "skopeo", &["--insecure-policy", "copy", "oci:layout:latest", "oci-archive:layout.tar"]);
    run(
        &place.root,
        "skopeo",
        &["--insecure-policy", "copy", "--dest-compress-format", "zstd", "--dest-compress", &from, "oci:zstd"],
    );
    run(&place.root, "skopeo", &["--insecure-policy", "copy", &from, "docker-archive:again.tar:a/b:1"]);
    run(&place.root, "umoci", &["config", "--image", "layout:latest", "--tag", "other", "--config.label", "x=y"]);

    let mut expect = exported(name);
    let others = |path: &String| OF_CONTAINERS.iter().any(|own| path == own || path.starts_with(&format!("{own}/")));
    expect.retain(|path, _| !others(path));
    let reference = name.parse().unwrap();
    let from_daemon = block_on(Base::from_daemon(&engine, &reference, &place.platform, &place.store)).unwrap().unwrap();
    let again = block_on(Base::from_daemon(&engine, &reference, &place.platform, &place.store)).unwrap().unwrap();
    assert_eq!((&again.layers, &again.document), (&from_daemon.layers, &from_daemon.document));
    let several = place.root.join("layout");
    let sources = ["docker-archive:saved.tar", "oci-archive:layout.tar", "oci:zstd", "docker-archive:again.tar"];
    // the OCI has no word for it, so that layouts of other programs do not have it
    assert_eq!(from_daemon.document.value().unwrap()["config"]["Healthcheck"]["Test"][0], "NONE");
    for base in sources.iter().map(|source| place.open(source)).chain([from_daemon]) {
        let mut actual = tree(&base.rootfs);
        actual.retain(|path, _| !others(path));
        assert_eq!(actual, expect);
        let labels = base.config.labels_of_config().unwrap();
        assert_eq!(labels["a"], "b");
    }
    // whiteouts as umoci writes them
    run(&place.root, "skopeo", &["--insecure-policy", "copy", &from, "oci:holes:latest"]);
    std::fs::create_dir(place.root.join("new")).unwrap();
    std::fs::write(place.root.join("new/file"), "new").unwrap();
    run(&place.root, "umoci", &["insert", "--image", "holes:latest", "--whiteout", "/gone/b"]);
    run(&place.root, "umoci", &["insert", "--image", "holes:latest", "--opaque", "new", "/opt"]);
    let mut holes = tree(&place.open("oci:holes").rootfs);
    holes.retain(|path, _| path.starts_with("gone") || path.starts_with("opt"));
    assert_eq!(holes.keys().collect::<Vec<_>>(), ["gone", "gone/c", "opt", "opt/file"]);
    // umoci has put a second image into the layout; it must be named
    let source: ImageSource = "oci:layout".parse().unwrap();
    let error = Base::from_file(source.file().unwrap(), &place.platform, &place.root, &place.store).unwrap_err();
    assert_eq!(error.class(), ErrorClass::Input);
    let text = error.to_string();
    assert!(text.contains("(latest)") && text.contains("(other)"), "{text}");
    let other = text.lines().find(|line| line.contains("(other)")).unwrap().split_whitespace().next().unwrap();
    let base = place.open(&format!("oci:{several}@{other}"));
    assert_eq!(base.config.labels_of_config().unwrap()["x"], "y");
}

/// The entries that are taken out, and those that `COPY --from` of the daemon's own builder puts into an image.
#[test]
fn files_are_taken_out_as_the_builder_does_it() {
    let Some(engine) = daemon() else { return };
    let tags = Tags::new("source", 2);
    let name = tags.names[0].as_str();
    image(&engine, name);
    let place = Place::new(&engine);
    let open = |name: &str| {
        let reference = name.parse().unwrap();
        block_on(Base::from_daemon(&engine, &reference, &place.platform, &place.store)).unwrap().unwrap()
    };
    let source = open(name);
    let copies = [
        "/opt/app",
        "/opt/app/tool",
        "/opt/app/same",
        "/opt/app/able",
        "/lib",
        "/lib/second",
        "/opt/app/up/app/owned",
        "/file",
    ];
    let mut job = Job::new("copies", "FROM scratch\n");
    for (number, from) in copies.iter().enumerate() {
        job.dockerfile += &format!("COPY --from={name} [\"{from}\", \"/{number}\"]\n");
    }
    job.tags = vec![tags.names[1].clone()];
    build(&engine, job).unwrap();
    let copied = open(&tags.names[1]);
    for (number, from) in copies.iter().enumerate() {
        let taken = source.extract(&name, from, &place.store).unwrap();
        let expect = copied.extract(&"copied", &format!("/{number}"), &place.store).unwrap();
        assert_eq!(taken, expect, "{from}");
        assert!(taken.iter().all(|entry| !matches!(entry.kind, EntryKind::File(Content::Disk(_) | Content::Bytes(_)))));
    }
    let able = source.extract(&name, "/opt/app/able", &place.store).unwrap();
    assert_eq!(able[0].xattrs["security.capability"].len(), 20);
    let error = source.extract(&name, "/opt", &place.store).unwrap_err();
    assert!(error.to_string().contains("\"pipe\" is a device or a pipe"), "{error}");
}

#[test]
fn what_the_daemon_does_not_have_is_said() {
    let Some(engine) = daemon() else { return };
    let place = Place::new(&engine);
    let open = |name: &str, platform: &str| {
        let (reference, platform) = (name.parse().unwrap(), platform.parse().unwrap());
        block_on(Base::from_daemon(&engine, &reference, &platform, &place.store)).unwrap().map(drop).unwrap_err()
    };
    let missing = open("groupage-test/none:1", "linux/amd64");
    assert_eq!(missing.class(), ErrorClass::Environment);
    assert!(missing.to_string().starts_with("failed to read image docker-daemon:groupage-test/none:1: "), "{missing}");
    let other = open(&shell_image(&engine), "linux/s390x");
    assert_eq!(other.class(), ErrorClass::Input);
    assert!(other.to_string().contains("no image for linux/s390x"), "{other}");
}

/// A layer goes through, it does not stay: neither the archive nor a layer is ever whole in memory.
#[test]
fn a_large_image_stays_out_of_memory() {
    let Some(engine) = daemon() else { return };
    let tags = Tags::new("large", 1);
    let bytes: u64 = 256 << 20;
    let mut job = Job::new(
        "large",
        format!(
            "FROM {}\nRUN [\"/bin/busybox\", \"dd\", \"if=/dev/zero\", \"of=/large\", \"bs=1M\", \"count={}\"]\n",
            shell_image(&engine),
            bytes >> 20
        ),
    );
    job.tags = tags.names.clone();
    build(&engine, job).unwrap();
    let place = Place::new(&engine);
    let before = crate::support::peak_memory();
    let reference = tags.names[0].parse().unwrap();
    let base = block_on(Base::from_daemon(&engine, &reference, &place.platform, &place.store)).unwrap().unwrap();
    let entries = base.extract(&"large", "/large", &place.store).unwrap();
    let EntryKind::File(Content::Blob { digest, size }) = &entries[0].kind else { panic!("{entries:?}") };
    assert_eq!(*size, bytes);
    let mut start = [1; 16];
    std::fs::File::open(place.store.path(digest)).unwrap().read_exact(&mut start).unwrap();
    assert_eq!(start, [0; 16]);
    let grown = crate::support::peak_memory() - before;
    assert!(grown < 48 << 20, "{grown} bytes");
}
