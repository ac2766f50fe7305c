//! Which commands need a daemon, and what they say without one. None of these tests needs one.

use crate::support::workspace::Workspace;

const NOBODY: &str = "unix:///nonexistent.sock";

fn workspace() -> Workspace {
    let workspace = Workspace::empty();
    workspace
        .write("groupage.toml", "schema = 1\n[builders]\nshell = \"localhost/groupage-test/none:1\"\n")
        .files_component("page", "[[install]]\nfrom = \"page.html\"\nto = \"/srv/page.html\"\n")
        .write("components/page/page.html", "x")
        .script_component("made", &["true > /out"])
        .image("app", &["page", "made"], "");
    workspace
}

#[test]
fn deciding_and_generating_need_no_daemon() {
    let workspace = workspace();
    let context = workspace.beside("context").display().to_string();
    for arguments in [
        &["list"][..],
        &["plan"],
        &["plan", "--format", "json"],
        &["generate"],
        &["generate", "--check"],
        &["generate", "app", "--context", &context],
        &["check"],
        &["build", "--dry-run"],
        &["explain", "why", "page", "--in", "app"],
    ] {
        let ended = workspace.command(arguments).env("DOCKER_HOST", NOBODY).output().unwrap();
        assert_eq!(ended.status.code(), Some(0), "{arguments:?}: {ended:?}");
    }
    assert!(workspace.beside("context/Dockerfile").is_file());
}

#[test]
fn building_and_inspecting_exit_3_with_the_next_step() {
    let workspace = workspace();
    for arguments in [&["build"][..], &["build", "app", "--progress", "json"], &["inspect", "app"]] {
        let ended = crate::support::Ended::of(workspace.command(arguments).env("DOCKER_HOST", NOBODY)).expect(3);
        assert_eq!(ended.stdout, "", "{arguments:?}");
        let lines: Vec<&str> = ended.stderr.lines().collect();
        let error = format!("no Docker daemon answers at {NOBODY} (from DOCKER_HOST)");
        assert!(lines.iter().any(|line| line.contains(&error)), "{arguments:?}: {lines:?}");
        // an image may be elsewhere as well, so that starting Docker is not the only next step
        let next =
            if arguments[0] == "inspect" { "hint: build it with" } else { "hint: start Docker, or set DOCKER_HOST" };
        assert!(lines.last().unwrap().starts_with(next), "{arguments:?}: {lines:?}");
    }
    // a flag wins over the environment
    let flag = workspace.run(["build", "--host", "unix:///nonexistent/other.sock"]).expect(3);
    assert!(flag.stderr.contains("/nonexistent/other.sock"), "{}", flag.stderr);
}
