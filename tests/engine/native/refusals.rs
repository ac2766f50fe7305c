//! What the native engine does not do: it says so by name, with the next step, before anything is written. None of these
//! tests needs a daemon.

use std::process::Command;

use crate::native_samples::{image, odd_files};
use crate::support::Ended;
use crate::support::native::{NOBODY, build_without_daemon};
use crate::support::workspace::Workspace;

/// It ends with one of the codes for "no", says all of these words and a next step or the place to change, and leaves nothing behind.
#[track_caller]
fn refused(workspace: &Workspace, ended: &Ended, words: &[&str]) {
    assert!(matches!(ended.code, Some(1..=3)), "{ended:?}");
    assert_eq!(ended.stdout, "", "{}", ended.stderr);
    for word in words {
        assert!(ended.stderr.contains(word), "no {word:?} in:\n{}", ended.stderr);
    }
    let next = ["hint: ", "help: ", " --> "].iter().any(|mark| ended.stderr.contains(mark));
    assert!(next, "no next step in:\n{}", ended.stderr);
    assert!(!workspace.root().join("target/groupage/oci").exists(), "something was written");
}

/// The image `app` of the components `page` (files) and `other`.
fn workspace(settings: &str) -> Workspace {
    let workspace = Workspace::empty();
    workspace.write("groupage.toml", format!("schema = 1\n{settings}"));
    workspace.files_component("page", "[[install]]\nfrom = \"page.html\"\nto = \"/srv/page.html\"\n");
    workspace.write("components/page/page.html", "page");
    workspace
}

/// A component that is compiled, with the platforms that need a toolchain.
fn compiled(workspace: &Workspace) {
    workspace
        .write("Cargo.toml", "[workspace]\nresolver = \"3\"\nmembers = [\"components/hello\"]\n")
        .write("Cargo.lock", "version = 4\n\n[[package]]\nname = \"hello\"\nversion = \"0.4.0\"\n")
        .write("components/hello/Cargo.toml", "[package]\nname = \"hello\"\nversion = \"0.4.0\"\nedition = \"2024\"\n")
        .write("components/hello/src/main.rs", "fn main() {}\n")
        .write(
            "components/hello/component.toml",
            "schema = 1\nname = \"hello\"\nowner = \"@test\"\nversion = { cargo = true }\n\n[build.cargo]\npackage = \"hello\"\n\n\
             [[install]]\nfrom = \"bin:hello\"\nto = \"/usr/bin/hello\"\n",
        );
    image(workspace, "app", "scratch", &["hello", "page"], "");
    let path = "images/app/image.toml";
    let text = std::fs::read_to_string(workspace.root().join(path)).unwrap();
    let more = "platforms = [\"linux/riscv64\", \"linux/s390x\", \"linux/ppc64le\", ";
    workspace.write(path, text.replace("platforms = [", more));
}

#[test]
fn a_script_needs_the_other_engine() {
    let workspace = workspace("[builders]\nshell = \"registry.invalid/shell:1\"\n");
    workspace.script_component("made", &["touch /out"]);
    image(&workspace, "app", "scratch", &["page", "made"], "");
    let ended = Ended::of(&mut workspace.native(&[]));
    refused(&workspace, &ended, &["`made`", "script", "--engine docker"]);
    // nor does `auto` find a way, where no daemon answers
    let ended = Ended::of(workspace.command(["build", "--engine", "auto"]).env("DOCKER_HOST", NOBODY));
    refused(&workspace, &ended, &["`made`", "script", NOBODY]);
    // an image without the script is built all the same
    image(&workspace, "fine", "scratch", &["page"], "");
    workspace.build_native("fine", &["fine"]);
}

/// Platforms, with the names that rustc has for their CPUs.
const PLATFORMS: &[(&str, &str)] = &[("riscv64", "riscv64"), ("s390x", "s390x"), ("ppc64le", "powerpc64le")];

#[test]
fn a_missing_rust_target_names_the_fix() {
    let workspace = workspace("[builders]\nrust = \"registry.invalid/rust:1\"\n");
    compiled(&workspace);
    let sysroot = Ended::of(Command::new("rustc").args(["--print", "sysroot"])).expect(0).stdout;
    let has = |cpu: &str| {
        let targets = std::fs::read_dir(format!("{}/lib/rustlib", sysroot.trim())).unwrap();
        targets.flatten().any(|target| {
            let name = target.file_name().to_string_lossy().into_owned();
            name.starts_with(cpu) && name.contains("-linux-")
        })
    };
    let Some((arch, cpu)) = PLATFORMS.iter().find(|(_, cpu)| !has(cpu)) else {
        return eprintln!("skipped: this toolchain has every target");
    };
    let ended = Ended::of(&mut workspace.native(&["--platform", &format!("linux/{arch}")]));
    refused(&workspace, &ended, &["hello", cpu, "-linux-", "rustup target add"]);
}

#[test]
fn a_platform_that_the_image_does_not_have() {
    let workspace = odd_files("scratch", "");
    for (platform, words) in [
        ("linux/s390x", &["odd", "linux/s390x", "linux/amd64"][..]),
        ("linux/amd64,linux/s390x", &["odd", "linux/s390x"]),
        ("windows/amd64", &["odd", "windows/amd64"]),
    ] {
        refused(&workspace, &Ended::of(&mut workspace.native(&["--platform", platform])), words);
    }
}

#[test]
fn a_base_that_is_not_there() {
    let workspace = odd_files("like", "[bases]\nlike = \"registry.invalid/like:1\"\n");
    std::fs::write(workspace.beside("text"), "no archive").unwrap();
    std::fs::create_dir(workspace.beside("empty")).unwrap();
    let beside = |name: &str| workspace.beside(name).display().to_string();
    for (source, words) in [
        (format!("oci:{}", beside("none")), &["like", "none"][..]),
        (format!("oci:{}", beside("empty")), &["like", "empty"]),
        (format!("oci-archive:{}", beside("none.tar")), &["like", "none.tar"]),
        (format!("oci-archive:{}", beside("text")), &["like", "text"]),
        (format!("docker-archive:{}", beside("none.tar")), &["like", "none.tar"]),
        (format!("docker-archive:{}", beside("text")), &["like", "text"]),
        ("docker-daemon:registry.invalid/like:1".to_owned(), &["like", NOBODY]),
        // nobody listens there
        ("127.0.0.1:1/like:1".to_owned(), &["127.0.0.1:1"]),
    ] {
        let ended = Ended::of(&mut workspace.native(&["--set", &format!("bases.like={source}")]));
        refused(&workspace, &ended, words);
    }
}

/// A layer cannot hold such a file: whoever unpacks it would delete another one instead.
#[test]
fn a_file_that_would_be_a_whiteout() {
    for name in [".wh.text", ".wh..wh..opq"] {
        let workspace = odd_files("scratch", "");
        workspace.write(&format!("components/odd/site/{name}"), "x");
        refused(&workspace, &Ended::of(&mut workspace.native(&[])), &[name]);
    }
}

/// The one line that says which engine was taken and why.
#[test]
fn auto_takes_native_where_no_daemon_answers_and_says_so() {
    let workspace = odd_files("scratch", "");
    let mut build = build_without_daemon(workspace.root());
    build.args(["--no-verify", "--set", "registry.default=localhost/groupage-test"]);
    let ended = Ended::of(&mut build).expect(0);
    let lines: Vec<&str> = ended.stderr.lines().filter(|line| line.contains("native")).collect();
    assert!(lines.iter().any(|line| line.contains(NOBODY)), "{}", ended.stderr);
    assert!(workspace.root().join("target/groupage/oci/odd/index.json").is_file());
}
