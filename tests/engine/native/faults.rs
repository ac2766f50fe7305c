//! Pulls and pushes that are killed at any moment: nothing half-written here, nothing half-pushed there, and the next run does
//! the work. `GROUPAGE_TEST_KILLS` says how often, 40 times each when it is not set.

use std::process::Command;

use crate::native_samples::{image, pseudo_random};
use crate::support::kill::{Moments, how_often};
use crate::support::layout::Layout;
use crate::support::native::{EPOCH, NOBODY};
use crate::support::readers::{programs, skopeo_copy};
use crate::support::registry::LocalRegistry;
use crate::support::workspace::{Workspace, program};
use crate::support::{Ended, unique};

/// Components of this size, two of them.
const SIZE: usize = 4 * 1024 * 1024;

fn workspace(base: &str, settings: &str) -> Workspace {
    let workspace = Workspace::empty();
    workspace.write("groupage.toml", format!("schema = 1\n{settings}"));
    for (seed, name) in [(1, "a"), (2, "b")] {
        workspace.files_component(name, &format!("[[install]]\nfrom = \"data\"\nto = \"/srv/{name}\"\n"));
        workspace.write(&format!("components/{name}/data"), pseudo_random(seed, SIZE));
    }
    image(&workspace, "app", base, &["a", "b"], "");
    workspace
}

fn forget(workspace: &Workspace) {
    let top = workspace.root().join("target/groupage");
    if top.exists() {
        std::fs::remove_dir_all(top).unwrap();
    }
}

#[test]
fn a_killed_pull_leaves_nothing_half_written() {
    if !programs(&["skopeo"]) {
        return;
    }
    let Some(registry) = LocalRegistry::start() else { return };
    // an image of the native engine itself is a base as good as any
    let base = workspace("scratch", "");
    let layout = base.build_native("app", &[]);
    let reference = format!("{}/base:{}", registry.name(), unique());
    let from = format!("oci:{}", layout.folder().display());
    skopeo_copy(&from, &format!("docker://{reference}"));

    let workspace = workspace("like", &format!("[bases]\nlike = {reference:?}\n"));
    image(&workspace, "app", "like", &["a"], "");
    let expect = workspace.build_native("app", &[]).digest();
    let mut moments = Moments::new(11, || {
        forget(&workspace);
        workspace.native(&[])
    });
    for count in 0..how_often(40) {
        forget(&workspace);
        moments.kill(workspace.native(&[]));
        workspace.check_invariants().unwrap_or_else(|problem| panic!("after kill {count}: {problem}"));
        assert_eq!(workspace.build_native("app", &[]).digest(), expect, "after kill {count}");
    }
    moments.expect_hits();
}

/// What a registry serves is compared with its name, whatever it is: the run ends with 1 and keeps nothing of it.
#[test]
fn what_a_registry_has_damaged_is_refused() {
    if !programs(&["skopeo"]) {
        return;
    }
    let Some(registry) = LocalRegistry::start() else { return };
    let base = workspace("scratch", "");
    let from = format!("oci:{}", base.build_native("app", &[]).folder().display());
    let reference = format!("{}/base:1", registry.name());
    skopeo_copy(&from, &format!("docker://{reference}"));
    let workspace = workspace("like", &format!("[bases]\nlike = {reference:?}\n"));
    let expect = workspace.build_native("app", &[]).digest();

    let mut names = registry.stored();
    // the manifest is compared by this registry itself, which does not give it out then
    let manifest = registry.complete("base", "1").unwrap().expect("it was pushed");
    names.remove(manifest.trim_start_matches("sha256:"));
    assert!(names.len() >= 3, "layers and a configuration: {names:?}");
    for name in names {
        let (file, damaged) = (registry.file(&name), format!("sha256:{name}"));
        let whole = std::fs::read(&file).unwrap();
        let mut other = whole.clone();
        let middle = other.len() / 2;
        other[middle] ^= 1;
        for bytes in [&other[..], &whole[..whole.len() - 1]] {
            std::fs::write(&file, bytes).unwrap();
            forget(&workspace);
            let ended = Ended::of(&mut workspace.native(&[])).expect(1);
            assert!(ended.stderr.contains(&damaged), "no {damaged} in:\n{}", ended.stderr);
            assert_eq!(ended.stdout, "");
            workspace.check_invariants().unwrap();
            assert!(!workspace.root().join("target/groupage/cache/blobs/sha256").join(&name).exists());
            assert!(!workspace.root().join("target/groupage/oci/app").exists());
        }
        std::fs::write(&file, whole).unwrap();
        assert_eq!(workspace.build_native("app", &[]).digest(), expect);
    }
}

#[test]
fn a_killed_push_leaves_no_tag_without_its_image() {
    let Some(registry) = LocalRegistry::start() else { return };
    let workspace = workspace("scratch", "");
    let push = || -> Command {
        let mut push = program(workspace.root());
        push.args(["build", "--engine", "native", "--push"]);
        push.args(["--set", &format!("registry.default={}/team", registry.name())]);
        push.env("DOCKER_HOST", NOBODY).env("SOURCE_DATE_EPOCH", EPOCH);
        push
    };
    let mut moments = Moments::new(13, || {
        registry.clear();
        push()
    });
    let expect = registry.complete("team/app", "1.0.0").unwrap().expect("it was pushed");
    for count in 0..how_often(40) {
        registry.clear();
        // every other time, the layers are compressed anew as well
        if count % 2 == 0 {
            forget(&workspace);
        }
        moments.kill(push());
        let seen =
            registry.complete("team/app", "1.0.0").unwrap_or_else(|problem| panic!("after kill {count}: {problem}"));
        assert!(seen.is_none() || seen.as_ref() == Some(&expect), "after kill {count}: {seen:?}");
        workspace.check_invariants().unwrap_or_else(|problem| panic!("after kill {count}: {problem}"));

        Ended::of(&mut push()).expect(0);
        assert_eq!(registry.complete("team/app", "1.0.0"), Ok(Some(expect.clone())), "after kill {count}");
    }
    moments.expect_hits();
    Layout::of_image(workspace.root(), "app");
}
