//! What is no input: time, place, who runs it. One monorepo with every kind of component.

use std::collections::BTreeMap;
use std::fs;
use std::os::unix::fs::PermissionsExt as _;
use std::path::Path;
use std::process::Command;

use proptest::strategy::{Strategy as _, ValueTree as _};
use proptest::test_runner::{RngAlgorithm, TestRng, TestRunner};

use super::monorepo::{Kind, Monorepo, Written, monorepo};
use super::{fingerprints, of_plan, write};
use crate::support::sandbox::Sandbox;

/// One with components of these kinds, and its fingerprints.
fn some(kinds: &'static [Kind], last: Kind) -> (Monorepo, Sandbox, BTreeMap<String, String>) {
    let rng = TestRng::from_seed(RngAlgorithm::ChaCha, b"groupage: the same on every box.");
    let mut runner = TestRunner::new_with_rng(super::super::ProptestConfig::default(), rng);
    let has_all = |monorepo: &Monorepo| monorepo.components.iter().any(|component| component.kind == last);
    let strategy = monorepo(kinds).prop_filter("every kind", has_all);
    let mut monorepo = strategy.new_tree(&mut runner).expect("most are good").current();
    monorepo.components[0].files.values_mut().for_each(|file| file.executable = true);
    let sandbox = Sandbox::new();
    write(&sandbox, &Written::new(), &monorepo.write());
    let prints = fingerprints(&sandbox);
    assert!(prints.len() >= 4);
    (monorepo, sandbox, prints)
}

const ALL: &[Kind] = &[Kind::Files, Kind::Script, Kind::Cargo];

#[test]
fn a_touched_file_changes_nothing() {
    let (monorepo, sandbox, prints) = some(ALL, Kind::Cargo);
    for time in [1_000_000_000, 4_000_000_000] {
        for path in monorepo.write().keys() {
            let time = filetime::FileTime::from_unix_time(time, 0);
            filetime::set_file_mtime(sandbox.root().join(path), time).expect("a time");
        }
        assert_eq!(fingerprints(&sandbox), prints);
    }
    // written again: another inode, too
    for (path, (text, executable)) in monorepo.write() {
        let (path, next) = (sandbox.root().join(&path), sandbox.root().join("next"));
        fs::write(&next, text).expect("a file");
        fs::set_permissions(&next, fs::Permissions::from_mode(if executable { 0o755 } else { 0o644 })).expect("a mode");
        fs::rename(next, path).expect("it is replaced");
    }
    assert_eq!(fingerprints(&sandbox), prints);
}

#[test]
fn another_directory_changes_nothing() {
    let (monorepo, _, prints) = some(ALL, Kind::Cargo);
    let other = Sandbox::new();
    // backwards: no folder lists its files in the order of before
    let written = monorepo.write();
    for (path, file) in written.iter().rev() {
        write(&other, &Written::new(), &Written::from([(path.clone(), file.clone())]));
    }
    assert_eq!(fingerprints(&other), prints);
}

#[test]
fn a_fresh_clone_changes_nothing() {
    let (_, sandbox, prints) = some(ALL, Kind::Cargo);
    let clone = Sandbox::new();
    let git = "git -c user.name=a -c user.email=a@example -c init.defaultBranch=main";
    let ended =
        sandbox.shell(&format!("printf 'target\\n' >.gitignore && {git} init -q && {git} add . && {git} commit -qm a"));
    assert_eq!(ended.code, Some(0), "{}", ended.stderr);
    // other permission bits than those that git knows of
    let from = sandbox.root().display();
    let ended = clone.shell(&format!("umask 077 && {git} clone -q '{from}' copy && mv copy/.git copy/* ."));
    assert_eq!(ended.code, Some(0), "{}", ended.stderr);
    assert_eq!(fingerprints(&clone), prints);
}

/// Cargo's own folders belong to whoever runs this, so that there is no package here.
#[test]
fn another_user_changes_nothing() {
    let (_, sandbox, prints) = some(&[Kind::Files, Kind::Script], Kind::Script);
    let open = |path: &Path| fs::set_permissions(path, fs::Permissions::from_mode(0o755)).expect("it is ours");
    let root = sandbox.root();
    root.ancestors().take(2).for_each(open);
    let _ = fs::remove_dir_all(root.join("target"));
    // where temporary folders or the program are in a place that others do not see, or this is not root, nothing can be said
    let program = env!("CARGO_BIN_EXE_xtask");
    let user = ["--reuid=65534", "--regid=65534", "--clear-groups", program];
    let plan =
        |arguments: &[&str]| Command::new("setpriv").args(user).args(arguments).current_dir(root).env_clear().output();
    match plan(&["--version"]) {
        Ok(output) if output.status.success() => {}
        _ => return println!("not tried: this user cannot run programs as another one"),
    }
    let images: Vec<String> = prints.keys().cloned().collect();
    let arguments = ["plan", "--format", "json", "--offline"].into_iter().chain(images.iter().map(String::as_str));
    let output = plan(&arguments.collect::<Vec<_>>()).expect("it starts");
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    assert_eq!(of_plan(&String::from_utf8_lossy(&output.stdout)), prints);
}
