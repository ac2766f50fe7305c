//! Which programs share a run of cargo, on workspaces made of words.

use std::collections::BTreeSet;

use super::closures::{key, workspace};
use crate::plan::cargo::{Candidate, Target, Targets, groups};
use crate::workspace::cargo::{CargoBinary, CargoWorkspace, LibraryKind};

const LINUX: &str = "unix\ntarget_os=\"linux\"\ntarget_env=\"gnu\"\n";
const MACOS: &str = "unix\ntarget_os=\"macos\"\n";

/// The groups of `package/feature/feature …`, with the first program of each package.
fn grouped(workspace: &CargoWorkspace, programs: &str) -> String {
    let words: Vec<(&str, BTreeSet<String>)> = programs
        .split_whitespace()
        .map(|word| {
            let mut parts = word.split('/');
            (parts.next().unwrap(), parts.map(str::to_owned).collect())
        })
        .collect();
    let bin = |package: &str| match workspace.packages[&key(package)].binaries.first() {
        Some(binary) => binary.name.clone(),
        None => package.to_owned(),
    };
    let bins: Vec<String> = words.iter().map(|(package, _)| bin(package)).collect();
    let candidates: Vec<Candidate<'_>> =
        words.iter().zip(&bins).map(|((package, features), bin)| Candidate { package, bin, features }).collect();
    let target = Target::parse("x86_64-unknown-linux-gnu", LINUX).unwrap();
    let host = Target::parse("aarch64-apple-darwin", MACOS).unwrap();
    let groups = groups(workspace, &candidates, Targets { target: &target, host: &host }).unwrap();
    let name = |group: &Vec<usize>| group.iter().map(|index| words[*index].0).collect::<Vec<_>>().join("+");
    groups.iter().map(name).collect::<Vec<_>>().join(" ")
}

fn with_resolver(lines: &str, resolver: &str) -> CargoWorkspace {
    let root_manifest = format!("[workspace]\nresolver = '{resolver}'\n");
    CargoWorkspace { root_manifest, ..workspace(lines) }
}

fn check(lines: &str, programs: &str, expect: &str) {
    assert_eq!(grouped(&with_resolver(lines, "2"), programs), expect, "{lines}");
}

#[test]
fn programs_with_nothing_in_common_share_a_run() {
    check("a : +x/f\nb : +y\n+x f= : \n+y : ", "a b", "a+b");
    check("a : \nb : \nc : ", "a b c", "a+b+c");
}

#[test]
fn what_both_need_must_have_the_same_features() {
    let lines = "a : +x/f\nb : +x\nc : +x/f\n+x f= : ";
    check(lines, "a b c", "a+c b");
    // asked for in two ways, the same in the end
    check("a : +x/g\nb : +x/f/g\n+x f= g=f : ", "a b", "a+b");
    check("a : +m\nb : +x\n+m : +x/f\n+x f= : ", "a b", "a b");
    check("a f=m/f : +m\nb : +m\n+m f= : ", "a b", "a+b");
    check("a f=m/f : +m\nb : +m\n+m f= : ", "a/f b", "a b");
    // a default that is not declared is nothing
    check("a : +x/default\nb : +x\n+x f= : ", "a b", "a+b");
    // one package twice: the same features or another run
    check("a f= : ", "a a/f a", "a+a a");
}

#[test]
fn build_scripts_are_apart() {
    check("a : +x/f +y#\nb : +x/f\n+x f= : \n+y : +x", "a b", "a+b");
    check("a : +y#\nb : +x/f\n+x f= : \n+y : +x", "a b", "a+b");
    check("a : +y#\nb : +x#/f\n+x f= : \n+y : +x", "a b", "a b");
    // what a procedural macro needs runs where build scripts run
    let mut macros = with_resolver("a : +m\nb : +x/f\n+m : +x\n+x f= : ", "3");
    macros.packages.get_mut(&key("+m")).unwrap().library = LibraryKind::Macro;
    assert_eq!(grouped(&macros, "a b"), "a+b");
}

#[test]
fn tests_and_other_platforms_do_not_count() {
    check("a : +x!/f\nb : +x\n+x f= : ", "a b", "a+b");
    let with_condition = |condition: &str| {
        let mut workspace = with_resolver("a : +x/f +x\nb : +x\n+x f= : ", "2");
        workspace.packages.get_mut(&key("a")).unwrap().dependencies[0].target = Some(condition.to_owned());
        grouped(&workspace, "a b")
    };
    assert_eq!(with_condition("cfg(windows)"), "a+b");
    assert_eq!(with_condition("cfg(target_os = \"macos\")"), "a+b");
    assert_eq!(with_condition("cfg(target_os = \"linux\")"), "a b");
    assert_eq!(with_condition("x86_64-unknown-linux-gnu"), "a b");
    // a condition that we cannot read may be true
    assert_eq!(with_condition("cfg(strange(\"x\"))"), "a b");
}

#[test]
fn weak_features_wait() {
    let lines = "a f=x?/g : +x?\nb f=x?/g h=dep:x : +x?\nc : +x\n+x g= : ";
    check(lines, "a/f b/f c", "a+b+c");
    check(lines, "a/f b/f/h c", "a+b c");
}

#[test]
fn what_cannot_be_shown_runs_alone() {
    let lines = "a : \nb : ";
    assert_eq!(grouped(&with_resolver(lines, "1"), "a b"), "a b");
    assert_eq!(grouped(&workspace(lines), "a b"), "a b");
    // cargo was not asked about the platform of a package
    check("a : -w\nb : \n-w : ", "a b", "a b");
    let mut foreign = with_resolver("a : +x\nb : \n+x : ", "2");
    foreign.packages.get_mut(&key("+x")).unwrap().library = LibraryKind::Foreign;
    assert_eq!(grouped(&foreign, "a b"), "a b");
}

#[test]
fn names_must_not_be_ambiguous() {
    // `-F a/f` could be a feature of what `b` depends on
    check("a : \nb : a", "a b", "a b");
    check("a : \nb : a!", "a b", "a b");
    let with_bins = |of_a: &[&str], of_b: &[&str]| {
        let mut workspace = with_resolver("a : \nb : ", "2");
        for (package, names) in [("a", of_a), ("b", of_b)] {
            let binary = |name: &&str| CargoBinary { name: (*name).to_owned(), required_features: Vec::new() };
            workspace.packages.get_mut(&key(package)).unwrap().binaries = names.iter().map(binary).collect();
        }
        grouped(&workspace, "a b")
    };
    assert_eq!(with_bins(&["one"], &["two"]), "a+b");
    assert_eq!(with_bins(&["one"], &["one"]), "a b");
    assert_eq!(with_bins(&["one"], &["two", "one"]), "a b");
    assert_eq!(with_bins(&["one", "two"], &["two"]), "a b");
}
