//! An image that the daemon has is taken as it is when it was looked at, and by nothing else: not after it was refused, after a
//! run that was killed, after `--no-verify`, or in another clone. What was looked at once is not looked at again.

use std::fs;
use std::ops::Deref;
use std::path::Path;
use std::process::Command;

use crate::support::counted::Counted;
use crate::support::registry::{LocalRegistry, Request};
use crate::support::workspace::program;
use crate::support::{Ended, builders, docker, unique, until};

/// A program that cannot be started, and one that can be, by the shell of the base.
const BROKEN: &str = "hello\n";
const WHOLE: &str = "#!/bin/sh\n";

const ROLE: &str = r#"
[[install]]
from = "app"
to = "/usr/bin/app"
mode = "0755"
[roles.app]
command = ["/usr/bin/app"]
user = "65532:65532"
"#;

const REFUSED: &str = "error[unknown-program] linux/";
const UP_TO_DATE: &str = "[a] up to date";

/// A workspace, whose images go away with it: also those that got no name.
struct Sample {
    counted: Counted,
    component: String,
}

impl Deref for Sample {
    type Target = Counted;

    fn deref(&self) -> &Counted {
        &self.counted
    }
}

impl Drop for Sample {
    fn drop(&mut self) {
        let run = |words: &[&str]| Command::new("docker").args(words).output().map(|output| output.stdout);
        let all = ["images", "--all", "--quiet", "--no-trunc", "--filter", "label=dev.groupage.image=a"];
        let all = String::from_utf8(run(&all).unwrap_or_default()).unwrap_or_default();
        for id in all.lines() {
            let seen = run(&["image", "inspect", id]).unwrap_or_default();
            if String::from_utf8_lossy(&seen).contains(&self.component) {
                _ = run(&["rmi", "--force", id]);
            }
        }
    }
}

/// The image `a` of one component, on a base that only the daemon has: a builder makes it.
fn counted(app: &str) -> Option<Sample> {
    let counted = Counted::new()?;
    let (base, component) = (counted.workspace.tag("base:1"), unique());
    builders::shell_of_its_own(&base);
    counted.workspace.write("groupage.toml", format!("schema = 1\n[bases]\nown = {base:?}\n"));
    counted.workspace.files_component(&component, ROLE);
    counted.workspace.write(&format!("components/{component}/app"), format!("{app}# {component}\n"));
    counted.workspace.image("a", &[&component], "default-role = \"app\"");
    let text = fs::read_to_string(counted.workspace.root().join("images/a/image.toml")).unwrap();
    counted.workspace.write("images/a/image.toml", text.replace("\"scratch\"", "\"own\""));
    Some(Sample { counted, component })
}

/// Builds in a folder; how often something was built, and how often an image was written out.
#[track_caller]
fn build_in(counted: &Counted, folder: &Path, more: &[&str], code: i32) -> (Ended, [usize; 2]) {
    let mut build = program(folder);
    build.args(["build", "--engine", "docker", "--host", &counted.listener.host()]);
    build.args(["--set", &counted.workspace.registry_setting()]).args(more);
    let ended = Ended::of(&mut build).expect(code);
    (ended, counted.listener.count(["POST /build?", "/get HTTP"]))
}

#[track_caller]
fn build(counted: &Counted, more: &[&str], code: i32) -> (Ended, [usize; 2]) {
    build_in(counted, counted.workspace.root(), more, code)
}

/// Looks at the image that is there: it is not built again, refused, and gets no name.
#[track_caller]
fn check_refused(counted: &Counted, more: &[&str]) {
    let before = counted.workspace.tags();
    let (ended, asked) = build(counted, more, 1);
    assert!(ended.stderr.contains(REFUSED), "{ended:?}");
    assert!(ended.stderr.contains("the image that is there does not keep its contract"), "{ended:?}");
    assert_eq!((ended.stdout.as_str(), asked), ("", [0, 1]), "{ended:?}");
    assert_eq!(counted.workspace.tags(), before);
}

#[test]
fn what_was_refused_is_refused_again() {
    let Some(counted) = counted(BROKEN) else { return };
    let (ended, _) = build(&counted, &[], 1);
    assert!(ended.stderr.contains(REFUSED), "{ended:?}");
    assert_eq!(counted.workspace.tags(), ["base:1"]);
    check_refused(&counted, &[]);
    check_refused(&counted, &["--tag", &counted.workspace.tag("other:one")]);

    if let Some(registry) = LocalRegistry::start() {
        let tag = format!("{}/a:one", registry.name());
        let (_, requests) = registry.requests_of(|| check_refused(&counted, &["--push", "--tag", &tag]));
        assert!(!requests.iter().any(Request::is_delivery), "{requests:#?}");
    }

    // who wants it all the same gets it, and that proves nothing
    assert!(build(&counted, &["--no-verify"], 0).0.stderr.contains(UP_TO_DATE));
    assert_eq!(counted.workspace.tags(), ["a:1.0.0", "base:1"]);
    check_refused(&counted, &[]);
    check_refused(&counted, &["--tag", &counted.workspace.tag("other:one")]);
    assert_eq!(build(&counted, &["--no-verify"], 0).1, [0, 0]);
}

#[test]
fn what_was_looked_at_is_not_looked_at_again() {
    let Some(counted) = counted(WHOLE) else { return };
    let (first, asked) = build(&counted, &[], 0);
    assert_eq!((asked[1], first.stderr.contains(UP_TO_DATE)), (1, false), "{first:?}");
    let look = |saves: usize| {
        let (ended, asked) = build(&counted, &[], 0);
        assert!(ended.stderr.contains(UP_TO_DATE), "{ended:?}");
        assert_eq!((ended.stdout, asked), (first.stdout.clone(), [0, saves]));
    };
    look(0);
    // a record that is no proof costs a look, and no more
    let folder = counted.workspace.root().join("target/groupage/cache/records/verified");
    let proofs: Vec<_> = fs::read_dir(&folder).unwrap().map(|entry| entry.unwrap().path()).collect();
    let [proof] = &proofs[..] else { panic!("{proofs:?}") };
    let whole = fs::read(proof).unwrap();
    for damaged in [Vec::new(), whole[..whole.len() / 2].to_vec(), [b"x".as_slice(), &whole].concat()] {
        fs::write(proof, damaged).unwrap();
        look(1);
        look(0);
    }
    fs::remove_dir_all(&folder).unwrap();
    fs::write(&folder, "").unwrap();
    look(1);
    look(1);
}

#[test]
fn what_has_a_name_without_a_look_is_looked_at() {
    let Some(counted) = counted(WHOLE) else { return };
    assert_eq!(build(&counted, &["--no-verify"], 0).1[1], 0);
    let (ended, asked) = build(&counted, &[], 0);
    assert!(ended.stderr.contains(UP_TO_DATE), "{ended:?}");
    assert_eq!(asked, [0, 1]);
    assert_eq!(build(&counted, &[], 0).1, [0, 0]);
}

#[test]
fn another_clone_looks_for_itself() {
    for (app, code) in [(BROKEN, 1), (WHOLE, 0)] {
        let Some(counted) = counted(app) else { return };
        build(&counted, &[], code);
        let clone = counted.workspace.beside("clone");
        let root = counted.workspace.root();
        for folder in ["components", "images", "groupage.toml"] {
            fs::create_dir_all(&clone).unwrap();
            Ended::of(Command::new("cp").arg("-r").arg(root.join(folder)).arg(&clone)).expect(0);
        }
        let (ended, asked) = build_in(&counted, &clone, &[], code);
        assert_eq!((asked, ended.stderr.contains(REFUSED)), ([0, 1], code == 1), "{ended:?}");
        assert_eq!(build_in(&counted, &clone, &[], code).1, [0, usize::from(code == 1)]);
    }
}

#[test]
fn after_a_kill_before_the_look_the_image_is_looked_at() {
    for (app, code) in [(BROKEN, 1), (WHOLE, 0)] {
        let Some(counted) = counted(app) else { return };
        let mut child = counted.workspace.spawn(["build", "--host", &counted.listener.host()]);
        until("the image is built", || counted.listener.has("/get HTTP"));
        Ended::of(Command::new("kill").args(["-s", "KILL", &child.id().to_string()])).expect(0);
        child.wait().unwrap();
        counted.listener.count([]);
        // should the look have ended before the kill, this is a run after a whole one
        let (ended, [builds, _]) = build(&counted, &[], code);
        assert_eq!((builds, ended.stderr.contains(REFUSED)), (0, code == 1), "{ended:?}");
        let expect: &[&str] = if code == 1 { &["base:1"] } else { &["a:1.0.0", "base:1"] };
        assert_eq!(counted.workspace.tags(), expect);
    }
}

#[test]
fn what_a_registry_has_is_looked_at_when_it_is_pulled() {
    let Some(counted) = counted(BROKEN) else { return };
    let Some(registry) = LocalRegistry::start() else { return };
    let tag = format!("{}/a:one", registry.name());
    build(&counted, &["--no-verify", "--push", "--tag", &tag], 0);
    docker(["rmi", "--force", &tag]);
    let (ended, [builds, saves]) = build(&counted, &["--pull", "--tag", &tag], 1);
    assert!(ended.stderr.contains(REFUSED), "{ended:?}");
    assert_eq!((builds, saves), (0, 1));
    assert!(!builders::has_image(&tag));
}
