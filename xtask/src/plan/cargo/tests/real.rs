//! Cargo itself is the judge: a workspace with everything that cargo can do is pruned, and each program is built from what
//! is left, with an empty cargo home, offline and locked.
//!
//! The crates are those that this repository's own lock file lists, so that they are on every machine that compiles it.

use std::process::Command;

use super::sandbox::{Sandbox, assert_success, check_lock, prune};
use crate::workspace::cargo::PackageKey;

const WORKSPACE: &[(&str, &str)] = &[
    (
        "Cargo.toml",
        r#"
[workspace]
members = ["apps/*", "libs/*"]
default-members = ["apps/other"]
exclude = ["third-party"]
resolver = "3"
[workspace.package]
version = "1.2.3"
edition = "2024"
readme = "README.md"
[workspace.dependencies]
serde = { version = "1", default-features = false, features = ["derive"] }
toml = { version = "1", default-features = false }
util = { path = "libs/util", default-features = false }
[workspace.lints.rust]
unsafe_code = "forbid"
[workspace.metadata.release]
shared = true
[profile.release]
opt-level = 0
[profile.release.package.tokio]
opt-level = 3
"#,
    ),
    (
        "apps/agent/Cargo.toml",
        r#"
[package]
name = "agent"
version.workspace = true
edition.workspace = true
readme = "../../README.md"
default-run = "agent"
[features]
default = ["json", "heavy"]
json = ["dep:json", "util/shout"]
ordered = ["json?/raw_value", "tree?/std"]
heavy = ["util/heavy"]
scratch = ["dep:tempfile", "dep:random", "dep:old-random"]
slow-tests = ["proptest/alloc"]
[dependencies]
serde = { workspace = true, features = ["std"] }
util = { workspace = true, features = ["std"] }
vendored = { path = "../../third-party/vendored" }
json = { package = "serde_json", version = "1", optional = true }
tempfile = { version = "3", optional = true }
tree = { package = "indexmap", version = "2", default-features = false, optional = true }
random = { package = "getrandom", version = "0.4", optional = true }
old-random = { package = "getrandom", version = "0.2", optional = true }
[target.'cfg(windows)'.dependencies]
windows-sys = { version = "0.61", features = ["Win32_Foundation"] }
[build-dependencies]
semver = "1"
[dev-dependencies]
proptest = { version = "1", default-features = false, features = ["std"] }
[target.'cfg(unix)'.dev-dependencies]
tar = { version = "0.4", default-features = false }
[[test]]
name = "end"
path = "tests/end.rs"
[[bench]]
name = "speed"
path = "speed/speed.rs"
harness = false
[lints]
workspace = true
"#,
    ),
    (
        "apps/agent/build.rs",
        "fn main() { semver::Version::new(1, 2, 3); println!(\"cargo::rerun-if-changed=build.rs\"); }",
    ),
    (
        "apps/agent/src/main.rs",
        r#"
#[derive(serde::Serialize)]
struct Answer { text: String }
fn main() {
    let answer = Answer { text: format!("{} {}", util::hello(), vendored::NAME) };
    #[cfg(feature = "json")]
    println!("{}", json::to_string(&answer).unwrap());
    #[cfg(not(feature = "json"))]
    println!("{}", answer.text);
    #[cfg(feature = "scratch")]
    {
        assert!(tempfile::tempfile().is_ok());
        let mut bytes = [0; 2];
        random::fill(&mut bytes[..1]).unwrap();
        old_random::getrandom(&mut bytes[1..]).unwrap();
    }
}
"#,
    ),
    ("apps/agent/tests/end.rs", "#[test] fn end() {}"),
    ("apps/agent/speed/speed.rs", "fn main() {}"),
    ("apps/agent/component.toml", "schema = 1"),
    (
        "apps/other/Cargo.toml",
        r#"
[package]
name = "other"
version = "0.1.0"
edition = "2021"
[dependencies]
serde = { workspace = true, features = ["std", "rc"] }
serde_json = { version = "1", features = ["raw_value", "unbounded_depth"] }
tokio = { version = "1", features = ["rt", "time", "net"] }
util = { path = "../../libs/util", features = ["heavy"] }
"#,
    ),
    ("apps/other/src/main.rs", "fn main() { util::hello(); }"),
    (
        "libs/util/Cargo.toml",
        r#"
[package]
name = "util"
version.workspace = true
edition.workspace = true
readme.workspace = true
[features]
default = ["heavy"]
std = ["semver/std", "heavy?/fast"]
shout = []
heavy = ["dep:heavy"]
[dependencies]
semver = { version = "1", default-features = false }
heavy = { path = "../heavy", optional = true }
toml = { workspace = true, optional = true }
[dev-dependencies]
agent = { path = "../../apps/agent" }
"#,
    ),
    (
        "libs/util/src/lib.rs",
        r#"
pub fn hello() -> String {
    let version = semver::Version::new(1, 0, 0);
    if cfg!(feature = "shout") { format!("HELLO {version}") } else { format!("hello {version}") }
}
"#,
    ),
    (
        "libs/heavy/Cargo.toml",
        "[package]\nname = 'heavy'\nversion = '0.3.0'\nedition = '2021'\n[features]\nfast = ['dep:walkdir']\n[dependencies]\nwalkdir = { version = '2', optional = true }\nsha2 = { version = '0.11', default-features = false }\n",
    ),
    ("libs/heavy/src/lib.rs", "pub use sha2::Sha256;"),
    (
        "third-party/vendored/Cargo.toml",
        "[package]\nname = 'vendored'\nversion = '0.0.1'\nedition = '2018'\n[dev-dependencies]\nlibc = '0.2'\n",
    ),
    ("third-party/vendored/src/lib.rs", "pub const NAME: &str = \"vendored\";"),
];

fn check_build(source: &Sandbox, sandbox: &Sandbox, package: &str, names: &[&str], expect: &str) {
    let names = names.join(",");
    let arguments =
        ["build", "--release", "--locked", "--offline", "-p", package, "--no-default-features", "-F", &names];
    // both programs of a test share what is compiled for both
    let stderr = assert_success(&sandbox.cargo_into(&source.root.join("target"), &arguments));
    assert!(!stderr.contains("warning"), "{stderr}");
    let output = Command::new(source.root.join("target/release").join(package)).output().unwrap();
    assert_eq!(String::from_utf8_lossy(&output.stdout).trim(), expect);
}

#[test]
fn cargo_accepts_every_pruned_workspace() {
    let source = Sandbox::workspace(WORKSPACE);
    let workspace = source.read();
    let all = ["json", "ordered", "heavy", "scratch", "slow-tests", "default"];
    for (package, names) in [("agent", &all[..0]), ("agent", &["ordered"]), ("agent", &all), ("other", &[])] {
        let (closure, sandbox) = prune(&workspace, package, names);
        check_lock(&sandbox);
        assert_eq!(closure.flags(), ["--offline", "--locked"]);
    }
}

#[test]
fn vendored_programs_build_and_run() {
    let source = Sandbox::workspace(WORKSPACE);
    let workspace = source.read();
    let (small, sandbox) = prune(&workspace, "agent", &["json"]);
    check_build(&source, &sandbox, "agent", &["json"], r#"{"text":"HELLO 1.0.0 vendored"}"#);
    let names = |keys: Vec<&PackageKey>| keys.iter().map(|key| key.name.clone()).collect::<Vec<_>>();
    assert_eq!(names(small.paths().collect()), ["agent", "util", "vendored"]);
    let stubs = names(small.stubs.keys().collect());
    for stub in ["heavy", "indexmap", "tempfile", "toml", "windows-sys"] {
        assert!(stubs.iter().any(|name| name == stub), "{stub} is not in {stubs:?}");
    }
    let files = sandbox.files();
    for absent in ["apps/agent/component.toml", "apps/agent/tests/end.rs", "apps/other/Cargo.toml"] {
        assert!(!files.contains(absent), "{absent}");
    }
    let (_, sandbox) = prune(&workspace, "agent", &["scratch", "heavy", "ordered"]);
    check_build(&source, &sandbox, "agent", &["scratch", "heavy", "ordered"], "hello 1.0.0 vendored");
}
