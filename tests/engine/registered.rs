//! What a registry has already is neither built nor sent by the Docker engine: with `--push` nothing happens, with `--pull` the
//! daemon gets it from there.

use crate::support::registry::{LocalRegistry, Request};
use crate::support::workspace::{Workspace, program};
use crate::support::{Ended, daemon, docker, unique};

/// One component of a file, and its image for the platform of the daemon alone.
fn workspace() -> Workspace {
    let workspace = Workspace::empty();
    workspace.write("groupage.toml", "schema = 1\n");
    workspace.files_component("registered-text", "[[install]]\nfrom = \"text\"\nto = \"/text\"\n");
    workspace.write("components/registered-text/text", unique());
    workspace.image("app", &["registered-text"], "");
    workspace
}

fn build(workspace: &Workspace, registry: &LocalRegistry, arguments: &[&str]) -> (Ended, Vec<Request>) {
    let mut build = program(workspace.root());
    build.args(["build", "--engine", "docker", "--set", &format!("registry.default={}/team", registry.name())]);
    build.args(arguments);
    registry.requests_of(|| Ended::of(&mut build).expect(0))
}

/// The image and its components are gone from the daemon; what is made again is a component that ends its step.
fn forget(reference: &str) {
    docker(["rmi", "--force", reference]);
    let parts = docker(["images", "--quiet", "--filter", "label=dev.groupage.component=registered-text"]);
    parts.split_whitespace().for_each(|part| _ = docker(["rmi", "--force", part]));
}

fn has(reference: &str) -> bool {
    !docker(["images", "--quiet", reference]).is_empty()
}

#[test]
fn what_is_there_is_not_built() {
    if !daemon() {
        return;
    }
    let Some(registry) = LocalRegistry::start() else { return };
    let workspace = workspace();
    let reference = format!("{}/team/app:1.0.0", registry.name());
    let (first, _) = build(&workspace, &registry, &["--push"]);
    assert!(!first.stderr.contains("[app] up to date"), "{}", first.stderr);

    forget(&reference);
    let (again, requests) = build(&workspace, &registry, &["--push"]);
    assert!(again.stderr.contains("[app] up to date"), "{}", again.stderr);
    assert_eq!(again.stdout, first.stdout);
    assert!(!requests.iter().any(Request::is_delivery), "{requests:#?}");
    assert!(!has(&reference), "nothing was built");

    let (pulled, _) = build(&workspace, &registry, &["--pull"]);
    assert!(pulled.stderr.contains("[app] up to date"), "{}", pulled.stderr);
    assert!(has(&reference), "it has its name");

    // another file, another image: what is there is not taken for it
    forget(&reference);
    workspace.write("components/registered-text/text", unique());
    let (changed, _) = build(&workspace, &registry, &["--pull", "--push"]);
    assert!(!changed.stderr.contains("[app] up to date"), "{}", changed.stderr);
    assert_ne!(changed.stdout, first.stdout);
    forget(&reference);
}
