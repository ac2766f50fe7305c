//! What is built anew and what is not.

use std::fs::File;
use std::process::Command;
use std::time::SystemTime;

use crate::needs_engine_kinds::four_kinds;
use crate::support::workspace::Workspace;
use crate::support::{Ended, builders, daemon, unique};

/// What the program of the image says.
fn says(workspace: &Workspace) -> String {
    Ended::of(Command::new("docker").args(["run", "--rm", "--network=none", &workspace.tag("all:1.0.0")]))
        .expect(0)
        .stdout
}

fn source(text: &str) -> String {
    format!("fn main() {{\n    println!(\"{text}\");\n}}\n")
}

/// Cargo compares times, and a context has none that mean anything: a changed file must never be taken for an old one.
#[test]
fn a_changed_source_with_an_old_time_is_in_the_image() {
    if !daemon() {
        return;
    }
    const SOURCE: &str = "components/hello/src/main.rs";
    let workspace = four_kinds();
    let change = |text: &str, time: SystemTime| {
        // as `git checkout` does it: a new file in the place of the old one
        let temporary = format!("{SOURCE}.new");
        workspace.write(&temporary, source(text));
        File::options().append(true).open(workspace.root().join(&temporary)).unwrap().set_modified(time).unwrap();
        std::fs::rename(workspace.root().join(&temporary), workspace.root().join(SOURCE)).unwrap();
        workspace.run(["build"]).expect(0);
        assert_eq!(says(&workspace), format!("{text}\n"));
    };
    // texts of equal length, so that not even the size tells them apart
    let (first, second, third) = (unique(), unique(), unique());
    change(&first, SystemTime::now());
    change(&second, SystemTime::UNIX_EPOCH);
    change(&third, SystemTime::UNIX_EPOCH);
    change(&first, SystemTime::UNIX_EPOCH);
}

/// Instructions of a component that ran, by what `--progress plain` says.
fn ran(stderr: &str, component: &str) -> Vec<String> {
    let prefix = format!("[component/{component} ");
    let of_component = stderr.lines().filter(|line| line.starts_with(&prefix));
    let began = of_component.filter(|line| ["] RUN ", "] COPY ", "] WORKDIR "].iter().any(|mark| line.contains(mark)));
    began.map(str::to_owned).collect()
}

#[test]
fn a_change_leaves_the_steps_of_other_components_alone() {
    if !daemon() {
        return;
    }
    let workspace = four_kinds();
    workspace
        .write("Cargo.toml", "[workspace]\nresolver = \"3\"\nmembers = [\"components/hello\", \"other\"]\n")
        .write("other/Cargo.toml", "[package]\nname = \"other\"\nversion = \"0.1.0\"\nedition = \"2024\"\n")
        .write("other/src/lib.rs", "")
        .write(
            "Cargo.lock",
            "version = 4\n\n[[package]]\nname = \"hello\"\nversion = \"0.4.0\"\n\n[[package]]\nname = \"other\"\nversion = \
             \"0.1.0\"\n",
        );
    workspace.run(["build"]).expect(0);
    let check = |file: &str, text: String, changed: &[&str]| {
        workspace.write(file, text);
        let stderr = workspace.run(["build", "--progress", "plain"]).expect(0).stderr;
        for component in ["hello", "made", "page", "tools"] {
            let ran = ran(&stderr, component);
            assert_eq!(changed.contains(&component), !ran.is_empty(), "{file} {component}: {ran:?}\n{stderr}");
        }
    };
    check("components/page/site/index.html", unique(), &["page"]);
    check("components/made/in/words", unique(), &["made"]);
    check("components/hello/src/main.rs", source(&unique()), &["hello"]);
    // a crate of the same cargo workspace that the program does not use
    check("other/src/lib.rs", format!("// {}\n", unique()), &[]);
    check("README.md", unique(), &[]);
}

#[test]
fn no_cache_builds_every_step() {
    if !daemon() {
        return;
    }
    let workspace = Workspace::empty();
    let shell = builders::shell_of_its_own(&workspace.tag("shell:1"));
    workspace
        .write("groupage.toml", format!("schema = 1\n[builders]\nshell = {shell:?}\n"))
        .script_component("made", &["echo made > /out"])
        .image("app", &["made"], "");
    workspace.run(["build"]).expect(0);
    let kept = workspace.run(["build"]).expect(0).stderr;
    assert!(kept.contains("[app] up to date"), "{kept}");
    let anew = workspace.run(["build", "--no-cache"]).expect(0).stderr;
    assert!(!anew.contains("cached: RUN") && !anew.contains("cached: COPY"), "{anew}");
}
