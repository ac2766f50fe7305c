//! Failed, cancelled, killed and parallel builds: what is said, how it ends, and what is left.

use std::io::{BufRead as _, BufReader, Read as _};
use std::process::{Child, Command};

use serde_json::Value;

use crate::needs_engine_kinds::four_kinds;
use crate::support::workspace::Workspace;
use crate::support::{Ended, builders, daemon, docker, unique, until};

/// The last lines of stderr, from the line that begins the failure block of an image.
#[track_caller]
fn block<'a>(ended: &'a Ended, image: &str) -> Vec<&'a str> {
    let head = format!("error: failed to build {image}");
    let begin = ended.stderr.rfind(&head).unwrap_or_else(|| panic!("{head:?} is not in\n{}", ended.stderr));
    ended.stderr[begin..].lines().collect()
}

/// The only line with this beginning, without it.
#[track_caller]
fn rest<'a>(block: &[&'a str], beginning: &str) -> &'a str {
    let found: Vec<&str> = block.iter().filter_map(|line| line.strip_prefix(beginning)).collect();
    assert_eq!(found.len(), 1, "{beginning:?} in {block:#?}");
    found[0]
}

/// The line of a `FILE:LINE[:COLUMN]` that is relative to the workspace.
#[track_caller]
fn line_at(workspace: &Workspace, place: &str) -> String {
    let mut parts = place.split(':');
    let text = std::fs::read_to_string(workspace.root().join(parts.next().unwrap())).unwrap();
    let number: usize = parts.next().expect("a line").parse().expect("a number");
    text.lines().nth(number - 1).expect("the file has the line").to_owned()
}

#[test]
fn a_failed_command_ends_with_the_whole_story() {
    if !daemon() {
        return;
    }
    let workspace = Workspace::new();
    workspace
        .script_component("good", &["true > /out"])
        .script_component("bad", &["echo fine", &format!("echo {}; seq 100 130; exit 9", unique())])
        .image("app", &["good", "bad"], "");
    workspace.run(["generate"]).expect(0);
    for style in ["plain", "quiet", "json"] {
        let ended = workspace.run(["build", "app", "--progress", style]).expect(1);
        assert_eq!(ended.stdout, "");
        let block = block(&ended, "app");
        let component = rest(&block, "  component: bad (").trim_end_matches(')');
        assert!(component.starts_with("components/bad/component.toml:"), "{component}");
        assert_eq!(line_at(&workspace, component), "[build.script]");
        let place = rest(&block, "  --> ");
        assert!(place.starts_with("images/app/Dockerfile:"), "{place}");
        let line = line_at(&workspace, place);
        assert!(line.starts_with("RUN [") && line.contains("exit 9"), "{line}");
        assert_eq!(rest(&block, "  exit code: "), "9");
        let log: Vec<&str> = block.iter().filter_map(|line| line.strip_prefix("  | ")).collect();
        let log = &log[log.len() - 20..];
        assert_eq!(log, (111..=130).map(|number| number.to_string()).collect::<Vec<_>>());
        assert!(block.last().unwrap().starts_with("run it again with: cargo xtask build app"), "{block:#?}");
        assert!(workspace.tags().is_empty());
    }
}

#[test]
fn a_compile_error_is_shown_with_its_component() {
    if !daemon() {
        return;
    }
    let workspace = four_kinds();
    workspace.run(["generate"]).expect(0);
    workspace.write("components/hello/src/main.rs", "fn main() {\n    let _: u8 = \"text\";\n}\n");
    let ended = workspace.run(["build"]).expect(1);
    let block = block(&ended, "all");
    let component = rest(&block, "  component: hello (").trim_end_matches(')');
    assert_eq!(line_at(&workspace, component), "[build.cargo]");
    let dockerfile = rest(&block, "  --> images/all/Dockerfile:");
    assert!(
        line_at(&workspace, &format!("images/all/Dockerfile:{dockerfile}")).starts_with("RUN --mount"),
        "{block:#?}"
    );
    assert!(block.iter().any(|line| line.contains("error[E0308]")), "{block:#?}");
    assert!(block.iter().any(|line| line.contains("hello/src/main.rs:2:17")), "{block:#?}");
    assert!(block.last().unwrap().starts_with("run it again with: "), "{block:#?}");
    assert!(workspace.tags().is_empty());
}

#[test]
fn what_cannot_be_had_exits_3_and_what_does_not_fit_exits_2() {
    if !daemon() {
        return;
    }
    let workspace = Workspace::new();
    workspace.script_component("made", &["true > /out"]).image("app", &["made"], "").image("other", &["made"], "");
    for (arguments, code, parts) in [
        (
            &["--set", "builders.shell=127.0.0.1:1/none:1"][..],
            3,
            &["127.0.0.1:1/none:1", "images/app/Dockerfile:", "--set builders."][..],
        ),
        (&["--platform", "linux/s390x"], 2, &["`app` is not made for linux/s390x", "linux/amd64, linux/arm64"]),
        (&["--tag", "UPPER/Case"], 2, &["UPPER/Case"]),
        (&["-j", "0"], 2, &["-j"]),
        (&["--host", "ftp://x"], 2, &["ftp://x"]),
    ] {
        let ended = workspace.run([&["build", "app"], arguments].concat()).expect(code);
        assert_eq!(ended.stdout, "", "{arguments:?}");
        for part in parts {
            assert!(ended.stderr.contains(part), "{arguments:?}: {part:?} is not in\n{}", ended.stderr);
        }
    }
    let two = workspace.run(["build", "--tag", &workspace.tag("mine:1")]).expect(2);
    assert!(two.stderr.contains("--tag names one image, and 2 are selected"), "{}", two.stderr);
    assert!(workspace.tags().is_empty());
}

/// A program that is seen by its command line; only on the machine where the daemon is.
fn runs(text: &str) -> bool {
    let has = |entry: std::fs::DirEntry| {
        let line = std::fs::read(entry.path().join("cmdline")).unwrap_or_default();
        line.strip_suffix(b"\0").is_some_and(|line| String::from_utf8_lossy(line).replace('\0', " ") == text)
    };
    std::fs::read_dir("/proc").unwrap().flatten().any(has)
}

fn signal(child: &Child, signal: &str) {
    Ended::of(Command::new("kill").args(["-s", signal, &child.id().to_string()])).expect(0);
}

/// An image whose only step sleeps for as many seconds as the file says.
fn sleeper(seconds: &str) -> Workspace {
    let workspace = Workspace::new();
    let command = format!("echo {}; sleep $(cat seconds); echo done > /out", unique());
    workspace.script_component("slow", &[&command]).write("components/slow/seconds", seconds).image(
        "app",
        &["slow"],
        "",
    );
    let path = "components/slow/component.toml";
    let text = std::fs::read_to_string(workspace.root().join(path)).unwrap();
    workspace.write(path, text.replace("[build.script]\n", "[build.script]\ninputs = [\"seconds\"]\n"));
    workspace
}

#[test]
fn ctrl_c_ends_the_build_in_the_daemon() {
    if !daemon() {
        return;
    }
    for (name, seconds) in [("INT", "31567"), ("TERM", "31568")] {
        let workspace = sleeper(seconds);
        let mut child = workspace.spawn(["build"]);
        until("the step runs", || runs(&format!("sleep {seconds}")));
        signal(&child, name);
        let status = child.wait().unwrap();
        let mut stderr = String::new();
        child.stderr.take().unwrap().read_to_string(&mut stderr).unwrap();
        assert_eq!(status.code(), Some(1), "{stderr}");
        assert!(stderr.contains("error: cancelled"), "{stderr}");
        until("the step is gone", || !runs(&format!("sleep {seconds}")));
        assert!(workspace.tags().is_empty());
    }
}

#[test]
fn a_killed_client_leaves_nothing_that_hinders_the_next() {
    if !daemon() {
        return;
    }
    let seconds = "31569";
    let workspace = sleeper(seconds);
    let metadata = workspace.beside("out/metadata.json");
    std::fs::create_dir(workspace.beside("out")).unwrap();
    std::fs::write(&metadata, "before").unwrap();
    let arguments = ["build", "--metadata-file", metadata.to_str().unwrap()];
    let mut child = workspace.spawn(arguments);
    until("the step runs", || runs(&format!("sleep {seconds}")));
    signal(&child, "KILL");
    child.wait().unwrap();
    until("the step is gone", || !runs(&format!("sleep {seconds}")));
    assert!(workspace.tags().is_empty());
    assert_eq!(std::fs::read_to_string(&metadata).unwrap(), "before");
    assert_eq!(std::fs::read_dir(workspace.beside("out")).unwrap().count(), 1, "nothing half-written beside it");

    workspace.write("components/slow/seconds", "0");
    workspace.run(arguments).expect(0);
    assert_eq!(workspace.tags(), ["app:1.0.0"]);
    serde_json::from_slice::<Value>(&std::fs::read(&metadata).unwrap()).expect("it is JSON");
}

#[test]
fn two_builds_at_once_are_both_right() {
    if !daemon() {
        return;
    }
    let workspace = Workspace::new();
    let command = format!("echo {}; sleep 1; echo done > /out", unique());
    workspace.script_component("made", &[&command]).image("app", &["made"], "").image("other", &["made"], "");
    let metadata = workspace.beside("metadata.json");
    let children: Vec<Child> =
        (0..2).map(|_| workspace.spawn(["build", "--metadata-file", metadata.to_str().unwrap()])).collect();
    let outputs: Vec<Ended> =
        children.into_iter().map(|child| Ended::from(child.wait_with_output().unwrap()).expect(0)).collect();
    assert_eq!(outputs[0].stdout, outputs[1].stdout, "the same images");
    assert_eq!(workspace.tags(), ["app:1.0.0", "other:1.0.0"]);
    let written: Value = serde_json::from_slice(&std::fs::read(&metadata).unwrap()).expect("one of them, complete");
    assert_eq!(written.as_object().unwrap().len(), 2);
}

/// `a-bad` fails at once, `b-good` does not.
fn bad_and_good() -> Workspace {
    let workspace = Workspace::new();
    workspace
        .script_component("bad", &[&format!("echo {}; exit 1", unique())])
        .script_component("good", &["true > /out"])
        .image("a-bad", &["bad"], "")
        .image("b-good", &["good"], "");
    workspace
}

#[test]
fn keep_going_builds_the_others() {
    if !daemon() {
        return;
    }
    let workspace = bad_and_good();
    let metadata = workspace.beside("metadata.json");
    let stopped = workspace.run(["build", "-j", "1"]).expect(1);
    assert!(stopped.stderr.contains("[b-good] skipped"), "{}", stopped.stderr);
    assert_eq!((stopped.stdout.as_str(), workspace.tags()), ("", Vec::new()));

    let all =
        workspace.run(["build", "-j", "1", "--keep-going", "--metadata-file", metadata.to_str().unwrap()]).expect(1);
    assert_eq!(workspace.tags(), ["b-good:1.0.0"]);
    assert_eq!(all.stdout.lines().count(), 1);
    assert!(block(&all, "a-bad").last().unwrap().starts_with("run it again with: "), "the failure comes last");
    let written: Value = serde_json::from_slice(&std::fs::read(&metadata).unwrap()).unwrap();
    assert_eq!(written.as_object().unwrap().keys().collect::<Vec<_>>(), ["b-good"]);
}

#[test]
fn one_job_means_one_after_the_other() {
    if !daemon() {
        return;
    }
    let workspace = Workspace::new();
    workspace.script_component("made", &["true > /out"]).image("a", &["made"], "").image("b", &["made"], "");
    let stderr = workspace.run(["build", "-j", "1"]).expect(0).stderr;
    let at = |text: &str| stderr.find(text).unwrap_or_else(|| panic!("{text} is not in {stderr}"));
    assert!(at("[a] started") < at("[a] finished") && at("[a] finished") < at("[b] started"), "{stderr}");
}

#[test]
fn what_is_built_is_told_to_programs() {
    if !daemon() {
        return;
    }
    let workspace = Workspace::new();
    workspace.script_component("made", &["true > /out"]).image("app", &["made"], "");
    let metadata = workspace.beside("metadata.json");
    let tags = [workspace.tag("mine:one"), workspace.tag("mine:two")];
    let ended = workspace
        .run(["build", "--tag", &tags[0], "-t", &tags[1], "--metadata-file", metadata.to_str().unwrap()])
        .expect(0);
    assert_eq!(workspace.tags(), ["mine:one", "mine:two"], "instead of the planned name");
    let id = docker(["image", "inspect", "--format", "{{.Id}}", &tags[0]]);
    assert_eq!(ended.stdout, format!("{} {id}\n{} {id}\n", tags[0], tags[1]), "stdout is data");

    let written: Value = serde_json::from_slice(&std::fs::read(&metadata).unwrap()).unwrap();
    let fingerprint = written["app"]["groupage.fingerprint"].as_str().unwrap();
    let label = "{{index .Config.Labels \"dev.groupage.fingerprint\"}}";
    assert_eq!(docker(["image", "inspect", "--format", label, &tags[0]]), fingerprint);
    assert!(!fingerprint.is_empty());
    let expect = serde_json::json!({
        "app": {
            "containerimage.config.digest": id,
            // an engine without the containerd store knows no manifest before a push
            "containerimage.digest": written["app"]["containerimage.digest"],
            "groupage.fingerprint": fingerprint,
            "image.name": tags.join(","),
        }
    });
    assert_eq!(written, expect);
}

#[test]
fn json_progress_is_json_in_every_line() {
    if !daemon() {
        return;
    }
    let workspace = bad_and_good();
    let mut child = workspace.spawn(["build", "b-good", "--progress", "json"]);
    let lines: Vec<String> = BufReader::new(child.stderr.take().unwrap()).lines().map(Result::unwrap).collect();
    assert_eq!(child.wait().unwrap().code(), Some(0), "{lines:#?}");
    let events: Vec<String> = lines
        .iter()
        .map(|line| {
            let event: Value = serde_json::from_str(line).unwrap_or_else(|error| panic!("{error}: {line}"));
            event["event"].as_str().expect("it has a name").to_owned()
        })
        .collect();
    assert_eq!((events[0].as_str(), events.last().unwrap().as_str()), ("started", "finished"));
}

#[test]
fn a_platform_reaches_the_image() {
    if !daemon() {
        return;
    }
    let workspace = Workspace::new();
    workspace
        .files_component("page", "[[install]]\nfrom = \"page.html\"\nto = \"/srv/page.html\"\n")
        .write("components/page/page.html", unique())
        .image("app", &["page"], "");
    for platform in ["linux/arm64", "linux/amd64"] {
        workspace.run(["build", "--platform", platform]).expect(0);
        let seen = docker(["image", "inspect", "--format", "{{.Os}}/{{.Architecture}}", &workspace.tag("app:1.0.0")]);
        assert_eq!(seen, platform);
    }
    assert!(builders::has_image(&workspace.tag("app:1.0.0")));
}
