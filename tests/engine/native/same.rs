//! The same plan by both engines: the same paths, types, modes, owners, link targets and contents, and the same configuration.

use std::process::Command;

use crate::native_samples::{add_odd_component, image};
use crate::support::archive::Image;
use crate::support::builders::{self, lock, repository};
use crate::support::image::{Kind, same};
use crate::support::layout::Layout;
use crate::support::readers::{exported_tree, skopeo_copy, without_docker};
use crate::support::registry::LocalRegistry;
use crate::support::workspace::{Registry, Workspace, program};
use crate::support::{Ended, daemon, docker, unique};

/// Whether the builder image compiles and links with what this machine has: then programs are the same, byte for byte.
fn same_toolchain(builder: &str) -> bool {
    const WHICH: &str = "rustc -vV; ld -v; gcc -dumpfullversion; sha256sum $(gcc -print-file-name=libc.a) $(gcc -print-file-name=libgcc.a) | cut -d' ' -f1";
    let inside = Ended::of(Command::new("docker").args(["run", "--rm", "--network=none", builder, "sh", "-c", WHICH]));
    let here = Ended::of(Command::new("sh").args(["-c", WHICH]));
    let same = inside.stdout == here.stdout;
    if !same {
        eprintln!("contents of programs are not compared: {builder} has another toolchain than this machine");
    }
    same
}

/// Leaves out what only the same toolchain makes the same.
fn without_programs(mut image: Image, programs: &[&str], compared: bool) -> Image {
    for program in programs.iter().filter(|_| !compared) {
        let entry = image.tree.get_mut(*program).unwrap_or_else(|| panic!("no {program}"));
        entry.kind = Kind::File { digest: "a program".to_owned() };
    }
    image
}

#[test]
fn images_of_this_repository() {
    if !daemon() {
        return;
    }
    let (registry, builder) = (Registry::new(), builders::rust());
    let _lock = lock("images");
    let build = |engine: &str| {
        let mut build = program(&repository());
        build.args(["build", "logging-operator=*", "node-agent", "--engine", engine]);
        // named, so that no stand-in makes it another plan
        build.args(["--set", &format!("builders.rust={builder}")]);
        Ended::of(build.args(["--set", &format!("registry.default={}", registry.0)])).expect(0);
    };
    build("docker");
    build("native");
    let compared = same_toolchain(&builder);
    let of_operator = ["/usr/bin/log-controller", "/usr/bin/config-reloader", "/usr/bin/buffer-metrics"];
    let of_full = [&of_operator[..], &["/usr/bin/drain-watch"]].concat();
    for (id, tag, programs) in [
        ("logging-operator", "logging-operator:0.1.0", &of_operator[..]),
        ("logging-operator=full", "logging-operator:0.1.0-full", &of_full),
        (
            "node-agent",
            "node-agent:0.1.0",
            &["/usr/bin/buffer-metrics", "/usr/bin/drain-watch", "/usr/bin/restore-helper"],
        ),
    ] {
        let docker = Image::of_daemon(&format!("{}/{tag}", registry.0));
        let native = Layout::of_image(&repository(), id).image();
        assert_eq!(native.layers, docker.layers, "{id}");
        // what compiles is an input, and another one for each engine
        let (native, docker) = (native.without_fingerprint(), docker.without_fingerprint());
        same(id, &without_programs(native, programs, compared), &without_programs(docker, programs, compared));
    }
}

/// An image that files are taken from, with owners, modes and links that a copy must keep or drop in the same way.
pub fn import(reference: &str) {
    let mut archive = tar::Builder::new(Vec::new());
    let mut add = |path: &str, kind: tar::EntryType, mode: u32, owner: u64, content: &[u8]| {
        let mut header = tar::Header::new_gnu();
        header.set_entry_type(kind);
        header.set_mode(mode);
        header.set_uid(owner);
        header.set_gid(owner);
        header.set_mtime(1_234_567_890);
        match kind {
            tar::EntryType::Symlink | tar::EntryType::Link => {
                header.set_size(0);
                archive.append_link(&mut header, path, std::str::from_utf8(content).unwrap()).unwrap();
            }
            _ => {
                header.set_size(content.len() as u64);
                archive.append_data(&mut header, path, content).unwrap();
            }
        }
    };
    let (file, folder) = (tar::EntryType::Regular, tar::EntryType::Directory);
    add("bin/", folder, 0o755, 0, b"");
    add("bin/tool", file, 0o755, 0, b"tool");
    add("bin/same-tool", tar::EntryType::Link, 0o755, 0, b"bin/tool");
    add("data/", folder, 0o755, 1000, b"");
    add("data/private", file, 0o600, 1000, b"private");
    add("data/closed/", folder, 0o700, 1000, b"");
    add("data/closed/inside", file, 0o640, 1001, b"inside");
    add("data/empty/", folder, 0o1777, 0, b"");
    add("data/link", tar::EntryType::Symlink, 0o777, 0, b"closed/inside");
    add("data/up", tar::EntryType::Symlink, 0o777, 0, b"../bin/tool");
    add("data/away", tar::EntryType::Symlink, 0o777, 0, b"/etc/passwd");
    add("data/größe", file, 0o444, 0, "größe".as_bytes());
    add("folder-link", tar::EntryType::Symlink, 0o777, 0, b"data/closed");
    let file = tempfile::NamedTempFile::new().unwrap();
    std::fs::write(file.path(), archive.into_inner().unwrap()).unwrap();
    docker(["import", file.path().to_str().unwrap(), reference]);
}

/// A workspace with one component of each kind that the native engine can build; images come from a registry on loopback,
/// as both engines can read it.
fn every_kind(registry: &LocalRegistry) -> Workspace {
    let workspace = Workspace::empty();
    let (rust, names) = (builders::rust(), Registry::new());
    let local = format!("{}/source:1", names.0);
    import(&local);
    let source = format!("{}/source:{}", registry.name(), unique());
    skopeo_copy(&format!("docker-daemon:{local}"), &format!("docker://{source}"));
    workspace
        .write("groupage.toml", format!("schema = 1\n[builders]\nrust = {rust:?}\n[build]\nnetwork = \"none\"\n"))
        .write("Cargo.toml", "[workspace]\nresolver = \"3\"\nmembers = [\"components/hello\"]\n")
        .write("Cargo.lock", "version = 4\n\n[[package]]\nname = \"hello\"\nversion = \"0.4.0\"\n")
        .write(
            "components/hello/Cargo.toml",
            "[package]\nname = \"hello\"\nversion = \"0.4.0\"\nedition = \"2024\"\n\n[features]\nloud = []\n",
        )
        .write(
            "components/hello/src/main.rs",
            "fn main() {\n    println!(\"hello{} {}\", if cfg!(feature = \"loud\") { \"!\" } else { \"\" }, file!());\n}\n",
        )
        .write("components/hello/conf/app.conf", "conf\n")
        .write(
            "components/hello/component.toml",
            "schema = 1\nname = \"hello\"\nowner = \"@test\"\nversion = { cargo = true }\n\n[build.cargo]\npackage = \"hello\"\n\n\
             [features]\ndefault = [\"loud\"]\nloud = []\n\n[[install]]\nfrom = \"bin:hello\"\nto = \"/usr/bin/hello\"\n\
             mode = \"0555\"\n[[install]]\nfrom = \"conf\"\nto = \"/etc/hello\"\n\n[roles.hello]\n\
             command = [\"/usr/bin/hello\"]\nuser = \"65532:65532\"\naliases = [\"/opt/old/hello\"]\n\
             args = [\"--by default\", \"$HOME\"]\nvolumes = [\"/var/lib/hello\", \"/srv\"]\nstop-signal = \"SIGQUIT\"\n\
             healthcheck = { shell = \"test -e \\\"$HOME\\\"\", interval = \"1m30s\", timeout = \"500ms\", start-period = \"3s\", retries = 2 }\n",
        )
        .write(
            "components/taken/component.toml",
            format!(
                "schema = 1\nname = \"taken\"\nowner = \"@test\"\nversion = \"1.35.0\"\n\n[build.image]\nimage = {source:?}\n\n\
                 [[install]]\nfrom = \"stage:/bin/tool\"\nto = \"/bin/tool\"\n\
                 [[install]]\nfrom = \"stage:/bin/same-tool\"\nto = \"/bin/again\"\nmode = \"0500\"\n\
                 [[install]]\nfrom = \"stage:/data/private\"\nto = \"/private\"\n\
                 [[install]]\nfrom = \"stage:/data\"\nto = \"/srv/data\"\n\
                 [[install]]\nfrom = \"NOTICE\"\nto = \"/usr/share/NOTICE\"\n"
            ),
        )
        .write("components/taken/NOTICE", "notice\n");
    add_odd_component(&workspace);
    image(&workspace, "all", "scratch", &["hello", "taken", "odd"], "default-role = \"hello\"");
    workspace
}

#[test]
fn every_kind_on_scratch() {
    if !daemon() {
        return;
    }
    let Some(registry) = LocalRegistry::start() else { return };
    let workspace = every_kind(&registry);
    workspace.run(["build", "--engine", "docker", "--no-verify"]).expect(0);
    let reference = workspace.tag("all:1.0.0");
    let by_docker = Image::of_daemon(&reference);
    let compared = same_toolchain(&builders::rust());
    let by_native = workspace.build_native("all", &[]).image();
    let programs = ["/usr/bin/hello"];
    same(
        "layout",
        &without_programs(by_native.without_fingerprint(), &programs, compared),
        &without_programs(by_docker.without_fingerprint(), &programs, compared),
    );

    // and what the daemon makes of it when it is loaded
    let tree = Layout::of_image(workspace.root(), "all").image().tree;
    let ended = Ended::of(&mut workspace.with_daemon(&["--load"])).expect(0);
    assert!(ended.stdout.starts_with(&reference), "{}", ended.stdout);
    crate::support::image::same_tree("loaded", &exported_tree(&reference), &without_docker(&tree));
    let run = |arguments: &[&str]| {
        let fixed = ["run", "--rm", "--network=none", "--read-only"];
        Ended::of(Command::new("docker").args(fixed).args(arguments)).expect(0).stdout
    };
    assert_eq!(run(&[&reference]), "hello! components/hello/src/main.rs\n");
    assert_eq!(run(&["--entrypoint=/opt/old/hello", &reference]), "hello! components/hello/src/main.rs\n");
}
