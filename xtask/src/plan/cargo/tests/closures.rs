//! What is needed, what is a stub and what is refused, on workspaces made of words.

use std::collections::{BTreeMap, BTreeSet};

use semver::VersionReq;

use crate::manifest::BuildNetwork;
use crate::plan::cargo::{
    Closure, PruneError, Request, binary, check_features, closure, filtered_lock, required_features,
};
use crate::workspace::cargo::{
    CargoBinary, CargoDependency, CargoPackage, CargoWorkspace, DependencyKind, LibraryKind, PackageKey,
};

/// `name` is a path package, `+name` one of a registry, `git+name` one of git, `-name` a registry package that cargo did
/// not describe, because no asked platform has it.
pub(super) fn key(word: &str) -> PackageKey {
    let name = word.trim_start_matches("git").trim_start_matches(['+', '-']);
    let source = match word {
        word if word.starts_with("git+") => Some("git+https://example.com/x#1"),
        word if word.starts_with(['+', '-']) => Some("registry+https://github.com/rust-lang/crates.io-index"),
        _ => None,
    };
    PackageKey { name: name.to_owned(), version: semver::Version::new(1, 0, 0), source: source.map(str::to_owned) }
}

/// `+name`, then `?` for optional, `!` for tests only, `#` for build scripts, `/feature` for features.
fn dependency(word: &str) -> (PackageKey, CargoDependency) {
    let mut parts = word.split('/');
    let first = parts.next().unwrap();
    let key = key(first.trim_end_matches(['?', '!', '#']));
    let kind = match first.as_bytes()[first.len() - 1] {
        b'!' => DependencyKind::Development,
        b'#' => DependencyKind::Build,
        _ => DependencyKind::Normal,
    };
    let dependency = CargoDependency {
        name: key.name.clone(),
        rename: None,
        req: VersionReq::STAR,
        source: key.source.clone(),
        kind,
        target: None,
        optional: first.ends_with('?'),
        default_features: false,
        features: parts.map(str::to_owned).collect(),
    };
    (key, dependency)
}

/// One package per line: `name feature=value,value : dependency dependency`.
pub(super) fn workspace(lines: &str) -> CargoWorkspace {
    let mut workspace = CargoWorkspace { root: "/w".into(), ..CargoWorkspace::default() };
    for line in lines.lines().map(str::trim).filter(|line| !line.is_empty()) {
        let (left, right) = line.split_once(" :").unwrap();
        let mut words = left.split_whitespace();
        let name = words.next().unwrap();
        let (key, dependencies) = (key(name), right.split_whitespace().map(dependency).collect::<Vec<_>>());
        lock(&mut workspace.lock, &key, &dependencies);
        if name.starts_with('-') {
            continue;
        }
        let known = |key: &&PackageKey| !right.contains(&format!("-{}", key.name));
        let resolved = dependencies.iter().map(|(key, dependency)| (key, dependency.kind));
        let package = CargoPackage {
            folder: if name == "away" { "/away".into() } else { format!("/w/{name}").into() },
            manifest: key.is_path().then(|| format!("[package]\nname = '{name}'\nversion = '1.0.0'\n")),
            features: words.map(feature).collect(),
            binaries: Vec::new(),
            library: LibraryKind::Rust,
            library_name: None,
            resolved: resolved
                .filter(|(key, _)| known(key))
                .map(|(key, kind)| (key.clone(), BTreeSet::from([kind])))
                .collect(),
            dependencies: dependencies.into_iter().map(|(_, dependency)| dependency).collect(),
        };
        workspace.members.extend(key.is_path().then(|| key.clone()));
        workspace.packages.insert(key, package);
    }
    workspace
}

fn feature(word: &str) -> (String, Vec<String>) {
    let (name, values) = word.split_once('=').unwrap();
    (name.to_owned(), values.split(',').filter(|value| !value.is_empty()).map(str::to_owned).collect())
}

fn lock(text: &mut String, key: &PackageKey, dependencies: &[(PackageKey, CargoDependency)]) {
    let names: BTreeSet<&str> = dependencies.iter().map(|(key, _)| key.name.as_str()).collect();
    text.push_str(
        &format!("[[package]]\nname = \"{}\"\nversion = \"1.0.0\"\ndependencies = {names:?}\n", key.name)
            .replace('{', "[")
            .replace('}', "]"),
    );
    if let Some(source) = &key.source {
        text.push_str(&format!("source = \"{source}\"\nchecksum = \"00\"\n"));
    }
}

fn close(lines: &str, features: &str, network: BuildNetwork) -> Result<Closure, PruneError> {
    let features = features.split_whitespace().map(str::to_owned).collect();
    closure(&workspace(lines), &Request { package: "app", features: &features, network })
}

fn names<'a>(keys: impl Iterator<Item = &'a PackageKey>) -> String {
    keys.map(|key| key.name.as_str()).collect::<Vec<_>>().join(" ")
}

fn check(lines: &str, features: &str, needed: &str, stubs: &str) {
    let closure = close(lines, features, BuildNetwork::None).unwrap();
    assert_eq!((names(closure.needed.iter()).as_str(), names(closure.stubs.keys()).as_str()), (needed, stubs));
}

#[test]
fn kinds_and_platforms() {
    check("app : +a! +b# +c -w\n+a : \n+b : +d\n+c : \n+d :\n-w : -v\n-v : ", "", "app b c d", "w");
}

#[test]
fn features_choose() {
    let lines = "app f=dep:a g=a?/x h=a/x : +a?\n+a x=dep:b : +b?\n+b : ";
    check(lines, "", "app", "a");
    check(lines, "f", "a app", "b");
    check(lines, "g", "app", "a");
    check(lines, "f g", "a app b", "");
    check(lines, "h", "a app b", "");
}

#[test]
fn members_outside_of_the_closure_have_no_say() {
    check("app : +a\nother : +a/x\n+a x=dep:b : +b?\n+b : ", "", "a app", "");
}

#[test]
fn inactive_path_dependencies_are_stubs() {
    check("app f=dep:lib : lib?/x\nlib x= : +a\n+a : ", "", "app", "lib");
    check("app f=dep:lib : lib?/x\nlib x= : +a\n+a : ", "f", "a app lib", "");
}

#[test]
fn cycles_end() {
    check("app a=b b=a : lib\nlib : app! +a\n+a : ", "a", "a app lib", "");
}

#[test]
fn with_a_network_everything_is_listed() {
    let lines = "app : -w +a\n-w : -v\n-v : \n+a : ";
    let closure = close(lines, "", BuildNetwork::Default).unwrap();
    assert_eq!(names(closure.stubs.keys()), "v w");
    assert_eq!(closure.flags(), [""; 0]);
    let lock = filtered_lock(&closure);
    assert!(lock.contains("name = \"w\"") && lock.contains("dependencies = [\n \"v\",\n]"), "{lock}");
    assert_eq!(close("app : +a\n+a : ", "", BuildNetwork::Default).unwrap().flags(), ["--locked"]);
}

fn check_error(lines: &str, network: BuildNetwork, expect: &str) {
    let error = close(lines, "", network).unwrap_err().to_string();
    assert!(error.contains(expect), "{error}");
}

#[test]
fn refusals_name_the_package() {
    check_error(
        "app : git+lib\ngit+lib : ",
        BuildNetwork::None,
        "package lib 1.0.0 comes from git (git+https://example.com/x#1)",
    );
    check_error(
        "app : away\naway : ",
        BuildNetwork::Default,
        "path dependency away 1.0.0 lies in /away, outside of the workspace /w",
    );
    check_error("apq : ", BuildNetwork::Default, "no package `app`\nhint: did you mean `apq`?");
    close("app : git+lib\ngit+lib : ", "", BuildNetwork::Default).unwrap();
}

fn with_binaries(names: &[&str]) -> CargoWorkspace {
    let mut workspace = workspace("app json= metrics= : ");
    let binary = |name: &&str| CargoBinary { name: (*name).to_owned(), required_features: vec!["json".to_owned()] };
    workspace.packages.get_mut(&key("app")).unwrap().binaries = names.iter().map(binary).collect();
    workspace
}

fn check_binary(names: &[&str], bin: Option<&str>, expect: &str) {
    let found = binary(&with_binaries(names), "app", bin).unwrap_or_else(|error| error.to_string());
    assert_eq!(found, expect);
}

#[test]
fn programs() {
    check_binary(&["app"], None, "app");
    check_binary(&["app", "other"], Some("other"), "other");
    check_binary(
        &["app", "other"],
        None,
        "package `app` has several programs: `app`, `other`\nhint: choose one with `bin`",
    );
    check_binary(&["app", "other"], Some("othr"), "package `app` has no program `othr`\nhint: did you mean `other`?");
    check_binary(&["app", "b"], Some("zzzzzz"), "package `app` has no program `zzzzzz`\nhint: there are `app`, `b`");
    check_binary(&[], None, "package `app` has no program\nhint: add src/main.rs, or name another package");
    assert_eq!(required_features(&with_binaries(&["app"]), "app", None).unwrap(), ["json"]);
}

#[test]
fn features_of_a_package() {
    let check = check_features(&with_binaries(&[]), "app", ["metrics", "jsn", "json"]).unwrap();
    assert_eq!(check.known, ["metrics", "json"]);
    assert_eq!(check.unknown[0].to_string(), "package `app` has no feature `jsn`\nhint: did you mean `json`?");
}

#[test]
fn stubs_know_what_is_asked_of_them() {
    let closure = close("app f=w/y : -w?/x\n-w : ", "", BuildNetwork::None).unwrap();
    let asked: BTreeMap<_, _> = closure.stubs.into_iter().collect();
    assert_eq!(asked[&key("-w")], ["x", "y"].map(str::to_owned).into());
}
