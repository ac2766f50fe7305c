//! The docker engine does nothing twice: what the daemon has is neither sent nor built again, and nothing else is taken for it.

use std::process::Command;

use serde_json::Value;

use crate::support::counted::{Asked, Counted, SIZE, sent};
use crate::support::workspace::component_images;
use crate::support::{Ended, builders, docker, unique, until};

#[test]
fn nothing_changed_means_nothing_is_sent() {
    let Some(counted) = Counted::by_builder() else { return };
    let (x, y) = (counted.component(), counted.component());
    counted.workspace.image("a", &[&x, &y], "").image("b", &[&y], "");
    let (first, asked) = counted.build(&[]);
    // three of the four names are those of the images, one of each shared component
    assert_eq!(asked, Asked { builds: 4, loads: 0, lists: 1, tags: 4 }, "{}", first.stderr);
    let (again, asked) = counted.build(&[]);
    assert_eq!(asked, Asked { builds: 0, loads: 0, lists: 1, tags: 0 });
    assert_eq!(again.stdout, first.stdout);
    for image in ["a", "b"] {
        assert!(again.stderr.contains(&format!("[{image}] up to date")), "{}", again.stderr);
    }

    // what was asked for besides is done all the same
    let (archive, metadata) = (counted.workspace.beside("a.tar"), counted.workspace.beside("a.json"));
    let output = format!("type=docker,dest={}", archive.display());
    let other = counted.workspace.tag("other:one");
    let more = ["a", "--output", &output, "--metadata-file", metadata.to_str().unwrap(), "--tag", &other];
    let (_, asked) = counted.build(&more);
    assert_eq!(asked, Asked { builds: 0, loads: 0, lists: 1, tags: 1 });
    assert!(std::fs::metadata(&archive).unwrap().len() > 2 * SIZE as u64);
    let written: Value = serde_json::from_slice(&std::fs::read(&metadata).unwrap()).unwrap();
    assert_eq!(written["a"]["image.name"], other.as_str());
    assert_eq!(docker(["image", "inspect", "--format", "{{.Id}}", &other]), written["a"]["containerimage.digest"]);

    // a touched file is the same file
    let file = counted.workspace.root().join(format!("components/{x}/file"));
    std::fs::File::options().append(true).open(file).unwrap().set_modified(std::time::SystemTime::now()).unwrap();
    assert_eq!(counted.build(&[]).1.builds, 0);
}

#[test]
fn a_changed_component_alone_is_sent_and_its_images_alone_are_made() {
    let Some(counted) = Counted::by_builder() else { return };
    let (x, y) = (counted.component(), counted.component());
    counted.workspace.image("a", &[&x, &y], "").image("b", &[&y], "");
    counted.build(&[]);
    counted.change(&x);
    let (ended, asked) = counted.build(&["--progress", "json"]);
    assert_eq!(asked, Asked { builds: 2, loads: 0, lists: 1, tags: 2 }, "{}", ended.stderr);
    let sent = sent(&ended.stderr);
    assert_eq!(sent.keys().map(String::as_str).collect::<Vec<_>>(), ["a", &format!("component/{x}")]);
    let total: u64 = sent.values().sum();
    assert!(total <= SIZE as u64 * 105 / 100, "{total} bytes were sent");
    assert_eq!(counted.build(&[]).1.builds, 0);
}

#[test]
fn another_stamp_costs_no_layer() {
    let Some(counted) = Counted::by_builder() else { return };
    let component = counted.component();
    counted.workspace.image("a", &[&component], "description = \"said before\"");
    counted.build(&[]);
    let before = counted.seen("a");
    let text = std::fs::read_to_string(counted.workspace.root().join("images/a/image.toml")).unwrap();
    let text = text.replace("description = \"said before\"", "").replace("version = \"1.0.0\"", "version = \"2.0.0\"");
    counted.workspace.write("images/a/image.toml", text);
    let tag = counted.workspace.tag("a:1.0.0");
    let (ended, asked) = counted.build(&["--tag", &tag, "--progress", "json"]);
    assert_eq!(asked, Asked { builds: 1, loads: 0, lists: 1, tags: 1 });
    assert_eq!(sent(&ended.stderr).keys().map(String::as_str).collect::<Vec<_>>(), ["a"]);
    let after = counted.seen("a");
    assert_eq!(after["RootFS"], before["RootFS"]);
    let label = |seen: &Value, name: &str| seen["Config"]["Labels"][format!("org.opencontainers.image.{name}")].clone();
    assert_eq!((label(&before, "version"), label(&after, "version")), ("1.0.0".into(), "2.0.0".into()));
    assert_eq!((label(&before, "description"), label(&after, "description")), ("said before".into(), Value::Null));
    assert_eq!(counted.build(&["--tag", &tag]).1.builds, 0);
}

#[test]
fn a_base_that_moved_makes_another_image() {
    let Some(counted) = Counted::new() else { return };
    let base = counted.workspace.tag("base:1");
    builders::shell_of_its_own(&base);
    let component = counted.component();
    counted.workspace.write("groupage.toml", format!("schema = 1\n[bases]\nown = {base:?}\n"));
    counted.workspace.image("a", &[&component], "");
    let text = std::fs::read_to_string(counted.workspace.root().join("images/a/image.toml")).unwrap();
    counted.workspace.write("images/a/image.toml", text.replace("\"scratch\"", "\"own\""));
    counted.build(&[]);
    let before = counted.seen("a");
    assert_eq!(counted.build(&[]).1.builds, 0);
    builders::shell_of_its_own(&base);
    // the component does not depend on the base
    assert_eq!(counted.build(&[]).1.builds, 1);
    assert_ne!(counted.seen("a")["RootFS"]["Layers"][0], before["RootFS"]["Layers"][0]);
    assert_eq!(counted.build(&[]).1.builds, 0);
}

#[test]
fn after_a_kill_the_missing_work_is_done_and_no_other() {
    let Some(counted) = Counted::new() else { return };
    let (quick, slow) = (counted.component(), unique());
    let path = format!("components/{slow}/component.toml");
    // the second run finds the step where the first one left it
    counted.workspace.script_component(&slow, &["sleep $(cat seconds); echo done > /out"]);
    let text = std::fs::read_to_string(counted.workspace.root().join(&path)).unwrap();
    counted.workspace.write(&path, text.replace("[build.script]\n", "[build.script]\ninputs = [\"seconds\"]\n"));
    counted.workspace.write(&format!("components/{slow}/seconds"), "31571");
    counted.workspace.image("a", &[&quick, &slow], "").image("b", &[&quick], "");
    let mut child = counted.workspace.spawn(["build", "--host", &counted.listener.host()]);
    until("what can be done is done", || {
        !component_images(&quick).is_empty() && counted.workspace.tags() == ["b:1.0.0"]
    });
    Ended::of(Command::new("kill").args(["-s", "KILL", &child.id().to_string()])).expect(0);
    child.wait().unwrap();
    counted.listener.count([]);
    assert!(component_images(&slow).is_empty(), "nothing is named that is not complete");
    counted.workspace.write(&format!("components/{slow}/seconds"), "0");
    let (_, asked) = counted.build(&[]);
    assert_eq!(
        asked,
        Asked { builds: 2, loads: 0, lists: 1, tags: 2 },
        "the slow component, and the image that holds it"
    );
    assert_eq!(counted.workspace.tags(), ["a:1.0.0", "b:1.0.0"]);
}

#[test]
fn a_component_is_built_anew_when_that_is_asked_for() {
    let Some(counted) = Counted::by_builder() else { return };
    let (x, y) = (counted.component(), counted.component());
    counted.workspace.image("a", &[&x, &y], "").image("b", &[&y], "");
    counted.build(&[]);
    let (ended, asked) = counted.build(&["--no-cache-filter", &x]);
    assert_eq!(asked.builds, 2, "{}", ended.stderr);
    let of_component = |line: &&str| line.starts_with(&format!("[component/{x} ")) && line.contains("COPY");
    assert!(ended.stderr.lines().any(|line| of_component(&line)), "{}", ended.stderr);
    assert!(!ended.stderr.lines().any(|line| of_component(&line) && line.contains("cached")), "{}", ended.stderr);
    let (ended, _) = counted.end(&["--no-cache-filter", &format!("{x}y")], 2);
    assert!(ended.stderr.contains(&format!("did you mean `{x}`?")), "{}", ended.stderr);
}

#[test]
fn a_failing_component_fails_the_images_that_hold_it() {
    let Some(counted) = Counted::by_builder() else { return };
    let (good, bad) = (counted.component(), unique());
    counted.workspace.script_component(&bad, &["echo why; exit 7"]);
    counted.workspace.image("a", &[&bad], "").image("b", &[&bad, &good], "").image("c", &[&good], "");
    let (ended, asked) = counted.end(&["--keep-going"], 1);
    assert_eq!(asked.builds, 3, "each component once, and the image that can be made");
    assert_eq!(counted.workspace.tags(), ["c:1.0.0"]);
    let blocks: Vec<&str> = ended.stderr.lines().filter(|line| line.starts_with("error: ")).collect();
    assert_eq!(blocks, ["error: failed to build a, b"], "{}", ended.stderr);
    for part in
        [&format!("  component: {bad} (components/{bad}/"), "  --> images/a/Dockerfile:", "  exit code: 7", "  | why"]
    {
        assert!(ended.stderr.contains(part), "{part:?} is not in\n{}", ended.stderr);
    }
    assert!(component_images(&bad).is_empty());
}

#[test]
fn a_template_that_needs_the_whole_is_built_as_a_whole() {
    let Some(counted) = Counted::by_builder() else { return };
    let (x, y) = (counted.component(), counted.component());
    counted.workspace.image("a", &[&x, &y], "");
    counted.build(&[]);
    let parted = counted.seen("a");
    let own = std::fs::read_to_string(builders::repository().join("templates/Dockerfile.hbs")).unwrap();
    counted.workspace.write("templates/Dockerfile.hbs", format!("ARG UNUSED=1\n{own}"));
    let (ended, asked) = counted.build(&["--progress", "json"]);
    assert_eq!(asked.builds, 1);
    assert!(sent(&ended.stderr)["a"] > 2 * SIZE as u64);
    assert_eq!(counted.seen("a")["RootFS"]["Layers"].as_array().unwrap().len(), 3);
    assert_eq!(parted["RootFS"]["Layers"].as_array().unwrap().len(), 3);
    assert_eq!(counted.build(&[]).1.builds, 0);
    // one that only says more is no hindrance
    counted.workspace.write("templates/Dockerfile.hbs", format!("{own}LABEL own=1\n"));
    assert_eq!(counted.build(&[]).1.builds, 1);
    assert_eq!(counted.seen("a")["Config"]["Labels"]["own"], "1");
}
