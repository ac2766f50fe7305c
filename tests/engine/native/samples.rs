//! Small workspaces that hold what layers get wrong: odd names, long paths, every size around a tar block, links, modes.

use std::fs;
use std::os::unix::fs::symlink;

use crate::support::workspace::Workspace;

/// Names that are legal on Linux, and that somebody has to quote, escape or encode.
const ODD_NAMES: &[&str] = &[
    "#hash",
    "$HOME",
    "%41",
    "*?[a]",
    "-dash",
    "a b",
    "back\\slash",
    "größe",
    "it's \"quoted\"",
    "\u{65e5}\u{672c}",
    "~tilde",
    "..dots",
    "...",
    "wh.no-whiteout",
];

/// Sizes around a tar block, and one that is streamed in pieces.
const SIZES: &[usize] = &[0, 1, 511, 512, 513, 1024, 3 * 1024 * 1024 + 7];

/// A workspace with the image `odd` of two components of files, on `base` (`scratch`, or a name of `[bases]`).
pub fn odd_files(base: &str, settings: &str) -> Workspace {
    let workspace = Workspace::empty();
    workspace.write("groupage.toml", format!("schema = 1\n{settings}"));
    add_odd_component(&workspace);
    workspace.files_component("plain", "[[install]]\nfrom = \"text\"\nto = \"/usr/share/plain/text\"\n");
    workspace.write("components/plain/text", "plain\n");
    image(&workspace, "odd", base, &["odd", "plain"], "default-role = \"odd\"");
    workspace
}

/// Writes the image `name`.
pub fn image(workspace: &Workspace, name: &str, base: &str, components: &[&str], more: &str) {
    workspace.image(name, components, more);
    let path = format!("images/{name}/image.toml");
    let text = fs::read_to_string(workspace.root().join(&path)).unwrap();
    workspace.write(&path, text.replace("base = \"scratch\"", &format!("base = \"{base}\"")));
}

/// Writes the component `odd`.
pub fn add_odd_component(workspace: &Workspace) {
    workspace.files_component(
        "odd",
        r##"
[[install]]
from = "site"
to = "/srv/site"
[[install]]
from = "motd"
to = "/motd"
mode = "0444"
[[install]]
from = "run"
to = "/usr/libexec/odd/run"
mode = "0750"
[[install]]
from = "run"
to = "/opt/run"

[roles.odd]
command = ["/usr/libexec/odd/run", "a b", "%HOME%", ""]
user = "1234:5678"
workdir = "/var/lib/odd/not/there"
ports = [{ port = 8080, name = "http" }, { port = 8053, protocol = "udp" }]
env = { GREETING = "it's \"closed\" for $5", LANG = "C.UTF-8" }
aliases = ["/odd", "/opt/old/bin/odd", "/usr/bin/odd"]
"##,
    );
    let write = |path: &str, bytes: &[u8]| {
        workspace.write(&format!("components/odd/{path}"), bytes);
    };
    write("motd", b"hello\n");
    write("run", b"#!/bin/sh\n");
    workspace.set_mode("components/odd/run", 0o755);
    for name in ODD_NAMES {
        write(&format!("site/{name}"), name.as_bytes());
        write(&format!("site/folder {name}/inside"), b"");
    }
    for size in SIZES {
        write(&format!("site/sizes/{size}"), &pseudo_random(*size as u64, *size));
    }
    // beyond the 100 bytes of a tar header's name, and the 155 + 100 of ustar (fuse-overlayfs has no room for 255)
    for length in [98, 99, 100, 101, 155, 240] {
        write(&format!("site/{}", "n".repeat(length)), b"long name");
    }
    let deep = format!("{}/{}/{}", "d".repeat(120), "e".repeat(120), "f".repeat(120));
    write(&format!("site/{deep}/file"), b"long path");
    // UTF-8 whose bytes a limit of 100 would cut in two
    write(&format!("site/{}", "ü".repeat(60)), b"wide");

    write("site/bin/tool", b"#!/bin/sh\n");
    workspace.set_mode("components/odd/site/bin/tool", 0o755);
    write("site/bin/data", b"data\n");
    let link = |target: &str, path: &str| symlink(target, workspace.root().join("components/odd/site").join(path));
    link("a b", "link").unwrap();
    link("../bin/tool", "sizes/up").unwrap();
    link(&format!("{deep}/file"), "long link").unwrap();
    link("bin", "folder").unwrap();
}

/// Bytes that do not compress, the same for the same seed.
pub fn pseudo_random(seed: u64, count: usize) -> Vec<u8> {
    let mut state = Random(seed);
    let mut bytes = Vec::with_capacity(count + 8);
    while bytes.len() < count {
        bytes.extend(state.next().to_le_bytes());
    }
    bytes.truncate(count);
    bytes
}

/// SplitMix64: a few lines, and the same numbers everywhere.
pub struct Random(pub u64);

impl Random {
    pub fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut mixed = self.0;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        mixed ^ (mixed >> 31)
    }

    /// A number below `end`.
    pub fn below(&mut self, end: u64) -> u64 {
        self.next() % end.max(1)
    }
}
