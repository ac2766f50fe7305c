//! What cargo and rustc are told, so that a program has the bytes that the container of the Docker engine gives it.
//!
//! That container compiles at `/src`, with vendored crates below it or a cargo home of `/usr/local/cargo`, and knows nothing
//! of this machine. What could make a difference:
//!
//! | what | what is done |
//! |---|---|
//! | paths of sources, in panic messages and debug information | `--remap-path-prefix` to those of the container |
//! | `OUT_DIR`, whose name has a hash of the flags | a set of flags with any remapping has no part in it, so the container remaps too |
//! | the standard library, where `rust-src` is installed | its folder is remapped to `/rustc/<commit>`, as it is elsewhere |
//! | symbol names | cargo hashes places relative to the workspace, and no flags |
//! | flags, profiles and targets from variables | only the variables of [`KEPT`] reach cargo |
//! | flags from configuration files | variables win over them |
//! | features that other programs want | see [`crate::plan::cargo::groups`] |
//! | `env!("CARGO_MANIFEST_DIR")` and C compilers' `__FILE__` | nothing can be done; a program that holds such a path is reported |
//! | the C library and linker | must be of the same version, as rustc must; nothing checks it |
//! | `[profile]` and `[env]` in configuration files outside of the workspace | nothing is done |

use std::collections::{BTreeMap, BTreeSet};

use camino::{Utf8Path, Utf8PathBuf};

use super::program::Program;
use crate::manifest::Link;
use crate::plan::cargo::{crate_folder, vendor_folder};
use crate::workspace::cargo::{CargoWorkspace, PackageKey};

/// Where the container has the workspace.
const SOURCE: &str = "/src";
/// Where the container has the cargo home.
const CARGO_HOME: &str = "/usr/local/cargo";

/// Variables that reach cargo: where tools, their settings, the network and accounts are. A name that ends in `_` stands for
/// all that begin so.
///
/// `RUSTC_WRAPPER` and its settings stay: a wrapper such as sccache runs the same compiler, and who set it wants the speed.
/// What a build script needs belongs to `[env]` of `.cargo/config.toml`, which the container gets as well.
const KEPT: &[&str] = &[
    "ALL_PROXY",
    "all_proxy",
    "CARGO_HOME",
    "CARGO_HTTP_",
    "CARGO_NET_",
    "CARGO_REGISTRIES_",
    "CARGO_REGISTRY_",
    "CURL_CA_BUNDLE",
    "GIT_SSH",
    "GIT_SSH_COMMAND",
    "HOME",
    "HTTPS_PROXY",
    "https_proxy",
    "HTTP_PROXY",
    "http_proxy",
    "NIX_",
    "NO_PROXY",
    "no_proxy",
    "PATH",
    "RUSTC_WRAPPER",
    "RUSTUP_",
    "SCCACHE_",
    "SSH_AUTH_SOCK",
    "SSL_CERT_DIR",
    "SSL_CERT_FILE",
    "TEMP",
    "TMP",
    "TMPDIR",
    "USER",
];

/// The variables of a cargo run, without flags. Linkers of targets are tools too: `CARGO_TARGET_<TRIPLE>_LINKER` stays.
pub(super) fn environment(given: &BTreeMap<String, String>) -> BTreeMap<String, String> {
    let listed = |known: &str, name: &str| if known.ends_with('_') { name.starts_with(known) } else { name == known };
    let linker = |name: &str| name.starts_with("CARGO_TARGET_") && name.ends_with("_LINKER");
    let kept = |name: &str| linker(name) || KEPT.iter().any(|known| listed(known, name));
    given.iter().filter(|(name, _)| kept(name)).map(|(name, value)| (name.clone(), value.clone())).collect()
}

/// The folder of cargo's registries on this machine.
pub(super) fn cargo_home(environment: &BTreeMap<String, String>) -> Option<Utf8PathBuf> {
    let own = environment.get("CARGO_HOME").map(Utf8PathBuf::from);
    own.or_else(|| Some(Utf8Path::new(environment.get("HOME")?).join(".cargo")))
}

/// Places on this machine, and what stands for them in a program.
#[derive(Debug, Clone, Copy)]
pub(super) struct Places<'a> {
    pub workspace: &'a CargoWorkspace,
    pub target_dir: &'a Utf8Path,
    pub cargo_home: Option<&'a Utf8Path>,
    /// Sources of the standard library and what they are called, if the compiler has a commit.
    pub library: Option<(&'a Utf8Path, &'a str)>,
}

/// Flags of a program, each an argument of rustc.
pub(super) fn rustflags(places: &Places<'_>, link: Link, vendored: bool) -> Vec<String> {
    let mut flags = link_flags(link);
    flags.extend(remaps(places, vendored).iter().map(|(from, to)| format!("--remap-path-prefix={from}={to}")));
    flags
}

/// Flags that change which code is compiled, and not only what it is called.
pub(super) fn link_flags(link: Link) -> Vec<String> {
    match link {
        Link::Static => ["-C", "target-feature=+crt-static"].map(str::to_owned).to_vec(),
        Link::Dynamic => Vec::new(),
    }
}

/// Of several that fit a path rustc takes the last.
fn remaps(places: &Places<'_>, vendored: bool) -> Vec<(Utf8PathBuf, String)> {
    let mut remaps = vec![
        (places.workspace.root.clone(), SOURCE.to_owned()),
        (places.target_dir.to_owned(), format!("{SOURCE}/target")),
    ];
    remaps.extend(places.cargo_home.map(|home| (home.to_owned(), CARGO_HOME.to_owned())));
    remaps.extend(places.library.map(|(folder, name)| (folder.to_owned(), name.to_owned())));
    if vendored {
        let packages = places.workspace.packages.iter();
        let crates: BTreeSet<_> = packages.filter_map(|(key, package)| vendored_at(key, &package.folder)).collect();
        remaps.extend(crates);
    }
    remaps
}

/// A folder of crates whose names are those that the container has; else the folder of the crate itself.
fn vendored_at(key: &PackageKey, folder: &Utf8Path) -> Option<(Utf8PathBuf, String)> {
    let registry = format!("{SOURCE}/{}", vendor_folder(key.source.as_deref()?));
    let name = crate_folder(key);
    match folder.parent() {
        Some(parent) if folder.file_name() == Some(&name) => Some((parent.to_owned(), registry)),
        _ => Some((folder.to_owned(), format!("{registry}/{name}"))),
    }
}

/// Arguments of `cargo build` that say what is built. With one program they are those of the container.
pub(super) fn selection(workspace: &CargoWorkspace, programs: &[&Program]) -> Vec<String> {
    let mut arguments = Vec::new();
    let packages: BTreeSet<&str> = programs.iter().map(|program| program.package.as_str()).collect();
    let bins: BTreeSet<&str> = programs.iter().map(|program| program.bin.as_str()).collect();
    packages.iter().for_each(|package| arguments.extend(["--package".to_owned(), specification(workspace, package)]));
    bins.iter().for_each(|bin| arguments.extend(["--bin".to_owned(), (*bin).to_owned()]));
    let features: BTreeSet<String> = match programs {
        [only] => {
            arguments.extend((!only.default_features).then(|| "--no-default-features".to_owned()));
            only.features.clone()
        }
        _ => {
            arguments.push("--no-default-features".to_owned());
            programs.iter().flat_map(|program| qualified(workspace, program)).collect()
        }
    };
    if !features.is_empty() {
        let features: Vec<String> = features.into_iter().collect();
        arguments.extend(["--features".to_owned(), features.join(",")]);
    }
    arguments
}

/// A dependency may have the name of a member, but hardly its version too.
fn specification(workspace: &CargoWorkspace, package: &str) -> String {
    match workspace.members.iter().find(|key| key.name == package) {
        Some(key) => format!("{package}@{}", key.version),
        None => package.to_owned(),
    }
}

/// `PACKAGE/FEATURE`; a `default` that the package does not declare is nothing, and cargo would not know it.
fn qualified(workspace: &CargoWorkspace, program: &Program) -> Vec<String> {
    let member = workspace.members.iter().find(|key| key.name == program.package);
    let declared = member.and_then(|key| workspace.packages.get(key)).map(|package| &package.features);
    let known = |feature: &String| feature != "default" || declared.is_some_and(|all| all.contains_key("default"));
    let features = program.all_features();
    features.into_iter().filter(known).map(|feature| format!("{}/{feature}", program.package)).collect()
}

/// A place of this machine that is named in a program.
pub(super) fn leak(
    bytes: &[u8],
    workspace: &CargoWorkspace,
    environment: &BTreeMap<String, String>,
) -> Option<Utf8PathBuf> {
    let places = [Some(workspace.root.clone()), cargo_home(environment)];
    // a place as short as `/src` is found by chance
    let mut places = places.into_iter().flatten().filter(|place| place.components().count() > 2);
    places.find(|place| {
        let place = format!("{place}/");
        bytes.windows(place.len()).any(|part| part == place.as_bytes())
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn map(words: &[&str]) -> BTreeMap<String, String> {
        words.iter().map(|word| word.split_once('=').unwrap()).map(|(a, b)| (a.to_owned(), b.to_owned())).collect()
    }

    #[test]
    fn tools_and_networks_reach_cargo_and_flags_do_not() {
        let kept =
            ["PATH=/bin", "HOME=/home/u", "RUSTUP_TOOLCHAIN=stable", "https_proxy=http://p", "RUSTC_WRAPPER=sccache"];
        let linker = ["CARGO_TARGET_AARCH64_UNKNOWN_LINUX_GNU_LINKER=gcc", "CARGO_REGISTRIES_MINE_TOKEN=x"];
        let gone = [
            "RUSTFLAGS=-Ctarget-cpu=native",
            "CARGO_ENCODED_RUSTFLAGS=x",
            "CARGO_BUILD_TARGET=x",
            "CARGO_PROFILE_RELEASE_LTO=fat",
            "CARGO_TARGET_DIR=x",
            "CARGO_TARGET_X86_64_UNKNOWN_LINUX_GNU_RUSTFLAGS=x",
            "CFLAGS=-O0",
            "RUSTC_BOOTSTRAP=1",
            "SOURCE_DATE_EPOCH=1",
            "PATHS=x",
        ];
        let given: Vec<&str> = kept.into_iter().chain(linker).chain(gone).collect();
        let expect: Vec<&str> = kept.into_iter().chain(linker).collect();
        assert_eq!(environment(&map(&given)), map(&expect));
    }

    #[test]
    fn the_home_of_cargo() {
        let check = |words: &[&str], expect: Option<&str>| assert_eq!(cargo_home(&map(words)), expect.map(Into::into));
        check(&["CARGO_HOME=/c", "HOME=/h"], Some("/c"));
        check(&["HOME=/h"], Some("/h/.cargo"));
        check(&[], None);
    }

    #[test]
    fn places_of_crates() {
        let source = Some("registry+https://github.com/rust-lang/crates.io-index".to_owned());
        let key = PackageKey { name: "thing".to_owned(), version: semver::Version::new(1, 2, 3), source };
        let check = |key: &PackageKey, folder: &str, expect: Option<(&str, &str)>| {
            let place = vendored_at(key, Utf8Path::new(folder));
            assert_eq!(place, expect.map(|(from, to)| (from.into(), to.to_owned())));
        };
        check(&key, "/c/registry/src/x/thing-1.2.3", Some(("/c/registry/src/x", "/src/.cargo/vendor")));
        // vendored by somebody else
        check(&key, "/w/vendor/thing", Some(("/w/vendor/thing", "/src/.cargo/vendor/thing-1.2.3")));
        check(&PackageKey { source: None, ..key }, "/w/thing", None);
    }

    #[test]
    fn flags_of_a_program() {
        let workspace = CargoWorkspace { root: "/w w".into(), ..CargoWorkspace::default() };
        let places = Places {
            workspace: &workspace,
            target_dir: Utf8Path::new("/w w/target/groupage/cargo"),
            cargo_home: Some(Utf8Path::new("/c")),
            library: Some((Utf8Path::new("/s/lib/rustlib/src/rust"), "/rustc/1")),
        };
        let remaps = [
            "--remap-path-prefix=/w w=/src",
            "--remap-path-prefix=/w w/target/groupage/cargo=/src/target",
            "--remap-path-prefix=/c=/usr/local/cargo",
            "--remap-path-prefix=/s/lib/rustlib/src/rust=/rustc/1",
        ];
        assert_eq!(rustflags(&places, Link::Dynamic, true), remaps);
        assert_eq!(rustflags(&places, Link::Static, false)[..2], ["-C", "target-feature=+crt-static"]);
    }
}
