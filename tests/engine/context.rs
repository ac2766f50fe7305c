//! `generate --context`, built by other programs, gives the image that `build` gives: the same paths, types, modes, owners,
//! link targets and contents, and the same configuration.
//!
//! Two of them, because one could share a mistake with the engine: plain `docker build`, where the client can speak to
//! BuildKit (before Docker 23, or with buildx), and buildah, which reads Dockerfiles by itself.

use std::path::Path;
use std::process::Command;

use crate::needs_engine_kinds::four_kinds;
use crate::support::archive::Image;
use crate::support::builders::{self, lock, repository};
use crate::support::image::same;
use crate::support::workspace::{Registry, Workspace, program};
use crate::support::{Ended, daemon, unique};

/// `umask MASK`, then the command.
fn masked(mask: &str, command: &Command) -> Command {
    let mut masked = Command::new("/bin/sh");
    masked.args(["-c", &format!("umask {mask} && exec \"$0\" \"$@\"")]).arg(command.get_program());
    masked.args(command.get_args()).current_dir(command.get_current_dir().expect("it has one"));
    masked
}

/// Client programs of Docker that can build with BuildKit.
pub fn docker_client() -> Option<&'static str> {
    let says = |client: &str, arguments: &[&str]| {
        let output = Command::new(client).args(arguments).output().ok().filter(|output| output.status.success())?;
        Some(String::from_utf8_lossy(&output.stdout).into_owned())
    };
    let can = |client: &&str| {
        let major = |text: String| text.split('.').next().and_then(|major| major.trim().parse::<u32>().ok());
        says(client, &["buildx", "version"]).is_some()
            || says(client, &["version", "--format", "{{.Client.Version}}"])
                .and_then(major)
                .is_some_and(|major| major < 23)
    };
    ["docker", "/usr/bin/docker"].into_iter().find(can)
}

fn has_buildah() -> bool {
    Command::new("buildah").arg("--version").output().is_ok_and(|output| output.status.success())
}

/// Plain `docker build`, with the line that `generate` hints at.
fn by_docker(client: &str, context: &Path) -> Image {
    built_by_docker(client, context, &[])
}

/// The same with more arguments.
pub fn built_by_docker(client: &str, context: &Path, more: &[String]) -> Image {
    let registry = Registry::new();
    let tag = format!("{}/plain:1", registry.0);
    let mut build = Command::new(client);
    build.args(["build", "--network", "none", "--tag", &tag]).args(more).arg(context).env("DOCKER_BUILDKIT", "1");
    Ended::of(&mut build).expect(0);
    Image::of_daemon(&tag)
}

/// Buildah, in its own store; images that it has to begin with come out of the daemon.
fn by_buildah(context: &Path, wanted: &[String]) -> Image {
    let _lock = lock("buildah");
    for reference in wanted {
        let id = |program: &str, arguments: &[&str]| {
            let ended = Ended::of(Command::new(program).args(arguments).arg(reference));
            ended.stdout.trim().trim_start_matches("sha256:").to_owned()
        };
        let there = id("buildah", &["inspect", "--type", "image", "--format", "{{.FromImageID}}"]);
        if there != id("docker", &["image", "inspect", "--format", "{{.Id}}"]) {
            Ended::of(Command::new("buildah").args(["pull", &format!("docker-daemon:{reference}")])).expect(0);
        }
    }
    let (tag, folder) = (format!("localhost/groupage-test/{}", unique()), tempfile::tempdir().unwrap());
    let mut build = Command::new("buildah");
    build
        .args(["bud", "--layers", "--pull-never", "--network", "none", "--identity-label=false", "--tag", &tag])
        .arg(context);
    Ended::of(&mut build).expect(0);
    let file = folder.path().join("image.tar");
    let pushed = Ended::of(Command::new("buildah").args(["push", &tag, &format!("docker-archive:{}", file.display())]));
    Ended::of(Command::new("buildah").args(["rmi", &tag]));
    pushed.expect(0);
    Image::of_bytes(&std::fs::read(file).unwrap())
}

/// The images of this repository, by `build`.
fn build_all(registry: &Registry, builder: &str) {
    let _lock = lock("images");
    let registry = format!("registry.default={}", registry.0);
    Ended::of(program(&repository()).args(["build", "--engine", "docker", "--set", &registry, "--set", builder]))
        .expect(0);
}

#[test]
fn plain_docker_build_gives_the_images_of_this_repository() {
    if !daemon() {
        return;
    }
    let Some(client) = docker_client() else { return eprintln!("skipped: this Docker client needs buildx") };
    let registry = Registry::new();
    let builder = format!("builders.rust={}", builders::rust());
    build_all(&registry, &builder);
    let folder = tempfile::tempdir().unwrap();
    for (name, mask) in [("logging-operator", "022"), ("node-agent", "022"), ("node-agent", "077")] {
        let context = folder.path().join(format!("{name}-{mask}"));
        let mut generate = program(&repository());
        generate.args(["generate", name, "--set", &builder, "--context"]).arg(&context);
        Ended::of(&mut masked(mask, &generate)).expect(0);
        let built = Image::of_daemon(&format!("{}/{name}:0.1.0", registry.0)).without_fingerprint();
        same(&format!("{name} under umask {mask}"), &by_docker(client, &context), &built);
    }
}

#[test]
fn buildah_gives_the_images_of_this_repository() {
    if !daemon() {
        return;
    }
    if !has_buildah() {
        return eprintln!("skipped: no buildah");
    }
    let registry = Registry::new();
    let (folder, rust) = (tempfile::tempdir().unwrap(), builders::rust());
    build_all(&registry, &format!("builders.rust={rust}"));
    for name in ["logging-operator", "node-agent"] {
        let context = folder.path().join(name);
        let mut generate = program(&repository());
        generate.args(["generate", name, "--set", &format!("builders.rust={rust}"), "--context"]).arg(&context);
        Ended::of(&mut generate).expect(0);
        let built = Image::of_daemon(&format!("{}/{name}:0.1.0", registry.0)).without_fingerprint();
        same(name, &by_buildah(&context, std::slice::from_ref(&rust)), &built);
    }
}

#[test]
fn all_build_kinds_are_the_same_everywhere() {
    if !daemon() {
        return;
    }
    let workspace = four_kinds();
    workspace.run(["build"]).expect(0);
    let built = Image::of_daemon(&workspace.tag("all:1.0.0")).without_fingerprint();
    let context = workspace.beside("context");
    workspace.run(["generate", "all", "--context", context.to_str().unwrap()]).expect(0);
    if let Some(client) = docker_client() {
        same("docker", &by_docker(client, &context), &built);
    }
    if has_buildah() {
        same("buildah", &by_buildah(&context, &[builders::rust(), builders::shell()]), &built);
    }
}

/// Modes come from the plan: neither those of a careful user's checkout nor those of the folder that was written count.
#[test]
fn a_careful_umask_changes_nothing() {
    if !daemon() {
        return;
    }
    let workspace = four_kinds();
    workspace.run(["build"]).expect(0);
    let expect = Image::of_daemon(&workspace.tag("all:1.0.0"));
    close(&workspace);
    Ended::of(&mut masked("077", &workspace.command(["build"]))).expect(0);
    same("build", &Image::of_daemon(&workspace.tag("all:1.0.0")), &expect);

    let Some(client) = docker_client() else { return eprintln!("skipped: this Docker client needs buildx") };
    let context = workspace.beside("context");
    let generate = workspace.command(["generate", "all", "--context", context.to_str().unwrap()]);
    Ended::of(&mut masked("077", &generate)).expect(0);
    same("docker build", &by_docker(client, &context), &expect.without_fingerprint());
}

/// As if it had been checked out under `umask 077`.
fn close(workspace: &Workspace) {
    Ended::of(Command::new("chmod").args(["-R", "go-rwx"]).arg(workspace.root())).expect(0);
}
