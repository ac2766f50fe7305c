//! Independent readers of what was built: `skopeo` and `umoci` for layouts, archives and registries, and the daemon's own view
//! of a container.

use std::fs;
use std::os::unix::fs::{FileTypeExt as _, MetadataExt as _, PermissionsExt as _};
use std::path::Path;
use std::process::Command;

use serde_json::Value;

use super::image::{Entry, Image, Kind, Tree, hex};
use super::layout::Layout;
use super::{Ended, docker};

/// What Docker puts into every container, whatever its image holds.
const OF_DOCKER: &[&str] = &[
    "/.dockerenv",
    "/dev",
    "/etc/hostname",
    "/etc/hosts",
    "/etc/mtab",
    "/etc/resolv.conf",
    "/proc",
    "/run/.containerenv",
    "/sys",
];

/// True when the programs are there. Otherwise a line is printed, or, where engines are required, the test fails.
pub fn programs(names: &[&str]) -> bool {
    let missing = names.iter().find(|name| Command::new(name).arg("--version").output().is_err());
    let Some(missing) = missing else { return true };
    let required = std::env::var("GROUPAGE_TEST_ENGINE").is_ok_and(|value| value == "required");
    assert!(!required, "the program {missing} is required");
    eprintln!("skipped: no {missing}");
    false
}

/// `skopeo inspect` of `oci:FOLDER`, `oci-archive:FILE`, `docker-daemon:REFERENCE` or `docker://REFERENCE`.
#[track_caller]
pub fn skopeo_inspect(image: &str) -> Value {
    let mut inspect = Command::new("skopeo");
    inspect.args(["--insecure-policy", "inspect"]);
    if image.starts_with("docker://") {
        inspect.arg("--tls-verify=false");
    }
    serde_json::from_str(&Ended::of(inspect.arg(image)).expect(0).stdout).expect("it is JSON")
}

/// `skopeo copy` between two places.
#[track_caller]
pub fn skopeo_copy(from: &str, to: &str) {
    let mut copy = Command::new("skopeo");
    copy.args(["--insecure-policy", "copy", "--src-tls-verify=false", "--dest-tls-verify=false", from, to]);
    Ended::of(&mut copy).expect(0);
}

/// What `umoci unpack` makes of a layout. Only root can give files away: for others, everything is root's.
#[track_caller]
pub fn umoci_tree(layout: &Layout) -> Tree {
    let folder = tempfile::tempdir().unwrap();
    let is_root = folder.path().metadata().unwrap().uid() == 0;
    let mut unpack = Command::new("umoci");
    unpack.arg("unpack");
    if !is_root {
        unpack.arg("--rootless");
    }
    unpack.args(["--image", &format!("{}:{}", layout.folder().display(), layout.reference_name())]);
    Ended::of(unpack.arg(folder.path().join("bundle"))).expect(0);
    let mut tree = Tree::new();
    read_folder(&folder.path().join("bundle/rootfs"), "", &mut tree);
    if !is_root {
        tree.values_mut().for_each(|entry| entry.owner = (0, 0));
    }
    tree
}

fn read_folder(folder: &Path, below: &str, tree: &mut Tree) {
    for found in fs::read_dir(folder).unwrap() {
        let found = found.unwrap();
        let path = format!("{below}/{}", found.file_name().to_str().expect("it is UTF-8"));
        let metadata = found.path().symlink_metadata().unwrap();
        let kind = match metadata.file_type() {
            kind if kind.is_dir() => {
                read_folder(&found.path(), &path, tree);
                Kind::Folder
            }
            kind if kind.is_symlink() => {
                Kind::Link { target: fs::read_link(found.path()).unwrap().to_str().unwrap().to_owned() }
            }
            kind if kind.is_file() => Kind::File { digest: hex(&fs::read(found.path()).unwrap()) },
            kind if kind.is_fifo() => Kind::Special("Fifo".to_owned()),
            kind => Kind::Special(format!("{kind:?}")),
        };
        let (mode, owner) = (metadata.permissions().mode() & 0o7777, (metadata.uid().into(), metadata.gid().into()));
        tree.insert(path, Entry { kind, mode, owner });
    }
}

/// What a container of an image of the daemon sees, without what Docker adds; see [`without_docker`].
#[track_caller]
pub fn exported_tree(reference: &str) -> Tree {
    // an image without a command needs one; it is never run
    let container = docker(["create", "--label", "groupage-test", "--network", "none", reference, "none"]);
    let output = Command::new("docker").args(["export", &container]).output().unwrap();
    docker(["rm", &container]);
    assert!(output.status.success(), "{:?}", Ended::from(output));
    without_docker(&Image::of_layers(Value::Null, [&output.stdout]).tree)
}

/// A tree without the paths that Docker puts into every container.
pub fn without_docker(tree: &Tree) -> Tree {
    let is_docker = |path: &str| {
        OF_DOCKER.iter().any(|own| path.strip_prefix(own).is_some_and(|rest| rest.is_empty() || rest.starts_with('/')))
    };
    let mut left: Tree =
        tree.iter().filter(|(path, _)| !is_docker(path)).map(|(path, entry)| (path.clone(), entry.clone())).collect();
    // folders that may be there for those files alone
    for folder in ["/etc", "/run"] {
        if !left.keys().any(|path| path.starts_with(&format!("{folder}/"))) {
            left.remove(folder);
        }
    }
    left
}
