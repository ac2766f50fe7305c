//! Shapes that a workspace can have; cargo must find each pruned one complete.

use camino::Utf8Path;
use fs_err as fs;

use super::sandbox::{CARGO, Sandbox, check_lock, prune};
use crate::plan::cargo::vendor_folder;
use crate::workspace::cargo::{Cargo, read};

/// Prunes `package` out of `files`; `expect` is the whole pruned root manifest.
fn check(files: &[(&str, &str)], package: &str, expect: &str) -> Sandbox {
    check_source(&Sandbox::workspace(files), package, expect)
}

fn check_source(source: &Sandbox, package: &str, expect: &str) -> Sandbox {
    let (_, sandbox) = prune(&source.read(), package, &[]);
    assert_eq!(fs::read_to_string(sandbox.root.join("Cargo.toml")).unwrap(), expect.trim_start());
    check_lock(&sandbox);
    sandbox
}

const APP: (&str, &str) =
    ("app/Cargo.toml", "[package]\nname = 'app'\nversion = '1.0.0'\n[dependencies]\nwalkdir = '2'\n");
const APP_MAIN: (&str, &str) = ("app/src/main.rs", "fn main() {}");
const ROOT_MAIN: (&str, &str) = ("src/main.rs", "fn main() {}");

#[test]
fn root_package_outside_of_the_closure() {
    let root = r#"
cargo-features = []
[package]
name = "root"
version = "1.0.0"
edition = "2021"
[features]
x = []
[dependencies]
tar = { version = "0.4", default-features = false }
app = { path = "app" }
[workspace]
members = ["app"]
[profile.release.package]
tar.opt-level = 3
walkdir.opt-level = 3
"*".opt-level = 2
"#;
    let expect = r#"
cargo-features = []

[profile.release.package."*"]
opt-level = 2

[profile.release.package.walkdir]
opt-level = 3

[workspace]
members = ["app"]
resolver = "2"
"#;
    check(&[("Cargo.toml", root), ROOT_MAIN, APP, APP_MAIN], "app", expect);
}

#[test]
fn root_package_inside_the_closure() {
    let root = r#"
[workspace]
members = ["app", "lib"]
[workspace.package]
edition = "2024"
[package]
name = "root"
version = "1.0.0"
edition.workspace = true
[dependencies]
lib.path = "lib"
[dev-dependencies]
app.path = "app"
"#;
    let expect = r#"
[dependencies.lib]
path = "lib"

[package]
name = "root"
version = "1.0.0"

[package.edition]
workspace = true

[workspace]
members = ["lib"]
resolver = "3"

[workspace.package]
edition = "2024"
"#;
    let lib = ("lib/Cargo.toml", "[package]\nname = 'lib'\nversion = '1.0.0'\n");
    let files = [
        ("Cargo.toml", root),
        ROOT_MAIN,
        APP,
        APP_MAIN,
        lib,
        ("lib/src/lib.rs", ""),
        ("tests/end.rs", ""),
        ("data/x", ""),
    ];
    let sandbox = check(&files, "root", expect);
    let files: Vec<String> = sandbox.files().into_iter().filter(|path| !path.starts_with(".home")).collect();
    assert_eq!(files, ["Cargo.lock", "Cargo.toml", "data/x", "lib/Cargo.toml", "lib/src/lib.rs", "src/main.rs"]);
}

#[test]
fn root_package_as_a_stub() {
    let root = "[workspace]\nmembers = ['app']\n[package]\nname = 'root'\nversion = '1.0.0'\nedition = '2024'\n[features]\nfast = []\n[dependencies]\ntar = { version = '0.4', default-features = false }\n";
    let app = "[package]\nname = 'app'\nversion = '1.0.0'\n[dependencies]\nroot = { path = '..', optional = true, features = ['fast'] }\n";
    let expect = r#"
[features]
default = []
fast = []

[lib]
path = "src/lib.rs"

[package]
edition = "2021"
name = "root"
version = "1.0.0"

[workspace]
members = ["app"]
resolver = "3"
"#;
    let files = [("Cargo.toml", root), ("src/lib.rs", ""), ("app/Cargo.toml", app), APP_MAIN];
    check(&files, "app", expect);
}

#[test]
fn single_package() {
    let root = "[package]\nname = 'one'\nversion = '1.0.0'\n[dependencies]\nlib.path = 'lib'\n";
    let lib = "[package]\nname = 'lib'\nversion = '1.0.0'\n[features]\nx = ['dep:walkdir']\n[dependencies]\nwalkdir = { version = '2', optional = true }\n";
    let expect = r#"
[dependencies.lib]
path = "lib"

[package]
name = "one"
version = "1.0.0"
"#;
    let files = [("Cargo.toml", root), ROOT_MAIN, ("lib/Cargo.toml", lib), ("lib/src/lib.rs", "")];
    check(&files, "one", expect);
}

#[test]
fn patches_travel_with_what_they_patch() {
    let root = r#"
[workspace]
members = ["app", "other"]
resolver = "3"
[patch.crates-io]
walkdir = { path = "patches/walkdir" }
heck = { path = "./patches/../patches/heck" }
"#;
    let expect = r#"
[patch.crates-io.walkdir]
path = "patches/walkdir"

[workspace]
exclude = ["patches/walkdir"]
members = ["app"]
resolver = "3"
"#;
    let files = [
        ("Cargo.toml", root),
        APP,
        APP_MAIN,
        ("other/Cargo.toml", "[package]\nname = 'other'\nversion = '1.0.0'\n[dependencies]\nheck = '0.5'\n"),
        ("other/src/main.rs", "fn main() {}"),
        ("patches/walkdir/Cargo.toml", "[package]\nname = 'walkdir'\nversion = '2.9.0'\n"),
        ("patches/walkdir/src/lib.rs", ""),
        ("patches/heck/Cargo.toml", "[package]\nname = 'heck'\nversion = '0.5.9'\n"),
        ("patches/heck/src/lib.rs", ""),
    ];
    let source = Sandbox::workspace(&files);
    // the lock file of this repository holds the versions that are not patched
    source.update(&["walkdir", "heck"]);
    check_source(&source, "app", expect);
}

#[test]
fn other_registries_keep_their_name_and_not_their_token() {
    let root = r#"
[workspace]
members = ["app"]
resolver = "3"
"#;
    let app = "[package]\nname = 'app'\nversion = '1.0.0'\n[dependencies]\nthing = { version = '1', registry = 'mine' }\nheck = '0.5'\n";
    let config = r#"
[registries.mine]
index = "sparse+https://registry.invalid/"
token = "secret"
[source.mine]
registry = "sparse+https://registry.invalid/"
replace-with = "mirror"
[source.mirror]
directory = "mirror"
"#;
    let files = [
        ("Cargo.toml", root),
        ("app/Cargo.toml", app),
        APP_MAIN,
        (".cargo/config.toml", config),
        ("mirror/thing/Cargo.toml", "[package]\nname = 'thing'\nversion = '1.0.0'\n"),
        ("mirror/thing/src/lib.rs", ""),
        ("mirror/thing/.cargo-checksum.json", r#"{"files":{},"package":"00"}"#),
    ];
    let sandbox = check(&files, "app", root);
    let config = fs::read_to_string(sandbox.root.join(".cargo/config.toml")).unwrap();
    assert!(config.contains("sparse+https://registry.invalid/") && !config.contains("secret"), "{config}");
    let folder = vendor_folder("sparse+https://registry.invalid/");
    assert!(folder.starts_with(".cargo/vendor-"), "{folder}");
    assert!(sandbox.root.join(folder).join("thing-1.0.0/src/lib.rs").is_file());
}

#[test]
fn this_repository() {
    let root = Utf8Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap().canonicalize_utf8().unwrap();
    let workspace = read(Cargo { program: CARGO, offline: false }, &root, &["x86_64-unknown-linux-gnu"]).unwrap();
    let (closure, sandbox) = prune(&workspace, "groupage", &[]);
    check_lock(&sandbox);
    // Windows bindings are named and do not travel
    assert!(closure.stubs.keys().any(|key| key.name == "windows-sys"));
    assert!(closure.needed.iter().all(|key| !key.name.starts_with("windows")));
}
