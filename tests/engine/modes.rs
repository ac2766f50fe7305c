//! The images of this repository in every mode, by both engines: each role does in all of them what it does in the merged image,
//! and going from one mode to another and back gives the same digests.

use std::collections::BTreeMap;

use crate::needs_engine_roles::{
    AGENT, CONTENTS, FULL, Fixture, PLAIN, buffer_metrics_serves_what_is_in_a_mounted_folder,
    config_reloader_calls_a_webhook_for_each_change_of_a_mounted_file, drain_watch_tells_drained_from_timeout,
    log_controller_renders_and_refuses, old_paths_start_the_same_programs, restore_helper_waits_for_every_volume,
};
use crate::support::archive::{Image, Kind};
use crate::support::builders::{lock, repository};
use crate::support::workspace::{Registry, program};
use crate::support::{Ended, daemon};

/// Builds all images in a mode.
fn images(mode: &str, engine: &[&str]) -> Option<Fixture> {
    if !daemon() {
        return None;
    }
    let registry = Registry::new();
    let _lock = lock("images");
    let mut build = program(&repository());
    build.args(["build", "logging-operator=*", "node-agent", "--mode", mode]);
    build.args(["--set", &format!("registry.default={}", registry.0)]);
    let ended = Ended::of(build.args(engine)).expect(0);
    let names: Vec<String> = match mode {
        "split" => {
            CONTENTS.iter().flat_map(|(name, parts)| parts.iter().map(|(part, _)| part_of(name, part))).collect()
        }
        _ => [PLAIN, FULL, AGENT].map(str::to_owned).to_vec(),
    };
    assert_eq!(ended.stdout.lines().count(), names.len(), "{}", ended.stdout);
    let read = |name: String| (name.clone(), Image::of_daemon(&format!("{}/{name}", registry.0)));
    Some(Fixture { images: names.into_iter().map(read).collect::<BTreeMap<_, _>>(), registry })
}

/// `image/part:tag` of `image:tag`.
fn part_of(name: &str, part: &str) -> String {
    let (image, tag) = name.split_once(':').unwrap();
    format!("{image}/{part}:{tag}")
}

/// All checks of one mode by one engine: the images are built once for them.
fn check(mode: &str, engine: &[&str], own: impl Fn(&Fixture)) {
    let Some(images) = images(mode, engine) else { return };
    own(&images);
    buffer_metrics_serves_what_is_in_a_mounted_folder(&images);
    config_reloader_calls_a_webhook_for_each_change_of_a_mounted_file(&images);
    drain_watch_tells_drained_from_timeout(&images);
    log_controller_renders_and_refuses(&images);
    old_paths_start_the_same_programs(&images);
    restore_helper_waits_for_every_volume(&images);
}

#[test]
fn split_docker() {
    check("split", &["--engine", "docker"], each_image_starts_its_only_role);
}

#[test]
fn split_native() {
    check("split", &["--engine", "native", "--load"], each_image_starts_its_only_role);
}

#[test]
fn multicall_docker() {
    check("multicall", &["--engine", "docker"], one_program_and_links_to_it);
}

#[test]
fn multicall_native() {
    check("multicall", &["--engine", "native", "--load"], one_program_and_links_to_it);
}

fn each_image_starts_its_only_role(images: &Fixture) {
    for (name, image) in &images.images {
        let (_, part) = name.split_once(':').unwrap().0.split_once('/').unwrap();
        assert_eq!(image.description()["part"], part);
        let version = Ended::of(std::process::Command::new("docker").args([
            "run",
            "--rm",
            "--network=none",
            &format!("{}/{name}", images.registry.0),
            "--version",
        ]));
        assert!(version.expect(0).stdout.starts_with(&format!("{part} ")), "{name}");
    }
}

fn one_program_and_links_to_it(images: &Fixture) {
    for (name, components) in CONTENTS {
        let image = &images.images[*name];
        let programs: Vec<&String> = image
            .tree
            .iter()
            .filter(|(path, entry)| matches!(entry.kind, Kind::File { .. }) && !path.starts_with("/.groupage"))
            .map(|(path, _)| path)
            .collect();
        let program = format!("/usr/libexec/groupage/{}", name.split_once(':').unwrap().0);
        assert_eq!(programs, [&program], "{name}");
        assert_eq!(image.description()["multicall"]["files"][&program]["mode"], "0755");
        for (component, _) in *components {
            let link = Kind::Link { target: format!("..{}", program.strip_prefix("/usr").unwrap()) };
            assert_eq!(image.tree[&format!("/usr/bin/{component}")].kind, link, "{name}");
        }
        let run = |words: &[&str]| {
            let reference = format!("{}/{name}", images.registry.0);
            let fixed = ["run", "--rm", "--network=none", "--entrypoint", &program, &reference];
            Ended::of(std::process::Command::new("docker").args([&fixed[..], words].concat()))
        };
        let names: Vec<&str> = components.iter().map(|(component, _)| *component).collect();
        assert_eq!(run(&["--list"]).expect(0).stdout.lines().collect::<Vec<_>>(), names);
        for component in names {
            assert!(run(&[component, "--version"]).expect(0).stdout.starts_with(&format!("{component} ")), "{name}");
        }
        let unknown = run(&["nobody"]).expect(2).stderr;
        assert!(unknown.contains("there is no `nobody`") && unknown.contains("hint: one of"), "{unknown}");
    }
}

/// Both modes of one definition, built in turns.
#[test]
fn going_back_gives_the_same_digests() {
    if !daemon() {
        return;
    }
    let _lock = lock("images");
    for engine in ["native", "docker"] {
        let registry = Registry::new();
        let build = |mode: &str| {
            let mut build = program(&repository());
            build.args(["build", "node-agent", "--engine", engine, "--mode", mode]);
            Ended::of(build.args(["--set", &format!("registry.default={}", registry.0)])).expect(0).stdout
        };
        let first = ["split", "multicall", "colocated"].map(build);
        let again = ["split", "multicall", "colocated"].map(build);
        assert_eq!(first, again, "{engine}");
        assert_ne!(first[1], first[2]);
    }
}
